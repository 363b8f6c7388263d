/* base_resources.h - R4's own definitions as resources, made again from the tables of defs/.
 *
 * StructureDefinitions of all types (snapshot only), of R4's own profiles and extensions
 * (differential only), SearchParameters, CodeSystems, ValueSets and CompartmentDefinitions, each
 * under its official id and url, so that a node can hold them like any other resource. What is
 * prose in the official files is not there. 4,406 resources, 6.5 MB, always the same and in the
 * same order.
 */
#ifndef FHIR_BASE_RESOURCES_H
#define FHIR_BASE_RESOURCES_H

#include "base/err.h"
#include "base/str.h"

/* Calls emit with the JSON of one resource after the other; the text is valid during the call. Ends
 * with the first negative result of emit, and returns it. */
int base_resources(int (*emit)(void *ctx, struct str json, struct err *err), void *ctx,
                   struct err *err);

/* The same for the StructureDefinition of one type alone; nothing is emitted where there is none.
 */
int base_resource_of_type(struct str type, int (*emit)(void *ctx, struct str json, struct err *err),
                          void *ctx, struct err *err);

#endif
