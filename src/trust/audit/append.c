/* append.c - group commit: one thread writes what is queued as one batch, makes it durable, and
 * answers everyone in it. While it waits for the disk the next batch gathers.
 */
#include "trust/audit/audit_int.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/rng.h"

#include <signal.h>
#include <string.h>

#define RECORD_BYTES 16 /* of a record or leaf, besides its texts: bounds of their lengths */
#define GATHER_SHARE 2  /* a batch waits for more at most this part of what a sync takes */
#define GATHER_MAX_US 2000
#define SMOOTH 8

/* ---- what needs no log ---- */

static void add_leaf(struct audit_leaf *leaf, struct str head, const unsigned char *salt,
                     struct str tail)
{
    struct stored_leaf stored = {
        .salt = str_n((const char *)salt, AUDIT_SALT_BYTES), .head = head, .tail = tail};

    memcpy(leaf->salt, salt, AUDIT_SALT_BYTES);
    leaf->tail = tail;
    leaf->patient = tail.n ? patient_key(tail) : 0;
    leaf_hash(&stored, &leaf->hash);
}

int audit_prepare(struct arena *a, const struct audit_event *event, const struct str *patients,
                  size_t n, struct audit_append *ret, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(AUDIT_ENTRY_MAX);
    size_t n_leaves = MAX(n, (size_t)1);
    unsigned char *salts = arena_alloc(a, n_leaves * AUDIT_SALT_BYTES);
    struct audit_leaf *leaves = ARENA_ARRAY(a, struct audit_leaf, n_leaves);
    struct str head;
    int r;

    if (n > AUDIT_PATIENTS_MAX)
        return err_set(err, ERR_TOO_LONG, "more than %d patients cannot be audited at once",
                       AUDIT_PATIENTS_MAX);
    audit_entry_head(&text, event);
    r = sb_ok(&text, err);
    if (r < 0)
        return r;
    head = arena_dup(a, sb_view(&text));
    if (!salts || !leaves || !head.p)
        return err_no_memory(err);
    rng_small(salts, n_leaves * AUDIT_SALT_BYTES);
    for (size_t i = 0; i < n_leaves; i++) {
        struct str tail = STR("");

        sb_reset(&text);
        if (i < n) {
            audit_entry_tail(&text, patients[i]);
            tail = arena_dup(a, sb_view(&text));
        }
        if (!tail.p || text.failed)
            return err_no_memory(err);
        add_leaf(&leaves[i], head, salts + i * AUDIT_SALT_BYTES, tail);
    }
    ret->head = head;
    ret->leaves = leaves;
    ret->n = n_leaves;
    ret->at = 0;
    ret->next = NULL;
    return 0;
}

/* ---- one batch ---- */

/* Leaves that a batch takes next: those of `job` from its `at` on. */
static size_t fitting(const struct audit_log *log, const struct audit_append *job, size_t in_batch)
{
    size_t room = SEGMENT_LEAVES - log->current->n - in_batch, n = 0;
    size_t bytes = log->batch.n + RECORD_BYTES + job->head.n;

    room = MIN(room, BATCH_LEAVES_MAX - in_batch);
    for (; job->at + n < job->n && n < room; n++) {
        bytes += RECORD_BYTES + AUDIT_SALT_BYTES + job->leaves[job->at + n].tail.n;
        if (bytes > BATCH_HEAD_BYTES + BATCH_BYTES_MAX)
            break;
    }
    return n;
}

/* Puts as much as fits behind one another. */
static int gather(struct audit_log *log, struct audit_append *job, size_t *ret_n, struct err *err)
{
    size_t in_batch = 0;

    batch_begin(&log->batch);
    for (; job; job = job->next) {
        size_t n = fitting(log, job, in_batch);

        if (!n)
            break;
        batch_record(&log->batch, n, job->head);
        for (size_t i = 0; i < n; i++) {
            const struct audit_leaf *leaf = &job->leaves[job->at + i];

            batch_leaf(&log->batch, str_n((const char *)leaf->salt, AUDIT_SALT_BYTES), leaf->tail);
        }
        in_batch += n;
        if (job->at + n < job->n)
            break;
    }
    *ret_n = in_batch;
    return batch_end(&log->batch, log->size, in_batch, &log->cipher, err);
}

/* What comes behind the batch is zeroed before it is needed: a sync of bytes that the file already
 * has need not write down the file's new length as well, which takes as long again. */
static int make_tail(struct segment *s, size_t n, struct err *err)
{
    static const char zeros[SEGMENT_ROOM_BYTES];
    uint64_t end = s->end + n;
    int r;

    if (end <= s->room)
        return 0;
    r = file_write(s->fd, str_n(zeros, sizeof zeros), end, err);
    if (r >= 0)
        s->room = end + sizeof zeros;
    return r;
}

/* Written and durable, or not there: what is half there after a failed write is cut off. */
static int store_batch(struct audit_log *log, struct err *err)
{
    struct segment *s = log->current;
    int r = 0;

    if (s->end + log->batch.n > UINT32_MAX)
        r = err_set(err, ERR_FULL, "a segment of the audit log is full");
    if (r < 0)
        return r;
    r = make_tail(s, log->batch.n, err);
    if (r >= 0)
        r = file_write(s->fd, sb_view(&log->batch), s->end, err);
    if (r < 0) {
        s->room = s->end;
        if (file_cut(s->fd, s->end, NULL) < 0)
            atomic_store(&log->broken, true);
        return r;
    }
    fault_mark("audit-written");
    r = file_sync(s->fd, err);
    if (r < 0) /* what the disk holds now, only reading it again can say */
        atomic_store(&log->broken, true);
    return r;
}

/* Counts the batch's leaves; moves `job` behind them. */
static struct audit_append *count_leaves(struct audit_log *log, struct audit_append *job,
                                         size_t in_batch)
{
    uint32_t at = (uint32_t)log->current->end;
    bool is_first;

    pthread_mutex_lock(&log->lock);
    is_first = log->size <= log->head.size; /* else somebody is about to sign already */
    while (in_batch) {
        const struct audit_leaf *leaf = &job->leaves[job->at];

        if (job->at == 0)
            job->first = log->size;
        log_add(log, at, &leaf->hash, leaf->patient);
        in_batch--;
        if (++job->at == job->n)
            job = job->next;
    }
    log->current->end += log->batch.n;
    if (is_first)
        pthread_cond_signal(&log->grown);
    pthread_mutex_unlock(&log->lock);
    return job;
}

/* ---- the thread ---- */

static void finish(struct audit_append *job, const struct audit_append *end, int r,
                   const struct err *err)
{
    while (job != end) {
        struct audit_append *next = job->next;

        job->done(job, r, err);
        job = next;
    }
}

/* A log whose full segment could not be sealed tries again before anything else. */
static int make_room(struct audit_log *log, struct err *err)
{
    return log->current->n < SEGMENT_LEAVES ? 0 : log_roll(log, err);
}

static void write_jobs(struct audit_log *log, struct audit_append *jobs)
{
    struct err err = {0};

    while (jobs) {
        struct audit_append *rest = jobs;
        size_t n = 0;
        int r = atomic_load(&log->broken) ? err_set(&err, ERR_NO_STORE,
                                                    "the audit log failed; start the node "
                                                    "again")
                                          : make_room(log, &err);

        if (r >= 0)
            r = gather(log, jobs, &n, &err);
        if (r >= 0)
            r = store_batch(log, &err);
        if (r < 0) {
            finish(jobs, NULL, r, &err);
            return;
        }
        rest = count_leaves(log, jobs, n);
        fault_mark("audit-counted");
        finish(jobs, rest, 0, NULL);
        jobs = rest;
    }
}

/* Whoever was just answered asks again within a moment. Without a pause for them they would miss
 * this batch, wait for all of it and half of the clients would share a sync instead of all. */
static void wait_for_awaited(struct audit_log *log)
{
    int64_t until_us = clock_mono_us() + MIN(log->sync_us / GATHER_SHARE, GATHER_MAX_US);
    struct timespec until = {until_us / 1000000, until_us % 1000000 * 1000};

    while (log->n_queued < log->awaited && !log->stop &&
           pthread_cond_timedwait(&log->queued, &log->queue_lock, &until) == 0)
        ;
}

static struct audit_append *take_queue(struct audit_log *log)
{
    struct audit_append *jobs;

    pthread_mutex_lock(&log->queue_lock);
    while (!log->first && !log->stop)
        pthread_cond_wait(&log->queued, &log->queue_lock);
    wait_for_awaited(log);
    jobs = log->first;
    log->awaited = log->n_queued;
    log->first = log->last = NULL;
    log->n_queued = 0;
    pthread_mutex_unlock(&log->queue_lock);
    return jobs;
}

static void *run(void *ctx)
{
    struct audit_log *log = ctx;
    struct audit_append *jobs;

    while ((jobs = take_queue(log))) {
        int64_t began_us = clock_mono_us();

        write_jobs(log, jobs);
        log->sync_us += (clock_mono_us() - began_us - log->sync_us) / SMOOTH;
        pthread_mutex_lock(&log->queue_lock);
        log->awaited += log->n_queued;
        pthread_mutex_unlock(&log->queue_lock);
    }
    return NULL;
}

int appender_start(struct audit_log *log, struct err *err)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    log->has_appender =
        !fault_point("audit-thread") && pthread_create(&log->appender, NULL, run, log) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return log->has_appender ? 0
                             : err_set(err, ERR_NO_MEMORY, "the audit log's thread cannot start");
}

void appender_stop(struct audit_log *log)
{
    if (!log->has_appender)
        return;
    pthread_mutex_lock(&log->queue_lock);
    log->stop = true;
    pthread_cond_signal(&log->queued);
    pthread_mutex_unlock(&log->queue_lock);
    pthread_join(log->appender, NULL);
    log->has_appender = false;
}

/* ---- asking it ---- */

void audit_submit(struct audit_log *log, struct audit_append *append)
{
    assert(!log->read_only && append->n && !append->at);
    append->next = NULL;
    pthread_mutex_lock(&log->queue_lock);
    if (log->last)
        log->last->next = append;
    else
        log->first = append;
    log->last = append;
    log->n_queued++;
    if (log->n_queued == 1 || log->n_queued == log->awaited)
        pthread_cond_signal(&log->queued);
    pthread_mutex_unlock(&log->queue_lock);
}

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_done;
    int r;
    struct err *err;
};

static void wake(struct audit_append *append, int r, const struct err *err)
{
    struct waiting *w = append->ctx;

    pthread_mutex_lock(&w->lock);
    w->is_done = true;
    w->r = r;
    if (r < 0 && w->err)
        *w->err = *err;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

int audit_write(struct audit_log *log, struct audit_append *append, struct err *err)
{
    struct waiting w = {.err = err};

    pthread_mutex_init(&w.lock, NULL);
    pthread_cond_init(&w.changed, NULL);
    append->done = wake;
    append->ctx = &w; // cppcheck-suppress autoVariables ; this waits until it is used no more
    audit_submit(log, append);
    pthread_mutex_lock(&w.lock);
    while (!w.is_done)
        pthread_cond_wait(&w.changed, &w.lock);
    pthread_mutex_unlock(&w.lock);
    pthread_cond_destroy(&w.changed);
    pthread_mutex_destroy(&w.lock);
    return w.r;
}

bool audit_is_well(struct audit_log *log)
{
    return !atomic_load(&log->broken);
}
