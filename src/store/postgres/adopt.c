/* adopt.c - versions, nodes and names that come from another store, or go to one. */
#include "store/postgres/pg_int.h"

/* The text of an agent: mostly that of the version before. */
static int agent_text(struct pg_txn *t, struct arena *a, int64_t n, struct str *ret,
                      struct err *err)
{
    _cleanup_(pg_clearp) PGresult *res = NULL;
    struct pg_args args = {0};
    int r;

    pg_arg_i64(&args, n);
    if ((r = pg_ask(t->conn, PG_AGENT_TEXT, &args, &res, err)) < 0)
        return r;
    *ret = arena_dup(a, PQntuples(res) ? pg_bytes(res, 0, 0) : STR(""));
    return ret->p ? 0 : err_no_memory(err);
}

/* The answer to one version, which stands anywhere in `res`. */
static int find(const PGresult *res, uint64_t row, struct err *err)
{
    for (int i = 0; i < PQntuples(res); i++)
        if ((uint64_t)pg_i64(res, i, 0) == row)
            return i;
    return err_set(err, ERR_NOT_FOUND, "there is no version number %llu", (unsigned long long)row);
}

int pg_lineage(struct store_txn *txn, struct arena *a, struct adoption *rows, size_t n,
               struct err *err)
{
    _cleanup_(sb_done) struct sb array = sb_make(MIB(1));
    _cleanup_(pg_clearp) PGresult *res = NULL;
    struct pg_args args = {.form = FORM_ALL};
    struct pg_txn *t = pg_txn(txn);
    struct str agent = STR_NULL;
    int64_t agent_n = -1;
    int r = pg_enter(t, err);

    pg_array_begin(&array, PG_OF_I64, n);
    for (size_t i = 0; i < n; i++)
        pg_array_i64(&array, (int64_t)rows[i].row.row);
    if (array.failed)
        return err_no_memory(err);
    pg_arg_bytes(&args, sb_view(&array));
    if (r < 0 || (r = pg_ask(t->conn, PG_LINEAGE, &args, &res, err)) < 0)
        return r;
    for (size_t i = 0; i < n; i++) {
        int at = find(res, rows[i].row.row, err);

        if (at < 0)
            return at;
        if (pg_i64(res, at, 2) != agent_n) {
            agent_n = pg_i64(res, at, 2);
            if ((r = agent_text(t, a, agent_n, &agent, err)) < 0)
                return r;
        }
        rows[i].parent = (uint64_t)pg_i64(res, at, 1);
        rows[i].agent = agent;
    }
    return 0;
}

int pg_adopt(struct store_txn *txn, const struct adoption *of, struct err *err)
{
    struct pg_store *st = pg_store(txn);
    const struct row *row = &of->row;
    struct put put = {.method = row->method,
                      .type = row->type,
                      .id = row->id,
                      .sealed = row->sealed,
                      .index = of->index};
    struct str agent = txn->who.agent;
    unsigned origin = 0;
    int r;

    if (row->row <= st->writer.last_row || row->version.hlc <= st->writer.last_hlc)
        return err_set(err, ERR_VALUE, "version %llu comes behind a later one",
                       (unsigned long long)row->row);
    while (origin < st->n_origins && st->origins[origin] != row->version.origin)
        origin++;
    if (origin == st->n_origins)
        return err_set(err, ERR_VALUE, "version %llu is of an unknown node",
                       (unsigned long long)row->row);
    txn->who.agent = of->agent;
    r = pg_put_as(pg_txn(txn), &put, of, row->row, row->version.hlc, origin, err);
    txn->who.agent = agent;
    return r;
}

int pg_adopt_position(struct store_txn *txn, uint64_t row, struct err *err)
{
    struct pg_writer *w = &pg_store(txn)->writer;
    int r = pg_enter(pg_txn(txn), err);

    w->is_dirty |= row > w->last_row;
    w->last_row = MAX(w->last_row, row);
    return r;
}

int pg_origins(struct store_txn *txn, struct arena *a, uint64_t **ret, size_t *ret_n,
               struct err *err)
{
    struct pg_store *st = pg_store(txn);

    *ret = arena_alloc(a, st->n_origins * sizeof **ret);
    if (!*ret)
        return err_no_memory(err);
    memcpy(*ret, st->origins, st->n_origins * sizeof **ret);
    *ret_n = st->n_origins;
    return 0;
}

int pg_adopt_origins(struct store_txn *txn, const uint64_t *origins, size_t n, struct err *err)
{
    struct pg_txn *t = pg_txn(txn);
    struct pg_store *st = pg_store(txn);
    int r = pg_enter(t, err);

    if (r == 0 && (st->writer.last_row || n == 0 || n > PG_ORIGINS_MAX))
        r = err_set(err, ERR_CONFLICT, "only an empty store can become another's");
    if (r == 0)
        r = pg_send(t->conn, PG_DROP_ORIGINS, NULL, err);
    for (size_t i = 0; i < n && r == 0; i++) {
        struct pg_args a = {0};

        pg_arg_i64(&a, (int64_t)i);
        pg_arg_i64(&a, (int64_t)origins[i]);
        r = pg_send(t->conn, PG_PUT_ORIGIN, &a, err);
    }
    if (r < 0)
        return r;
    memcpy(st->origins, origins, n * sizeof *origins);
    st->n_origins = (unsigned)n;
    return 0;
}

int pg_meta_next(struct store_txn *txn, struct str after, struct arena *a, struct str *ret,
                 struct err *err)
{
    _cleanup_(pg_clearp) PGresult *res = NULL;
    struct pg_txn *t = pg_txn(txn);
    struct str name = STR_NULL;
    struct pg_args args = {0};
    int r = pg_enter(t, err);

    pg_arg_bytes(&args, after.p ? after : STR(""));
    if (r < 0 || (r = pg_ask(t->conn, PG_META_NEXT, &args, &res, err)) < 0)
        return r;
    if (PQntuples(res) && !(name = arena_dup(a, pg_bytes(res, 0, 0))).p)
        return err_no_memory(err);
    *ret = name;
    return 0;
}
