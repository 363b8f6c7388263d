/* persons.c - the table of owners' keys (store/persons.h), and what each connection keeps of it. */
#include "store/sqlite/sq_int.h"

/* What a statement's row has at `at` and behind: mark and key. */
static int take(sqlite3_stmt *s, int at, struct person_key *ret, struct err *err)
{
    struct str mark = sq_column(s, at), sealed = sq_column(s, at + 1);

    ret->is_here = sqlite3_column_type(s, at) != SQLITE_NULL;
    if (!ret->is_here)
        return 1;
    if (mark.n != sizeof ret->mark || sealed.n != sizeof ret->sealed)
        return err_set(err, ERR_NO_STORE, "the key number %llu of the store is damaged",
                       (unsigned long long)ret->n);
    memcpy(ret->mark, mark.p, sizeof ret->mark);
    memcpy(ret->sealed, sealed.p, sizeof ret->sealed);
    return 1;
}

static int by_number(void *ctx, uint64_t n, struct person_key *ret, struct err *err)
{
    struct sq_txn *t = ctx;
    sqlite3_stmt *s;
    int r = sq_stmt(t->conn, SQ_PERSON_KEY, &s, err);

    if (r < 0)
        return r;
    sqlite3_bind_int64(s, 1, (int64_t)n);
    if ((r = sq_step(t->conn, s, err)) <= 0)
        return r;
    ret->n = n;
    r = take(s, 0, ret, err);
    sqlite3_reset(s);
    return r;
}

static int last(struct sq_txn *t, uint64_t *ret, struct err *err)
{
    sqlite3_stmt *s;
    int r = sq_stmt(t->conn, SQ_PERSON_LAST, &s, err);

    if (r < 0 || (r = sq_step(t->conn, s, err)) < 0)
        return r;
    *ret = (uint64_t)sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return 0;
}

static int by_owner(void *ctx, struct str owner, struct person_key *ret, struct err *err)
{
    struct sq_txn *t = ctx;
    sqlite3_stmt *s;
    int r = sq_stmt(t->conn, SQ_PERSON, &s, err);

    if (r < 0)
        return r;
    sq_bind_blob(s, 1, owner);
    if ((r = sq_step(t->conn, s, err)) < 0)
        return r;
    if (r == 0)
        return last(t, &ret->n, err);
    ret->n = (uint64_t)sqlite3_column_int64(s, 0);
    r = take(s, 1, ret, err);
    sqlite3_reset(s);
    return r;
}

static int put(void *ctx, const struct person_key *key, struct str owner, struct err *err)
{
    struct sq_txn *t = ctx;
    sqlite3_stmt *s;
    int r = sq_stmt(t->conn, SQ_PUT_PERSON, &s, err);

    if (r < 0)
        return r;
    sqlite3_bind_int64(s, 1, (int64_t)key->n);
    sq_bind_blob(s, 2, owner);
    sq_bind_blob(s, 3, str_n((const char *)key->mark, sizeof key->mark));
    sq_bind_blob(s, 4, str_n((const char *)key->sealed, sizeof key->sealed));
    return sq_run(t->conn, s, err);
}

static int persons_of(struct sq_conn *c, struct persons **ret, struct err *err)
{
    static const struct persons_table table = {by_number, by_owner, put};
    int r = c->persons ? 0 : persons_new(c->st->vault, &table, false, &c->persons, err);

    *ret = c->persons;
    return r;
}

int sq_body_seal(struct sq_txn *t, const struct put *put, uint64_t hlc, struct str *ret,
                 struct err *err)
{
    struct persons *p;
    int r = persons_of(t->conn, &p, err);

    return r < 0 ? r : persons_seal(p, t, put, hlc, ret, err);
}

int sq_body_open(struct sq_txn *t, struct row *row, struct err *err)
{
    struct persons *p;
    int r = persons_of(t->conn, &p, err);

    return r < 0 ? r : persons_open(p, t, row, err);
}

int sq_key_unseal(struct sq_txn *t, uint64_t n, sqlite3_stmt *s, int at,
                  unsigned char ret[XAES_KEY_BYTES], struct err *err)
{
    struct person_key key = {.n = n};
    struct persons *p;
    int r = persons_of(t->conn, &p, err);

    if (r < 0 || (r = take(s, at, &key, err)) < 0)
        return r;
    assert(key.is_here);
    return persons_unseal_key(p, &key, ret, err);
}

int sq_key_put(struct sq_txn *t, uint64_t n, struct str owner,
               const unsigned char key[XAES_KEY_BYTES], struct err *err)
{
    struct persons *p;
    int r = persons_of(t->conn, &p, err);

    return r < 0 ? r : persons_put_key(p, t, n, owner, key, err);
}
