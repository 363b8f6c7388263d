/* value_int.h - what a search parameter finds in a resource, taken apart into simple values.
 *
 * The one place that knows which parts of which data type a kind of parameter looks at
 * (http://hl7.org/fhir/R4/search.html, a table for each kind). index.c makes keys of the values,
 * search_match.c compares with them.
 */
#ifndef FHIR_VALUE_INT_H
#define FHIR_VALUE_INT_H

#include "fhir/decimal.h"
#include "fhir/index.h"
#include "fhir/path.h"

enum value_kind {
    VALUE_TOKEN,      /* system, code, text (display), concept (text of the concept around it) */
    VALUE_LABEL,      /* text of a concept without codes, or of an identifier's type */
    VALUE_STRING,     /* text */
    VALUE_URI,        /* text */
    VALUE_LOCAL,      /* reference to type/id, perhaps of one version */
    VALUE_URL,        /* absolute reference or canonical: text, version */
    VALUE_IDENTIFIER, /* logical reference: system, code */
    VALUE_ELSEWHERE,  /* reference that no search names: contained, or only a display */
    VALUE_NUMBER,     /* low (and high, where is_range) */
    VALUE_QUANTITY,   /* the same, system, code, text (unit) */
    VALUE_DATE,       /* from_ms <= t < to_ms */
};

#define VALUE_TIME_MIN (-62135596800000 - 86400000) /* a day before year 1: without start */
#define VALUE_TIME_MAX (253402300800000 + 86400000) /* a day behind year 9999: without end */

struct value {
    enum value_kind kind;
    struct str system, code, text, concept, version;
    const struct def_codes *codes; /* of a `code`: the list whose systems are implied, or NULL */
    int type;
    struct str id;
    bool is_range, no_low, no_high; /* is_range: low … high, either of which may be open */
    struct decimal low, high;
    int64_t from_ms, to_ms;
};

typedef int value_visit(void *ctx, const struct value *v);

/* Calls `visit` for each value that a parameter of `kind` has in one item of its expression. */
int value_each(const struct index_options *opt, enum def_param_kind kind,
               const struct path_item *item, value_visit *visit, void *ctx);

/* Takes a literal reference apart: VALUE_LOCAL, VALUE_URL or VALUE_ELSEWHERE. */
void value_reference(const struct index_options *opt, struct str ref, struct value *ret);
/* A canonical: its version behind '|'. */
void value_canonical(struct str text, struct value *ret);

#endif
