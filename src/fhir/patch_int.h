/* patch_int.h - what both kinds of patch share. */
#ifndef FHIR_PATCH_INT_H
#define FHIR_PATCH_INT_H

#include "fhir/defs.h"
#include "fhir/patch.h"

#define PATCH_PATH_SHOWN 100 /* bytes of a path in a message */

/* JSON text of a tree whose depth is bounded. */
void patch_write(struct sb *out, yyjson_mut_val *v);

/* ---- FHIRPath Patch ---- */

/* The element that a name stands for: "deceased" and "deceasedBoolean" alike; NULL when the type
 * has none. */
const struct def_element *patch_element(const struct def_type *t, struct str name);

/* What the "value" of an operation becomes in JSON: the member's name (that of a choice by its
 * type), its value and the sibling of a primitive (either may be NULL). */
struct patch_value {
    struct str json;
    yyjson_mut_val *v, *more;
};

/* From a part (value[x], resource, or parts of its own) for an element. ERR_PROCESSING or
 * ERR_SYNTAX say in `err` what does not hold. */
int patch_value(struct arena *a, yyjson_mut_doc *doc, const struct def_element *e, yyjson_val *part,
                struct patch_value *ret, struct err *err);

/* Whether a value stands under a name: of a choice, "deceased" takes any, "deceasedBoolean" one. */
bool patch_is_named(const struct def_element *e, const struct patch_value *value, struct str name);

/* Adds to an object: appended where the element repeats; ERR_PROCESSING where it is there already
 * and does not. */
int patch_add(struct arena *a, yyjson_mut_doc *doc, yyjson_mut_val *obj,
              const struct def_element *e, const struct patch_value *value, struct err *err);

/* "_name" */
struct str patch_sibling(struct arena *a, struct str name);
/* A list and the list of its siblings, made where it is missing; the latter as long as the former.
 */
yyjson_mut_val *patch_siblings(yyjson_mut_doc *doc, yyjson_mut_val *obj, struct str sibling,
                               size_t n);

#endif
