/* claim.h - work on a store that several processes share, and that one of them does: a name in the
 * store's small values, whose it is, and until when. Whoever dies leaves it to the others once that
 * has passed.
 */
#ifndef SERVER_CLAIM_H
#define SERVER_CLAIM_H

#include "store/store.h"

struct claim {
    const char *name; /* of the small value */
    uint64_t me;      /* a random number */
    int64_t ms;       /* how long it holds, once taken */
};

/* Inside a job on a shared store: the work is ours for a while. 1; 0: it is another process's. */
int claim_take(const struct claim *c, struct store_txn *txn, struct err *err);
/* Nobody need wait any more, if it was ours. If this fails, others wait until it ends by itself. */
void claim_release(const struct claim *c, struct store *store, const struct access *who);

#endif
