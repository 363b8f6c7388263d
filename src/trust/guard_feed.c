/* guard_feed.c - following the change feed: what is known is never older than who asks. */
#include "trust/guard_int.h"

#include "trust/trust.h"

#define HISTORY_PAGE 20
#define ONE_ARENA_MAX (STORE_BODY_MAX * 3)

/* ---- what is searched for ---- */

static int pages(struct guard *g, struct store_txn *txn, struct arena *a, struct search *s,
                 int (*page)(void *ctx, const struct page *page, struct err *err), void *ctx,
                 struct err *err)
{
    struct page found;
    int r;

    (void)g;
    s->count = GUARD_PAGE;
    s->total = TOTAL_NONE;
    do {
        r = store_search(txn, s, 0, a, &found, err);
        if (r >= 0)
            r = page(ctx, &found, err);
        s->cursor = found.next;
    } while (r >= 0 && s->cursor.p);
    return MIN(r, 0);
}

struct each_ctx {
    struct store_txn *txn;
    guard_each_fn *each;
    void *ctx;
};

static int each_of_page(void *ctx, const struct page *page, struct err *err)
{
    struct each_ctx *e = ctx;

    return store_each_row(e->txn, page->rows, page->n, e->each, e->ctx, err);
}

int guard_each(struct guard *g, struct store_txn *txn, int type, struct str query,
               guard_each_fn *each, void *ctx, struct err *err)
{
    struct search_options opt = {.index = *store_index_options(g->store), .strict = true};
    struct params *params = store_params(g->store);
    struct each_ctx e = {txn, each, ctx};
    struct search s;
    struct arena a;
    int r;

    arena_init(&a, GUARD_ARENA_MAX);
    r = search_parse(&a, params, &opt, type, query, &s, err);
    if (r >= 0)
        r = pages(g, txn, &a, &s, each_of_page, &e, err);
    arena_done(&a);
    params_unref(params);
    return r;
}

struct numbers {
    struct arena *a;
    uint64_t *v;
    size_t n, cap;
};

static int numbers_of_page(void *ctx, const struct page *page, struct err *err)
{
    struct numbers *to = ctx;

    if (to->n + page->n > to->cap) {
        size_t cap = MAX(to->cap * 2, to->n + page->n);
        uint64_t *v = arena_grow(to->a, to->v, to->cap * sizeof *v, cap * sizeof *v);

        if (!v)
            return err_no_memory(err);
        to->v = v;
        to->cap = cap;
    }
    if (page->n)
        memcpy(to->v + to->n, page->rows, page->n * sizeof *to->v);
    to->n += page->n;
    return 0;
}

int guard_rows(struct guard *g, struct store_txn *txn, struct arena *a, struct str patient,
               uint64_t **ret, size_t *ret_n, struct err *err)
{
    struct search_options opt = {.index = *store_index_options(g->store), .strict = true};
    struct params *params = store_params(g->store);
    struct numbers all = {.a = a};
    struct search s;
    int r = search_parse(a, params, &opt, 0, STR(""), &s, err);

    if (r >= 0)
        r = search_within(a, &s, COMPARTMENT_PATIENT, patient, err);
    if (r >= 0)
        r = pages(g, txn, a, &s, numbers_of_page, &all, err);
    params_unref(params);
    *ret = all.v;
    *ret_n = all.n;
    return r;
}

/* ---- the feed ---- */

struct following {
    struct guard *g;
    struct watch *w;
    struct store_txn *txn;
    struct params *params;
    bool has_cares;
    struct arena a; /* of one version */
    struct sb text;
    struct consents {
        struct str id;
        yyjson_val *root;
    } * consents; /* to be taken in when the transaction is free again */
    size_t n_consents;
    struct changed {
        int type;
        struct str id;
        uint64_t row;
    } * changed; /* likewise: what may have taken the place of something */
    size_t n_changed;
    struct arena kept; /* of those */
};

static bool is_type(int type, const char *name)
{
    return str_eq(def_resource_name(type), str_c(name));
}

static int keep_consent(struct following *f, const struct row *row, struct str text,
                        struct err *err)
{
    struct consents *c = &f->consents[f->n_consents];
    struct str copy;

    *c = (struct consents){.id = arena_dup(&f->kept, row->id)};
    if (!c->id.p)
        return err_no_memory(err);
    if (row->method != METHOD_DELETE) {
        int r;

        copy = arena_dup(&f->kept, text);
        if (!copy.p)
            return err_no_memory(err);
        if ((r = js_parse_stored(&f->kept, copy, &c->root, err)) < 0)
            return r;
    }
    f->n_consents++;
    return 0;
}

static int take_row(struct following *f, const struct row *row, yyjson_val *root, struct err *err)
{
    struct guard *g = f->g;
    struct facts facts;
    int r;

    if (!def_compartment_params(COMPARTMENT_PATIENT, row->type))
        return 0;
    r = facts_of(&f->a, g->policy, f->params, store_index_options(g->store), row->type, root,
                 FACTS_CURRENT, &facts, err);
    if (r < 0)
        return r;
    pthread_rwlock_wrlock(&g->lock);
    r = watch_row(f->w, &facts, row->row, err);
    if (r >= 0)
        r = care_row(g, &facts, row->row, err);
    pthread_rwlock_unlock(&g->lock);
    return r;
}

static int keep_changed(struct following *f, const struct row *row, struct err *err)
{
    struct changed *c = &f->changed[f->n_changed];

    if (!f->has_cares || !def_compartment_params(COMPARTMENT_PATIENT, row->type))
        return 0;
    *c = (struct changed){row->type, arena_dup(&f->kept, row->id), row->row};
    if (!c->id.p)
        return err_no_memory(err);
    f->n_changed++;
    return 0;
}

static int each_version(void *ctx, const struct row *row, struct err *err)
{
    struct following *f = ctx;
    yyjson_val *root = NULL;
    int r = 0;

    arena_reset(&f->a);
    sb_reset(&f->text);
    if (row->method != METHOD_DELETE) {
        r = row_json(f->g->store, row, &f->text, err);
        if (r >= 0)
            r = sb_ok(&f->text, err);
        if (r >= 0)
            r = js_parse_stored(&f->a, sb_view(&f->text), &root, err);
    }
    if (r >= 0 && policy_is_grant(row->type)) {
        pthread_rwlock_wrlock(&f->g->lock);
        care_relation(f->g, row->type, row->id, root);
        pthread_rwlock_unlock(&f->g->lock);
    }
    if (r >= 0 && f->g->policy->n_diseases && is_type(row->type, "Condition")) {
        pthread_rwlock_wrlock(&f->g->lock);
        care_case(f->g, row->id, root);
        pthread_rwlock_unlock(&f->g->lock);
    }
    if (r >= 0 && root)
        r = take_row(f, row, root, err);
    if (r >= 0)
        r = keep_changed(f, row, err);
    if (r >= 0 && is_type(row->type, "Consent"))
        r = keep_consent(f, row, sb_view(&f->text), err);
    return r;
}

/* The version that one took the place of; *ret 0: none. */
static int version_before(struct following *f, const struct changed *c, uint64_t *ret,
                          struct err *err)
{
    struct history_query q = {.type = c->type, .id = c->id, .count = HISTORY_PAGE};
    struct arena a;
    int r;

    *ret = 0;
    arena_init(&a, MIB(1));
    do {
        struct page page;

        r = store_history(f->txn, &q, &a, &page, err);
        for (size_t i = 0; r >= 0 && i < page.n && !*ret; i++)
            if (page.rows[i] < c->row)
                *ret = page.rows[i];
        q.cursor = r >= 0 ? page.next : STR_NULL;
    } while (r >= 0 && !*ret && q.cursor.p);
    arena_done(&a);
    return MIN(r, 0);
}

static int take_changed(struct following *f, const struct changed *c, struct err *err)
{
    uint64_t row;
    int r = version_before(f, c, &row, err);

    if (r < 0 || !row)
        return r;
    pthread_rwlock_wrlock(&f->g->lock);
    r = care_gone(f->g, c->type, row, err);
    pthread_rwlock_unlock(&f->g->lock);
    return r;
}

static int take_page(struct following *f, const struct page *page, struct err *err)
{
    int r;

    f->n_consents = 0;
    f->consents = ARENA_ARRAY(&f->kept, struct consents, page->n);
    if (!f->consents)
        return err_no_memory(err);
    f->n_changed = 0;
    f->changed = ARENA_ARRAY(&f->kept, struct changed, page->n);
    if (!f->changed)
        return err_no_memory(err);
    r = store_each_row(f->txn, page->rows, page->n, each_version, f, err);
    for (size_t i = 0; r >= 0 && i < f->n_changed; i++)
        r = take_changed(f, &f->changed[i], err);
    for (size_t i = 0; r >= 0 && i < f->n_consents; i++)
        r = watch_consent(f->g, f->txn, f->w, f->consents[i].id, f->consents[i].root, err);
    return r;
}

static int read_feed(struct following *f, uint64_t from, uint64_t to, struct err *err)
{
    int r = 0;

    while (r >= 0 && from < to) {
        struct page page;

        arena_reset(&f->kept);
        r = store_feed(f->txn, from, GUARD_PAGE, &f->kept, &page, err);
        if (r >= 0 && !page.n)
            break; /* what stood there was removed for good */
        if (r >= 0)
            r = take_page(f, &page, err);
        if (r >= 0)
            from = page.rows[page.n - 1];
    }
    return r;
}

static int build(struct guard *g, struct store_txn *txn, struct err *err)
{
    struct watch *made, *old;
    int r = watch_build(g, txn, &made, err);

    if (r < 0)
        return r;
    pthread_rwlock_wrlock(&g->lock);
    old = g->watch;
    g->watch = made;
    care_forget_all(g);
    pthread_rwlock_unlock(&g->lock);
    if (old)
        watch_unref(old);
    return 0;
}

static int catch_up(struct guard *g, struct store_txn *txn, uint64_t from, uint64_t to,
                    struct err *err)
{
    struct following f = {.g = g,
                          .w = g->watch,
                          .txn = txn,
                          .has_cares = g->cares != NULL,
                          .text = sb_make(STORE_BODY_MAX + KIB(1))};
    int r;

    arena_init(&f.a, ONE_ARENA_MAX);
    arena_init(&f.kept, GUARD_ARENA_MAX);
    f.params = store_params(g->store);
    r = read_feed(&f, from, to, err);
    params_unref(f.params);
    sb_done(&f.text);
    arena_done(&f.a);
    arena_done(&f.kept);
    return r;
}

/* What was made with another policy is made anew. */
static int meet_policy(struct guard *g, struct err *err)
{
    const struct policy *p = NULL, *old;
    int r = policy_book_get(g->book, &p, err);

    if (r < 0)
        return r;
    pthread_rwlock_wrlock(&g->lock);
    old = g->policy;
    g->policy = p;
    pthread_rwlock_unlock(&g->lock);
    policy_unref(old);
    return 0;
}

int guard_follow_in(struct guard *g, struct store_txn *txn, struct err *err)
{
    uint64_t from = atomic_load(&g->position), to = store_position(txn);
    int r = meet_policy(g, err);

    if (r < 0)
        return r;

    /* That of an empty store, or it cannot be read. */
    if (!to && from)
        return err_set(err, ERR_BUSY, "the store's position cannot be read");
    if (!g->watch || g->watch->policy != g->policy || g->is_torn || to < from ||
        to - from > GUARD_CATCH_UP_MAX)
        r = build(g, txn, err);
    else
        r = catch_up(g, txn, from, to, err);
    /* What was half taken in is made anew, before anybody looks. */
    g->is_torn = r < 0;
    atomic_store(&g->position, r < 0 ? 0 : to);
    return r;
}

int guard_follow(struct guard *g, struct err *err)
{
    struct access who = trust_system();
    struct store_txn *txn = NULL;
    int r;

    pthread_mutex_lock(&g->following);
    r = store_begin(g->store, &who, &txn, err);
    if (r >= 0) {
        r = guard_follow_in(g, txn, err);
        store_end(txn);
    }
    pthread_mutex_unlock(&g->following);
    return MIN(r, 0);
}
