/* small.c - values of the node itself: small ones by name, large ones in pieces. */
#include "store/postgres/pg_int.h"

/* One value of one row; STR_NULL if there is none. */
static int one_value(struct pg_txn *t, enum pg_statement id, const struct pg_args *args,
                     struct arena *a, struct str *ret, struct err *err)
{
    _cleanup_(pg_clearp) PGresult *res = NULL;
    struct str v = STR_NULL;
    int r = pg_ask(t->conn, id, args, &res, err);

    if (r == 0 && PQntuples(res) && !(v = arena_dup(a, pg_bytes(res, 0, 0))).p)
        r = err_no_memory(err);
    if (r == 0)
        *ret = v;
    return r;
}

int pg_meta_get(struct store_txn *txn, const char *name, struct arena *a, struct str *ret,
                struct err *err)
{
    struct pg_txn *t = pg_txn(txn);
    struct pg_args args = {0};
    int r = pg_enter(t, err);

    pg_arg_bytes(&args, str_c(name));
    return r < 0 ? r : one_value(t, PG_META_GET, &args, a, ret, err);
}

int pg_meta_set(struct store_txn *txn, const char *name, struct str value, struct err *err)
{
    struct pg_txn *t = pg_txn(txn);
    struct pg_args a = {0};
    int r = pg_enter(t, err);

    if (r < 0)
        return r;
    pg_arg_bytes(&a, str_c(name));
    if (value.p)
        pg_arg_bytes(&a, value);
    return pg_send(t->conn, value.p ? PG_META_SET : PG_META_DROP, &a, err);
}

int pg_blob_get(struct store_txn *txn, struct str name, uint32_t part, struct arena *a,
                struct str *ret, struct err *err)
{
    struct pg_txn *t = pg_txn(txn);
    struct pg_args args = {0};
    struct str v = STR_NULL;
    int r = pg_enter(t, err);

    pg_arg_bytes(&args, name);
    pg_arg_i64(&args, part);
    if (r < 0 || (r = one_value(t, PG_BLOB_GET, &args, a, &v, err)) < 0)
        return r;
    if (v.p && pg_store(txn)->vault)
        r = pg_value_open(t, name, part, &v, err);
    if (r >= 0)
        *ret = v;
    return r;
}

int pg_blob_put(struct store_txn *txn, struct str name, uint32_t part, struct str bytes,
                struct err *err)
{
    _cleanup_(sb_done) struct sb sealed = sb_make(STORE_BLOB_PART_MAX + XAES_MARK_BYTES + 1);
    struct pg_txn *t = pg_txn(txn);
    struct pg_args a = {0};
    int r = pg_enter(t, err);

    if (r >= 0 && pg_store(txn)->vault) {
        r = pg_value_seal(t, name, part, bytes, &sealed, err);
        bytes = sb_view(&sealed);
    }
    if (r < 0)
        return r;
    pg_arg_bytes(&a, name);
    pg_arg_i64(&a, part);
    pg_arg_bytes(&a, bytes.p ? bytes : STR(""));
    return pg_send(t->conn, PG_BLOB_PUT, &a, err);
}

int pg_blob_drop(struct store_txn *txn, struct str name, struct err *err)
{
    struct pg_txn *t = pg_txn(txn);
    struct pg_args a = {0};
    int r = pg_enter(t, err);

    pg_arg_bytes(&a, name);
    return r < 0 ? r : pg_send(t->conn, PG_BLOB_DROP, &a, err);
}

int pg_blob_next(struct store_txn *txn, struct str after, struct arena *a, struct str *ret,
                 uint64_t *ret_bytes, struct err *err)
{
    struct pg_txn *t = pg_txn(txn);
    _cleanup_(pg_clearp) PGresult *res = NULL;
    int64_t mark_bytes = pg_store(txn)->vault ? XAES_MARK_BYTES : 0;
    struct str name = STR_NULL;
    struct pg_args args = {0};
    int r = pg_enter(t, err);

    pg_arg_bytes(&args, after.p ? after : STR(""));
    if (r < 0 || (r = pg_ask(t->conn, PG_BLOB_NEXT, &args, &res, err)) < 0)
        return r;
    if (PQntuples(res)) {
        name = arena_dup(a, pg_bytes(res, 0, 0));
        if (!name.p)
            return err_no_memory(err);
    }
    *ret = name;
    if (ret_bytes)
        *ret_bytes = name.p ? (uint64_t)(pg_i64(res, 0, 1) - mark_bytes * pg_i64(res, 0, 2)) : 0;
    return 0;
}
