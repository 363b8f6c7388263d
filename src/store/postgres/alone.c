/* alone.c - who is here. Each process that may write holds a lock of its session, with the others;
 * one that must be alone holds the same lock for itself. A pooler of transactions keeps no
 * sessions: behind one nobody is counted, and nobody can be alone.
 */
#include "store/postgres/pg_int.h"

/* 1, or 0 where the lock is held by another. */
static int try(struct pg_conn *c, enum pg_statement id, struct err *err)
{
    _cleanup_(pg_clearp) PGresult *res = NULL;
    int r = pg_ask(c, id, NULL, &res, err);

    if (r < 0)
        return r;
    return PQntuples(res) == 1 && PQgetlength(res, 0, 0) == 1 && *PQgetvalue(res, 0, 0);
}

int pg_be_here(struct pg_conn *c, struct err *err)
{
    struct pg_store *st = c->st;
    int r;

    if (st->is_pooled || st->read_only)
        return 0;
    r = try(c, st->is_alone ? PG_ALONE : PG_HERE, err);
    return r == 0 ? err_set(err, ERR_BUSY, "another process has the store for itself, to index it")
                  : MIN(r, 0);
}

static int run_alone(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct pg_store *st = pg_store(txn);
    struct pg_conn *c = pg_txn(txn)->conn;
    struct err unused;
    int r;

    (void)job;
    if ((r = try(c, PG_NOT_HERE, err)) < 0 || (r = try(c, PG_ALONE, err)) < 0)
        return r;
    st->is_alone = r > 0;
    if (st->is_alone)
        return 0;
    r = pg_be_here(c, &unused);
    return r < 0 ? r
                 : err_set(err, ERR_CONFLICT,
                           "other processes use the store: stop them, and try again");
}

int pg_alone(struct store *base, struct err *err)
{
    struct pg_store *st = (struct pg_store *)base;
    static const struct access upkeep = {
        .kind = ACCESS_SYSTEM, .agent = {"upkeep", 6}, .may_write = true};
    struct store_job job = {.run = run_alone, .who = &upkeep};

    if (st->is_pooled)
        return err_set(err, ERR_CONFLICT,
                       "behind a pooler nobody can tell who else uses the store: name the "
                       "database itself");
    return st->is_alone ? 0 : store_write(base, &job, err);
}
