#include "store/store.h"

#include "base/clock.h"
#include "store/store_int.h"

#include <stdlib.h>

int store_base_init(struct store *st, const struct store_ops *ops,
                    const struct index_options *index, struct params *params, struct err *err)
{
    struct params *p = params ? params_ref(params) : params_base(err);
    pthread_mutexattr_t recursive;

    if (!p)
        return err ? err->code : ERR_NO_MEMORY;
    st->ops = ops;
    st->index = *index;
    st->params = p;
    pthread_mutex_init(&st->params_lock, NULL);
    pthread_mutex_init(&st->lists.hints_lock, NULL);
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&st->reload_lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
    pthread_mutex_init(&st->lists.kept_lock, NULL);
    pthread_cond_init(&st->lists.ahead.wake, NULL);
    return 0;
}

static void free_bases(struct store *st)
{
    for (size_t i = 0; st->bases && i < st->index.n_bases; i++)
        free((char *)(uintptr_t)st->bases[i].p);
    free(st->bases);
}

void store_base_done(struct store *st)
{
    free_bases(st);
    params_unref(st->params);
    pthread_mutex_destroy(&st->params_lock);
    pthread_mutex_destroy(&st->lists.hints_lock);
    pthread_mutex_destroy(&st->reload_lock);
    pthread_mutex_destroy(&st->lists.kept_lock);
    pthread_cond_destroy(&st->lists.ahead.wake);
    targets_clear(&st->lists);
    found_clear(&st->lists);
}

int store_index_made(struct store *st, int64_t version, bool content, int64_t tz_minutes,
                     struct err *err)
{
    if (version > STORE_INDEX_VERSION)
        return err_set(err, ERR_NO_STORE, "the store's index is of a newer program");
    st->index.tz_minutes = (int)tz_minutes;
    st->index.extras = version >= 2;
    st->index.content = version >= 2 && content;
    st->index.pairs = version >= 3;
    return 0;
}

int store_open(const struct store_config *config, struct store **ret, struct err *err)
{
    return config->uri ? store_postgres_open(config, ret, err)
                       : store_sqlite_open(config, ret, err);
}

void store_close(struct store *st)
{
    if (!st)
        return;
    targets_ahead_stop(&st->lists);
    st->ops->close(st);
}

struct params *store_params(struct store *st)
{
    struct params *p;

    pthread_mutex_lock(&st->params_lock);
    p = params_ref(st->params);
    pthread_mutex_unlock(&st->params_lock);
    return p;
}

void store_params_set(struct store *st, struct params *params)
{
    struct params *old;

    pthread_mutex_lock(&st->params_lock);
    old = st->params;
    st->params = params_ref(params);
    pthread_mutex_unlock(&st->params_lock);
    params_unref(old);
}

const struct index_options *store_index_options(struct store *st)
{
    return &st->index;
}

int store_base_url_add(struct store *st, struct str url, struct err *err)
{
    size_t n = st->index.n_bases;
    struct str *bases;
    bool ok = true;

    for (size_t i = 0; i < n; i++)
        if (str_eq(st->index.bases[i], url))
            return 0;
    bases = calloc(n + 1, sizeof *bases);
    for (size_t i = 0; bases && i <= n; i++) {
        struct str from = i < n ? st->index.bases[i] : url;
        bases[i] = str_n(strndup(from.p, from.n), from.n);
        ok &= bases[i].p != NULL;
    }
    if (!bases || !ok) {
        for (size_t i = 0; bases && i <= n; i++)
            free((char *)(uintptr_t)bases[i].p);
        free(bases);
        return err_no_memory(err);
    }
    free_bases(st);
    st->bases = bases;
    st->index.bases = bases;
    st->index.n_bases = n + 1;
    return 0;
}

bool store_is_shared(const struct store *st)
{
    return st->ops->changed != NULL;
}

void store_on_change(struct store *st, store_reload *reload, void *ctx)
{
    pthread_mutex_lock(&st->reload_lock);
    st->reload = reload;
    st->reload_ctx = ctx;
    pthread_mutex_unlock(&st->reload_lock);
}

void store_index_on(struct store *st, bool content)
{
    st->index.extras = true;
    st->index.pairs = true;
    st->index.content = content;
}

/* Every call below passes through here or through `writing`, so that access is never forgotten. */
static const struct store_ops *reading(const struct store_txn *txn)
{
    assert(txn->magic == STORE_TXN_MAGIC);
    return txn->st->ops;
}

static int writing(const struct store_txn *txn, struct err *err)
{
    assert(txn->magic == STORE_TXN_MAGIC);
    assert(txn->is_writing);
    if (!txn->who.may_write)
        return err_set(err, ERR_FORBIDDEN, "writing is not allowed to this access");
    return 0;
}

int store_begin(struct store *st, const struct access *who, struct store_txn **ret, struct err *err)
{
    if (who->kind == ACCESS_NONE)
        return err_set(err, ERR_FORBIDDEN, "reading is not allowed to this access");
    return st->ops->begin(st, who, ret, err);
}

void store_end(struct store_txn *txn)
{
    if (!txn)
        return;
    assert(txn->magic == STORE_TXN_MAGIC);
    assert(!txn->is_writing);
    seen_end(txn);
    txn->st->ops->end(txn);
}

void store_brief(struct store_txn *txn)
{
    assert(txn->magic == STORE_TXN_MAGIC);
    txn->is_brief = !txn->is_writing;
}

void store_deadline(struct store_txn *txn, int64_t mono_us)
{
    assert(txn->magic == STORE_TXN_MAGIC);
    txn->deadline_us = mono_us;
}

bool store_is_overdue(const struct store_txn *txn)
{
    return txn->deadline_us && clock_mono_us() > txn->deadline_us;
}

int store_get(struct store_txn *txn, int type, struct str id, struct row *ret, struct err *err)
{
    const struct store_ops *ops = reading(txn);
    int r = seen_look(txn, err);

    return r < 0 ? r : seen_row(txn, ops->get(txn, type, id, ret, err), type, id, ret, err);
}

int store_get_version(struct store_txn *txn, int type, struct str id, const struct version *v,
                      struct row *ret, struct err *err)
{
    const struct store_ops *ops = reading(txn);
    int r = seen_look(txn, err);

    if (r < 0)
        return r;
    return seen_row(txn, ops->get_version(txn, type, id, v, ret, err), type, id, ret, err);
}

int store_get_row(struct store_txn *txn, uint64_t row, struct row *ret, struct err *err)
{
    const struct store_ops *ops = reading(txn);
    int r = seen_look(txn, err);

    return r < 0 ? r : seen_row(txn, ops->get_row(txn, row, ret, err), 0, STR(""), ret, err);
}

int store_each_row(struct store_txn *txn, const uint64_t *rows, size_t n, store_row_fn *each,
                   void *ctx, struct err *err)
{
    int r = (reading(txn), seen_look(txn, err));

    return r < 0 ? r : seen_each_row(txn, rows, n, each, ctx, err);
}

int store_search(struct store_txn *txn, const struct search *s, size_t budget, struct arena *a,
                 struct page *ret, struct err *err)
{
    reading(txn);
    return seen_search(txn, s, budget, a, ret, err);
}

int store_condition(struct store_txn *txn, const struct search *s, struct arena *a,
                    struct page *ret, struct err *err)
{
    reading(txn);
    assert(txn->is_writing);
    return seen_condition(txn, s, a, ret, err);
}

int store_referrers(struct store_txn *txn, const struct param *param, int type, struct str id,
                    size_t max, struct arena *a, struct page *ret, struct err *err)
{
    const struct store_ops *ops = reading(txn);
    int r = seen_look(txn, err);

    if (r >= 0)
        r = ops->referrers(txn, param, type, id, max, a, ret, err);

    /* Whether something is referred to is asked of everything: what refers may be hidden. */
    return r < 0 || txn->is_writing ? r : seen_page(txn, ret, err);
}

int store_index_keys(struct store_txn *txn, uint16_t list, struct str after, size_t max,
                     struct arena *a, struct index_seen **ret, size_t *ret_n, struct err *err)
{
    const struct store_ops *ops = reading(txn);

    if (seen_is_bounded(txn))
        return err_set(err, ERR_FORBIDDEN, "lists of all values are not for this access");
    return ops->index_keys(txn, list, after, max, a, ret, ret_n, err);
}

int store_history(struct store_txn *txn, const struct history_query *q, struct arena *a,
                  struct page *ret, struct err *err)
{
    const struct store_ops *ops = reading(txn);
    int r = seen_look(txn, err);

    if (r >= 0)
        r = ops->history(txn, q, a, ret, err);

    return r < 0 ? r : seen_page(txn, ret, err);
}

int store_feed(struct store_txn *txn, uint64_t after, size_t max, struct arena *a, struct page *ret,
               struct err *err)
{
    const struct store_ops *ops = reading(txn);
    int r = seen_look(txn, err);

    if (r >= 0)
        r = ops->feed(txn, after, max, a, ret, err);

    return r < 0 ? r : seen_page(txn, ret, err);
}

uint64_t store_position(struct store_txn *txn)
{
    return reading(txn)->position(txn);
}

void store_submit(struct store *st, struct store_job *job)
{
    st->ops->submit(st, job);
}

/* A job of somebody who waits: the copy in the queue points back at it. */
struct waiting_job {
    struct store_job job;
    struct store_job *real;
    struct err *err;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_done;
    int result;
};

static int waiting_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct waiting_job *w = (struct waiting_job *)job;

    return w->real->run(txn, w->real, err);
}

static void waiting_done(struct store_job *job, int r, const struct err *err)
{
    struct waiting_job *w = (struct waiting_job *)job;

    pthread_mutex_lock(&w->lock);
    w->result = r;
    if (r < 0 && w->err)
        *w->err = *err;
    w->is_done = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

int store_write(struct store *st, struct store_job *job, struct err *err)
{
    struct waiting_job w = {
        .job = {.run = waiting_run, .done = waiting_done, .who = job->who, .weight = job->weight},
        .real = job,
        .err = err,
    };

    pthread_mutex_init(&w.lock, NULL);
    pthread_cond_init(&w.wake, NULL);
    store_submit(st, &w.job);
    pthread_mutex_lock(&w.lock);
    while (!w.is_done)
        pthread_cond_wait(&w.wake, &w.lock);
    pthread_mutex_unlock(&w.lock);
    pthread_cond_destroy(&w.wake);
    pthread_mutex_destroy(&w.lock);
    return w.result;
}

int store_put(struct store_txn *txn, const struct put *put, struct version *ret, struct err *err)
{
    int r = writing(txn, err);

    assert((put->method == METHOD_DELETE) == (put->sealed.n == 0));
    assert((put->method == METHOD_DELETE) == (put->index == NULL));
    if (r >= 0)
        r = seen_put(txn, put, err);
    return r < 0 ? r : txn->st->ops->put(txn, put, ret, err);
}

int store_foresee(struct store_txn *txn, const struct store_id *ids, size_t n, struct err *err)
{
    int r = writing(txn, err);
    return r < 0 || !txn->st->ops->foresee ? r : txn->st->ops->foresee(txn, ids, n, err);
}

int store_claim(struct store_txn *txn, struct str name, struct err *err)
{
    int r = writing(txn, err);
    return r < 0 ? r : txn->st->ops->claim(txn, name, err);
}

int store_changed(struct store_txn *txn, struct err *err)
{
    int r = writing(txn, err);
    return r < 0 || !txn->st->ops->changed ? r : txn->st->ops->changed(txn, err);
}

int store_expunged(struct store_txn *txn, uint64_t *ret, struct err *err)
{
    struct str text = STR_NULL;
    struct arena a;
    uint64_t n = 0;
    int r;

    arena_init(&a, KIB(64));
    r = store_meta_get(txn, STORE_META_EXPUNGED, &a, &text, err);
    if (r >= 0 && text.p)
        str_to_u64(text, UINT64_MAX - 1, &n);
    arena_done(&a);
    if (r >= 0)
        *ret = n;
    return MIN(r, 0);
}

/* Searches keep what they know of lists; versions that vanish move no position. */
static int count_expunged(struct store_txn *txn, struct err *err)
{
    uint64_t n;
    char next[24];
    int r = store_expunged(txn, &n, err);

    if (r < 0)
        return r;
    snprintf(next, sizeof next, "%llu", (unsigned long long)n + 1);
    return store_meta_set(txn, STORE_META_EXPUNGED, str_c(next), err);
}

int store_expunge(struct store_txn *txn, int type, struct str id, size_t *ret_n, struct err *err)
{
    int r = writing(txn, err);

    if (r >= 0 && seen_is_bounded(txn))
        r = err_set(err, ERR_FORBIDDEN, "removing for good is the operator's");
    if (r >= 0)
        r = txn->st->ops->expunge(txn, type, id, ret_n, err);
    return r < 0 ? r : count_expunged(txn, err);
}

int store_index_add(struct store_txn *txn, uint64_t row, const struct index *index, struct err *err)
{
    int r = writing(txn, err);
    return r < 0 ? r : txn->st->ops->index_add(txn, row, index, err);
}

int store_index_drop(struct store_txn *txn, uint16_t param, size_t max, bool *ret_left,
                     struct err *err)
{
    int r = writing(txn, err);
    return r < 0 ? r : txn->st->ops->index_drop(txn, param, max, ret_left, err);
}

int store_meta_get(struct store_txn *txn, const char *name, struct arena *a, struct str *ret,
                   struct err *err)
{
    return reading(txn)->meta_get(txn, name, a, ret, err);
}

int store_meta_set(struct store_txn *txn, const char *name, struct str value, struct err *err)
{
    int r = writing(txn, err);
    return r < 0 ? r : txn->st->ops->meta_set(txn, name, value, err);
}

/* Records of trust are the node's own (trust/record.h): no other access reads or writes them. */
static int blob(struct store_txn *txn, struct str name, int r, struct err *err)
{
    if (r >= 0 && txn->who.kind != ACCESS_SYSTEM && str_starts(name, STR(STORE_BLOB_OWN)))
        return err_set(err, ERR_FORBIDDEN, "this is not for this access");
    return r;
}

int store_blob_get(struct store_txn *txn, struct str name, uint32_t part, struct arena *a,
                   struct str *ret, struct err *err)
{
    const struct store_ops *ops = reading(txn);
    int r = blob(txn, name, 0, err);

    return r < 0 ? r : ops->blob_get(txn, name, part, a, ret, err);
}

int store_blob_put(struct store_txn *txn, struct str name, uint32_t part, struct str bytes,
                   struct err *err)
{
    int r = blob(txn, name, writing(txn, err), err);

    if (r >= 0 && (bytes.n > STORE_BLOB_PART_MAX || !name.n || name.n > STORE_BLOB_NAME_MAX))
        r = err_set(err, ERR_TOO_LONG, "a part has at most %zu bytes, its name 1 to %d",
                    STORE_BLOB_PART_MAX, STORE_BLOB_NAME_MAX);
    return r < 0 ? r : txn->st->ops->blob_put(txn, name, part, bytes, err);
}

int store_blob_drop(struct store_txn *txn, struct str name, struct err *err)
{
    int r = blob(txn, name, writing(txn, err), err);

    return r < 0 ? r : txn->st->ops->blob_drop(txn, name, err);
}

int store_blob_next(struct store_txn *txn, struct str after, struct arena *a, struct str *ret,
                    uint64_t *ret_bytes, struct err *err)
{
    return reading(txn)->blob_next(txn, after, a, ret, ret_bytes, err);
}

/* What another store is made of is the node's own business. */
static int moving(struct store_txn *txn, int r, struct err *err)
{
    if (r >= 0 && txn->who.kind != ACCESS_SYSTEM)
        return err_set(err, ERR_FORBIDDEN, "this is not for this access");
    return r;
}

int store_lineage(struct store_txn *txn, struct arena *a, struct adoption *rows, size_t n,
                  struct err *err)
{
    const struct store_ops *ops = reading(txn);
    int r = moving(txn, 0, err);

    return r < 0 ? r : ops->lineage(txn, a, rows, n, err);
}

int store_adopt(struct store_txn *txn, const struct adoption *of, struct err *err)
{
    int r = moving(txn, writing(txn, err), err);

    return r < 0 ? r : txn->st->ops->adopt(txn, of, err);
}

int store_adopt_position(struct store_txn *txn, uint64_t row, struct err *err)
{
    int r = moving(txn, writing(txn, err), err);

    return r < 0 ? r : txn->st->ops->adopt_position(txn, row, err);
}

int store_origins(struct store_txn *txn, struct arena *a, uint64_t **ret, size_t *ret_n,
                  struct err *err)
{
    const struct store_ops *ops = reading(txn);
    int r = moving(txn, 0, err);

    return r < 0 ? r : ops->origins(txn, a, ret, ret_n, err);
}

int store_adopt_origins(struct store_txn *txn, const uint64_t *origins, size_t n, struct err *err)
{
    int r = moving(txn, writing(txn, err), err);

    return r < 0 ? r : txn->st->ops->adopt_origins(txn, origins, n, err);
}

int store_meta_next(struct store_txn *txn, struct str after, struct arena *a, struct str *ret,
                    struct err *err)
{
    const struct store_ops *ops = reading(txn);
    int r = moving(txn, 0, err);

    return r < 0 ? r : ops->meta_next(txn, after, a, ret, err);
}

int store_stats(struct store *st, struct store_stats *ret, struct err *err)
{
    return st->ops->stats(st, ret, err);
}

int store_alone(struct store *st, struct err *err)
{
    return st->ops->alone ? st->ops->alone(st, err) : 0;
}

int store_check(struct store *st, void (*say)(void *ctx, const char *text), void *ctx,
                struct err *err)
{
    return st->ops->check(st, say, ctx, err);
}

int store_backup(struct store *st, const char *to_dir, const char *keys_file,
                 store_backup_progress *progress, void *ctx, struct err *err)
{
    return st->ops->backup(st, to_dir, keys_file, progress, ctx, err);
}

bool store_is_copy(const struct store *st)
{
    return st->is_copy;
}

int store_restore_keys(struct store *st, const char *keys_file, const char *copy_dir,
                       const char *copy_key_file, struct err *err)
{
    assert(st->ops->restore_keys);
    return st->ops->restore_keys(st, keys_file, copy_dir, copy_key_file, err);
}

int store_rotate(struct store *st, const char *new_key_file, struct err *err)
{
    assert(st->ops->rotate);
    return st->ops->rotate(st, new_key_file, err);
}

int store_wrap(struct store *st, store_backup_progress *progress, void *ctx, struct err *err)
{
    return st->ops->wrap ? st->ops->wrap(st, progress, ctx, err) : 0;
}

int store_remake(struct store *st, store_backup_progress *progress, void *ctx, struct err *err)
{
    return st->ops->remake ? st->ops->remake(st, progress, ctx, err) : 0;
}

int row_json(struct store *st, const struct row *row, struct sb *out, struct err *err)
{
    (void)st;
    assert(row->method != METHOD_DELETE);
    if (row->is_locked)
        return err_set(err, ERR_NO_STORE, "the key of this version's owner is not in the store");
    return body_json(row->type, row->id, &row->version, row->sealed, out, err);
}

int row_index(struct store *st, struct arena *a, struct sb *scratch, const struct row *row,
              struct index *ret, struct err *err)
{
    struct params *params;
    yyjson_val *root = NULL;
    int r;

    sb_reset(scratch);
    r = row_json(st, row, scratch, err);
    if (r == 0)
        r = sb_ok(scratch, err);
    if (r == 0)
        r = js_parse_stored(a, sb_view(scratch), &root, err);
    if (r < 0)
        return r;
    params = store_params(st);
    r = index_extract(a, params, &st->index, row->type, root, ret, err);
    params_unref(params);
    return r;
}
