/* writer.c - the one thread of this process that writes: takes what is queued, commits it as a
 * group, answers.
 *
 * A group is one transaction. Its first statement locks the row of carnet_feed, and with it the
 * feed's next number and the clock: until the commit nobody else writes, in this process or in any
 * other. So rows are numbered in commit order, no reader of the feed ever sees a number before a
 * lower one, and what a job has looked at stays true until its commit.
 *
 * Each member of a group has a savepoint of its own. When the connection is lost while the commit
 * is under way, the database is asked afterwards what became of it (outcome.c): nothing is written
 * twice, and nobody is told wrong.
 */
#include "store/postgres/pg_int.h"

#include "base/fault.h"
#include "base/log.h"

#include <stdlib.h>
#include <unistd.h>

/* What a job's failure has to put back. */
struct mark {
    uint64_t last_row;
    int64_t versions, live;
    bool epoch_moves, is_dirty;
    size_t pends, pend_bytes, flushed;
    size_t unsent, unsent_bytes, sent;
    size_t agents;
};

static struct mark mark_of(const struct pg_writer *w)
{
    return (struct mark){
        .last_row = w->last_row,
        .versions = w->versions,
        .live = w->live,
        .epoch_moves = w->epoch_moves,
        .is_dirty = w->is_dirty,
        .pends = w->pends.n,
        .pend_bytes = w->pends.bytes.n,
        .flushed = w->pends.flushed,
        .unsent = w->unsent.n,
        .unsent_bytes = w->unsent.bytes.n,
        .sent = w->unsent.sent,
        .agents = w->n_agents,
    };
}

static void undo(struct pg_writer *w, const struct mark *m)
{
    w->last_row = m->last_row;
    w->versions = m->versions;
    w->live = m->live;
    w->epoch_moves = m->epoch_moves;
    w->is_dirty = m->is_dirty;
    w->pends.n = m->pends;
    w->pends.bytes.n = m->pend_bytes;
    w->pends.flushed = m->flushed;
    unsent_cut(&w->unsent, m->unsent, m->unsent_bytes, m->sent);
    w->n_agents = m->agents;
    persons_undo(w->conn->persons);
}

void pg_submit(struct store *st, struct store_job *job)
{
    queue_submit(&((struct pg_store *)st)->writer.queue, job);
}

/* A transaction of whoever has work in the group. */
static struct pg_txn *open_txn(struct pg_writer *w, const struct access *who)
{
    struct pg_conn *c = w->conn;

    c->txn = (struct pg_txn){
        .base = {.magic = STORE_TXN_MAGIC, .st = &c->st->base, .who = *who, .is_writing = true},
        .conn = c,
        .has_begun = true,
    };
    w->job_pends = w->pends.n;
    w->job_pend_bytes = w->pends.bytes.n;
    w->job_unsent = w->unsent.n;
    w->job_unsent_bytes = w->unsent.bytes.n;
    return &c->txn;
}

static void close_txn(struct pg_txn *t)
{
    pg_leave(t);
    pg_forget(t);
    foreseen_clear(&pg_store(&t->base)->writer.foreseen);
    t->base.magic = 0;
}

static int run_job(struct pg_writer *w, struct store_job *job, struct err *err)
{
    struct pg_conn *c = w->conn;
    struct pg_txn *t = open_txn(w, job->who);
    int r = job->run(&t->base, job, err);

    seen_end(&t->base);
    close_txn(t);
    /* A job may have swallowed an error; the transaction has not. */
    if (r >= 0 && (c->is_failed || c->is_lost))
        r = err_set(err, ERR_NO_STORE, "the store cannot be written");
    return r;
}

/* Takes back what a member has done. Negative if the group cannot go on. */
static int undo_member(struct pg_writer *w, struct err *err)
{
    struct pg_conn *c = w->conn;
    int r = 0;

    if (!c->has_savepoint)
        return c->is_failed || c->is_lost ? err->code : 0;
    /* The answers to what it sent; if those fail, that is undone as well. */
    pg_wait(c, NULL, NULL);
    if (c->is_doomed || c->is_lost)
        return err->code;
    if ((r = pg_ask(c, PG_ROLLBACK_TO, NULL, NULL, err)) < 0)
        return r;
    c->is_failed = false;
    return 0;
}

/* A member of a group. Returns < 0 only if the group cannot go on. */
static int run_member(struct pg_writer *w, struct store_job *job, bool is_alone, struct err *err)
{
    struct pg_conn *c = w->conn;
    struct mark m = mark_of(w);
    int r;

    c->wants_savepoint = !is_alone;
    c->has_savepoint = false;
    fault_mark("member");
    job->result = run_job(w, job, &job->err);
    c->wants_savepoint = false;
    if (job->result < 0) {
        undo(w, &m);
        *err = job->err;
        if (is_alone)
            return job->result;
        if ((r = undo_member(w, err)) < 0)
            return r;
    }
    return c->has_savepoint ? pg_send(c, PG_RELEASE, NULL, err) : 0;
}

static int put_multi(struct pg_writer *w, struct err *err)
{
    int r = 0;

    if (!w->multi_dirty)
        return 0;
    for (unsigned list = 0; list < 65536 && r == 0; list++) {
        struct pg_args a = {0};

        if (!list_is_multi(&w->conn->st->base.lists, list))
            continue;
        pg_arg_i64(&a, list);
        r = pg_send(w->conn, PG_PUT_MULTI, &a, err);
    }
    w->epoch_moves = true;
    return r;
}

static int put_feed(struct pg_writer *w, struct err *err)
{
    struct pg_args a = {0};

    if (!w->is_dirty && !w->epoch_moves)
        return 0;
    pg_arg_i64(&a, (int64_t)w->last_row);
    pg_arg_i64(&a, (int64_t)w->last_hlc);
    pg_arg_i64(&a, w->versions);
    pg_arg_i64(&a, w->live);
    pg_arg_i64(&a, w->epoch_moves);
    return pg_send(w->conn, PG_FEED_SET, &a, err);
}

int pg_writer_reconnect(struct pg_writer *w, struct err *err)
{
    struct pg_store *st = w->conn->st;
    struct pg_conn *c;
    int r = pg_conn_new(st, &c, err);

    if (r < 0)
        return r;
    pg_conn_free(w->conn);
    w->conn = c;
    return pg_be_here(c, err);
}

static void publish(struct pg_writer *w, bool in_doubt);

static int commit(struct pg_writer *w, struct err *err)
{
    _cleanup_(pg_clearp) PGresult *res = NULL;
    bool in_doubt = false;
    int r = unsent_send(w, err);

    if (r == 0)
        r = pg_pends_flush(w, err);
    if (r == 0)
        r = put_multi(w, err);
    if (r == 0)
        r = put_feed(w, err);
    w->conn->is_warned = false;
    if (r == 0)
        r = pg_outcome_sign(w, err);
    if (r == 0)
        r = fault_point("commit") ? err_set(err, ERR_NO_STORE, "the store cannot be written")
                                  : pg_ask(w->conn, PG_COMMIT, NULL, &res, err);
    if (r < 0 && w->conn->is_lost) {
        r = pg_outcome_ask(w, err);
        in_doubt = true;
    }
    /* A transaction that has failed answers a COMMIT by ROLLBACK, as if that were well. */
    if (r == 0 && res && strcmp(PQcmdStatus(res), "COMMIT") != 0)
        r = err_set(err, ERR_NO_STORE, "the store cannot be written");
    if (r < 0)
        return r;
    w->multi_dirty = false;
    /* What this process has changed itself is in its memory already. */
    if (w->epoch_moves)
        atomic_store(&w->conn->st->epoch, w->epoch + 1);
    atomic_store(&w->owes, false); /* what was before this group is shown with it (heal) */
    publish(w, in_doubt);
    return 0;
}

void pg_writer_rollback(struct pg_writer *w)
{
    struct pg_conn *c = w->conn;

    if (c->is_lost)
        return;
    pg_wait(c, NULL, NULL);
    if (PQtransactionStatus(c->db) != PQTRANS_IDLE && pg_ask(c, PG_ROLLBACK, NULL, NULL, NULL) < 0)
        c->is_lost = true;
    c->is_failed = c->is_doomed = false;
}

/* ---- a distributed store: its shards commit one after the other, behind the coordinator ---- */

/* Waits until every shard shows what has been committed. A transaction that was prepared on a
 * worker which then was away is committed as soon as it is back. */
static int settle(struct pg_writer *w, struct err *err)
{
    int r = 0;

    for (int waited_ms = 0, step_ms = 1; waited_ms < PG_SETTLE_MS; step_ms *= 2) {
        _cleanup_(pg_clearp) PGresult *res = NULL;

        if ((r = pg_ask(w->conn, PG_RECOVER, NULL, NULL, err)) < 0 ||
            (r = pg_ask(w->conn, PG_PREPARED, NULL, &res, err)) < 0 || pg_i64(res, 0, 0) == 0)
            return r;
        usleep((useconds_t)step_ms * 1000);
        waited_ms += step_ms;
    }
    return err_set(err, ERR_BUSY, "a worker of the database does not answer");
}

/* The group before this one was not told of as seen by all: its process died, or a worker did. */
static int heal(struct pg_writer *w, uint64_t seen, struct err *err)
{
    struct pg_args a = {0};
    int r = seen < w->last_row ? settle(w, err) : 0;

    pg_arg_i64(&a, (int64_t)w->last_row);
    return r < 0 || seen == w->last_row ? r : pg_send(w->conn, PG_SEEN, &a, err);
}

/* Behind the commit: from here on readers of the feed go up to the group's end. If it fails, or
 * this process dies first, the next group does it, or a reader who notices (txn.c). */
static void publish(struct pg_writer *w, bool in_doubt)
{
    struct pg_conn *c = w->conn;
    struct pg_args a = {0};

    if (!c->st->is_sharded || !w->is_dirty)
        return;
    pg_arg_i64(&a, (int64_t)w->last_row);
    if (((in_doubt || c->is_warned) && settle(w, NULL) < 0) ||
        pg_send(c, PG_BEGIN_WRITE, NULL, NULL) < 0 || pg_send(c, PG_LAZY, NULL, NULL) < 0 ||
        pg_send(c, PG_SEEN, &a, NULL) < 0 || pg_ask(c, PG_COMMIT, NULL, NULL, NULL) < 0) {
        atomic_store(&w->owes, true);
        pg_writer_rollback(w);
    }
}

static int run_nothing(struct store_txn *txn, struct store_job *job, struct err *err)
{
    (void)txn;
    (void)job;
    (void)err;
    return 0;
}

int pg_heal(struct pg_store *st, struct err *err)
{
    static const struct access upkeep = {.kind = ACCESS_SYSTEM, .agent = {"upkeep", 6}};
    struct store_job job = {.run = run_nothing, .who = &upkeep};

    return store_write(&st->base, &job, err);
}

/* Takes the feed: what it says counts from here on. */
static int lock_feed(struct pg_writer *w, struct err *err)
{
    static const struct access upkeep = {.kind = ACCESS_SYSTEM, .agent = {"upkeep", 6}};
    _cleanup_(pg_clearp) PGresult *res = NULL;
    struct pg_txn *t;
    int r = pg_send(w->conn, PG_BEGIN_WRITE, NULL, err);

    if (r == 0)
        r = pg_ask(w->conn, PG_LOCK, NULL, &res, err);
    if (r < 0)
        return r;
    if (PQntuples(res) != 1)
        return err_set(err, ERR_NO_STORE, "the store has no feed");
    w->last_row = (uint64_t)pg_i64(res, 0, 0);
    w->epoch = (uint64_t)pg_i64(res, 0, 1);
    w->last_hlc = (uint64_t)pg_i64(res, 0, 2);
    w->versions = w->live = 0;
    if (w->conn->st->is_sharded && (r = heal(w, (uint64_t)pg_i64(res, 0, 3), err)) < 0)
        return r;
    w->is_dirty = w->epoch_moves = false;
    t = open_txn(w, &upkeep);
    r = pg_meet_epoch(t, w->epoch, err);
    close_txn(t);
    return r;
}

static int begin(struct pg_writer *w, struct err *err)
{
    int r = w->conn->is_lost ? pg_writer_reconnect(w, err) : 0;

    if (r < 0)
        return r;
    pg_writer_rollback(w);
    r = lock_feed(w, err);
    /* A connection that was lost while nobody used it: nothing has been done on it. */
    if (r < 0 && w->conn->is_lost && (r = pg_writer_reconnect(w, err)) == 0)
        r = lock_feed(w, err);
    return r;
}

static int run_group(struct pg_writer *w, struct store_job *first, size_t n, struct err *err)
{
    struct mark m = {0};
    int r = begin(w, err);

    if (w->n_agents == PG_AGENTS_MAX)
        w->n_agents = 0;
    if (r == 0)
        m = mark_of(w);
    for (struct store_job *j = first; j && r == 0; j = j->next)
        r = run_member(w, j, n == 1, err);
    if (r == 0)
        r = commit(w, err);
    if (r < 0) {
        undo(w, &m);
        pg_writer_rollback(w);
    }
    w->pends.n = w->pends.flushed = 0;
    w->keys_may_exist = false;
    sb_reset(&w->pends.bytes);
    persons_settled(w->conn->persons);
    unsent_cut(&w->unsent, 0, 0, 0);
    return r;
}

static void *writer_main(void *ctx)
{
    struct pg_store *st = ctx;
    struct pg_writer *w = &st->writer;
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
    }
    return NULL;
}

int pg_writer_start(struct pg_store *st, struct err *err)
{
    struct pg_writer *w = &st->writer;

    pg_outcome_init(w);
    /* First: the thread ends when it finds the queue closed and empty. */
    queue_open(&w->queue);
    if (pthread_create(&w->thread, NULL, writer_main, st) != 0) {
        queue_close(&w->queue);
        return err_set(err, ERR_NO_MEMORY, "the writer's thread cannot start");
    }
    w->has_thread = true;
    return 0;
}

void pg_writer_stop(struct pg_store *st)
{
    struct pg_writer *w = &st->writer;

    queue_close(&w->queue);
    if (w->has_thread)
        pthread_join(w->thread, NULL);
    w->has_thread = false;
}
