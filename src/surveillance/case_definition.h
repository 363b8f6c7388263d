/* case_definition.h - which records are evidence of which disease, as data.
 *
 * A set of definitions is a JSON text (docs/formats/case-definitions.md). A definition's rules each
 * say what a Condition or an Observation with certain codes is evidence of. What is evidence of one
 * disease in one person within its episode is one case (cases.h).
 *
 * A code of ICD-10 or ICD-11 stands for what lies below it too: "1F03" for "1F03.0", and for the
 * clusters of which it is the stem ("1F03.0&XN8LK", "1F03/CA40.Z"; ICD-11 Reference Guide 2.10).
 */
#ifndef SURVEILLANCE_CASE_DEFINITION_H
#define SURVEILLANCE_CASE_DEFINITION_H

#include "base/js.h"

#define CASE_DEFINITIONS_BYTES_MAX MIB(1) /* one set, as text */
#define CASE_DEFINITIONS_MAX 500          /* diseases of a set */
#define CASE_RULES_MAX 100                /* rules of a disease */
#define CASE_CODES_MAX 500                /* codes of a rule */
#define CASE_EPISODE_DAYS_MAX 36500

/* In order: a higher one prevails over a lower one, so that what a laboratory confirmed stays so.
 */
enum case_class { CASE_NONE, CASE_SUSPECTED, CASE_PROBABLE, CASE_DISCARDED, CASE_CONFIRMED };

enum case_result { RESULT_ANY, RESULT_POSITIVE, RESULT_NEGATIVE, RESULT_TEXT };

struct case_code {
    struct str system, code;
};

struct case_rule {
    enum case_class says;
    bool of_observation; /* of Observations; else of Conditions */
    struct case_code *codes;
    size_t n_codes;
    enum case_result result; /* of an Observation */
    struct str text;         /* RESULT_TEXT: how the result's text begins */
};

struct case_definition {
    struct str disease; /* its name in files and on command lines: "yellow-fever" */
    struct str title, source;
    int episode_days; /* evidence within so many days of the first is of one case */
    struct case_rule *rules;
    size_t n_rules;
};

struct case_definitions {
    struct str version;
    struct case_definition *v;
    size_t n;
};

/* Reads a set; strings lie in `a`. ERR_SYNTAX, ERR_VALUE or ERR_TOO_LONG name the place. */
int case_definitions_read(struct arena *a, struct str text, struct case_definitions *ret,
                          struct err *err);

/* The set that is built in: the epidemic-prone diseases of IDSR, each with its source. */
struct str case_definitions_starter(void);

/* NULL: no disease has this name. */
const struct case_definition *case_definition_find(const struct case_definitions *all,
                                                   struct str disease);

/* What a Condition or an Observation says of a disease: the highest of its rules. Resources that
 * say that they are wrong (entered in error, refuted, cancelled), and results that are not final,
 * say nothing. */
enum case_class case_says(const struct case_definition *d, yyjson_val *resource);

/* "suspected" …, "" for CASE_NONE; and back, CASE_NONE for another word. */
const char *case_class_name(enum case_class c);
enum case_class case_class_of(struct str name);

#endif
