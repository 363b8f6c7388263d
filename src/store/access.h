/* access.h - permission is an argument: who asks, and what the store may show or change for them.
 *
 * Only trust/ and tests make one. It travels into every transaction and becomes part of the query,
 * so that totals, pages and history cannot leak.
 */
#ifndef STORE_ACCESS_H
#define STORE_ACCESS_H

#include "base/str.h"

enum access_kind {
    ACCESS_NONE,   /* may do nothing: the zero value */
    ACCESS_OPEN,   /* everything, without a person: loopback with --open */
    ACCESS_SYSTEM, /* the node's own upkeep: seeding, upgrades */
    ACCESS_JOB,    /* a background job or the operator's command line */
};

struct access {
    enum access_kind kind;
    struct str agent; /* who wrote, kept with each version: "open", "system", "import", … */
    bool may_write;
};

#endif
