/* op_stats.c - Observation/$stats: statistics of a subject's measurements
 * (observation-operation-stats.html).
 *
 * Measurements are Quantities with UCUM units and without a comparator, in Observation.value or a
 * component; all of a code are brought to the unit of the first. A panel gives its components' and
 * its members' codes groups of their own. What is entered in error is not counted at all.
 */
#include "api/op.h"
#include "api/stats_int.h"

#include "base/clock.h"
#include "fhir/date.h"
#include "fhir/ucum.h"

#include <stdlib.h>

#define STATS_CODES_MAX 50   /* codes that one call asks for */
#define STATS_GROUPS_MAX 200 /* codes that it answers for */
#define STATS_ROWS_MAX 20000 /* observations that it looks at */
#define STATS_WHICH_MAX 100  /* statistics that it asks for */
#define STATS_HOURS_MAX 1000000

struct group {
    struct str system, code, unit; /* unit: UCUM code of the first measurement */
    struct sample *v;
    size_t n, cap, n_total;
};

struct stats {
    struct call *c;
    struct store_txn *txn;
    struct arena scratch;
    struct str subject;            /* as given */
    struct str where;              /* the rest of the search */
    struct str from, to;           /* of the period, or STR_NULL */
    const struct op_param **which; /* the parameters `statistic` */
    size_t n_which;
    struct group *groups;
    size_t n_groups;
    size_t n_rows;
    uint64_t *sources; /* row numbers that were counted with */
    size_t n_sources;
    bool include;
    uint64_t limit;
};

/* ---- groups ---- */

static struct group *group_of(struct stats *s, struct str system, struct str code)
{
    struct arena *a = s->c->a;
    struct group *g = s->groups;

    for (size_t i = 0; i < s->n_groups; i++, g++)
        if (str_eq(g->code, code) && str_eq(g->system, system))
            return g;
    if (s->n_groups == STATS_GROUPS_MAX) {
        err_set(&s->c->err, ERR_COSTLY, "the observations hold more than %d codes",
                STATS_GROUPS_MAX);
        return NULL;
    }
    *g = (struct group){.system = arena_dup(a, system.p ? system : STR("")),
                        .code = arena_dup(a, code)};
    if (!g->system.p || !g->code.p) {
        err_no_memory(&s->c->err);
        return NULL;
    }
    s->n_groups++;
    return g;
}

static int push(struct stats *s, struct group *g, const struct sample *sample)
{
    if (g->n == g->cap) {
        size_t cap = g->cap ? g->cap * 2 : 32;
        struct sample *v = arena_grow(s->c->a, g->v, g->cap * sizeof *v, cap * sizeof *v);
        if (!v)
            return err_no_memory(&s->c->err);
        g->v = v;
        g->cap = cap;
    }
    g->v[g->n++] = *sample;
    return 0;
}

/* The number of a Quantity in the group's unit; false when it cannot be counted with. */
static bool read_quantity(struct stats *s, struct group *g, yyjson_val *q, struct decimal *ret)
{
    struct str unit = js_get_str(q, "code");

    if (!yyjson_is_obj(q) || js_get(q, "comparator") || !unit.n ||
        !str_eq(js_get_str(q, "system"), STR(UCUM_SYSTEM)) ||
        decimal_parse(js_primitive(js_get(q, "value")), ret, NULL) < 0)
        return false;
    if (!g->unit.n) {
        g->unit = arena_dup(s->c->a, unit);
        return g->unit.p && ucum_check(unit, NULL) >= 0;
    }
    return str_eq(unit, g->unit) || ucum_convert(ret, unit, g->unit, ret, NULL) >= 0;
}

static int add_value(struct stats *s, struct group *g, yyjson_val *of, int64_t at_ms)
{
    struct sample sample = {.at_ms = at_ms};

    g->n_total++;
    if (!js_primitive(js_get(js_get(of, "valueQuantity"), "value")).p ||
        !read_quantity(s, g, js_get(of, "valueQuantity"), &sample.v))
        return 0;
    return push(s, g, &sample);
}

/* ---- observations ---- */

static bool has_code(yyjson_val *concept, struct str system, struct str code)
{
    size_t i, max;
    yyjson_val *v;

    yyjson_arr_foreach(js_get(concept, "coding"), i, max, v)
        if (str_eq(js_get_str(v, "code"), code) &&
            (!system.n || str_eq(js_get_str(v, "system"), system)))
            return true;
    return false;
}

static int64_t time_of(struct stats *s, yyjson_val *root)
{
    int tz = store_index_options(s->c->api->store)->tz_minutes;
    struct str text = js_get_str(root, "effectiveDateTime");
    struct date date;

    if (!text.n)
        text = js_get_str(root, "effectiveInstant");
    if (!text.n)
        text = js_get_str(js_get(root, "effectivePeriod"), "start");
    return text.n && date_parse(DATE_DATETIME, text, tz, &date, NULL) >= 0 ? date.from_ms
                                                                           : INT64_MIN;
}

/* A value under its own first code. */
static int add_own(struct stats *s, yyjson_val *of, int64_t at_ms)
{
    yyjson_val *coding = yyjson_arr_get_first(js_get(js_get(of, "code"), "coding"));
    struct str code = js_get_str(coding, "code");
    struct group *g = code.n ? group_of(s, js_get_str(coding, "system"), code) : NULL;

    if (!code.n)
        return 0;
    return g ? add_value(s, g, of, at_ms) : s->c->err.code;
}

static int add_members(struct stats *s, yyjson_val *root)
{
    size_t i, max;
    yyjson_val *v;
    int r = 0;

    yyjson_arr_foreach(js_get(root, "hasMember"), i, max, v) {
        struct str id;
        yyjson_val *member;
        struct row row;
        int type;
        if (!op_local(s->c, js_get_str(v, "reference"), &type, &id) || type != s->c->type)
            continue;
        if (++s->n_rows > STATS_ROWS_MAX)
            return err_set(&s->c->err, ERR_COSTLY, "more than %d observations match",
                           STATS_ROWS_MAX);
        r = store_get(s->txn, type, id, &row, &s->c->err);
        if (r == ERR_NOT_FOUND || (r >= 0 && row.method == METHOD_DELETE))
            continue;
        if (r < 0 || (r = op_json_in(s->c, &s->scratch, &row, &member)) < 0)
            return r;
        if (!str_eq(js_get_str(member, "status"), STR("entered-in-error")) &&
            (r = add_own(s, member, time_of(s, member))) < 0)
            return r;
    }
    return 0;
}

static int add_observation(struct stats *s, yyjson_val *root, struct str system, struct str code)
{
    yyjson_val *components = js_get(root, "component"), *v;
    bool is_own = has_code(js_get(root, "code"), system, code);
    bool is_panel = yyjson_arr_size(components) || js_get(root, "hasMember");
    int64_t at_ms = time_of(s, root);
    struct group *g;
    size_t i, max;
    int r = 0;

    if (is_own && (js_get(root, "valueQuantity") || !is_panel)) {
        g = group_of(s, system, code);
        return g ? add_value(s, g, root, at_ms) : s->c->err.code;
    }
    yyjson_arr_foreach(components, i, max, v) {
        if (is_own) {
            r = add_own(s, v, at_ms);
        } else if (has_code(js_get(v, "code"), system, code)) {
            g = group_of(s, system, code);
            r = g ? add_value(s, g, v, at_ms) : s->c->err.code;
        }
        if (r < 0)
            return r;
    }
    return is_own ? add_members(s, root) : 0;
}

/* The code that rows are taken for. */
struct wanted {
    struct stats *s;
    struct str system, code;
};

static int take_row(void *ctx, uint64_t number)
{
    const struct wanted *wanted = ctx;
    struct stats *s = wanted->s;
    yyjson_val *root;
    struct row row;
    int r;

    if (++s->n_rows > STATS_ROWS_MAX)
        return err_set(&s->c->err, ERR_COSTLY, "more than %d observations match", STATS_ROWS_MAX);
    if ((r = store_get_row(s->txn, number, &row, &s->c->err)) < 0)
        return r;
    arena_reset(&s->scratch);
    if ((r = op_json_in(s->c, &s->scratch, &row, &root)) < 0 ||
        str_eq(js_get_str(root, "status"), STR("entered-in-error")))
        return r;
    s->sources[s->n_sources++] = number;
    return add_observation(s, root, wanted->system, wanted->code);
}

static int take_code(struct stats *s, struct str system, struct str code)
{
    _cleanup_(sb_done) struct sb query = sb_make(KIB(64));
    struct wanted wanted = {s, system, code};
    struct call *c = s->c;
    size_t before = s->n_groups;
    int r;

    if (!code.n)
        return err_at(&c->err, ERR_REQUIRED, "code", "a code is empty");
    sb_str(&query, s->where);
    sb_lit(&query, "&_count=1000&_total=none&combo-code=");
    sb_uri(&query, system);
    sb_str(&query, system.n ? STR("%7C") : STR(""));
    sb_uri(&query, code);
    if (query.failed)
        return err_no_memory(&c->err);
    r = op_search_all(c, s->txn, c->type, sb_view(&query), take_row, &wanted);
    /* A code without a measurement is answered all the same. */
    if (r >= 0 && s->n_groups == before && !group_of(s, system, code))
        return c->err.code;
    return r;
}

/* ---- what is asked ---- */

static int read_period(struct stats *s, const struct op_params *params)
{
    const struct op_param *period = op_param_find(params, "period");
    struct call *c = s->c;
    char text[CLOCK_INSTANT_MAX];
    uint64_t hours;
    int64_t now = clock_now_ms();
    struct decimal d, factor = decimal_i64(3600000);
    struct str duration = op_param_text(params, "duration");

    if (duration.n) {
        if (decimal_parse(duration, &d, NULL) < 0 || d.negative ||
            decimal_mul(&d, &factor, &d, NULL) < 0 || decimal_double(&d) > STATS_HOURS_MAX * 3.6e6)
            return err_at(&c->err, ERR_VALUE, "duration",
                          "the duration is not a number of hours up to %d", STATS_HOURS_MAX);
        hours = (uint64_t)decimal_double(&d);
        clock_format(now - (int64_t)hours, text);
        s->from = arena_dup(c->a, str_c(text));
        clock_format(now, text);
        s->to = arena_dup(c->a, str_c(text));
        return s->from.p && s->to.p ? 0 : err_no_memory(&c->err);
    }
    if (period && !yyjson_is_obj(period->value))
        return err_at(&c->err, ERR_VALUE, "period", "the period is not a Period");
    if (period) {
        s->from = js_get_str(period->value, "start");
        s->to = js_get_str(period->value, "end");
    }
    return 0;
}

static int write_where(struct stats *s)
{
    _cleanup_(sb_done) struct sb query = sb_make(KIB(64));
    struct str id;
    int type;

    if (!s->subject.n)
        return err_at(&s->c->err, ERR_REQUIRED, "subject", "the parameter \"subject\" is missing");
    if (!op_local(s->c, s->subject, &type, &id))
        return err_at(&s->c->err, ERR_VALUE, "subject",
                      "the subject is not a reference to something of this node");
    sb_fmt(&query, "subject=%.*s/%.*s", STR_ARG(def_resource_name(type)), STR_ARG(id));
    if (s->from.n) {
        sb_lit(&query, "&date=ge");
        sb_uri(&query, s->from);
    }
    if (s->to.n) {
        sb_lit(&query, "&date=le");
        sb_uri(&query, s->to);
    }
    s->where = query.failed ? STR_NULL : arena_dup(s->c->a, sb_view(&query));
    return s->where.p ? 0 : err_no_memory(&s->c->err);
}

static int read_which(struct stats *s, const struct op_params *params)
{
    s->which = ARENA_ARRAY(s->c->a, const struct op_param *, STATS_WHICH_MAX);
    if (!s->which)
        return err_no_memory(&s->c->err);
    for (size_t i = 0; i < params->n; i++) {
        size_t n;
        if (!str_eq(params->v[i].name, STR("statistic")))
            continue;
        if (!statistic_find(params->v[i].text, &n))
            return err_at(&s->c->err, ERR_VALUE, "statistic", "there is no statistic \"%.*s\"",
                          (int)MIN(params->v[i].text.n, (size_t)64),
                          params->v[i].text.n ? params->v[i].text.p : "");
        if (s->n_which == STATS_WHICH_MAX)
            return err_set(&s->c->err, ERR_COSTLY, "more than %d statistics are asked for",
                           STATS_WHICH_MAX);
        s->which[s->n_which++] = &params->v[i];
    }
    return s->n_which ? 0
                      : err_at(&s->c->err, ERR_REQUIRED, "statistic",
                               "the parameter \"statistic\" is missing");
}

static int take_codes(struct stats *s, const struct op_params *params)
{
    struct str system = op_param_text(params, "system");
    size_t n = 0;
    int r = 0;

    for (size_t i = 0; i < params->n && r >= 0; i++) {
        const struct op_param *p = &params->v[i];
        bool is_code = str_eq(p->name, STR("code"));
        if (!is_code && !str_eq(p->name, STR("coding")))
            continue;
        if (n++ == STATS_CODES_MAX)
            return err_set(&s->c->err, ERR_COSTLY, "more than %d codes are asked for",
                           STATS_CODES_MAX);
        r = is_code ? take_code(s, system.p ? system : STR(""), p->text)
                    : take_code(s, js_get_str(p->value, "system"), js_get_str(p->value, "code"));
    }
    if (r >= 0 && !n)
        return err_at(&s->c->err, ERR_REQUIRED, "code", "a code or coding is missing");
    return r;
}

/* ---- the answer ---- */

static void write_unit(struct sb *out, const struct group *g, enum stats_unit unit)
{
    static const char *const formats[] = {
        [STATS_UNIT] = "%.*s", [STATS_SQUARE] = "(%.*s)2", [STATS_PER_DAY] = "(%.*s)/d"};
    _cleanup_(sb_done) struct sb text = sb_make(KIB(4));

    if (unit == STATS_COUNT || unit == STATS_NUMBER || !g->unit.n)
        return;
    sb_fmt(&text, formats[unit], STR_ARG(g->unit));
    sb_lit(out, ",\"unit\":");
    sb_json(out, sb_view(&text));
    sb_lit(out, ",\"system\":\"" UCUM_SYSTEM "\",\"code\":");
    sb_json(out, sb_view(&text));
}

static int write_component(struct stats *s, const struct group *g, const struct statistic *which)
{
    struct samples samples = {g->v, g->n, g->n_total};
    struct sb *out = &s->c->out;
    char text[DECIMAL_TEXT_MAX];
    struct decimal d;
    int r = which->run(&samples, which->arg, &d, &s->c->err);

    if (r < 0)
        return r;
    sb_lit(out, "{\"code\":{\"coding\":[{\"system\":"
                "\"http://terminology.hl7.org/CodeSystem/observation-statistics\",\"code\":");
    sb_json(out, which->code);
    sb_lit(out, "}],\"text\":");
    sb_json(out, which->label.n ? which->label : which->code);
    if (r == 0) {
        sb_lit(out, "},\"dataAbsentReason\":{\"coding\":[{\"system\":"
                    "\"http://terminology.hl7.org/CodeSystem/data-absent-reason\","
                    "\"code\":\"not-applicable\"}]}}");
        return 0;
    }
    decimal_format(&d, text);
    sb_fmt(out, "},\"valueQuantity\":{\"value\":%s", text);
    write_unit(out, g, which->unit);
    sb_lit(out, "}}");
    return 0;
}

static void write_period(struct stats *s)
{
    struct sb *out = &s->c->out;

    if (!s->from.n && !s->to.n)
        return;
    sb_lit(out, ",\"effectivePeriod\":{");
    if (s->from.n) {
        sb_lit(out, "\"start\":");
        sb_json(out, s->from);
    }
    if (s->to.n) {
        sb_str(out, s->from.n ? STR(",\"end\":") : STR("\"end\":"));
        sb_json(out, s->to);
    }
    sb_char(out, '}');
}

static int by_value(const void *x, const void *y)
{
    return decimal_cmp(&((const struct sample *)x)->v, &((const struct sample *)y)->v);
}

static int write_group(struct stats *s, struct group *g)
{
    struct sb *out = &s->c->out;
    int r = 0;

    if (g->n)
        qsort(g->v, g->n, sizeof *g->v, by_value);
    sb_lit(out, "{\"name\":\"statistics\",\"resource\":{\"resourceType\":\"Observation\","
                "\"status\":\"final\",\"code\":{\"coding\":[{");
    if (g->system.n) {
        sb_lit(out, "\"system\":");
        sb_json(out, g->system);
        sb_char(out, ',');
    }
    sb_lit(out, "\"code\":");
    sb_json(out, g->code);
    sb_lit(out, "}]},\"subject\":{\"reference\":");
    sb_json(out, s->subject);
    sb_char(out, '}');
    write_period(s);
    sb_lit(out, ",\"component\":[");
    for (size_t i = 0; i < s->n_which && r >= 0; i++) {
        size_t n;
        const struct statistic *which = statistic_find(s->which[i]->text, &n);
        for (size_t k = 0; k < n && r >= 0; k++) {
            sb_str(out, i || k ? STR(",") : STR(""));
            r = write_component(s, g, &which[k]);
        }
    }
    sb_lit(out, "]}}");
    return r;
}

static int by_row(const void *x, const void *y)
{
    const uint64_t *a = x, *b = y;

    return *a < *b ? -1 : *a > *b;
}

/* Each once, however many of the codes it has. */
static int write_sources(struct stats *s)
{
    struct sb *out = &s->c->out;
    uint64_t n = 0;
    int r = 0;

    if (s->n_sources)
        qsort(s->sources, s->n_sources, sizeof *s->sources, by_row);
    for (size_t i = 0; i < s->n_sources && n < s->limit && r >= 0; i++) {
        struct row row;
        if (i && s->sources[i] == s->sources[i - 1])
            continue;
        n++;
        if ((r = store_get_row(s->txn, s->sources[i], &row, &s->c->err)) < 0)
            break;
        sb_lit(out, ",{\"name\":\"source\",\"resource\":");
        r = call_write_whole(s->c, &row, out);
        sb_char(out, '}');
    }
    return r;
}

static int answer(struct stats *s)
{
    struct sb *out = &s->c->out;
    int r = 0;

    sb_lit(out, "{\"resourceType\":\"Parameters\",\"parameter\":[");
    for (size_t i = 0; i < s->n_groups && r >= 0; i++) {
        sb_str(out, i ? STR(",") : STR(""));
        r = write_group(s, &s->groups[i]);
    }
    if (r >= 0 && s->include)
        r = write_sources(s);
    sb_lit(out, "]}");
    s->c->status = 200;
    return r < 0 ? r : sb_ok(out, &s->c->err);
}

static int run(struct stats *s)
{
    struct call *c = s->c;
    struct op_params params;
    int r;

    if ((r = op_params_read(c, &params)) < 0 ||
        (r = op_params_only(c, &params,
                            "subject code system coding duration period statistic include "
                            "limit")) < 0)
        return r;
    s->subject = op_param_text(&params, "subject");
    s->groups = ARENA_ARRAY(c->a, struct group, STATS_GROUPS_MAX);
    s->sources = ARENA_ARRAY(c->a, uint64_t, STATS_ROWS_MAX);
    if (!s->groups || !s->sources)
        return err_no_memory(&c->err);
    if ((r = op_param_bool(c, &params, "include", false, &s->include)) < 0 ||
        (r = op_param_u64(c, &params, "limit", UINT32_MAX, UINT32_MAX, &s->limit)) < 0 ||
        (r = read_which(s, &params)) < 0 || (r = read_period(s, &params)) < 0 ||
        (r = write_where(s)) < 0 || (r = take_codes(s, &params)) < 0)
        return r;
    return answer(s);
}

int op_stats(struct call *c, struct store_txn *txn)
{
    struct stats s = {.c = c, .txn = txn};
    int r;

    arena_init(&s.scratch, HTTP_ARENA_MAX);
    r = run(&s);
    arena_done(&s.scratch);
    return r;
}
