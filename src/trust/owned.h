/* owned.h - what is out on behalf of an account: browsers that signed in and grants to apps, found
 * by account and in the order in which they end, so that nobody has to look through everybody's.
 *
 * Records of RECORD_OWNED, named ACCOUNT/MINUTE/KIND/NAME. An entry whose session or grant is gone
 * already is passed over, and goes when its minute has passed.
 */
#ifndef TRUST_OWNED_H
#define TRUST_OWNED_H

#include "trust/record.h"

#define OWNED_LOOKED_MAX 1000 /* entries of one account that one request goes through */
#define OWNED_SWEEP 4         /* ended ones that go when one is added, with what they name */

/* Inside a job: `name` is one of RECORD_SESSION or RECORD_GRANT, good until then. */
int owned_add(struct store_txn *txn, struct str account, enum record_kind kind, struct str name,
              int64_t until_ms, int64_t now_ms, struct err *err);

/* One that has not ended. `entry` names it for owned_drop, within its account. */
struct owned {
    enum record_kind kind;
    struct str name, entry;
};
/* Calls `each` for up to OWNED_LOOKED_MAX of them, those that end first before others; stops at a
 * negative result. Texts live in `a`. */
typedef int owned_each_fn(void *ctx, const struct owned *one, struct err *err);
int owned_each(struct store_txn *txn, struct str account, int64_t now_ms, struct arena *a,
               owned_each_fn *each, void *ctx, struct err *err);

/* Inside a job: takes one back. ERR_NOT_FOUND where the account has none of that name. */
int owned_drop(struct store_txn *txn, struct str account, struct str entry, struct arena *a,
               struct err *err);
/* … all of them, up to OWNED_LOOKED_MAX. */
int owned_drop_all(struct store_txn *txn, struct str account, struct arena *a, struct err *err);

#endif
