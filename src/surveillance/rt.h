/* rt.h - the reproduction number over time, from daily counts (Cori, Ferguson, Fraser and Cauchemez
 * 2013): how many others a case infects, if things stay as they were in the last days.
 *
 * The serial interval is a gamma distribution shifted by a day, in whole days (appendix 11 there).
 * Given it, R of a window is gamma distributed: shape is the prior's and the window's cases, rate
 * the prior's and the cases that the days before let expect at R = 1. Where the interval's mean or
 * deviation are uncertain (normal, cut off on both sides), the answer is the mixture over both, at
 * RT_POINTS values of each (Gauss and Legendre's), where the paper draws at random.
 */
#ifndef SURVEILLANCE_RT_H
#define SURVEILLANCE_RT_H

#include "base/arena.h"
#include "base/err.h"

#define RT_POINTS 15
#define RT_INTERVAL_MAX 365 /* days: of a serial interval's mean and deviation */
#define RT_WINDOW_MAX 365
#define RT_DAYS_MAX 5000 /* of a series */
#define RT_QUANTILES_MAX 31

/* A number, and how sure it is: sd 0, then exactly; else normal from min to max. */
struct rt_about {
    double mean, sd, min, max;
};

struct rt_job {
    size_t n;
    const double *count;                        /* whole numbers; NAN: not known */
    struct rt_about interval_mean, interval_sd; /* days; mean above 1, sd above 0 */
    size_t window;                              /* days that end with the one that is told */
    double prior_mean, prior_sd;                /* of R */
    const double *probabilities;
    size_t n_probabilities;
    struct arena *arena;
};

struct rt_point {
    double mean, sd; /* NAN: the window does not fit, or a count that it rests on is not known */
    double quantile[RT_QUANTILES_MAX];
};

/* ret has a row for each day; the first window begins on the second. ERR_VALUE for an interval that
 * is none, ERR_TOO_LONG, ERR_NO_MEMORY. */
int rt_run(const struct rt_job *job, struct rt_point *ret, struct err *err);

/* The share of cases whose infector fell ill `day` days before. */
double rt_interval(double mean, double sd, unsigned day);

#endif
