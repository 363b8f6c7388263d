/* order.c - pages in the order of sort keys.
 *
 * Few candidates: all are looked at and sorted. Many: the first sort parameter's list is walked in
 * key order, and the other clauses test what is met; rows without a value come after. If the walk
 * meets too little, the matches are collected after all. Every way gives the same order, because a
 * later page may take another one: by keys, then by row number in the direction of the first key.
 */
#include "store/search/search_int.h"

#define ROWS_EXPECTED 1024 /* told to the backend at once */

struct keyed {
    uint64_t row;
    struct str keys[SEARCH_SORT_MAX]; /* .p == NULL: no value */
};

struct order {
    struct exec *x;
    const struct mark *from; /* NULL: the first page */
    const struct clause *driver;
    bool desc; /* of the first rule */
    size_t walked;
    bool has_collected;
    struct rowset *matches; /* when not NULL: all of them */
    struct keyed *run;      /* rows with the same first key */
    size_t run_n, run_cap;
    struct rows rows;
    struct keyed last;
    bool has_next;
};

bool order_is_rows(const struct search *s, bool *ret_desc)
{
    bool by_rows = s->n_sort == 0 || (!s->sort[0].param && !s->sort[0].by_id &&
                                      !search_sort_is_computed(&s->sort[0]));

    *ret_desc = by_rows && s->n_sort && s->sort[0].descending;
    return by_rows;
}

static const struct search_sort *rule(const struct order *o, size_t i)
{
    return &o->x->s->sort[i];
}

static bool many_rules(const struct order *o)
{
    return o->x->s->n_sort > 1;
}

/* Keys from the i-th on; the ones before are known. */
static int load_keys(struct order *o, struct keyed *k, size_t i, struct err *err)
{
    struct exec *x = o->x;
    int r = 0;

    for (; i < x->s->n_sort && r == 0; i++) {
        const struct search_sort *sort = rule(o, i);

        if (sort->param || search_sort_is_computed(sort)) {
            r = exec_sort_key(x, k->row, sort, &k->keys[i], err);
        } else if (sort->by_id) {
            unsigned char key[ID_KEY_MAX];
            struct row row;
            if ((r = x->t->st->ops->get_row(x->t, k->row, &row, err)) < 0)
                return r;
            k->keys[i] = arena_dup(x->tmp, str_n((char *)key, index_id_key(row.id, key)));
            r = k->keys[i].p ? exec_charge(x, COST_PROBE, err) : err_no_memory(err);
        } else {
            unsigned char key[ROW_BYTES];
            row_put(key, k->row);
            k->keys[i] = arena_dup(x->tmp, str_n((char *)key, sizeof key));
            r = k->keys[i].p ? 0 : err_no_memory(err);
        }
    }
    return r;
}

static int compare(const struct order *o, const struct str *a, uint64_t a_row, const struct str *b,
                   uint64_t b_row)
{
    for (size_t i = 0; i < o->x->s->n_sort; i++) {
        int c;

        if (!a[i].p || !b[i].p) {
            if (!a[i].p != !b[i].p)
                return a[i].p ? -1 : 1; /* no value comes last, in either direction */
            continue;
        }
        c = str_cmp(a[i], b[i]);
        if (c)
            return rule(o, i)->descending ? -c : c;
    }
    if (a_row == b_row)
        return 0;
    return (a_row < b_row) != o->desc ? -1 : 1;
}

static int keyed_cmp(const void *a, const void *b, void *ctx)
{
    const struct keyed *x = a, *y = b;

    return compare(ctx, x->keys, x->row, y->keys, y->row);
}

static bool is_past_mark(const struct order *o, const struct keyed *k)
{
    return !o->from || compare(o, k->keys, k->row, o->from->keys, o->from->row) > 0;
}

/* 1: the page is full. */
static int emit(struct order *o, const struct keyed *k, struct err *err)
{
    if (!is_past_mark(o, k))
        return 0;
    if (o->rows.n == o->x->s->count) {
        o->has_next = true;
        return 1;
    }
    o->last = *k;
    return rows_add(&o->rows, o->x->a, k->row, err);
}

/* ---- sorting what was collected ---- */

static int run_add(struct order *o, const struct keyed *k, size_t max, struct err *err)
{
    if (o->run_n == max)
        return err_set(
            err, ERR_COSTLY,
            "more than %zu resources are alike in the first sort rule: narrow the search", max);
    if (o->run_n == o->run_cap) {
        size_t cap = o->run_cap ? o->run_cap * 2 : 64;
        struct keyed *run =
            arena_grow(o->x->tmp, o->run, o->run_cap * sizeof *run, cap * sizeof *run);
        if (!run)
            return err_no_memory(err);
        o->run = run;
        o->run_cap = cap;
    }
    o->run[o->run_n++] = *k;
    return 0;
}

/* Emits the run in order; 1: the page is full. */
static int run_emit(struct order *o, struct err *err)
{
    int r = 0;

    if (o->run_n)
        qsort_r(o->run, o->run_n, sizeof *o->run, keyed_cmp, o);
    for (size_t i = 0; i < o->run_n && r == 0; i++)
        r = emit(o, &o->run[i], err);
    o->run_n = 0;
    return r;
}

static int sort_rows(struct order *o, const uint64_t *rows, size_t n, struct err *err)
{
    int r = 0;

    o->run_n = 0;
    for (size_t i = 0; i < n && r == 0; i++) {
        struct keyed k = {.row = rows[i]};

        if (i % ROWS_EXPECTED == 0)
            o->x->ops->expect(o->x->t, rows + i, MIN(n - i, (size_t)ROWS_EXPECTED));
        r = load_keys(o, &k, 0, err);
        if (r == 0)
            r = run_add(o, &k, SIZE_MAX, err);
    }
    return r < 0 ? r : run_emit(o, err);
}

/* ---- walking a list ---- */

static int matches(struct order *o, uint64_t row, bool *ret, struct err *err)
{
    struct exec *x = o->x;

    if (row < x->lo || row > x->hi) {
        *ret = false;
        return 0;
    }
    if (o->matches) {
        *ret = rowset_has(o->matches, row);
        return 0;
    }
    return exec_test(x, o->x->s->type ? &x->types : NULL, row, ret, NULL, err);
}

/* The walk has met too little: find all matches from the other side. 1: few, sorted and emitted. */
static int collect(struct order *o, struct err *err)
{
    struct exec *x = o->x;
    struct rows found = {0};
    bool desc = x->desc;
    int r;

    if (o->has_collected || x->n_clauses == 0)
        return 0;
    o->has_collected = true;
    x->desc = false;
    r = exec_matches(x, o->driver, search_limits.collect, SIZE_MAX, &found, err);
    x->desc = desc;
    if (r <= 0)
        return r;
    if (found.n <= search_limits.sort_rows) {
        o->rows.n = 0;
        return (r = sort_rows(o, found.v, found.n, err)) < 0 ? r : 1;
    }
    o->matches = ARENA_NEW(x->tmp, struct rowset);
    if (!o->matches)
        return err_no_memory(err);
    o->matches->v = found.v;
    o->matches->n = found.n;
    return 0;
}

/* One met row with its first key; 1: the page is full or all is emitted. */
static int meet(struct order *o, uint64_t row, struct str key, bool is_multi, struct err *err)
{
    struct keyed k = {.row = row};
    bool match;
    int r;

    o->walked++;
    if ((r = exec_charge(o->x, 1, err)) < 0 || (r = matches(o, row, &match, err)) < 0)
        return r;
    if (!match)
        return o->walked > search_limits.walk_try ? collect(o, err) : 0;
    /* A row with several values stands in the list several times; it counts where it stands first.
     */
    if (is_multi) {
        if ((r = exec_sort_key(o->x, row, rule(o, 0), &k.keys[0], err)) < 0)
            return r;
        if (!k.keys[0].p || !str_eq(k.keys[0], key))
            return 0;
    } else {
        k.keys[0] = arena_dup(o->x->tmp, key);
        if (!k.keys[0].p)
            return err_no_memory(err);
    }
    if (!many_rules(o))
        return emit(o, &k, err);
    if (o->run_n && !str_eq(o->run[0].keys[0], key) && (r = run_emit(o, err)) != 0)
        return r;
    if ((r = load_keys(o, &k, 1, err)) < 0)
        return r;
    return run_add(o, &k, search_limits.run, err);
}

/* Where the walk begins: behind the last page's end, or with several rules at its first key. */
static int walk_bounds(struct order *o, const struct param_span *span, struct str *lo,
                       struct str *hi, struct err *err)
{
    struct arena *a = o->x->tmp;
    unsigned char key[INDEX_KEY_MAX + ROW_BYTES];
    struct str at;
    int r = span_bounds(a, span, lo, hi, err);

    if (r < 0 || !o->from)
        return r;
    at = o->from->keys[0];
    memcpy(key, at.p, at.n);
    if (!many_rules(o))
        row_put(key + at.n, o->from->row);
    else
        row_put(key + at.n, o->desc ? ROW_MAX : 0);
    at = scan_prefix(a, span->list, str_n((char *)key, at.n + ROW_BYTES));
    if (!at.p)
        return err_no_memory(err);
    if (o->desc && str_cmp(at, *hi) < 0)
        *hi = at;
    if (!o->desc && str_cmp(at, *lo) > 0)
        *lo = at;
    return 0;
}

/* The spans of a parameter, walked side by side. */
struct walker {
    struct scan s[PARAM_SPANS_MAX];
    size_t n_open;                 /* of s */
    bool is_on[PARAM_SPANS_MAX];   /* not at its end */
    struct str k[PARAM_SPANS_MAX]; /* the entry that each stands at, without its list */
};

static int walker_step(struct order *o, struct walker *w, size_t i, struct err *err)
{
    struct str k;
    int r = o->x->ops->next(&w->s[i], &k, err);

    if (r > 0)
        w->k[i] = str_from(k, MIN(k.n, (size_t)2));
    w->is_on[i] = r > 0;
    return r;
}

static int walker_open(struct order *o, struct walker *w, struct err *err)
{
    static const enum scan_of of[] = {SCAN_WALK, SCAN_MERGE};
    const struct param *param = rule(o, 0)->param;
    int r = 0;

    _Static_assert(ARRAY_LEN(of) == PARAM_SPANS_MAX, "a scan for each span");
    for (size_t i = 0; i < param->n_spans && r >= 0; i++) {
        struct str lo, hi;

        if ((r = walk_bounds(o, &param->spans[i], &lo, &hi, err)) < 0)
            break;
        w->n_open = i + 1;
        r = o->x->ops->open(&w->s[i], o->x->t, o->x->within, of[i], lo, hi, o->desc, o->x->s->count,
                            err);
        if (r == 0)
            r = walker_step(o, w, i, err);
    }
    return r < 0 ? r : 0;
}

/* Which span has the next entry; -1 at the end of all. */
static int walker_next(const struct order *o, const struct walker *w)
{
    int best = -1;

    for (int i = 0; i < PARAM_SPANS_MAX; i++)
        if (w->is_on[i] && (best < 0 || (str_cmp(w->k[i], w->k[best]) < 0) != o->desc))
            best = i;
    return best;
}

/* Steps over the entry of span `at`, in every span that has it. */
static int walker_pass(struct order *o, struct walker *w, int at, struct err *err)
{
    bool has[PARAM_SPANS_MAX];
    int r = 0;

    for (int i = 0; i < PARAM_SPANS_MAX; i++)
        has[i] = w->is_on[i] && str_eq(w->k[i], w->k[at]);
    for (size_t i = 0; i < PARAM_SPANS_MAX && r >= 0; i++)
        if (has[i])
            r = walker_step(o, w, i, err);
    return MIN(r, 0);
}

static void walker_done(struct order *o, struct walker *w)
{
    for (size_t i = 0; i < w->n_open; i++)
        o->x->ops->close(&w->s[i]);
}

static int walk_list(struct order *o, struct err *err)
{
    const struct param *param = rule(o, 0)->param;
    unsigned list = param->spans[0].list;
    bool is_multi = param->n_spans > 1 || list_is_multi(&o->x->t->st->lists, list);
    struct walker w = {0};
    int r = walker_open(o, &w, err), i;

    while (r == 0 && (i = walker_next(o, &w)) >= 0) {
        struct str k = w.k[i];

        if (k.n >= ROW_BYTES) {
            size_t n = k.n - ROW_BYTES;
            r = meet(o, row_get((const unsigned char *)k.p + n), str_head(k, n), is_multi, err);
        }
        if (r == 0)
            r = walker_pass(o, &w, i, err);
    }
    walker_done(o, &w);
    return r == 0 ? run_emit(o, err) : r;
}

#define IDS_BATCH 64

/* Ids lie in order. */
static int walk_ids(struct order *o, struct err *err)
{
    struct exec *x = o->x;
    struct str after = o->from ? o->from->keys[0] : o->desc ? STR("\xff") : STR("");
    struct id_row *ids = ARENA_ARRAY(x->tmp, struct id_row, IDS_BATCH);
    int r = 0, n = IDS_BATCH;

    if (!x->s->type)
        return err_set(err, ERR_COSTLY, "sorting many resources by _id needs one type");
    if (!ids)
        return err_no_memory(err);
    while (r == 0 && n == IDS_BATCH) {
        n = x->ops->ids(x->t, x->s->type, after, o->desc, ids, IDS_BATCH, err);
        for (int i = 0; i < n && r == 0; i++) {
            struct str id = str_n((char *)ids[i].id, ids[i].n);
            bool is_live;

            r = clause_test(x, &x->types, ids[i].row, &is_live, NULL, err);
            if (r == 0 && is_live)
                r = meet(o, ids[i].row, id, false, err);
        }
        after = n > 0 ? arena_dup(x->tmp, str_n((char *)ids[n - 1].id, ids[n - 1].n)) : after;
        if (n < 0 || !after.p)
            return n < 0 ? n : err_no_memory(err);
    }
    return r == 0 ? run_emit(o, err) : r;
}

/* Rows without a value for the first rule. */
static int walk_absent(struct order *o, struct err *err)
{
    struct exec *x = o->x;
    bool in_absent = o->from && !o->from->keys[0].p;
    uint64_t at = o->desc ? x->hi : x->lo, row;
    struct source src;
    struct clause absent;
    int r = clause_of_param(x, rule(o, 0)->param, &absent, err);

    if (r < 0)
        return r;
    absent.absent = rule(o, 0);
    absent.negate = true;
    x->desc = o->desc;
    if (in_absent && !many_rules(o))
        at = o->from->row;
    r = source_open(&src, x, o->driver, at, err);
    while (r == 0 && (r = source_next(&src, &row, err)) > 0) {
        struct keyed k = {.row = row};
        bool match;

        if ((r = exec_test(x, o->driver, row, &match, NULL, err)) < 0)
            return r;
        if (match && (r = clause_test(x, &absent, row, &match, NULL, err)) < 0)
            return r;
        r = 0;
        if (!match)
            continue;
        if (!many_rules(o))
            r = emit(o, &k, err);
        else if ((r = load_keys(o, &k, 1, err)) == 0)
            r = run_add(o, &k, search_limits.run, err);
    }
    return r == 0 ? run_emit(o, err) : r;
}

static int walk(struct order *o, struct err *err)
{
    const struct search_sort *first = rule(o, 0);
    int r = 0;

    if (first->by_id)
        return walk_ids(o, err);
    if (!o->from || o->from->keys[0].p)
        r = walk_list(o, err);
    return r == 0 ? walk_absent(o, err) : r;
}

int order_page(struct exec *x, const struct mark *from, struct page *ret, struct err *err)
{
    struct order o = {.x = x, .from = from, .desc = x->s->sort[0].descending};
    struct mark end = {.position = x->position, .total = from ? from->total : -1};
    struct rows found = {0};
    struct clause *has;
    bool small;
    int r = plan_driver(x, true, &o.driver, &small, err);

    if (r < 0)
        return r;
    if (!small && (has = link_gatherable(x)) != NULL) {
        if ((r = link_gather(x, has, x->s->total != TOTAL_ACCURATE, err)) < 0)
            return r;
        if (r > 0)
            o.driver = has;
        small = r > 0 && rowset_count(&has->set) <= search_limits.sort_rows / 16;
    }
    if (small || x->s->total == TOTAL_ACCURATE || search_sort_is_computed(rule(&o, 0))) {
        if ((r = exec_matches(x, o.driver, SIZE_MAX, SIZE_MAX, &found, err)) < 0)
            return r;
        end.total = from ? from->total : (int64_t)found.n;
        small |= found.n <= search_limits.sort_rows || search_sort_is_computed(rule(&o, 0));
    }
    if (search_sort_is_computed(rule(&o, 0)) && found.n > search_limits.run)
        return err_set(
            err, ERR_COSTLY,
            "more than %zu resources match, too many to sort by what is not in the index",
            search_limits.run);
    r = small ? sort_rows(&o, found.v, found.n, err) : walk(&o, err);
    if (r < 0)
        return r;
    if (x->s->total == TOTAL_NONE)
        end.total = -1;
    *ret = (struct page){.rows = o.rows.v, .n = o.rows.n, .next = STR_NULL, .total = end.total};
    if (o.has_next) {
        end.row = o.last.row;
        end.n_keys = x->s->n_sort;
        memcpy(end.keys, o.last.keys, sizeof end.keys);
        ret->next = mark_format(x->a, &end);
        if (!ret->next.p)
            return err_no_memory(err);
    }
    return 0;
}
