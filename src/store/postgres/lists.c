/* lists.c - what the search executor asks (store/scan_int.h), in batches: each is one walk along an
 * index from a key on, with a limit.
 */
#include "store/postgres/pg_int.h"

#include <stdlib.h>

static int scan_enter(struct store_txn *txn, struct err *err)
{
    struct pg_txn *t = pg_txn(txn);
    int r = pg_enter(t, err);

    if (r == 0)
        r = pg_know_position(t, err);
    return r < 0 ? r : pg_pends_flush_if_writing(t, err);
}

static int scan_open(struct scan *s, struct store_txn *txn, const struct str *within,
                     enum scan_of of, struct str lo, struct str hi, bool desc, size_t want,
                     struct err *err)
{
    struct pg_args place = {0};
    int r;

    assert(of != SCAN_TERMS || !desc);
    s->txn = txn;
    s->of = of;
    s->desc = desc;
    s->ended = false;
    s->at = NULL;
    s->i = s->n = 0;
    s->lo = lo;
    s->hi = hi;
    s->want = want ? MIN(want, (size_t)PG_BATCH_MAX) : PG_BATCH_FIRST;
    /* Only now what may fail: whoever opens a scan closes it. */
    r = of == SCAN_TERMS ? 0 : pg_place_range(pg_txn(txn), within, lo, hi, &place, err);
    s->place = place.form;
    s->home = place.home;
    return r;
}

/* The next batch begins behind the last entry of this one. */
static void move_on(struct scan *s, struct str last)
{
    assert(last.n <= ENTRY_MAX);
    memcpy(s->last, last.p, last.n);
    s->last[last.n] = 0;
    if (s->desc)
        s->hi = str_n((char *)s->last, last.n);
    else
        s->lo = str_n((char *)s->last, last.n + 1);
    s->want = MIN(s->want * 4, (size_t)PG_BATCH_MAX);
}

/* A walk in the order of keys asks for one body after the other. */
static void expect_entries(const struct scan *s)
{
    uint64_t rows[PG_AHEAD_MAX];
    size_t n = 0;

    for (size_t i = 0; i < s->n && n < ARRAY_LEN(rows); i++) {
        struct str k = pg_bytes(s->at, (int)i, 0);
        if (k.n >= ROW_BYTES)
            rows[n++] = row_get((const unsigned char *)k.p + k.n - ROW_BYTES);
    }
    pg_expect(s->txn, rows, n);
}

static void note_homes(const struct scan *s)
{
    struct pg_txn *t = pg_txn(s->txn);

    for (size_t i = 0; pg_store(s->txn)->is_sharded && s->of != SCAN_TERMS && i < s->n; i++) {
        struct str k = pg_bytes(s->at, (int)i, 0);
        if (k.n >= ROW_BYTES)
            pg_home_note(t, row_get((const unsigned char *)k.p + k.n - ROW_BYTES),
                         (int32_t)pg_i64(s->at, (int)i, 1));
    }
}

static int fetch(struct scan *s, struct err *err)
{
    enum pg_statement id = s->of == SCAN_TERMS ? PG_TERMS : s->desc ? PG_KEYS_DESC : PG_KEYS;
    struct pg_args a = {.form = (enum pg_form)s->place, .home = s->home};
    PGresult *res = NULL;
    int r;

    pg_arg_bytes(&a, s->lo);
    pg_arg_bytes(&a, s->hi);
    pg_arg_i64(&a, (int64_t)s->want);
    if ((r = pg_ask(pg_txn(s->txn)->conn, id, &a, &res, err)) < 0)
        return r;
    PQclear(s->at);
    s->at = res;
    s->i = 0;
    s->n = (size_t)PQntuples(res);
    s->ended = s->n < s->want;
    if (s->n)
        move_on(s, pg_bytes(res, (int)s->n - 1, 0));
    note_homes(s);
    if (s->of == SCAN_WALK)
        expect_entries(s);
    return 0;
}

static int scan_next(struct scan *s, struct str *ret, struct err *err)
{
    if (s->i == s->n) {
        int r = s->ended ? 0 : fetch(s, err);

        if (r < 0 || s->i == s->n)
            return r;
    }
    *ret = pg_bytes(s->at, (int)s->i++, 0);
    return 1;
}

static void scan_close(struct scan *s)
{
    PQclear(s->at);
    s->at = NULL;
    s->i = s->n = 0;
    s->ended = true;
}

static int scan_has(struct store_txn *txn, enum scan_of of, struct str k, struct err *err)
{
    _cleanup_(pg_clearp) PGresult *res = NULL;
    struct pg_args a = {0};
    int r;

    if (of != SCAN_TERMS && k.n >= ROW_BYTES)
        pg_place_row(pg_store(txn), row_get((const unsigned char *)k.p + k.n - ROW_BYTES), &a);
    pg_arg_bytes(&a, k);
    r = pg_ask(pg_txn(txn)->conn, of == SCAN_TERMS ? PG_TERM : PG_KEY, &a, &res, err);
    return r < 0 ? r : PQntuples(res) > 0;
}

static int by_key(const void *x, const void *y)
{
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

static int scan_has_all(struct store_txn *txn, enum scan_of of, const struct str *k, size_t n,
                        bool *ret, struct err *err)
{
    _cleanup_(sb_done) struct sb array = sb_make(HAS_ALL_MAX * (ENTRY_MAX + 4) + KIB(1));
    _cleanup_(pg_clearp) PGresult *res = NULL;
    struct pg_args a = {.form = FORM_ALL};
    int r;

    assert(n <= HAS_ALL_MAX);
    pg_array_begin(&array, PG_OF_BYTES, n);
    for (size_t i = 0; i < n; i++)
        pg_array_bytes(&array, k[i]);
    if (array.failed)
        return err_no_memory(err);
    pg_arg_bytes(&a, sb_view(&array));
    r = pg_ask(pg_txn(txn)->conn, of == SCAN_TERMS ? PG_HAVE_TERMS : PG_HAVE_KEYS, &a, &res, err);
    if (r < 0)
        return r;
    memset(ret, 0, n * sizeof *ret);
    for (int i = 0; i < PQntuples(res); i++) {
        struct str found = pg_bytes(res, i, 0);
        const struct str *at = bsearch(&found, k, n, sizeof *k, by_key);

        if (at)
            ret[at - k] = true;
    }
    return 0;
}

static int scan_count(struct store_txn *txn, const struct str *within, struct str lo, struct str hi,
                      uint64_t *ret, struct err *err)
{
    _cleanup_(pg_clearp) PGresult *res = NULL;
    struct pg_args a = {0};
    int r = pg_place_range(pg_txn(txn), within, lo, hi, &a, err);

    if (r < 0)
        return r;
    pg_arg_bytes(&a, lo);
    pg_arg_bytes(&a, hi);
    if ((r = pg_ask(pg_txn(txn)->conn, PG_KEY_COUNT, &a, &res, err)) < 0)
        return r;
    *ret = (uint64_t)pg_i64(res, 0, 0);
    return 0;
}

static int live_of(struct store_txn *txn, int type, struct str id_key, uint64_t *ret,
                   struct err *err)
{
    _cleanup_(pg_clearp) PGresult *res = NULL;
    struct pg_args a = {0};
    int r = pg_place_id(pg_txn(txn), type, id_key, &a, err);

    *ret = 0;
    if (r <= 0)
        return r;
    pg_arg_i64(&a, type);
    pg_arg_bytes(&a, id_key);
    if ((r = pg_ask(pg_txn(txn)->conn, PG_NEWEST, &a, &res, err)) < 0)
        return r;
    if (pg_store(txn)->is_sharded && PQntuples(res))
        pg_home_note(pg_txn(txn), (uint64_t)pg_i64(res, 0, 0), (int32_t)pg_i64(res, 0, 2));
    *ret = PQntuples(res) && pg_i64(res, 0, 1) != METHOD_DELETE ? (uint64_t)pg_i64(res, 0, 0) : 0;
    return 0;
}

static int identity(struct store_txn *txn, uint64_t row, int *ret_type,
                    unsigned char ret[ID_KEY_MAX], size_t *ret_n, struct err *err)
{
    _cleanup_(pg_clearp) PGresult *res = NULL;
    struct pg_args a = {0};
    int r;

    pg_place_row(pg_store(txn), row, &a);
    pg_arg_i64(&a, (int64_t)row);
    if ((r = pg_ask(pg_txn(txn)->conn, PG_IDENTITY, &a, &res, err)) < 0)
        return r;
    *ret_type = PQntuples(res) ? (int)pg_i64(res, 0, 0) : 0;
    if (*ret_type && ret) {
        struct str key = str_head(pg_bytes(res, 0, 1), ID_KEY_MAX);
        memcpy(ret, key.p, key.n);
        *ret_n = key.n;
    }
    return 0;
}

static int live(struct store_txn *txn, uint64_t from, bool desc, uint64_t *ret, size_t max,
                struct err *err)
{
    _cleanup_(pg_clearp) PGresult *res = NULL;
    struct pg_args a = {.form = FORM_ALL};
    int r, n;

    pg_arg_i64(&a, (int64_t)from);
    pg_arg_i64(&a, (int64_t)max);
    r = pg_ask(pg_txn(txn)->conn, desc ? PG_LIVE_DESC : PG_LIVE, &a, &res, err);
    if (r < 0)
        return r;
    n = PQntuples(res);
    for (int i = 0; i < n; i++) {
        ret[i] = (uint64_t)pg_i64(res, i, 0);
        if (pg_store(txn)->is_sharded)
            pg_home_note(pg_txn(txn), ret[i], (int32_t)pg_i64(res, i, 1));
    }
    pg_expect(txn, ret, (size_t)n);
    return n;
}

static int ids(struct store_txn *txn, int type, struct str after, bool desc, struct id_row *ret,
               size_t max, struct err *err)
{
    _cleanup_(pg_clearp) PGresult *res = NULL;
    struct pg_args a = {.form = FORM_ALL};
    int r, n;

    pg_arg_i64(&a, type);
    pg_arg_bytes(&a, after);
    pg_arg_i64(&a, (int64_t)max);
    r = pg_ask(pg_txn(txn)->conn, desc ? PG_IDS_DESC : PG_IDS, &a, &res, err);
    if (r < 0)
        return r;
    n = PQntuples(res);
    for (int i = 0; i < n; i++) {
        struct str id = str_head(pg_bytes(res, i, 0), ID_KEY_MAX);

        memcpy(ret[i].id, id.p, id.n);
        ret[i].n = id.n;
        ret[i].row = (uint64_t)pg_i64(res, i, 1);
        if (pg_store(txn)->is_sharded)
            pg_home_note(pg_txn(txn), ret[i].row, (int32_t)pg_i64(res, i, 2));
    }
    return n;
}

/* A newer epoch is for a transaction to meet. */
static int few(struct store_txn *txn, struct str point, uint64_t *ret, size_t max,
               uint64_t *ret_position, struct err *err)
{
    unsigned char bounds[2][ENTRY_MAX + ROW_BYTES];
    struct pg_txn *t = pg_txn(txn);
    struct pg_args a = {0};
    int r, n;

    *ret_position = 0;
    if (t->has_begun || point.n > ENTRY_MAX)
        return (int)max + 1;
    for (int i = 0; i < 2; i++) {
        memcpy(bounds[i], point.p, point.n);
        row_put(bounds[i] + point.n, i ? ROW_MAX : 0);
        pg_arg_bytes(&a, str_n((char *)bounds[i], point.n + ROW_BYTES));
    }
    pg_arg_i64(&a, (int64_t)max + 1);
    pg_arg_i64(&a, PG_AHEAD_BODY);
    pg_leave(t);
    pg_forget(t);
    if ((r = pg_ask(t->conn, PG_FEW, &a, &t->batch, err)) < 0)
        return r;
    n = PQntuples(t->batch);
    if (n == 0)
        return err_set(err, ERR_NO_STORE, "the store has no feed");
    if ((uint64_t)pg_i64(t->batch, 0, 9) > atomic_load(&pg_store(txn)->epoch))
        return (int)max + 1;
    *ret_position = (uint64_t)pg_i64(t->batch, 0, 8);
    if (pg_i64(t->batch, 0, 10))
        return 0; /* the feed's row alone */
    for (int i = 0; i < n && (size_t)n <= max; i++) {
        if (PQgetisnull(t->batch, i, 0))
            return err_set(err, ERR_NO_STORE, "the index names a version that is missing");
        ret[i] = (uint64_t)pg_i64(t->batch, i, 0);
    }
    return n;
}

#define SCAN_OPS(few_) \
    { \
        .ahead = PG_BATCH_FIRST, .few = few_, .enter = scan_enter, .open = scan_open, \
        .next = scan_next, .close = scan_close, .has = scan_has, .has_all = scan_has_all, \
        .count = scan_count, \
        .live_of = live_of, .identity = identity, .live = live, .ids = ids, .row_at = pg_row_at, \
        .expect = pg_expect, \
    }

const struct scan_ops pg_scan_ops = SCAN_OPS(few), pg_whole_scan_ops = SCAN_OPS(NULL);
