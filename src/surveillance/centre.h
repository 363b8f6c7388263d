/* centre.h - the surveillance centre of a node that serves: one thread that follows the change feed
 * (kept.h), judges what changed (judge.h) and raises signals (signals.h).
 */
#ifndef SURVEILLANCE_CENTRE_H
#define SURVEILLANCE_CENTRE_H

#include "surveillance/kept.h"

/* How long after a commit it looks at the latest; where other processes write too, a look is a
 * question to the database. */
#define CENTRE_WAIT_MS 50
#define CENTRE_SHARED_WAIT_MS 500

struct centre;

struct centre_config {
    struct str definitions; /* of cases, as text; .p NULL: those that are built in */
    struct str rules;       /* of signals, likewise */
};

/* ERR_VALUE says what does not hold in the configuration. The store must outlive it; texts are
 * copied. `node` is the node's own access. */
int centre_new(struct store *store, const struct access *node, const struct centre_config *config,
               struct centre **ret, struct err *err);
/* Ends the thread and saves what it keeps. */
void centre_free(struct centre *c);
/* Who tells people of signals; call it before centre_start. */
struct notify;
void centre_tell_by(struct centre *c, struct notify *notify);
/* Begins to follow. */
int centre_start(struct centre *c, struct err *err);

/* What it keeps; ERR_BUSY, with how far it is, while a first count goes on. */
int centre_kept(struct centre *c, struct kept **ret, struct err *err);

#endif
