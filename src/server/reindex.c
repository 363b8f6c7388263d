#include "server/reindex.h"

#include "trust/trust.h"

#include <stdio.h>

#define STEP_ROWS 500
#define STEP_DROPS 5000
#define STEP_ARENA_MAX MIB(512)

struct reindex {
    struct store *store;
    bool extras, pairs; /* which keys are made: those of version 2, of version 3 */
    bool all;           /* … or all there are, in a store that has none */
    struct access who;
    struct params *params;
    struct arena a; /* of one step */
};

/* What one job on the writer does. */
struct step {
    struct store_job job;
    uint16_t drop; /* list to shorten, 0: none */
    bool left;
    const uint64_t *rows;
    const struct index *keys;
    size_t n;
    bool is_last, content;
};

static int step_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct step *s = (struct step *)job;
    char version[12];
    int r = s->drop ? store_index_drop(txn, s->drop, STEP_DROPS, &s->left, err) : 0;

    for (size_t i = 0; i < s->n && r >= 0; i++)
        r = store_index_add(txn, s->rows[i], &s->keys[i], err);
    if (r < 0 || !s->is_last)
        return r;
    snprintf(version, sizeof version, "%d", STORE_INDEX_VERSION);
    r = store_meta_set(txn, "content", s->content ? STR("1") : STR("0"), err);
    return r < 0 ? r : store_meta_set(txn, "index", str_c(version), err);
}

static int run_step(struct reindex *x, struct step *s, struct err *err)
{
    s->job.run = step_run;
    s->job.who = &x->who;
    return store_write(x->store, &s->job, err);
}

static bool is_kind(const struct reindex *x, unsigned list, enum def_param_kind kind)
{
    const struct param *param = param_by_id(x->params, (uint16_t)list);

    return param && param->def.kind == kind;
}

static bool is_new(const struct reindex *x, uint16_t list)
{
    if (x->all)
        return true;
    if (x->pairs && (is_kind(x, list, PARAM_COMPOSITE) ||
                     (list & INDEX_PARAM_ENDS &&
                      is_kind(x, (unsigned)list - INDEX_PARAM_ENDS, PARAM_COMPOSITE))))
        return true;
    return x->extras &&
           (list == INDEX_PARAM_TEXT || list == INDEX_PARAM_CONTENT ||
            (list > INDEX_PARAM_CONTAINED && list <= INDEX_PARAM_CONTAINED + DEF_RESOURCE_MAX) ||
            is_kind(x, list, PARAM_SPECIAL));
}

/* What a run that was stopped has left behind may be stale by now. */
static int drop_all(struct reindex *x, struct err *err)
{
    int r = 0;

    for (unsigned list = 1; list <= UINT16_MAX && r >= 0; list++) {
        struct step s = {.drop = (uint16_t)list, .left = true};

        while (is_new(x, (uint16_t)list) && s.left && r >= 0)
            r = run_step(x, &s, err);
    }
    return r;
}

static void keep_new(const struct reindex *x, struct index *index)
{
    size_t n = 0;

    for (size_t i = 0; i < index->n_entries; i++)
        if (is_new(x, index->entries[i].param))
            index->entries[n++] = index->entries[i];
    index->n_entries = n;
}

static int keys_of(struct reindex *x, const struct row *row, struct index *ret, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX + KIB(1));
    yyjson_val *root;
    int r = row_json(x->store, row, &text, err);

    if (r < 0 || (r = js_parse_stored(&x->a, sb_view(&text), &root, err)) < 0)
        return r;
    r = index_extract(&x->a, x->params, store_index_options(x->store), row->type, root, ret, err);
    if (r >= 0)
        keep_new(x, ret);
    return r;
}

/* The keys of the versions behind *at, which moves; 0 when there are none. */
static int gather(struct reindex *x, uint64_t *at, struct step *s, struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct page page = {0};
    struct index *keys;
    uint64_t *rows;
    int r = store_begin(x->store, &x->who, &txn, err);

    if (r < 0 || (r = store_feed(txn, *at, STEP_ROWS, &x->a, &page, err)) < 0)
        return r;
    rows = ARENA_ARRAY(&x->a, uint64_t, page.n);
    keys = ARENA_ARRAY(&x->a, struct index, page.n);
    if (!rows || !keys)
        return err_no_memory(err);
    for (size_t i = 0; i < page.n; i++) {
        struct row row;

        *at = page.rows[i];
        r = store_get_row(txn, page.rows[i], &row, err);
        if (r >= 0 && row.is_current && row.method != METHOD_DELETE)
            r = keys_of(x, &row, &keys[s->n], err);
        if (r < 0)
            return r;
        if (keys[s->n].n_entries)
            rows[s->n++] = page.rows[i];
    }
    s->rows = rows;
    s->keys = keys;
    return page.n > 0;
}

static int run(struct reindex *x, bool content,
               void (*progress)(void *ctx, uint64_t done, uint64_t all), void *ctx, struct err *err)
{
    struct store_stats stats;
    uint64_t at = 0;
    int r = store_stats(x->store, &stats, err);

    if (r >= 0 && !x->all)
        r = drop_all(x, err);
    while (r >= 0) {
        struct step s = {0};

        arena_reset(&x->a);
        r = gather(x, &at, &s, err);
        if (r <= 0)
            break;
        r = run_step(x, &s, err);
        if (progress)
            progress(ctx, at, stats.rows);
    }
    return r < 0 ? r : run_step(x, &(struct step){.is_last = true, .content = content}, err);
}

static int run_as(struct reindex *x, bool content,
                  void (*progress)(void *ctx, uint64_t done, uint64_t all), void *ctx,
                  struct err *err)
{
    int r = store_alone(x->store, err);

    if (r < 0)
        return r;
    store_index_on(x->store, content);
    x->params = store_params(x->store);
    arena_init(&x->a, STEP_ARENA_MAX);
    r = run(x, content, progress, ctx, err);
    arena_done(&x->a);
    params_unref(x->params);
    return r;
}

int server_reindex(struct store *store, bool content,
                   void (*progress)(void *ctx, uint64_t done, uint64_t all), void *ctx,
                   struct err *err)
{
    const struct index_options *opt = store_index_options(store);
    struct reindex x = {.store = store,
                        .extras = !opt->extras || (content && !opt->content),
                        .pairs = !opt->pairs,
                        .who = trust_job(STR("reindex"))};

    return x.extras || x.pairs ? run_as(&x, content || opt->content, progress, ctx, err) : 0;
}

int server_reindex_all(struct store *store, struct err *err)
{
    struct reindex x = {.store = store, .all = true, .who = trust_system()};

    return run_as(&x, store_index_options(store)->content, NULL, NULL, err);
}
