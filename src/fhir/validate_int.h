/* validate_int.h - what the parts of the validator share. */
#ifndef FHIR_VALIDATE_INT_H
#define FHIR_VALIDATE_INT_H

#include "fhir/defs.h"
#include "fhir/validate.h"

/* Where the walk is: a chain on the stack, made text only when there is something to say. */
struct place {
    const struct place *up;
    struct str name; /* type name at the root, element name below */
    ptrdiff_t index; /* in an array, -1: none */
};

struct check {
    struct issues *issues;
    yyjson_val *container; /* the resource whose `contained` local references mean */
    size_t *lookups;       /* members looked at for local references, all in all */
};

/* "Patient.name[0].given[1]" into `to`, cut at `max`; returns its length. */
size_t place_text(const struct place *at, char *to, size_t max);

/* Adds an error at a place. Texts say what does not hold, as predicates: "is not a date". They hold
 * no values of the resource: they may be logged. */
void check_say(struct check *c, const struct place *at, const char *issue_type, const char *fmt,
               ...) _printf_(4, 5);

/* What does not hold for a value of a primitive type, or NULL. An array or object is the caller's.
 */
const char *primitive_problem(enum def_which type, yyjson_val *v);

/* 32 hexadecimal digits in groups, small ones unless any_case; numbers with dots between. */
bool text_is_uuid(struct str s, bool any_case);
bool text_is_oid(struct str s);

/* A Reference object: its literal reference and its type against the element's targets. */
void check_reference(struct check *c, const struct def_element *e, yyjson_val *v,
                     const struct place *at);

/* A code, Coding or CodeableConcept against the element's code list (e->codes is set). */
void check_codes(struct check *c, const struct def_element *e, const struct def_type *t,
                 yyjson_val *v, const struct place *at);

#endif
