/* op_lastn.c - Observation/$lastn: the last observations of each code
 * (observation-operation-lastn.html).
 *
 * Codes are grouped as the definition says: two observations that share a coding (system and code)
 * are of one group, and so on from there; those with a text alone go by the text. All matches are
 * read once, bounded, because a group is known only when its last member was seen.
 */
#include "api/bundle_out.h"
#include "api/op.h"

#include "fhir/date.h"

#include <stdlib.h>

#define LASTN_ROWS_MAX 10000 /* observations that one answer is chosen from */
#define LASTN_PAGE STR("_count=1000&_total=none")
#define LASTN_MAX 10000

/* A coding or text that names a group. */
struct name {
    struct str system, code;
    bool is_text;
    size_t group;
};

struct seen {
    uint64_t row;
    int64_t at_ms; /* INT64_MIN: no time */
    size_t group;
};

struct lastn {
    struct call *c;
    struct store_txn *txn;
    struct arena scratch;
    struct seen *rows;
    size_t n_rows;
    struct name *names;
    size_t n_names, names_cap;
    size_t *parent; /* of each group: groups that turned out to be one point to it */
    size_t n_groups;
};

/* ---- groups ---- */

static size_t find(struct lastn *l, size_t group)
{
    while (l->parent[group] != group)
        group = l->parent[group] = l->parent[l->parent[group]];
    return group;
}

static int add_name(struct lastn *l, struct str system, struct str code, bool is_text, size_t group)
{
    struct arena *a = l->c->a;

    if (l->n_names == l->names_cap) {
        size_t cap = l->names_cap ? l->names_cap * 2 : 64;
        struct name *v = arena_grow(a, l->names, l->names_cap * sizeof *v, cap * sizeof *v);
        if (!v)
            return err_no_memory(&l->c->err);
        l->names = v;
        l->names_cap = cap;
    }
    system = system.p ? arena_dup(a, system) : STR("");
    code = arena_dup(a, code);
    if (!system.p || !code.p)
        return err_no_memory(&l->c->err);
    l->names[l->n_names++] = (struct name){system, code, is_text, group};
    return 0;
}

/* Puts `group` (its own, so far) together with who has the same name. */
static int join(struct lastn *l, struct str system, struct str code, bool is_text, size_t group)
{
    if (!code.n)
        return 0;
    for (size_t i = 0; i < l->n_names; i++)
        if (l->names[i].is_text == is_text && str_eq(l->names[i].code, code) &&
            str_eq(l->names[i].system, system)) {
            l->parent[find(l, group)] = find(l, l->names[i].group);
            return 0;
        }
    return add_name(l, system, code, is_text, group);
}

static int name_group(struct lastn *l, yyjson_val *code, size_t group)
{
    yyjson_val *codings = js_get(code, "coding"), *v;
    size_t i, max, n_codes = 0;
    int r = 0;

    yyjson_arr_foreach(codings, i, max, v) {
        n_codes += js_get_str(v, "code").n > 0;
        if ((r = join(l, js_get_str(v, "system"), js_get_str(v, "code"), false, group)) < 0)
            return r;
    }
    return n_codes ? 0 : join(l, STR(""), js_get_str(code, "text"), true, group);
}

/* ---- rows ---- */

/* When it was observed: the start of an instant, the end of a period. */
static int64_t time_of(struct lastn *l, yyjson_val *root)
{
    static const char *const names[] = {"effectiveDateTime", "effectiveInstant"};
    int tz = store_index_options(l->c->api->store)->tz_minutes;
    yyjson_val *period = js_get(root, "effectivePeriod");
    struct str text = STR_NULL;
    struct date date;

    for (size_t i = 0; i < ARRAY_LEN(names) && !text.n; i++)
        text = js_get_str(root, names[i]);
    if (text.n)
        return date_parse(DATE_DATETIME, text, tz, &date, NULL) < 0 ? INT64_MIN : date.from_ms;
    text = js_get_str(period, "end");
    if (text.n)
        return date_parse(DATE_DATETIME, text, tz, &date, NULL) < 0 ? INT64_MIN : date.to_ms;
    text = js_get_str(period, "start");
    return !text.n || date_parse(DATE_DATETIME, text, tz, &date, NULL) < 0 ? INT64_MIN
                                                                           : date.from_ms;
}

static int take(struct lastn *l, uint64_t number)
{
    struct call *c = l->c;
    struct seen *seen = &l->rows[l->n_rows];
    yyjson_val *root;
    struct row row;
    int r = store_get_row(l->txn, number, &row, &c->err);

    arena_reset(&l->scratch);
    if (r < 0 || (r = op_json_in(c, &l->scratch, &row, &root)) < 0)
        return r;
    l->parent[l->n_groups] = l->n_groups;
    *seen = (struct seen){number, time_of(l, root), l->n_groups++};
    l->n_rows++;
    return name_group(l, js_get(root, "code"), seen->group);
}

static int take_all(struct lastn *l, struct str query)
{
    struct call *c = l->c;
    struct page page = {.next = STR("")};
    int r = 0;

    l->rows = ARENA_ARRAY(c->a, struct seen, LASTN_ROWS_MAX);
    l->parent = ARENA_ARRAY(c->a, size_t, LASTN_ROWS_MAX);
    if (!l->rows || !l->parent)
        return err_no_memory(&c->err);
    while (page.next.p && r >= 0) {
        struct str one = arena_fmt(c->a, "%.*s&%.*s%s%.*s", STR_ARG(query), STR_ARG(LASTN_PAGE),
                                   page.next.n ? "&_cursor=" : "", STR_ARG(page.next));
        r = one.p ? op_search(c, l->txn, c->type, one, 1, &page) : err_no_memory(&c->err);
        if (r >= 0 && l->n_rows + page.n > LASTN_ROWS_MAX)
            return err_set(&c->err, ERR_COSTLY,
                           "more than %d observations match: narrow the search", LASTN_ROWS_MAX);
        for (size_t i = 0; i < page.n && r >= 0; i++)
            r = take(l, page.rows[i]);
    }
    return r;
}

/* Newest first; of one time, by row: the order is the same each time. */
static int newest_first(const void *x, const void *y)
{
    const struct seen *a = x, *b = y;

    if (a->at_ms != b->at_ms)
        return a->at_ms > b->at_ms ? -1 : 1;
    return a->row > b->row ? -1 : a->row < b->row;
}

/* Keeps the first `max` of each group, and those of the same time as the last of them. */
static int choose(struct lastn *l, uint64_t max)
{
    struct {
        size_t n;
        int64_t last_ms;
    } *groups = arena_calloc(l->c->a, l->n_groups, sizeof *groups);
    size_t kept = 0;

    if (!groups)
        return err_no_memory(&l->c->err);
    if (l->n_rows)
        qsort(l->rows, l->n_rows, sizeof *l->rows, newest_first);
    for (size_t i = 0; i < l->n_rows; i++) {
        size_t group = find(l, l->rows[i].group);
        if (groups[group].n >= max && l->rows[i].at_ms != groups[group].last_ms)
            continue;
        groups[group].n++;
        groups[group].last_ms = l->rows[i].at_ms;
        l->rows[kept++] = l->rows[i];
    }
    l->n_rows = kept;
    return 0;
}

/* ---- what is asked ---- */

static bool is_one_of(struct str name, const char *names)
{
    struct str rest = str_c(names), one;

    while (rest.p && str_split(&rest, ' ', &one))
        if (str_eq(name, one))
            return true;
    return false;
}

/* Everything but `max` is a search parameter. */
static int read_params(struct lastn *l, struct sb *query, uint64_t *ret_max)
{
    struct call *c = l->c;
    bool has_subject = false, has_code = false;
    struct op_params params;
    int r = op_params_read(c, &params);

    if (r < 0 || (r = op_param_u64(c, &params, "max", LASTN_MAX, 1, ret_max)) < 0)
        return r;
    if (*ret_max == 0)
        return err_at(&c->err, ERR_VALUE, "max", "max is not a positive number");
    for (size_t i = 0; i < params.n; i++) {
        struct str name = params.v[i].name, base;
        ptrdiff_t end = str_find(name, ':');
        if (is_one_of(name, "max"))
            continue;
        if (is_one_of(name, "_count _sort _total _cursor _include _revinclude"))
            return err_set(&c->err, ERR_NOT_SUPPORTED, "$lastn has no parameter \"%.*s\"",
                           STR_ARG(name));
        base = end < 0 ? name : str_head(name, (size_t)end);
        has_subject |= is_one_of(base, "subject patient");
        has_code |= is_one_of(base, "category code combo-code code-value-concept "
                                    "code-value-quantity code-value-string code-value-date "
                                    "component-code");
        sb_str(query, query->n ? STR("&") : STR(""));
        sb_uri(query, name);
        sb_char(query, '=');
        sb_uri(query, params.v[i].text.p ? params.v[i].text : STR(""));
    }
    if (!has_subject || !has_code)
        return err_set(&c->err, ERR_REQUIRED,
                       "$lastn needs a patient or subject, and a category or code");
    return sb_ok(query, &c->err);
}

static int write_bundle(struct lastn *l, struct str query, uint64_t max)
{
    struct call *c = l->c;
    struct str self = arena_fmt(c->a, "%.*s&max=%llu", STR_ARG(query), (unsigned long long)max);
    struct bundle_out b;
    int r = 0;

    bundle_begin(&b, c, "searchset", (int64_t)l->n_rows);
    bundle_link(&b, "self", STR("Observation/$lastn"), self, STR_NULL);
    bundle_entries(&b);
    for (size_t i = 0; i < l->n_rows && r >= 0; i++) {
        struct row row;
        r = store_get_row(l->txn, l->rows[i].row, &row, &c->err);
        if (r < 0)
            break;
        bundle_entry(&b, row.type, row.id);
        sb_lit(&c->out, ",\"resource\":");
        r = call_write_whole(c, &row, &c->out);
        sb_lit(&c->out, ",\"search\":{\"mode\":\"match\"}}");
    }
    bundle_end(&b);
    c->status = 200;
    return r < 0 ? r : sb_ok(&c->out, &c->err);
}

static int run(struct lastn *l)
{
    _cleanup_(sb_done) struct sb query = sb_make(KIB(64));
    uint64_t max;
    int r;

    if ((r = read_params(l, &query, &max)) < 0 || (r = take_all(l, sb_view(&query))) < 0 ||
        (r = choose(l, max)) < 0)
        return r;
    return write_bundle(l, sb_view(&query), max);
}

int op_lastn(struct call *c, struct store_txn *txn)
{
    struct lastn l = {.c = c, .txn = txn};
    int r;

    arena_init(&l.scratch, HTTP_ARENA_MAX);
    r = run(&l);
    arena_done(&l.scratch);
    return r;
}
