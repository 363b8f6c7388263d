#include "store/sqlite/sq_int.h"

#include "base/fault.h"

#include <stdlib.h>

static const char *const sql_of[] = {
#define X(id, sql) sql,
    SQ_STATEMENTS(X)
#undef X
};

int sq_fail(sqlite3 *db, int rc, struct err *err)
{
    if (rc == SQLITE_IOERR_DATA) {
        err_set(err, ERR_NO_STORE,
                "the store is damaged: something in its files is not what was written there");
        return err_detail(err, "sqlite: %d", rc);
    }
    switch (rc & 0xff) {
    case SQLITE_NOMEM: err_no_memory(err); break;
    case SQLITE_FULL: err_set(err, ERR_FULL, "the disk of the store is full"); break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: err_set(err, ERR_BUSY, "the store is busy"); break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: err_set(err, ERR_NO_STORE, "the store is damaged"); break;
    default: err_set(err, ERR_NO_STORE, "the store cannot be read or written");
    }
    return err_detail(err, "sqlite: %d %s", rc, db ? sqlite3_errmsg(db) : "");
}

int sq_exec(sqlite3 *db, const char *sql, struct err *err)
{
    int rc = fault_point("sql") ? SQLITE_IOERR : sqlite3_exec(db, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : sq_fail(db, rc, err);
}

int sq_stmt(struct sq_conn *c, enum sq_statement id, sqlite3_stmt **ret, struct err *err)
{
    sqlite3_stmt **s = &c->stmts[id];
    int rc;

    if (*s) {
        *ret = *s;
        return 0;
    }
    rc = fault_point("prepare")
             ? SQLITE_NOMEM
             : sqlite3_prepare_v3(c->db, sql_of[id], -1, SQLITE_PREPARE_PERSISTENT, s, NULL);
    if (rc != SQLITE_OK)
        return sq_fail(c->db, rc, err);
    *ret = *s;
    return 0;
}

int sq_step(struct sq_conn *c, sqlite3_stmt *s, struct err *err)
{
    int rc = fault_point("sql") ? SQLITE_IOERR : sqlite3_step(s);

    if (rc == SQLITE_ROW)
        return 1;
    if (rc == SQLITE_DONE) {
        sqlite3_reset(s);
        return 0;
    }
    sq_fail(c->db, rc, err);
    sqlite3_reset(s);
    return err ? err->code : ERR_NO_STORE;
}

int sq_run(struct sq_conn *c, sqlite3_stmt *s, struct err *err)
{
    int r = sq_step(c, s, err);

    if (r > 0) {
        sqlite3_reset(s);
        r = 0;
    }
    return r;
}

int sq_simple(struct sq_conn *c, enum sq_statement id, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = sq_stmt(c, id, &s, err);

    return r < 0 ? r : sq_run(c, s, err);
}

static void configure_once(void)
{
    /* Statistics of memory would make every allocation take a global lock. */
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sq_page_cache_use();
    sqlite3_initialize();
}

void sq_configure(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, configure_once);
}

/* "unix-excl" keeps the locks of the log's index in this process's memory: a read then costs no
 * system call for them, and no second process can come in behind the lock file. */
const char *sq_vfs_name(const struct sq_store *st)
{
    return st->vfs ? sealed_vfs_name(st->vfs) : "unix-excl";
}

int sq_conn_new(struct sq_store *st, size_t cache_bytes, struct sq_conn **ret, struct err *err)
{
    _cleanup_(sq_conn_freep) struct sq_conn *c = calloc(1, sizeof *c);
    char sql[300];
    int rc, r;

    if (!c || fault_point("open"))
        return err_no_memory(err);
    c->st = st;
    rc = sqlite3_open_v2(st->path, &c->db,
                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                             SQLITE_OPEN_EXRESCODE,
                         sq_vfs_name(st));
    if (rc != SQLITE_OK)
        return sq_fail(c->db, rc, err);
    sqlite3_busy_timeout(c->db, SQ_BUSY_MS);
    snprintf(sql, sizeof sql,
             "PRAGMA synchronous=FULL; PRAGMA mmap_size=0; PRAGMA foreign_keys=OFF;"
             "PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=0; PRAGMA trusted_schema=OFF;"
             "PRAGMA secure_delete=FAST; PRAGMA cache_size=-%zu",
             MAX(cache_bytes >> 10, (size_t)1));
    r = sq_exec(c->db, sql, err);
    if (r < 0)
        return r;
    *ret = c;
    c = NULL;
    return 0;
}

/* A connection's cache is its own. One with a large cache for each event loop, and small ones for
 * those that only work beside them, keep more pages than as many equal ones would. */
static bool claim_hot(struct sq_store *st)
{
    bool is_hot;

    pthread_mutex_lock(&st->conns_lock);
    is_hot = st->n_hot < st->hot_max;
    st->n_hot += is_hot;
    pthread_mutex_unlock(&st->conns_lock);
    return is_hot;
}

static void unclaim_hot(struct sq_store *st)
{
    pthread_mutex_lock(&st->conns_lock);
    st->n_hot--;
    pthread_mutex_unlock(&st->conns_lock);
}

void sq_conn_free(struct sq_conn *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < SQ_STATEMENT_COUNT; i++)
        sqlite3_finalize(c->stmts[i]);
    sqlite3_close_v2(c->db);
    persons_free(c->persons);
    if (c->is_hot)
        unclaim_hot(c->st);
    free(c);
}

/* How well a free connection suits: requests want one with a large cache, the node's own work one
 * that is not; and a thread the one that it used before, whose pages are in its core's caches. */
static int suits(const struct sq_conn *c, bool is_upkeep)
{
    return 2 * (c->is_hot != is_upkeep) + (pthread_equal(c->thread, pthread_self()) != 0);
}

/* The one that suits best, the one longest unused among its like; NULL where a new one is better:
 * none is free, or the node's own work would take the place of pages that requests need. */
static struct sq_conn *unlist(struct sq_store *st, bool is_upkeep)
{
    struct sq_conn **best = NULL, *c = NULL;

    pthread_mutex_lock(&st->conns_lock);
    for (struct sq_conn **at = &st->free_conns; *at; at = &(*at)->next)
        if (!best || suits(*at, is_upkeep) >= suits(*best, is_upkeep))
            best = at;
    if (best && ((*best)->is_hot != is_upkeep || (!is_upkeep && st->n_hot == st->hot_max))) {
        c = *best;
        *best = c->next;
    }
    pthread_mutex_unlock(&st->conns_lock);
    return c;
}

int sq_conn_take(struct sq_store *st, bool is_upkeep, struct sq_conn **ret, struct err *err)
{
    struct sq_conn *c = unlist(st, is_upkeep);
    bool is_hot;
    int r;

    if (!c) {
        is_hot = !is_upkeep && claim_hot(st);
        r = sq_conn_new(st, is_hot ? st->hot_cache_bytes : st->cache_bytes, &c, err);
        if (!c) {
            if (is_hot)
                unclaim_hot(st);
            return r;
        }
        c->is_hot = is_hot;
    }
    c->thread = pthread_self();
    *ret = c;
    return 0;
}

void sq_conn_give(struct sq_conn *c)
{
    struct sq_store *st = c->st;

    pthread_mutex_lock(&st->conns_lock);
    c->next = st->free_conns;
    st->free_conns = c;
    pthread_mutex_unlock(&st->conns_lock);
}

void sq_conn_trim(struct sq_conn *c)
{
    int used = 0, most;

    if (sqlite3_db_status(c->db, SQLITE_DBSTATUS_CACHE_USED, &used, &most, 0) == SQLITE_OK &&
        (size_t)used > SQ_UPKEEP_CACHE_BYTES)
        sqlite3_db_release_memory(c->db);
}
