/* measure_report.c - what was counted, as a MeasureReport (measurereport.html). */
#include "api/measure_int.h"

#include "base/clock.h"
#include "fhir/decimal.h"

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

/* Numerator without its exclusions over the denominator without what leaves it; none where that is
 * empty. */
static void write_score(const struct measure *m, struct sb *out, const uint64_t *n)
{
    int64_t top = (int64_t)(n[POP_NUMERATOR] - n[POP_NUMERATOR_EXCLUSION]);
    int64_t bottom = (int64_t)(n[POP_DENOMINATOR] - n[POP_DENOMINATOR_EXCLUSION]);
    char text[DECIMAL_TEXT_MAX];
    struct decimal a, b;

    if (m->scoring == SCORING_PROPORTION)
        bottom -= (int64_t)n[POP_DENOMINATOR_EXCEPTION];
    if ((m->scoring != SCORING_PROPORTION && m->scoring != SCORING_RATIO) || bottom <= 0)
        return;
    a = decimal_i64(top);
    b = decimal_i64(bottom);
    if (decimal_div(&a, &b, &a, NULL) < 0 ||
        (a.n > SCORE_DIGITS && decimal_from_double(decimal_double(&a), SCORE_DIGITS, &a, NULL) < 0))
        return;
    decimal_format(&a, text);
    sb_fmt(out, ",\"measureScore\":{\"value\":%s}", text);
}

static void write_populations(const struct measure_group *g, const uint64_t *counts, struct sb *out,
                              size_t group, bool with_lists)
{
    sb_lit(out, "\"population\":[");
    for (size_t i = 0; i < g->n_populations; i++) {
        const struct population *p = &g->populations[i];
        sb_fmt(out, "%s{\"code\":", i ? "," : "");
        js_write(out, p->code);
        sb_fmt(out, ",\"count\":%llu", (unsigned long long)counts[p->kind]);
        if (with_lists)
            sb_fmt(out, ",\"subjectResults\":{\"reference\":\"#list-%zu-%zu\"}", group + 1, i + 1);
        sb_char(out, '}');
    }
    sb_char(out, ']');
}

static void write_value(struct sb *out, struct str value)
{
    sb_lit(out, "\"value\":{\"text\":");
    sb_json(out, value);
    sb_char(out, '}');
}

static void write_stratum(const struct measure *m, const struct measure_group *g,
                          const struct stratifier *s, const struct stratum *stratum, struct sb *out)
{
    sb_char(out, '{');
    if (!s->has_components)
        write_value(out, stratum->values[0]);
    else
        sb_lit(out, "\"component\":[");
    for (size_t i = 0; s->has_components && i < s->n_criteria; i++) {
        sb_str(out, i ? STR(",{\"code\":") : STR("{\"code\":"));
        if (s->component_codes[i])
            js_write(out, s->component_codes[i]);
        else
            sb_fmt(out, "{\"text\":\"component %zu\"}", i + 1);
        sb_char(out, ',');
        write_value(out, stratum->values[i]);
        sb_char(out, '}');
    }
    sb_str(out, s->has_components ? STR("],") : STR(","));
    write_populations(g, stratum->counts, out, 0, false);
    write_score(m, out, stratum->counts);
    sb_char(out, '}');
}

static void write_stratifier(const struct measure *m, const struct measure_group *g,
                             const struct stratifier *s, struct sb *out)
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
        write_stratum(m, g, s, &s->strata[i], out);
    }
    sb_str(out, s->n_strata ? STR("]}") : STR("}"));
}

static bool is_empty(const struct stratifier *s)
{
    return !s->code && !s->n_strata;
}

static void write_group(const struct measure *m, size_t at, struct sb *out)
{
    const struct measure_group *g = &m->groups[at];
    bool first = true;

    sb_char(out, '{');
    if (g->code) {
        sb_lit(out, "\"code\":");
        js_write(out, g->code);
        sb_char(out, ',');
    }
    write_populations(g, g->counts, out, at, m->report == REPORT_LIST);
    write_score(m, out, g->counts);
    for (size_t i = 0; i < g->n_stratifiers; i++) {
        if (is_empty(&g->stratifiers[i]))
            continue;
        sb_str(out, first ? STR(",\"stratifier\":[") : STR(","));
        first = false;
        write_stratifier(m, g, &g->stratifiers[i], out);
    }
    sb_str(out, first ? STR("}") : STR("]}"));
}

/* The lists of subjects are contained: they are of this report alone. */
static void write_lists(const struct measure *m, struct sb *out)
{
    bool first = true;

    for (size_t i = 0; i < m->n_groups; i++)
        for (size_t k = 0; k < m->groups[i].n_populations; k++) {
            const struct population *p = &m->groups[i].populations[k];
            sb_fmt(out,
                   "%s{\"resourceType\":\"List\",\"id\":\"list-%zu-%zu\",\"status\":\"current\","
                   "\"mode\":\"snapshot\"",
                   first ? ",\"contained\":[" : ",", i + 1, k + 1);
            first = false;
            for (size_t n = 0; n < p->n_subjects; n++) {
                sb_str(out, n ? STR(",{\"item\":{\"reference\":")
                              : STR(",\"entry\":[{\"item\":{\"reference\":"));
                sb_json(out, p->subjects[n]);
                sb_lit(out, "}}");
            }
            sb_str(out, p->n_subjects ? STR("]}") : STR("}"));
        }
    if (!first)
        sb_char(out, ']');
}

static void write_canonical(const struct measure *m, struct sb *out)
{
    struct str url = js_get_str(m->resource, "url"), version = js_get_str(m->resource, "version");

    sb_lit(out, ",\"measure\":");
    if (!url.n)
        url = arena_fmt(m->c->a, "%.*s/Measure/%.*s", STR_ARG(m->c->base),
                        STR_ARG(js_get_str(m->resource, "id")));
    else if (version.n)
        url = arena_fmt(m->c->a, "%.*s|%.*s", STR_ARG(url), STR_ARG(version));
    out->failed |= !url.p;
    sb_json(out, url.p ? url : STR(""));
}

int measure_report(struct measure *m, struct str id, struct sb *out)
{
    char now[CLOCK_INSTANT_MAX];

    clock_format(clock_now_ms(), now);
    sb_fmt(out, "{\"resourceType\":\"MeasureReport\",\"id\":\"%.*s\"", STR_ARG(id));
    if (m->report == REPORT_LIST)
        write_lists(m, out);
    sb_fmt(out, ",\"status\":\"complete\",\"type\":\"%s\"", types[m->report]);
    write_canonical(m, out);
    if (m->subject.n) {
        sb_lit(out, ",\"subject\":{\"reference\":");
        sb_json(out, m->subject);
        sb_char(out, '}');
    }
    sb_fmt(out, ",\"date\":\"%s\",\"period\":{\"start\":\"%.*s\",\"end\":\"%.*s\"}", now,
           STR_ARG(m->start), STR_ARG(m->end));
    member(out, "improvementNotation", js_get(m->resource, "improvementNotation"));
    sb_lit(out, ",\"group\":[");
    for (size_t i = 0; i < m->n_groups; i++) {
        sb_str(out, i ? STR(",") : STR(""));
        write_group(m, i, out);
    }
    sb_lit(out, "]}");
    return sb_ok(out, &m->c->err);
}
