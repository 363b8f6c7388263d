/* faulty.c - a store in front of a store: every call is a fault point, then the real call. */
#include "store/store_int.h"

#include "base/fault.h"

#include <stdlib.h>

struct faulty {
    struct store base;
    struct store *inner;
};

/* Wraps the inner transaction. A job's lives on the stack of its run. */
struct faulty_txn {
    struct store_txn base;
    struct store_txn *inner;
};

struct faulty_job {
    struct store_job job;
    struct store *st;
    struct store_job *real;
};

static struct store *inner_of(struct store *st)
{
    return ((struct faulty *)st)->inner;
}

static struct store_txn *txn_of(struct store_txn *txn)
{
    return ((struct faulty_txn *)txn)->inner;
}

static int fault(struct err *err)
{
    return fault_point("store") ? err_set(err, ERR_NO_STORE, "the store was made to fail") : 0;
}

static void faulty_close(struct store *st)
{
    store_close(inner_of(st));
    store_base_done(st);
    free(st);
}

static struct store_txn wrapped(struct store *st, const struct store_txn *inner)
{
    struct store_txn t = *inner;

    t.st = st;
    return t;
}

static int faulty_begin(struct store *st, const struct access *who, struct store_txn **ret,
                        struct err *err)
{
    struct faulty_txn *t;
    int r = fault(err);

    if (r < 0)
        return r;
    t = calloc(1, sizeof *t);
    if (!t)
        return err_no_memory(err);
    r = store_begin(inner_of(st), who, &t->inner, err);
    if (r < 0) {
        free(t);
        return r;
    }
    t->base = wrapped(st, t->inner);
    *ret = &t->base;
    return 0;
}

static void faulty_end(struct store_txn *txn)
{
    store_end(txn_of(txn));
    free(txn);
}

static int faulty_get(struct store_txn *txn, int type, struct str id, struct row *ret,
                      struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_get(txn_of(txn), type, id, ret, err);
}

static int faulty_get_version(struct store_txn *txn, int type, struct str id,
                              const struct version *v, struct row *ret, struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_get_version(txn_of(txn), type, id, v, ret, err);
}

static int faulty_get_row(struct store_txn *txn, uint64_t row, struct row *ret, struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_get_row(txn_of(txn), row, ret, err);
}

static int faulty_each_row(struct store_txn *txn, const uint64_t *rows, size_t n,
                           store_row_fn *each, void *ctx, struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_each_row(txn_of(txn), rows, n, each, ctx, err);
}

static int faulty_search(struct store_txn *txn, const struct search *s, size_t budget,
                         struct arena *a, struct page *ret, struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_search(txn_of(txn), s, budget, a, ret, err);
}

static int faulty_referrers(struct store_txn *txn, const struct param *param, int type,
                            struct str id, size_t max, struct arena *a, struct page *ret,
                            struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_referrers(txn_of(txn), param, type, id, max, a, ret, err);
}

static int faulty_index_keys(struct store_txn *txn, uint16_t list, struct str after, size_t max,
                             struct arena *a, struct index_seen **ret, size_t *ret_n,
                             struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_index_keys(txn_of(txn), list, after, max, a, ret, ret_n, err);
}

static int faulty_history(struct store_txn *txn, const struct history_query *q, struct arena *a,
                          struct page *ret, struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_history(txn_of(txn), q, a, ret, err);
}

static int faulty_feed(struct store_txn *txn, uint64_t after, size_t max, struct arena *a,
                       struct page *ret, struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_feed(txn_of(txn), after, max, a, ret, err);
}

static uint64_t faulty_position(struct store_txn *txn)
{
    return store_position(txn_of(txn));
}

static int faulty_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct faulty_job *f = (struct faulty_job *)job;
    struct faulty_txn t = {.inner = txn};
    int r = fault(err);

    if (r < 0)
        return r;
    t.base = wrapped(f->st, txn);
    return f->real->run(&t.base, f->real, err);
}

static void faulty_done(struct store_job *job, int r, const struct err *err)
{
    struct faulty_job *f = (struct faulty_job *)job;
    struct store_job *real = f->real;

    real->done(real, r, err);
    free(f);
}

static void faulty_submit(struct store *st, struct store_job *job)
{
    struct faulty_job *f = calloc(1, sizeof *f);
    int r = f ? fault(&job->err) : err_no_memory(&job->err);

    if (r < 0) {
        free(f);
        job->done(job, r, &job->err);
        return;
    }
    f->job = (struct store_job){
        .run = faulty_run, .done = faulty_done, .who = job->who, .weight = job->weight};
    f->st = st;
    f->real = job;
    store_submit(inner_of(st), &f->job);
}

static int faulty_put(struct store_txn *txn, const struct put *put, struct version *ret,
                      struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_put(txn_of(txn), put, ret, err);
}

static int faulty_foresee(struct store_txn *txn, const struct store_id *ids, size_t n,
                          struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_foresee(txn_of(txn), ids, n, err);
}

static int faulty_claim(struct store_txn *txn, struct str name, struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_claim(txn_of(txn), name, err);
}

static int faulty_expunge(struct store_txn *txn, int type, struct str id, size_t *ret_n,
                          struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_expunge(txn_of(txn), type, id, ret_n, err);
}

static int faulty_index_add(struct store_txn *txn, uint64_t row, const struct index *index,
                            struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_index_add(txn_of(txn), row, index, err);
}

static int faulty_index_drop(struct store_txn *txn, uint16_t param, size_t max, bool *ret_left,
                             struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_index_drop(txn_of(txn), param, max, ret_left, err);
}

static int faulty_blob_get(struct store_txn *txn, struct str name, uint32_t part, struct arena *a,
                           struct str *ret, struct err *err)
{
    int r = fault(err);

    return r < 0 ? r : store_blob_get(txn_of(txn), name, part, a, ret, err);
}

static int faulty_blob_put(struct store_txn *txn, struct str name, uint32_t part, struct str bytes,
                           struct err *err)
{
    int r = fault(err);

    return r < 0 ? r : store_blob_put(txn_of(txn), name, part, bytes, err);
}

static int faulty_blob_drop(struct store_txn *txn, struct str name, struct err *err)
{
    int r = fault(err);

    return r < 0 ? r : store_blob_drop(txn_of(txn), name, err);
}

static int faulty_blob_next(struct store_txn *txn, struct str after, struct arena *a,
                            struct str *ret, uint64_t *ret_bytes, struct err *err)
{
    int r = fault(err);

    return r < 0 ? r : store_blob_next(txn_of(txn), after, a, ret, ret_bytes, err);
}

static int faulty_meta_get(struct store_txn *txn, const char *name, struct arena *a,
                           struct str *ret, struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_meta_get(txn_of(txn), name, a, ret, err);
}

static int faulty_meta_set(struct store_txn *txn, const char *name, struct str value,
                           struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_meta_set(txn_of(txn), name, value, err);
}

static int faulty_lineage(struct store_txn *txn, struct arena *a, struct adoption *rows, size_t n,
                          struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_lineage(txn_of(txn), a, rows, n, err);
}

static int faulty_adopt(struct store_txn *txn, const struct adoption *of, struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_adopt(txn_of(txn), of, err);
}

static int faulty_adopt_position(struct store_txn *txn, uint64_t row, struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_adopt_position(txn_of(txn), row, err);
}

static int faulty_origins(struct store_txn *txn, struct arena *a, uint64_t **ret, size_t *ret_n,
                          struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_origins(txn_of(txn), a, ret, ret_n, err);
}

static int faulty_adopt_origins(struct store_txn *txn, const uint64_t *origins, size_t n,
                                struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_adopt_origins(txn_of(txn), origins, n, err);
}

static int faulty_meta_next(struct store_txn *txn, struct str after, struct arena *a,
                            struct str *ret, struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_meta_next(txn_of(txn), after, a, ret, err);
}

static int faulty_stats(struct store *st, struct store_stats *ret, struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_stats(inner_of(st), ret, err);
}

static int faulty_alone(struct store *st, struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_alone(inner_of(st), err);
}

static int faulty_check(struct store *st, void (*say)(void *ctx, const char *text), void *ctx,
                        struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_check(inner_of(st), say, ctx, err);
}

static int faulty_backup(struct store *st, const char *to_dir, const char *keys_file,
                         store_backup_progress *progress, void *ctx, struct err *err)
{
    int r = fault(err);
    return r < 0 ? r : store_backup(inner_of(st), to_dir, keys_file, progress, ctx, err);
}

static const struct store_ops ops = {
    .close = faulty_close,
    .begin = faulty_begin,
    .end = faulty_end,
    .get = faulty_get,
    .get_version = faulty_get_version,
    .get_row = faulty_get_row,
    .each_row = faulty_each_row,
    .search = faulty_search,
    .referrers = faulty_referrers,
    .index_keys = faulty_index_keys,
    .history = faulty_history,
    .feed = faulty_feed,
    .position = faulty_position,
    .submit = faulty_submit,
    .put = faulty_put,
    .foresee = faulty_foresee,
    .claim = faulty_claim,
    .expunge = faulty_expunge,
    .index_add = faulty_index_add,
    .index_drop = faulty_index_drop,
    .meta_get = faulty_meta_get,
    .meta_set = faulty_meta_set,
    .blob_get = faulty_blob_get,
    .blob_put = faulty_blob_put,
    .blob_drop = faulty_blob_drop,
    .blob_next = faulty_blob_next,
    .lineage = faulty_lineage,
    .adopt = faulty_adopt,
    .adopt_position = faulty_adopt_position,
    .origins = faulty_origins,
    .adopt_origins = faulty_adopt_origins,
    .meta_next = faulty_meta_next,
    .stats = faulty_stats,
    .check = faulty_check,
    .alone = faulty_alone,
    .backup = faulty_backup,
};

int store_faulty_new(struct store *inner, struct store **ret, struct err *err)
{
    struct faulty *f = calloc(1, sizeof *f);
    struct params *params;
    int r;

    if (!f)
        return err_no_memory(err);
    params = store_params(inner);
    r = store_base_init(&f->base, &ops, store_index_options(inner), params, err);
    params_unref(params);
    if (r < 0) {
        free(f);
        return r;
    }
    f->inner = inner;
    *ret = &f->base;
    return 0;
}
