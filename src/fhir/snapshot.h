/* snapshot.h - the snapshot of a StructureDefinition: given, or generated from its differential.
 *
 * A profile's differential is laid over the snapshot of its base definition, element by element:
 * what it names is constrained, what lies within a data type or a profile on one is unfolded first,
 * slices are made from the element that they slice, and a choice element may be called by one of
 * its types ("valueQuantity").
 * Source: http://hl7.org/fhir/R4/profiling.html#snapshot, elementdefinition.html#interpretation.
 */
#ifndef FHIR_SNAPSHOT_H
#define FHIR_SNAPSHOT_H

#include "fhir/world.h"

#define SNAPSHOT_BYTES_MAX MIB(256) /* memory while one snapshot is made */
#define SNAPSHOT_TEXT_MAX MIB(32)   /* one snapshot as JSON */
#define SNAPSHOT_ELEMENTS_MAX 20000 /* elements of one snapshot */
#define SNAPSHOT_NESTING_MAX 16     /* definitions that need one another's snapshots */
#define SNAPSHOT_PATH_MAX 1000      /* bytes of an element's id or path */

/* The elements of the definition's snapshot: those that it has, or generated ones (in `a`).
 * ERR_PROCESSING says what does not fit: an unknown base, definitions that need themselves, an
 * element that is not there, a cardinality that is not narrower, a binding that is weaker. */
int snapshot_elements(struct arena *a, const struct world *world, yyjson_val *definition,
                      yyjson_val **ret, struct err *err);

/* The same, generated even where the definition has a snapshot already. */
int snapshot_generate(struct arena *a, const struct world *world, yyjson_val *definition,
                      yyjson_val **ret, struct err *err);

#endif
