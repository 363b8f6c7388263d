/* upkeep.c - counts, checks; what a database's own tools do is refused with their names. */
#include "store/check_int.h"
#include "store/postgres/pg_int.h"

#include <stdlib.h>
#include <unistd.h>

#define DEAD_WAIT_MS 60000 /* for transactions that see what was removed */
#define DEAD_STEP_MS 200

int pg_stats(struct store *base, struct store_stats *ret, struct err *err)
{
    static const struct access upkeep = {.kind = ACCESS_SYSTEM, .agent = {"upkeep", 6}};
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    _cleanup_(pg_clearp) PGresult *res = NULL;
    struct pg_writer *w = &((struct pg_store *)base)->writer;
    int r = store_begin(base, &upkeep, &txn, err);

    if (r < 0 || (r = pg_enter(pg_txn(txn), err)) < 0 ||
        (r = pg_ask(pg_txn(txn)->conn, PG_STATS, NULL, &res, err)) < 0)
        return r;
    *ret = (struct store_stats){
        .rows = (uint64_t)pg_i64(res, 0, 0),
        .current = (uint64_t)pg_i64(res, 0, 1),
        .bytes = (uint64_t)pg_i64(res, 0, 2),
        .commits = atomic_load(&w->commits),
        .jobs = atomic_load(&w->jobs),
        .queued = queue_length(&w->queue),
    };
    return 0;
}

/* Each gives one text a problem. */
static const char *const agreements[] = {
    "SELECT 'version ' || v.row || ': its method and its body do not agree' FROM carnet_version v"
    " WHERE (v.method = 2) <> (v.body IS NULL)",
    "SELECT 'version ' || v.row || ': it is behind the feed''s position' FROM carnet_version v,"
    " carnet_feed f WHERE f.part = v.part AND v.row > f.row",
    "SELECT 'version ' || v.row || ': the clock went backwards' FROM (SELECT row, hlc,"
    " lag(hlc) OVER (PARTITION BY part ORDER BY row) AS last FROM carnet_version) v"
    " WHERE v.hlc <= v.last",
    "SELECT 'the feed counts ' || f.versions || ' versions, there are ' || n.n FROM carnet_feed f,"
    " LATERAL (SELECT count(*) AS n FROM carnet_version v WHERE v.part = f.part) n"
    " WHERE n.n <> f.versions",
    "SELECT 'the feed counts ' || f.live || ' resources, there are ' || n.n FROM carnet_feed f,"
    " LATERAL (SELECT count(*) AS n FROM (SELECT DISTINCT ON (v.type, v.id) v.method FROM"
    " carnet_version v WHERE v.part = f.part ORDER BY v.type, v.id, v.row DESC) newest"
    " WHERE method < 2) n WHERE n.n <> f.live",
};

/* The same of a distributed store. Counts of a whole are asked for by themselves: the feed is not
 * where the versions are. */
static const char *const sharded_agreements[] = {
    "SELECT 'version ' || v.row || ': its method and its body do not agree' FROM carnet_version v"
    " WHERE (v.method = 2) <> (v.body IS NULL)",
    "SELECT 'version ' || v.row || ': it is behind the feed''s position' FROM carnet_version v"
    " WHERE v.row > (SELECT row FROM carnet_feed)",
    "SELECT 'version ' || v.row || ': the clock went backwards' FROM (SELECT row, hlc,"
    " lag(hlc) OVER (ORDER BY row) AS last FROM carnet_version) v WHERE v.hlc <= v.last",
    "SELECT 'version ' || v.row || ': there is another of the same number' FROM carnet_version v"
    " GROUP BY v.row HAVING count(*) > 1",
    "SELECT 'the feed counts ' || f.versions || ' versions, there are ' || n.n FROM carnet_feed f,"
    " (SELECT count(*) AS n FROM carnet_version) n WHERE n.n <> f.versions",
    "SELECT 'the feed counts ' || f.live || ' resources, there are ' || n.n FROM carnet_feed f,"
    " (SELECT count(*) AS n FROM carnet_version v WHERE " SH_IS_LIVE(
        "9223372036854775807") ") n WHERE n.n <> f.live",
};

static int structure(struct check *c, struct err *err)
{
    struct pg_txn *t = pg_txn(c->txn);
    bool is_sharded = pg_store(&t->base)->is_sharded;
    size_t n = is_sharded ? ARRAY_LEN(sharded_agreements) : ARRAY_LEN(agreements);

    for (size_t i = 0; i < n; i++) {
        _cleanup_(pg_clearp) PGresult *res = NULL;
        int r = pg_exec(t->conn, is_sharded ? sharded_agreements[i] : agreements[i], &res, err);

        if (r < 0)
            return r;
        for (int k = 0; k < PQntuples(res); k++)
            check_problem(c, "%s", PQgetvalue(res, k, 0));
    }
    return 0;
}

int pg_check(struct store *st, void (*say)(void *ctx, const char *text), void *ctx, struct err *err)
{
    struct pg_store *pg = (struct pg_store *)st;
    /* The index is as of now, and the feed's end has to be as well. */
    int r = pg->is_sharded && !pg->read_only ? pg_heal(pg, err) : 0;

    return r < 0 ? r : check_run(st, structure, say, ctx, err);
}

/* What a transaction of another program still sees the server copies into a table's new files:
 * waits until there is nothing of it. Where Citus is, of what is on the coordinator. */
static int forget_dead(struct pg_conn *c, const char *table, store_backup_progress *progress,
                       void *ctx, size_t done, size_t all, struct err *err)
{
    char vacuum[40], ask[70];

    snprintf(vacuum, sizeof vacuum, "VACUUM %s", table);
    snprintf(ask, sizeof ask, "SELECT pg_stat_get_dead_tuples('%s'::regclass)", table);
    for (int waited_ms = 0; waited_ms <= DEAD_WAIT_MS; waited_ms += DEAD_STEP_MS) {
        _cleanup_(pg_clearp) PGresult *res = NULL;
        int r = pg_exec(c, vacuum, NULL, err);

        if (r < 0 || (r = pg_exec(c, ask, &res, err)) < 0)
            return r;
        if (PQntuples(res) == 1 && strcmp(PQgetvalue(res, 0, 0), "0") == 0)
            return 0;
        if (progress && !progress(ctx, done, all))
            return err_set(err, ERR_TIMEOUT, "making the store's files anew was stopped");
        usleep(DEAD_STEP_MS * 1000);
    }
    return err_set(err, ERR_CONFLICT,
                   "another program's transaction still sees what was removed "
                   "(pg_stat_activity, pg_prepared_xacts, pg_replication_slots): end it first");
}

/* The server writes each table and its indexes to new files, without what was removed, and counts
 * what there is anew: its statistics hold values too. */
int pg_remake(struct store *base, store_backup_progress *progress, void *ctx, struct err *err)
{
    static const char *const tables[] = {"carnet_version", "carnet_idx",  "carnet_term",
                                         "carnet_meta",    "carnet_blob", "carnet_agent"};
    static const char *const more[] = {"carnet_home", "carnet_guest", "carnet_person"};
    struct pg_store *st = (struct pg_store *)base;
    size_t n = ARRAY_LEN(tables), all = n + ARRAY_LEN(more);
    struct pg_conn *c = NULL;
    int r = pg_conn_new(st, &c, err);

    for (size_t i = 0; i < all && r >= 0; i++) {
        const char *name = i < n ? tables[i] : more[i - n];
        char sql[60];

        if (i >= n && !(strcmp(name, "carnet_person") == 0 ? st->vault != NULL : st->is_sharded))
            continue;
        snprintf(sql, sizeof sql, "VACUUM (FULL, ANALYZE) %s", name);
        r = forget_dead(c, name, progress, ctx, i, all, err);
        if (r >= 0)
            r = pg_exec(c, sql, NULL, err);
        if (r >= 0 && progress && !progress(ctx, i + 1, all))
            r = err_set(err, ERR_TIMEOUT, "making the store's files anew was stopped");
    }
    pg_conn_free(c);
    pg_conn_drop_all(st); /* with what they kept of owners' keys */
    return r;
}

int pg_backup(struct store *st, const char *to_dir, const char *keys_file,
              store_backup_progress *progress, void *ctx, struct err *err)
{
    (void)keys_file;
    (void)st;
    (void)to_dir;
    (void)progress;
    (void)ctx;
    return err_set(err, ERR_NOT_SUPPORTED,
                   "a store in PostgreSQL is copied by pg_basebackup or pg_dump");
}
