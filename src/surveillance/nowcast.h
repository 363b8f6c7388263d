/* nowcast.h - what counts will be once all reports are in, and what the next ones may be.
 *
 * lawless  The count that is known, divided by the share of reports that is in by now, with normal
 *          limits for what is missing. It knows nothing of the periods around, and says nothing
 *          where nothing was reported yet.
 * bayes    The rate of cases moves from period to period and may grow or shrink (a filter of gamma
 *          rates over a few speeds of growth); reports thin it by the share that is in by now, of
 *          which only so much is known. How far the rate moves, how fast it grows and how much
 *          counts vary more than by chance is weighed by how well each foretold the past. It can
 *          also look ahead.
 *
 * Pure; the caller's arena has the memory. Sources: Lawless 1994; Höhle and an der Heiden 2014
 * (moving window); Harvey and Fernandes 1989, West and Harrison 1997 (gamma filter, discounting).
 * docs/guides/nowcast.md describes both.
 */
#ifndef SURVEILLANCE_NOWCAST_H
#define SURVEILLANCE_NOWCAST_H

#include "surveillance/delays.h"

#define NOWCAST_QUANTILES_MAX 31
#define NOWCAST_AHEAD_MAX 52
#define NOWCAST_PERIODS_MAX 5000 /* rows of the triangle */
#define NOWCAST_HISTORY 312      /* periods before the first asked for that bayes learns from */

enum nowcast_method { NOWCAST_BAYES, NOWCAST_LAWLESS };

struct nowcast_job {
    struct triangle triangle;
    enum nowcast_method method;
    unsigned points_a_year; /* 52, 12, 365: what repeats is learnt; 0: no calendar */
    size_t window;          /* periods from which delays are learnt; 0: all */
    size_t from;            /* the first period asked for */
    size_t ahead;           /* periods behind the last one; lawless has none */
    const double *probabilities;
    size_t n_probabilities; /* at most NOWCAST_QUANTILES_MAX, each above 0 and below 1 */
    struct arena *arena;
};

struct nowcast_point {
    double known;    /* 0 for periods ahead */
    double expected; /* NAN, as the quantiles: no estimate, no report tells how many are missing */
    double quantile[NOWCAST_QUANTILES_MAX];
};

/* ret has triangle.n + ahead - from rows; triangle.n is 1 at least. ERR_VALUE for what does not go
 * together, ERR_TOO_LONG, ERR_NO_MEMORY. */
int nowcast_run(const struct nowcast_job *job, struct nowcast_point *ret, struct err *err);

#endif
