/* case_definition.h - which records are evidence of which disease, as data.
 *
 * A set of definitions is a JSON text (docs/formats/case-definitions.md). A definition's rules each
 * say what a Condition or an Observation with certain codes is evidence of. What is evidence of one
 * disease in one person within its episode is one case (cases.h).
 *
 * A rule may ask for more than the record says: how old the person was, facts (a pregnancy, a
 * vaccination) that other records of theirs tell, or whether an outbreak is declared where they
 * were seen. Such a rule is conditional: case_says notes that the record fits, and rule_holds
 * (records_int.h) answers the rest, again and again, as those other records change.
 *
 * A code of ICD-10 or ICD-11 stands for what lies below it too: "1F03" for "1F03.0", and for the
 * clusters of which it is the stem ("1F03.0&XN8LK", "1F03/CA40.Z"; ICD-11 Reference Guide 2.10).
 */
#ifndef SURVEILLANCE_CASE_DEFINITION_H
#define SURVEILLANCE_CASE_DEFINITION_H

#include "base/js.h"
#include "fhir/decimal.h"

#define CASE_DEFINITIONS_BYTES_MAX MIB(1) /* one set, as text */
#define CASE_DEFINITIONS_MAX 500          /* diseases of a set */
#define CASE_FACTS_MAX 50                 /* facts of a set */
#define CASE_RULES_MAX 100                /* rules of a disease or a fact */
#define CASE_CONDITIONAL_MAX 32           /* of them, those that are conditional */
#define CASE_CODES_MAX 500                /* codes of a rule */
#define CASE_BOUNDS_MAX 2                 /* of a quantity */
#define CASE_ASKS_MAX 4                   /* facts that a rule asks for */
#define CASE_EPISODE_DAYS_MAX 36500
#define CASE_ASK_DAYS_MAX 36500

/* In order: a higher one prevails over a lower one, so that what a laboratory confirmed stays so.
 */
enum case_class { CASE_NONE, CASE_SUSPECTED, CASE_PROBABLE, CASE_DISCARDED, CASE_CONFIRMED };

/* What a fact's evidence says is kept as a class too. */
#define FACT_YES CASE_CONFIRMED
#define FACT_NO CASE_DISCARDED

enum case_record { RECORD_CONDITION, RECORD_OBSERVATION, RECORD_IMMUNIZATION };

enum case_result {
    RESULT_ANY,
    RESULT_POSITIVE,
    RESULT_NEGATIVE,
    RESULT_TEXT,
    RESULT_VALUES,
    RESULT_QUANTITY
};

struct case_code {
    struct str system, code;
};

enum bound_kind { BOUND_LT, BOUND_LE, BOUND_GT, BOUND_GE };

/* "ge10 g/dL", in canonical units (ucum.h). */
struct case_bound {
    enum bound_kind kind;
    struct decimal value;
    struct str unit;
};

/* Whether a fact was true so many days before the evidence; negative: after it. */
struct case_ask {
    uint16_t fact;
    bool is_not; /* it must not */
    int32_t least, most;
};

enum age_unit { AGE_DAYS, AGE_MONTHS, AGE_YEARS };

/* Of the disease, at the place where the person was seen, on the day of the evidence. */
enum outbreak_asked { OUTBREAK_ANY, OUTBREAK_DECLARED, OUTBREAK_NONE };

struct case_rule {
    enum case_class says;
    enum case_record of;
    struct case_code *codes;
    size_t n_codes;
    enum case_result result;  /* of an Observation */
    struct str text;          /* RESULT_TEXT: how the result's text begins */
    struct case_code *values; /* RESULT_VALUES: one of them */
    size_t n_values;
    struct case_bound bounds[CASE_BOUNDS_MAX]; /* RESULT_QUANTITY: all of them */
    size_t n_bounds;
    /* conditional */
    uint32_t bit; /* which one of its disease's conditional rules, as a bit; 0: it is none */
    bool asks_age;
    enum age_unit age_unit;
    uint32_t age_from, age_below; /* UINT32_MAX: no end */
    struct case_ask asks[CASE_ASKS_MAX];
    size_t n_asks;
    enum outbreak_asked outbreak;
};

struct case_definition {
    struct str disease; /* its name in files and on command lines: "yellow-fever" */
    struct str title, source;
    int episode_days; /* evidence within so many days of the first is of one case */
    struct case_rule *rules;
    size_t n_rules;
    uint32_t asks_outbreak; /* bits of the rules that do */
};

struct case_fact {
    struct str name;
    struct case_rule *rules; /* says FACT_YES or FACT_NO; none is conditional */
    size_t n_rules;
};

struct case_definitions {
    struct str version;
    struct case_definition *v;
    size_t n;
    struct case_fact *facts;
    size_t n_facts;
    bool asks_outbreak, asks_immunization; /* any of them */
    /* URLs of extensions that refer to a Location: of a Patient or an address, where somebody
     * lives; of a finding, where they caught it. .p NULL: none does. */
    struct str residence, exposure;
};

/* Reads a set; strings lie in `a`. ERR_SYNTAX, ERR_VALUE or ERR_TOO_LONG name the place. */
int case_definitions_read(struct arena *a, struct str text, struct case_definitions *ret,
                          struct err *err);

/* The set that is built in: the epidemic-prone diseases of IDSR, each with its source. */
struct str case_definitions_starter(void);

/* NULL: no disease has this name. */
const struct case_definition *case_definition_find(const struct case_definitions *all,
                                                   struct str disease);

/* "<", "<=", ">" or ">="; false for another. */
bool bound_kind_of(struct str comparator, enum bound_kind *ret);

/* ---- case_says.c ---- */

/* What a Condition, an Observation or an Immunization says by these rules: the highest of those
 * that are not conditional. *ret_maybe: the bits of those that are, and that the record fits.
 * Resources that say that they are wrong (entered in error, refuted, cancelled), results that are
 * not final and vaccinations that were not given say nothing. */
enum case_class case_says(const struct case_rule *rules, size_t n, yyjson_val *resource,
                          uint32_t *ret_maybe);

/* "suspected" …, "" for CASE_NONE; and back, CASE_NONE for another word. */
const char *case_class_name(enum case_class c);
enum case_class case_class_of(struct str name);

#endif
