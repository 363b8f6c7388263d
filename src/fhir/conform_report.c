/* conform_report.c - a MeasureReport against its Measure: groups, populations and stratifiers are
 * those that the measure defines, each once, and the score is one that its scoring has.
 *
 * Source: http://hl7.org/fhir/R4/measurereport.html, measure.html.
 */
#include "fhir/profile_int.h"

struct report {
    struct conform *c;
    struct str url;     /* of the Measure */
    struct str scoring; /* "cohort", "proportion", "ratio", "continuous-variable"; may be empty */
    bool is_finished;   /* what the measure asks for has to be there */
};

static void say(const struct report *r, enum issue_severity severity, const char *type,
                const struct place *at, const char *rule, const char *text)
{
    conform_say(r->c, severity, type, at, NULL, str_c(rule), "%s (the measure is %.*s)", text,
                (int)MIN(r->url.n, 300u), r->url.p);
}

/* Concepts are the same when they share a coding, or their text where they have no codings. */
static bool is_same(yyjson_val *a, yyjson_val *b)
{
    yyjson_val *x, *y, *of_a = js_get(a, "coding"), *of_b = js_get(b, "coding");
    size_t i, n, j, m;

    if (!of_a && !of_b)
        return js_get_str(a, "text").n && str_eq(js_get_str(a, "text"), js_get_str(b, "text"));
    yyjson_arr_foreach(of_a, i, n, x) {
        yyjson_arr_foreach(of_b, j, m, y) {
            if (str_eq(js_get_str(x, "code"), js_get_str(y, "code")) &&
                str_eq(js_get_str(x, "system"), js_get_str(y, "system")))
                return true;
        }
    }
    return false;
}

/* A report's stratifier may have several codes, a measure's has one. */
static bool is_named(yyjson_val *one, yyjson_val *by)
{
    yyjson_val *code = js_get(one, "code"), *wanted = js_get(by, "code"), *v;
    size_t i, n;

    yyjson_arr_foreach(wanted, i, n, v) {
        if (is_same(code, v))
            return true;
    }
    return !yyjson_is_arr(wanted) && is_same(code, wanted);
}

/* What of the measure's list a report's item is about. Where there is one alone, a code may be left
 * out. */
static yyjson_val *defined_for(yyjson_val *defined, yyjson_val *item)
{
    yyjson_val *v;
    size_t i, n;

    if (!js_get(item, "code"))
        return yyjson_arr_size(defined) == 1 ? yyjson_arr_get_first(defined) : NULL;
    yyjson_arr_foreach(defined, i, n, v) {
        if (is_named(v, item) || (yyjson_arr_size(defined) == 1 && !js_get(v, "code")))
            return v;
    }
    return NULL;
}

/* How many of the report's items are about one that the measure defines. */
static size_t count_of(yyjson_val *defined, yyjson_val *one, yyjson_val *given)
{
    yyjson_val *v;
    size_t i, n, count = 0;

    yyjson_arr_foreach(given, i, n, v) {
        count += defined_for(defined, v) == one;
    }
    return count;
}

/* Both lists under `name`: nothing that is not defined, nothing twice, and nothing left out. */
static void check_list(const struct report *r, yyjson_val *defined, yyjson_val *given,
                       const char *name, bool has_all, const struct place *at)
{
    struct place list = {at, str_c(name), -1};
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(given, i, n, v) {
        struct place here = {at, str_c(name), (ptrdiff_t)i};
        if (!defined_for(defined, v))
            say(r, ISSUE_ERROR, "not-found", &here, name,
                js_get(v, "code") ? "is none that the measure defines"
                                  : "has no code to tell which one of the measure it is");
    }
    yyjson_arr_foreach(defined, i, n, v) {
        size_t count = count_of(defined, v, given);
        if (count > 1)
            say(r, ISSUE_ERROR, "duplicate", &list, name, "is there twice for one of the measure");
        if (!count && has_all && r->is_finished)
            say(r, ISSUE_ERROR, "required", &list, name, "lacks one that the measure defines");
    }
}

static void check_score(const struct report *r, yyjson_val *group, const struct place *at)
{
    struct place score = {at, STR("measureScore"), -1};
    bool is_there = js_get(group, "measureScore") != NULL;

    if (str_eq(r->scoring, STR("cohort")) && is_there)
        say(r, ISSUE_ERROR, "structure", &score, "measureScore",
            "is there, but a cohort measure has no score");
    if (r->scoring.n && !str_eq(r->scoring, STR("cohort")) && !is_there && r->is_finished)
        say(r, ISSUE_WARNING, "required", &score, "measureScore",
            "is missing, though the measure's scoring has one");
}

static void check_groups(const struct report *r, yyjson_val *measure, yyjson_val *report,
                         const struct place *at)
{
    yyjson_val *defined = js_get(measure, "group"), *group, *of;
    size_t i, n;

    check_list(r, defined, js_get(report, "group"), "group", true, at);
    yyjson_arr_foreach(js_get(report, "group"), i, n, group) {
        struct place here = {at, STR("group"), (ptrdiff_t)i};
        of = defined_for(defined, group);
        if (!of || !conform_step(r->c, at))
            continue;
        check_list(r, js_get(of, "population"), js_get(group, "population"), "population", true,
                   &here);
        check_list(r, js_get(of, "stratifier"), js_get(group, "stratifier"), "stratifier", false,
                   &here);
        check_score(r, group, &here);
    }
}

static struct str measure_scoring(yyjson_val *measure)
{
    yyjson_val *coding = yyjson_arr_get_first(js_get(js_get(measure, "scoring"), "coding"));

    return js_get_str(coding, "code");
}

int conform_report(struct conform *c, yyjson_val *report, const struct place *at)
{
    const struct world *world = c->options->world;
    struct report r = {.c = c,
                       .url = js_get_str(report, "measure"),
                       .is_finished = str_eq(js_get_str(report, "status"), STR("complete"))};
    struct place below = {at, STR("measure"), -1};
    yyjson_val *measure = NULL;
    int result;

    /* mrp-1 says that what is only collected has no groups. */
    if (!r.url.n || !world || !world->canonical ||
        str_eq(js_get_str(report, "type"), STR("data-collection")))
        return 0;
    result =
        world->canonical(world->ctx, c->a, def_resource(STR("Measure")), r.url, &measure, c->err);
    if (result < 0)
        return result;
    if (!measure) {
        if (!conform_said(c, r.url))
            conform_say(c, ISSUE_INFORMATION, "not-found", &below, NULL, STR("measure"),
                        "was not looked at: the measure is not known here");
        return 0;
    }
    /* What a composite's group says follows from its components. */
    if (js_get(measure, "compositeScoring"))
        return 0;
    r.scoring = measure_scoring(measure);
    check_groups(&r, measure, report, at);
    return 0;
}
