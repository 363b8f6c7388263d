#include "search_engine.h"

#include "base/sb.h"
#include "fhir/date.h"

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_ASK };

void engine_init(struct engine *e)
{
    struct err err = {0};

    *e = (struct engine){0};
    arena_init(&e->a, MIB(512));
    arena_init(&e->scratch, MIB(64));
    e->params = params_base(&err);
    if (!e->params)
        fail_msg("%s", err.text);
}

void engine_done(struct engine *e)
{
    params_unref(e->params);
    arena_done(&e->a);
    arena_done(&e->scratch);
    free(e->rows);
    free(e->keys);
}

static void add_key(struct engine *e, const struct index_entry *entry, uint32_t row)
{
    if (e->n_keys == e->cap_keys) {
        e->cap_keys = e->cap_keys ? e->cap_keys * 2 : 1024;
        e->keys = realloc(e->keys, e->cap_keys * sizeof *e->keys);
        assert_non_null(e->keys);
    }
    e->keys[e->n_keys++] = (struct engine_key){entry->param, entry->shared, entry->shared ? 0 : row,
                                               str_n((const char *)entry->key, entry->key_n)};
}

void engine_add(struct engine *e, struct str json)
{
    struct err err = {0};
    struct index x;
    yyjson_val *root;
    int type;

    if (js_parse(&e->a, json, &root, &err) < 0)
        fail_msg("%s: %.*s", err.text, STR_ARG(json));
    type = def_resource(js_get_str(root, "resourceType"));
    if (index_extract(&e->a, e->params, &e->opt.index, type, root, &x, &err) < 0)
        fail_msg("%s: %.*s", err.text, STR_ARG(js_get_str(root, "id")));
    if (e->n_rows == e->cap_rows) {
        e->cap_rows = e->cap_rows ? e->cap_rows * 2 : 64;
        e->rows = realloc(e->rows, e->cap_rows * sizeof *e->rows);
        assert_non_null(e->rows);
    }
    for (size_t i = 0; i < x.n_entries; i++)
        add_key(e, &x.entries[i], (uint32_t)e->n_rows);
    e->rows[e->n_rows++] = (struct engine_row){type, js_get_str(root, "id"), root};
    e->sorted = false;
}

static int key_cmp(const void *a, const void *b)
{
    const struct engine_key *x = a, *y = b;
    int c;

    if (x->shared != y->shared)
        return x->shared - y->shared;
    if (x->param != y->param)
        return x->param < y->param ? -1 : 1;
    c = str_cmp(x->key, y->key);
    return c ? c : x->row < y->row ? -1 : x->row > y->row;
}

/* Place of the first key >= (shared, param, key). */
static size_t seek(const struct engine *e, bool shared, uint16_t param, struct str key)
{
    const struct engine_key want = {param, shared, 0, key};
    size_t lo = 0, hi = e->n_keys;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (key_cmp(&e->keys[mid], &want) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static bool in_list(const struct engine *e, size_t i, bool shared, uint16_t param)
{
    return i < e->n_keys && e->keys[i].shared == shared && e->keys[i].param == param;
}

static void mark(const struct engine *e, const struct key_range *r, size_t i, enum answer *to)
{
    enum answer one = r->lossy ? ANSWER_ASK : ANSWER_YES;

    if (r->filtered) {
        enum key_answer k = search_key(r, e->keys[i].key);
        if (k == KEY_NO)
            return;
        if (k == KEY_ASK)
            one = ANSWER_ASK;
    }
    if (to[e->keys[i].row] != ANSWER_YES)
        to[e->keys[i].row] = one;
}

static void run_plain(const struct engine *e, const struct key_range *r, enum answer *to)
{
    for (size_t i = seek(e, false, r->param, r->lo); in_list(e, i, false, r->param); i++) {
        if (r->hi.p && str_cmp(e->keys[i].key, r->hi) >= 0)
            break;
        if (r->point)
            assert_true(str_eq(e->keys[i].key, r->lo));
        mark(e, r, i, to);
    }
}

static void run_groups(struct engine *e, const struct key_range *r, enum answer *to)
{
    size_t i = seek(e, false, r->param, r->lo);

    while (in_list(e, i, false, r->param)) {
        size_t n = search_group(r, e->keys[i].key), n_inside;
        struct str group = str_head(e->keys[i].key, n);
        struct key_range *inside;
        struct err err;
        if (!n || (r->hi.p && str_cmp(e->keys[i].key, r->hi) >= 0))
            break;
        assert_int_equal(search_group_ranges(r, group, &e->scratch, &inside, &n_inside, &err), 0);
        for (size_t k = 0; k < n_inside; k++) {
            if (inside[k].groups)
                run_groups(e, &inside[k], to);
            else
                run_plain(e, &inside[k], to);
        }
        while (in_list(e, i, false, r->param) && str_starts(e->keys[i].key, group))
            i++;
    }
}

static void run_terms(const struct engine *e, const struct key_range *r, enum answer *to)
{
    for (size_t i = seek(e, true, r->param, r->lo); in_list(e, i, true, r->param); i++) {
        struct key_range point = {.param = r->param, .lossy = true, .point = true};
        ptrdiff_t end = str_find(e->keys[i].key, '\0');
        char hi[INDEX_KEY_MAX + 1];
        if (r->hi.p && str_cmp(e->keys[i].key, r->hi) >= 0)
            break;
        assert_true(end >= 0);
        point.lo = str_from(e->keys[i].key, (size_t)end + 1);
        memcpy(hi, point.lo.p, point.lo.n);
        hi[point.lo.n] = '\0';
        point.hi = str_n(hi, point.lo.n + 1);
        run_plain(e, &point, to);
    }
}

static enum answer from_ranges(const struct search_clause *c, enum answer got)
{
    return c->negate && got != ANSWER_ASK ? (got == ANSWER_YES ? ANSWER_NO : ANSWER_YES) : got;
}

static bool keys_clause(struct engine *e, const struct search *s, const struct search_clause *c,
                        const enum answer *got, size_t row, struct str query)
{
    enum answer ranges = from_ranges(c, got[row]);
    struct err err;
    bool match;

    if (search_match(&e->scratch, s, c, e->rows[row].root, &match, &err) < 0)
        fail_msg("%.*s: %s", STR_ARG(query), err.text);
    if (ranges != ANSWER_ASK && match != (ranges == ANSWER_YES))
        fail_msg("%.*s: the keys say %s, the resource %.*s/%.*s says %s", STR_ARG(query),
                 ranges == ANSWER_YES ? "yes" : "no", STR_ARG(def_resource_name(e->rows[row].type)),
                 STR_ARG(e->rows[row].id), match ? "yes" : "no");
    *(ranges == ANSWER_ASK ? &e->rows_asked : &e->rows_exact) += 1;
    return match;
}

static bool row_clause(const struct engine *e, const struct search_clause *c, size_t row)
{
    struct str updated = js_get_str(js_get(e->rows[row].root, "meta"), "lastUpdated");
    struct date d;

    for (size_t i = 0; i < c->n_ids; i++)
        if (str_eq(c->ids[i], e->rows[row].id))
            return true;
    if (c->kind != CLAUSE_UPDATED || date_parse(DATE_INSTANT, updated, 0, &d, NULL) < 0)
        return false;
    for (size_t i = 0; i < c->n_spans; i++)
        if (c->spans[i].from_ms <= d.from_ms && d.from_ms < c->spans[i].to_ms)
            return true;
    return false;
}

static bool is_searched(const struct search *s, int type)
{
    if (s->type)
        return s->type == type;
    for (size_t i = 0; i < s->n_types; i++)
        if (s->types[i] == type)
            return true;
    return !s->n_types;
}

/* An AND or OR by its resource; its parts' keys are held against it by themselves. */
static bool tree_clause(struct engine *e, const struct search *s, const struct search_clause *c,
                        size_t row)
{
    struct err err;
    bool match;

    if (search_match(&e->scratch, s, c, e->rows[row].root, &match, &err) < 0)
        fail_msg("%s", err.text);
    return match;
}

static void run_clause(struct engine *e, const struct search *s, const struct search_clause *c,
                       struct str query, bool *hits);

static void run_parts(struct engine *e, const struct search *s, const struct search_clause *c,
                      struct str query)
{
    bool *ignored = calloc(e->n_rows + 1, sizeof *ignored);

    assert_non_null(ignored);
    for (size_t i = 0; i < c->n_subs; i++)
        run_clause(e, s, &c->subs[i], query, ignored);
    free(ignored);
}

static void run_clause(struct engine *e, const struct search *s, const struct search_clause *c,
                       struct str query, bool *hits)
{
    enum answer *got = calloc(e->n_rows + 1, sizeof *got);

    assert_non_null(got);
    run_parts(e, s, c, query);
    for (size_t i = 0; i < c->n_ranges; i++) {
        const struct key_range *r = &c->ranges[i];
        if (r->groups)
            run_groups(e, r, got);
        else if (r->terms)
            run_terms(e, r, got);
        else
            run_plain(e, r, got);
    }
    for (size_t row = 0; row < e->n_rows; row++) {
        if (!is_searched(s, e->rows[row].type))
            continue;
        if (c->subs)
            hits[row] = tree_clause(e, s, c, row) && hits[row];
        else if (c->kind == CLAUSE_KEYS)
            hits[row] = keys_clause(e, s, c, got, row, query) && hits[row];
        else
            hits[row] = hits[row] && row_clause(e, c, row);
    }
    free(got);
}

int engine_search(struct engine *e, int type, struct str query, bool *hits, struct err *err)
{
    struct search s;
    int r;

    if (!e->sorted && e->n_keys)
        qsort(e->keys, e->n_keys, sizeof *e->keys, key_cmp);
    e->sorted = true;
    e->searches++;
    r = search_parse(&e->scratch, e->params, &e->opt, type, query, &s, err);
    for (size_t row = 0; row < e->n_rows; row++)
        hits[row] = r == 0 && is_searched(&s, e->rows[row].type);
    for (size_t i = 0; r == 0 && i < s.n_clauses; i++)
        run_clause(e, &s, &s.clauses[i], query, hits);
    return r;
}

struct str engine_ids(struct engine *e, const char *type, const char *query)
{
    _cleanup_(sb_done) struct sb out = sb_make(KIB(64));
    bool *hits = calloc(e->n_rows + 1, sizeof *hits);
    struct err err = {0};
    struct str text;

    assert_non_null(hits);
    arena_reset(&e->scratch);
    if (engine_search(e, type ? def_resource(str_c(type)) : 0, str_c(query), hits, &err) < 0)
        sb_fmt(&out, "error: %s", err.text);
    for (size_t row = 0; row < e->n_rows; row++)
        if (hits[row])
            sb_fmt(&out, "%s%.*s", out.n ? " " : "", STR_ARG(e->rows[row].id));
    free(hits);
    text = arena_dup(&e->scratch, sb_view(&out));
    assert_non_null(text.p);
    return text;
}
