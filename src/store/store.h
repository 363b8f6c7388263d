/* store.h - where versions of resources live: one interface, described by what a caller asks.
 *
 * A version, once written, never changes. Its number (`row`) is also its place in the change feed:
 * rows of a node are numbered in commit order, without the feed ever skipping one that commits.
 * All writes go through one writer that commits what is queued as a group; each job is a member of
 * the group with a savepoint of its own. Reads run on a snapshot, on any thread, and never wait.
 *
 * Backends implement struct store_ops (store_int.h); store/faulty wraps either for tests.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/sb.h"
#include "fhir/index.h"
#include "fhir/params.h"
#include "fhir/search.h"
#include "store/access.h"

#define STORE_BODY_MAX MIB(88) /* one resource, uncompressed: 64 MiB in base 64, and more */
#define STORE_VERSION_ID_MAX 32
#define STORE_BLOB_PART_MAX MIB(4)
#define STORE_BLOB_NAME_MAX 2000
#define STORE_BLOB_OWN "trust/" /* values with such names are ACCESS_SYSTEM's alone */
#define STORE_META_COPY "copy"  /* set: without owners' keys and without index, for store_restore  \
                                 */
#define STORE_INDEX_VERSION 3   /* of the key formats in docs/formats/index-keys.md */

struct store;
struct store_txn;

struct store_config {
    const char *dir;      /* data folder; the database is dir/carnet.db */
    const char *key_file; /* holds the key of an encrypted store (vault/vault.h); NULL: the
                             environment's, if any. With `create`: encrypt it. In a database
                             bodies and large values are sealed, keys of the index are not
                             (docs/decisions/0066) */
    bool for_restore; /* it may be what store_backup made of an encrypted store, and is copied as
                         it is */
    bool seal_copies; /* for a restore: copies go into a folder with keys of its own, which
                         are made if it has none; copy_key_file opens them */
    const char *copy_key_file;
    const char *uri;            /* not NULL: PostgreSQL's connection string, instead of dir */
    bool allow_unsafe;          /* a server that does not wait for its disk (fsync = off …) */
    bool is_pooled;             /* behind a pooler of transactions: nothing outlives one */
    struct index_options index; /* its strings must outlive the store; tz_minutes and content count
                                   with `create` only: a store keeps its own */
    bool create;                /* make a new store; otherwise it must exist */
    bool read_only;
    size_t cache_bytes; /* page cache for each connection, 0: default */
    unsigned group_max; /* jobs in one commit, 0: default */
    size_t wal_bytes;   /* the log is folded in past this, 0: default */
};

/* Opens (and upgrades) a store. ERR_NOT_FOUND if there is none, ERR_CONFLICT if another process
 * holds it, ERR_NO_STORE if it is damaged or from a newer version. */
int store_open(const struct store_config *config, struct store **ret, struct err *err);
/* Waits for queued writes, truncates the log, closes. NULL is allowed. */
void store_close(struct store *st);
static inline void store_closep(struct store **st)
{
    store_close(*st);
}

/* The search parameters in force; the caller unrefs. */
struct params *store_params(struct store *st);
/* Puts another snapshot in force (takes a reference of its own). */
void store_params_set(struct store *st, struct params *params);
const struct index_options *store_index_options(struct store *st);
/* One more base URL of our own, behind those of store_config; copied. One that is known already
 * changes nothing. Call it before others use the store. */
int store_base_url_add(struct store *st, struct str url, struct err *err);

/* Whether other processes may write to the store meanwhile. */
bool store_is_shared(const struct store *st);
/* Until it is closed no other process may open the store for writing. ERR_CONFLICT where one has it
 * open, or where nobody could tell. */
int store_alone(struct store *st, struct err *err);
/* What a process keeps in memory of a store (search parameters, compiled terminology …) follows
 * what other processes change: `reload` is called with the first transaction, a reader's or a
 * group's, that sees another process's store_changed, before that does anything else; one call at a
 * time. A reader notices when it searches, asks for history, the feed or its position. */
typedef int store_reload(void *ctx, struct store_txn *txn, struct err *err);
/* Takes the place of whoever was there; NULL: nobody. Waits for a reload under way. */
void store_on_change(struct store *st, store_reload *reload, void *ctx);

/* From here on resources get every key of the index's present version, and (content) those of
 * index_options.content. For a reindex, while nobody else uses the store; it then writes meta
 * "index" and "content". */
void store_index_on(struct store *st, bool content);

/* A version of a resource, on this node and every other: (clock, origin). */
struct version {
    uint64_t hlc;    /* hlc_ms(hlc) is meta.lastUpdated */
    uint64_t origin; /* random 40-bit number of the node that made it */
};

/* versionId text, at most STORE_VERSION_ID_MAX with NUL; and back (false if it is none of ours). */
void version_format(const struct version *v, char ret[STORE_VERSION_ID_MAX]);
bool version_parse(struct str s, struct version *ret);

enum store_method { METHOD_CREATE, METHOD_UPDATE, METHOD_DELETE };

/* One version as the store returns it. Strings are valid until the transaction's next call. */
struct row {
    uint64_t row; /* its number, > 0 */
    int type;
    struct str id;
    struct version version;
    enum store_method method;
    bool is_current;
    bool is_locked;    /* the key of the body is not in this store (docs/decisions/0046) */
    struct str sealed; /* body in its envelope; empty for a deletion */
};

/* Appends the resource as JSON: type, id, meta.versionId and meta.lastUpdated put in front of the
 * stored text. The row must not be a deletion. ERR_NO_STORE if the envelope is damaged. */
int row_json(struct store *st, const struct row *row, struct sb *out, struct err *err);

/* ---- reading ---- */

/* A snapshot for reading. Many may be open; each belongs to one thread at a time. */
int store_begin(struct store *st, const struct access *who, struct store_txn **ret,
                struct err *err);
void store_end(struct store_txn *txn);
static inline void store_txn_endp(struct store_txn **txn)
{
    if (*txn)
        store_end(*txn);
}

/* The calls of this reader need not see one and the same state: it makes one call, or what its
 * calls say need not agree to the microsecond. What one call gives is still of one state, and none
 * sees less than the one before. Cheaper where the store is far away. */
void store_brief(struct store_txn *txn);

/* From here on a search of this transaction that is not done at `mono_us` (clock_mono_us) ends with
 * ERR_COSTLY; 0: no deadline. Inside a job each search has a short one of its own. */
void store_deadline(struct store_txn *txn, int64_t mono_us);
bool store_is_overdue(const struct store_txn *txn);

/* The newest version, deletions included (is that an answer or a 410? the caller knows).
 * ERR_NOT_FOUND if the id never existed. */
int store_get(struct store_txn *txn, int type, struct str id, struct row *ret, struct err *err);
int store_get_version(struct store_txn *txn, int type, struct str id, const struct version *v,
                      struct row *ret, struct err *err);
int store_get_row(struct store_txn *txn, uint64_t row, struct row *ret, struct err *err);

/* Versions by their numbers, as store_get_row, in the order of `rows`: cheaper than one by one. A
 * negative result of `each` ends it. The transaction must not be called inside `each`. */
typedef int store_row_fn(void *ctx, const struct row *row, struct err *err);
int store_each_row(struct store_txn *txn, const uint64_t *rows, size_t n, store_row_fn *each,
                   void *ctx, struct err *err);

/* A page of row numbers. */
struct page {
    uint64_t *rows;
    size_t n;
    struct str next; /* cursor of the next page; STR_NULL at the end */
    int64_t total;   /* exact, or -1: not counted */
};

/* One page of a search. The cursor is opaque text that holds where the page ended and the feed's
 * position at the first page: rows that did not change since appear exactly once over all pages,
 * rows that did at most once. (What a chain leads through is looked at as it is at each page.)
 * `budget`: index entries and bodies it may look at, 0: no limit; past it ERR_BUSY, so that an
 * event loop can hand the search to a worker. A malformed cursor is ERR_VALUE. */
int store_search(struct store_txn *txn, const struct search *s, size_t budget, struct arena *a,
                 struct page *ret, struct err *err);

/* From now on a thread of the store's own reads what searches will need (where the references of a
 * list lead, docs/decisions/0032) before they ask a second time, until store_close; without it the
 * search that needs it first reads it. ERR_INTERNAL where no thread can be had. */
int store_read_ahead(struct store *st, struct err *err);

/* Inside a job: what a conditional request matches, over everything that is there. ERR_STALE, which
 * names nothing, where a match may not be seen. A condition with chains or _has matches what
 * store_search finds. */
int store_condition(struct store_txn *txn, const struct search *s, struct arena *a,
                    struct page *ret, struct err *err);

/* Row numbers of current versions that hold a reference to (type, id) in parameter `param`
 * (NULL: any reference parameter of any type), at most `max`. For _revinclude and for integrity. */
int store_referrers(struct store_txn *txn, const struct param *param, int type, struct str id,
                    size_t max, struct arena *a, struct page *ret, struct err *err);

/* A key of a list, and one of the rows that have it. */
struct index_seen {
    struct str key;
    uint64_t row;
};

/* The different keys of a list (a parameter's, docs/formats/index-keys.md) behind `after` (STR(""):
 * from the first on), in order, at most `max`, each with one current version that has it. Costs a
 * descent for each key, however many rows it has. */
int store_index_keys(struct store_txn *txn, uint16_t list, struct str after, size_t max,
                     struct arena *a, struct index_seen **ret, size_t *ret_n, struct err *err);

struct history_query {
    int type;                               /* 0: system */
    struct str id;                          /* .p == NULL: type or system */
    int64_t since_ms, at_from_ms, at_to_ms; /* 0: not asked */
    size_t count;
    struct str cursor;
};

/* Versions, newest first, deletions included. The total is exact for an instance. */
int store_history(struct store_txn *txn, const struct history_query *q, struct arena *a,
                  struct page *ret, struct err *err);

/* The change feed: rows after `after`, oldest first, at most `max`. One partition in SQLite. */
int store_feed(struct store_txn *txn, uint64_t after, size_t max, struct arena *a, struct page *ret,
               struct err *err);
uint64_t store_position(struct store_txn *txn); /* newest row number in this snapshot */

/* ---- writing ---- */

/* Turns a validated resource into what is stored: text without resourceType, id, meta.versionId and
 * meta.lastUpdated, compressed in its envelope. Pure CPU: call it outside the writer. */
int store_seal(struct store *st, yyjson_val *root, struct sb *ret_sealed, struct err *err);

/* The same with one more member at the end, `name`: bytes in base 64 (a Binary's data). They are
 * never held as JSON values. */
int store_seal_data(struct store *st, yyjson_val *root, struct str name, struct str bytes,
                    struct sb *ret_sealed, struct err *err);

struct put {
    enum store_method method;
    int type;
    struct str id;
    struct str sealed;         /* of store_seal; empty for METHOD_DELETE */
    const struct index *index; /* of index_extract, with `id` already in the resource: it is
                                  in its own compartment; NULL for METHOD_DELETE */
    bool is_new;               /* the id was made for this put: nothing can have it */
};

struct store_id {
    int type;
    struct str id;
};

/* A unit of writing. `run` is called once on the writer's thread inside the group's transaction,
 * may read its own writes with every function above, and must not block; if it returns < 0 its own
 * effects are undone and the neighbours' are kept. `done` is called on the writer's thread once the
 * group is durable (or has failed): `r` is run's result or the commit's error. The job belongs to
 * the caller again from then on. */
struct store_job {
    int (*run)(struct store_txn *txn, struct store_job *job, struct err *err);
    void (*done)(struct store_job *job, int r, const struct err *err);
    const struct access *who;
    size_t weight;          /* number of resources; 0 counts as 1 */
    struct store_job *next; /* the queue's */
    int result;             /* the writer's */
    struct err err;         /* the writer's */
};

void store_submit(struct store *st, struct store_job *job);
/* submit and wait; job->done is not used. */
int store_write(struct store *st, struct store_job *job, struct err *err);

/* Inside a job: writes one version. The previous newest version (if any) stops being current and
 * leaves the index. ERR_NO_STORE / ERR_FULL from the disk. */
int store_put(struct store_txn *txn, const struct put *put, struct version *ret, struct err *err);

/* Inside a job: of these ids store_get and store_put are likely to be asked. Only a matter of
 * speed: where the store is far away, one question for all instead of one for each. */
int store_foresee(struct store_txn *txn, const struct store_id *ids, size_t n, struct err *err);

/* Inside a job: a name that only one transaction may hold at a time (conditional operations). With
 * one writer there is nothing to wait for; stores with several writers lock it until commit. */
int store_claim(struct store_txn *txn, struct str name, struct err *err);

/* Inside a job: what other processes keep in memory is old once this job is durable. */
int store_changed(struct store_txn *txn, struct err *err);

/* Inside a job, for operators: removes every version of (type, id) for good; *ret_n versions. */
int store_expunge(struct store_txn *txn, int type, struct str id, size_t *ret_n, struct err *err);

/* How often that was done: what vanishes moves no position. */
int store_expunged(struct store_txn *txn, uint64_t *ret, struct err *err);

/* Inside a job, for a search parameter that comes or goes. add: more keys for a row, nothing when
 * it is no longer the newest version. drop: removes up to `max` keys of list `param`; *ret_left
 * says whether more are there. */
int store_index_add(struct store_txn *txn, uint64_t row, const struct index *index,
                    struct err *err);
int store_index_drop(struct store_txn *txn, uint16_t param, size_t max, bool *ret_left,
                     struct err *err);

/* Inside a job: small values of the node itself (job positions, identity). */
int store_meta_get(struct store_txn *txn, const char *name, struct arena *a, struct str *ret,
                   struct err *err); /* STR_NULL if it is not set */
int store_meta_set(struct store_txn *txn, const char *name, struct str value, struct err *err);

/* Large values of the node itself (compiled terminology), in parts under one name. A reader asks
 * for part 0, 1 … until STR_NULL; put and drop belong inside a job. What is under way under a name
 * that nobody knows yet disturbs nobody: publish the name when the last part is in. */
int store_blob_get(struct store_txn *txn, struct str name, uint32_t part, struct arena *a,
                   struct str *ret, struct err *err);
/* At most STORE_BLOB_PART_MAX bytes; a part that is there is replaced. */
int store_blob_put(struct store_txn *txn, struct str name, uint32_t part, struct str bytes,
                   struct err *err);
/* All parts; none is no error. */
int store_blob_drop(struct store_txn *txn, struct str name, struct err *err);
/* The first name behind `after` in byte order (STR(""): the first of all); STR_NULL at the end.
 * *ret_bytes (may be NULL): of all its parts. */
int store_blob_next(struct store_txn *txn, struct str after, struct arena *a, struct str *ret,
                    uint64_t *ret_bytes, struct err *err);

/* ---- a whole store becomes another's (server/migrate.h): for ACCESS_SYSTEM ---- */

/* A version as another store has it. */
struct adoption {
    struct row row;      /* is_current: it gets its keys */
    uint64_t parent;     /* the version it replaced, 0: none */
    struct str agent;    /* who made it */
    struct index *index; /* of its body; NULL for a deletion */
    bool drops_parent;   /* the version it replaced may have been adopted as the current one */
};

/* What struct row does not say of versions: sets parent and agent of each whose row.row is given.
 * Agents live in `a`. */
int store_lineage(struct store_txn *txn, struct arena *a, struct adoption *rows, size_t n,
                  struct err *err);
/* Inside a job: writes a version with the number, clock and origin that it had. Numbers must grow.
 */
int store_adopt(struct store_txn *txn, const struct adoption *of, struct err *err);
/* Inside a job: the feed goes on behind this number, whether or not its version was adopted. */
int store_adopt_position(struct store_txn *txn, uint64_t row, struct err *err);
/* Which nodes' versions are here; [0] is this node's own. */
int store_origins(struct store_txn *txn, struct arena *a, uint64_t **ret, size_t *ret_n,
                  struct err *err);
/* Inside a job, on a store without versions: it takes the place of the one that these are of. */
int store_adopt_origins(struct store_txn *txn, const uint64_t *origins, size_t n, struct err *err);
/* The first name of a small value behind `after` in byte order; STR_NULL at the end. */
int store_meta_next(struct store_txn *txn, struct str after, struct arena *a, struct str *ret,
                    struct err *err);

/* ---- upkeep ---- */

struct store_stats {
    uint64_t rows, current;    /* versions; resources that are not deleted */
    uint64_t bytes, wal_bytes; /* on disk */
    uint64_t commits, jobs;    /* since open */
    uint64_t queued;
};

int store_stats(struct store *st, struct store_stats *ret, struct err *err);

/* Reads everything: structure, envelopes, index against bodies. Problems go to `say`, one sentence
 * each; returns their number. */
int store_check(struct store *st, void (*say)(void *ctx, const char *text), void *ctx,
                struct err *err);

/* Gets pages done and in all, now and then; false stops the copy. */
typedef bool store_backup_progress(void *ctx, uint64_t done, uint64_t all);

/* A consistent copy into a new folder while the store is in use. `progress` may be NULL; when it
 * stops the copy, ERR_TIMEOUT, and nothing is left of it. Of an encrypted store the copy has no
 * index and no keys of persons: those go to `keys_file`, which is written anew (ERR_REQUIRED when
 * none is named); restoring puts them together again. NULL for a store that is not encrypted. */
int store_backup(struct store *st, const char *to_dir, const char *keys_file,
                 store_backup_progress *progress, void *ctx, struct err *err);

/* Whether the store is such a copy (store_config.for_restore): what a restore makes whole. Its keys
 * come first: those of the file that was written with it or later. Versions of whom they were
 * erased of are removed. Its index follows, and then store_meta_set(STORE_META_COPY) to nothing.
 * ERR_VALUE when the file is older than the copy. `copy_dir` is the backup's folder, whose keys
 * sealed the file. */
bool store_is_copy(const struct store *st);
int store_restore_keys(struct store *st, const char *keys_file, const char *copy_dir,
                       const char *copy_key_file, struct err *err);

/* Of a store that keeps its keys by itself (in a database; a folder's are vault_rotate's): from now
 * on the key of this file opens it, which is made if it is not there, and the old one does not.
 * Whoever has the store open goes on. ERR_VALUE when it is not encrypted. */
int store_rotate(struct store *st, const char *new_key_file, struct err *err);

/* Seals with keys of their owners what was written before the store had such keys; nothing to do
 * where it has none. May be stopped and called again. Nobody else uses the store. */
int store_wrap(struct store *st, store_backup_progress *progress, void *ctx, struct err *err);

/* Makes the store's files anew while nobody else uses the store: what was removed is nowhere in
 * them. Needs as much room again meanwhile. Where it fails the store is as it was, and is only to
 * be closed. A database writes its tables anew. */
int store_remake(struct store *st, store_backup_progress *progress, void *ctx, struct err *err);

/* ---- erasing a person: docs/decisions/0046 ---- */

enum erase_kind {
    ERASE_OWN,    /* in this patient's compartment and nobody else's, or the Patient itself */
    ERASE_SHARED, /* of several patients, or of none and naming this one; Binaries they point to */
    ERASE_OTHERS, /* of other patients, and naming this one */
    ERASE_KINDS
};

/* All of an id, or one superseded version of it. */
struct erase_item {
    enum erase_kind kind;
    int type;
    struct str id;
    uint64_t row; /* 0: all of the id */
};

struct erase_plan {
    struct str patient;
    bool with_shared; /* what is shared goes too; what is others' stays in any case */
    struct erase_item *items;
    size_t n, cap, n_of[ERASE_KINDS];
    struct str *terms; /* of the index, which nobody else has */
    size_t n_terms;
};

/* What there is of a person, in every version; looks at all there are. No patient (STR("")): what
 * is under keys that are not in the store. Nobody else uses the store from here until it is erased.
 * ERR_NOT_FOUND when there never was such a Patient. Memory is a's. */
int store_erase_find(struct store *st, const struct access *who, struct str patient,
                     bool with_shared, struct arena *a, struct erase_plan *ret, struct err *err);
/* Inside a job, for ACCESS_SYSTEM: removes what the plan has, and destroys its keys. Bytes stay in
 * the files until store_remake. */
int store_erase(struct store_txn *txn, const struct erase_plan *plan, struct err *err);

#endif
