/* cluster.h - ICD-11 postcoordination: codes put together from codes.
 *
 *     cluster = stem-part *("/" stem-part)
 *     stem-part = code *("&" code)
 *
 * The first code of the first part is a stem code; what stands behind "&" is an extension code
 * (chapter X) or, as WHO writes some, a further stem; each part behind "/" begins with a stem.
 * Each code must exist and may be chosen. Whether an extension may stand on a stem's axis is not
 * checked: that is in WHO's axis data, which the tabulation does not have.
 * Source: ICD-11 Reference Guide, section 2.10 (code structure, postcoordination).
 */
#ifndef TERMINOLOGY_CLUSTER_H
#define TERMINOLOGY_CLUSTER_H

#include "terminology/cs.h"

#define CLUSTER_CODES_MAX 50

/* 0 with the display of all parts ("Cholera & Acute"), or ERR_VALUE with what is wrong and where.
 */
int cluster_check(const struct cs *cs, struct arena *a, struct str code, struct str *ret_display,
                  struct err *err);
/* The first stem of a cluster (or the code itself). */
struct str cluster_stem(struct str code);

#endif
