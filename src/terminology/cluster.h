/* cluster.h - ICD-11 postcoordination: codes put together from codes.
 *
 *     cluster = stem-part *("/" stem-part)
 *     stem-part = code *("&" code)
 *
 * The first code of the first part is a stem code; what stands behind "&" is an extension code
 * (chapter X) or, as WHO writes some, a further stem; each part behind "/" begins with a stem.
 * Each code must exist and may be chosen.
 *
 * Where WHO's axis data was loaded beside the tabulation (CONCEPT_AXES), what stands behind "&"
 * must be a value of an axis of its stem, or of a value before it (an anatomical part has a side),
 * or be one that may stand anywhere; an axis takes as many values as it allows; and one that is
 * required must have a value, in the part or as a stem behind "/". Source: ICD-11 Reference Guide,
 * section 2.10 (code structure, postcoordination).
 */
#ifndef TERMINOLOGY_CLUSTER_H
#define TERMINOLOGY_CLUSTER_H

#include "terminology/cs.h"

#define CLUSTER_CODES_MAX 50

/* Property of concepts: the name of an axis; in the place of a system its rules, in that of a
 * display the codes whose descendants are its values (and they themselves), apart by blanks. */
#define CLUSTER_AXIS "postcoordinationScale"
#define AXIS_REQUIRED "required"
/* How many values: as WHO's API calls it. */
#define AXIS_ONCE "NotAllowed"
#define AXIS_MANY "AllowAlways"
#define AXIS_BLOCKS "AllowedExceptFromSameBlock"

/* 0 with the display of all parts ("Cholera & Acute"), or ERR_VALUE with what is wrong and where.
 */
int cluster_check(const struct cs *cs, struct arena *a, struct str code, struct str *ret_display,
                  struct err *err);
/* The first stem of a cluster (or the code itself). */
struct str cluster_stem(struct str code);

#endif
