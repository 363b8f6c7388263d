/* writer.c - the one thread that writes: takes what is queued, commits it as a group, answers.
 *
 * Each job has a savepoint of its own, so that one that fails leaves its neighbours alone; a job
 * without company needs none.
 */
#include "store/sqlite/sq_int.h"

#include "base/fault.h"
#include "base/log.h"

/* What a job's failure has to put back. */
struct mark {
    uint64_t last_row;
    size_t pends, pend_bytes, flushed;
};

void sq_submit(struct store *st, struct store_job *job)
{
    queue_submit(&((struct sq_store *)st)->writer.queue, job);
}

static void undo(struct sq_writer *w, const struct mark *m)
{
    w->last_row = m->last_row;
    w->pends.n = m->pends;
    w->pends.bytes.n = m->pend_bytes;
    w->pends.flushed = m->flushed;
    w->multi_dirty = true;
    w->agent_n = 0;
    persons_undo(w->conn->persons);
}

static int run_job(struct sq_writer *w, struct store_job *job, struct err *err)
{
    struct sq_conn *c = w->conn;
    int r;

    c->txn = (struct sq_txn){
        .base = {.magic = STORE_TXN_MAGIC,
                 .st = &c->st->base,
                 .who = *job->who,
                 .is_writing = true},
        .conn = c,
        .has_begun = true,
    };
    w->job_pends = w->pends.n;
    w->job_pend_bytes = w->pends.bytes.n;
    r = job->run(&c->txn.base, job, err);
    seen_end(&c->txn.base);
    sq_leave(&c->txn);
    c->txn.base.magic = 0;
    /* SQLite ends the whole transaction by itself on some failures (a full disk, no memory). */
    if (r >= 0 && sqlite3_get_autocommit(c->db))
        r = err_set(err, ERR_NO_STORE, "the store cannot be written");
    return r;
}

/* A member of a group. Returns < 0 only if the group cannot go on. */
static int run_member(struct sq_writer *w, struct store_job *job, bool is_alone, struct err *err)
{
    struct mark m = {w->last_row, w->pends.n, w->pends.bytes.n, w->pends.flushed};
    int r = is_alone ? 0 : sq_simple(w->conn, SQ_SAVEPOINT, err);

    if (r < 0)
        return r;
    fault_mark("member");
    job->result = run_job(w, job, &job->err);
    if (job->result < 0) {
        undo(w, &m);
        if (is_alone || sqlite3_get_autocommit(w->conn->db)) {
            *err = job->err;
            return job->result;
        }
        if ((r = sq_simple(w->conn, SQ_ROLLBACK_TO, err)) < 0)
            return r;
    }
    return is_alone ? 0 : sq_simple(w->conn, SQ_RELEASE, err);
}

static int put_multi(struct sq_writer *w, struct err *err)
{
    struct sq_store *st = w->conn->st;
    sqlite3_stmt *s;
    int r;

    if (!w->multi_dirty)
        return 0;
    if ((r = sq_stmt(w->conn, SQ_PUT_MULTI, &s, err)) < 0)
        return r;
    for (unsigned param = 0; param < 65536; param++) {
        if (!list_is_multi(&st->base.lists, param))
            continue;
        sqlite3_bind_int(s, 1, (int)param);
        if ((r = sq_run(w->conn, s, err)) < 0)
            return r;
    }
    w->multi_dirty = false;
    return 0;
}

static int commit(struct sq_writer *w, struct err *err)
{
    int r = sq_pends_flush(w->conn, &w->pends, err);

    if (r == 0)
        r = put_multi(w, err);
    if (r == 0)
        r = fault_point("commit") ? sq_fail(NULL, SQLITE_IOERR, err)
                                  : sq_simple(w->conn, SQ_COMMIT, err);
    return r;
}

/* Ends a transaction that failed. Without memory even that can fail: then the next group tries. */
static int rollback(struct sq_writer *w, struct err *err)
{
    return sqlite3_get_autocommit(w->conn->db) ? 0 : sq_exec(w->conn->db, "ROLLBACK", err);
}

static int run_group(struct sq_writer *w, struct store_job *first, size_t n, struct err *err)
{
    struct mark m = {w->last_row, 0, 0, 0};
    int r = rollback(w, err);

    if (r == 0)
        r = sq_simple(w->conn, SQ_BEGIN_WRITE, err);
    for (struct store_job *j = first; j && r == 0; j = j->next)
        r = run_member(w, j, n == 1, err);
    if (r == 0)
        r = commit(w, err);
    if (r < 0) {
        undo(w, &m);
        rollback(w, NULL);
    }
    w->pends.n = w->pends.flushed = 0;
    sb_reset(&w->pends.bytes);
    persons_settled(w->conn->persons);
    return r;
}

static int on_wal(void *ctx, sqlite3 *db, const char *name, int frames)
{
    (void)db;
    (void)name;
    ((struct sq_writer *)ctx)->wal_frames = frames;
    return SQLITE_OK;
}

/* Folds the log into the database. Passive: readers are not waited for, and what they still need
 * stays in the log until the next time. */
static void checkpoint(struct sq_writer *w)
{
    size_t bytes = (size_t)w->wal_frames * SQ_PAGE_BYTES;
    bool may_wait = bytes > SQ_WAL_BYTES_MAX && atomic_load(&w->conn->st->long_readers) == 0;
    int mode = may_wait ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE;

    if (bytes <= w->conn->st->wal_bytes)
        return;
    fault_mark("checkpoint");
    sqlite3_wal_checkpoint_v2(w->conn->db, NULL, mode, NULL, NULL);
    fault_mark("checkpointed");
}

static void *writer_main(void *ctx)
{
    struct sq_store *st = ctx;
    struct sq_writer *w = &st->writer;
    struct store_job *first;
    struct err err;
    size_t n;

    while ((first = queue_take(&w->queue, st->group_max, &n))) {
        int r = run_group(w, first, n, &err);

        fault_mark("committed");
        if (r >= 0) {
            atomic_fetch_add(&w->commits, 1);
            atomic_fetch_add(&w->jobs, n);
        } else if (n > 1 || first->result >= 0) {
            log_err(LOG_ERROR, LOG_COMMIT_FAILED, &err);
        }
        group_answer(first, r, &err);
        if (r >= 0)
            checkpoint(w);
    }
    return NULL;
}

int sq_writer_start(struct sq_store *st, struct err *err)
{
    struct sq_writer *w = &st->writer;

    sqlite3_wal_hook(w->conn->db, on_wal, w);
    /* First: the thread ends when it finds the queue closed and empty. */
    queue_open(&w->queue);
    if (pthread_create(&w->thread, NULL, writer_main, st) != 0) {
        queue_close(&w->queue);
        return err_set(err, ERR_NO_MEMORY, "the writer's thread cannot start");
    }
    w->has_thread = true;
    return 0;
}

void sq_writer_stop(struct sq_store *st)
{
    struct sq_writer *w = &st->writer;

    queue_close(&w->queue);
    if (w->has_thread)
        pthread_join(w->thread, NULL);
    w->has_thread = false;
}
