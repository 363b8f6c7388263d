#include "store/sqlite/sq_int.h"

#include "base/clock.h"

#include <stdlib.h>

#define SQ_BLOB_TABLE                                                                              \
    "CREATE TABLE blob (name TEXT NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL,"           \
    " PRIMARY KEY (name, part)) STRICT;"

#define SQ_PERSON_TABLE                                                                            \
    "CREATE TABLE person (n INTEGER PRIMARY KEY, owner BLOB UNIQUE, mark BLOB, key BLOB) STRICT;"

/* docs/formats/store.md says what each column means and why it is so. */
static const char schema[] =
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID, STRICT;"
    "CREATE TABLE origin (n INTEGER PRIMARY KEY, value INTEGER NOT NULL) STRICT;"
    "CREATE TABLE symbol (n INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE version (row INTEGER PRIMARY KEY, type INTEGER NOT NULL, id BLOB NOT NULL,"
    " hlc INTEGER NOT NULL, origin INTEGER NOT NULL, agent INTEGER NOT NULL,"
    " parent INTEGER NOT NULL, flags INTEGER NOT NULL, body BLOB) STRICT;"
    "CREATE INDEX dead ON version (type) WHERE flags >= 2;"
    "CREATE TABLE resource (type INTEGER NOT NULL, id BLOB NOT NULL, row INTEGER NOT NULL,"
    " PRIMARY KEY (type, id)) WITHOUT ROWID, STRICT;"
    "CREATE TABLE history (type INTEGER NOT NULL, id BLOB NOT NULL, hlc INTEGER NOT NULL,"
    " origin INTEGER NOT NULL, row INTEGER NOT NULL,"
    " PRIMARY KEY (type, id, hlc, origin)) WITHOUT ROWID, STRICT;"
    "CREATE TABLE idx (k BLOB PRIMARY KEY) WITHOUT ROWID, STRICT;"
    "CREATE TABLE term (k BLOB PRIMARY KEY) WITHOUT ROWID, STRICT;"
    "CREATE TABLE multi (param INTEGER PRIMARY KEY) STRICT;" SQ_BLOB_TABLE SQ_PERSON_TABLE;

static int add_blobs(struct sq_conn *c, struct err *err)
{
    return sq_exec(c->db, SQ_BLOB_TABLE, err);
}

static int add_persons(struct sq_conn *c, struct err *err)
{
    return sq_exec(c->db, SQ_PERSON_TABLE, err);
}

/* Steps from each schema version to the next: upgrades[i] makes i + 2 of i + 1. */
static int (*const upgrades[])(struct sq_conn *c, struct err *err) = {add_blobs, add_persons, NULL};

_Static_assert(ARRAY_LEN(upgrades) == SQ_SCHEMA_VERSION, "one step for each version but the first");

static int meta_set(struct sq_conn *c, const char *name, struct str value, struct err *err)
{
    sqlite3_stmt *s;
    int r = sq_stmt(c, SQ_META_SET, &s, err);

    if (r < 0)
        return r;
    sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
    sq_bind_blob(s, 2, value);
    return sq_run(c, s, err);
}

static int meta_set_i64(struct sq_conn *c, const char *name, int64_t v, struct err *err)
{
    char text[24];

    snprintf(text, sizeof text, "%lld", (long long)v);
    return meta_set(c, name, str_c(text), err);
}

/* A number of the meta table, `absent` if it is not set. */
static int meta_i64(struct sq_conn *c, const char *name, int64_t absent, int64_t *ret,
                    struct err *err)
{
    sqlite3_stmt *s;
    char text[24];
    struct str v;
    int r = sq_stmt(c, SQ_META_GET, &s, err);

    if (r < 0)
        return r;
    sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
    r = sq_step(c, s, err);
    if (r < 0)
        return r;
    *ret = absent;
    if (r == 0)
        return 0;
    v = str_head(sq_column(s, 0), sizeof text - 1);
    memcpy(text, v.p, v.n);
    text[v.n] = '\0';
    *ret = strtoll(text, NULL, 10);
    sqlite3_reset(s);
    return 0;
}

static uint64_t random_origin(void)
{
    uint64_t v;

    rng_secure(&v, sizeof v);
    return v & ((UINT64_C(1) << 40) - 1);
}

static int put_origin(struct sq_conn *c, int64_t n, uint64_t value, struct err *err)
{
    sqlite3_stmt *s;
    int r = sq_stmt(c, SQ_PUT_ORIGIN, &s, err);

    if (r < 0)
        return r;
    sqlite3_bind_int64(s, 1, n);
    sqlite3_bind_int64(s, 2, (int64_t)value);
    return sq_run(c, s, err);
}

int sq_schema_shape(sqlite3 *db, const char *journal, struct err *err)
{
    int reserved = SQ_RESERVED_BYTES, r;
    char sql[80];

    snprintf(sql, sizeof sql, "PRAGMA journal_mode=%s; PRAGMA page_size=%d", journal,
             SQ_PAGE_BYTES);
    r = sq_exec(db, sql, err);
    /* Reserved bytes can only be set while the database is empty. */
    if (r >= 0)
        sqlite3_file_control(db, NULL, SQLITE_FCNTL_RESERVE_BYTES, &reserved);
    return r;
}

int sq_schema_tables(sqlite3 *db, struct err *err)
{
    return sq_exec(db, schema, err);
}

int sq_schema_create(struct sq_conn *c, const struct store_config *config, struct err *err)
{
    /* Nobody needs the journal of a file that is thrown away if it does not become whole. */
    int r = sq_schema_shape(c->db, "MEMORY", err);

    if (r < 0 || (r = sq_exec(c->db, "PRAGMA journal_mode=WAL; BEGIN", err)) < 0)
        return r;
    if ((r = sq_schema_tables(c->db, err)) < 0 ||
        (r = put_origin(c, 0, random_origin(), err)) < 0 ||
        (r = meta_set_i64(c, "schema", SQ_SCHEMA_VERSION, err)) < 0 ||
        (r = meta_set_i64(c, "index", STORE_INDEX_VERSION, err)) < 0 ||
        (r = meta_set_i64(c, "content", config->index.content, err)) < 0 ||
        (r = meta_set_i64(c, "timezone", config->index.tz_minutes, err)) < 0 ||
        (r = meta_set_i64(c, "created", clock_now_ms(), err)) < 0 ||
        (r = sq_exec(c->db, "COMMIT", err)) < 0)
        sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
    return r;
}

static int upgrade(struct sq_conn *c, int64_t from, struct err *err)
{
    for (int64_t v = from; v < SQ_SCHEMA_VERSION; v++) {
        int r = sq_simple(c, SQ_BEGIN_WRITE, err);

        if (r == 0)
            r = upgrades[v - 1](c, err);
        if (r == 0)
            r = meta_set_i64(c, "schema", v + 1, err);
        if (r == 0)
            r = sq_simple(c, SQ_COMMIT, err);
        if (r < 0) {
            sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
            return r;
        }
    }
    return 0;
}

static int check_versions(struct sq_store *st, struct sq_conn *c, struct err *err)
{
    int64_t version, index, tz, content, copy;
    int r;

    r = meta_i64(c, "schema", 0, &version, err);
    if (r < 0)
        return r;
    if (version < 1 || version > SQ_SCHEMA_VERSION)
        return err_set(
            err, ERR_NO_STORE, "the store has format %lld, %s; this program knows formats 1 to %d",
            (long long)version, version < 1 ? "which never was" : "of a newer version of carnet",
            SQ_SCHEMA_VERSION);
    r = upgrade(c, version, err);
    if (r < 0)
        return r;
    if ((r = meta_i64(c, "index", 0, &index, err)) < 0 ||
        (r = meta_i64(c, "content", 0, &content, err)) < 0 ||
        (r = meta_i64(c, "timezone", 0, &tz, err)) < 0 ||
        (r = meta_i64(c, STORE_META_COPY, 0, &copy, err)) < 0)
        return r;
    st->base.is_copy = copy != 0;
    if (st->base.is_copy && !st->for_restore)
        return err_set(err, ERR_NO_STORE,
                       "the folder \"%s\" holds the copy of a store, without persons' keys and "
                       "without index: carnet restore makes a store of it",
                       st->dir);
    return store_index_made(&st->base, index, content != 0, tz, err);
}

static int load_origins(struct sq_store *st, struct sq_conn *c, struct err *err)
{
    sqlite3_stmt *s;
    unsigned n = 0;
    int r = sq_stmt(c, SQ_ORIGINS, &s, err);

    while (r >= 0 && (r = sq_step(c, s, err)) > 0) {
        if (sqlite3_column_int64(s, 0) != n || n >= SQ_ORIGINS_MAX) {
            sqlite3_reset(s);
            return err_set(err, ERR_NO_STORE, "the store's list of nodes is damaged");
        }
        st->origins[n++] = (uint64_t)sqlite3_column_int64(s, 1);
    }
    if (r == 0 && n == 0)
        return err_set(err, ERR_NO_STORE, "the store has no identity");
    atomic_store(&st->n_origins, n);
    return r;
}

static int load_multi(struct sq_store *st, struct sq_conn *c, struct err *err)
{
    sqlite3_stmt *s;
    int r = sq_stmt(c, SQ_MULTI, &s, err);

    while (r >= 0 && (r = sq_step(c, s, err)) > 0) {
        list_set_multi(&st->base.lists, (uint16_t)sqlite3_column_int(s, 0));
    }
    return r;
}

/* Where the feed and the clock go on: the newest version, or what expunging it left behind. */
static int load_last(struct sq_store *st, struct sq_conn *c, struct err *err)
{
    int64_t row = 0, hlc = 0;
    sqlite3_stmt *s;
    int r;

    if ((r = meta_i64(c, "last-row", 0, &row, err)) < 0 ||
        (r = meta_i64(c, "last-clock", 0, &hlc, err)) < 0 ||
        (r = sq_stmt(c, SQ_VERSIONS_DESC, &s, err)) < 0)
        return r;
    sqlite3_bind_int64(s, 1, INT64_MAX);
    r = sq_step(c, s, err);
    if (r < 0)
        return r;
    if (r > 0) {
        row = MAX(row, sqlite3_column_int64(s, 0));
        hlc = MAX(hlc, sqlite3_column_int64(s, 1));
    }
    sqlite3_reset(s);
    st->writer.last_row = (uint64_t)row;
    st->writer.last_hlc = (uint64_t)hlc;
    return 0;
}

int sq_schema_open(struct sq_store *st, struct sq_conn *c, struct err *err)
{
    int r = check_versions(st, c, err);

    if (r < 0 || (r = load_origins(st, c, err)) < 0 || (r = load_multi(st, c, err)) < 0)
        return r;
    return load_last(st, c, err);
}
