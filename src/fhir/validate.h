/* validate.h - structural validation of a resource against the base definitions.
 *
 * Checks types, cardinalities, primitive formats and ranges, unknown elements, choice types, ids,
 * reference targets' types, required bindings whose code list the definitions hold, `_name`
 * siblings of primitives, contained resources, and that a narrative is safe XHTML.
 * Profiles and invariants are not looked at here.
 * Source: http://hl7.org/fhir/R4/json.html, datatypes.html, narrative.html#xhtml.
 */
#ifndef FHIR_VALIDATE_H
#define FHIR_VALIDATE_H

#include "base/js.h"
#include "fhir/issues.h"

#define FHIR_ID_MAX 64
#define FHIR_STRING_MAX MIB(1)

/* Whether s is a FHIR id: 1 to 64 of A-Z a-z 0-9 - . */
bool fhir_is_id(struct str s);

/* Fills `issues` with what does not hold; returns the resource's type (def_resource), or 0 when
 * `resourceType` is missing or unknown (an issue says so). Negative only for lack of memory. */
int fhir_validate(yyjson_val *root, struct issues *issues, struct err *err);

#endif
