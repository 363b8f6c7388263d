#include "store/sqlite/sq_int.h"

#include "base/clock.h"

#include <stdlib.h>

static bool is_upkeep(const struct access *who)
{
    return who->kind == ACCESS_SYSTEM || who->kind == ACCESS_JOB;
}

int sq_begin(struct store *st, const struct access *who, struct store_txn **ret, struct err *err)
{
    struct sq_conn *c;
    int r = sq_conn_take((struct sq_store *)st, is_upkeep(who), &c, err);

    if (r < 0)
        return r;
    c->txn = (struct sq_txn){
        .base = {.magic = STORE_TXN_MAGIC, .st = st, .who = *who},
        .conn = c,
    };
    *ret = &c->txn.base;
    return 0;
}

void sq_end(struct store_txn *txn)
{
    struct sq_txn *t = sq_txn(txn);

    sq_leave(t);
    txn->magic = 0;
    if (t->anchor)
        sqlite3_reset(t->anchor);
    if (is_upkeep(&txn->who))
        sq_conn_trim(t->conn);
    /* A statement in the middle keeps its snapshot. A connection that still holds one must not go
     * out again: whoever gets it would not see what has been answered since. */
    if (sqlite3_txn_state(t->conn->db, NULL) != SQLITE_TXN_NONE)
        sq_conn_free(t->conn);
    else
        sq_conn_give(t->conn);
}

void sq_leave(struct sq_txn *t)
{
    if (t->open)
        sqlite3_reset(t->open);
    t->open = NULL;
}

/* A reader's snapshot lasts as long as one of its statements is in the middle. So the statement
 * that asks for the newest row, which most readers need, is left on its row: that spares BEGIN and
 * COMMIT. It begins before the open one is left, whose snapshot is kept that way. */
static int drop_anchor(struct sq_txn *t, struct err *err)
{
    sqlite3_stmt *s;
    int r = sq_stmt(t->conn, SQ_POSITION, &s, err);

    if (r < 0 || (r = sq_step(t->conn, s, err)) < 0)
        return r;
    assert(r > 0); /* max() always has a row */
    t->position = (uint64_t)sqlite3_column_int64(s, 0);
    t->anchor = s;
    t->has_begun = true;
    return 0;
}

int sq_enter(struct sq_txn *t, struct err *err)
{
    int r = t->has_begun ? 0 : drop_anchor(t, err);

    if (r >= 0)
        sq_leave(t);
    return MIN(r, 0);
}

int sq_row(struct sq_txn *t, sqlite3_stmt *s, struct row *ret, struct err *err)
{
    struct sq_store *st = sq_store(&t->base);
    int64_t flags = sqlite3_column_int64(s, 5), origin = sqlite3_column_int64(s, 4);
    struct str key = sq_column(s, 2);
    size_t n = key.n <= ID_KEY_MAX ? index_key_id((const unsigned char *)key.p, key.n, t->id) : 0;

    *ret = (struct row){
        .row = (uint64_t)sqlite3_column_int64(s, 0),
        .type = sqlite3_column_int(s, 1),
        .id = str_n(t->id, n),
        .version = {.hlc = (uint64_t)sqlite3_column_int64(s, 3),
                    .origin = st->origins[(uint64_t)origin % SQ_ORIGINS_MAX]},
        .method = (enum store_method)(flags & SQ_METHOD),
        .is_current = !(flags & SQ_SUPERSEDED),
        .sealed = sq_column(s, 6),
    };
    return st->vault ? sq_body_open(t, ret, err) : 0;
}

/* One row of a bound statement; its bytes stay valid until the next call. 0 if there is none. */
static int answer(struct sq_txn *t, sqlite3_stmt *s, struct row *ret, struct err *err)
{
    int r = sq_step(t->conn, s, err);

    if (r <= 0)
        return r;
    t->open = s;
    r = sq_row(t, s, ret, err);
    return r < 0 ? r : 1;
}

static int missing(int type, struct str id, struct err *err)
{
    struct str name = def_resource_name(type);

    return err_set(err, ERR_NOT_FOUND, "%.*s \"%.*s\" does not exist", STR_ARG(name),
                   (int)MIN(id.n, (size_t)FHIR_ID_MAX), id.p);
}

int sq_get(struct store_txn *txn, int type, struct str id, struct row *ret, struct err *err)
{
    struct sq_txn *t = sq_txn(txn);
    unsigned char key[ID_KEY_MAX];
    sqlite3_stmt *s;
    int r;

    if (id.n > FHIR_ID_MAX)
        return missing(type, id, err);
    /* A lone read needs no BEGIN: the statement is the snapshot, and a second call extends it. */
    if ((t->has_begun || t->open) && (r = sq_enter(t, err)) < 0)
        return r;
    r = sq_stmt(t->conn, SQ_GET, &s, err);
    if (r < 0)
        return r;
    sqlite3_bind_int(s, 1, type);
    sq_bind_blob(s, 2, str_n((char *)key, index_id_key(id, key)));
    r = answer(t, s, ret, err);
    if (r == 0)
        return missing(type, id, err);
    return r < 0 ? r : 0;
}

static int no_row(uint64_t row, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "there is no version number %llu", (unsigned long long)row);
}

int sq_get_row(struct store_txn *txn, uint64_t row, struct row *ret, struct err *err)
{
    struct sq_txn *t = sq_txn(txn);
    sqlite3_stmt *s;
    int r;

    if ((r = sq_enter(t, err)) < 0 || (r = sq_stmt(t->conn, SQ_GET_ROW, &s, err)) < 0)
        return r;
    sqlite3_bind_int64(s, 1, (int64_t)row);
    r = answer(t, s, ret, err);
    if (r == 0)
        return no_row(row, err);
    return r < 0 ? r : 0;
}

/* What is not asked for is NULL, which finds nothing. */
static void bind_rows(sqlite3_stmt *s, const uint64_t *rows, size_t n)
{
    for (int i = 0; i < SQ_EACH_ROWS; i++)
        if ((size_t)i < n)
            sqlite3_bind_int64(s, i + 1, (int64_t)rows[i]);
        else
            sqlite3_bind_null(s, i + 1);
}

/* Beginning and ending a statement costs as much as a row: one gets up to SQ_EACH_ROWS. */
int sq_each_row(struct store_txn *txn, const uint64_t *rows, size_t n, store_row_fn *each,
                void *ctx, struct err *err)
{
    struct sq_txn *t = sq_txn(txn);
    sqlite3_stmt *s;
    int r = sq_enter(t, err);

    if (r < 0 || (r = sq_stmt(t->conn, SQ_EACH_ROW, &s, err)) < 0)
        return r;
    for (size_t at = 0; at < n && r >= 0; at += SQ_EACH_ROWS) {
        size_t batch = MIN(n - at, (size_t)SQ_EACH_ROWS);

        bind_rows(s, rows + at, batch);
        for (size_t i = 0; i < batch && r >= 0; i++) {
            struct row row = {.row = 0};

            r = sq_step(t->conn, s, err);
            if (r > 0)
                r = sq_row(t, s, &row, err);
            if (r >= 0)
                r = row.row && row.row == rows[at + i] ? each(ctx, &row, err)
                                                       : no_row(rows[at + i], err);
        }
        sqlite3_reset(s);
    }
    return MIN(r, 0);
}

int sq_get_version(struct store_txn *txn, int type, struct str id, const struct version *v,
                   struct row *ret, struct err *err)
{
    struct sq_txn *t = sq_txn(txn);
    struct sq_store *st = sq_store(txn);
    unsigned char key[ID_KEY_MAX];
    unsigned n = atomic_load(&st->n_origins), origin = 0;
    sqlite3_stmt *s;
    struct row row;
    int r;

    if ((r = sq_enter(t, err)) < 0 || (r = sq_get(txn, type, id, &row, err)) < 0)
        return r;
    if (row.version.hlc == v->hlc && row.version.origin == v->origin) {
        *ret = row;
        return 0;
    }
    if ((r = sq_enter(t, err)) < 0 || (r = sq_stmt(t->conn, SQ_GET_OLD, &s, err)) < 0)
        return r;
    while (origin < n && st->origins[origin] != v->origin)
        origin++;
    sqlite3_bind_int(s, 1, type);
    sq_bind_blob(s, 2, str_n((char *)key, index_id_key(id, key)));
    sqlite3_bind_int64(s, 3, (int64_t)v->hlc);
    sqlite3_bind_int64(s, 4, origin);
    r = origin < n ? answer(t, s, ret, err) : 0;
    if (r == 0) {
        struct str name = def_resource_name(type);
        return err_set(err, ERR_NOT_FOUND, "%.*s \"%.*s\" has no such version", STR_ARG(name),
                       STR_ARG(id));
    }
    return r < 0 ? r : 0;
}

int sq_feed(struct store_txn *txn, uint64_t after, size_t max, struct arena *a, struct page *ret,
            struct err *err)
{
    struct sq_txn *t = sq_txn(txn);
    struct rows rows = {0};
    sqlite3_stmt *s;
    int r;

    if ((r = sq_enter(t, err)) < 0 || (r = sq_stmt(t->conn, SQ_FEED, &s, err)) < 0)
        return r;
    sqlite3_bind_int64(s, 1, (int64_t)after);
    sqlite3_bind_int64(s, 2, (int64_t)MIN(max, (size_t)INT32_MAX));
    while ((r = sq_step(t->conn, s, err)) > 0)
        if ((r = rows_add(&rows, a, (uint64_t)sqlite3_column_int64(s, 0), err)) < 0)
            break;
    sqlite3_reset(s);
    if (r < 0)
        return r;
    *ret = (struct page){.rows = rows.v, .n = rows.n, .next = STR_NULL, .total = -1};
    return 0;
}

uint64_t sq_position(struct store_txn *txn)
{
    struct sq_txn *t = sq_txn(txn);

    if (txn->is_writing)
        return sq_store(txn)->writer.last_row;
    return sq_enter(t, NULL) < 0 ? 0 : t->position;
}

int sq_row_at(struct sq_txn *t, int64_t ms, uint64_t *ret, struct err *err)
{
    uint64_t lo = 1, hi = sq_position(&t->base) + 1;
    sqlite3_stmt *s;
    int r = sq_stmt(t->conn, SQ_HLC_FROM, &s, err);

    if (r < 0)
        return r;
    /* All rows before lo are older than ms, all from hi on are not. */
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2, at;
        bool is_older;

        sqlite3_bind_int64(s, 1, (int64_t)mid);
        r = sq_step(t->conn, s, err);
        if (r < 0)
            return r;
        if (r == 0) {
            hi = mid;
            continue;
        }
        at = (uint64_t)sqlite3_column_int64(s, 0);
        is_older = hlc_ms((uint64_t)sqlite3_column_int64(s, 1)) < ms;
        sqlite3_reset(s);
        if (is_older)
            lo = at + 1;
        else
            hi = mid;
    }
    *ret = lo;
    return 0;
}

int sq_meta_get(struct store_txn *txn, const char *name, struct arena *a, struct str *ret,
                struct err *err)
{
    struct sq_txn *t = sq_txn(txn);
    sqlite3_stmt *s;
    struct str v = STR_NULL;
    int r;

    if ((r = sq_enter(t, err)) < 0 || (r = sq_stmt(t->conn, SQ_META_GET, &s, err)) < 0)
        return r;
    sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
    r = sq_step(t->conn, s, err);
    if (r > 0) {
        v = arena_dup(a, sq_column(s, 0));
        sqlite3_reset(s);
        r = v.p ? 0 : err_no_memory(err);
    }
    if (r == 0)
        *ret = v;
    return r;
}

int sq_meta_set(struct store_txn *txn, const char *name, struct str value, struct err *err)
{
    struct sq_txn *t = sq_txn(txn);
    sqlite3_stmt *s;
    int r;

    if ((r = sq_enter(t, err)) < 0)
        return r;
    r = sq_stmt(t->conn, value.p ? SQ_META_SET : SQ_META_DROP, &s, err);
    if (r < 0)
        return r;
    sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
    if (value.p)
        sq_bind_blob(s, 2, value);
    return sq_run(t->conn, s, err);
}
