/* patch.h - JSON Patch (RFC 6902) with JSON Pointer (RFC 6901), and FHIRPath Patch
 * (http://hl7.org/fhir/R4/fhirpatch.html). Number literals are kept.
 *
 * `test` compares numbers by their value (1.0 equals 1), strings by code point, objects without
 * regard to order. Operations are applied in order to a copy: all of them or none.
 */
#ifndef FHIR_PATCH_H
#define FHIR_PATCH_H

#include "base/js.h"
#include "fhir/world.h"

#define PATCH_OPERATIONS_MAX 1000
#define PATCH_STEPS_MAX 20000000 /* values that all operations of a patch look at together */

/* Applies `patch` (the parsed array of operations) to `root` and writes the result's JSON text.
 * Scratch memory comes from `a`. Errors name the operation by index and its path: ERR_SYNTAX for a
 * patch that is none, ERR_PROCESSING for one that does not fit the resource or whose test fails,
 * ERR_COSTLY past one of the limits above, ERR_NO_MEMORY at the arena's or the builder's limit.
 * The result is not validated here. */
int patch_json(struct arena *a, yyjson_val *root, yyjson_val *patch, struct sb *out,
               struct err *err);

/* The same for a Parameters resource with operations: add, insert, delete, replace, move. A path
 * may be any FHIRPath; it must lead to one element (to none, for delete), or in insert and move end
 * in the name of a list. An element that has nothing left in it goes too. `world` answers the
 * paths' resolve(), memberOf() and the like; NULL: nothing is known. */
int patch_fhirpath(struct arena *a, yyjson_val *root, yyjson_val *parameters,
                   const struct world *world, struct sb *out, struct err *err);

#endif
