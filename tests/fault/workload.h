/* workload.h - writers whose every acknowledgement can be checked after a crash.
 *
 * Each writer does operations 1, 2, 3 … one after the other, each one job: creates, updates of a
 * counter, pairs that exist both or not at all, deletions. What operation s of writer t writes
 * follows from (t, s), so that the checker needs nothing but the numbers.
 */
#ifndef FAULT_WORKLOAD_H
#define FAULT_WORKLOAD_H

#include "store/store.h"

#define WORK_WRITERS 4
#define WORK_WHY 700

/* Does operation s of writer t and returns when it is durable. */
int work_do(struct store *st, unsigned t, unsigned s, struct err *err);

/* Whether the store holds exactly the effects of operations 1 … k of writer t, where k is acked or
 * acked + 1 (the one that was under way): k, or -1 with the reason in `why`. */
int work_verify(struct store *st, unsigned t, unsigned acked, char why[WORK_WHY]);

/* work_verify of every writer and store_check: 0, or -1 with the reason. ret_done[t] are the ks. */
int work_verify_all(struct store *st, const unsigned acked[WORK_WRITERS],
                    unsigned ret_done[WORK_WRITERS], char why[WORK_WHY]);

/* Opens the store in `dir`. A small log, so that it is folded often. Where CARNET_TEST_STORE names
 * a PostgreSQL, the store is in a schema there that has the folder's name; what a process that was
 * killed has left under way is over when this returns. */
int work_open(const char *dir, bool create, struct store **ret, struct err *err);

/* There, before a store is made in `dir` once more: takes the one before away, as soon as all that
 * was under way has ended. */
int work_clear(const char *dir, struct err *err);

#endif
