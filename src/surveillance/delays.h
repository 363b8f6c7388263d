/* delays.h - how long reports take: the share of a period's cases that is known so many periods
 * later, from a reporting triangle.
 *
 * Cases are dated by a period (of onset) and become known `delay` periods later. Of a period t only
 * delays up to now - t have been seen. Reverse-time hazards (Lawless 1994) use what has been seen:
 * of the cases known d periods later or sooner, the share known exactly d later; the share known
 * within d is the product of 1 less the hazards of all longer delays. Longer delays than the
 * longest count as that: a case that comes later still is not expected.
 */
#ifndef SURVEILLANCE_DELAYS_H
#define SURVEILLANCE_DELAYS_H

#include "base/arena.h"
#include "base/err.h"

#define DELAYS_MAX 100 /* the longest delay, in periods */

/* Counts by period (rows, 0 to n - 1; the last is now) and delay (columns, 0 to `longest`). Cells
 * whose period + delay is n or more are not looked at. */
struct triangle {
    size_t n, longest;
    const double *cells; /* row by row, longest + 1 each */
};

struct delays {
    size_t longest;
    /* For each delay: cases known exactly so late, and so late or sooner, of periods for which both
     * have been seen. */
    double at[DELAYS_MAX + 1], within[DELAYS_MAX + 1];
    /* For each delay: the share known by then, as Lawless has it; NAN where no case tells. */
    double share[DELAYS_MAX + 1];
    /* The same as a posterior mean and variance: hazards with a beta prior as light as half a case
     * spread evenly over the delays. */
    double mean[DELAYS_MAX + 1], variance[DELAYS_MAX + 1];
    double dispersion; /* of reports around binomial ones, at least 1 */
};

/* From the last `window` periods before now; all where that is 0. triangle->longest is at most
 * DELAYS_MAX. */
void delays_fit(const struct triangle *t, size_t window, struct delays *ret);

/* Cases of period i that are known now. */
double triangle_known(const struct triangle *t, size_t i);

#endif
