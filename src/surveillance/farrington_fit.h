/* farrington_fit.h - the log-linear regression behind Farrington's methods, in linear time.
 *
 * Poisson with log link: one intercept for each season and, if asked, one common slope in time. A
 * count belongs to exactly one season, so the normal equations are an arrow: the seasons' sums and
 * one row for the slope. They are formed and solved in one pass over the counts, where a general
 * solver would need the square of the number of columns. `prior` are weights of the counts.
 *
 * Where the iteration stops is part of the method: its thresholds are those of the fit as it is
 * when the deviance has settled to 1e-8, or after 25 rounds.
 */
#ifndef SURVEILLANCE_FARRINGTON_FIT_H
#define SURVEILLANCE_FARRINGTON_FIT_H

#include "base/arena.h"

#define FARRINGTON_SEASONS_MAX 26

/* A run of counts of one season, in the order of time. */
struct farr_block {
    size_t first, end;
    unsigned season;
};

/* The reference counts, oldest first, and what is computed from each only once. */
struct farr_data {
    size_t n, n_blocks;
    unsigned n_seasons;
    double *y, *time, *prior;
    double *log_start; /* log(y + 0.1) */
    double *y_log_y;   /* y log y, 0 at 0 */
    double *y_two_thirds;
    struct farr_block *blocks;
};

struct farr_fit {
    bool has_trend;
    double level[FARRINGTON_SEASONS_MAX]; /* intercept at time 0; -INFINITY for an unused season */
    double slope;
    size_t n_parameters;
    double *mu, *weight; /* of each count: the last mean; the weights behind the last estimate */
    /* Of the last normal equations: the seasons' sums of weights, their mean times, and what
     * remains of the slope's information. */
    double sum[FARRINGTON_SEASONS_MAX], mean_time[FARRINGTON_SEASONS_MAX], slope_information;
};

/* mu and weight of *ret must have room for data->n. False where there is no finite estimate, or
 * where one with a trend has not settled: the trend is then left out. */
bool farr_fit(const struct farr_data *data, bool with_trend, struct farr_fit *ret);

/* Variance of the linear predictor at `time` in `season`, before scaling with the dispersion. */
double farr_fit_variance(const struct farr_fit *fit, unsigned season, double time);

#endif
