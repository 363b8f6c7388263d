/* sq_int.h - the SQLite backend's inside.
 *
 * One process holds the database (a lock file, and SQLite's own exclusive lock). One thread writes,
 * on a connection of its own; readers borrow connections from a free list, one for each open
 * transaction. docs/formats/store.md describes the tables.
 */
#ifndef SQ_INT_H
#define SQ_INT_H

#include "store/pends_int.h"
#include "store/persons.h"
#include "store/queue_int.h"
#include "store/sqlite/sealed_vfs.h"
#include "store/store_int.h"
#include "base/rng.h"
#include "fhir/validate.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>

#define SQ_SCHEMA_VERSION 3
#define SQ_PAGE_BYTES 4096
#define SQ_RESERVED_BYTES 32 /* at the end of each page: nonce and tag of encryption at rest */
#define SQ_READ_CACHE_BYTES MIB(16)
#define SQ_UPKEEP_CACHE_BYTES MIB(1) /* what the node's own work leaves in a cache */
#define SQ_HOT_CACHE_BYTES MIB(128)  /* shared by the connections that event loops read on */
#define SQ_WRITE_CACHE_BYTES MIB(64)
#define SQ_WAL_BYTES MIB(32)      /* the log is folded into the database past this */
#define SQ_WAL_BYTES_MAX MIB(256) /* past this the writer waits a moment for readers to leave */
#define SQ_BUSY_MS 2000
#define SQ_PUT_ARENA_BYTES MIB(384) /* a body of STORE_BODY_MAX, parsed, with its keys */
#define SQ_COUNT_KEEP_US 10000000   /* how old the counts of stats may be */
#define SQ_ORIGINS_MAX 4096         /* nodes whose versions this one has seen */

/* What `version.flags` says. Live versions have 0 or 1, which SQLite stores in no bytes at all. */
#define SQ_METHOD 3
#define SQ_SUPERSEDED 4
#define SQ_IS_LIVE(flags) ((flags) < METHOD_DELETE)

#define SQ_ROW_COLUMNS "v.row, v.type, v.id, v.hlc, v.origin, v.flags, v.body"

#define SQ_EACH_ROWS 16     /* versions that one statement gets */
#define SQ_PUT_KEYS_ROWS 32 /* keys that one statement puts */
#define SQ_ROWS_8 "(?),(?),(?),(?),(?),(?),(?),(?)"

/* Every statement, prepared once for each connection on first use. */
#define SQ_STATEMENTS(X)                                                                           \
    X(SQ_BEGIN_WRITE, "BEGIN IMMEDIATE")                                                           \
    X(SQ_COMMIT, "COMMIT")                                                                         \
    X(SQ_ROLLBACK, "ROLLBACK")                                                                     \
    X(SQ_SAVEPOINT, "SAVEPOINT member")                                                            \
    X(SQ_RELEASE, "RELEASE member")                                                                \
    X(SQ_ROLLBACK_TO, "ROLLBACK TO member")                                                        \
    X(SQ_GET, "SELECT " SQ_ROW_COLUMNS " FROM resource r CROSS JOIN version v ON v.row = r.row"    \
              " WHERE r.type = ?1 AND r.id = ?2")                                                  \
    X(SQ_GET_ROW, "SELECT " SQ_ROW_COLUMNS " FROM version v WHERE v.row = ?1")                     \
    X(SQ_EACH_ROW, "SELECT " SQ_ROW_COLUMNS " FROM (VALUES " SQ_ROWS_8 "," SQ_ROWS_8 ") n"         \
                   " CROSS JOIN version v ON v.row = n.column1")                                   \
    X(SQ_GET_OLD, "SELECT " SQ_ROW_COLUMNS " FROM history h CROSS JOIN version v ON v.row = h.row" \
                  " WHERE h.type = ?1 AND h.id = ?2 AND h.hlc = ?3 AND h.origin = ?4")             \
    X(SQ_ROW_OF, "SELECT row FROM resource WHERE type = ?1 AND id = ?2")                           \
    X(SQ_RESOURCES, "SELECT id, row FROM resource WHERE type = ?1 AND id > ?2 ORDER BY id")        \
    X(SQ_RESOURCES_DESC,                                                                           \
      "SELECT id, row FROM resource WHERE type = ?1 AND id < ?2 ORDER BY id DESC")                 \
    X(SQ_HISTORY, "SELECT row FROM history WHERE type = ?1 AND id = ?2 AND row < ?3"               \
                  " ORDER BY hlc DESC, origin DESC")                                               \
    X(SQ_HISTORY_COUNT, "SELECT count(*) FROM history WHERE type = ?1 AND id = ?2")                \
    X(SQ_HISTORY_NEXT, "SELECT row FROM history WHERE type = ?1 AND id = ?2 AND hlc > ?3"          \
                       " ORDER BY hlc LIMIT 1")                                                    \
    X(SQ_VERSIONS_DESC, "SELECT row, hlc FROM version WHERE row < ?1 ORDER BY row DESC")           \
    X(SQ_DEAD_DESC, "SELECT row FROM version WHERE type = ?1 AND flags >= 2 AND row < ?2"          \
                    " ORDER BY row DESC")                                                          \
    X(SQ_IDENTITY, "SELECT type, id FROM version WHERE row = ?1")                                  \
    X(SQ_TYPE_OF, "SELECT type FROM version WHERE row = ?1")                                       \
    X(SQ_FEED, "SELECT row FROM version WHERE row > ?1 ORDER BY row LIMIT ?2")                     \
    X(SQ_LIVE, "SELECT row, type FROM version WHERE row > ?1 AND flags < 2 ORDER BY row")          \
    X(SQ_LIVE_DESC,                                                                                \
      "SELECT row, type FROM version WHERE row < ?1 AND flags < 2 ORDER BY row DESC")              \
    X(SQ_NEXT_ROW, "SELECT " SQ_ROW_COLUMNS " FROM version v WHERE v.row > ?1 ORDER BY v.row"      \
                   " LIMIT 1")                                                                     \
    X(SQ_POSITION, "SELECT max(row) FROM version")                                                 \
    X(SQ_HLC_FROM, "SELECT row, hlc FROM version WHERE row >= ?1 ORDER BY row LIMIT 1")            \
    X(SQ_KEYS, "SELECT k FROM idx WHERE k >= ?1 AND k < ?2 ORDER BY k")                            \
    X(SQ_KEYS_DESC, "SELECT k FROM idx WHERE k >= ?1 AND k < ?2 ORDER BY k DESC")                  \
    X(SQ_WALK, "SELECT k FROM idx WHERE k >= ?1 AND k < ?2 ORDER BY k")                            \
    X(SQ_WALK_DESC, "SELECT k FROM idx WHERE k >= ?1 AND k < ?2 ORDER BY k DESC")                  \
    X(SQ_MERGE, "SELECT k FROM idx WHERE k >= ?1 AND k < ?2 ORDER BY k")                           \
    X(SQ_MERGE_DESC, "SELECT k FROM idx WHERE k >= ?1 AND k < ?2 ORDER BY k DESC")                 \
    X(SQ_KEY, "SELECT 1 FROM idx WHERE k = ?1")                                                    \
    X(SQ_TERM, "SELECT 1 FROM term WHERE k = ?1")                                                  \
    X(SQ_KEY_COUNT, "SELECT count(*) FROM idx WHERE k >= ?1 AND k < ?2")                           \
    X(SQ_TERMS, "SELECT k FROM term WHERE k >= ?1 AND k < ?2 ORDER BY k")                          \
    X(SQ_NEWEST, "SELECT v.row, v.hlc, v.origin, v.flags FROM resource r"                          \
                 " CROSS JOIN version v ON v.row = r.row WHERE r.type = ?1 AND r.id = ?2")         \
    X(SQ_PUT_VERSION,                                                                              \
      "INSERT INTO version (row, type, id, hlc, origin, agent, parent, flags, body)"               \
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")                                              \
    X(SQ_PUT_RESOURCE, "INSERT INTO resource (type, id, row) VALUES (?1, ?2, ?3)")                 \
    X(SQ_MOVE_RESOURCE, "UPDATE resource SET row = ?3 WHERE type = ?1 AND id = ?2")                \
    X(SQ_SUPERSEDE, "UPDATE version SET flags = flags | 4 WHERE row = ?1")                         \
    X(SQ_PUT_HISTORY, "INSERT INTO history (type, id, hlc, origin, row)"                           \
                      " VALUES (?1, ?2, ?3, ?4, ?5)")                                              \
    X(SQ_PUT_KEY, "INSERT OR IGNORE INTO idx (k) VALUES (?1)")                                     \
    X(SQ_PUT_KEYS, "INSERT OR IGNORE INTO idx (k) VALUES " SQ_ROWS_8 "," SQ_ROWS_8 "," SQ_ROWS_8   \
                   "," SQ_ROWS_8)                                                                  \
    X(SQ_DROP_KEY, "DELETE FROM idx WHERE k = ?1")                                                 \
    X(SQ_DROP_KEYS, "DELETE FROM idx WHERE k IN"                                                   \
                    " (SELECT k FROM idx WHERE k >= ?1 AND k < ?2 LIMIT ?3)")                      \
    X(SQ_PUT_TERM, "INSERT OR IGNORE INTO term (k) VALUES (?1)")                                   \
    X(SQ_PUT_MULTI, "INSERT OR IGNORE INTO multi (param) VALUES (?1)")                             \
    X(SQ_MULTI, "SELECT param FROM multi")                                                         \
    X(SQ_SYMBOL, "SELECT n FROM symbol WHERE text = ?1")                                           \
    X(SQ_PUT_SYMBOL, "INSERT INTO symbol (text) VALUES (?1)")                                      \
    X(SQ_ORIGINS, "SELECT n, value FROM origin ORDER BY n")                                        \
    X(SQ_DROP_ORIGINS, "DELETE FROM origin")                                                       \
    X(SQ_LINEAGE, "SELECT v.parent, s.text FROM version v LEFT JOIN symbol s ON s.n = v.agent"     \
                  " WHERE v.row = ?1")                                                             \
    X(SQ_META_NEXT, "SELECT name FROM meta WHERE name > ?1 ORDER BY name LIMIT 1")                 \
    X(SQ_PUT_ORIGIN, "INSERT INTO origin (n, value) VALUES (?1, ?2)")                              \
    X(SQ_META_GET, "SELECT value FROM meta WHERE name = ?1")                                       \
    X(SQ_META_SET, "INSERT INTO meta (name, value) VALUES (?1, ?2)"                                \
                   " ON CONFLICT (name) DO UPDATE SET value = excluded.value")                     \
    X(SQ_META_DROP, "DELETE FROM meta WHERE name = ?1")                                            \
    X(SQ_BLOB_GET, "SELECT bytes FROM blob WHERE name = ?1 AND part = ?2")                         \
    X(SQ_BLOB_PUT, "INSERT INTO blob (name, part, bytes) VALUES (?1, ?2, ?3)"                      \
                   " ON CONFLICT (name, part) DO UPDATE SET bytes = excluded.bytes")               \
    X(SQ_BLOB_DROP, "DELETE FROM blob WHERE name = ?1")                                            \
    X(SQ_BLOB_NEXT, "SELECT name, sum(length(bytes)) FROM blob"                                    \
                    " WHERE name = (SELECT min(name) FROM blob WHERE name > ?1) GROUP BY name")    \
    X(SQ_EXPUNGE_VERSION, "DELETE FROM version WHERE row = ?1")                                    \
    X(SQ_EXPUNGE_RESOURCE, "DELETE FROM resource WHERE type = ?1 AND id = ?2")                     \
    X(SQ_EXPUNGE_HISTORY, "DELETE FROM history WHERE type = ?1 AND id = ?2")                       \
    X(SQ_PERSON, "SELECT n, mark, key FROM person WHERE owner = ?1")                               \
    X(SQ_PERSON_KEY, "SELECT mark, key FROM person WHERE n = ?1")                                  \
    X(SQ_PERSON_LAST, "SELECT ifnull(max(n), 0) FROM person")                                      \
    X(SQ_PERSONS, "SELECT n, owner, mark, key FROM person WHERE n > ?1 ORDER BY n")                \
    X(SQ_PUT_PERSON, "INSERT INTO person (n, owner, mark, key) VALUES (?1, ?2, ?3, ?4)"            \
                     " ON CONFLICT (n) DO UPDATE SET owner = excluded.owner,"                      \
                     " mark = excluded.mark, key = excluded.key")                                  \
    X(SQ_FORGET_PERSON, "UPDATE person SET owner = NULL, mark = NULL, key = NULL"                  \
                        " WHERE owner = ?1")                                                       \
    X(SQ_SET_BODY, "UPDATE version SET body = ?2 WHERE row = ?1")                                  \
    X(SQ_EXPUNGE_OLD, "DELETE FROM history WHERE type = ?1 AND id = ?2 AND hlc = ?3 AND row = ?4") \
    X(SQ_BODY_HEAD, "SELECT substr(body, 1, 21) FROM version WHERE row = ?1")                      \
    X(SQ_PERSON_ERASED, "SELECT 1 FROM person WHERE n = ?1 AND owner IS NULL")                     \
    X(SQ_PERSONS_MISSING, "SELECT count(*) FROM person WHERE owner IS NOT NULL AND key IS NULL")   \
    X(SQ_DROP_TERM, "DELETE FROM term WHERE k = ?1")                                               \
    X(SQ_COUNT_LIVE, "SELECT count(*) FROM idx WHERE k >= x'fe00' AND k < x'ff00'")                \
    X(SQ_COUNT_DEAD, "SELECT count(*) FROM version WHERE flags >= 2")                              \
    X(SQ_PAGES, "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")

enum sq_statement {
#define X(id, sql) id,
    SQ_STATEMENTS(X)
#undef X
        SQ_STATEMENT_COUNT
};

struct sq_store;

/* A transaction lives in its connection: a connection has at most one. */
struct sq_txn {
    struct store_txn base;
    struct sq_conn *conn;
    sqlite3_stmt *open;       /* its current row holds the bytes of the last answer */
    sqlite3_stmt *anchor;     /* of a reader: stands on its row, and with it the snapshot */
    bool has_begun;           /* the snapshot is held until the end */
    uint64_t position;        /* of a reader's snapshot */
    char id[FHIR_ID_MAX + 1]; /* text of the last answer's id */
};

struct sq_conn {
    struct sq_store *st;
    sqlite3 *db;
    sqlite3_stmt *stmts[SQ_STATEMENT_COUNT];
    struct sq_txn txn;
    struct persons *persons; /* of an encrypted store, once it was needed (persons.c) */
    bool is_hot;             /* of the few with a large cache */
    pthread_t thread;        /* that used it last */
    struct sq_conn *next;
};

struct sq_writer {
    struct sq_conn *conn;
    pthread_t thread;
    bool has_thread;
    struct queue queue;
    /* The writer thread's own. */
    uint64_t last_row, last_hlc;
    struct pends pends;
    size_t job_pends, job_pend_bytes; /* where the running job's own begin */
    struct arena arena;               /* of one put */
    struct sb scratch;
    struct sb agent_text; /* the last agent and its number */
    int64_t agent_n;
    bool multi_dirty;
    int wal_frames;
    atomic_uint_fast64_t commits, jobs;
};

struct sq_store {
    struct store base;
    char *dir, *path;
    int lock_fd;
    struct vault *vault;    /* of an encrypted store, otherwise NULL */
    struct sealed_vfs *vfs; /* likewise */
    char *copy_key_file;    /* of folders that copies go to, where seal_copies */
    bool seal_copies;
    bool for_restore; /* it may be a copy without keys and index, and is copied as it is */
    bool read_only;
    size_t cache_bytes, hot_cache_bytes;
    unsigned n_hot, hot_max; /* n_hot under conns_lock */
    unsigned group_max;
    size_t wal_bytes;
    pthread_mutex_t conns_lock;
    struct sq_conn *free_conns;
    int64_t counted_us; /* the last count of stats, under conns_lock */
    uint64_t counted_position, counted_rows, counted_live;
    atomic_uint long_readers;         /* backups: the writer does not wait for these */
    uint64_t origins[SQ_ORIGINS_MAX]; /* [0] is this node */
    atomic_uint n_origins;
    struct sq_writer writer;
};

/* ---- page_cache.c ---- */

/* SQLite's caches are ours from here on; before sqlite3_initialize. A result code of SQLite. */
int sq_page_cache_use(void);

/* ---- conn.c ---- */

/* The VFS that the store's files are opened through. */
const char *sq_vfs_name(const struct sq_store *st);
int sq_conn_new(struct sq_store *st, size_t cache_bytes, struct sq_conn **ret, struct err *err);
void sq_conn_free(struct sq_conn *c);
static inline void sq_conn_freep(struct sq_conn **c)
{
    sq_conn_free(*c);
}
/* A connection for a reader; `is_upkeep`: for the node's own work, which leaves those with a large
 * cache to requests. */
int sq_conn_take(struct sq_store *st, bool is_upkeep, struct sq_conn **ret, struct err *err);
void sq_conn_give(struct sq_conn *c);
/* Frees what much reading has left in the cache; when no statement is in the middle. */
void sq_conn_trim(struct sq_conn *c);

/* SQLite as every store wants it; once, before anything else of it is used. */
void sq_configure(void);

/* Fills err from what SQLite said; returns its code. */
int sq_fail(sqlite3 *db, int rc, struct err *err);
int sq_exec(sqlite3 *db, const char *sql, struct err *err);
/* The statement, reset and ready to bind. */
int sq_stmt(struct sq_conn *c, enum sq_statement id, sqlite3_stmt **ret, struct err *err);
/* 1: a row, 0: done, negative: failed. Resets the statement unless there is a row. */
int sq_step(struct sq_conn *c, sqlite3_stmt *s, struct err *err);
/* Runs a statement that gives no row. */
int sq_run(struct sq_conn *c, sqlite3_stmt *s, struct err *err);
int sq_simple(struct sq_conn *c, enum sq_statement id, struct err *err);

static inline int sq_bind_blob(sqlite3_stmt *s, int at, struct str v)
{
    return sqlite3_bind_blob(s, at, v.n ? v.p : "", (int)v.n, SQLITE_STATIC);
}

static inline struct str sq_column(sqlite3_stmt *s, int at)
{
    const char *p = sqlite3_column_blob(s, at);

    return str_n(p ? p : "", (size_t)sqlite3_column_bytes(s, at));
}

/* ---- schema.c ---- */

/* How an empty database of this format is laid out, with a journal of that mode; its tables. */
int sq_schema_shape(sqlite3 *db, const char *journal, struct err *err);
int sq_schema_tables(sqlite3 *db, struct err *err);
int sq_schema_create(struct sq_conn *c, const struct store_config *config, struct err *err);
/* Checks versions, upgrades, loads what the store keeps in memory. */
int sq_schema_open(struct sq_store *st, struct sq_conn *c, struct err *err);

/* ---- txn.c ---- */

int sq_begin(struct store *st, const struct access *who, struct store_txn **ret, struct err *err);
void sq_end(struct store_txn *txn);
/* Called first by everything that reads or writes: lets go of the last answer's bytes and makes
 * sure that a transaction is open. */
int sq_enter(struct sq_txn *t, struct err *err);
void sq_leave(struct sq_txn *t);
int sq_get(struct store_txn *txn, int type, struct str id, struct row *ret, struct err *err);
int sq_get_version(struct store_txn *txn, int type, struct str id, const struct version *v,
                   struct row *ret, struct err *err);
int sq_get_row(struct store_txn *txn, uint64_t row, struct row *ret, struct err *err);
int sq_each_row(struct store_txn *txn, const uint64_t *rows, size_t n, store_row_fn *each,
                void *ctx, struct err *err);
int sq_feed(struct store_txn *txn, uint64_t after, size_t max, struct arena *a, struct page *ret,
            struct err *err);
uint64_t sq_position(struct store_txn *txn);
int sq_meta_get(struct store_txn *txn, const char *name, struct arena *a, struct str *ret,
                struct err *err);
int sq_meta_set(struct store_txn *txn, const char *name, struct str value, struct err *err);
/* Fills a row from a statement over SQ_ROW_COLUMNS; the bytes live as long as its current row, and
 * until the next one is filled. */
int sq_row(struct sq_txn *t, sqlite3_stmt *s, struct row *ret, struct err *err);
/* Number of the first version with hlc_ms >= ms (one past the newest if there is none). */
int sq_row_at(struct sq_txn *t, int64_t ms, uint64_t *ret, struct err *err);

static inline struct sq_txn *sq_txn(struct store_txn *txn)
{
    return (struct sq_txn *)txn;
}

static inline struct sq_store *sq_store(struct store_txn *txn)
{
    return (struct sq_store *)txn->st;
}

/* ---- persons.c: bodies under keys of their owners (store/persons.h), in an encrypted store ----
 */

/* As persons_seal, persons_open. */
int sq_body_seal(struct sq_txn *t, const struct put *put, uint64_t hlc, struct str *ret,
                 struct err *err);
int sq_body_open(struct sq_txn *t, struct row *row, struct err *err);
/* The key number n, whose mark and sealed bytes a statement's row has at `at` and behind. */
int sq_key_unseal(struct sq_txn *t, uint64_t n, sqlite3_stmt *s, int at,
                  unsigned char ret[XAES_KEY_BYTES], struct err *err);
int sq_key_put(struct sq_txn *t, uint64_t n, struct str owner,
               const unsigned char key[XAES_KEY_BYTES], struct err *err);

/* ---- keys_file.c: owners' keys apart from the store ---- */

int sq_keys_save(struct sq_txn *t, const char *path, struct err *err);
/* Inside a job. `vault` is that of the store from which they were saved. ERR_VALUE when they are
 * older than the store's copy. */
int sq_keys_load(struct sq_txn *t, const char *path, const struct vault *vault, struct err *err);

/* ---- restore.c ---- */

int sq_restore_keys(struct store *base, const char *keys_file, const char *copy_dir,
                    const char *copy_key_file, struct err *err);
int sq_wrap(struct store *base, store_backup_progress *progress, void *ctx, struct err *err);

/* ---- remake.c: a database made anew, row by row ---- */

/* Into an empty database of this format; index and keys only where asked for. */
int sq_copy_rows(struct sq_txn *t, sqlite3 *to, bool is_whole, store_backup_progress *progress,
                 void *ctx, struct err *err);
/* The whole store anew, in place of what it was, while nobody else uses it: what was removed is
 * nowhere in its files. Needs as much room again meanwhile. */
int sq_remake(struct store *base, store_backup_progress *progress, void *ctx, struct err *err);
/* … in backup.c: all of it to a file beside, on the disk when this returns. */
int sq_copy_into(struct sq_store *st, const char *path, store_backup_progress *progress, void *ctx,
                 struct err *err);

/* ---- sqlite.c ---- */

void sq_conns_free(struct sq_store *st); /* those that are not in use */
int sq_sync_dir(const char *dir, struct err *err);

/* ---- blob.c ---- */

int sq_blob_get(struct store_txn *txn, struct str name, uint32_t part, struct arena *a,
                struct str *ret, struct err *err);
int sq_blob_put(struct store_txn *txn, struct str name, uint32_t part, struct str bytes,
                struct err *err);
int sq_blob_drop(struct store_txn *txn, struct str name, struct err *err);
int sq_blob_next(struct store_txn *txn, struct str after, struct arena *a, struct str *ret,
                 uint64_t *ret_bytes, struct err *err);

/* ---- history.c ---- */

int sq_history(struct store_txn *txn, const struct history_query *q, struct arena *a,
               struct page *ret, struct err *err);

/* ---- writer.c, put.c, pends.c ---- */

int sq_writer_start(struct sq_store *st, struct err *err);
void sq_writer_stop(struct sq_store *st);
void sq_submit(struct store *st, struct store_job *job);
int sq_put(struct store_txn *txn, const struct put *put, struct version *ret, struct err *err);
int sq_claim(struct store_txn *txn, struct str name, struct err *err);
int sq_index_add(struct store_txn *txn, uint64_t row, const struct index *index, struct err *err);
int sq_index_drop(struct store_txn *txn, uint16_t param, size_t max, bool *ret_left,
                  struct err *err);
int sq_expunge(struct store_txn *txn, int type, struct str id, size_t *ret_n, struct err *err);
int sq_expunge_old(struct store_txn *txn, uint64_t row, struct err *err);
int sq_forget(struct store_txn *txn, struct str owner, struct err *err);
int sq_drop_term(struct store_txn *txn, struct str key, struct err *err);
/* Applies what has gathered: before commit. */
int sq_pends_flush(struct sq_conn *c, struct pends *p, struct err *err);
/* The same inside a job, before anything looks at the index. Nothing to do for a reader. */
int sq_pends_flush_if_writing(struct sq_txn *t, struct err *err);

/* ---- lists.c: what the search executor asks ---- */

extern const struct scan_ops sq_scan_ops;

/* ---- adopt.c: a whole store that was another's ---- */

int sq_lineage(struct store_txn *txn, struct arena *a, struct adoption *rows, size_t n,
               struct err *err);
int sq_adopt(struct store_txn *txn, const struct adoption *of, struct err *err);
int sq_adopt_position(struct store_txn *txn, uint64_t row, struct err *err);
int sq_origins(struct store_txn *txn, struct arena *a, uint64_t **ret, size_t *ret_n,
               struct err *err);
int sq_adopt_origins(struct store_txn *txn, const uint64_t *origins, size_t n, struct err *err);
int sq_meta_next(struct store_txn *txn, struct str after, struct arena *a, struct str *ret,
                 struct err *err);
/* … in put.c: as sq_put, with the number, clock and origin that a version had. */
int sq_put_as(struct sq_txn *t, const struct put *put, const struct adoption *as, uint64_t row,
              uint64_t hlc, int64_t origin, struct err *err);

/* ---- upkeep ---- */

int sq_stats(struct store *base, struct store_stats *ret, struct err *err);
int sq_check(struct store *base, void (*say)(void *ctx, const char *text), void *ctx,
             struct err *err);
int sq_backup(struct store *base, const char *to_dir, const char *keys_file,
              store_backup_progress *progress, void *ctx, struct err *err);

#endif
