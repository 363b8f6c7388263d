#include "store/queue_int.h"

#include "base/fault.h"

void queue_init(struct queue *q)
{
    *q = (struct queue){0};
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->wake, NULL);
}

void queue_done(struct queue *q)
{
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->wake);
}

static void set_open(struct queue *q, bool is_open)
{
    pthread_mutex_lock(&q->lock);
    q->is_open = is_open;
    pthread_cond_signal(&q->wake);
    pthread_mutex_unlock(&q->lock);
}

void queue_open(struct queue *q)
{
    set_open(q, true);
}

void queue_close(struct queue *q)
{
    set_open(q, false);
}

static void lane_push(struct lane *lane, struct store_job *job)
{
    if (lane->last)
        lane->last->next = job;
    else
        lane->first = job;
    lane->last = job;
}

void queue_submit(struct queue *q, struct store_job *job)
{
    bool is_open;

    job->next = NULL;
    job->result = 0;
    pthread_mutex_lock(&q->lock);
    is_open = q->is_open;
    if (is_open) {
        lane_push(job->weight > GROUP_HEAVY ? &q->heavy : &q->light, job);
        q->queued++;
        pthread_cond_signal(&q->wake);
    }
    pthread_mutex_unlock(&q->lock);
    if (!is_open) {
        int r = err_set(&job->err, ERR_BUSY, "the store is not open for writing");
        job->done(job, r, &job->err);
    }
}

/* Clients' writes wait for one part of an import at most, and an import for one group of theirs:
 * while both wait, groups of light jobs and single heavy ones take turns. */
static struct lane *choose_lane(struct queue *q, size_t *ret_max)
{
    bool both = q->light.first && q->heavy.first;

    q->heavy_waited = both && !q->heavy_waited;
    if (both)
        *ret_max = q->heavy_waited ? *ret_max : 1;
    return q->light.first && (!both || q->heavy_waited) ? &q->light : &q->heavy;
}

struct store_job *queue_take(struct queue *q, size_t max, size_t *ret_n)
{
    struct store_job *first, *last = NULL;
    size_t n = 0, weight = 0;
    struct lane *lane;

    pthread_mutex_lock(&q->lock);
    while (!q->light.first && !q->heavy.first && q->is_open)
        pthread_cond_wait(&q->wake, &q->lock);
    lane = choose_lane(q, &max);
    first = lane->first;
    for (struct store_job *j = first; j && n < max; j = j->next) {
        weight += MAX(j->weight, (size_t)1);
        if (n && weight > GROUP_WEIGHT_MAX)
            break;
        last = j;
        n++;
    }
    if (last) {
        lane->first = last->next;
        if (!lane->first)
            lane->last = NULL;
        last->next = NULL;
        q->queued -= n;
    }
    pthread_mutex_unlock(&q->lock);
    *ret_n = n;
    return first;
}

uint64_t queue_length(struct queue *q)
{
    uint64_t n;

    pthread_mutex_lock(&q->lock);
    n = q->queued;
    pthread_mutex_unlock(&q->lock);
    return n;
}

void group_answer(struct store_job *first, int r, const struct err *err)
{
    while (first) {
        struct store_job *job = first;

        first = job->next;
        fault_mark("answer");
        if (job->result < 0)
            job->done(job, job->result, &job->err);
        else
            job->done(job, r < 0 ? r : job->result, r < 0 ? err : NULL);
    }
}
