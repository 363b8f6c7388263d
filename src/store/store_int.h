/* store_int.h - what a backend implements, and what all of them share. Stays inside store/.
 *
 * A backend embeds struct store and struct store_txn as the first member of its own structures.
 * store.c checks the access, then calls through the table.
 */
#ifndef STORE_STORE_INT_H
#define STORE_STORE_INT_H

#include "store/scan_int.h"
#include "store/sight.h"
#include "store/store.h"

#include <pthread.h>

/* How often resources were removed for good, among the node's own values. */
#define STORE_META_EXPUNGED "expunged"

#define STORE_TXN_MAGIC 0x73747278u

struct store_ops {
    void (*close)(struct store *st);
    int (*begin)(struct store *st, const struct access *who, struct store_txn **ret,
                 struct err *err);
    void (*end)(struct store_txn *txn);

    int (*get)(struct store_txn *txn, int type, struct str id, struct row *ret, struct err *err);
    int (*get_version)(struct store_txn *txn, int type, struct str id, const struct version *v,
                       struct row *ret, struct err *err);
    int (*get_row)(struct store_txn *txn, uint64_t row, struct row *ret, struct err *err);
    int (*each_row)(struct store_txn *txn, const uint64_t *rows, size_t n, store_row_fn *each,
                    void *ctx, struct err *err);
    int (*search)(struct store_txn *txn, const struct search *s, size_t budget, struct arena *a,
                  struct page *ret, struct err *err);
    int (*referrers)(struct store_txn *txn, const struct param *param, int type, struct str id,
                     size_t max, struct arena *a, struct page *ret, struct err *err);
    int (*index_keys)(struct store_txn *txn, uint16_t list, struct str after, size_t max,
                      struct arena *a, struct index_seen **ret, size_t *ret_n, struct err *err);
    int (*history)(struct store_txn *txn, const struct history_query *q, struct arena *a,
                   struct page *ret, struct err *err);
    int (*feed)(struct store_txn *txn, uint64_t after, size_t max, struct arena *a,
                struct page *ret, struct err *err);
    uint64_t (*position)(struct store_txn *txn);

    void (*submit)(struct store *st, struct store_job *job);
    int (*put)(struct store_txn *txn, const struct put *put, struct version *ret, struct err *err);
    /* NULL: nothing is gained. */
    int (*foresee)(struct store_txn *txn, const struct store_id *ids, size_t n, struct err *err);
    int (*claim)(struct store_txn *txn, struct str name, struct err *err);
    int (*changed)(struct store_txn *txn, struct err *err); /* NULL: nobody shares the store */
    int (*expunge)(struct store_txn *txn, int type, struct str id, size_t *ret_n, struct err *err);
    /* For store_erase; NULL: such a store erases nobody. One superseded version; the key of an
     * owner (store/owner.h); a term of the index. */
    int (*expunge_old)(struct store_txn *txn, uint64_t row, struct err *err);
    int (*forget)(struct store_txn *txn, struct str owner, struct err *err);
    int (*drop_term)(struct store_txn *txn, struct str key, struct err *err);
    int (*index_add)(struct store_txn *txn, uint64_t row, const struct index *index,
                     struct err *err);
    int (*index_drop)(struct store_txn *txn, uint16_t param, size_t max, bool *ret_left,
                      struct err *err);
    int (*meta_get)(struct store_txn *txn, const char *name, struct arena *a, struct str *ret,
                    struct err *err);
    int (*meta_set)(struct store_txn *txn, const char *name, struct str value, struct err *err);

    int (*blob_get)(struct store_txn *txn, struct str name, uint32_t part, struct arena *a,
                    struct str *ret, struct err *err);
    int (*blob_put)(struct store_txn *txn, struct str name, uint32_t part, struct str bytes,
                    struct err *err);
    int (*blob_drop)(struct store_txn *txn, struct str name, struct err *err);
    int (*blob_next)(struct store_txn *txn, struct str after, struct arena *a, struct str *ret,
                     uint64_t *ret_bytes, struct err *err);

    int (*lineage)(struct store_txn *txn, struct arena *a, struct adoption *rows, size_t n,
                   struct err *err);
    int (*adopt)(struct store_txn *txn, const struct adoption *of, struct err *err);
    int (*adopt_position)(struct store_txn *txn, uint64_t row, struct err *err);
    int (*origins)(struct store_txn *txn, struct arena *a, uint64_t **ret, size_t *ret_n,
                   struct err *err);
    int (*adopt_origins)(struct store_txn *txn, const uint64_t *origins, size_t n, struct err *err);
    int (*meta_next)(struct store_txn *txn, struct str after, struct arena *a, struct str *ret,
                     struct err *err);

    int (*stats)(struct store *st, struct store_stats *ret, struct err *err);
    int (*alone)(struct store *st, struct err *err); /* NULL: it is one process's already */
    int (*check)(struct store *st, void (*say)(void *ctx, const char *text), void *ctx,
                 struct err *err);
    int (*backup)(struct store *st, const char *to_dir, const char *keys_file,
                  store_backup_progress *progress, void *ctx, struct err *err);
    /* NULL: there are no such copies. */
    int (*restore_keys)(struct store *st, const char *keys_file, const char *copy_dir,
                        const char *copy_key_file, struct err *err);
    int (*rotate)(struct store *st, const char *new_key_file,
                  struct err *err); /* or the folder's */
    int (*wrap)(struct store *st, store_backup_progress *progress, void *ctx, struct err *err);
    int (*remake)(struct store *st, store_backup_progress *progress, void *ctx, struct err *err);
};

struct store {
    const struct store_ops *ops;
    const struct scan_ops *scan; /* NULL where no search runs: in faulty/ */
    struct lists lists;
    struct index_options index;
    bool is_copy;      /* without owners' keys and index (store_backup) */
    struct str *bases; /* of index, once store_base_url_add made a list of its own */
    pthread_mutex_t params_lock;
    struct params *params;
    pthread_mutex_t reload_lock; /* recursive, for what a reload reads */
    store_reload *reload;
    void *reload_ctx;
};

struct store_txn {
    unsigned magic;
    struct store *st;
    struct access who;
    bool is_writing;     /* inside a job */
    bool is_brief;       /* store_brief */
    bool is_narrowed;    /* the search under way is cut down to what `who` may find */
    int64_t deadline_us; /* of the monotonic clock; 0: none */
    bool has_looked;
    const struct sight *sight; /* of `who`, once has_looked; NULL: everything is in sight */
    uint64_t *gone;            /* deletions that may be seen, as far as they were asked about */
    size_t n_gone, cap_gone;
};

#define STORE_JOB_SEARCH_US 2000000 /* what one search inside a job may take */

/* Fills the shared part; takes its own reference of `params` (NULL: params_base). */
int store_base_init(struct store *st, const struct store_ops *ops,
                    const struct index_options *index, struct params *params, struct err *err);
void store_base_done(struct store *st);
/* Takes over how the store's keys were made: it is the store's, not the caller's. What an earlier
 * index version has no keys for is found without, until the store is reindexed. ERR_NO_STORE if it
 * is of a newer program. */
int store_index_made(struct store *st, int64_t version, bool content, int64_t tz_minutes,
                     struct err *err);

/* The same store with every call a fault point ("store"): for tests of those above the store.
 * Owns `inner` from then on. */
int store_faulty_new(struct store *inner, struct store **ret, struct err *err);

/* Index entries of a stored body. */
int row_index(struct store *st, struct arena *a, struct sb *scratch, const struct row *row,
              struct index *ret, struct err *err);

/* ---- search.c, referrers.c, keys.c: for a backend with scan_ops ---- */

int search_page(struct store_txn *txn, const struct search *s, size_t budget, struct arena *a,
                struct page *ret, struct err *err);
int search_referrers(struct store_txn *txn, const struct param *param, int type, struct str id,
                     size_t max, struct arena *a, struct page *ret, struct err *err);
int search_index_keys(struct store_txn *txn, uint16_t list, struct str after, size_t max,
                      struct arena *a, struct index_seen **ret, size_t *ret_n, struct err *err);

int store_postgres_open(const struct store_config *config, struct store **ret, struct err *err);
int store_sqlite_open(const struct store_config *config, struct store **ret, struct err *err);

/* ---- seen.c: what the face asks the rules of an access (access.h) ---- */

static inline bool seen_is_bounded(const struct store_txn *txn)
{
    return txn->who.rules != NULL;
}
/* Before the first row of a transaction is looked at: what is in sight. */
int seen_look(struct store_txn *txn, struct err *err);
/* At the end of a transaction. */
void seen_end(struct store_txn *txn);
/* Turns a row that was found but may not be seen into what is said of one that does not exist. */
int seen_row(struct store_txn *txn, int r, int type, struct str id, struct row *row,
             struct err *err);
int seen_each_row(struct store_txn *txn, const uint64_t *rows, size_t n, store_row_fn *each,
                  void *ctx, struct err *err);
int seen_search(struct store_txn *txn, const struct search *s, size_t budget, struct arena *a,
                struct page *ret, struct err *err);
/* As store_condition. */
int seen_condition(struct store_txn *txn, const struct search *s, struct arena *a, struct page *ret,
                   struct err *err);
/* Keeps of a page what may be seen; a total of what may not is taken away. */
int seen_page(struct store_txn *txn, struct page *page, struct err *err);
int seen_put(struct store_txn *txn, const struct put *put, struct err *err);

/* ---- envelope.c ---- */

/* The text that is kept of a resource (docs/formats/store.md): appended to `out`. */
void body_text(struct sb *out, yyjson_val *root);
/* Appends the kept text of an envelope. */
int body_open(struct str sealed, struct sb *out, struct err *err);
/* Appends the whole resource. */
int body_json(int type, struct str id, const struct version *v, struct str sealed, struct sb *out,
              struct err *err);

#endif
