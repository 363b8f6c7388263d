#include "fhir/measure.h"

static const struct str scorings[SCORINGS] = {
    [SCORING_COHORT] = STR("cohort"),
    [SCORING_PROPORTION] = STR("proportion"),
    [SCORING_RATIO] = STR("ratio"),
    [SCORING_CONTINUOUS] = STR("continuous-variable"),
};

/* A population's code, and for each scoring in the order above: required, optional, or none. */
static const struct {
    struct str code;
    char need[SCORINGS];
} populations[POP_KINDS] = {
    [POP_INITIAL] = {STR("initial-population"), {'R', 'R', 'R', 'R'}},
    [POP_NUMERATOR] = {STR("numerator"), {'-', 'R', 'R', '-'}},
    [POP_NUMERATOR_EXCLUSION] = {STR("numerator-exclusion"), {'-', 'O', 'O', '-'}},
    [POP_DENOMINATOR] = {STR("denominator"), {'-', 'R', 'R', '-'}},
    [POP_DENOMINATOR_EXCLUSION] = {STR("denominator-exclusion"), {'-', 'O', 'O', '-'}},
    [POP_DENOMINATOR_EXCEPTION] = {STR("denominator-exception"), {'-', 'O', '-', '-'}},
    [POP_MEASURE] = {STR("measure-population"), {'-', '-', '-', 'R'}},
    [POP_MEASURE_EXCLUSION] = {STR("measure-population-exclusion"), {'-', '-', '-', 'O'}},
    [POP_OBSERVATION] = {STR("measure-observation"), {'-', '-', 'O', 'R'}},
};

enum scoring scoring_of(struct str code)
{
    int i = 0;

    while (i < SCORINGS && !str_eq(scorings[i], code))
        i++;
    return (enum scoring)i;
}

enum population_kind population_of(struct str code)
{
    int i = 0;

    while (i < POP_KINDS && !str_eq(populations[i].code, code))
        i++;
    return (enum population_kind)i;
}

struct str scoring_code(enum scoring scoring)
{
    return scorings[scoring];
}

struct str population_code(enum population_kind kind)
{
    return populations[kind].code;
}

enum population_need population_need(enum scoring scoring, enum population_kind kind)
{
    switch (populations[kind].need[scoring]) {
    case 'R': return POP_REQUIRED;
    case 'O': return POP_OPTIONAL;
    default: return POP_FORBIDDEN;
    }
}
