#include "api/include.h"

#define SLOTS (1u << 13) /* of the table of rows met: rows are few beside it */
#define CANONICALS_MAX 8 /* resources with one canonical that are included */
#define COST_BODY 64     /* as the store counts it (API_INLINE_SEARCH_BUDGET) */
#define COST_GET 16

_Static_assert(SLOTS >= 2 * (SEARCH_COUNT_MAX + API_INCLUDED_MAX), "the table stays half empty");

struct includes {
    struct call *c;
    struct store_txn *txn;
    const struct search *s;
    uint64_t *rows; /* the page's, then those included */
    size_t n, n_matches;
    uint64_t *slots;
    bool cut;
    size_t spent;
    const struct search_include *by; /* the one in hand */
    const struct param *param;
};

static int spend(struct includes *x, size_t cost)
{
    x->spent += cost;
    if (x->c->budget && x->spent > x->c->budget)
        return err_set(&x->c->err, ERR_BUSY, "the search needs more than this thread may spend");
    return 0;
}

/* Whether a row was not met before; it has been then. */
static bool is_new(struct includes *x, uint64_t row)
{
    size_t at = (size_t)(row * UINT64_C(0x9e3779b97f4a7c15) >> 40) & (SLOTS - 1);

    while (x->slots[at] && x->slots[at] != row)
        at = (at + 1) & (SLOTS - 1);
    if (x->slots[at] == row)
        return false;
    x->slots[at] = row;
    return true;
}

/* 1: the page is full. */
static int add(struct includes *x, uint64_t row)
{
    if (x->n - x->n_matches == API_INCLUDED_MAX) {
        x->cut = true;
        return 1;
    }
    if (is_new(x, row))
        x->rows[x->n++] = row;
    return 0;
}

/* ---- forwards ---- */

static int add_id(struct includes *x, int type, struct str id)
{
    struct row row;
    int r = spend(x, COST_GET);

    if (r < 0)
        return r;
    r = store_get(x->txn, type, id, &row, &x->c->err);
    if (r == ERR_NOT_FOUND || (r == 0 && row.method == METHOD_DELETE)) {
        x->c->err.code = 0;
        return 0;
    }
    return r < 0 ? r : add(x, row.row);
}

static int add_canonical_of(struct includes *x, int type, struct str url)
{
    struct call *c = x->c;
    struct search_options opt = {.index = *store_index_options(c->api->store),
                                 .world = c->api->world};
    _cleanup_(sb_done) struct sb query = sb_make(KIB(16));
    struct search s;
    struct page page;
    int r;

    sb_fmt(&query, "_total=none&_count=%d&url=", CANONICALS_MAX);
    sb_uri(&query, url);
    if ((r = sb_ok(&query, &c->err)) < 0 || (r = spend(x, COST_GET)) < 0 ||
        (r = search_parse(c->a, c->params, &opt, type, sb_view(&query), &s, &c->err)) < 0 ||
        (r = store_search(x->txn, &s, c->budget, c->a, &page, &c->err)) < 0)
        return r;
    for (size_t i = 0; i < page.n && r == 0; i++)
        r = add(x, page.rows[i]);
    return r;
}

/* Of the types that the parameter may refer to, those that have a canonical. */
static int add_canonical(struct includes *x, struct str url)
{
    const int *targets = x->param->def.targets;
    int r = 0;

    for (; targets && *targets && r == 0; targets++)
        if ((!x->by->target || *targets == x->by->target) &&
            param_find(x->c->params, *targets, STR("url")))
            r = add_canonical_of(x, *targets, url);
    return r;
}

static int visit(void *ctx, const struct search_ref *ref)
{
    struct includes *x = ctx;

    if (!ref->type)
        return add_canonical(x, ref->url);
    if (x->by->target && ref->type != x->by->target)
        return 0;
    return add_id(x, ref->type, ref->id);
}

static int forward(struct includes *x, int type, yyjson_val *root)
{
    const struct index_options *opt = store_index_options(x->c->api->store);
    size_t n;
    const struct param *all = params_of(x->c->params, type, &n);
    int r = 0;

    if (x->by->source && x->by->source != type)
        return 0;
    for (size_t i = 0; i < n && r == 0; i++) {
        if (all[i].def.kind != PARAM_REFERENCE || !all[i].path || !all[i].searchable ||
            (x->by->param && x->by->param->def.id != all[i].def.id))
            continue;
        x->param = &all[i];
        r = search_refs(x->c->a, opt, &all[i], root, visit, x, &x->c->err);
    }
    return r;
}

/* ---- backwards ---- */

static int referrers(struct includes *x, const struct param *param, int type, struct str id)
{
    struct page page;
    int r = store_referrers(x->txn, param, type, id, API_INCLUDED_MAX + x->n_matches + 1, x->c->a,
                            &page, &x->c->err);

    if (r >= 0)
        r = spend(x, page.n + COST_GET);
    for (size_t i = 0; r == 0 && i < page.n; i++)
        r = add(x, page.rows[i]);
    return r;
}

static int backward(struct includes *x, int type, struct str id)
{
    size_t n = 0;
    const struct param *all;
    int r = 0;

    if (x->by->target && x->by->target != type)
        return 0;
    if (x->by->param || !x->by->source)
        return referrers(x, x->by->param, type, id);
    all = params_of(x->c->params, x->by->source, &n);
    for (size_t i = 0; i < n && r == 0; i++)
        if (all[i].def.kind == PARAM_REFERENCE && all[i].path && all[i].searchable)
            r = referrers(x, &all[i], type, id);
    return r;
}

/* ---- all ---- */

static int of_row(struct includes *x, size_t at)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX + KIB(1));
    struct call *c = x->c;
    yyjson_val *root = NULL;
    struct row row;
    struct str id;
    int type, r = store_get_row(x->txn, x->rows[at], &row, &c->err);

    if (r < 0)
        return r;
    type = row.type;
    id = arena_dup(c->a, row.id);
    if (!id.p)
        return err_no_memory(&c->err);
    for (size_t i = 0; i < x->s->n_includes && r == 0; i++) {
        x->by = &x->s->includes[i];
        if (at >= x->n_matches && !x->by->iterate)
            continue;
        if (x->by->reverse) {
            r = backward(x, type, id);
            continue;
        }
        if (!root && ((r = spend(x, COST_BODY)) < 0 ||
                      (r = store_get_row(x->txn, x->rows[at], &row, &c->err)) < 0 ||
                      (r = row_json(c->api->store, &row, &text, &c->err)) < 0 ||
                      (r = js_parse_stored(c->a, sb_view(&text), &root, &c->err)) < 0))
            return r;
        r = forward(x, type, root);
    }
    return r;
}

int include_find(struct call *c, struct store_txn *txn, const struct search *s,
                 const struct page *page, struct included *ret)
{
    struct includes x = {.c = c, .txn = txn, .s = s};
    int r = 0;

    *ret = (struct included){0};
    if (!s->n_includes || !page->n)
        return 0;
    x.rows = ARENA_ARRAY(c->a, uint64_t, page->n + API_INCLUDED_MAX);
    x.slots = ARENA_ARRAY(c->a, uint64_t, SLOTS);
    if (!x.rows || !x.slots)
        return err_no_memory(&c->err);
    for (size_t i = 0; i < page->n; i++) {
        is_new(&x, page->rows[i]);
        x.rows[x.n++] = page->rows[i];
    }
    x.n_matches = x.n;
    for (size_t i = 0; i < x.n && r == 0; i++) {
        r = of_row(&x, i);
        if (r >= 0 && store_is_overdue(txn)) {
            x.cut = true;
            break;
        }
    }
    if (r < 0)
        return r;
    *ret = (struct included){x.rows + x.n_matches, x.n - x.n_matches, x.cut};
    return 0;
}
