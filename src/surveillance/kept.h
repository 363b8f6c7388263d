/* kept.h - the cases of a node that serves, kept from its change feed.
 *
 * kept_follow takes what was written since and makes the cases of the persons touched anew, so that
 * they are always those that a count of all records would find (cases.h), as of kept_position. What
 * is mentioned by evidence for the first time (a person, a visit) is read from the store; other
 * Patients and Encounters are passed over unread.
 *
 * What is expunged leaves nothing in the feed. That something was is counted in the store; then the
 * store is asked for all that is kept, KEPT_CHECK at each kept_follow, and what is no more goes.
 *
 * kept_save writes all of it beside the resources, with the position and the definitions that it
 * rests on; the first kept_follow takes it up from there. Without it, or with other definitions,
 * counting begins at the first version again. Format: docs/formats/cases.md.
 *
 * One thread follows and saves; any number read between kept_lock and kept_unlock.
 */
#ifndef SURVEILLANCE_KEPT_H
#define SURVEILLANCE_KEPT_H

#include "store/store.h"
#include "surveillance/cases.h"

#include <stdatomic.h>

#define KEPT_PAGE 500              /* versions that are looked at under one lock */
#define KEPT_CHECK 5000            /* of what is kept, asked for at once after an $expunge */
#define KEPT_SAVED_MAX MIB(2048)   /* what is saved, as bytes */
#define KEPT_SAVE_VERSIONS 100000u /* followed since, before it is time to save again */

struct kept;

/* `definitions`: a set as text (docs/formats/case-definitions.md), .p NULL: the one that is built
 * in. ERR_VALUE … says what does not hold. The store must outlive it; texts are copied. `node` is
 * the node's own access. */
int kept_new(struct store *store, const struct access *node, struct str definitions,
             struct kept **ret, struct err *err);
void kept_free(struct kept *k);
static inline void kept_freep(struct kept **k)
{
    kept_free(*k);
}

/* Told of each case that comes or goes, under the lock; also of those that are there already. NULL
 * goes: all of them, and the numbers of places and persons will be others. */
int kept_on_change(struct kept *k, case_change *changed, void *ctx, struct err *err);

/* Takes what was written until now. *ret_n (may be NULL): versions. After an error the next call
 * goes on where this one stood; only where memory ran out while something was taken, it is not
 * ready any more and all is counted anew. `is_ending` (may be NULL) ends it early, to go on at the
 * next call. */
int kept_follow(struct kept *k, const atomic_bool *is_ending, uint64_t *ret_n, struct err *err);
/* Whether the cases are those of the store, as of a moment ago; false while a first count goes on,
 * and *ret_done, *ret_all say how far it is. */
bool kept_is_ready(struct kept *k, uint64_t *ret_done, uint64_t *ret_all);

/* Writes what is kept, if enough has changed since, or `now`. */
int kept_save(struct kept *k, bool now, struct err *err);

/* Inside a job: drops what is saved, for whoever takes a person out of the store by other ways. */
int kept_drop_saved(struct store_txn *txn, struct err *err);

/* What is there while it is locked. */
struct kept_view {
    const struct case_definitions *definitions;
    const struct records *records;
    const struct cases *cases;
    uint64_t position;
    /* The day until which records tell: the newest of all Conditions and Observations that was not
     * ahead of the clock when it was read; DAY_UNKNOWN. */
    int32_t today;
    bool is_ready; /* false: of no use, as above */
};
struct kept_view kept_lock(struct kept *k);
void kept_unlock(struct kept *k);

#endif
