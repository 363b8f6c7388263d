/* sdc.h - forms: a Questionnaire that is filled from records, and records made of its answers.
 *
 * Pure: whoever calls brings the resources that a form is filled from, and answers its queries.
 * What a form asks for and cannot have is an issue that names the question, never an error of the
 * whole; memory and bounds are errors. docs/decisions/0077-forms.md says what of the guide is
 * there.
 *
 * Source: HL7 Structured Data Capture (http://hl7.org/fhir/uv/sdc, 3.0.0 and 4.0.0): expressions,
 * population by expressions and by observations, extraction by observations and by definitions.
 */
#ifndef FHIR_SDC_H
#define FHIR_SDC_H

#include "fhir/issues.h"
#include "fhir/path.h"

#define SDC_ITEMS_MAX 5000      /* items and answers of one response */
#define SDC_VARIABLES_MAX 64    /* that one expression may name */
#define SDC_QUERIES_MAX 50      /* that one form asks */
#define SDC_QUERY_MAX KIB(8)    /* bytes of one of them */
#define SDC_ENTRIES_MAX 500     /* resources of one response */
#define SDC_RESPONSE_MAX MIB(8) /* bytes of a filled form */
#define SDC_ROUNDS_MAX 10       /* of calculated values, which may depend on one another */
#define SDC_STEPS_MAX 20000000  /* evaluation steps of all expressions of one form */
#define SDC_CONTEXTS_MAX 20     /* launch contexts of one form */

struct sdc_pending;

struct sdc {
    struct arena *a;
    struct issues *issues;
    const struct world *world; /* for expressions; may be NULL */
    /* What a query ("Observation?code=1") or a read ("Patient/1") gives: a Bundle, or a resource;
     * NULL in *ret where there is nothing. NULL: no query is asked. */
    int (*ask)(void *ctx, struct arena *a, struct str query, yyjson_val **ret, struct err *err);
    void *ask_ctx;
    int64_t now_ms;
    int tz_minutes;

    /* Its own; begin with 0. */
    yyjson_val *questionnaire, *response;
    struct path_variable *variables;
    struct sdc_pending *pending; /* beside them */
    size_t n_variables, n_items, n_queries, n_given, steps;
};

/* The launch contexts that a form names, in their order: the name, and the types with blanks
 * between. False behind the last. */
bool sdc_launch_context(yyjson_val *questionnaire, size_t i, struct str *ret_name,
                        yyjson_val **ret_extension);
/* Whether a launch context takes a resource of the type. */
bool sdc_launch_takes(yyjson_val *extension, struct str type);

/* Writes the QuestionnaireResponse of a form about `subject` ("Patient/1", or empty), which is
 * in-progress. `given`: what the launch contexts stand for. */
int sdc_populate(struct sdc *s, yyjson_val *questionnaire, struct str subject,
                 const struct path_variable *given, size_t n_given, struct sb *out,
                 struct err *err);

/* A resource that a response makes, or changes. */
struct sdc_entry {
    yyjson_val *resource;
    struct str key;     /* the same for the same question of the same response */
    struct str update;  /* "Patient/1": it is the next version of that one; .p NULL: a new one */
    struct str version; /* versionId that the update began with */
};

struct sdc_entries {
    struct sdc_entry *v;
    size_t n, cap;
};

/* What a response makes by the rules of its form. What is answered but not asked (enableWhen) is
 * passed over. */
int sdc_extract(struct sdc *s, yyjson_val *questionnaire, yyjson_val *response,
                struct sdc_entries *ret, struct err *err);

#endif
