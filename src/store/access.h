/* access.h - permission is an argument: who asks, and what the store may show or change for them.
 *
 * Only trust/ and tests make one. It travels into every transaction and becomes part of the query,
 * so that totals, pages and history cannot leak.
 */
#ifndef STORE_ACCESS_H
#define STORE_ACCESS_H

#include "base/str.h"

enum access_kind {
    ACCESS_NONE,    /* may do nothing: the zero value */
    ACCESS_OPEN,    /* everything, without a person: loopback with --open */
    ACCESS_SYSTEM,  /* the node's own upkeep: seeding, upgrades */
    ACCESS_JOB,     /* a background job or the operator's command line */
    ACCESS_GRANTED, /* somebody who proved who they are: `rules` say what they may see and change */
};

struct access;
struct arena;
struct err;
struct guard;
struct identity;
struct put;
struct row;
struct search;
struct sight;
struct store;

/* What the store asks about one whose access has bounds; trust/ implements it. */
struct access_rules {
    /* The search with what narrows it to what may be found, also inside its chains: *ret is `s`
     * itself where nothing has to be added. */
    int (*narrow)(const struct access *who, struct store *st, struct arena *a,
                  const struct search *s, const struct search **ret, struct err *err);
    /* Whether what narrow() narrows to holds a version: 1, 0 or negative. */
    int (*may_see)(const struct access *who, struct store *st, const struct row *row,
                   struct err *err);
    /* What can be told of rows by their numbers (store/sight.h) in a transaction that has seen the
     * feed up to `position`, on top of the two above; *ret NULL: everything is in sight. Called
     * once a transaction, on its thread; inside a job `is_writing`, and the position is not known.
     * The rules' until sight_done. */
    int (*look)(const struct access *who, struct store *st, uint64_t position, bool is_writing,
                const struct sight **ret, struct err *err);
    void (*sight_done)(const struct sight *sight);
    /* Whether a version is in sight, by looking at it: 1, 0 or negative. Asks no transaction. */
    int (*in_sight)(const struct access *who, struct store *st, const struct sight *sight,
                    const struct row *row, struct err *err);
    /* Whether a version may be written in place of `old` (NULL: there is none). ERR_FORBIDDEN. */
    int (*may_put)(const struct access *who, struct store *st, const struct sight *sight,
                   const struct put *put, const struct row *old, struct err *err);
};

struct access {
    enum access_kind kind;
    struct str agent; /* who wrote, kept with each version: "open", "system", "import", … */
    bool may_write;
    const struct access_rules *rules; /* of ACCESS_GRANTED, else NULL */
    const struct identity *identity;  /* likewise (trust/identity.h); outlives the access */
    struct guard
        *guard; /* likewise: the node's policy (trust/guard.h); NULL: scopes alone decide */
};

#endif
