#include "store/postgres/pg_int.h"

#include "base/clock.h"
#include "base/rng.h"
#include "vault/master.h"

#include <stdlib.h>

#define LACKS_MAX 300 /* of the names of columns */

/* docs/formats/store-postgresql.md says what each column means and why it is so. */
static const char schema[] =
    "CREATE TABLE carnet_meta (name text COLLATE \"C\" PRIMARY KEY, value bytea NOT NULL);"
    "CREATE TABLE carnet_origin (n int4 PRIMARY KEY, value int8 NOT NULL);"
    "CREATE TABLE carnet_agent (n int4 PRIMARY KEY, text bytea NOT NULL UNIQUE);"
    "CREATE TABLE carnet_term (k bytea PRIMARY KEY);"
    "CREATE TABLE carnet_multi (list int4 PRIMARY KEY);"
    "CREATE TABLE carnet_blob (name bytea NOT NULL, piece int4 NOT NULL, bytes bytea NOT NULL,"
    " PRIMARY KEY (name, piece));"
    "ALTER TABLE carnet_blob ALTER COLUMN bytes SET STORAGE EXTERNAL;";

/* Index-only walks need pages that are known to be seen by all: vacuum often. */
#define OFTEN_VACUUMED \
    " WITH (autovacuum_vacuum_insert_threshold = 20000, autovacuum_vacuum_insert_scale_factor =" \
    " 0.02, autovacuum_vacuum_scale_factor = 0.02);"
#define FEED_COLUMNS \
    "part int2 PRIMARY KEY, row int8 NOT NULL, hlc int8 NOT NULL, versions int8 NOT NULL," \
    " live int8 NOT NULL, epoch int8 NOT NULL"

/* Each way in is written in words of its own, which a statement has to use: so a planner without
 * statistics, or with old ones, has nothing to choose from. */
static const char plain[] =
    "CREATE TABLE carnet_feed (" FEED_COLUMNS ") WITH (fillfactor = 20);"
    "INSERT INTO carnet_feed VALUES (0, 0, 0, 0, 0, 0);"
    "CREATE TABLE carnet_version (row int8 NOT NULL, hlc int8 NOT NULL, parent int8 NOT NULL,"
    " origin int4 NOT NULL, agent int4 NOT NULL, part int2 NOT NULL, type int2 NOT NULL,"
    " method int2 NOT NULL, id bytea NOT NULL, body bytea, PRIMARY KEY (part, row));"
    "ALTER TABLE carnet_version ALTER COLUMN body SET STORAGE EXTERNAL;"
    "CREATE INDEX carnet_version_id ON carnet_version (part, (type::int4), id, (row + 0));"
    "CREATE INDEX carnet_version_type ON carnet_version (part, (type::int8), (row - 0));"
    "CREATE TABLE carnet_idx (part int2 NOT NULL, k bytea NOT NULL, PRIMARY KEY (part, "
    "k))" OFTEN_VACUUMED;

/* Of an encrypted store, besides (sealed.c). The database's statistics would keep keys and ids of
 * people in its own tables, where erasing does not reach; no plan needs them. */
static const char sealed[] =
    "CREATE TABLE carnet_person (n int8 PRIMARY KEY, owner bytea UNIQUE, mark bytea, key bytea);"
    "ALTER TABLE carnet_person ALTER owner SET STATISTICS 0, ALTER mark SET STATISTICS 0,"
    " ALTER key SET STATISTICS 0;"
    "ALTER TABLE carnet_version ALTER id SET STATISTICS 0;"
    "ALTER TABLE carnet_idx ALTER k SET STATISTICS 0;"
    "ALTER TABLE carnet_term ALTER k SET STATISTICS 0;"
    "ALTER TABLE carnet_blob ALTER name SET STATISTICS 0;";

/* Everything of a resource in the shard of its home; the rest stays on the coordinator. The feed is
 * a table that Citus knows, so that every group commits in two phases. */
static const char distributed[] =
    "SET LOCAL citus.multi_shard_modify_mode = 'sequential';"
    "CREATE TABLE carnet_feed (" FEED_COLUMNS ", seen int8 NOT NULL) WITH (fillfactor = 20);"
    "INSERT INTO carnet_feed VALUES (0, 0, 0, 0, 0, 0, 0);"
    "SELECT citus_add_local_table_to_metadata('carnet_feed');"
    "CREATE TABLE carnet_version (row int8 NOT NULL, hlc int8 NOT NULL, parent int8 NOT NULL,"
    " origin int4 NOT NULL, agent int4 NOT NULL, home int4 NOT NULL, type int2 NOT NULL,"
    " method int2 NOT NULL, id bytea NOT NULL, body bytea, PRIMARY KEY (row, home));"
    "ALTER TABLE carnet_version ALTER COLUMN body SET STORAGE EXTERNAL;"
    "CREATE INDEX carnet_version_id ON carnet_version ((type::int4), id, home, (row + 0));"
    "CREATE INDEX carnet_version_type ON carnet_version ((type::int8), (row - 0));"
    "CREATE INDEX carnet_version_hlc ON carnet_version (hlc);"
    "CREATE TABLE carnet_idx (home int4 NOT NULL, k bytea NOT NULL, PRIMARY KEY (k, "
    "home))" OFTEN_VACUUMED "CREATE TABLE carnet_home (k bytea PRIMARY KEY, home int4 NOT NULL);"
    "CREATE TABLE carnet_guest (k bytea NOT NULL, home int4 NOT NULL, PRIMARY KEY (k, home));";
static const char sealed_homes[] = "ALTER TABLE carnet_home ALTER k SET STATISTICS 0;"
                                   "ALTER TABLE carnet_guest ALTER k SET STATISTICS 0;";
static const char spread[] =
    "SELECT create_distributed_table('carnet_version', 'home', colocate_with := 'none'),"
    " create_distributed_table('carnet_idx', 'home', colocate_with := 'carnet_version'),"
    " create_distributed_table('carnet_home', 'k', colocate_with := 'none'),"
    " create_distributed_table('carnet_guest', 'k', colocate_with := 'carnet_home');";

/* What workers plan by, on connections that the coordinator makes for this role. */
static const char worker_settings[] =
    "DO $do$ DECLARE name text; BEGIN FOREACH name IN ARRAY ARRAY['enable_seqscan',"
    " 'enable_bitmapscan', 'enable_hashjoin', 'enable_mergejoin', 'enable_material',"
    " 'enable_memoize', 'enable_incremental_sort', 'jit'] LOOP EXECUTE format('ALTER ROLE %I IN"
    " DATABASE %I SET %I = off', current_user, current_database(), name); END LOOP; END $do$;";

static int meta_i64(struct pg_conn *c, const char *name, int64_t absent, int64_t *ret,
                    struct err *err)
{
    _cleanup_(pg_clearp) PGresult *res = NULL;
    struct pg_args a = {0};
    char text[24];
    struct str v;
    int r;

    pg_arg_bytes(&a, str_c(name));
    if ((r = pg_ask(c, PG_META_GET, &a, &res, err)) < 0)
        return r;
    *ret = absent;
    if (!PQntuples(res))
        return 0;
    v = str_head(pg_bytes(res, 0, 0), sizeof text - 1);
    memcpy(text, v.p, v.n);
    text[v.n] = '\0';
    *ret = strtoll(text, NULL, 10);
    return 0;
}

/* One value that a statement gives. */
static int ask_text(struct pg_conn *c, const char *sql, char *ret, size_t max, struct err *err)
{
    _cleanup_(pg_clearp) PGresult *res = NULL;
    int r = pg_exec(c, sql, &res, err);

    if (r < 0)
        return r;
    snprintf(ret, max, "%s", PQntuples(res) ? PQgetvalue(res, 0, 0) : "");
    return 0;
}

/* Whether the first schema of the search path holds a store. */
static int has_store(struct pg_conn *c, bool *ret, struct err *err)
{
    char text[8];
    int r = ask_text(c, "SELECT to_regclass('carnet_meta') IS NOT NULL", text, sizeof text, err);

    *ret = r >= 0 && text[0] == 't';
    return r;
}

/* What of a store's columns is missing: tables of its names may be somebody else's. */
static const char lacks[] =
    "SELECT coalesce(string_agg(c, ', '), '') FROM unnest(ARRAY['carnet_meta.name',"
    " 'carnet_meta.value', 'carnet_origin.value', 'carnet_agent.text', 'carnet_term.k',"
    " 'carnet_multi.list', 'carnet_blob.bytes', 'carnet_feed.epoch', 'carnet_version.parent',"
    " 'carnet_version.body', 'carnet_idx.k']) c WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE"
    " attrelid = to_regclass(split_part(c, '.', 1)) AND attname = split_part(c, '.', 2))";

static const char has_citus[] = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')";

/* What loses acknowledged writes when the power fails must be asked for by name. */
static int check_durable(struct pg_store *st, struct pg_conn *c, struct err *err)
{
    static const char *const names[] = {"fsync", "synchronous_commit", "full_page_writes"};

    for (size_t i = 0; i < ARRAY_LEN(names) && !st->allow_unsafe; i++) {
        char sql[60], text[32];
        int r;

        snprintf(sql, sizeof sql, "SHOW %s", names[i]);
        if ((r = ask_text(c, sql, text, sizeof text, err)) < 0)
            return r;
        if (strcmp(text, "off") == 0)
            return err_set(err, ERR_NO_STORE,
                           "the database has %s = off, which loses acknowledged writes when the "
                           "power fails (--store-unsafe allows it)",
                           names[i]);
    }
    return 0;
}

int pg_schema_create(struct pg_conn *c, const struct store_config *config, struct err *err)
{
    _cleanup_(sb_done) struct sb sql = sb_make(KIB(16));
    bool is_sealed = master_is_named(config->key_file), is_sharded, exists;
    unsigned char keys[VAULT_KEYS_BYTES];
    char encoding[32], citus[8];
    uint64_t origin;
    int r;

    if ((r = has_store(c, &exists, err)) < 0 || (r = check_durable(c->st, c, err)) < 0 ||
        (r = ask_text(c, has_citus, citus, sizeof citus, err)) < 0 ||
        (r = ask_text(c, "SHOW server_encoding", encoding, sizeof encoding, err)) < 0)
        return r;
    if (exists)
        return err_set(err, ERR_CONFLICT, "the database already holds a store");
    if (strcmp(encoding, "UTF8") != 0 && strcmp(encoding, "SQL_ASCII") != 0)
        return err_set(err, ERR_NO_STORE, "the database's encoding is %s and must be UTF8",
                       encoding);
    if (is_sealed && (r = vault_make(config->key_file, keys, err)) < 0)
        return r;
    is_sharded = citus[0] == 't';
    rng_secure(&origin, sizeof origin);
    sb_lit(&sql, "BEGIN;");
    sb_str(&sql, str_c(schema));
    sb_str(&sql, str_c(is_sharded ? distributed : plain));
    if (is_sealed) {
        sb_str(&sql, str_c(sealed));
        sb_str(&sql, str_c(is_sharded ? sealed_homes : ""));
        sb_lit(&sql, "INSERT INTO carnet_meta VALUES ('" PG_META_KEYS "', '\\x");
        for (size_t i = 0; i < sizeof keys; i++)
            sb_fmt(&sql, "%02x", keys[i]);
        sb_lit(&sql, "');");
    }
    sb_str(&sql, str_c(is_sharded ? spread : ""));
    sb_fmt(&sql, "INSERT INTO carnet_origin VALUES (0, %llu);",
           (unsigned long long)(origin & ((UINT64_C(1) << 40) - 1)));
    sb_fmt(&sql,
           "INSERT INTO carnet_meta VALUES ('schema', '%d'), ('index', '%d'), ('content', '%d'),"
           " ('timezone', '%d'), ('created', '%lld'); COMMIT",
           (is_sharded ? PG_SCHEMA_SHARDED : PG_SCHEMA_PLAIN) + (is_sealed ? PG_SCHEMA_SEALED : 0),
           STORE_INDEX_VERSION, config->index.content, config->index.tz_minutes,
           (long long)clock_now_ms());
    sb_char(&sql, '\0');
    if ((r = sb_ok(&sql, err)) < 0)
        return r;
    r = pg_exec(c, sql.p, NULL, err);
    if (r == 0 && is_sharded)
        r = pg_exec(c, worker_settings, NULL, err);
    if (r < 0)
        pg_exec(c, "ROLLBACK", NULL, NULL);
    return r;
}

/* From here on statements are those of a distributed store. */
static int open_sharded(struct pg_store *st, struct pg_conn *c, struct err *err)
{
    char citus[8];
    int r = ask_text(c, has_citus, citus, sizeof citus, err);

    if (r == 0 && citus[0] != 't')
        r = err_set(err, ERR_NO_STORE,
                    "the store is distributed, and the database has no extension citus");
    if (r == 0 && !(st->base_params = params_base(err)))
        r = err->code;
    if (r == 0 && !st->is_pooled)
        r = pg_exec(c, pg_sharded_settings, NULL, err);
    st->is_sharded = st->base.lists.may_lag = r == 0;
    st->base.scan = &pg_whole_scan_ops;
    return r;
}

static int check_versions(struct pg_store *st, struct pg_conn *c, const char *key_file,
                          struct err *err)
{
    int64_t version = 0, index, tz, content;
    char missing[LACKS_MAX];
    bool exists, is_sealed;
    int r;

    if ((r = has_store(c, &exists, err)) < 0 ||
        (r = ask_text(c, lacks, missing, sizeof missing, err)) < 0)
        return r;
    if (!exists)
        return err_set(err, ERR_NOT_FOUND,
                       "the database holds no store (carnet init --store makes one)");
    if (!strstr(missing, "carnet_meta") && (r = meta_i64(c, "schema", 0, &version, err)) < 0)
        return r;
    /* Before the version is told: tables that are not a store's have none. */
    if (missing[0] && version >= 0 && version <= PG_SCHEMA_LAST)
        return err_set(err, ERR_NO_STORE,
                       "the database's tables are not those of a store: it lacks %s", missing);
    if (version < PG_SCHEMA_PLAIN || version > PG_SCHEMA_LAST)
        return err_set(err, ERR_NO_STORE,
                       "the database's store has format %lld, %s; this program knows formats %d "
                       "to %d",
                       (long long)version,
                       version < 1 ? "which never was" : "of a newer version of carnet",
                       PG_SCHEMA_PLAIN, PG_SCHEMA_LAST);
    is_sealed = version > PG_SCHEMA_SHARDED;
    version -= is_sealed ? PG_SCHEMA_SEALED : 0;
    if (version == PG_SCHEMA_SHARDED && (r = open_sharded(st, c, err)) < 0)
        return r;
    if ((r = pg_keys_open(st, c, is_sealed, key_file, err)) < 0)
        return r;
    if ((r = meta_i64(c, "index", 0, &index, err)) < 0 ||
        (r = meta_i64(c, "content", 0, &content, err)) < 0 ||
        (r = meta_i64(c, "timezone", 0, &tz, err)) < 0)
        return r;
    return store_index_made(&st->base, index, content != 0, tz, err);
}

static int load_origins(struct pg_store *st, struct pg_conn *c, struct err *err)
{
    _cleanup_(pg_clearp) PGresult *res = NULL;
    int r = pg_ask(c, PG_ORIGINS, NULL, &res, err), n;

    if (r < 0)
        return r;
    n = PQntuples(res);
    if (n == 0 || n > PG_ORIGINS_MAX)
        return err_set(err, ERR_NO_STORE, "the store has no identity");
    for (int i = 0; i < n; i++) {
        if (pg_i64(res, i, 0) != i)
            return err_set(err, ERR_NO_STORE, "the store's list of nodes is damaged");
        st->origins[i] = (uint64_t)pg_i64(res, i, 1);
    }
    st->n_origins = (unsigned)n;
    return 0;
}

int pg_load_lists(struct pg_store *st, struct pg_conn *c, struct err *err)
{
    _cleanup_(pg_clearp) PGresult *res = NULL;
    int r = pg_ask(c, PG_MULTI, NULL, &res, err);

    if (r < 0)
        return r;
    for (int i = 0; i < PQntuples(res); i++)
        list_set_multi(&st->base.lists, (uint16_t)pg_i64(res, i, 0));
    /* Expunging on another node moves no position. */
    hints_clear(&st->base.lists);
    return 0;
}

static const struct access upkeep = {.kind = ACCESS_SYSTEM, .agent = {"upkeep", 6}};

/* Under the lock: the lists first, then whatever the process above makes of the store. */
static int reload(struct pg_txn *t, uint64_t epoch, struct err *err)
{
    struct pg_store *st = pg_store(&t->base);
    struct access who = t->base.who;
    int r;

    if (epoch <= atomic_load(&st->epoch))
        return 0;
    r = pg_load_lists(st, t->conn, err);
    /* What the process keeps is everybody's, whoever's transaction meets the change. */
    t->base.who = upkeep;
    if (r == 0 && st->base.reload)
        r = st->base.reload(st->base.reload_ctx, &t->base, err);
    t->base.who = who;
    if (r == 0)
        atomic_store(&st->epoch, epoch);
    return r;
}

int pg_meet_epoch(struct pg_txn *t, uint64_t epoch, struct err *err)
{
    struct pg_store *st = pg_store(&t->base);
    int r;

    /* A snapshot older than what is in memory changes nothing. */
    if (epoch <= atomic_load(&st->epoch))
        return 0;
    pthread_mutex_lock(&st->base.reload_lock);
    r = reload(t, epoch, err);
    pthread_mutex_unlock(&st->base.reload_lock);
    return r;
}

int pg_schema_open(struct pg_store *st, struct pg_conn *c, const char *key_file, struct err *err)
{
    _cleanup_(pg_clearp) PGresult *res = NULL;
    int r = check_versions(st, c, key_file, err);

    if (r < 0 || (r = check_durable(st, c, err)) < 0 || (r = load_origins(st, c, err)) < 0 ||
        (r = pg_ask(c, PG_FEED, NULL, &res, err)) < 0)
        return r;
    if (PQntuples(res) != 1)
        return err_set(err, ERR_NO_STORE, "the store has no feed");
    atomic_store(&st->epoch, (uint64_t)pg_i64(res, 0, 1));
    return pg_load_lists(st, c, err);
}
