/* lists.c - what the search executor asks (store/scan_int.h), by SQLite's statements. */
#include "store/sqlite/sq_int.h"

static int scan_enter(struct store_txn *txn, struct err *err)
{
    int r = sq_enter(sq_txn(txn), err);

    return r < 0 ? r : sq_pends_flush_if_writing(sq_txn(txn), err);
}

static int scan_open(struct scan *s, struct store_txn *txn, const struct str *within,
                     enum scan_of of, struct str lo, struct str hi, bool desc, size_t want,
                     struct err *err)
{
    static const enum sq_statement ids[][2] = {
        [SCAN_KEYS] = {SQ_KEYS, SQ_KEYS_DESC},
        [SCAN_WALK] = {SQ_WALK, SQ_WALK_DESC},
        [SCAN_MERGE] = {SQ_MERGE, SQ_MERGE_DESC},
        [SCAN_TERMS] = {SQ_TERMS, SQ_TERMS},
    };
    sqlite3_stmt *stmt = NULL;
    int r;

    (void)want;
    (void)within;
    assert(of != SCAN_TERMS || !desc);
    s->txn = txn;
    s->at = NULL;
    if ((r = sq_stmt(sq_txn(txn)->conn, ids[of][desc], &stmt, err)) < 0)
        return r;
    sq_bind_blob(stmt, 1, lo);
    sq_bind_blob(stmt, 2, hi);
    s->at = stmt;
    return 0;
}

static int scan_next(struct scan *s, struct str *ret, struct err *err)
{
    int r = sq_step(sq_txn(s->txn)->conn, s->at, err);

    if (r > 0)
        *ret = sq_column(s->at, 0);
    return r;
}

static void scan_close(struct scan *s)
{
    if (s->at)
        sqlite3_reset(s->at);
}

static int scan_has(struct store_txn *txn, enum scan_of of, struct str k, struct err *err)
{
    struct sq_conn *c = sq_txn(txn)->conn;
    sqlite3_stmt *s;
    int r = sq_stmt(c, of == SCAN_TERMS ? SQ_TERM : SQ_KEY, &s, err);

    if (r < 0)
        return r;
    sq_bind_blob(s, 1, k);
    r = sq_step(c, s, err);
    sqlite3_reset(s);
    return r;
}

static int scan_count(struct store_txn *txn, const struct str *within, struct str lo, struct str hi,
                      uint64_t *ret, struct err *err)
{
    struct sq_conn *c = sq_txn(txn)->conn;
    sqlite3_stmt *s;
    int r = sq_stmt(c, SQ_KEY_COUNT, &s, err);

    (void)within;
    if (r < 0)
        return r;
    sq_bind_blob(s, 1, lo);
    sq_bind_blob(s, 2, hi);
    if ((r = sq_step(c, s, err)) < 0)
        return r;
    *ret = (uint64_t)sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return 0;
}

static int live_of(struct store_txn *txn, int type, struct str id_key, uint64_t *ret,
                   struct err *err)
{
    struct sq_conn *c = sq_txn(txn)->conn;
    sqlite3_stmt *s;
    uint64_t row = 0;
    int r = sq_stmt(c, SQ_NEWEST, &s, err);

    if (r < 0)
        return r;
    sqlite3_bind_int(s, 1, type);
    sq_bind_blob(s, 2, id_key);
    if ((r = sq_step(c, s, err)) < 0)
        return r;
    if (r > 0) {
        if (SQ_IS_LIVE(sqlite3_column_int64(s, 3)))
            row = (uint64_t)sqlite3_column_int64(s, 0);
        sqlite3_reset(s);
    }
    *ret = row;
    return 0;
}

static int identity(struct store_txn *txn, uint64_t row, int *ret_type,
                    unsigned char ret[ID_KEY_MAX], size_t *ret_n, struct err *err)
{
    struct sq_conn *c = sq_txn(txn)->conn;
    sqlite3_stmt *s;
    int r = sq_stmt(c, ret ? SQ_IDENTITY : SQ_TYPE_OF, &s, err);

    if (r < 0)
        return r;
    sqlite3_bind_int64(s, 1, (int64_t)row);
    if ((r = sq_step(c, s, err)) < 0)
        return r;
    *ret_type = r > 0 ? sqlite3_column_int(s, 0) : 0;
    if (r > 0 && ret) {
        struct str key = str_head(sq_column(s, 1), ID_KEY_MAX);
        memcpy(ret, key.p, key.n);
        *ret_n = key.n;
    }
    sqlite3_reset(s);
    return 0;
}

static int live(struct store_txn *txn, uint64_t from, bool desc, uint64_t *ret, size_t max,
                struct err *err)
{
    struct sq_conn *c = sq_txn(txn)->conn;
    sqlite3_stmt *s;
    size_t n = 0;
    int r = sq_stmt(c, desc ? SQ_LIVE_DESC : SQ_LIVE, &s, err);

    if (r < 0)
        return r;
    sqlite3_bind_int64(s, 1, (int64_t)(desc ? from + 1 : from - 1));
    while (n < max && (r = sq_step(c, s, err)) > 0)
        ret[n++] = (uint64_t)sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return r < 0 ? r : (int)n;
}

static int ids(struct store_txn *txn, int type, struct str after, bool desc, struct id_row *ret,
               size_t max, struct err *err)
{
    struct sq_conn *c = sq_txn(txn)->conn;
    sqlite3_stmt *s;
    size_t n = 0;
    int r = sq_stmt(c, desc ? SQ_RESOURCES_DESC : SQ_RESOURCES, &s, err);

    if (r < 0)
        return r;
    sqlite3_bind_int(s, 1, type);
    sq_bind_blob(s, 2, after);
    while (n < max && (r = sq_step(c, s, err)) > 0) {
        struct str id = str_head(sq_column(s, 0), ID_KEY_MAX);
        memcpy(ret[n].id, id.p, id.n);
        ret[n].n = id.n;
        ret[n++].row = (uint64_t)sqlite3_column_int64(s, 1);
    }
    sqlite3_reset(s);
    return r < 0 ? r : (int)n;
}

static int row_at(struct store_txn *txn, int64_t ms, uint64_t *ret, struct err *err)
{
    return sq_row_at(sq_txn(txn), ms, ret, err);
}

/* Rows are read one by one: there is no way to them that would pay to share. */
static void expect(struct store_txn *txn, const uint64_t *rows, size_t n)
{
    (void)txn;
    (void)rows;
    (void)n;
}

const struct scan_ops sq_scan_ops = {
    .enter = scan_enter,
    .open = scan_open,
    .next = scan_next,
    .close = scan_close,
    .has = scan_has,
    .count = scan_count,
    .live_of = live_of,
    .identity = identity,
    .live = live,
    .ids = ids,
    .row_at = row_at,
    .expect = expect,
};
