#include "store/search/search_int.h"

#define HEADS_MAX 256 /* ranges of a clause that could be answered by others */
#define PROBES_MAX 8 /* points that are probed one by one; past it the body is cheaper */
#define BLOCK_ASKS 4 /* bodies looked at in one block before the ranges are read there */

/* ---- preparing ---- */

/* Ranges grow while terms are expanded. */
int clause_add_range(struct exec *x, struct clause *c, size_t *cap, struct range range,
                     struct err *err)
{
    if (c->n_ranges == *cap) {
        size_t n = *cap ? *cap * 2 : 4;
        struct range *v = arena_grow(x->tmp, c->ranges, *cap * sizeof *v, n * sizeof *v);
        if (!v)
            return err_no_memory(err);
        c->ranges = v;
        *cap = n;
    }
    c->ranges[c->n_ranges++] = range;
    return 0;
}

static int add_keys(struct exec *x, struct clause *c, size_t *cap, const struct key_range *k,
                    struct err *err);

/* The terms of a range, each with the key that it leads to. */
static int add_terms(struct exec *x, struct clause *c, size_t *cap, const struct key_range *k,
                     struct str lo, struct str hi, struct err *err)
{
    size_t seen = 0;
    struct scan s;
    struct str term;
    int r = x->ops->open(&s, x->t, x->within, SCAN_TERMS, lo, hi, false, search_limits.terms, err);

    while (r >= 0 && (r = x->ops->next(&s, &term, err)) > 0) {
        ptrdiff_t end = str_find(str_from(term, 2), '\0');
        struct range range = {.is_point = true, .lossy = k->lossy};

        if (++seen > search_limits.terms || c->n_ranges >= search_limits.ranges) {
            c->is_opaque = true;
            break;
        }
        if (end < 0)
            continue;
        range.lo = scan_prefix(x->tmp, k->param, str_from(term, 2 + (size_t)end + 1));
        r = range.lo.p ? clause_add_range(x, c, cap, range, err) : err_no_memory(err);
        if (r < 0)
            break;
    }
    x->ops->close(&s);
    return r < 0 ? r : exec_charge(x, seen + 1, err);
}

/* A list by groups: one seek finds the group, fhir says which keys of it to look at. */
static int add_groups(struct exec *x, struct clause *c, size_t *cap, const struct key_range *k,
                      struct str lo, struct str hi, struct err *err)
{
    struct str key;
    int r;

    for (;;) {
        struct key_range *inner;
        struct str group;
        size_t n, n_inner;

        if ((r = scan_first(x, lo, hi, &key, err)) <= 0)
            return r;
        n = search_group(k, str_from(key, 2));
        if (!n)
            return 0;
        if (c->n_ranges >= search_limits.ranges ||
            (c->of->n_subs && c->n_ranges >= HEADS_MAX)) {
            c->is_opaque = true;
            return 0;
        }
        group = str_head(key, 2 + n);
        r = search_group_ranges(k, str_from(group, 2), x->tmp, &inner, &n_inner, err);
        for (size_t i = 0; r == 0 && i < n_inner; i++)
            r = add_keys(x, c, cap, &inner[i], err);
        if (r < 0)
            return r;
        lo = scan_after(x->tmp, group);
        if (!lo.p)
            return err_no_memory(err);
    }
}

/* The place of the first key of a set that is not before `key`. */
static size_t set_seek(const struct key_set *set, struct str key)
{
    size_t lo = 0, hi = set->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (str_cmp(set->keys[mid], key) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Meets a set with a list, each skipping to where the other is: 1, or 0 where that takes too many
 * steps or finds too many keys. */
static int add_set(struct exec *x, struct clause *c, size_t *cap, const struct key_range *k,
                   struct str hi, struct err *err)
{
    size_t at = 0, found = c->n_ranges;

    for (size_t steps = 0; at < k->set->n; steps++) {
        struct str lo = scan_prefix(x->tmp, k->param, k->set->keys[at]), key;
        struct range range = {.is_point = true, .lossy = k->lossy};
        int r = lo.p ? scan_first(x, lo, hi, &key, err) : err_no_memory(err);

        if (r <= 0)
            return r < 0 ? r : 1;
        at = set_seek(k->set, str_from(key, 2));
        if (at == k->set->n)
            return 1;
        if (!str_eq(k->set->keys[at], str_from(key, 2)))
            continue;
        if (steps >= search_limits.terms || c->n_ranges - found >= search_limits.ranges) {
            c->n_ranges = found;
            return 0;
        }
        range.lo = key;
        if ((r = clause_add_range(x, c, cap, range, err)) < 0)
            return r;
        at++;
    }
    return 1;
}

static int add_keys(struct exec *x, struct clause *c, size_t *cap, const struct key_range *k,
                    struct err *err)
{
    struct range range = {
        .is_point = k->point, .lossy = k->lossy, .filter = k->filtered ? k : NULL};

    if (k->head)
        range.head = (uint8_t)(2 + k->head);

    c->names_type &= k->param < INDEX_PARAM_COMPARTMENT;
    range.lo = scan_prefix(x->tmp, k->param, k->lo);
    if (range.lo.p && k->hi.p)
        range.hi = scan_prefix(x->tmp, k->param, k->hi);
    else if (range.lo.p)
        range.hi = scan_after(x->tmp, str_head(range.lo, 2));
    if (!range.lo.p || !range.hi.p)
        return err_no_memory(err);
    if (k->set) {
        int r = add_set(x, c, cap, k, range.hi, err);
        if (r)
            return MIN(r, 0);
    }
    if (k->terms)
        return add_terms(x, c, cap, k, range.lo, range.hi, err);
    if (k->groups)
        return add_groups(x, c, cap, k, range.lo, range.hi, err);
    if (range.is_point && range.filter) {
        enum key_answer answer = search_key(k, k->lo);
        if (answer == KEY_NO)
            return 0;
        range.lossy |= answer == KEY_ASK;
        range.filter = NULL;
    }
    return clause_add_range(x, c, cap, range, err);
}

/* Whether the list of who contains something of a type is empty, as it mostly is. */
static int is_empty(struct exec *x, const struct range *range, struct err *err)
{
    unsigned list = (unsigned char)range->lo.p[0] * 256u + (unsigned char)range->lo.p[1];
    uint64_t row;
    int r;

    if (list < INDEX_PARAM_CONTAINED || list > INDEX_PARAM_CONTAINED + DEF_RESOURCE_MAX)
        return 0;
    r = scan_rows(x, range, 0, ROW_MAX, false, &row, 1, err);
    return r < 0 ? r : r == 0;
}

static int prepare_keys(struct exec *x, struct clause *c, struct err *err)
{
    size_t cap = 0;
    int r = 0;

    c->names_type = true;
    for (size_t i = 0; i < c->of->n_ranges && r == 0 && !c->is_opaque; i++)
        r = add_keys(x, c, &cap, &c->of->ranges[i], err);
    if (r == 0 && c->is_opaque && c->of->n_subs) {
        *c = (struct clause){.of = c->of, .negate = c->negate};
        return tree_prepare(x, c, err);
    }
    if (r == 0 && c->n_ranges == 1 && (r = is_empty(x, &c->ranges[0], err)) > 0)
        c->n_ranges = 0;
    r = MIN(r, 0);
    c->is_points = c->is_blocks = !c->is_opaque;
    for (size_t i = 0; i < c->n_ranges; i++) {
        c->is_points &= c->ranges[i].is_point;
        c->is_blocks &= c->ranges[i].is_point || c->ranges[i].head;
        c->lossy |= c->ranges[i].lossy;
    }
    c->is_blocks &= !c->is_points;
    c->how = c->n_ranges > PROBES_MAX ? HOW_BODY
             : c->is_points           ? HOW_PROBE
             : c->is_blocks           ? HOW_BLOCK
                                      : HOW_BODY;
    /* Nothing to look for: the set of all matches is known, and empty. */
    if (!c->n_ranges && !c->is_opaque)
        c->how = HOW_SET;
    return r;
}

static int prepare_ids(struct exec *x, struct clause *c, struct err *err)
{
    const struct search *s = x->s;
    int r = 0;

    c->how = HOW_SET;
    c->names_type = true;
    for (size_t i = 0; i < c->of->n_ids; i++) {
        int first = s->type ? s->type : 1, last = s->type ? s->type : DEF_RESOURCE_MAX;

        if (c->of->ids[i].n > FHIR_ID_MAX)
            continue;
        for (int type = first; type <= last && r == 0; type++) {
            uint64_t row;
            r = exec_live(x, type, c->of->ids[i], &row, err);
            if (r == 0 && row >= x->lo && row <= x->hi)
                r = rowset_add(&c->set, x->tmp, row, x->newest, err);
        }
    }
    rowset_sort(&c->set);
    return r;
}

/* Times become row numbers; one span that must hold simply bounds the search. */
static int prepare_updated(struct exec *x, struct clause *c, bool nested, struct err *err)
{
    c->how = HOW_SPANS;
    c->spans = ARENA_ARRAY(x->tmp, struct row_span, c->of->n_spans);
    if (!c->spans)
        return err_no_memory(err);
    for (size_t i = 0; i < c->of->n_spans; i++) {
        struct row_span *span = &c->spans[i];
        int r = x->ops->row_at(x->t, c->of->spans[i].from_ms, &span->from, err);

        if (r < 0 || (r = x->ops->row_at(x->t, c->of->spans[i].to_ms, &span->to, err)) < 0 ||
            (r = exec_charge(x, 4 * COST_PROBE, err)) < 0)
            return r;
    }
    c->n_spans = c->of->n_spans;
    if (c->n_spans != 1 || c->negate || nested)
        return 0;
    c->is_bounds = true;
    x->lo = MAX(x->lo, c->spans[0].from);
    x->hi = MIN(x->hi, c->spans[0].to ? c->spans[0].to - 1 : 0);
    return 0;
}

static int prepare_types(struct exec *x, struct err *err)
{
    const struct search *s = x->s;
    size_t n = s->type ? 1 : s->n_types;

    x->types = (struct clause){.how = HOW_PROBE, .is_points = true, .names_type = true};
    x->types.ranges = ARENA_ARRAY(x->tmp, struct range, n);
    if (!x->types.ranges)
        return err_no_memory(err);
    for (size_t i = 0; i < n; i++) {
        int type = s->type ? s->type : s->types[i];
        struct range *range = &x->types.ranges[i];

        range->is_point = true;
        range->lo = scan_prefix(x->tmp, (uint16_t)(INDEX_PARAM_TYPE + type), STR(""));
        if (!range->lo.p)
            return err_no_memory(err);
    }
    x->types.n_ranges = n;
    return 0;
}

int clause_prepare(struct exec *x, const struct search_clause *of, bool nested, struct clause *c,
                   struct err *err)
{
    *c = (struct clause){.of = of, .negate = of->negate};
    switch (of->kind) {
    case CLAUSE_KEYS: return prepare_keys(x, c, err);
    case CLAUSE_ID: return prepare_ids(x, c, err);
    case CLAUSE_UPDATED: return prepare_updated(x, c, nested, err);
    case CLAUSE_ALL:
    case CLAUSE_ANY: return tree_prepare(x, c, err);
    case CLAUSE_CHAIN:
    case CLAUSE_HAS: return link_prepare(x, c, err);
    case CLAUSE_NONE: break;
    }
    c->how = HOW_SET;
    c->names_type = true;
    return 0;
}

/* The one key that every row of a clause has, whichever of its lists it stands in. */
static const struct str *common_key(const struct clause *c)
{
    const struct range *first = c->ranges;

    if (c->negate || c->is_opaque || !c->is_points || c->n_ranges == 0)
        return NULL;
    for (size_t i = 1; i < c->n_ranges; i++)
        if (!str_eq(str_from(c->ranges[i].lo, 2), str_from(first->lo, 2)))
            return NULL;
    return &first->lo;
}

/* Whether a key leads to a patient: as a reference, or by the compartment. */
static bool is_of_patient(const struct clause *c, struct str key)
{
    unsigned list = (unsigned)((unsigned char)key.p[0] << 8 | (unsigned char)key.p[1]);
    const struct param *param = c->of->param;

    if (list == INDEX_PARAM_COMPARTMENT + COMPARTMENT_PATIENT)
        return true;
    return param && param->def.kind == PARAM_REFERENCE && key.n > 2 &&
           (unsigned char)key.p[2] == def_compartment_type(COMPARTMENT_PATIENT);
}

/* Where every match is of one patient, a backend of several places looks in that one's. */
static void find_within(struct exec *x)
{
    for (size_t i = 0; i < x->n_clauses && !x->within; i++) {
        const struct str *key = common_key(&x->clauses[i]);

        if (key && is_of_patient(&x->clauses[i], *key))
            x->within = key;
    }
}

/* Where only some rows of the type can be seen, their list may drive the search. */
static void add_reach(struct exec *x)
{
    static const struct search_clause of = {.kind = CLAUSE_NONE};
    const struct sight *sight = x->t->sight;
    const struct sight_rows *rows = sight && x->s->type ? sight_reach(sight, x->s->type) : NULL;

    if (rows)
        x->clauses[x->n_clauses++] = (struct clause){
            .of = &of,
            .how = HOW_SET,
            .names_type = true,
            .is_reach = true,
            .set = {.v = (uint64_t *)(uintptr_t)rows->v, .n = rows->n},
        };
}

int clauses_prepare(struct exec *x, struct err *err)
{
    const struct search *s = x->s;
    int r = prepare_types(x, err);

    x->clauses = ARENA_ARRAY(x->tmp, struct clause, s->n_clauses + 1);
    if (!x->clauses)
        return err_no_memory(err);
    x->n_clauses = s->n_clauses;
    /* Bounds first: the others read less inside them. */
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < s->n_clauses && r == 0; i++)
            if ((s->clauses[i].kind == CLAUSE_UPDATED) == (pass == 0))
                r = clause_prepare(x, &s->clauses[i], false, &x->clauses[i], err);
    if (r == 0)
        find_within(x);
    add_reach(x);
    return r;
}

int span_bounds(struct arena *a, const struct param_span *span, struct str *ret_lo,
                struct str *ret_hi, struct err *err)
{
    struct str of_type = str_n((const char *)&span->type, span->type ? 1 : 0);
    struct str lo = scan_prefix(a, span->list, of_type);
    struct str hi = lo.p ? scan_after(a, lo) : STR_NULL;

    if (!hi.p)
        return err_no_memory(err);
    *ret_lo = lo;
    *ret_hi = hi;
    return 0;
}

int clause_of_param(struct exec *x, const struct param *param, struct clause *ret, struct err *err)
{
    struct range *ranges = ARENA_ARRAY(x->tmp, struct range, param->n_spans);
    int r = ranges ? 0 : err_no_memory(err);

    for (size_t i = 0; i < param->n_spans && r == 0; i++)
        r = span_bounds(x->tmp, &param->spans[i], &ranges[i].lo, &ranges[i].hi, err);
    if (r < 0)
        return r;
    *ret = (struct clause){
        .how = HOW_BODY, .ranges = ranges, .n_ranges = param->n_spans, .names_type = true};
    return 0;
}

bool clause_may_drive(const struct clause *c)
{
    if (c->negate || c->is_opaque || c->is_bounds || c->how == HOW_SPANS)
        return false;
    return c->how != HOW_TREE || tree_may_drive(c);
}

/* ---- testing ---- */

int clause_collect(struct exec *x, struct clause *c, size_t limit, struct err *err)
{
    size_t seen = 0;

    if (c->is_opaque)
        return 0;
    if (c->how == HOW_SET)
        return 1;
    if (c->how == HOW_TREE)
        return tree_collect(x, c, limit, err);
    if (c->how == HOW_LINK && !c->is_points)
        return link_collect(x, c, limit, err);
    x->asked = false;
    c->set.n = 0;
    if (c->set.bits)
        memset(c->set.bits, 0, (c->set.max / 64 + 1) * sizeof *c->set.bits);
    for (size_t i = 0; i < c->n_ranges; i++) {
        size_t n = 0;
        int r = scan_collect(x, &c->ranges[i], limit ? limit - seen : SIZE_MAX, &c->set, &n, err);

        if (r < 0)
            return r;
        seen += n;
        if (limit && seen >= limit)
            return 0;
    }
    rowset_sort(&c->set);
    c->how = HOW_SET;
    c->lossy |= x->asked;
    return 1;
}

static int test_body(struct exec *x, struct clause *c, uint64_t row, bool *ret, struct err *err)
{
    yyjson_val *root;
    struct str key;
    int r;

    if (c->absent) {
        if ((r = exec_sort_key(x, row, c->absent, &key, err)) == 0)
            *ret = !key.p;
        return r;
    }
    if ((r = exec_body(x, row, &root, err)) < 0)
        return r;
    return search_match(&x->body, x->s, c->of, root, ret, err);
}

/* Looking at bodies is right for a few candidates. When it has cost as much as reading the clause's
 * ranges up to some limit would, the ranges are read up to that limit. */
static int test_adaptive(struct exec *x, struct clause *c, uint64_t row, bool *ret, struct err *err)
{
    const struct search_limits *l = &search_limits;
    int r;

    c->bodies_tested++;
    for (size_t i = 0; i < ARRAY_LEN(l->bodies); i++) {
        if (c->bodies_tested != l->bodies[i])
            continue;
        if ((r = clause_collect(x, c, l->reads[i], err)) < 0)
            return r;
        if (r > 0 && !c->negate)
            x->better = c;
    }
    return test_body(x, c, row, ret, err);
}

/* What the ranges have in the block of a row that is tested. */
static int block_read(struct exec *x, struct clause *c, struct err *err)
{
    struct block *b = &c->block;
    uint64_t block;
    size_t n;
    int r = 0;

    b->rows.n = 0;
    for (size_t i = 0; i < c->n_ranges && r >= 0; i++)
        if (c->ranges[i].head)
            r = block_next(x, &c->ranges[i], b->number, b->number, false, SIZE_MAX, &b->rows,
                           &block, &n, err);
    if (r < 0)
        return r;
    b->set = (struct rowset){.v = b->rows.v, .n = b->rows.n};
    rowset_sort(&b->set);
    b->is_read = true;
    return 0;
}

/* Whether the row's block is worth reading, which it is when several rows of it are asked for. */
static bool block_opens(struct clause *c, uint64_t row)
{
    struct block *b = &c->block;

    if (!b->is_open || b->number != block_of(row)) {
        b->number = block_of(row);
        b->is_open = true;
        b->is_read = false;
        b->asked = 0;
    }
    return b->is_read || b->asked++ >= BLOCK_ASKS;
}

static int test_block(struct exec *x, struct clause *c, uint64_t row, bool *ret, struct err *err)
{
    int r = c->block.is_read ? 0 : block_read(x, c, err);

    *ret = r == 0 && rowset_has(&c->block.set, row);
    for (size_t i = 0; i < c->n_ranges && r >= 0 && !*ret; i++)
        if (c->ranges[i].is_point)
            *ret = (r = scan_has(x, &c->ranges[i], row, err)) > 0;
    return MIN(r, 0);
}

static int test_points(struct exec *x, const struct clause *c, uint64_t row, bool *ret,
                       uint64_t *ret_hint, struct err *err)
{
    uint64_t nearest = x->desc ? 0 : UINT64_MAX;

    *ret = false;
    for (size_t i = 0; i < c->n_ranges && !*ret && !ret_hint; i++) {
        int r = scan_has(x, &c->ranges[i], row, err);

        if (r < 0)
            return r;
        *ret = r > 0;
    }
    if (!ret_hint)
        return 0;
    for (size_t i = 0; i < c->n_ranges && !*ret; i++) {
        uint64_t found;
        int r = scan_seek(x, &c->ranges[i], row, x->desc, &found, err);

        if (r < 0)
            return r;
        *ret = found == row;
        if (x->desc)
            nearest = MAX(nearest, found);
        else if (found)
            nearest = MIN(nearest, found);
    }
    if (!*ret && !c->negate)
        *ret_hint = x->desc ? MAX(nearest, (uint64_t)1) : MIN(nearest, ROW_MAX);
    return 0;
}

int clause_check(struct exec *x, struct clause *c, uint64_t row, bool *ret, struct err *err)
{
    bool in = false;
    int r;

    if (!c->link && !c->subs)
        return test_body(x, c, row, ret, err);
    r = c->link ? link_test(x, c, row, &in, err) : tree_test(x, c, row, &in, err);
    *ret = in != c->negate;
    return r;
}

int clause_test(struct exec *x, struct clause *c, uint64_t row, bool *ret, uint64_t *ret_hint,
                struct err *err)
{
    bool in = false;
    int r = 0;

    switch (c->how) {
    case HOW_BODY: return test_adaptive(x, c, row, ret, err);
    case HOW_LINK:
    case HOW_TREE: return clause_check(x, c, row, ret, err);
    case HOW_SET: in = rowset_has(&c->set, row); break;
    case HOW_PROBE: r = test_points(x, c, row, &in, ret_hint, err); break;
    case HOW_BLOCK:
        if (!block_opens(c, row))
            return test_adaptive(x, c, row, ret, err);
        r = test_block(x, c, row, &in, err);
        break;
    case HOW_SPANS:
        for (size_t i = 0; i < c->n_spans; i++)
            in |= row >= c->spans[i].from && row < c->spans[i].to;
        break;
    }
    if (r < 0)
        return r;
    if (in && c->lossy)
        return clause_check(x, c, row, ret, err);
    *ret = in != c->negate;
    return 0;
}

/* With many types a look at the version is cheaper than a probe for each. */
static int test_types(struct exec *x, uint64_t row, bool *ret, uint64_t *ret_hint, struct err *err)
{
    int r, type;

    if (x->types.n_ranges <= 1)
        return clause_test(x, &x->types, row, ret, ret_hint, err);
    if ((r = x->ops->identity(x->t, row, &type, NULL, NULL, err)) < 0)
        return r;
    *ret = false;
    for (size_t i = 0; i < x->s->n_types; i++)
        *ret |= x->s->types[i] == type;
    return exec_charge(x, COST_PROBE, err);
}

/* In which of three rounds a clause is asked: what the index can say first, then what needs bodies,
 * then what needs other resources. */
static int round_of(const struct clause *c)
{
    switch (c->how) {
    case HOW_BLOCK:
    case HOW_BODY: return 1;
    case HOW_LINK:
    case HOW_TREE: return 2;
    default: return 0;
    }
}

int exec_test(struct exec *x, const struct clause *driver, uint64_t row, bool *ret,
              uint64_t *ret_hint, struct err *err)
{
    bool names_type = driver == &x->types || (driver && x->s->type && driver->names_type);
    int r = exec_may_see(x, row, ret, err);

    if (ret_hint)
        *ret_hint = 0;
    if (r == 0 && *ret && x->types.n_ranges && !names_type)
        r = test_types(x, row, ret, ret_hint, err);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < x->n_clauses && r == 0 && *ret; i++) {
            struct clause *c = &x->clauses[i];

            if (round_of(c) != round || c->is_bounds || c == driver)
                continue;
            r = clause_test(x, c, row, ret, ret_hint, err);
        }
    }
    for (size_t i = 0; i < x->n_clauses && r == 0 && *ret; i++)
        if (&x->clauses[i] == driver && driver->lossy)
            r = clause_check(x, &x->clauses[i], row, ret, err);
    return r;
}
