/* remake.c - a database made anew, row by row: what was removed from the old one is nowhere in it.
 *
 * SQLite's own ways do not do: pages that are copied take along what lies between their rows, and
 * VACUUM forgets the log and would need a temporary file. Rows come in the order of their tables,
 * so that each goes to the end.
 */
#include "store/sqlite/sq_int.h"

#include "base/fault.h"

#include <errno.h>
#include <unistd.h>

#define TELL_ROWS 1024 /* of any table, before progress is told */
#define TELL_BYTES MIB(1)

struct table {
    const char *read, *write;
    bool is_counted; /* progress is told of it */
    bool is_whole;   /* comes only with a whole copy */
};

#define TABLE(name, places) "SELECT * FROM " name, "INSERT INTO " name " VALUES (" places ")"

static const struct table tables[] = {
    {TABLE("meta", "?,?"), false, false},
    {TABLE("origin", "?,?"), false, false},
    {TABLE("symbol", "?,?"), false, false},
    {TABLE("resource", "?,?,?"), false, false},
    {TABLE("history", "?,?,?,?,?"), false, false},
    {TABLE("multi", "?"), false, false},
    {TABLE("blob", "?,?,?"), false, false},
    {TABLE("person", "?,?,?,?"), false, true},
    {TABLE("idx", "?"), false, true},
    {TABLE("term", "?"), false, true},
    {TABLE("version", "?,?,?,?,?,?,?,?,?"), true, false},
};

/* What a copy that is not whole has in place of owners and their keys, and says of itself. */
static const struct table keyless = {
    "SELECT n, owner, NULL, NULL FROM person",
    "INSERT INTO person VALUES (?,?,?,?)",
    false,
    false,
};
static const char flag[] = "INSERT INTO meta VALUES ('" STORE_META_COPY "', x'31')";

struct remake {
    sqlite3 *from, *to;
    store_backup_progress *progress;
    void *ctx;
    uint64_t rows, all;     /* versions that are over, and how many there may be */
    uint64_t untold, bytes; /* since progress was told */
};

static int prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret, struct err *err)
{
    int rc = fault_point("prepare") ? SQLITE_NOMEM : sqlite3_prepare_v2(db, sql, -1, ret, NULL);

    return rc == SQLITE_OK ? 0 : sq_fail(db, rc, err);
}

static int put_row(struct remake *m, sqlite3_stmt *in, sqlite3_stmt *out, struct err *err)
{
    int rc;

    for (int i = 0; i < sqlite3_column_count(in); i++) {
        sqlite3_bind_value(out, i + 1, sqlite3_column_value(in, i));
        if (sqlite3_column_type(in, i) == SQLITE_BLOB)
            m->bytes += (uint64_t)sqlite3_column_bytes(in, i);
    }
    m->untold++;
    rc = fault_point("sql") ? SQLITE_IOERR : sqlite3_step(out);
    sqlite3_reset(out);
    return rc == SQLITE_DONE ? 0 : sq_fail(m->to, rc, err);
}

static int tell(struct remake *m, struct err *err)
{
    m->untold = m->bytes = 0;
    return !m->progress || m->progress(m->ctx, MIN(m->rows, m->all), m->all)
               ? 0
               : err_set(err, ERR_TIMEOUT, "the copy was stopped");
}

static int copy_table(struct remake *m, const struct table *t, struct err *err)
{
    sqlite3_stmt *in = NULL, *out = NULL;
    int r = prepare(m->from, t->read, &in, err), rc = SQLITE_ROW;

    if (r >= 0)
        r = prepare(m->to, t->write, &out, err);
    while (r >= 0) {
        rc = fault_point("sql") ? SQLITE_IOERR : sqlite3_step(in);
        if (rc != SQLITE_ROW)
            break;
        r = put_row(m, in, out, err);
        m->rows += t->is_counted;
        if (r >= 0 && (m->untold >= TELL_ROWS || m->bytes >= TELL_BYTES))
            r = tell(m, err);
    }
    if (r >= 0 && rc != SQLITE_DONE)
        r = sq_fail(m->from, rc, err);
    if (r >= 0)
        r = tell(m, err);
    sqlite3_finalize(in);
    sqlite3_finalize(out);
    return r;
}

int sq_copy_rows(struct sq_txn *t, sqlite3 *to, bool is_whole, store_backup_progress *progress,
                 void *ctx, struct err *err)
{
    struct remake m = {.from = t->conn->db,
                       .to = to,
                       .progress = progress,
                       .ctx = ctx,
                       .all = MAX(sq_position(&t->base), 1u)};
    int r = sq_schema_shape(to, "OFF", err);

    if (r >= 0)
        r = sq_exec(to, "PRAGMA synchronous=OFF; BEGIN", err);
    if (r >= 0)
        r = sq_schema_tables(to, err);
    for (size_t i = 0; i < ARRAY_LEN(tables) && r >= 0; i++)
        if (is_whole || !tables[i].is_whole)
            r = copy_table(&m, &tables[i], err);
    if (r >= 0 && !is_whole)
        r = copy_table(&m, &keyless, err);
    if (r >= 0 && !is_whole)
        r = sq_exec(to, flag, err);
    /* Last, for what it says of the file: it is opened with a log. */
    return r < 0 ? r : sq_exec(to, "COMMIT; PRAGMA journal_mode=WAL", err);
}

/* ---- in place of the store's own ---- */

/* Nobody else uses the store. */
static int replace(struct sq_store *st, const char *fresh, struct err *err)
{
    struct sq_writer *w = &st->writer;
    int r = 0;

    sq_writer_stop(st);
    sq_conns_free(st);
    sq_conn_free(w->conn);
    w->conn = NULL;
    w->agent_n = 0;
    if (fault_point("io") || rename(fresh, st->path) < 0)
        r = err_set(err, ERR_NO_STORE, "the store cannot be replaced: %s", strerror(errno));
    if (r >= 0)
        r = sq_sync_dir(st->dir, err);
    if (r >= 0)
        r = sq_conn_new(st, SQ_WRITE_CACHE_BYTES, &w->conn, err);
    return r < 0 ? r : sq_writer_start(st, err);
}

int sq_remake(struct store *base, store_backup_progress *progress, void *ctx, struct err *err)
{
    struct sq_store *st = (struct sq_store *)base;
    char *fresh = NULL;
    int r;

    if (asprintf(&fresh, "%s.new", st->path) < 0)
        return err_no_memory(err);
    r = sq_copy_into(st, fresh, progress, ctx, err);
    if (r >= 0)
        r = replace(st, fresh, err);
    if (r < 0)
        unlink(fresh);
    free(fresh);
    return r;
}
