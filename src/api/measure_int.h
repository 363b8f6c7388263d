/* measure_int.h - the parts of $evaluate-measure.
 *
 * measure_compile.c    a Measure's groups, populations and stratifiers, compiled
 * measure_composite.c  the components of a composite, and what it makes of them
 * measure.c            one subject: who is in which population
 * measure_observe.c    observations, and one number of many
 * measure_value.c      what stratifiers and supplemental data say of a subject
 * measure_report.c     counts, scores, strata as a MeasureReport
 * measure_supplement.c supplemental data in it
 * measure_subjects.c   subjects, their records, and what criteria resolve
 * op_measure.c         parameters
 */
#ifndef API_MEASURE_INT_H
#define API_MEASURE_INT_H

#include "api/call_world.h"
#include "api/op.h"

#include "fhir/decimal.h"
#include "fhir/measure.h"
#include "fhir/path.h"

#define MEASURE_GROUPS_MAX 50
#define MEASURE_PARTS_MAX 20        /* components of a composite */
#define MEASURE_POPULATIONS_MAX 20  /* of a group */
#define MEASURE_OBSERVATIONS_MAX 2  /* … that are observations */
#define MEASURE_STRATIFIERS_MAX 20  /* of a group */
#define MEASURE_SUPPLEMENTS_MAX 20  /* supplemental data of a measure */
#define MEASURE_COMPONENTS_MAX 8    /* of a stratifier */
#define MEASURE_STRATA_MAX 500      /* of a stratifier, and values of one supplemental datum */
#define MEASURE_VALUES_MAX 1000000  /* observations that medians keep */
#define MEASURE_STEPS_MAX 200000000 /* FHIRPath steps of all criteria for all subjects */
#define MEASURE_SUBJECTS_MAX 20000
#define MEASURE_RESOURCES_MAX 500000 /* resources of all records together */
#define MEASURE_RECORD_MAX 10000     /* resources of one record */

/* A criterion, compiled, and what it is called in an error. */
struct criterion {
    const struct path *path;
    struct str where;
};

enum aggregate {
    AGGREGATE_COUNT,
    AGGREGATE_SUM,
    AGGREGATE_AVERAGE,
    AGGREGATE_MEDIAN,
    AGGREGATE_MINIMUM,
    AGGREGATE_MAXIMUM,
};

struct population {
    enum population_kind kind;
    yyjson_val *code; /* of the Measure, or NULL */
    struct str id;
    struct criterion criterion;
    struct str from;          /* criteriaReference: the id of another population, or empty */
    int of;                   /* its place in the group: what an observation observes, what a
                                 numerator or a denominator is drawn from; -1: none is named */
    enum aggregate aggregate; /* of an observation */
    int observed_at;          /* its place in a tally's observations */
    struct str *subjects;     /* of a subject-list: references */
    size_t n_subjects, cap;
};

/* What one observation population has seen. All in the unit of the first. */
struct observed {
    uint64_t n;
    bool is_number; /* without a unit */
    struct str unit;
    bool is_ucum;
    struct decimal sum, min, max;
    struct decimal *values; /* of a median */
    size_t n_values, cap;
};

struct tally {
    uint64_t counts[MEASURE_POPULATIONS_MAX];
    struct observed observed[MEASURE_OBSERVATIONS_MAX];
};

/* A value by which people are told apart. */
struct measured {
    struct str key;     /* equal for equal values */
    struct str concept; /* as a CodeableConcept */
};

struct stratum {
    struct measured values[MEASURE_COMPONENTS_MAX];
    struct tally tally;
};

struct stratifier {
    yyjson_val *code;
    struct str id;
    bool has_components;
    yyjson_val *component_codes[MEASURE_COMPONENTS_MAX];
    struct criterion criteria[MEASURE_COMPONENTS_MAX];
    size_t n_criteria;
    struct stratum *strata;
    size_t n_strata, cap;
};

struct measure_group {
    yyjson_val *code;
    struct str id;
    enum scoring scoring;
    int basis; /* the type of resource that is counted; 0: subjects */
    struct population populations[MEASURE_POPULATIONS_MAX];
    size_t n_populations, n_observations;
    int at[POP_KINDS]; /* the first population of a kind; -1: none */
    struct stratifier stratifiers[MEASURE_STRATIFIERS_MAX];
    size_t n_stratifiers;
    struct tally tally;
    uint32_t last; /* the populations of the last subject, where subjects are counted */
};

struct supplement_value {
    struct measured value;
    uint64_t n; /* subjects */
};

struct supplement {
    yyjson_val *code;
    struct str id;
    struct criterion criterion;
    struct supplement_value *values;
    size_t n_values, cap;
};

enum composite_scoring { COMPOSITE_NONE, OPPORTUNITY, ALL_OR_NOTHING, LINEAR, WEIGHTED };

/* What a composite counts, and the sum of what each individual scores. */
struct composite {
    enum composite_scoring scoring; /* COMPOSITE_NONE: it is none */
    struct measure *parts;
    size_t n_parts;
    uint64_t denominator, numerator;
    struct decimal sum;
    struct str *subjects[2]; /* of the denominator, of the numerator, for a subject-list */
    size_t n_subjects[2], cap[2];
};

enum report_type { REPORT_INDIVIDUAL, REPORT_LIST, REPORT_SUMMARY };

struct measure {
    struct call *c;
    yyjson_val *resource;
    int subject_type;
    enum scoring scoring; /* of groups that have none of their own */
    enum report_type report;
    bool needs_record; /* an expression asks for %record */
    struct measure_group *groups;
    size_t n_groups;
    struct supplement supplements[MEASURE_SUPPLEMENTS_MAX];
    size_t n_supplements;
    struct composite composite;
    struct decimal weight; /* as a part of a weighted composite */
    struct str start, end; /* of the period, as dateTimes to the millisecond */
    struct str subject;    /* that the report is about */
    struct str *evaluated; /* of an individual report: references to what was looked at */
    size_t n_evaluated;
    uint64_t *steps;  /* of FHIRPath so far; shared with a composite's parts */
    size_t *n_values; /* kept for medians so far */
};

/* ---- measure_compile.c ---- */

/* Compiles a Measure that is no composite. ERR_NOT_SUPPORTED for languages other than
 * text/fhirpath; ERR_PROCESSING for populations that its scoring does not have. */
int measure_compile(struct measure *m);
/* One criterion over a focus of the type `context`; `where` names it in errors. */
int measure_compile_criterion(struct measure *m, yyjson_val *criteria, struct str where,
                              int context, struct criterion *ret);
struct str measure_first_code(yyjson_val *concept);
/* The value of an extension of the Quality Measure guide, by the end of its name. */
yyjson_val *measure_extension(yyjson_val *v, const char *name, const char *member);

/* ---- measure_composite.c ---- */

enum composite_scoring composite_scoring_of(yyjson_val *resource);
/* Whether the parts can be put together: called once all are compiled. */
int composite_check(struct measure *m);
/* The weight that the related artifact gives to a part. */
int composite_weight(struct measure *m, struct measure *part, yyjson_val *artifact,
                     struct str where);
/* One subject, after its parts have seen it. */
int composite_subject(struct measure *m, struct str reference);
/* Its score; false where there is none. */
bool composite_score(const struct measure *m, struct decimal *ret);
/* What of it a report says. */
void composite_write(const struct measure *m, struct sb *out);

/* ---- measure.c ---- */

/* One subject: its populations and strata are counted. `env` has its variables. */
int measure_subject(struct measure *m, struct path_env *env, const struct path_item *subject,
                    struct str reference);
int measure_criterion(struct measure *m, const struct criterion *criterion, struct path_env *env,
                      const struct path_item *focus, struct path_items *ret);
/* Keeps `reference` in a growing list. */
int measure_keep_reference(struct measure *m, struct str **list, size_t *n, size_t *cap,
                           struct str reference);

/* ---- measure_observe.c ---- */

int observe_method(struct measure *m, yyjson_val *population, struct str where,
                   enum aggregate *ret);
/* Adds what an observation's criterion said of one member: nothing, or one value. */
int observe_add(struct measure *m, const struct population *p, struct observed *o,
                const struct path_items *items);
/* One number of all; false where there is none. */
bool observe_aggregate(const struct population *p, const struct observed *o, struct decimal *ret);

/* ---- measure_value.c ---- */

/* A value as text or concept, in the scratch arena `a`. "unknown" for nothing. */
int measure_value(struct measure *m, struct arena *a, const struct criterion *criterion,
                  const struct path_items *items, struct measured *ret);
int measure_value_keep(struct measure *m, const struct measured *value, struct measured *ret);

/* ---- measure_report.c, measure_supplement.c ---- */

/* A member of an object that is a list, and is not there when it has no items. */
struct measure_list {
    struct sb *out;
    const char *name;
    bool is_open;
};

/* Before each item; and after all. */
void measure_list_next(struct measure_list *list);
void measure_list_end(struct measure_list *list);

int measure_report(struct measure *m, struct str id, struct sb *out);
/* The canonical of the measure, as a JSON string. */
void measure_write_canonical(const struct measure *m, struct sb *out);
int supplement_compile(struct measure *m, yyjson_val *list);
int supplement_subject(struct measure *m, struct path_env *env, const struct path_item *subject);
/* Contained Observations, and what refers to them. */
void supplement_write(const struct measure *m, struct measure_list *list);
void supplement_write_references(const struct measure *m, struct measure_list *list);

/* ---- measure_subjects.c ---- */

struct measure_run {
    struct measure m;
    struct call *c;
    struct store_txn *txn;
    struct arena scratch;       /* of one subject */
    struct call_world world;    /* what criteria may ask, but for records: */
    struct measure_world *over; /* … and these */
    struct str practitioner;
    yyjson_val *period;
    size_t n_subjects, n_resources;
    int64_t received_ms; /* what is older is not listed; 0: all is */
    size_t evaluated_cap;
};

/* What criteria may ask; call_world_done(&run->world) is the caller's. */
int measure_world(struct measure_run *run);
/* Who the measure is evaluated for: one, the members of a Group, or all. */
int measure_evaluate(struct measure_run *run, struct str subject);

#endif
