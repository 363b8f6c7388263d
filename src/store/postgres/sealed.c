/* sealed.c - an encrypted store: bodies under keys of their owners (store/persons.h), large values
 * of the node itself under the data key. PostgreSQL has pages of its own, so nothing is sealed
 * below: what it sorts by stays clear (docs/decisions/0066).
 *
 * What carnet.keys is for a folder stands in carnet_meta, the owners' keys in carnet_person; both
 * on the coordinator where Citus is.
 */
#include "store/postgres/pg_int.h"

#include "base/fault.h"

#define VALUES_USE "carnet values"
#define ABOUT_VALUE_MAX (4 + STORE_BLOB_NAME_MAX)

/* ---- the table of owners' keys ---- */

/* Columns `at` and behind: mark and key. */
static int take(const PGresult *res, int at, uint64_t n, struct person_key *ret, struct err *err)
{
    struct str mark = pg_bytes(res, 0, at), sealed = pg_bytes(res, 0, at + 1);

    *ret = (struct person_key){.n = n, .is_here = !PQgetisnull(res, 0, at)};
    if (!ret->is_here)
        return 1;
    if (mark.n != sizeof ret->mark || sealed.n != sizeof ret->sealed)
        return err_set(err, ERR_NO_STORE, "the key number %llu of the store is damaged",
                       (unsigned long long)n);
    memcpy(ret->mark, mark.p, sizeof ret->mark);
    memcpy(ret->sealed, sealed.p, sizeof ret->sealed);
    return 1;
}

static int by_number(void *ctx, uint64_t n, struct person_key *ret, struct err *err)
{
    struct pg_txn *t = ctx;
    _cleanup_(pg_clearp) PGresult *res = NULL;
    struct pg_args a = {0};
    int r;

    pg_arg_i64(&a, (int64_t)n);
    r = pg_ask(t->conn, PG_PERSON_KEY, &a, &res, err);
    return r < 0 || !PQntuples(res) ? r : take(res, 0, n, ret, err);
}

static int by_owner(void *ctx, struct str owner, struct person_key *ret, struct err *err)
{
    struct pg_txn *t = ctx;
    _cleanup_(pg_clearp) PGresult *res = NULL;
    struct pg_args a = {0};
    int r;

    pg_arg_bytes(&a, owner);
    if ((r = pg_ask(t->conn, PG_PERSON, &a, &res, err)) < 0)
        return r;
    if (!PQgetisnull(res, 0, 1))
        return take(res, 2, (uint64_t)pg_i64(res, 0, 1), ret, err);
    ret->n = (uint64_t)pg_i64(res, 0, 0);
    return 0;
}

static int put(void *ctx, const struct person_key *key, struct str owner, struct err *err)
{
    struct pg_txn *t = ctx;
    struct pg_args a = {0};

    pg_arg_i64(&a, (int64_t)key->n);
    pg_arg_bytes(&a, owner);
    pg_arg_bytes(&a, str_n((const char *)key->mark, sizeof key->mark));
    pg_arg_bytes(&a, str_n((const char *)key->sealed, sizeof key->sealed));
    return pg_send(t->conn, PG_PUT_PERSON, &a, err);
}

static int persons_of(struct pg_conn *c, struct persons **ret, struct err *err)
{
    static const struct persons_table table = {by_number, by_owner, put};
    int r = c->persons ? 0 : persons_new(c->st->vault, &table, true, &c->persons, err);

    *ret = c->persons;
    return r;
}

/* ---- bodies ---- */

int pg_body_seal(struct pg_txn *t, const struct put *put, uint64_t hlc, struct str *ret,
                 struct err *err)
{
    struct persons *p;
    int r;

    *ret = put->sealed;
    if (!pg_store(&t->base)->vault)
        return 0;
    r = persons_of(t->conn, &p, err);
    return r < 0 ? r : persons_seal(p, t, put, hlc, ret, err);
}

int pg_body_open(struct pg_txn *t, struct row *row, struct err *err)
{
    struct persons *p;
    int r;

    if (!pg_store(&t->base)->vault)
        return 0;
    r = persons_of(t->conn, &p, err);
    return r < 0 ? r : persons_open(p, t, row, err);
}

int pg_forget_owner(struct store_txn *txn, struct str owner, struct err *err)
{
    struct pg_txn *t = pg_txn(txn);
    struct pg_args a = {0};
    int r = pg_enter(t, err);

    if (r < 0 || !pg_store(txn)->vault)
        return r;
    persons_forget(t->conn->persons);
    pg_arg_bytes(&a, owner);
    return pg_send(t->conn, PG_FORGET_PERSON, &a, err);
}

/* ---- large values ---- */

static int values_of(struct pg_conn *c, struct xaes **ret, struct err *err)
{
    int r = c->values ? 0 : vault_sealer(c->st->vault, VALUES_USE, &c->values, err);

    *ret = c->values;
    return r;
}

/* Which value it is, so that none stands for another. */
static struct str about_value(struct str name, uint32_t part, unsigned char to[ABOUT_VALUE_MAX])
{
    size_t n = MIN(name.n, (size_t)STORE_BLOB_NAME_MAX);

    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(part >> (24 - 8 * i));
    if (n)
        memcpy(to + 4, name.p, n);
    return str_n((char *)to, 4 + n);
}

int pg_value_seal(struct pg_txn *t, struct str name, uint32_t part, struct str bytes,
                  struct sb *ret, struct err *err)
{
    unsigned char about[ABOUT_VALUE_MAX], mark[XAES_MARK_BYTES] = {0};
    struct xaes *x;
    char *to;
    int r = values_of(t->conn, &x, err);

    if (r < 0)
        return r;
    sb_str(ret, str_n((char *)mark, sizeof mark));
    to = sb_room(ret, bytes.n);
    if (!to)
        return err_no_memory(err);
    r = xaes_seal(x, about_value(name, part, about), bytes.p, bytes.n, to, mark, err);
    if (r < 0)
        return r;
    memcpy(ret->p, mark, sizeof mark);
    sb_add(ret, bytes.n);
    return 0;
}

int pg_value_open(struct pg_txn *t, struct str name, uint32_t part, struct str *bytes,
                  struct err *err)
{
    unsigned char about[ABOUT_VALUE_MAX];
    char *p = (char *)(uintptr_t)bytes->p;
    size_t n = bytes->n - MIN(bytes->n, (size_t)XAES_MARK_BYTES);
    struct xaes *x;
    int r = values_of(t->conn, &x, err);

    if (r >= 0)
        r = bytes->n < XAES_MARK_BYTES
                ? ERR_INVALID
                : xaes_open(x, about_value(name, part, about), p + XAES_MARK_BYTES, n,
                            p + XAES_MARK_BYTES, (const unsigned char *)p, err);
    if (r == ERR_INVALID)
        return err_set(err, ERR_NO_STORE, "a value of the store is damaged");
    if (r >= 0)
        *bytes = str_n(p + XAES_MARK_BYTES, n);
    return r;
}

/* ---- the store's own keys ---- */

int pg_keys_open(struct pg_store *st, struct pg_conn *c, bool is_sealed, const char *key_file,
                 struct err *err)
{
    _cleanup_(pg_clearp) PGresult *res = NULL;
    struct pg_args a = {0};
    int r = 0;

    pg_arg_bytes(&a, STR(PG_META_KEYS));
    if (is_sealed && (r = pg_ask(c, PG_META_GET, &a, &res, err)) < 0)
        return r;
    if (is_sealed && !PQntuples(res))
        return err_set(err, ERR_NO_STORE, "the keys of the store in the database are gone");
    return vault_open_keys(is_sealed ? pg_bytes(res, 0, 0) : STR_NULL, key_file, "the database",
                           &st->vault, err);
}

struct rotate_job {
    struct store_job job;
    const unsigned char *keys;
};

static int run_rotate(struct store_txn *txn, struct store_job *job, struct err *err)
{
    const char *keys = (const char *)((struct rotate_job *)job)->keys;

    return pg_meta_set(txn, PG_META_KEYS, str_n(keys, VAULT_KEYS_BYTES), err);
}

int pg_rotate(struct store *base, const char *new_key_file, struct err *err)
{
    static const struct access upkeep = {
        .kind = ACCESS_SYSTEM, .agent = {"upkeep", 6}, .may_write = true};
    struct pg_store *st = (struct pg_store *)base;
    unsigned char keys[VAULT_KEYS_BYTES];
    struct rotate_job job = {.job = {.run = run_rotate, .who = &upkeep}, .keys = keys};
    int r;

    if (!st->vault)
        return err_set(err, ERR_VALUE, "the store in the database is not encrypted");
    r = vault_seal(st->vault, new_key_file, keys, err);
    return r < 0 ? r : store_write(base, &job.job, err);
}
