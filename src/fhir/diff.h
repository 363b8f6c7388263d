/* diff.h - what makes one resource of another, as a FHIRPath Patch.
 *
 * The operations, applied to the first, give the second: patch_fhirpath (patch.h) is the inverse.
 * Elements are compared by the definitions; numbers by their literals, because 1.0 is not 1. Items
 * at the beginning and the end of a list that are equal stay; those between are compared in order.
 * A choice, a contained resource and what stands in an entry of a Bundle are replaced whole.
 */
#ifndef FHIR_DIFF_H
#define FHIR_DIFF_H

#include "base/js.h"

#define DIFF_OPERATIONS_MAX 10000

/* Appends the Parameters resource. The id is passed over; so is meta, or, `with_meta`, its version
 * and time alone. ERR_INVALID when the two are of different types, ERR_COSTLY past the limit. */
int fhir_diff(yyjson_val *from, yyjson_val *to, bool with_meta, struct sb *out, struct err *err);

#endif
