/* policy_book.h - the policy that a store keeps, and the one in force in this process.
 *
 * A store keeps every policy that was set, by number; the newest is in force, and the one that is
 * built in where none was set. Each process of a store has one book. Whoever uses it gets a
 * policy that is no older than the last store_changed that its transaction met: another process
 * that sets one moves the store's epoch (store_on_change), this one says policy_book_stale. A
 * policy that cannot be read leaves the one before in force, and its asker an error.
 *
 * Formats: docs/formats/policy.md. Safe for any threads.
 */
#ifndef TRUST_POLICY_BOOK_H
#define TRUST_POLICY_BOOK_H

#include "fhir/world.h"
#include "trust/policy.h"

#define POLICY_BY_MAX 200 /* who set it, as text */

struct policy_book;

/* Reads nothing yet. The store must outlive it. */
int policy_book_new(struct store *store, struct policy_book **ret, struct err *err);
/* One of a policy that nothing changes; takes the policy over. */
int policy_book_of(struct policy *policy, struct policy_book **ret, struct err *err);
void policy_book_free(struct policy_book *b);
static inline void policy_book_freep(struct policy_book **b)
{
    policy_book_free(*b);
}
/* Where codes below those that a policy lists are looked up; must outlive the book. */
void policy_book_world(struct policy_book *b, const struct world *world);

/* The one in force; the caller unrefs. Reads it, in a transaction of its own, where another was
 * set; also inside a job. */
int policy_book_get(struct policy_book *b, const struct policy **ret, struct err *err);
/* Another was set. From any thread; does not block. */
void policy_book_stale(struct policy_book *b);

/* ---- what the store keeps ---- */

struct policy_kept {
    uint64_t number; /* 0: the one that is built in */
    int64_t when_ms;
    struct str by, version, text; /* text: of policy_kept_get only */
};

/* Sets a policy: parsed, its tests run. ERR_VALUE says what does not hold; the one before stays.
 * With `unless_had`, one that the store has had is not set again: *ret_number 0. Commits. */
int policy_keep(struct store *store, struct str text, struct str by, bool unless_had,
                uint64_t *ret_number, struct err *err);
/* Number 0: the one in force. ERR_NOT_FOUND. */
int policy_kept_get(struct store_txn *txn, struct arena *a, uint64_t number,
                    struct policy_kept *ret, struct err *err);
/* The first behind `after`, without its text; *ret_more false at the end. */
int policy_kept_next(struct store_txn *txn, struct arena *a, uint64_t after,
                     struct policy_kept *ret, bool *ret_more, struct err *err);

#endif
