/* targets_ahead.c - a thread that reads where references lead before somebody waits for it.
 *
 * Reading a list takes tens of milliseconds, as much as a hundred pages. A sorted page by a _has is
 * answered without it the first time, at several times its later cost; the list is then read here,
 * and read again after some versions, long before it is too old. A node that is written to all the
 * time must not do nothing else: between two readings the thread rests twenty times as long as the
 * last one took.
 */
#include "store/search/search_int.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "store/store.h"

#define AHEAD_REST 20

static void read_one(struct store *st, unsigned list, int type)
{
    /* The store's own: what is read here is shown to nobody but through a search. */
    const struct access who = {.kind = ACCESS_SYSTEM, .agent = STR("search")};
    struct store_txn *txn = NULL;
    struct err err = {0};
    int r = st->ops->begin(st, &who, &txn, &err);

    if (r >= 0 && (r = st->scan->enter(txn, &err)) >= 0)
        r = targets_read(txn, list, type, &err);
    if (txn)
        st->ops->end(txn);
    /* Whoever needs it reads it, and is told what went wrong. */
    if (r < 0)
        log_err(LOG_DEBUG, LOG_JOB_FAILED, &err);
}

/* What is wanted first; 0: nothing. With kept_lock. */
static unsigned next_wanted(struct targets_ahead *a, int *ret_type)
{
    for (size_t i = 0; i < ARRAY_LEN(a->wanted); i++) {
        unsigned list = a->wanted[i].list;

        *ret_type = a->wanted[i].type;
        if (list)
            return list;
    }
    return 0;
}

static void no_longer_wanted(struct targets_ahead *a, unsigned list, int type)
{
    for (size_t i = 0; i < ARRAY_LEN(a->wanted); i++)
        if (a->wanted[i].list == list && a->wanted[i].type == type)
            a->wanted[i].list = 0;
}

/* With kept_lock, until the time has come or the thread has to end. */
static void rest(struct lists *l, int64_t us)
{
    int64_t until = clock_now_ms() + us / 1000;
    struct timespec at = {.tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000};

    while (!l->ahead.has_to_end && pthread_cond_timedwait(&l->ahead.wake, &l->kept_lock, &at) == 0)
        ;
}

static void *run(void *ctx)
{
    struct store *st = ctx;
    struct lists *l = &st->lists;
    struct targets_ahead *a = &l->ahead;

    pthread_mutex_lock(&l->kept_lock);
    while (!a->has_to_end) {
        int type;
        unsigned list = next_wanted(a, &type);
        int64_t begun = clock_mono_us();

        if (!list) {
            pthread_cond_wait(&a->wake, &l->kept_lock);
            continue;
        }
        pthread_mutex_unlock(&l->kept_lock);
        read_one(st, list, type);
        pthread_mutex_lock(&l->kept_lock);
        no_longer_wanted(a, list, type);
        rest(l, (clock_mono_us() - begun) * AHEAD_REST);
    }
    pthread_mutex_unlock(&l->kept_lock);
    return NULL;
}

bool targets_want(struct lists *l, unsigned list, int type)
{
    struct targets_ahead *a = &l->ahead;
    bool is_wanted = false;

    if (!a->is_running)
        return false;
    pthread_mutex_lock(&l->kept_lock);
    for (size_t i = 0; i < ARRAY_LEN(a->wanted); i++)
        is_wanted |= a->wanted[i].list == list && a->wanted[i].type == type;
    for (size_t i = 0; i < ARRAY_LEN(a->wanted) && !is_wanted; i++)
        if (!a->wanted[i].list) {
            a->wanted[i].list = (uint16_t)list;
            a->wanted[i].type = (uint8_t)type;
            is_wanted = true;
            pthread_cond_signal(&a->wake);
        }
    pthread_mutex_unlock(&l->kept_lock);
    return is_wanted;
}

int store_read_ahead(struct store *st, struct err *err)
{
    struct targets_ahead *a = &st->lists.ahead;

    if (!st->scan || a->is_running)
        return 0;
    if (fault_point("targets-thread") || pthread_create(&a->thread, NULL, run, st) != 0)
        return err_set(err, ERR_INTERNAL, "no thread can be had that reads lists");
    a->is_running = true;
    return 0;
}

void targets_ahead_stop(struct lists *l)
{
    struct targets_ahead *a = &l->ahead;

    if (!a->is_running)
        return;
    pthread_mutex_lock(&l->kept_lock);
    a->has_to_end = true;
    pthread_cond_broadcast(&a->wake);
    pthread_mutex_unlock(&l->kept_lock);
    pthread_join(a->thread, NULL);
    a->is_running = false;
}
