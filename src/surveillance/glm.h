/* glm.h - a log-linear regression of counts with few columns, by iteratively reweighted least
 * squares: Poisson, or negative binomial with a given dispersion (variance mu + dispersion mu^2).
 *
 * It starts at mu = y + 0.1 (negative binomial: y, 1/6 for 0) and stops when the deviance has
 * settled to 1e-8 or after 25 rounds, as the reference implementations of the methods that use it
 * do: where it stops is visible in the ninth digit. Columns should be of size 1 (times divided by
 * their range): the normal equations are solved by Cholesky's method.
 */
#ifndef SURVEILLANCE_GLM_H
#define SURVEILLANCE_GLM_H

#include "base/arena.h"

#define GLM_COLUMNS_MAX 12
#define GLM_ROOM 4 /* numbers a row that a fit works with */

struct glm {
    /* What is asked. A row whose count is NAN is left out. */
    size_t n, columns;
    const double *x; /* n rows, `stride` apart, of which the first `columns` count */
    size_t stride;
    const double *y;
    const double *prior; /* weights of the rows; NULL: 1 */
    double dispersion;   /* 0: Poisson */
    bool again;          /* the same rows and counts as last time: start from its means */
    double settled;      /* relative change of the deviance to stop at; 0: 1e-8 */
    /* What is found. */
    double beta[GLM_COLUMNS_MAX];
    double *mu, *weight;   /* of each row, in the room that glm_room was given */
    double *eta, *y_log_y; /* the same: logarithms of mu; y log y, 0 at 0 */
    double covariance[GLM_COLUMNS_MAX * GLM_COLUMNS_MAX]; /* (X'WX)^-1, before the dispersion */
    size_t used;                                          /* rows with a count */
};

/* Gives g its room: GLM_ROOM numbers for each of `rows` rows, the most it will have. */
void glm_room(struct glm *g, double *room, size_t rows);

/* False where there is no finite estimate. */
bool glm_fit(struct glm *g);

/* As glm_fit, with the dispersion of greatest likelihood, which it also returns. */
bool glm_fit_nb(struct glm *g, double *ret_dispersion);

/* Linear predictor of a row, and its variance before scaling with the dispersion. */
double glm_predict(const struct glm *g, const double *row);
double glm_variance(const struct glm *g, const double *row);

/* The columns 1, cos, sin of `harmonics` yearly waves at time t (and t * scale where `trend`), as
 * many as glm_season_columns says. */
size_t glm_season_columns(unsigned harmonics, bool trend);
void glm_season_row(double t, double points_a_year, unsigned harmonics, double trend_scale,
                    double *ret);

#endif
