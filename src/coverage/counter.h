/* counter.h - the counts of a node that serves: one thread follows the change feed, keeps the roll,
 * and counts anew when something has changed.
 *
 * Nothing of it is saved: with the first question after a start all records are read once, and
 * there are no counts until then. After a count it rests for COUNTER_REST times as long as that
 * took. What is expunged leaves nothing in the feed: that something was is counted in the store,
 * and all is read again then.
 */
#ifndef COVERAGE_COUNTER_H
#define COVERAGE_COUNTER_H

#include "coverage/count.h"
#include "store/store.h"

/* Between looks at the feed; where other processes write too, a look is a question to the database.
 */
#define COUNTER_WAIT_MS 250
#define COUNTER_SHARED_WAIT_MS 1000
#define COUNTER_REST 20
#define COUNTER_PAGE 500 /* versions that are read at once */

struct counter;

/* `set`: indicators as text (docs/formats/coverage.md), .p NULL: the one that is built in.
 * ERR_VALUE says what does not hold. The store must outlive it; texts are copied. `node` is the
 * node's own access. */
int counter_new(struct store *store, const struct access *node, struct str set,
                struct counter **ret, struct err *err);
/* Ends the thread. */
void counter_free(struct counter *k);
int counter_start(struct counter *k, struct err *err);

/* One look, in the caller's thread: follows the feed, and counts if something changed. After an
 * error the next look goes on, or begins anew where memory ran out. */
int counter_look(struct counter *k, struct err *err);

/* After a look: whether the newest count has all of the store in it, as of then. */
bool counter_is_even(const struct counter *k);

/* The newest count, with a reference for the caller; ERR_BUSY, with how far it is, while the
 * records are read for the first time, which the first call begins. */
int counter_count(struct counter *k, struct count **ret, struct err *err);

#endif
