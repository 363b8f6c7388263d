/* measure_int.h - the parts of $evaluate-measure.
 *
 * measure.c          a Measure's groups, populations and stratifiers, compiled; one subject
 * measure_report.c   counts, scores, strata as a MeasureReport
 * op_measure.c       parameters, subjects and their records
 */
#ifndef API_MEASURE_INT_H
#define API_MEASURE_INT_H

#include "api/op.h"

#include "fhir/path.h"

#define MEASURE_GROUPS_MAX 50
#define MEASURE_POPULATIONS_MAX 20 /* of a group */
#define MEASURE_STRATIFIERS_MAX 20 /* of a group */
#define MEASURE_COMPONENTS_MAX 8   /* of a stratifier */
#define MEASURE_STRATA_MAX 500     /* of a stratifier */

/* http://terminology.hl7.org/CodeSystem/measure-population */
enum population_kind {
    POP_INITIAL,
    POP_NUMERATOR,
    POP_NUMERATOR_EXCLUSION,
    POP_DENOMINATOR,
    POP_DENOMINATOR_EXCLUSION,
    POP_DENOMINATOR_EXCEPTION,
    POP_MEASURE,
    POP_MEASURE_EXCLUSION,
    POP_KINDS,
};

enum scoring { SCORING_COHORT, SCORING_PROPORTION, SCORING_RATIO, SCORING_CONTINUOUS };

/* A criterion, compiled, and what it is called in an error. */
struct criterion {
    const struct path *path;
    struct str where;
};

struct population {
    enum population_kind kind;
    yyjson_val *code; /* of the Measure, or NULL */
    struct criterion criterion;
    struct str *subjects; /* of a subject-list: references */
    size_t n_subjects, cap;
};

struct stratum {
    struct str values[MEASURE_COMPONENTS_MAX];
    uint64_t counts[POP_KINDS];
};

struct stratifier {
    yyjson_val *code;
    bool has_components;
    yyjson_val *component_codes[MEASURE_COMPONENTS_MAX];
    struct criterion criteria[MEASURE_COMPONENTS_MAX];
    size_t n_criteria;
    struct stratum *strata;
    size_t n_strata, cap;
};

struct measure_group {
    yyjson_val *code;
    struct population populations[MEASURE_POPULATIONS_MAX];
    size_t n_populations;
    struct stratifier stratifiers[MEASURE_STRATIFIERS_MAX];
    size_t n_stratifiers;
    uint64_t counts[POP_KINDS];
};

enum report_type { REPORT_INDIVIDUAL, REPORT_LIST, REPORT_SUMMARY };

struct measure {
    struct call *c;
    yyjson_val *resource;
    int subject_type;
    enum scoring scoring;
    enum report_type report;
    bool needs_record; /* an expression asks for %record */
    struct measure_group *groups;
    size_t n_groups;
    struct str start, end; /* of the period, as dateTimes to the millisecond */
    struct str subject;    /* of an individual report */
};

/* Compiles a Measure. ERR_NOT_SUPPORTED for languages other than text/fhirpath and for populations
 * that are not counted. */
int measure_compile(struct measure *m);
/* One subject: its populations and strata are counted. `env` has its variables. */
int measure_subject(struct measure *m, struct path_env *env, const struct path_item *subject,
                    struct str reference);
int measure_report(struct measure *m, struct str id, struct sb *out);

/* "initial-population" … */
struct str population_code(enum population_kind kind);

#endif
