/* pg_int.h - the PostgreSQL backend's inside.
 *
 * Any number of processes share one database. Each has one thread that writes, on a connection of
 * its own; a group of jobs is one transaction that holds the row of carnet_feed from its first
 * statement to its commit, so that rows are numbered in commit order. Readers borrow connections,
 * one for each open transaction. docs/formats/store-postgresql.md describes the tables.
 */
#ifndef PG_INT_H
#define PG_INT_H

#include "base/rng.h"

#include "store/pends_int.h"
#include "store/persons.h"
#include "store/queue_int.h"
#include "store/store_int.h"

#include <libpq-fe.h>
#include <stdatomic.h>

#include "store/postgres/sharded.h"

#define PG_SCHEMA_PLAIN 1
#define PG_SCHEMA_SHARDED 2 /* distributed by Citus */
#define PG_SCHEMA_SEALED 2  /* more: encrypted (sealed.c) */
#define PG_SCHEMA_LAST (PG_SCHEMA_SHARDED + PG_SCHEMA_SEALED)
#define PG_META_KEYS "keys" /* in carnet_meta: what carnet.keys is for a folder */
#define PG_ARGS_MAX 11
#define PG_QUEUE_MAX 128    /* statements sent before their answers are read */
#define PG_BATCH_FIRST 64   /* entries that a scan fetches at first, when nobody says how many */
#define PG_BATCH_MAX 4096   /* … and at most */
#define PG_AHEAD_MAX 1024   /* rows that are expected to be read */
#define PG_AHEAD_ROWS 64    /* of which so many are fetched at once … */
#define PG_AHEAD_BODY 32768 /* … without bodies longer than this */
#define PG_LOCK_WAIT_MS "30000" /* for another process's group to end */
#define PG_IDLE_MS "60000"      /* the server ends a transaction whose process says nothing */
#define PG_WRITERS "writer/"
#define PG_WRITER_KEPT_MS (24 * 3600 * INT64_C(1000)) /* a silent process, in carnet_meta */
#define PG_DOUBT_TRIES 60 /* half seconds: whether a commit whose answer was lost has happened */
#define PG_ORIGINS_MAX 4096
#define PG_UNSENT_BYTES MIB(16) /* of versions that wait to be sent together … */
#define PG_UNSENT_BODY KIB(256) /* … longer bodies are sent at once */
#define PG_COPY_MIN 500         /* rows from which on COPY is worth its round trips */
#define PG_KEYS_OF_ROW 12       /* about so many keys has a resource */
#define PG_COPY_PIECE MIB(1)
#define PG_AGENTS_MAX 128 /* texts whose numbers a writer remembers */
#define PG_PUT_ARENA_BYTES MIB(384)
#define PG_KEEP_BYTES MIB(4)
#define PG_HOMES_MAX 65536 /* rows whose home a process remembers */
#define PG_SETTLE_MS 5000  /* for a worker that was away while a group committed */
#define PG_LAG_MS 1000     /* a group may be committed and not shown before a reader sees to it */

/* Names of the types of parameters: i int8, h int4, b bytea, B bytea[], I int8[], H int4[],
 * t text; of those that pg_send adds itself: p the reader's position (int8). */
#define PG_ROW \
    "v.row, v.type, v.id, v.hlc, v.origin, v.method, NOT EXISTS (SELECT FROM" \
      " carnet_version n WHERE n.part = 0 AND n.type::int4 = v.type::int4 AND n.id =" \
      " v.id AND n.row + 0 > v.row OFFSET 0), "

/* The number at the end of an entry. */
#define PG_BYTE_OF(k, back) "get_byte(" k ", octet_length(" k ") - " #back ")::int8"
#define PG_ROW_OF(k) \
    "((((" PG_BYTE_OF(k, 5) " << 8 | " PG_BYTE_OF(k, 4) ") << 8 | " PG_BYTE_OF(k, 3) ") << 8 | " \
      PG_BYTE_OF(k, 2) ") << 8 | " PG_BYTE_OF(k, 1) ")"

/* The lock that says who uses a database's store (alone.c): "carn". */
#define PG_PRESENCE "1667330670"

#define PG_STATEMENTS(X) \
    X(PG_BEGIN_READ, "", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") \
    X(PG_BEGIN_WRITE, "", "BEGIN ISOLATION LEVEL READ COMMITTED") \
    X(PG_COMMIT, "", "COMMIT") \
    X(PG_ROLLBACK, "", "ROLLBACK") \
    X(PG_SAVEPOINT, "", "SAVEPOINT member") \
    X(PG_RELEASE, "", "RELEASE SAVEPOINT member") \
    X(PG_ROLLBACK_TO, "", "ROLLBACK TO SAVEPOINT member") \
    X(PG_HERE, "", "SELECT pg_try_advisory_lock_shared(" PG_PRESENCE ")") \
    X(PG_NOT_HERE, "", "SELECT pg_advisory_unlock_shared(" PG_PRESENCE ")") \
    X(PG_ALONE, "", "SELECT pg_try_advisory_lock(" PG_PRESENCE ")") \
    X(PG_FEED, "", "SELECT row, epoch FROM carnet_feed WHERE part = 0") \
    X(PG_LOCK, "", \
      "SELECT row, epoch, hlc FROM carnet_feed WHERE part = 0 FOR UPDATE") \
    X(PG_FEED_SET, "iiiii", \
      "UPDATE carnet_feed SET row = $1, hlc = $2, versions = versions + $3, live = live" \
      " + $4, epoch = epoch + $5 WHERE part = 0") \
    X(PG_GET, "ib", \
      "SELECT v.row, v.type, v.id, v.hlc, v.origin, v.method, true, v.body FROM" \
      " carnet_version v WHERE v.part = 0 AND v.type::int4 = $1 AND v.id = $2 ORDER BY" \
      " v.row + 0 DESC LIMIT 1") \
    X(PG_FEW, "bbii", \
      "SELECT v.row, v.type, v.id, v.hlc, v.origin, v.method, true, CASE WHEN" \
      " octet_length(v.body) <= $4 THEN v.body END, f.row, f.epoch, i.k IS NULL FROM" \
      " carnet_feed f LEFT" \
      " JOIN (SELECT i.k FROM carnet_idx i WHERE i.part = 0 AND i.k >= $1 AND i.k < $2 AND" \
      " octet_length(i.k) = octet_length($1) ORDER BY i.k LIMIT $3) i ON true LEFT JOIN" \
      " carnet_version v ON v.part = 0 AND v.row = " PG_ROW_OF("i.k") " WHERE f.part = 0") \
    X(PG_GET_ROW, "i", \
      "SELECT " PG_ROW "v.body FROM carnet_version v WHERE v.part = 0 AND v.row = $1") \
    X(PG_GET_ROWS, "Ii", \
      "SELECT " PG_ROW "CASE WHEN octet_length(v.body) <= $2 THEN v.body END FROM" \
      " unnest($1) u(row) JOIN" \
      " carnet_version v ON v.part = 0 AND v.row = u.row") \
    X(PG_GET_OLD, "ibii", \
      "SELECT " PG_ROW "v.body FROM carnet_version v WHERE v.part = 0 AND v.type::int4 = $1" \
      " AND v.id =" \
      " $2 AND v.hlc = $3 AND v.origin = $4 ORDER BY v.row + 0 DESC LIMIT 1") \
    X(PG_ROW_FROM, "ii", \
      "WITH RECURSIVE b(lo, hi) AS (SELECT 1::int8, $2 + 1 UNION ALL SELECT CASE WHEN" \
      " p.hlc < $1 THEN p.row + 1 ELSE b.lo END, CASE WHEN p.hlc < $1 THEN b.hi ELSE" \
      " (b.lo + b.hi) / 2 END FROM b LEFT JOIN LATERAL (SELECT v.row, v.hlc FROM" \
      " carnet_version v WHERE v.part = 0 AND v.row >= (b.lo + b.hi) / 2 ORDER BY v.row" \
      " LIMIT 1) p ON true WHERE b.lo < b.hi) SELECT lo FROM b WHERE lo >= hi") \
    X(PG_CHANGES, "ii", \
      "SELECT v.row FROM carnet_version v WHERE v.part = 0 AND v.row > $1 ORDER BY" \
      " v.row LIMIT $2") \
    X(PG_HISTORY, "iiii", \
      "SELECT v.row FROM carnet_version v WHERE v.part = 0 AND v.row >= $1 AND v.row <" \
      " $2 AND " PG_WAS_NEWEST("$3") " ORDER BY v.row DESC LIMIT $4") \
    X(PG_HISTORY_TYPE, "iiiii", \
      "SELECT v.row FROM carnet_version v WHERE v.part = 0 AND v.type::int8 = $5 AND" \
      " v.row - 0 >= $1 AND v.row - 0 < $2 AND " PG_WAS_NEWEST("$3") " ORDER BY v.row - 0" \
      " DESC LIMIT $4") \
    X(PG_HISTORY_ID, "iiiiib", \
      "SELECT v.row FROM carnet_version v WHERE v.part = 0 AND v.type::int4 = $5 AND" \
      " v.id = $6 AND v.row + 0 >= $1 AND v.row + 0 < $2 AND " PG_WAS_NEWEST("$3") " ORDER" \
      " BY v.row + 0 DESC LIMIT $4") \
    X(PG_HISTORY_COUNT, "ib", \
      "SELECT count(*) FROM carnet_version v WHERE v.part = 0 AND v.type::int4 = $1 AND" \
      " v.id = $2") \
    X(PG_KEYS, "bbi", \
      "SELECT k FROM carnet_idx WHERE part = 0 AND k >= $1 AND k < $2 ORDER BY k LIMIT $3") \
    X(PG_KEYS_DESC, "bbi", \
      "SELECT k FROM carnet_idx WHERE part = 0 AND k >= $1 AND k < $2 ORDER BY k DESC" \
      " LIMIT $3") \
    X(PG_TERMS, "bbi", \
      "SELECT k FROM carnet_term WHERE k >= $1 AND k < $2 ORDER BY k LIMIT $3") \
    X(PG_KEY, "b", "SELECT FROM carnet_idx WHERE part = 0 AND k = $1") \
    X(PG_TERM, "b", "SELECT FROM carnet_term WHERE k = $1") \
    X(PG_HAVE_KEYS, "B", \
      "SELECT i.k FROM unnest($1) u(k) JOIN carnet_idx i ON i.part = 0 AND i.k = u.k") \
    X(PG_HAVE_TERMS, "B", "SELECT k FROM carnet_term WHERE k = ANY ($1)") \
    X(PG_KEY_COUNT, "bb", \
      "SELECT count(*) FROM carnet_idx WHERE part = 0 AND k >= $1 AND k < $2") \
    X(PG_NEWEST, "ib", \
      "SELECT v.row, v.method FROM carnet_version v WHERE v.part = 0 AND v.type::int4 =" \
      " $1 AND v.id = $2 ORDER BY v.row + 0 DESC LIMIT 1") \
    X(PG_IDENTITY, "i", \
      "SELECT v.type, v.id FROM carnet_version v WHERE v.part = 0 AND v.row = $1") \
    X(PG_LIVE, "ii", \
      "SELECT v.row FROM carnet_version v WHERE v.part = 0 AND v.row >= $1 AND " PG_IS_LIVE \
      " ORDER BY v.row LIMIT $2") \
    X(PG_LIVE_DESC, "ii", \
      "SELECT v.row FROM carnet_version v WHERE v.part = 0 AND v.row <= $1 AND " PG_IS_LIVE \
      " ORDER BY v.row DESC LIMIT $2") \
    X(PG_IDS, "ibi", PG_IDS_OF(">", "")) \
    X(PG_IDS_DESC, "ibi", PG_IDS_OF("<", " DESC")) \
    X(PG_PUT_VERSION, "iiiiiiibb", \
      "INSERT INTO carnet_version (part, row, hlc, parent, origin, agent, type, method," \
      " id, body) VALUES (0, $1, $2, $3, $4, $5, $6, $7, $8, $9)") \
    X(PG_PUT_VERSIONS, "IIIIIIIBB", \
      "INSERT INTO carnet_version (part, row, hlc, parent, origin, agent, type, method," \
      " id, body) SELECT 0, u.* FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) u") \
    X(PG_FORESEE, "IBi", \
      "SELECT v.row, v.type, v.id, v.hlc, v.origin, v.method, true, CASE WHEN" \
      " octet_length(v.body) <= $3 THEN v.body END FROM unnest($1, $2)" \
      " u(type, id) CROSS JOIN LATERAL (SELECT * FROM carnet_version v" \
      " WHERE v.part = 0 AND v.type::int4 = u.type::int4 AND v.id = u.id ORDER BY" \
      " v.row + 0 DESC LIMIT 1) v") \
    X(PG_PUT_KEYS, "B", "INSERT INTO carnet_idx (part, k) SELECT 0, k FROM unnest($1) k") \
    X(PG_ADD_KEYS, "B", \
      "INSERT INTO carnet_idx (part, k) SELECT 0, k FROM unnest($1) k ON CONFLICT DO NOTHING") \
    X(PG_PUT_TERMS, "B", \
      "INSERT INTO carnet_term (k) SELECT k FROM unnest($1) k ON CONFLICT DO NOTHING") \
    X(PG_DROP_KEYS, "B",                                                                          \
      "DELETE FROM carnet_idx i USING unnest($1) u(k) WHERE i.part = 0 AND i.k = u.k")            \
    X(PG_DROP_LIST, "bbi",                                                                         \
      "DELETE FROM carnet_idx i USING (SELECT k FROM carnet_idx WHERE part = 0 AND k >= $1"        \
      " AND k < $2 ORDER BY k LIMIT $3) u WHERE i.part = 0 AND i.k = u.k")                         \
    X(PG_PUT_MULTI, "i", "INSERT INTO carnet_multi (list) VALUES ($1) ON CONFLICT DO NOTHING") \
    X(PG_MULTI, "", "SELECT list FROM carnet_multi") \
    X(PG_ORIGINS, "", "SELECT n, value FROM carnet_origin ORDER BY n") \
    X(PG_DROP_ORIGINS, "", "DELETE FROM carnet_origin") \
    X(PG_PUT_ORIGIN, "ii", "INSERT INTO carnet_origin (n, value) VALUES ($1, $2)") \
    X(PG_LINEAGE, "I", \
      "SELECT v.row, v.parent, v.agent FROM unnest($1) u(row) JOIN carnet_version v ON v.part = 0" \
      " AND v.row = u.row") \
    X(PG_AGENT_TEXT, "i", "SELECT text FROM carnet_agent WHERE n = $1") \
    X(PG_META_NEXT, "t", \
      "SELECT name FROM carnet_meta WHERE name > $1 AND NOT starts_with(name, '" PG_WRITERS "')" \
      " ORDER BY name LIMIT 1") \
    X(PG_AGENT, "b", \
      "WITH old AS (SELECT n FROM carnet_agent WHERE text = $1), new AS (INSERT INTO" \
      " carnet_agent (n, text) SELECT (SELECT coalesce(max(n), 0) + 1 FROM" \
      " carnet_agent), $1 WHERE NOT EXISTS (SELECT FROM old) RETURNING n) SELECT n FROM" \
      " old UNION ALL SELECT n FROM new") \
    X(PG_EXPUNGE, "ib", "DELETE FROM carnet_version WHERE part = 0 AND type::int4 = $1 AND" \
      " id = $2") \
    X(PG_EXPUNGE_OLD, "i", "DELETE FROM carnet_version WHERE part = 0 AND row = $1") \
    X(PG_DROP_TERM, "b", "DELETE FROM carnet_term WHERE k = $1") \
    X(PG_PERSON_KEY, "i", "SELECT mark, key FROM carnet_person WHERE n = $1") \
    X(PG_PERSON, "b", \
      "SELECT m.n, p.n, p.mark, p.key FROM (SELECT coalesce(max(n), 0) AS n FROM" \
      " carnet_person) m LEFT JOIN carnet_person p ON p.owner = $1") \
    X(PG_PUT_PERSON, "ibbb", \
      "INSERT INTO carnet_person (n, owner, mark, key) VALUES ($1, $2, $3, $4)") \
    X(PG_FORGET_PERSON, "b", \
      "UPDATE carnet_person SET owner = NULL, mark = NULL, key = NULL WHERE owner = $1") \
    X(PG_META_GET, "t", "SELECT value FROM carnet_meta WHERE name = $1") \
    X(PG_META_SET, "tb", \
      "INSERT INTO carnet_meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO" \
      " UPDATE SET value = excluded.value") \
    X(PG_META_DROP, "t", "DELETE FROM carnet_meta WHERE name = $1") \
    X(PG_SWEEP, "b", \
      "DELETE FROM carnet_meta WHERE name > '" PG_WRITERS "' AND name < 'writer0' AND" \
      " value < $1") \
    X(PG_BLOB_GET, "bi", "SELECT bytes FROM carnet_blob WHERE name = $1 AND piece = $2") \
    X(PG_BLOB_PUT, "bib", \
      "INSERT INTO carnet_blob (name, piece, bytes) VALUES ($1, $2, $3) ON CONFLICT" \
      " (name, piece) DO UPDATE SET bytes = excluded.bytes") \
    X(PG_BLOB_DROP, "b", "DELETE FROM carnet_blob WHERE name = $1") \
    X(PG_BLOB_NEXT, "b", \
      "SELECT b.name, sum(octet_length(b.bytes))::int8, count(*) FROM carnet_blob b WHERE b.name" \
      " = (SELECT name FROM carnet_blob WHERE name > $1 ORDER BY name LIMIT 1) GROUP BY" \
      " b.name") \
    X(PG_STATS, "", \
      "SELECT versions, live, pg_database_size(current_database()) FROM carnet_feed" \
      " WHERE part = 0")

/* Whether a version was its resource's newest at some time behind a moment (of the hybrid clock).
 */
#define PG_WAS_NEWEST(at) \
    "(" at " = 0 OR coalesce((SELECT n.hlc FROM carnet_version n WHERE n.part = 0 AND" \
      " n.type::int4 = v.type::int4 AND n.id = v.id AND n.row + 0 > v.row ORDER BY" \
      " n.row + 0 LIMIT 1) > " at \
    ", true))"
#define PG_IS_LIVE \
    "v.method < 2 AND NOT EXISTS (SELECT FROM carnet_version n WHERE n.part = 0 AND" \
      " n.type::int4 = v.type::int4 AND n.id = v.id AND n.row + 0 > v.row OFFSET 0)"
/* From one id to the next by the index, however many versions each has. */
#define PG_IDS_OF(cmp, dir) \
    "WITH RECURSIVE i AS ((SELECT v.id, 1 AS n FROM carnet_version v WHERE v.part = 0" \
      " AND v.type::int4 = $1 AND v.id " cmp " $2 ORDER BY v.id" dir " LIMIT 1) UNION ALL" \
      " SELECT (SELECT v.id FROM carnet_version v WHERE v.part = 0" \
      " AND v.type::int4 = $1 AND v.id " cmp " i.id ORDER BY v.id" dir " LIMIT 1), i.n + 1" \
      " FROM i WHERE i.id IS NOT NULL AND i.n < $3) SELECT i.id," \
      " (SELECT v.row FROM carnet_version v WHERE v.part = 0 AND v.type::int4 = $1 AND" \
      " v.id = i.id ORDER BY v.row + 0 DESC LIMIT 1) FROM i WHERE i.id IS NOT NULL"

/* Statements that only a distributed store has (sharded.h). */
#define PG_SHARDED_ONLY(X) \
    X(PG_SEEN) X(PG_LAZY) X(PG_HOME) X(PG_HOMES) X(PG_PUT_HOME) X(PG_PUT_HOMES) X(PG_DROP_HOME) \
    X(PG_GUEST) X(PG_PUT_GUEST) X(PG_DROP_GUESTS) X(PG_DROP_RANGE) X(PG_RECOVER) X(PG_PREPARED)

enum pg_statement {
#define X(id, types, sql) id,
    PG_STATEMENTS(X)
#undef X
#define X(id) id,
        PG_SHARDED_ONLY(X)
#undef X
            PG_LOCAL, /* settings of one transaction (conn.c) */
    PG_STATEMENT_COUNT
};

/* Where a statement goes in a distributed store; in a plain one it makes no difference. */
enum pg_form { FORM_LOCAL, FORM_HOME, FORM_ALL, FORM_COUNT };

/* Parameters of one statement, in its order. Bytes are not copied. */
struct pg_args {
    enum pg_form form;
    int32_t home; /* of FORM_HOME; becomes the last parameter */
    int n;
    const char *v[PG_ARGS_MAX];
    int len[PG_ARGS_MAX];
    unsigned char number[PG_ARGS_MAX][8];
};

void pg_arg_i64(struct pg_args *a, int64_t v);
void pg_arg_i32(struct pg_args *a, int32_t v);
void pg_arg_bytes(struct pg_args *a, struct str v); /* .p == NULL: NULL */
/* Arrays are made in `to`, which must outlive the sending. */
enum pg_array { PG_OF_BYTES, PG_OF_I64, PG_OF_I32 };
void pg_array_begin(struct sb *to, enum pg_array of, size_t n);
void pg_array_i64(struct sb *to, int64_t v);
void pg_array_i32(struct sb *to, int32_t v);
void pg_array_bytes(struct sb *to, struct str v); /* .p == NULL: NULL */

struct pg_store;

/* A transaction lives in its connection: a connection has at most one. */
struct pg_txn {
    struct store_txn base;
    struct pg_conn *conn;
    PGresult *open;  /* holds the bytes of the last answer */
    PGresult *batch; /* rows fetched ahead */
    bool has_begun;  /* BEGIN is sent */
    bool has_position;
    uint64_t position; /* of a reader's snapshot */
    uint64_t ahead[PG_AHEAD_MAX];
    size_t n_ahead;
    char id[FHIR_ID_MAX + 1]; /* text of the last answer's id */
    int32_t home;             /* … and its home */
    /* The patient whose keys a reader asked for last, and where they are. */
    unsigned char owner[ID_KEY_MAX];
    size_t owner_n;
    enum pg_form owner_form;
};

/* How far a prepared statement is. */
enum pg_prepared { PG_UNKNOWN, PG_SENT, PG_READY };

/* A statement under way. */
struct pg_sent {
    enum pg_statement id;
    enum pg_form form;
    bool is_prepare;
};

struct pg_conn {
    struct pg_store *st;
    PGconn *db;
    unsigned char prepared[FORM_COUNT][PG_STATEMENT_COUNT];
    struct pg_sent queue[PG_QUEUE_MAX]; /* whose answers are not read */
    unsigned n_queue;
    bool wants_savepoint; /* the next statement is the first of a member of a group */
    bool has_savepoint;
    bool is_failed;          /* the transaction can only be undone */
    bool is_doomed;          /* … and what failed is not the running member's */
    bool is_lost;            /* the connection is gone */
    bool is_fresh;           /* a reader has had no answer in this transaction */
    bool is_synced;          /* the end of what was sent is marked already */
    bool has_sent_prepare;   /* some are PG_SENT */
    bool is_warned;          /* the server has warned of something */
    pthread_t thread;        /* that used it last */
    struct persons *persons; /* of an encrypted store, once it was needed (sealed.c) … */
    struct xaes *values;     /* … likewise, of large values */
    struct pg_txn txn;
    struct pg_conn *next;
};

/* ---- unsent.c: versions of the group under way that the database does not have yet ---- */

struct unsent_version {
    uint64_t row, hlc, parent;
    uint32_t agent;
    int32_t home; /* in a distributed store */
    uint16_t type, origin;
    uint8_t method, id_n;
    bool settles;        /* the directory has to learn its home */
    uint32_t at, body_n; /* the id's key and the body behind it, in unsent.bytes */
};

struct unsent {
    struct unsent_version *items;
    size_t n, cap;
    size_t sent; /* items before this are sent */
    struct sb bytes;
    uint32_t *slots; /* a hash of ids: numbers of items, the newest of each */
    size_t n_slots, indexed;
};

void unsent_init(struct unsent *u);
void unsent_done(struct unsent *u);
int unsent_add(struct unsent *u, const struct unsent_version *v, struct str id, struct str body,
               struct err *err);
struct str unsent_id(const struct unsent *u, const struct unsent_version *v);
struct str unsent_body(const struct unsent *u, const struct unsent_version *v);
/* Back to n items in so many bytes, of which the first `sent` are sent. */
void unsent_cut(struct unsent *u, size_t n, size_t bytes, size_t sent);
/* The newest version of an id, if that is not sent; NULL: the database knows. */
int unsent_find(struct unsent *u, int type, struct str id, const struct unsent_version **ret,
                struct err *err);
size_t id_hash(int type, struct str id);

/* ---- foresee.c: what a job is going to ask for ---- */

struct foreseen_id {
    int type, row; /* of the answer; -1: there is no version */
    int32_t home;  /* in a distributed store */
    bool has_home; /* false: nor is there a version */
    uint8_t n;
    unsigned char key[ID_KEY_MAX];
};

struct foreseen {
    PGresult *answer;
    struct foreseen_id *ids;
    uint32_t *slots;
    size_t n, n_slots;
};

void foreseen_clear(struct foreseen *f);
/* Whether that id was asked for; *ret_row is its row of the answer, or -1. */
bool foreseen_find(const struct foreseen *f, int type, struct str key, int *ret_row);
/* What is known of an id; NULL: it was not asked for. */
const struct foreseen_id *foreseen_id(const struct foreseen *f, int type, struct str key);

struct pg_agent {
    char *text;
    size_t n;
    int64_t number;
};

struct pg_writer {
    struct pg_conn *conn;
    pthread_t thread;
    bool has_thread;
    struct queue queue;
    /* The writer thread's own, of the group under way. */
    uint64_t last_row, last_hlc;
    int64_t versions, live; /* more than before */
    uint64_t epoch;         /* of the feed, as the group found it */
    bool epoch_moves;       /* other processes have to read again what they keep in memory */
    bool is_dirty;          /* carnet_feed changes */
    char name[sizeof PG_WRITERS + UUID_TEXT_LEN]; /* of this writer, in carnet_meta */
    char group[UUID_TEXT_LEN + 1];                /* of the group under way, which it ends with */
    bool has_swept;
    struct pends pends;
    struct unsent unsent;
    size_t job_pends, job_pend_bytes; /* where the running job's own begin */
    size_t job_unsent, job_unsent_bytes;
    bool keys_may_exist; /* some of `pends` may be in the index already */
    struct foreseen foreseen;
    struct arena arena; /* of one put */
    struct sb scratch, array, homes;
    struct pg_agent agents[PG_AGENTS_MAX];
    size_t n_agents;
    bool multi_dirty;
    atomic_bool owes; /* a group of this process is committed and not shown (publish) */
    atomic_uint_fast64_t commits, jobs;
};

/* What readers of a distributed store have noticed of groups that are committed and not shown. */
struct pg_lag {
    atomic_uint_fast64_t row;          /* the feed's end then */
    atomic_int_fast64_t since, looked; /* milliseconds; when a reader has last seen to it */
};

struct pg_store {
    struct store base;
    char *uri;
    bool read_only, allow_unsafe;
    bool is_alone;       /* nobody else may write (alone.c) */
    bool is_pooled;      /* each transaction may be on another of the server's connections */
    bool is_open;        /* once it was reached and checked */
    struct vault *vault; /* of an encrypted store, otherwise NULL */
    unsigned group_max;
    uint64_t origins[PG_ORIGINS_MAX];
    unsigned n_origins;
    atomic_uint_fast64_t epoch; /* what is in memory is of this one */
    bool is_sharded;            /* Citus has distributed it */
    struct params *base_params; /* which lists hold references, for home.c */
    atomic_uint_fast64_t homes[PG_HOMES_MAX];
    struct pg_lag lag;
    pthread_mutex_t conns_lock;
    struct pg_conn *free_conns;
    struct pg_writer writer;
};

static inline struct pg_txn *pg_txn(struct store_txn *txn)
{
    return (struct pg_txn *)txn;
}

static inline struct pg_store *pg_store(struct store_txn *txn)
{
    return (struct pg_store *)txn->st;
}

/* ---- conn.c ---- */

extern const char pg_settings[];         /* of every connection: how statements are planned */
extern const char pg_sharded_settings[]; /* … and besides, of a distributed store */

int pg_conn_new(struct pg_store *st, struct pg_conn **ret, struct err *err);
void pg_conn_free(struct pg_conn *c);
int pg_conn_take(struct pg_store *st, struct pg_conn **ret, struct err *err);
void pg_conn_give(struct pg_conn *c);
void pg_conn_drop_all(struct pg_store *st);
/* Sends a statement; its answer is read by the next pg_ask or pg_wait. `a` may be NULL. */
int pg_send(struct pg_conn *c, enum pg_statement id, const struct pg_args *a, struct err *err);
/* Reads the answers to all that was sent; *ret (may be NULL) is the last one's, the caller clears.
 */
int pg_wait(struct pg_conn *c, PGresult **ret, struct err *err);
int pg_ask(struct pg_conn *c, enum pg_statement id, const struct pg_args *a, PGresult **ret,
           struct err *err);
/* COPY … FROM STDIN: rows are appended, then sent by pg_copy. Values that pg_array_bytes appends
 * are a row's as well. */
void pg_copy_begin(struct sb *to);
void pg_copy_row(struct sb *to, int columns);
void pg_copy_number(struct sb *to, int64_t v, int bytes);
int pg_copy(struct pg_conn *c, const char *sql, struct sb *rows, struct err *err);
int pg_copy_start(struct pg_conn *c, const char *sql, struct err *err);
int pg_copy_end(struct pg_conn *c, struct err *err);
/* Plain SQL, one or several statements, outside of the pipeline: making and checking a store. */
int pg_exec(struct pg_conn *c, const char *sql, PGresult **ret, struct err *err);

int64_t pg_i64(const PGresult *r, int row, int column);
struct str pg_bytes(const PGresult *r, int row, int column);
static inline void pg_clearp(PGresult **r)
{
    PQclear(*r);
}

/* ---- home.c: where things are in a distributed store. In a plain one these do nothing ---- */

int32_t pg_home_make(int type, struct str id_key);
/* Nothing is noted of what a writer sees: if its group fails, the number becomes another's. */
void pg_home_note(struct pg_txn *t, uint64_t row, int32_t home);
/* Say in `a` where a statement about a row goes, about several, about a range of keys (`within` as
 * in scan_int.h). */
void pg_place_row(struct pg_store *st, uint64_t row, struct pg_args *a);
void pg_place_rows(struct pg_store *st, const uint64_t *rows, size_t n, struct pg_args *a);
int pg_place_range(struct pg_txn *t, const struct str *within, struct str lo, struct str hi,
                   struct pg_args *a, struct err *err);
/* … about a resource: 1, or 0 if the directory does not know it. */
int pg_place_id(struct pg_txn *t, int type, struct str id_key, struct pg_args *a, struct err *err);
/* Where a new resource settles: with its patient (.n == 0: by itself). */
int32_t pg_home_choose(int type, struct str id_key, struct str patient);
/* Whether the directory holds resources of a type: other homes follow from the id. */
bool pg_home_is_listed(const struct pg_store *st, int type);
/* The bytes by which the directory knows a resource. */
struct str pg_home_key(int type, struct str id_key, unsigned char to[2 + ID_KEY_MAX]);
int pg_home_put(struct pg_txn *t, int type, struct str id_key, int32_t home, struct err *err);
int pg_home_drop(struct pg_txn *t, int type, struct str id_key, struct err *err);
/* Notes of which patients a resource is a guest. */
int pg_guests_put(struct pg_txn *t, const struct index *index, int32_t home, struct err *err);
/* A patient is erased. */
int pg_guests_drop(struct pg_txn *t, struct str patient_key, struct err *err);

/* ---- schema.c ---- */

int pg_schema_create(struct pg_conn *c, const struct store_config *config, struct err *err);
/* Checks versions and the key, loads what the store keeps in memory. */
int pg_schema_open(struct pg_store *st, struct pg_conn *c, const char *key_file, struct err *err);
int pg_load_lists(struct pg_store *st, struct pg_conn *c, struct err *err);
/* What is kept in memory, once more, if the transaction sees a newer epoch than that is of. */
int pg_meet_epoch(struct pg_txn *t, uint64_t epoch, struct err *err);

/* ---- sealed.c: nothing is sealed where the store is not encrypted ---- */

/* Opens the store's vault, which refuses a key too many, too few, or the wrong one. */
int pg_keys_open(struct pg_store *st, struct pg_conn *c, bool is_sealed, const char *key_file,
                 struct err *err);
int pg_rotate(struct store *base, const char *new_key_file, struct err *err);
/* As persons_seal, persons_open. */
int pg_body_seal(struct pg_txn *t, const struct put *put, uint64_t hlc, struct str *ret,
                 struct err *err);
int pg_body_open(struct pg_txn *t, struct row *row, struct err *err);
/* Destroys the key of an owner. */
int pg_forget_owner(struct store_txn *txn, struct str owner, struct err *err);
/* Of an encrypted store: a part of a large value as it is stored, appended; and back, in place. */
int pg_value_seal(struct pg_txn *t, struct str name, uint32_t part, struct str bytes,
                  struct sb *ret, struct err *err);
int pg_value_open(struct pg_txn *t, struct str name, uint32_t part, struct str *bytes,
                  struct err *err);

/* ---- txn.c ---- */

int pg_begin(struct store *st, const struct access *who, struct store_txn **ret, struct err *err);
void pg_end(struct store_txn *txn);
/* Called first by everything that reads or writes: lets go of the last answer's bytes and makes
 * sure that a transaction is open. */
int pg_enter(struct pg_txn *t, struct err *err);
void pg_leave(struct pg_txn *t);
int pg_get(struct store_txn *txn, int type, struct str id, struct row *ret, struct err *err);
int pg_get_version(struct store_txn *txn, int type, struct str id, const struct version *v,
                   struct row *ret, struct err *err);
int pg_get_row(struct store_txn *txn, uint64_t number, struct row *ret, struct err *err);
int pg_each_row(struct store_txn *txn, const uint64_t *rows, size_t n, store_row_fn *each,
                void *ctx, struct err *err);
int pg_feed(struct store_txn *txn, uint64_t after, size_t max, struct arena *a, struct page *ret,
            struct err *err);
uint64_t pg_position(struct store_txn *txn);
/* Makes sure that the snapshot's position is known, and what is in memory is of its epoch. */
int pg_know_position(struct pg_txn *t, struct err *err);
int pg_history(struct store_txn *txn, const struct history_query *q, struct arena *a,
               struct page *ret, struct err *err);
int pg_row_at(struct store_txn *txn, int64_t ms, uint64_t *ret, struct err *err);
/* Forgets what was fetched ahead. */
void pg_forget(struct pg_txn *t);
void pg_expect(struct store_txn *txn, const uint64_t *rows, size_t n);

/* ---- lists.c ---- */

/* The second of a store where no question stands outside of a transaction: of several places, or
 * behind a pooler. */
extern const struct scan_ops pg_scan_ops, pg_whole_scan_ops;

/* ---- small.c: values of the node itself ---- */

int pg_meta_get(struct store_txn *txn, const char *name, struct arena *a, struct str *ret,
                struct err *err);
int pg_meta_set(struct store_txn *txn, const char *name, struct str value, struct err *err);
int pg_blob_get(struct store_txn *txn, struct str name, uint32_t part, struct arena *a,
                struct str *ret, struct err *err);
int pg_blob_put(struct store_txn *txn, struct str name, uint32_t part, struct str bytes,
                struct err *err);
int pg_blob_drop(struct store_txn *txn, struct str name, struct err *err);
int pg_blob_next(struct store_txn *txn, struct str after, struct arena *a, struct str *ret,
                 uint64_t *ret_bytes, struct err *err);

/* ---- writer.c, put.c ---- */

int pg_foresee(struct store_txn *txn, const struct store_id *ids, size_t n, struct err *err);
/* Sends the versions that have gathered. */
int unsent_send(struct pg_writer *w, struct err *err);
/* The same inside a job, before anything looks at versions. */
int pg_unsent_flush(struct pg_txn *t, struct err *err);
/* An answer's row of PG_GET's columns. */
int pg_to_row(struct pg_txn *t, const PGresult *res, int i, struct row *ret, struct err *err);

/* ---- alone.c ---- */

/* Of the writer's connection: this process uses the store. ERR_BUSY where another has it for
 * itself. */
int pg_be_here(struct pg_conn *c, struct err *err);
int pg_alone(struct store *base, struct err *err);

int pg_writer_start(struct pg_store *st, struct err *err);
void pg_writer_stop(struct pg_store *st);
void pg_submit(struct store *st, struct store_job *job);
/* A group without jobs: what others have committed and not shown is shown behind it. */
int pg_heal(struct pg_store *st, struct err *err);
int pg_put(struct store_txn *txn, const struct put *put, struct version *ret, struct err *err);
int pg_changed(struct store_txn *txn, struct err *err);
int pg_claim(struct store_txn *txn, struct str name, struct err *err);
int pg_expunge(struct store_txn *txn, int type, struct str id, size_t *ret_n, struct err *err);
int pg_expunge_old(struct store_txn *txn, uint64_t row, struct err *err);
int pg_forget_person(struct store_txn *txn, struct str owner, struct err *err);
int pg_drop_term(struct store_txn *txn, struct str key, struct err *err);
int pg_index_add(struct store_txn *txn, uint64_t row, const struct index *index, struct err *err);
int pg_index_drop(struct store_txn *txn, uint16_t param, size_t max, bool *ret_left,
                  struct err *err);
/* Sends the index changes that have gathered. */
int pg_pends_flush(struct pg_writer *w, struct err *err);
/* The same inside a job, before anything looks at the index. Nothing to do for a reader. */
int pg_pends_flush_if_writing(struct pg_txn *t, struct err *err);

/* ---- adopt.c: a whole store that was another's ---- */

int pg_lineage(struct store_txn *txn, struct arena *a, struct adoption *rows, size_t n,
               struct err *err);
int pg_adopt(struct store_txn *txn, const struct adoption *of, struct err *err);
int pg_adopt_position(struct store_txn *txn, uint64_t row, struct err *err);
int pg_origins(struct store_txn *txn, struct arena *a, uint64_t **ret, size_t *ret_n,
               struct err *err);
int pg_adopt_origins(struct store_txn *txn, const uint64_t *origins, size_t n, struct err *err);
int pg_meta_next(struct store_txn *txn, struct str after, struct arena *a, struct str *ret,
                 struct err *err);
/* … in put.c: as pg_put, with the number, clock and origin that a version had. */
int pg_put_as(struct pg_txn *t, const struct put *put, const struct adoption *as, uint64_t row,
              uint64_t hlc, unsigned origin, struct err *err);

/* A connection of the writer's own; after a loss a new one. */
int pg_writer_reconnect(struct pg_writer *w, struct err *err);
/* Ends a transaction that failed. */
void pg_writer_rollback(struct pg_writer *w);

/* ---- outcome.c: what became of a commit whose answer was lost ---- */

void pg_outcome_init(struct pg_writer *w);
/* Sent last of a group, before its commit. */
int pg_outcome_sign(struct pg_writer *w, struct err *err);
/* 0: the group was committed. Otherwise err->code, the reason why its answer is not here. */
int pg_outcome_ask(struct pg_writer *w, struct err *err);

/* ---- upkeep.c ---- */

int pg_stats(struct store *base, struct store_stats *ret, struct err *err);
int pg_check(struct store *st, void (*say)(void *ctx, const char *text), void *ctx,
             struct err *err);
int pg_backup(struct store *st, const char *to_dir, const char *keys_file,
              store_backup_progress *progress, void *ctx, struct err *err);
int pg_remake(struct store *base, store_backup_progress *progress, void *ctx, struct err *err);

#endif
