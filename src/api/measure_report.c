/* measure_report.c - what was counted, as a MeasureReport (measurereport.html). The components of a
 * composite are contained reports, and what they are of is what was evaluated.
 */
#include "api/measure_int.h"

#include "base/clock.h"
#include "fhir/ucum.h"

#define SCORE_DIGITS 15

static const char *const types[] = {[REPORT_INDIVIDUAL] = "individual",
                                    [REPORT_LIST] = "subject-list",
                                    [REPORT_SUMMARY] = "summary"};

static void member(struct sb *out, const char *name, yyjson_val *v)
{
    if (!v)
        return;
    sb_fmt(out, ",\"%s\":", name);
    js_write(out, v);
}

void measure_list_next(struct measure_list *list)
{
    if (list->is_open)
        sb_char(list->out, ',');
    else
        sb_fmt(list->out, ",\"%s\":[", list->name);
    list->is_open = true;
}

void measure_list_end(struct measure_list *list)
{
    if (list->is_open)
        sb_char(list->out, ']');
}

/* ---- scores ---- */

static uint64_t count_of(const struct measure_group *g, const struct tally *t,
                         enum population_kind kind)
{
    return g->at[kind] < 0 ? 0 : t->counts[g->at[kind]];
}

/* Numerator without its exclusions over the denominator without what leaves it; none where that is
 * empty. */
static bool share(const struct measure_group *g, const struct tally *t, struct decimal *ret)
{
    int64_t top =
        (int64_t)(count_of(g, t, POP_NUMERATOR) - count_of(g, t, POP_NUMERATOR_EXCLUSION));
    int64_t bottom =
        (int64_t)(count_of(g, t, POP_DENOMINATOR) - count_of(g, t, POP_DENOMINATOR_EXCLUSION) -
                  count_of(g, t, POP_DENOMINATOR_EXCEPTION));
    struct decimal a = decimal_i64(top), b = decimal_i64(bottom);

    return bottom > 0 && decimal_div(&a, &b, ret, NULL) >= 0;
}

static const struct population *observation_of(const struct measure_group *g,
                                               enum population_kind observed)
{
    for (size_t i = 0; i < g->n_populations; i++) {
        const struct population *p = &g->populations[i];
        if (p->kind == POP_OBSERVATION && g->populations[p->of].kind == observed)
            return p;
    }
    return NULL;
}

/* What a ratio observes of its numerator over what it observes of its denominator: a number where
 * both are of one dimension. */
static bool ratio_observed(const struct measure_group *g, const struct tally *t,
                           struct decimal *ret, struct observed *ret_unit)
{
    const struct population *top = observation_of(g, POP_NUMERATOR);
    const struct population *bottom = observation_of(g, POP_DENOMINATOR);
    struct observed a = t->observed[top->observed_at], b = t->observed[bottom->observed_at];
    struct decimal x, y, zero = decimal_i64(0);

    if (top->aggregate == AGGREGATE_COUNT)
        a.unit = STR_NULL;
    if (bottom->aggregate == AGGREGATE_COUNT)
        b.unit = STR_NULL;
    if (!observe_aggregate(top, &t->observed[top->observed_at], &x) ||
        !observe_aggregate(bottom, &t->observed[bottom->observed_at], &y) ||
        !decimal_cmp(&y, &zero) || decimal_div(&x, &y, ret, NULL) < 0)
        return false;
    *ret_unit = a;
    if (!b.unit.n)
        return true;
    ret_unit->unit = STR_NULL;
    if (a.is_ucum == b.is_ucum && str_eq(a.unit, b.unit))
        return true;
    return a.is_ucum && b.is_ucum && a.unit.n && ucum_convert(&x, a.unit, b.unit, &x, NULL) >= 0 &&
           decimal_div(&x, &y, ret, NULL) >= 0;
}

static void write_number(struct sb *out, const struct decimal *v)
{
    char text[DECIMAL_TEXT_MAX];
    struct decimal d = *v;

    if (d.n > SCORE_DIGITS && decimal_from_double(decimal_double(&d), SCORE_DIGITS, &d, NULL) < 0)
        d = *v;
    decimal_format(&d, text);
    sb_fmt(out, ",\"measureScore\":{\"value\":%s", text);
}

static void write_unit(struct sb *out, const struct observed *o)
{
    if (!o->unit.n)
        return;
    sb_lit(out, ",\"unit\":");
    sb_json(out, o->unit);
    if (!o->is_ucum)
        return;
    sb_lit(out, ",\"system\":\"" UCUM_SYSTEM "\",\"code\":");
    sb_json(out, o->unit);
}

static void write_score(const struct measure_group *g, const struct tally *t, struct sb *out)
{
    const struct population *p = observation_of(g, POP_MEASURE);
    struct observed unit = {0};
    struct decimal v;
    bool is_there = false;

    switch (g->scoring) {
    case SCORING_PROPORTION: is_there = share(g, t, &v); break;
    case SCORING_RATIO:
        is_there = g->n_observations ? ratio_observed(g, t, &v, &unit) : share(g, t, &v);
        break;
    case SCORING_CONTINUOUS:
        is_there = observe_aggregate(p, &t->observed[p->observed_at], &v);
        if (p->aggregate != AGGREGATE_COUNT)
            unit = t->observed[p->observed_at];
        break;
    case SCORING_COHORT:
    case SCORINGS: break;
    }
    if (!is_there)
        return;
    write_number(out, &v);
    write_unit(out, &unit);
    sb_char(out, '}');
}

/* ---- groups ---- */

static void write_populations(const struct measure_group *g, const struct tally *t, struct sb *out,
                              size_t group, bool with_lists)
{
    sb_lit(out, "\"population\":[");
    for (size_t i = 0; i < g->n_populations; i++) {
        const struct population *p = &g->populations[i];
        sb_str(out, i ? STR(",{") : STR("{"));
        if (p->id.n) {
            sb_lit(out, "\"id\":");
            sb_json(out, p->id);
            sb_char(out, ',');
        }
        sb_lit(out, "\"code\":");
        js_write(out, p->code);
        sb_fmt(out, ",\"count\":%llu", (unsigned long long)t->counts[i]);
        if (with_lists && p->kind != POP_OBSERVATION)
            sb_fmt(out, ",\"subjectResults\":{\"reference\":\"#list-%zu-%zu\"}", group + 1, i + 1);
        sb_char(out, '}');
    }
    sb_char(out, ']');
}

static void write_stratum(const struct measure_group *g, const struct stratifier *s,
                          const struct stratum *stratum, struct sb *out)
{
    sb_char(out, '{');
    if (!s->has_components) {
        sb_lit(out, "\"value\":");
        sb_str(out, stratum->values[0].concept);
    } else {
        sb_lit(out, "\"component\":[");
    }
    for (size_t i = 0; s->has_components && i < s->n_criteria; i++) {
        sb_str(out, i ? STR(",{\"code\":") : STR("{\"code\":"));
        if (s->component_codes[i])
            js_write(out, s->component_codes[i]);
        else
            sb_fmt(out, "{\"text\":\"component %zu\"}", i + 1);
        sb_lit(out, ",\"value\":");
        sb_str(out, stratum->values[i].concept);
        sb_char(out, '}');
    }
    sb_str(out, s->has_components ? STR("],") : STR(","));
    write_populations(g, &stratum->tally, out, 0, false);
    write_score(g, &stratum->tally, out);
    sb_char(out, '}');
}

static void write_stratifier(const struct measure_group *g, const struct stratifier *s,
                             struct sb *out)
{
    sb_char(out, '{');
    if (s->code) {
        sb_lit(out, "\"code\":[");
        js_write(out, s->code);
        sb_str(out, s->n_strata ? STR("],") : STR("]"));
    }
    if (s->n_strata)
        sb_lit(out, "\"stratum\":[");
    for (size_t i = 0; i < s->n_strata; i++) {
        sb_str(out, i ? STR(",") : STR(""));
        write_stratum(g, s, &s->strata[i], out);
    }
    sb_str(out, s->n_strata ? STR("]}") : STR("}"));
}

static bool is_empty(const struct stratifier *s)
{
    return !s->code && !s->n_strata;
}

static void write_code(yyjson_val *code, struct sb *out)
{
    if (!code)
        return;
    sb_lit(out, "\"code\":");
    js_write(out, code);
    sb_char(out, ',');
}

static void write_group(const struct measure *m, size_t at, bool with_lists, struct sb *out)
{
    const struct measure_group *g = &m->groups[at];
    struct measure_list stratifiers = {out, "stratifier", false};

    sb_char(out, '{');
    if (g->id.n) {
        sb_lit(out, "\"id\":");
        sb_json(out, g->id);
        sb_char(out, ',');
    }
    write_code(g->code, out);
    write_populations(g, &g->tally, out, at, with_lists);
    write_score(g, &g->tally, out);
    for (size_t i = 0; i < g->n_stratifiers; i++)
        if (!is_empty(&g->stratifiers[i])) {
            measure_list_next(&stratifiers);
            write_stratifier(g, &g->stratifiers[i], out);
        }
    measure_list_end(&stratifiers);
    sb_char(out, '}');
}

static void write_groups(const struct measure *m, bool with_lists, struct sb *out)
{
    sb_lit(out, ",\"group\":[");
    for (size_t i = 0; i < m->n_groups; i++) {
        sb_str(out, i ? STR(",") : STR(""));
        write_group(m, i, with_lists, out);
    }
    if (m->composite.scoring) {
        struct decimal score;
        sb_char(out, '{');
        write_code(js_get(yyjson_arr_get_first(js_get(m->resource, "group")), "code"), out);
        composite_write(m, out);
        if (composite_score(m, &score)) {
            write_number(out, &score);
            sb_char(out, '}');
        }
        sb_char(out, '}');
    }
    sb_char(out, ']');
}

/* ---- what is contained ---- */

static void write_subjects(size_t group, size_t population, const struct str *subjects, size_t n,
                           struct measure_list *list)
{
    struct measure_list entries = {list->out, "entry", false};

    measure_list_next(list);
    sb_fmt(list->out,
           "{\"resourceType\":\"List\",\"id\":\"list-%zu-%zu\",\"status\":\"current\","
           "\"mode\":\"snapshot\"",
           group + 1, population + 1);
    for (size_t i = 0; i < n; i++) {
        measure_list_next(&entries);
        sb_lit(list->out, "{\"item\":{\"reference\":");
        sb_json(list->out, subjects[i]);
        sb_lit(list->out, "}}");
    }
    measure_list_end(&entries);
    sb_char(list->out, '}');
}

static void write_lists(const struct measure *m, struct measure_list *list)
{
    const struct composite *c = &m->composite;

    for (size_t i = 0; i < m->n_groups; i++)
        for (size_t k = 0; k < m->groups[i].n_populations; k++) {
            const struct population *p = &m->groups[i].populations[k];
            if (p->kind != POP_OBSERVATION)
                write_subjects(i, k, p->subjects, p->n_subjects, list);
        }
    for (size_t k = 0; k < ARRAY_LEN(c->subjects) && c->scoring > OPPORTUNITY; k++)
        if (!k || c->scoring == ALL_OR_NOTHING)
            write_subjects(0, k, c->subjects[k], c->n_subjects[k], list);
}

static void write_report(const struct measure *m, struct str id, bool is_part, struct sb *out);

/* Lists, components and supplemental data are of this report alone. */
static void write_contained(const struct measure *m, struct sb *out)
{
    struct measure_list list = {out, "contained", false};

    if (m->report == REPORT_LIST)
        write_lists(m, &list);
    for (size_t i = 0; i < m->composite.n_parts; i++) {
        char id[32];
        snprintf(id, sizeof id, "component-%zu", i + 1);
        measure_list_next(&list);
        write_report(&m->composite.parts[i], str_c(id), true, out);
    }
    supplement_write(m, &list);
    measure_list_end(&list);
}

static void write_evaluated(const struct measure *m, struct sb *out)
{
    struct measure_list list = {out, "evaluatedResource", false};

    for (size_t i = 0; i < m->n_evaluated; i++) {
        measure_list_next(&list);
        sb_lit(out, "{\"reference\":");
        sb_json(out, m->evaluated[i]);
        sb_char(out, '}');
    }
    for (size_t i = 0; i < m->composite.n_parts; i++) {
        measure_list_next(&list);
        sb_fmt(out, "{\"reference\":\"#component-%zu\"}", i + 1);
    }
    supplement_write_references(m, &list);
    measure_list_end(&list);
}

/* ---- the report ---- */

void measure_write_canonical(const struct measure *m, struct sb *out)
{
    struct str url = js_get_str(m->resource, "url"), version = js_get_str(m->resource, "version");

    if (!url.n)
        url = arena_fmt(m->c->a, "%.*s/Measure/%.*s", STR_ARG(m->c->base),
                        STR_ARG(js_get_str(m->resource, "id")));
    else if (version.n)
        url = arena_fmt(m->c->a, "%.*s|%.*s", STR_ARG(url), STR_ARG(version));
    out->failed |= !url.p;
    sb_json(out, url.p ? url : STR(""));
}

/* A component's report is contained, and what is contained contains nothing. */
static void write_report(const struct measure *m, struct str id, bool is_part, struct sb *out)
{
    enum report_type type = is_part && m->report == REPORT_LIST ? REPORT_SUMMARY : m->report;
    char now[CLOCK_INSTANT_MAX];

    clock_format(clock_now_ms(), now);
    sb_fmt(out, "{\"resourceType\":\"MeasureReport\",\"id\":\"%.*s\"", STR_ARG(id));
    if (!is_part)
        write_contained(m, out);
    sb_fmt(out, ",\"status\":\"complete\",\"type\":\"%s\",\"measure\":", types[type]);
    measure_write_canonical(m, out);
    if (m->subject.n) {
        sb_lit(out, ",\"subject\":{\"reference\":");
        sb_json(out, m->subject);
        sb_char(out, '}');
    }
    sb_fmt(out, ",\"date\":\"%s\",\"period\":{\"start\":\"%.*s\",\"end\":\"%.*s\"}", now,
           STR_ARG(m->start), STR_ARG(m->end));
    member(out, "improvementNotation", js_get(m->resource, "improvementNotation"));
    write_groups(m, type == REPORT_LIST, out);
    if (!is_part)
        write_evaluated(m, out);
    sb_char(out, '}');
}

int measure_report(struct measure *m, struct str id, struct sb *out)
{
    write_report(m, id, false, out);
    return sb_ok(out, &m->c->err);
}
