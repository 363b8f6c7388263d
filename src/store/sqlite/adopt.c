/* adopt.c - versions, nodes and names that come from another store, or go to one. */
#include "store/sqlite/sq_int.h"

static int lineage(struct sq_txn *t, struct arena *a, struct adoption *of, struct err *err)
{
    sqlite3_stmt *s;
    int r = sq_stmt(t->conn, SQ_LINEAGE, &s, err);

    if (r < 0)
        return r;
    sqlite3_bind_int64(s, 1, (int64_t)of->row.row);
    r = sq_step(t->conn, s, err);
    if (r == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no version number %llu",
                       (unsigned long long)of->row.row);
    if (r < 0)
        return r;
    of->parent = (uint64_t)sqlite3_column_int64(s, 0);
    of->agent = arena_dup(a, sq_column(s, 1));
    sqlite3_reset(s);
    return of->agent.p ? 0 : err_no_memory(err);
}

int sq_lineage(struct store_txn *txn, struct arena *a, struct adoption *rows, size_t n,
               struct err *err)
{
    struct sq_txn *t = sq_txn(txn);
    int r = sq_enter(t, err);

    for (size_t i = 0; i < n && r == 0; i++)
        r = lineage(t, a, &rows[i], err);
    return r;
}

int sq_adopt(struct store_txn *txn, const struct adoption *of, struct err *err)
{
    struct sq_store *st = sq_store(txn);
    const struct row *row = &of->row;
    struct put put = {.method = row->method,
                      .type = row->type,
                      .id = row->id,
                      .sealed = row->sealed,
                      .index = of->index};
    unsigned origin = 0, n = atomic_load(&st->n_origins);
    struct str agent = txn->who.agent;
    int r;

    if (row->row <= st->writer.last_row || row->version.hlc <= st->writer.last_hlc)
        return err_set(err, ERR_VALUE, "version %llu comes behind a later one",
                       (unsigned long long)row->row);
    while (origin < n && st->origins[origin] != row->version.origin)
        origin++;
    if (origin == n)
        return err_set(err, ERR_VALUE, "version %llu is of an unknown node",
                       (unsigned long long)row->row);
    txn->who.agent = of->agent;
    r = sq_put_as(sq_txn(txn), &put, of, row->row, row->version.hlc, origin, err);
    txn->who.agent = agent;
    return r;
}

int sq_adopt_position(struct store_txn *txn, uint64_t row, struct err *err)
{
    struct sq_writer *w = &sq_store(txn)->writer;
    char text[24];

    if (row <= w->last_row)
        return 0;
    w->last_row = row;
    snprintf(text, sizeof text, "%llu", (unsigned long long)row);
    return sq_meta_set(txn, "last-row", str_c(text), err);
}

int sq_origins(struct store_txn *txn, struct arena *a, uint64_t **ret, size_t *ret_n,
               struct err *err)
{
    struct sq_store *st = sq_store(txn);
    size_t n = atomic_load(&st->n_origins);

    *ret = arena_alloc(a, n * sizeof **ret);
    if (!*ret)
        return err_no_memory(err);
    memcpy(*ret, st->origins, n * sizeof **ret);
    *ret_n = n;
    return 0;
}

int sq_adopt_origins(struct store_txn *txn, const uint64_t *origins, size_t n, struct err *err)
{
    struct sq_txn *t = sq_txn(txn);
    struct sq_store *st = sq_store(txn);
    sqlite3_stmt *s;
    int r = sq_enter(t, err);

    if (r == 0 && (st->writer.last_row || n == 0 || n > SQ_ORIGINS_MAX))
        r = err_set(err, ERR_CONFLICT, "only an empty store can become another's");
    if (r == 0)
        r = sq_simple(t->conn, SQ_DROP_ORIGINS, err);
    for (size_t i = 0; i < n && r == 0; i++) {
        if ((r = sq_stmt(t->conn, SQ_PUT_ORIGIN, &s, err)) < 0)
            break;
        sqlite3_bind_int64(s, 1, (int64_t)i);
        sqlite3_bind_int64(s, 2, (int64_t)origins[i]);
        r = sq_run(t->conn, s, err);
    }
    if (r < 0)
        return r;
    memcpy(st->origins, origins, n * sizeof *origins);
    atomic_store(&st->n_origins, (unsigned)n);
    return 0;
}

int sq_meta_next(struct store_txn *txn, struct str after, struct arena *a, struct str *ret,
                 struct err *err)
{
    struct sq_txn *t = sq_txn(txn);
    struct str name = STR_NULL;
    sqlite3_stmt *s;
    int r = sq_enter(t, err);

    if (r < 0 || (r = sq_stmt(t->conn, SQ_META_NEXT, &s, err)) < 0)
        return r;
    sqlite3_bind_text(s, 1, after.n ? after.p : "", (int)after.n, SQLITE_STATIC);
    r = sq_step(t->conn, s, err);
    if (r > 0) {
        name = arena_dup(a, sq_column(s, 0));
        sqlite3_reset(s);
        if (!name.p)
            return err_no_memory(err);
    }
    if (r >= 0)
        *ret = name;
    return MIN(r, 0);
}
