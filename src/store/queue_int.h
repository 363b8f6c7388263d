/* queue_int.h - the jobs that wait for a store's writer.
 *
 * While a commit waits for the disk, the next group gathers here: nobody has to choose how long to
 * wait for company. Heavy jobs (parts of an import) wait in a lane of their own.
 */
#ifndef STORE_QUEUE_INT_H
#define STORE_QUEUE_INT_H

#include "store/store.h"

#include <pthread.h>

#define GROUP_MAX 256          /* jobs in one commit */
#define GROUP_HEAVY 100        /* resources: a job with more lets lighter ones go before it */
#define GROUP_WEIGHT_MAX 20000 /* resources in one commit, unless one job alone has more */

/* Jobs that wait, in their order. */
struct lane {
    struct store_job *first, *last;
};

struct queue {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t wake;
    struct lane light, heavy;
    bool heavy_waited; /* the last group was of light jobs, with heavy ones left */
    bool is_open;      /* somebody takes groups */
    uint64_t queued;
};

void queue_init(struct queue *q);
void queue_done(struct queue *q);
/* From here on jobs are taken; and from queue_close on refused. */
void queue_open(struct queue *q);
void queue_close(struct queue *q);
/* Answers at once, with ERR_BUSY, when the queue is not open. */
void queue_submit(struct queue *q, struct store_job *job);
/* Waits for a group and takes it off; NULL once the queue is closed and empty. */
struct store_job *queue_take(struct queue *q, size_t max, size_t *ret_n);
uint64_t queue_length(struct queue *q);
/* Answers a group: with the commit's result r, or what made a job fail by itself. */
void group_answer(struct store_job *first, int r, const struct err *err);

#endif
