/* history.c - versions, newest first.
 *
 * Rows are numbered in commit order and the clock never goes backwards, so that "newest first" is
 * descending row number everywhere. An instance has its newest version in `resource` and the others
 * in `history`. A type has its live versions in the index's list of the type and the others (old
 * ones and deletions) in the partial index `dead`; the two are merged. The system is the table
 * itself.
 */
#include "store/sqlite/sq_int.h"

#include "base/clock.h"

struct walk {
    struct sq_txn *t;
    const struct history_query *q;
    struct arena *a;
    struct rows rows;
    uint64_t below; /* only rows below this */
    uint64_t from;  /* and not below this */
    bool has_more;
};

/* When the version stopped being the newest of its id; INT64_MAX while it is. */
static int superseded_ms(struct walk *w, const struct row *row, int64_t *ret, struct err *err)
{
    unsigned char key[ID_KEY_MAX];
    struct str id = str_n((char *)key, index_id_key(row->id, key));
    uint64_t next = 0;
    struct row other;
    sqlite3_stmt *s;
    int r;

    if (row->is_current) {
        *ret = INT64_MAX;
        return 0;
    }
    if ((r = sq_stmt(w->t->conn, SQ_HISTORY_NEXT, &s, err)) < 0)
        return r;
    sqlite3_bind_int(s, 1, row->type);
    sq_bind_blob(s, 2, id);
    sqlite3_bind_int64(s, 3, (int64_t)row->version.hlc);
    r = sq_step(w->t->conn, s, err);
    if (r > 0) {
        next = (uint64_t)sqlite3_column_int64(s, 0);
        sqlite3_reset(s);
        r = sq_get_row(&w->t->base, next, &other, err);
    } else if (r == 0) {
        r = sq_get(&w->t->base, row->type, row->id, &other, err);
    }
    if (r < 0)
        return r;
    *ret = hlc_ms(other.version.hlc);
    return 0;
}

/* Whether the version was the newest at some time of the asked period. */
static int was_newest(struct walk *w, uint64_t number, bool *ret, struct err *err)
{
    struct row row;
    int64_t until;
    int r = sq_get_row(&w->t->base, number, &row, err);

    if (r < 0 || (r = superseded_ms(w, &row, &until, err)) < 0)
        return r;
    *ret = until > w->q->at_from_ms;
    return 0;
}

/* Takes one row; 1: the page is full. */
static int take(struct walk *w, uint64_t row, struct err *err)
{
    bool keep = true;
    int r = 0;

    if (w->q->at_from_ms)
        r = was_newest(w, row, &keep, err);
    if (r < 0 || !keep)
        return r;
    if (w->rows.n == w->q->count) {
        w->has_more = true;
        return 1;
    }
    return rows_add(&w->rows, w->a, row, err);
}

/* The rows that one bound statement gives, while they are in bounds. */
static int take_all(struct walk *w, sqlite3_stmt *s, struct err *err)
{
    int r;

    while ((r = sq_step(w->t->conn, s, err)) > 0) {
        uint64_t row = (uint64_t)sqlite3_column_int64(s, 0);
        if (row < w->from || (r = take(w, row, err)) != 0)
            break;
    }
    sqlite3_reset(s);
    return r < 0 ? r : 0;
}

static int instance(struct walk *w, int64_t *ret_total, struct err *err)
{
    unsigned char key[ID_KEY_MAX];
    struct str id = str_n((char *)key, index_id_key(w->q->id, key));
    sqlite3_stmt *s;
    struct row newest;
    int r;

    if ((r = sq_get(&w->t->base, w->q->type, w->q->id, &newest, err)) < 0)
        return r;
    if ((r = sq_stmt(w->t->conn, SQ_HISTORY_COUNT, &s, err)) < 0)
        return r;
    sqlite3_bind_int(s, 1, w->q->type);
    sq_bind_blob(s, 2, id);
    if ((r = sq_step(w->t->conn, s, err)) < 0)
        return r;
    *ret_total = 1 + sqlite3_column_int64(s, 0);
    sqlite3_reset(s);

    if (newest.row < w->below && newest.row >= w->from && (r = take(w, newest.row, err)) != 0)
        return r < 0 ? r : 0;
    if ((r = sq_stmt(w->t->conn, SQ_HISTORY, &s, err)) < 0)
        return r;
    sqlite3_bind_int(s, 1, w->q->type);
    sq_bind_blob(s, 2, id);
    sqlite3_bind_int64(s, 3, (int64_t)w->below);
    return take_all(w, s, err);
}

static int next_dead(struct walk *w, sqlite3_stmt *s, uint64_t *ret, struct err *err)
{
    int r = sq_step(w->t->conn, s, err);

    *ret = r > 0 ? (uint64_t)sqlite3_column_int64(s, 0) : 0;
    return r;
}

static int next_live(struct walk *w, sqlite3_stmt *s, uint64_t *ret, struct err *err)
{
    int r = sq_step(w->t->conn, s, err);
    struct str k = r > 0 ? sq_column(s, 0) : STR_NULL;

    *ret = k.n == 2 + ROW_BYTES ? row_get((const unsigned char *)k.p + 2) : 0;
    return r;
}

static int of_type(struct walk *w, struct err *err)
{
    unsigned param = INDEX_PARAM_TYPE + (unsigned)w->q->type;
    unsigned char lo[2 + ROW_BYTES] = {(unsigned char)(param >> 8), (unsigned char)param};
    unsigned char hi[2 + ROW_BYTES] = {(unsigned char)(param >> 8), (unsigned char)param};
    uint64_t a = 0, b = 0;
    sqlite3_stmt *live, *dead;
    int r;

    row_put(lo + 2, w->from);
    row_put(hi + 2, MIN(w->below, ROW_MAX));
    if ((r = sq_stmt(w->t->conn, SQ_KEYS_DESC, &live, err)) < 0 ||
        (r = sq_stmt(w->t->conn, SQ_DEAD_DESC, &dead, err)) < 0)
        return r;
    sq_bind_blob(live, 1, str_n((char *)lo, sizeof lo));
    sq_bind_blob(live, 2, str_n((char *)hi, sizeof hi));
    sqlite3_bind_int(dead, 1, w->q->type);
    sqlite3_bind_int64(dead, 2, (int64_t)w->below);
    r = next_live(w, live, &a, err);
    if (r >= 0)
        r = next_dead(w, dead, &b, err);
    while (r >= 0 && MAX(a, b) >= w->from && (a || b)) {
        r = take(w, MAX(a, b), err);
        if (r != 0)
            break;
        r = a > b ? next_live(w, live, &a, err) : next_dead(w, dead, &b, err);
    }
    sqlite3_reset(live);
    sqlite3_reset(dead);
    return r < 0 ? r : 0;
}

static int of_all(struct walk *w, struct err *err)
{
    sqlite3_stmt *s;
    int r = sq_stmt(w->t->conn, SQ_VERSIONS_DESC, &s, err);

    if (r < 0)
        return r;
    sqlite3_bind_int64(s, 1, (int64_t)w->below);
    return take_all(w, s, err);
}

static int bounds(struct walk *w, struct err *err)
{
    uint64_t at;
    int r;

    w->below = INT64_MAX;
    if (w->q->cursor.p && (!str_to_u64(w->q->cursor, INT64_MAX, &w->below) || w->below == 0))
        return err_set(err, ERR_VALUE, "the page's cursor is not one of this server");
    if (w->q->since_ms && (r = sq_row_at(w->t, w->q->since_ms, &w->from, err)) < 0)
        return r;
    if (w->q->at_to_ms) {
        if ((r = sq_row_at(w->t, w->q->at_to_ms, &at, err)) < 0)
            return r;
        w->below = MIN(w->below, at);
    }
    return 0;
}

int sq_history(struct store_txn *txn, const struct history_query *q, struct arena *a,
               struct page *ret, struct err *err)
{
    struct walk w = {.t = sq_txn(txn), .q = q, .a = a};
    struct str next = STR_NULL;
    int64_t total = -1;
    int r;

    if ((r = sq_enter(w.t, err)) < 0 || (r = sq_pends_flush_if_writing(w.t, err)) < 0 ||
        (r = bounds(&w, err)) < 0)
        return r;
    if (q->id.p)
        r = instance(&w, &total, err);
    else if (q->type)
        r = of_type(&w, err);
    else
        r = of_all(&w, err);
    sq_leave(w.t);
    if (r < 0)
        return r;
    if (w.has_more && w.rows.n) {
        next = arena_fmt(a, "%llu", (unsigned long long)w.rows.v[w.rows.n - 1]);
        if (!next.p)
            return err_no_memory(err);
    }
    *ret = (struct page){.rows = w.rows.v, .n = w.rows.n, .next = next, .total = total};
    return 0;
}
