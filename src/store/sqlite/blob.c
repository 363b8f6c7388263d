/* blob.c - large values of the node itself, in parts. */
#include "store/sqlite/sq_int.h"

static int bind_name(struct sq_txn *t, enum sq_statement id, struct str name, sqlite3_stmt **ret,
                     struct err *err)
{
    int r;

    if ((r = sq_enter(t, err)) < 0 || (r = sq_stmt(t->conn, id, ret, err)) < 0)
        return r;
    sqlite3_bind_text(*ret, 1, name.n ? name.p : "", (int)name.n, SQLITE_STATIC);
    return 0;
}

int sq_blob_get(struct store_txn *txn, struct str name, uint32_t part, struct arena *a,
                struct str *ret, struct err *err)
{
    struct sq_txn *t = sq_txn(txn);
    struct str v = STR_NULL;
    sqlite3_stmt *s;
    int r = bind_name(t, SQ_BLOB_GET, name, &s, err);

    if (r < 0)
        return r;
    sqlite3_bind_int64(s, 2, part);
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

int sq_blob_put(struct store_txn *txn, struct str name, uint32_t part, struct str bytes,
                struct err *err)
{
    struct sq_txn *t = sq_txn(txn);
    sqlite3_stmt *s;
    int r = bind_name(t, SQ_BLOB_PUT, name, &s, err);

    if (r < 0)
        return r;
    sqlite3_bind_int64(s, 2, part);
    sq_bind_blob(s, 3, bytes);
    return sq_run(t->conn, s, err);
}

int sq_blob_drop(struct store_txn *txn, struct str name, struct err *err)
{
    sqlite3_stmt *s;
    int r = bind_name(sq_txn(txn), SQ_BLOB_DROP, name, &s, err);

    return r < 0 ? r : sq_run(sq_txn(txn)->conn, s, err);
}

int sq_blob_next(struct store_txn *txn, struct str after, struct arena *a, struct str *ret,
                 uint64_t *ret_bytes, struct err *err)
{
    struct sq_txn *t = sq_txn(txn);
    struct str v = STR_NULL;
    uint64_t bytes = 0;
    sqlite3_stmt *s;
    int r = bind_name(t, SQ_BLOB_NEXT, after, &s, err);

    if (r < 0)
        return r;
    r = sq_step(t->conn, s, err);
    if (r > 0) {
        v = arena_dup(a, sq_column(s, 0));
        bytes = (uint64_t)sqlite3_column_int64(s, 1);
        sqlite3_reset(s);
        r = v.p ? 0 : err_no_memory(err);
    }
    if (r == 0) {
        *ret = v;
        if (ret_bytes)
            *ret_bytes = bytes;
    }
    return r;
}
