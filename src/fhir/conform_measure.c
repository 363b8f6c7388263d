/* conform_measure.c - a Measure's groups have the populations that its scoring asks for, each once
 * (a ratio may observe and begin with two), and none that it does not have.
 *
 * Source: http://hl7.org/fhir/R4/measure.html.
 */
#include "fhir/measure.h"
#include "fhir/profile_int.h"

struct measured {
    struct conform *c;
    enum scoring scoring;
};

static struct str first_code(yyjson_val *concept)
{
    return js_get_str(yyjson_arr_get_first(js_get(concept, "coding")), "code");
}

static size_t most_of(enum scoring scoring, enum population_kind kind)
{
    return scoring == SCORING_RATIO && (kind == POP_INITIAL || kind == POP_OBSERVATION) ? 2 : 1;
}

static void say(const struct measured *m, const char *type, const struct place *at,
                enum population_kind kind, const char *text)
{
    struct str code = population_code(kind), scoring = scoring_code(m->scoring);

    conform_say(m->c, ISSUE_ERROR, type, at, NULL, STR("population"),
                "%s: %.*s, of a measure whose "
                "scoring is %.*s",
                text, STR_ARG(code), STR_ARG(scoring));
}

/* A population whose code is of somebody else may be any: then nothing is said to be missing. */
static void check_group(const struct measured *m, yyjson_val *group, const struct place *at)
{
    size_t counts[POP_KINDS + 1] = {0}, i, n;
    struct place list = {at, STR("population"), -1};
    yyjson_val *v;

    yyjson_arr_foreach(js_get(group, "population"), i, n, v) {
        struct place here = {at, STR("population"), (ptrdiff_t)i};
        enum population_kind kind = population_of(first_code(js_get(v, "code")));

        counts[kind]++;
        if (kind == POP_KINDS)
            continue;
        if (population_need(m->scoring, kind) == POP_FORBIDDEN)
            say(m, "business-rule", &here, kind, "is a population that does not belong here");
        else if (counts[kind] > most_of(m->scoring, kind))
            say(m, "duplicate", &here, kind,
                "is a population that is there more often than it can");
    }
    for (int kind = 0; kind < POP_KINDS && n && !counts[POP_KINDS]; kind++)
        if (!counts[kind] &&
            population_need(m->scoring, (enum population_kind)kind) == POP_REQUIRED)
            say(m, "required", &list, (enum population_kind)kind, "lacks a population");
}

void conform_measure(struct conform *c, yyjson_val *measure, const struct place *at)
{
    struct measured m = {c, scoring_of(first_code(js_get(measure, "scoring")))};
    yyjson_val *v;
    size_t i, n;

    if (m.scoring == SCORINGS)
        return;
    yyjson_arr_foreach(js_get(measure, "group"), i, n, v) {
        struct place here = {at, STR("group"), (ptrdiff_t)i};
        if (conform_step(c, at))
            check_group(&m, v, &here);
    }
}
