/* link.c - searches inside a search: chains and _has.
 *
 * A link leads from the rows of the search outside to those of one or several searches inside, by a
 * reference parameter: forwards (a chain) or backwards (_has). There are two ways to use it, and
 * which is cheaper is found out while working:
 *
 *   collect   what the inner search finds is few: follow the link from there. A chain becomes a
 *             clause of points, the references' keys; a _has becomes a set of rows.
 *   test      follow the link from each candidate, and ask whether the inner search takes what
 *             stands there. What that has cost so far is what collecting may cost.
 *
 * Both ask exec_test of the inner search, so that nothing is led through that may not be seen.
 */
#include "store/search/link_int.h"

#include "fhir/path.h"

#define LINK_BATCH_FIRST 8
#define LINK_NEAR_ASKS 16  /* single questions about a list before a piece of it is read */
#define LINK_NEWS 64       /* new matches that are taken out of what is kept as refused */
#define LINK_TRY_FIRST 512 /* spent on tests before collecting is thought of */
#define LINK_ENTRIES 16    /* entries that one target is expected to have, as a cost */
#define LINK_MERGE 32      /* lists that are merged; more are read whole … */
#define LINK_READ 16384    /* … if they have no more entries */
#define GATHER_SHARE 4     /* to look a target up costs so much less than to read an entry */
#define LINK_HAS_SHARE 16  /* a body costs as much as so many entries, and more */

/* Whether no resource has more than one value of a reference parameter: what its list says, or
 * that of the parameter that it is a part of (docs/formats/index-keys.md, "Shared lists"). */
static bool is_single(const struct exec *x, const struct param *param)
{
    const struct param_span *span = &param->spans[param->n_spans - 1];

    return (param->n_spans == 1 || span->type) && !list_is_multi(&x->t->st->lists, span->list);
}

/* Whether all that an inner search asks is one point, so that a row is found when it stands there.
 */
static bool is_point(const struct exec *x)
{
    const struct clause *c = x->clauses;

    return x->n_clauses == 1 && x->s->type && c->how == HOW_PROBE && c->n_ranges == 1 &&
           c->names_type && !c->negate && !c->lossy;
}

int link_prepare(struct exec *x, struct clause *c, struct err *err)
{
    const struct search_clause *of = c->of;
    struct link *l = ARENA_NEW(x->tmp, struct link);
    int r = 0;

    if (!l || !(l->inner = ARENA_ARRAY(x->tmp, struct inner, of->n_inner)))
        return err_no_memory(err);
    c->link = l;
    c->how = HOW_LINK;
    c->names_type = true;
    l->is_reverse = of->kind == CLAUSE_HAS;
    l->next_try = LINK_TRY_FIRST;
    l->is_single = of->n_links == 1 && is_single(x, of->links[0]);
    for (size_t i = 0; i < of->n_links; i++)
        l->has_canonicals |= path_leads_to(of->links[i]->path, TYPE_CANONICAL) ||
                             path_leads_to(of->links[i]->path, TYPE_URI);
    for (; l->n < of->n_inner && r == 0; l->n++) {
        struct inner *in = &l->inner[l->n];

        in->param = l->is_reverse ? of->links[l->n] : NULL;
        r = exec_init(&in->x, x->top, x->t, &of->inner[l->n], err);
        /* What is led through is as it is now, whatever page this is. */
        in->x.lo = 1;
        in->x.hi = in->x.newest;
        if (r == 0)
            r = clauses_prepare(&in->x, err);
        if (r == 0 && is_point(&in->x) && !(in->near = ARENA_NEW(x->tmp, struct near)))
            r = err_no_memory(err);
    }
    return r;
}

/* ---- the inner search ---- */

/* Whether a clause drives that gives rows in order, or one of ranges that end within `limit`. */
static int inner_narrow(struct inner *in, size_t limit, struct err *err)
{
    struct exec *x = &in->x;
    bool any = false;

    if (in->driver != &x->types)
        return 1;
    for (size_t i = 0; i < x->n_clauses; i++) {
        struct clause *c = &x->clauses[i];
        int r;

        if (!clause_may_drive(c))
            continue;
        any = true;
        if ((r = clause_collect(x, c, limit, err)) < 0)
            return r;
        if (r > 0) {
            in->driver = c;
            in->is_small = true;
            return 1;
        }
    }
    return !any;
}

/* Finds all matches when they are at most `limit`, looking at no more candidates: 1, or 0. */
static int inner_all(struct inner *in, size_t limit, size_t cost, struct err *err)
{
    struct rows rows = {0};
    int r;

    if (in->is_whole || in->x.lo > in->x.hi) {
        in->is_whole = true;
        return 1;
    }
    if (limit <= in->tried)
        return 0;
    in->tried = limit;
    if (!in->is_planned) {
        r = plan_driver(&in->x, true, &in->driver, &in->is_small, err);
        if (r < 0)
            return r;
        in->is_planned = true;
    }
    /* No clause ended within the race: whichever drives has more candidates than that. */
    if (!in->is_small && limit <= search_limits.race_max)
        return 0;
    if (!in->is_small && (r = inner_narrow(in, limit, err)) <= 0)
        return r;
    r = exec_matches(&in->x, in->driver, limit, cost, &rows, err);
    if (r <= 0)
        return r;
    in->found = (struct rowset){.v = rows.v, .n = rows.n, .cap = rows.cap};
    in->is_whole = true;
    return 1;
}

/* All of a link's inner searches: 1 and the number of matches, or 0. */
static int inner_all_of(struct link *l, size_t limit, size_t cost, size_t *ret_n, struct err *err)
{
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++) {
        int r = inner_all(&l->inner[i], limit, cost, err);

        if (r <= 0)
            return r;
        n += l->inner[i].found.n;
    }
    *ret_n = n;
    return 1;
}

/* 1 when the piece that was read says whether a row stands in the list, 0 when it does not reach
 * so far. */
static int near_has(struct inner *in, uint64_t row, bool *ret, uint64_t *ret_hint, struct err *err)
{
    struct near *w = in->near;
    struct rowset rows;
    uint64_t next;
    int r;

    if (row < w->from || !(w->is_last || (w->n && row <= w->rows[w->n - 1]))) {
        if (++w->asked % LINK_NEAR_ASKS != 0)
            return 0;
        r = scan_rows(&in->x, &in->x.clauses[0].ranges[0], row, in->x.hi, false, w->rows, LINK_NEAR,
                      err);
        if (r < 0)
            return r;
        w->from = row;
        w->n = (size_t)r;
        w->is_last = w->n < LINK_NEAR;
    }
    rows = (struct rowset){.v = w->rows, .n = w->n};
    next = rowset_seek(&rows, row, false);
    *ret = next == row;
    *ret_hint = next ? next : ROW_MAX;
    if (*ret && (r = exec_may_see(&in->x, row, ret, err)) < 0)
        return r;
    return (r = exec_charge(&in->x, 1, err)) < 0 ? r : 1;
}

/* Whether the inner search finds a row of its type. *ret_hint as of exec_test. */
static int inner_has(struct inner *in, uint64_t row, bool *ret, uint64_t *ret_hint, struct err *err)
{
    *ret_hint = 0;
    *ret = false;
    if (in->is_whole) {
        *ret = rowset_has(&in->found, row);
        return 0;
    }
    if (row < in->x.lo || row > in->x.hi)
        return 0;
    if (in->near) {
        int r = near_has(in, row, ret, ret_hint, err);
        if (r)
            return MIN(r, 0);
    }
    return exec_test(&in->x, &in->x.types, row, ret, ret_hint, err);
}

/* ---- from a reference to rows ---- */

/* Whether a canonical's version, where it has one, is that of the resource. */
static int is_version(struct exec *x, uint64_t row, struct str version, struct err *err)
{
    yyjson_val *root;
    int r = version.n ? exec_body(x, row, &root, err) : 1;

    if (r)
        return r;
    return str_eq(js_get_str(root, "version"), version);
}

/* The resources of a type with this canonical. */
static int follow_canonical(const struct follow *f, struct str url, struct str version)
{
    const struct param *param = param_find(exec_params(f->x), f->type, STR("url"));
    struct range point = {.is_point = true};
    uint64_t rows[LINK_BATCH];
    struct str key;
    int n, r = 0;

    if (!param || param->def.kind != PARAM_URI)
        return 0;
    key = search_url_key(f->x->tmp, url);
    point.lo = key.p ? scan_prefix(f->x->tmp, param->spans[0].list, key) : STR_NULL;
    if (!point.lo.p)
        return err_no_memory(f->err);
    n = scan_rows(f->x, &point, 1, f->x->newest, false, rows, LINK_BATCH, f->err);
    for (int i = 0; i < n && r == 0; i++) {
        r = is_version(f->x, rows[i], version, f->err);
        if (r > 0)
            r = f->row(f->ctx, rows[i], f->err);
    }
    return n < 0 ? n : r;
}

int link_follow(const struct follow *f, const struct search_ref *ref)
{
    uint64_t row;
    int r;

    if (!ref->type)
        return follow_canonical(f, ref->url, ref->version);
    if (f->type && ref->type != f->type)
        return 0;
    r = exec_live(f->x, ref->type, ref->id, &row, f->err);
    return r < 0 || !row ? r : f->row(f->ctx, row, f->err);
}

/* ---- collecting ---- */

/* The keys by which a row is referred to; `x` is the search that the row belongs to. */
static int target_keys(struct exec *x, const struct link *l, uint64_t row,
                       struct str ret[SEARCH_TARGET_KEYS_MAX], size_t *ret_n, struct err *err)
{
    yyjson_val *root = NULL;
    struct str id;
    int type, r = exec_identity(x, row, &type, &id, err);

    if (r == 0 && l->has_canonicals)
        r = exec_body(x, row, &root, err);
    return r < 0 ? r : search_target_keys(x->tmp, type, id, root, ret, ret_n, err);
}

int link_points(struct exec *x, struct clause *c, size_t *cap, const struct param *param,
                struct str key, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < param->n_spans && r == 0; i++) {
        struct range range = {.is_point = true};

        if (!param_span_has(param, i, (unsigned char)key.p[0]))
            continue;
        range.lo = scan_prefix(x->tmp, param->spans[i].list, key);
        r = range.lo.p ? clause_add_range(x, c, cap, range, err) : err_no_memory(err);
    }
    return r;
}

/* A chain to few resources: a clause of points. */
static int become_points(struct exec *x, struct clause *c, struct err *err)
{
    struct link *l = c->link;
    size_t cap = 0;
    int r = 0;

    for (size_t i = 0; i < l->n; i++) {
        struct inner *in = &l->inner[i];

        for (uint64_t row = 1; r == 0 && (row = rowset_seek(&in->found, row, false)); row++) {
            struct str keys[SEARCH_TARGET_KEYS_MAX];
            size_t n = 0;

            r = target_keys(&in->x, l, row, keys, &n, err);
            for (size_t j = 0; j < c->of->n_links; j++)
                for (size_t k = 0; k < n && r == 0; k++)
                    r = link_points(x, c, &cap, c->of->links[j], keys[k], err);
        }
    }
    c->is_points = true;
    if (!c->n_ranges)
        c->how = HOW_SET;
    return r;
}

struct collecting {
    struct exec *x;
    struct rowset *set;
};

static int collect_row(void *ctx, uint64_t row, struct err *err)
{
    struct collecting *to = ctx;

    if (row < to->x->lo || row > to->x->hi)
        return 0;
    return rowset_add(to->set, to->x->tmp, row, to->x->newest, err);
}

static int collect_ref(void *ctx, const struct search_ref *ref)
{
    return link_follow(ctx, ref);
}

/* What the matches of a _has refer to. */
static int collect_referred(struct exec *x, struct clause *c, struct rowset *ret, struct err *err)
{
    const struct index_options *opt = store_index_options(x->t->st);
    struct collecting to = {x, ret};
    struct follow f = {x, x->s->type, collect_row, &to, err};
    struct link *l = c->link;
    int r = 0;

    for (size_t i = 0; i < l->n; i++) {
        struct inner *in = &l->inner[i];

        for (uint64_t row = 1; r == 0 && (row = rowset_seek(&in->found, row, false)); row++) {
            yyjson_val *root;
            r = exec_body(&in->x, row, &root, err);
            if (r == 0)
                r = search_refs(&in->x.body, opt, in->param, root, collect_ref, &f, err);
        }
    }
    return r;
}

/* All rows of a link whose inner matches are all known. */
static int collect_known(struct exec *x, struct clause *c, struct err *err)
{
    struct rowset all = {0};
    int r = 0;

    if (c->link->is_reverse) {
        r = collect_referred(x, c, &all, err);
    } else {
        if (!c->is_points)
            r = become_points(x, c, err);
        for (size_t i = 0; i < c->n_ranges && r == 0; i++) {
            size_t n;
            r = scan_collect(x, &c->ranges[i], SIZE_MAX, &all, &n, err);
        }
    }
    if (r < 0)
        return r;
    rowset_sort(&all);
    c->set = all;
    c->how = HOW_SET;
    return 1;
}

int link_collect(struct exec *x, struct clause *c, size_t limit, struct err *err)
{
    struct link *l = c->link;
    size_t most = limit ? limit : SIZE_MAX, n;
    int r;

    if (l->is_reverse && limit)
        most = MAX(limit / LINK_HAS_SHARE, (size_t)4);
    r = inner_all_of(l, most, limit ? limit * LINK_HAS_SHARE : SIZE_MAX, &n, err);
    if (r <= 0 || n > most)
        return MIN(r, 0);
    if (l->is_reverse)
        return collect_known(x, c, err);
    if (!limit)
        return collect_known(x, c, err);
    r = become_points(x, c, err);
    if (r < 0 || c->how == HOW_SET)
        return r < 0 ? r : 1;
    /* To merge many lists costs more than to read them. */
    return clause_collect(x, c, c->n_ranges > LINK_MERGE ? LINK_READ : limit, err);
}

/* ---- gathering: all that a _has leads to, without bodies (targets.c) ---- */

struct clause *link_gatherable(struct exec *x)
{
    for (size_t i = 0; i < x->n_clauses; i++) {
        struct clause *c = &x->clauses[i];
        if (link_leads(c) && !c->link->has_canonicals && x->s->type)
            return c;
    }
    return NULL;
}

/* Whether the inner list is known to be more than an event loop may spend: then a worker begins. */
static bool is_for_worker(const struct exec *x, struct inner *in)
{
    const struct exec *top = x->top;

    return top->budget && in->near &&
           hint_least(&in->x, &in->x.clauses[0]) > top->budget - MIN(top->spent, top->budget);
}

/* What newer rows refer to, of which no list was read. */
static int gather_newer(struct exec *x, struct inner *in, uint64_t row, struct rowset *set,
                        struct err *err)
{
    const struct index_options *opt = store_index_options(x->t->st);
    struct collecting to = {x, set};
    struct follow f = {x, x->s->type, collect_row, &to, err};
    yyjson_val *root;
    int r = exec_body(&in->x, row, &root, err);

    return r < 0 ? r : search_refs(&in->x.body, opt, in->param, root, collect_ref, &f, err);
}

struct gathering {
    struct exec *x;
    struct inner *in;
    const struct targets_view *targets;
    struct rowset set;
    uint64_t rows[LINK_BATCH]; /* that are known */
    size_t n;
};

static int gather_flush(struct gathering *g, struct err *err)
{
    struct exec *x = g->x;
    uint64_t found[LINK_BATCH];
    int r = exec_charge(x, g->n / GATHER_SHARE, err);

    targets_rows(g->targets, g->rows, g->n, found);
    for (size_t i = 0; i < g->n && r >= 0; i++)
        if (found[i] >= x->lo && found[i] <= x->hi)
            r = rowset_add(&g->set, x->tmp, found[i], x->newest, err);
    g->n = 0;
    return r;
}

static int gather_row(struct gathering *g, uint64_t row, struct err *err)
{
    if (!targets_know(g->targets, row))
        return gather_newer(g->x, g->in, row, &g->set, err);
    g->rows[g->n++] = row;
    return g->n == LINK_BATCH ? gather_flush(g, err) : 0;
}

/* Matches may stand in an array in no order, or in a bitmap. */
static int gather_all(struct gathering *g, const struct rowset *found, struct err *err)
{
    int r = rowset_init_bits(&g->set, g->x->tmp, g->x->newest, err);

    for (size_t i = 0; i < found->n && r >= 0; i++)
        r = gather_row(g, found->v[i], err);
    for (uint64_t row = 1; found->bits && r >= 0 && (row = rowset_seek(found, row, false)); row++)
        r = gather_row(g, row, err);
    return r < 0 ? r : gather_flush(g, err);
}

int link_gather(struct exec *x, struct clause *c, bool may_wait, struct err *err)
{
    struct gathering g = {.x = x, .in = &c->link->inner[0]};
    size_t cost = search_limits.gather;
    _cleanup_(found_done) struct found_rows found = {0};
    int r = is_for_worker(x, g.in) ? exec_charge(x, x->top->budget, err) : 0;

    if (r < 0 || (r = targets_open(x, g.in->param, may_wait, &g.targets, err)) < 0 || !g.targets)
        return r;
    r = found_is_ranges(&g.in->x) ? found_all(&g.in->x, cost, &found, err) : 0;
    if (r == 0) {
        r = inner_all(g.in, cost, cost, err);
        found.rows = g.in->found;
    }
    if (r <= 0 || (r = gather_all(&g, &found.rows, err)) < 0)
        return r;
    c->set = g.set;
    c->how = HOW_SET;
    return 1;
}

/* ---- testing ---- */

struct testing {
    struct link *l;
    struct inner *in;
};

static int test_row(void *ctx, uint64_t row, struct err *err)
{
    struct testing *t = ctx;
    uint64_t hint;
    bool in;
    int r = inner_has(t->in, row, &in, &hint, err);

    return r < 0 ? r : in;
}

/* Whether what a reference leads to is found by one of the inner searches. */
static int test_ref(void *ctx, const struct search_ref *ref)
{
    struct follow *f = ctx;
    struct testing *t = f->ctx;
    struct link *l = t->l;
    uint64_t hash = str_hash(ref->type ? ref->id : ref->url) ^ str_hash(ref->version) * 31 ^
                    ((uint64_t)ref->type + 1) * UINT64_C(0x9e3779b97f4a7c15);
    struct memo *memo = &l->memo[hash >> 32 & (LINK_MEMO - 1)];
    int r = 0;

    l->last = *ref;
    if (memo->hash == hash)
        return memo->in;
    for (size_t i = 0; i < l->n && r == 0; i++) {
        t->in = &l->inner[i];
        f->x = &t->in->x; /* the body in hand is the outer search's */
        f->type = t->in->x.s->type;
        r = link_follow(f, ref);
    }
    if (r >= 0)
        *memo = (struct memo){hash, r > 0};
    return r;
}

/* Looks which rows behind this one refer to the same target: their bodies need not be read. */
static int look_ahead(struct exec *x, struct clause *c, uint64_t row, bool in, struct err *err)
{
    struct link *l = c->link;
    struct str keys[SEARCH_TARGET_KEYS_MAX];
    struct clause points = {0};
    uint64_t rows[LINK_AHEAD], lo = row, hi = MIN(row + LINK_RING - 1, x->newest);
    size_t cap = 0, n;
    int r;

    if (!l->is_single || !l->last.type)
        return 0;
    if (x->desc) {
        lo = row < LINK_RING ? 1 : row - LINK_RING + 1;
        hi = row;
    }
    r = search_target_keys(&x->body, l->last.type, l->last.id, NULL, keys, &n, err);
    if (r >= 0)
        r = link_points(x, &points, &cap, c->of->links[0], keys[0], err);
    if (r < 0 || points.n_ranges != 1)
        return r;
    r = scan_rows(x, &points.ranges[0], lo, hi, x->desc, rows, LINK_AHEAD, err);
    for (int i = 0; i < r; i++) {
        l->ahead.rows[rows[i] % LINK_RING] = rows[i];
        l->ahead.in[rows[i] % LINK_RING] = in;
    }
    return MIN(r, 0);
}

static int test_forward(struct exec *x, struct clause *c, uint64_t row, bool *ret, struct err *err)
{
    const struct index_options *opt = store_index_options(x->t->st);
    struct testing t = {.l = c->link};
    struct follow f = {x, 0, test_row, &t, err};
    yyjson_val *root;
    int r, type;

    if (c->link->ahead.rows[row % LINK_RING] == row) {
        *ret = c->link->ahead.in[row % LINK_RING];
        return exec_charge(x, 1, err);
    }
    c->link->last = (struct search_ref){0};
    if ((r = exec_body(x, row, &root, err)) < 0)
        return r;
    type = def_resource(js_get_str(root, "resourceType"));
    for (size_t i = 0; i < c->of->n_links && r == 0; i++)
        if (c->of->links[i]->def.type == type)
            r = search_refs(&x->body, opt, c->of->links[i], root, test_ref, &f, err);
    *ret = r > 0;
    return r < 0 ? r : look_ahead(x, c, row, r > 0, err);
}

/* Whether one of the rows that stand in a point's list is found. */
static int test_list(struct exec *x, struct inner *in, const struct range *point, struct err *err)
{
    uint64_t rows[LINK_BATCH], at = 1;
    size_t batch = LINK_BATCH_FIRST, asked;
    int n;

    do {
        asked = batch;
        batch = LINK_BATCH;
        n = scan_rows(x, point, at, in->x.newest, false, rows, asked, err);
        for (int i = 0; i < n; i++) {
            uint64_t hint;
            bool found;
            int r = 0;

            at = MAX(at, rows[i] + 1);
            if (rows[i] + 1 < at)
                continue; /* skipped */
            r = inner_has(in, rows[i], &found, &hint, err);
            if (r < 0 || found)
                return r < 0 ? r : 1;
            at = MAX(at, hint);
        }
    } while (n == (int)asked);
    return MIN(n, 0);
}

/* The question of a _has in full, where it is one point behind one reference: the type asked, the
 * parameter, the key. STR_NULL: it is more. */
static struct str question(const struct exec *x, const struct link *l)
{
    const struct inner *in = &l->inner[0];
    struct str point;
    char *p;

    if (l->n != 1 || !in->near || l->has_canonicals || !x->s->type || exec_is_restricted(x))
        return STR_NULL;
    point = in->x.clauses[0].ranges[0].lo;
    p = arena_alloc(x->tmp, 4 + point.n);
    if (!p)
        return STR_NULL;
    memcpy(p,
           (const char[]){(char)x->s->type, (char)in->x.s->type, (char)(in->param->def.id >> 8),
                          (char)in->param->def.id},
           4);
    memcpy(p + 4, point.p, point.n);
    return str_n(p, 4 + point.n);
}

struct no_longer {
    struct exec *x;
    struct rows rows;
};

static int no_longer(void *ctx, uint64_t row, struct err *err)
{
    struct no_longer *n = ctx;

    return rows_add(&n->rows, n->x->tmp, row, err);
}

/* Takes out what matches that are newer than the rest refer to. */
static int refused_catch_up(struct exec *x, struct link *l, struct err *err)
{
    const struct index_options *opt = store_index_options(x->t->st);
    struct inner *in = &l->inner[0];
    struct no_longer out = {.x = x};
    struct follow f = {x, x->s->type, no_longer, &out, err};
    uint64_t rows[LINK_NEWS];
    int n, r = 0;

    if (l->refused.position == x->newest)
        return 0;
    n = scan_rows(&in->x, &in->x.clauses[0].ranges[0], l->refused.position + 1, x->newest, false,
                  rows, LINK_NEWS, err);
    for (int i = 0; i < n && n < LINK_NEWS && r == 0; i++) {
        yyjson_val *root;

        if ((r = exec_body(&in->x, rows[i], &root, err)) == 0)
            r = search_refs(&in->x.body, opt, in->param, root, collect_ref, &f, err);
    }
    if (n < 0 || r < 0)
        return MIN(r, n);
    refused_advance(x, &l->refused, n < LINK_NEWS ? &out.rows : NULL);
    return 0;
}

/* Whether something that the inner searches find refers to a row. */
static int has_referrer(struct exec *x, struct link *l, uint64_t row, struct err *err)
{
    struct str keys[SEARCH_TARGET_KEYS_MAX];
    size_t n = 0;
    int r = target_keys(x, l, row, keys, &n, err);

    for (size_t i = 0; i < l->n && r == 0; i++) {
        struct clause points = {0};
        size_t cap = 0;

        for (size_t k = 0; k < n && r == 0; k++)
            r = link_points(x, &points, &cap, l->inner[i].param, keys[k], err);
        for (size_t k = 0; k < points.n_ranges && r == 0; k++)
            r = test_list(x, &l->inner[i], &points.ranges[k], err);
    }
    return r;
}

static int test_reverse(struct exec *x, struct clause *c, uint64_t row, bool *ret, struct err *err)
{
    struct link *l = c->link;
    int r = 0;

    if (!l->has_asked) {
        struct str key = question(x, l);

        l->has_asked = true;
        l->is_kept = key.p && refused_open(x, key, &l->refused);
        if (l->is_kept && (r = refused_catch_up(x, l, err)) < 0)
            return r;
    }
    if (l->is_kept && refused_has(x, &l->refused, row)) {
        *ret = false;
        return exec_charge(x, 1, err);
    }
    r = has_referrer(x, l, row, err);
    if (r == 0 && l->is_kept)
        refused_add(x, &l->refused, row);
    *ret = r > 0;
    return MIN(r, 0);
}

/* Collects when that costs no more than the tests have. */
static int maybe_collect(struct exec *x, struct clause *c, struct err *err)
{
    struct link *l = c->link;
    size_t each = l->is_reverse ? COST_BODY + COST_PROBE : 2 * COST_PROBE + LINK_ENTRIES, n;
    size_t least = 0;
    int r;

    l->next_try = l->spent * 2;
    /* Inner searches that no clause made small have more matches than the race looked at, unless
     * their clauses exclude one another. */
    for (size_t i = 0; i < l->n; i++)
        if (l->inner[i].is_planned && !l->inner[i].is_small)
            least += search_limits.race_max;
    if (least * each > l->spent * 2) {
        l->next_try = least * each / 2;
        return 0;
    }
    r = inner_all_of(l, l->spent, l->spent, &n, err);
    if (r <= 0)
        return r;
    if (n * each > l->spent * 2) {
        l->next_try = n * each / 2;
        return 0;
    }
    if ((r = collect_known(x, c, err)) > 0 && !c->negate)
        x->better = c;
    return r;
}

int link_test(struct exec *x, struct clause *c, uint64_t row, bool *ret, struct err *err)
{
    struct link *l = c->link;
    size_t begun = x->top->spent;
    int r;

    if (l->spent > l->next_try && (r = maybe_collect(x, c, err)) < 0)
        return r;
    if (c->how == HOW_SET) {
        *ret = rowset_has(&c->set, row);
        return 0;
    }
    r = l->is_reverse ? test_reverse(x, c, row, ret, err) : test_forward(x, c, row, ret, err);
    l->spent += x->top->spent - begun;
    return r;
}
