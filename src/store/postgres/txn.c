/* txn.c - a reader's snapshot, and what is read by id, by version, by row.
 *
 * BEGIN goes out with the first statement and COMMIT with nobody waiting for it, so that a read is
 * one round trip. Rows that a search has found are fetched many at a time.
 */
#include "store/postgres/pg_int.h"

#include "base/clock.h"

#include <stdlib.h>

int pg_begin(struct store *st, const struct access *who, struct store_txn **ret, struct err *err)
{
    struct pg_conn *c;
    int r = pg_conn_take((struct pg_store *)st, &c, err);

    if (r < 0)
        return r;
    c->txn = (struct pg_txn){
        .base = {.magic = STORE_TXN_MAGIC, .st = st, .who = *who},
        .conn = c,
    };
    c->is_fresh = true;
    *ret = &c->txn.base;
    return 0;
}

void pg_forget(struct pg_txn *t)
{
    PQclear(t->batch);
    t->batch = NULL;
    t->n_ahead = 0;
}

void pg_end(struct store_txn *txn)
{
    struct pg_txn *t = pg_txn(txn);
    struct pg_conn *c = t->conn;
    bool ok = !c->is_lost && !c->is_failed;

    pg_leave(t);
    pg_forget(t);
    txn->magic = 0;
    /* The server reads it when it gets there; whoever takes the connection next waits for that. */
    if (ok && t->has_begun)
        ok = pg_send(c, PG_COMMIT, NULL, NULL) == 0 && PQpipelineSync(c->db) == 1;
    c->is_synced = ok && t->has_begun;
    if (ok)
        pg_conn_give(c);
    else
        pg_conn_free(c);
}

void pg_leave(struct pg_txn *t)
{
    PQclear(t->open);
    t->open = NULL;
}

int pg_enter(struct pg_txn *t, struct err *err)
{
    int r = 0;

    pg_leave(t);
    if (!t->has_begun) {
        r = pg_send(t->conn, PG_BEGIN_READ, NULL, err);
        t->has_begun = r == 0;
    }
    /* Shards show a group one after the other: what is behind the position is left out. */
    if (r == 0 && pg_store(&t->base)->is_sharded)
        r = pg_know_position(t, err);
    return r;
}

/* In a distributed store: whether a group that is committed and not shown is for this reader to see
 * to, since the process that wrote it has not done so. One reader at a time. */
static bool must_heal(struct pg_store *st, uint64_t seen, uint64_t row)
{
    int64_t now = clock_mono_us() / 1000, looked = atomic_load(&st->lag.looked);

    if (st->read_only || row <= seen)
        return false;
    if (!atomic_load(&st->writer.owes)) {
        /* Mostly the moment of a commit: only what lasts is a writer's death. */
        if (atomic_load(&st->lag.row) <= seen) {
            atomic_store(&st->lag.row, row);
            atomic_store(&st->lag.since, now);
        }
        if (now - atomic_load(&st->lag.since) < PG_LAG_MS)
            return false;
    }
    return now - looked >= PG_LAG_MS &&
           atomic_compare_exchange_strong(&st->lag.looked, &looked, now);
}

static int ask_position(struct pg_txn *t, PGresult **ret, struct err *err)
{
    struct pg_store *st = pg_store(&t->base);
    _cleanup_(pg_clearp) PGresult *res = NULL;
    int r = pg_ask(t->conn, PG_FEED, NULL, &res, err);

    if (r == 0 && st->is_sharded && PQntuples(res) &&
        must_heal(st, (uint64_t)pg_i64(res, 0, 0), (uint64_t)pg_i64(res, 0, 2)) &&
        pg_heal(st, NULL) == 0) {
        PQclear(res);
        res = NULL;
        /* A snapshot of what is shown now. */
        if ((r = pg_send(t->conn, PG_COMMIT, NULL, err)) == 0 &&
            (r = pg_send(t->conn, PG_BEGIN_READ, NULL, err)) == 0)
            r = pg_ask(t->conn, PG_FEED, NULL, &res, err);
    }
    if (r < 0)
        return r;
    if (PQntuples(res) != 1)
        return err_set(err, ERR_NO_STORE, "the store has no feed");
    *ret = res;
    res = NULL;
    return 0;
}

int pg_know_position(struct pg_txn *t, struct err *err)
{
    _cleanup_(pg_clearp) PGresult *res = NULL;
    int r;

    if (t->has_position || t->base.is_writing)
        return 0;
    if ((r = ask_position(t, &res, err)) < 0)
        return r;
    t->position = (uint64_t)pg_i64(res, 0, 0);
    t->has_position = true; /* what reloads asks for it again */
    r = pg_meet_epoch(t, (uint64_t)pg_i64(res, 0, 1), err);
    t->has_position = r == 0;
    return r;
}

uint64_t pg_position(struct store_txn *txn)
{
    struct pg_txn *t = pg_txn(txn);

    if (txn->is_writing)
        return pg_store(txn)->writer.last_row;
    return pg_enter(t, NULL) < 0 || pg_know_position(t, NULL) < 0 ? 0 : t->position;
}

int pg_to_row(struct pg_txn *t, const PGresult *res, int i, struct row *ret, struct err *err)
{
    struct pg_store *st = pg_store(&t->base);
    struct str key = pg_bytes(res, i, 2);
    size_t n = key.n <= ID_KEY_MAX ? index_key_id((const unsigned char *)key.p, key.n, t->id) : 0;

    if (st->is_sharded) {
        t->home = (int32_t)pg_i64(res, i, 8);
        pg_home_note(t, (uint64_t)pg_i64(res, i, 0), t->home);
    }
    *ret = (struct row){
        .row = (uint64_t)pg_i64(res, i, 0),
        .type = (int)pg_i64(res, i, 1),
        .id = str_n(t->id, n),
        .version = {.hlc = (uint64_t)pg_i64(res, i, 3),
                    .origin = st->origins[(uint64_t)pg_i64(res, i, 4) % PG_ORIGINS_MAX]},
        .method = (enum store_method)pg_i64(res, i, 5),
        .is_current = pg_i64(res, i, 6) != 0,
        .sealed = pg_bytes(res, i, 7),
    };
    return pg_body_open(t, ret, err);
}

/* The first row of an answer, which is kept until the next call: 1, or 0 if there is none. */
static int answer(struct pg_txn *t, enum pg_statement id, const struct pg_args *a, struct row *ret,
                  struct err *err)
{
    PGresult *res;
    int r = pg_ask(t->conn, id, a, &res, err);

    if (r < 0)
        return r;
    t->open = res;
    if (!PQntuples(res))
        return 0;
    r = pg_to_row(t, res, 0, ret, err);
    return r < 0 ? r : 1;
}

static int missing(int type, struct str id, struct err *err)
{
    struct str name = def_resource_name(type);

    return err_set(err, ERR_NOT_FOUND, "%.*s \"%.*s\" does not exist", STR_ARG(name),
                   (int)MIN(id.n, (size_t)FHIR_ID_MAX), id.p);
}

/* What the group has not sent yet, or the job has foreseen. 2: only the database knows. */
static int get_written(struct pg_txn *t, int type, struct str key, struct row *ret, struct err *err)
{
    struct pg_writer *w = &pg_store(&t->base)->writer;
    const struct unsent_version *v;
    int r = unsent_find(&w->unsent, type, key, &v, err), row;

    if (r < 0)
        return r;
    if (!v) {
        if (!foreseen_find(&w->foreseen, type, key, &row))
            return 2;
        if (row < 0)
            return 0;
        r = pg_to_row(t, w->foreseen.answer, row, ret, err);
        return r < 0 ? r : 1;
    }
    t->home = v->home;
    *ret = (struct row){
        .row = v->row,
        .type = type,
        .id = str_n(t->id, index_key_id((const unsigned char *)key.p, key.n, t->id)),
        .version = {.hlc = v->hlc, .origin = pg_store(&t->base)->origins[v->origin]},
        .method = (enum store_method)v->method,
        .is_current = true,
        .sealed = unsent_body(&w->unsent, v),
    };
    r = pg_body_open(t, ret, err);
    return r < 0 ? r : 1;
}

int pg_get(struct store_txn *txn, int type, struct str id, struct row *ret, struct err *err)
{
    struct pg_txn *t = pg_txn(txn);
    unsigned char key[ID_KEY_MAX];
    struct pg_args a = {0};
    struct str k;
    int r;

    if (id.n > FHIR_ID_MAX)
        return missing(type, id, err);
    /* One statement is a transaction by itself; of several places it has to know the position. */
    if (txn->is_brief && !pg_store(txn)->is_sharded && !pg_store(txn)->is_pooled)
        pg_leave(t);
    else if ((r = pg_enter(t, err)) < 0)
        return r;
    k = str_n((char *)key, index_id_key(id, key));
    r = txn->is_writing ? get_written(t, type, k, ret, err) : 2;
    if (r == 2 && (r = pg_place_id(t, type, k, &a, err)) > 0) {
        pg_arg_i64(&a, type);
        pg_arg_bytes(&a, k);
        r = answer(t, PG_GET, &a, ret, err);
    }
    return r == 0 ? missing(type, id, err) : MIN(r, 0);
}

int pg_get_version(struct store_txn *txn, int type, struct str id, const struct version *v,
                   struct row *ret, struct err *err)
{
    struct pg_txn *t = pg_txn(txn);
    struct pg_store *st = pg_store(txn);
    unsigned char key[ID_KEY_MAX];
    struct pg_args a = {0};
    struct row row;
    unsigned origin = 0;
    int r;

    if ((r = pg_get(txn, type, id, &row, err)) < 0)
        return r;
    if (row.version.hlc == v->hlc && row.version.origin == v->origin) {
        *ret = row;
        return 0;
    }
    pg_place_row(st, row.row, &a);
    if ((r = pg_enter(t, err)) < 0)
        return r;
    while (origin < st->n_origins && st->origins[origin] != v->origin)
        origin++;
    pg_arg_i64(&a, type);
    pg_arg_bytes(&a, str_n((char *)key, index_id_key(id, key)));
    pg_arg_i64(&a, (int64_t)v->hlc);
    pg_arg_i64(&a, origin);
    r = origin < st->n_origins ? answer(t, PG_GET_OLD, &a, ret, err) : 0;
    if (r == 0) {
        struct str name = def_resource_name(type);
        return err_set(err, ERR_NOT_FOUND, "%.*s \"%.*s\" has no such version", STR_ARG(name),
                       STR_ARG(id));
    }
    return MIN(r, 0);
}

/* ---- by row, many at a time ---- */

void pg_expect(struct store_txn *txn, const uint64_t *rows, size_t n)
{
    struct pg_txn *t = pg_txn(txn);

    t->n_ahead = MIN(n, (size_t)PG_AHEAD_MAX);
    if (t->n_ahead)
        memcpy(t->ahead, rows, t->n_ahead * sizeof *rows);
}

/* Whether the batch has a row with its body: 1 or 0. */
static int from_batch(struct pg_txn *t, uint64_t number, struct row *ret, struct err *err)
{
    int n = t->batch ? PQntuples(t->batch) : 0, r;

    for (int i = 0; i < n; i++) {
        if ((uint64_t)pg_i64(t->batch, i, 0) != number)
            continue;
        r = pg_to_row(t, t->batch, i, ret, err);
        return r < 0 ? r : ret->sealed.n || ret->method == METHOD_DELETE;
    }
    return 0;
}

/* Fetches the rows that are expected from this one on; nothing if it is not among them. */
static int fetch_ahead(struct pg_txn *t, uint64_t number, struct err *err)
{
    _cleanup_(sb_done) struct sb array = sb_make(KIB(16));
    struct pg_args a = {0};
    size_t at = 0, n;

    while (at < t->n_ahead && t->ahead[at] != number)
        at++;
    n = MIN(t->n_ahead - at, (size_t)PG_AHEAD_ROWS);
    if (n < 2)
        return 0;
    pg_place_rows(pg_store(&t->base), t->ahead + at, n, &a);
    pg_array_begin(&array, PG_OF_I64, n);
    for (size_t i = 0; i < n; i++)
        pg_array_i64(&array, (int64_t)t->ahead[at + i]);
    if (array.failed)
        return err_no_memory(err);
    pg_arg_bytes(&a, sb_view(&array));
    pg_arg_i64(&a, PG_AHEAD_BODY);
    PQclear(t->batch);
    t->batch = NULL;
    return pg_ask(t->conn, PG_GET_ROWS, &a, &t->batch, err);
}

int pg_get_row(struct store_txn *txn, uint64_t number, struct row *ret, struct err *err)
{
    struct pg_txn *t = pg_txn(txn);
    struct pg_args a = {0};
    int r;

    pg_leave(t);
    if ((r = from_batch(t, number, ret, err)) != 0)
        return MIN(r, 0);
    if ((r = pg_enter(t, err)) < 0 || (r = fetch_ahead(t, number, err)) < 0)
        return r;
    if ((r = from_batch(t, number, ret, err)) != 0)
        return MIN(r, 0);
    pg_place_row(pg_store(txn), number, &a);
    pg_arg_i64(&a, (int64_t)number);
    r = answer(t, PG_GET_ROW, &a, ret, err);
    if (r == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no version number %llu",
                       (unsigned long long)number);
    return MIN(r, 0);
}

int pg_each_row(struct store_txn *txn, const uint64_t *rows, size_t n, store_row_fn *each,
                void *ctx, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < n && r >= 0; i++) {
        struct row row;

        if (i % PG_AHEAD_MAX == 0)
            pg_expect(txn, rows + i, n - i);
        if ((r = pg_get_row(txn, rows[i], &row, err)) >= 0)
            r = each(ctx, &row, err);
    }
    return MIN(r, 0);
}

/* ---- the feed and its times ---- */

/* The numbers in the first column of an answer. */
static int numbers(struct pg_txn *t, enum pg_statement id, const struct pg_args *a,
                   struct arena *arena, struct rows *rows, struct err *err)
{
    struct pg_store *st = pg_store(&t->base);
    _cleanup_(pg_clearp) PGresult *res = NULL;
    int r = pg_ask(t->conn, id, a, &res, err);

    for (int i = 0; r == 0 && i < PQntuples(res); i++) {
        r = rows_add(rows, arena, (uint64_t)pg_i64(res, i, 0), err);
        if (st->is_sharded)
            pg_home_note(t, (uint64_t)pg_i64(res, i, 0), (int32_t)pg_i64(res, i, 1));
    }
    return r;
}

int pg_feed(struct store_txn *txn, uint64_t after, size_t max, struct arena *a, struct page *ret,
            struct err *err)
{
    struct pg_txn *t = pg_txn(txn);
    struct pg_args args = {.form = FORM_ALL};
    struct rows rows = {0};
    int r = pg_enter(t, err);

    if (r < 0)
        return r;
    pg_arg_i64(&args, (int64_t)MIN(after, (uint64_t)INT64_MAX));
    pg_arg_i64(&args, (int64_t)MIN(max, (size_t)INT32_MAX));
    if ((r = numbers(t, PG_CHANGES, &args, a, &rows, err)) < 0)
        return r;
    pg_expect(txn, rows.v, rows.n);
    *ret = (struct page){.rows = rows.v, .n = rows.n, .next = STR_NULL, .total = -1};
    return 0;
}

int pg_row_at(struct store_txn *txn, int64_t ms, uint64_t *ret, struct err *err)
{
    struct pg_txn *t = pg_txn(txn);
    _cleanup_(pg_clearp) PGresult *res = NULL;
    struct pg_args a = {.form = FORM_ALL};
    uint64_t position = pg_position(txn);
    int r;

    pg_arg_i64(&a, ms <= 0 ? 0 : ms > INT64_MAX >> 16 ? INT64_MAX : ms << 16);
    pg_arg_i64(&a, (int64_t)position);
    if ((r = pg_ask(t->conn, PG_ROW_FROM, &a, &res, err)) < 0)
        return r;
    *ret = PQntuples(res) ? (uint64_t)pg_i64(res, 0, 0) : position + 1;
    return 0;
}

/* ---- history: descending row number is newest first ---- */

static int bounds(struct pg_txn *t, const struct history_query *q, uint64_t *from, uint64_t *below,
                  struct err *err)
{
    uint64_t at;
    int r;

    *from = 0;
    *below = INT64_MAX;
    if (q->cursor.p && (!str_to_u64(q->cursor, INT64_MAX, below) || *below == 0))
        return err_set(err, ERR_VALUE, "the page's cursor is not one of this server");
    if (q->since_ms && (r = pg_row_at(&t->base, q->since_ms, from, err)) < 0)
        return r;
    if (q->at_to_ms) {
        if ((r = pg_row_at(&t->base, q->at_to_ms, &at, err)) < 0)
            return r;
        *below = MIN(*below, at);
    }
    return 0;
}

static int count_versions(struct pg_txn *t, const struct history_query *q, struct str key,
                          const struct pg_args *place, int64_t *ret, struct err *err)
{
    _cleanup_(pg_clearp) PGresult *res = NULL;
    struct pg_args a = *place;
    int r;

    pg_arg_i64(&a, q->type);
    pg_arg_bytes(&a, key);
    if ((r = pg_ask(t->conn, PG_HISTORY_COUNT, &a, &res, err)) < 0)
        return r;
    *ret = pg_i64(res, 0, 0);
    return *ret ? 0 : missing(q->type, q->id, err);
}

int pg_history(struct store_txn *txn, const struct history_query *q, struct arena *a,
               struct page *ret, struct err *err)
{
    struct pg_txn *t = pg_txn(txn);
    unsigned char id[ID_KEY_MAX];
    struct str key = STR_NULL, next = STR_NULL;
    struct pg_args args = {.form = FORM_ALL};
    struct rows rows = {0};
    uint64_t from, below;
    int64_t total = -1;
    int r;

    if (q->id.n > FHIR_ID_MAX)
        return missing(q->type, q->id, err);
    if ((r = pg_enter(t, err)) < 0 || (r = bounds(t, q, &from, &below, err)) < 0)
        return r;
    if (q->id.p) {
        key = str_n((char *)id, index_id_key(q->id, id));
        if ((r = pg_place_id(t, q->type, key, &args, err)) < 0 ||
            (r = count_versions(t, q, key, &args, &total, err)) < 0)
            return r;
    }
    pg_arg_i64(&args, (int64_t)from);
    pg_arg_i64(&args, (int64_t)below);
    /* Behind the whole of that millisecond. */
    pg_arg_i64(&args, q->at_from_ms ? (q->at_from_ms << 16) + 0xffff : 0);
    pg_arg_i64(&args, (int64_t)MIN(q->count, (size_t)INT32_MAX - 1) + 1);
    if (q->type)
        pg_arg_i64(&args, q->type);
    if (q->id.p)
        pg_arg_bytes(&args, key);
    r = numbers(t,
                q->id.p   ? PG_HISTORY_ID
                : q->type ? PG_HISTORY_TYPE
                          : PG_HISTORY,
                &args, a, &rows, err);
    if (r < 0)
        return r;
    if (rows.n > q->count) {
        rows.n--;
        next = rows.n ? arena_fmt(a, "%llu", (unsigned long long)rows.v[rows.n - 1]) : STR_NULL;
        if (rows.n && !next.p)
            return err_no_memory(err);
    }
    pg_expect(txn, rows.v, rows.n);
    *ret = (struct page){.rows = rows.v, .n = rows.n, .next = next, .total = total};
    return 0;
}
