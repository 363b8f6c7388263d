#include "surveillance/farrington_fit.h"

#include <float.h>
#include <math.h>

#define ROUNDS_MAX 25
#define DEVIANCE_SETTLED 1e-8

/* Sums over the counts: what the arrow of the normal equations is made of. */
struct sums {
    double w[FARRINGTON_SEASONS_MAX];  /* weights */
    double wt[FARRINGTON_SEASONS_MAX]; /* weights * time */
    double wz[FARRINGTON_SEASONS_MAX]; /* weights * working response */
    double wtt, wtz;
};

/* Adds one count with mean mu (its predictor eta) to its season's sums. */
static inline void sums_add(struct sums *s, unsigned season, double prior, double mu, double eta,
                            double y, double time)
{
    double w = prior * mu, wz = prior * (mu * eta + (y - mu));

    s->w[season] += w;
    s->wz[season] += wz;
    s->wt[season] += w * time;
    s->wtt += w * time * time;
    s->wtz += wz * time;
}

/* The first round starts at mu = y + 0.1. Returns the deviance there. */
static double first_sums(const struct farr_data *d, struct farr_fit *f, struct sums *s)
{
    double half = 0;

    for (size_t b = 0; b < d->n_blocks; b++)
        for (size_t i = d->blocks[b].first; i < d->blocks[b].end; i++) {
            f->mu[i] = d->y[i] + 0.1;
            half += d->prior[i] * (d->y_log_y[i] - d->y[i] * d->log_start[i] + 0.1);
            sums_add(s, d->blocks[b].season, d->prior[i], f->mu[i], d->log_start[i], d->y[i],
                     d->time[i]);
        }
    return 2 * half;
}

/* Solves for levels and slope; false when a sum of weights has vanished. */
static bool solve(const struct farr_data *d, const struct sums *s, struct farr_fit *f)
{
    double information = s->wtt, right = s->wtz;

    f->n_parameters = f->has_trend ? 1 : 0;
    for (unsigned k = 0; k < d->n_seasons; k++) {
        f->sum[k] = s->w[k];
        f->level[k] = -INFINITY;
        if (s->w[k] <= 0)
            continue;
        f->n_parameters++;
        f->mean_time[k] = s->wt[k] / s->w[k];
        information -= s->wt[k] * f->mean_time[k];
        right -= s->wz[k] * f->mean_time[k];
    }
    f->slope_information = information;
    f->slope = f->has_trend ? right / information : 0;
    if (!isfinite(f->slope) || (f->has_trend && information <= 0))
        return false;
    for (unsigned k = 0; k < d->n_seasons; k++)
        if (s->w[k] > 0)
            f->level[k] = (s->wz[k] - f->slope * s->wt[k]) / s->w[k];
    return true;
}

/* The means of the estimate, its deviance (returned), and the sums of the next round. */
static double next_sums(const struct farr_data *d, struct farr_fit *f, struct sums *s)
{
    double half = 0;

    for (size_t b = 0; b < d->n_blocks; b++) {
        unsigned season = d->blocks[b].season;
        double flat = f->has_trend ? 0 : MAX(exp(f->level[season]), DBL_EPSILON);

        for (size_t i = d->blocks[b].first; i < d->blocks[b].end; i++) {
            double eta = f->level[season] + f->slope * d->time[i], y = d->y[i];
            double mu = f->has_trend ? MAX(exp(eta), DBL_EPSILON) : flat;

            f->weight[i] = d->prior[i] * f->mu[i]; /* what the estimate at hand was made with */
            f->mu[i] = mu;
            /* Where mu had to be kept from 0, its logarithm is no longer eta. */
            half +=
                d->prior[i] *
                (y > 0 ? d->y_log_y[i] - y * (mu > DBL_EPSILON ? eta : log(mu)) - (y - mu) : mu);
            sums_add(s, season, d->prior[i], mu, eta, y, d->time[i]);
        }
    }
    return 2 * half;
}

bool farr_fit(const struct farr_data *d, bool with_trend, struct farr_fit *f)
{
    struct sums s = {0};
    double deviance, before;

    f->has_trend = with_trend;
    before = first_sums(d, f, &s);
    for (int round = 0; round < ROUNDS_MAX; round++) {
        if (!solve(d, &s, f))
            return false;
        s = (struct sums){0};
        deviance = next_sums(d, f, &s);
        if (!isfinite(deviance))
            return false;
        if (fabs(deviance - before) / (fabs(deviance) + 0.1) < DEVIANCE_SETTLED)
            return true;
        before = deviance;
    }
    return !with_trend;
}

double farr_fit_variance(const struct farr_fit *f, unsigned season, double time)
{
    double apart = time - f->mean_time[season];

    return 1 / f->sum[season] + (f->has_trend ? apart * apart / f->slope_information : 0);
}
