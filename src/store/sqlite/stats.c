#include "store/sqlite/sq_int.h"

#include "base/clock.h"

#include <sys/stat.h>

static int number(struct sq_txn *t, enum sq_statement id, uint64_t *ret, struct err *err)
{
    sqlite3_stmt *s;
    int r;

    if ((r = sq_enter(t, err)) < 0 || (r = sq_stmt(t->conn, id, &s, err)) < 0)
        return r;
    r = sq_step(t->conn, s, err);
    if (r <= 0)
        return r;
    *ret = (uint64_t)sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return 0;
}

/* Counting reads a list of the whole store, so that an answer is kept for a while. */
static int count(struct sq_store *st, struct sq_txn *t, struct store_stats *ret, struct err *err)
{
    uint64_t position = sq_position(&t->base), live = 0, dead = 0;
    int64_t now = clock_mono_us();
    bool is_fresh;
    int r;

    pthread_mutex_lock(&st->conns_lock);
    is_fresh = st->counted_position == position ||
               (st->counted_us && now - st->counted_us < SQ_COUNT_KEEP_US);
    ret->rows = st->counted_rows;
    ret->current = st->counted_live;
    pthread_mutex_unlock(&st->conns_lock);
    if (is_fresh)
        return 0;
    if ((r = number(t, SQ_COUNT_LIVE, &live, err)) < 0 ||
        (r = number(t, SQ_COUNT_DEAD, &dead, err)) < 0)
        return r;
    ret->rows = live + dead;
    ret->current = live;
    pthread_mutex_lock(&st->conns_lock);
    st->counted_position = position;
    st->counted_us = now;
    st->counted_rows = ret->rows;
    st->counted_live = ret->current;
    pthread_mutex_unlock(&st->conns_lock);
    return 0;
}

int sq_stats(struct store *base, struct store_stats *ret, struct err *err)
{
    static const struct access upkeep = {.kind = ACCESS_SYSTEM, .agent = {"upkeep", 6}};
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct sq_store *st = (struct sq_store *)base;
    struct sq_writer *w = &st->writer;
    struct store_stats s = {0};
    struct stat file;
    char *wal;
    int r = sq_begin(base, &upkeep, &txn, err);

    if (r < 0 || (r = count(st, sq_txn(txn), &s, err)) < 0 ||
        (r = number(sq_txn(txn), SQ_PAGES, &s.bytes, err)) < 0)
        return r;
    if (asprintf(&wal, "%s-wal", st->path) < 0)
        return err_no_memory(err);
    s.wal_bytes = stat(wal, &file) == 0 ? (uint64_t)file.st_size : 0;
    free(wal);
    s.commits = atomic_load(&w->commits);
    s.jobs = atomic_load(&w->jobs);
    s.queued = queue_length(&w->queue);
    *ret = s;
    return 0;
}
