/* Every official example is found by each search parameter that it has a value for, and for each of
 * those searches keys and resources agree about all other examples of the type. */
#include "search_engine.h"

#include "base/clock.h"
#include "base/rng.h"
#include "base/sb.h"
#include "fhir/fold.h"
#include "fhir/params_int.h"
#include "fhir/value_int.h"

#include <zlib.h>

#define LINE_BYTES MIB(8)
#define QUERY_MAX KIB(16)
#define VALUES_EACH 3 /* of one parameter in one resource */

struct probe {
    struct engine *e;
    struct rng rng;
    size_t row;
    const struct param *param;
    bool *hits;
    size_t values, found, refused;
};

/* ---- building a query ---- */

/* Escapes as search asks for, then percent-encodes. */
static void put_value(struct sb *q, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (strchr("\\,|$", s.p[i]))
            sb_uri(q, STR("\\"));
        sb_uri(q, str_n(s.p + i, 1));
    }
}

static void name(const struct probe *p, struct sb *q, const char *modifier)
{
    sb_reset(q);
    sb_str(q, p->param->def.code);
    sb_fmt(q, "%s=", modifier);
}

/* Runs the query; `must`: the resource in hand has to be among the hits. */
static void run(struct probe *p, struct sb *q, bool must)
{
    const struct engine_row *row = &p->e->rows[p->row];
    struct err err = {0};
    int r;

    assert_int_equal(sb_ok(q, NULL), 0);
    arena_reset(&p->e->scratch);
    r = engine_search(p->e, row->type, sb_view(q), p->hits, &err);
    if (r < 0 && !must) {
        p->refused++;
        return;
    }
    if (r < 0)
        fail_msg("%.*s: %s", STR_ARG(sb_view(q)), err.text);
    if (must && !p->hits[p->row])
        fail_msg("%.*s/%.*s is not found by %.*s", STR_ARG(def_resource_name(row->type)),
                 STR_ARG(row->id), STR_ARG(sb_view(q)));
    p->found += must;
}

static const char *prefix(struct probe *p)
{
    static const char *const all[] = {"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"};
    return all[rng_below(&p->rng, ARRAY_LEN(all))];
}

/* ---- one kind after the other ---- */

static void coded(struct probe *p, struct sb *q, const struct value *v, const char *modifier)
{
    name(p, q, modifier);
    if (v->code.n) {
        put_value(q, v->code);
        run(p, q, true);
    }
    name(p, q, modifier);
    put_value(q, v->system);
    sb_lit(q, "%7C");
    put_value(q, v->code);
    if (v->system.n || v->code.n)
        run(p, q, true);
    name(p, q, modifier);
    put_value(q, v->system);
    sb_lit(q, "%7C");
    if (v->system.n)
        run(p, q, true);
}

static void token(struct probe *p, struct sb *q, const struct value *v)
{
    struct str text = v->text.n ? v->text : v->concept;

    coded(p, q, v, "");
    name(p, q, ":not");
    put_value(q, v->code);
    if (v->code.n)
        run(p, q, false);
    name(p, q, ":text");
    put_value(q, text);
    if (text.n && text.n < 1000)
        run(p, q, true);
}

/* A beginning or middle of the text, between two code points. */
static struct str piece(struct probe *p, struct str s, bool from_start)
{
    size_t from = from_start ? 0 : rng_below(&p->rng, s.n), to;

    while (from < s.n && ((unsigned char)s.p[from] & 0xc0) == 0x80)
        from++;
    to = from + rng_below(&p->rng, MIN(s.n - from, (size_t)60) + 1);
    while (to < s.n && ((unsigned char)s.p[to] & 0xc0) == 0x80)
        to++;
    return str_n(s.p + from, to - from);
}

static void string(struct probe *p, struct sb *q, const struct value *v)
{
    struct str some;

    name(p, q, ":exact");
    put_value(q, v->text);
    if (v->text.n < 1000)
        run(p, q, true);
    name(p, q, "");
    put_value(q, v->text);
    if (v->text.n < 1000)
        run(p, q, true);
    for (int i = 0; i < 4; i++) {
        some = piece(p, v->text, i < 2);
        name(p, q, i < 2 ? "" : ":contains");
        put_value(q, some);
        if (some.n)
            run(p, q, false);
    }
}

static void uri(struct probe *p, struct sb *q, const struct value *v)
{
    name(p, q, "");
    put_value(q, v->text);
    run(p, q, true);
}

static void local(struct probe *p, struct sb *q, const struct value *v)
{
    struct str type = def_resource_name(v->type);
    char modifier[100];
    bool allowed = !p->param->def.targets;

    for (const int *t = p->param->def.targets; t && *t; t++)
        allowed = allowed || *t == v->type;
    name(p, q, "");
    sb_fmt(q, "%.*s/%.*s", STR_ARG(type), STR_ARG(v->id));
    run(p, q, true);
    name(p, q, "");
    sb_str(q, v->id);
    run(p, q, allowed);
    snprintf(modifier, sizeof modifier, ":%.*s", STR_ARG(type));
    name(p, q, modifier);
    sb_str(q, v->id);
    run(p, q, true);
}

static void url(struct probe *p, struct sb *q, const struct value *v)
{
    name(p, q, "");
    put_value(q, v->text);
    run(p, q, true);
    sb_lit(q, "%7C");
    put_value(q, v->version);
    if (v->version.n)
        run(p, q, true);
}

static void put_decimal(struct sb *q, const struct decimal *d)
{
    char text[DECIMAL_TEXT_MAX];

    sb_uri(q, str_n(text, decimal_format(d, text)));
}

static void number(struct probe *p, struct sb *q, const struct value *v, const char *unit,
                   bool must)
{
    struct decimal near = v->low, step = decimal_i64((int64_t)rng_below(&p->rng, 3) - 1);

    if (v->is_range && v->no_low)
        near = v->high;
    name(p, q, "");
    put_decimal(q, &near);
    sb_fmt(q, "%s", unit);
    run(p, q, must && !v->is_range);
    for (int i = 0; i < 4; i++) {
        name(p, q, "");
        sb_fmt(q, "%s", prefix(p));
        if (i % 2 && decimal_add(&near, &step, &near, NULL) < 0)
            continue;
        put_decimal(q, &near);
        sb_fmt(q, "%s", unit);
        run(p, q, false);
    }
}

static void quantity(struct probe *p, struct sb *q, const struct value *v)
{
    _cleanup_(sb_done) struct sb unit = sb_make(QUERY_MAX);

    number(p, q, v, "", true);
    sb_lit(&unit, "%7C");
    put_value(&unit, v->system);
    sb_lit(&unit, "%7C");
    put_value(&unit, v->code);
    sb_char(&unit, '\0');
    if (v->code.n)
        number(p, q, v, unit.p, true);
    sb_reset(&unit);
    sb_lit(&unit, "%7C%7C");
    put_value(&unit, v->text.n ? v->text : v->code);
    sb_char(&unit, '\0');
    if (v->text.n || v->code.n)
        number(p, q, v, unit.p, true);
    number(p, q, v, "%7Chttp://unitsofmeasure.org%7Cg", false);
    number(p, q, v, "%7Chttp://unitsofmeasure.org%7Ch", false);
}

static void date(struct probe *p, struct sb *q, const struct value *v)
{
    static const size_t lengths[] = {4, 7, 10, 24};
    int64_t at[] = {v->from_ms, v->to_ms - 1, v->to_ms, v->from_ms - 1};
    char text[CLOCK_INSTANT_MAX];

    for (size_t i = 0; i < 8; i++) {
        int64_t ms = at[i % ARRAY_LEN(at)];
        size_t n = lengths[rng_below(&p->rng, ARRAY_LEN(lengths))];
        if (ms < -62000000000000 || ms > 250000000000000)
            continue;
        clock_format(ms, text);
        name(p, q, "");
        sb_fmt(q, "%s", prefix(p));
        sb_uri(q, str_head(str_c(text), n));
        run(p, q, false);
    }
    name(p, q, "");
    clock_format(v->from_ms, text);
    sb_fmt(q, "ge%.4s", text);
    if (v->from_ms > -62000000000000)
        run(p, q, true);
}

static int visit(void *ctx, const struct value *v)
{
    struct probe *p = ctx;
    _cleanup_(sb_done) struct sb q = sb_make(QUERY_MAX);

    if (p->values++ >= VALUES_EACH)
        return 0;
    switch (v->kind) {
    case VALUE_TOKEN: token(p, &q, v); break;
    case VALUE_LABEL:
        name(p, &q, ":text");
        put_value(&q, v->text);
        if (v->text.n < 1000)
            run(p, &q, true);
        break;
    case VALUE_STRING: string(p, &q, v); break;
    case VALUE_URI: uri(p, &q, v); break;
    case VALUE_LOCAL: local(p, &q, v); break;
    case VALUE_URL: url(p, &q, v); break;
    case VALUE_IDENTIFIER: coded(p, &q, v, ":identifier"); break;
    case VALUE_NUMBER: number(p, &q, v, "", true); break;
    case VALUE_QUANTITY: quantity(p, &q, v); break;
    case VALUE_DATE: date(p, &q, v); break;
    case VALUE_ELSEWHERE: break;
    }
    name(p, &q, ":missing");
    sb_lit(&q, "false");
    run(p, &q, true);
    return 0;
}

static void probe_param(struct probe *p)
{
    const struct engine_row *row = &p->e->rows[p->row];
    struct arena a;
    struct path_env env = {.a = &a, .resource = row->root, .values_only = true};
    struct path_item root = path_root(row->root);
    struct path_items items = {0};
    struct err err = {0};

    if (!p->param->path)
        return;
    arena_init(&a, MIB(16));
    p->values = 0;
    if (path_eval(p->param->path, &env, &root, &items, &err) < 0)
        fail_msg("%.*s: %s", STR_ARG(p->param->def.code), err.text);
    for (size_t i = 0; i < items.n; i++)
        assert_int_equal(value_each(&p->e->opt.index, p->param->def.kind, &items.p[i], visit, p),
                         0);
    arena_done(&a);
}

/* A search with some of the resource's own values of several parameters is left to the store's
 * tests; here each parameter stands alone. */
static void probe_rows(struct engine *e, size_t step)
{
    struct probe p = {.e = e};

    rng_seed(&p.rng, 7);
    p.hits = calloc(e->n_rows + 1, sizeof *p.hits);
    assert_non_null(p.hits);
    for (p.row = 0; p.row < e->n_rows; p.row += step) {
        size_t n;
        const struct param *all = params_of(e->params, e->rows[p.row].type, &n);
        for (size_t i = 0; i < n; i++) {
            p.param = &all[i];
            probe_param(&p);
        }
    }
    free(p.hits);
    print_message(
        "%zu resources, %zu searches, %zu had to find their resource and did; of the rows "
        "%zu were decided by keys, %zu had to be looked at; %zu queries were refused\n",
        e->n_rows, e->searches, p.found, e->rows_exact, e->rows_asked, p.refused);
    assert_true(p.found > 1000);
}

static gzFile shared_file(const char *name)
{
    const char *shared = getenv("CARNET_SHARED");
    char path[512];
    gzFile f;

    snprintf(path, sizeof path, "%s/%s", shared ? shared : "", name);
    f = shared ? gzopen(path, "rb") : NULL;
    if (!f)
        print_message("skipped: CARNET_SHARED does not hold %s\n", name);
    return f;
}

static void examples_are_found_by_their_values(void **state)
{
    gzFile f = shared_file("r4-examples/r4-examples.ndjson.gz");
    char *line = malloc(LINE_BYTES);
    struct engine e;

    (void)state;
    assert_non_null(line);
    if (!f) {
        free(line);
        skip();
    }
    engine_init(&e);
    e.opt.now_ms = 1700000000000;
    while (gzgets(f, line, (int)LINE_BYTES)) {
        struct str text = arena_dup(&e.a, str_c(line));
        assert_non_null(text.p);
        engine_add(&e, text);
    }
    gzclose(f);
    free(line);
    probe_rows(&e, 1);
    engine_done(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_are_found_by_their_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
