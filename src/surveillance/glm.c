#include "surveillance/glm.h"

#include <math.h>

#define ROUNDS_MAX 25
#define DEVIANCE_SETTLED 1e-8
#define ETA_MIN -36.04365338911715 /* log of DBL_EPSILON: a mean is kept from 0 */
#define NB_SIZE_MIN 1e-3           /* of a negative binomial: 1 / dispersion */
#define NB_SIZE_MAX 1e8
#define NB_SIZE_HALVINGS 60
#define NB_ROUNDS_MAX 50
#define NB_SETTLED 1e-8

/* Derivative of lgamma for x > 0: recurrence up to 10, then the asymptotic series. */
static double digamma(double x)
{
    double sum = 0, q;

    while (x < 10)
        sum -= 1 / x++;
    q = 1 / (x * x);
    return sum + log(x) - 0.5 / x -
           q * (1.0 / 12 - q * (1.0 / 120 - q * (1.0 / 252 - q * (1.0 / 240 - q / 132))));
}

/* a = L L' in place, lower triangle; false where it is not positive definite. */
static bool cholesky(double *a, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        double pivot = a[j * n + j], before = pivot;

        for (size_t k = 0; k < j; k++)
            pivot -= a[j * n + k] * a[j * n + k];
        if (!(pivot > before * 1e-14) || !isfinite(pivot))
            return false;
        pivot = sqrt(pivot);
        a[j * n + j] = pivot;
        for (size_t i = j + 1; i < n; i++) {
            double sum = a[i * n + j];

            for (size_t k = 0; k < j; k++)
                sum -= a[i * n + k] * a[j * n + k];
            a[i * n + j] = sum / pivot;
        }
    }
    return true;
}

/* L L' x = b in place. */
static void cholesky_solve(const double *l, size_t n, double *b)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++)
            b[i] -= l[i * n + k] * b[k];
        b[i] /= l[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++)
            b[i] -= l[k * n + i] * b[k];
        b[i] /= l[i * n + i];
    }
}

double glm_predict(const struct glm *g, const double *row)
{
    double eta = 0;

    for (size_t j = 0; j < g->columns; j++)
        eta += row[j] * g->beta[j];
    return eta;
}

double glm_variance(const struct glm *g, const double *row)
{
    double sum = 0;

    for (size_t i = 0; i < g->columns; i++)
        for (size_t j = 0; j < g->columns; j++)
            sum += row[i] * row[j] * g->covariance[i * g->columns + j];
    return sum;
}

/* Half the deviance of count i from its mean. Poisson needs no logarithm here: most time is spent
 * in this line. */
static double half_deviance(const struct glm *g, size_t i)
{
    double y = g->y[i], mu = g->mu[i], a = g->dispersion, eta = MAX(g->eta[i], ETA_MIN);

    if (a > 0)
        return g->y_log_y[i] - y * eta - (y + 1 / a) * log((1 + a * y) / (1 + a * mu));
    return g->y_log_y[i] - y * eta - (y - mu);
}

/* One round: the estimate from the means at hand (eta their logarithms). */
static bool step(struct glm *g)
{
    size_t p = g->columns;
    double normal[GLM_COLUMNS_MAX * GLM_COLUMNS_MAX] = {0}, right[GLM_COLUMNS_MAX] = {0};

    for (size_t i = 0; i < g->n; i++) {
        const double *row = g->x + i * g->stride;
        double w, wz;

        if (isnan(g->y[i]))
            continue;
        w = g->weight[i] = (g->prior ? g->prior[i] : 1) * g->mu[i] / (1 + g->dispersion * g->mu[i]);
        wz = w * (g->eta[i] + (g->y[i] - g->mu[i]) / g->mu[i]);
        for (size_t j = 0; j < p; j++) {
            right[j] += wz * row[j];
            for (size_t k = 0; k <= j; k++)
                normal[j * p + k] += w * row[j] * row[k];
        }
    }
    if (!cholesky(normal, p))
        return false;
    cholesky_solve(normal, p, right);
    for (size_t j = 0; j < p; j++) {
        double unit[GLM_COLUMNS_MAX] = {0};

        g->beta[j] = right[j];
        if (!isfinite(right[j]))
            return false;
        unit[j] = 1;
        cholesky_solve(normal, p, unit);
        for (size_t k = 0; k < p; k++)
            g->covariance[k * p + j] = unit[k];
    }
    return true;
}

static double deviance_of(const struct glm *g)
{
    double half = 0;

    for (size_t i = 0; i < g->n; i++)
        if (!isnan(g->y[i]))
            half += (g->prior ? g->prior[i] : 1) * half_deviance(g, i);
    return 2 * half;
}

void glm_room(struct glm *g, double *room, size_t rows)
{
    g->mu = room;
    g->weight = room + rows;
    g->eta = room + 2 * rows;
    g->y_log_y = room + 3 * rows;
}

static void start(struct glm *g)
{
    g->used = 0;
    for (size_t i = 0; i < g->n; i++) {
        double y = g->y[i];

        g->used += !isnan(y);
        g->mu[i] = g->dispersion > 0 ? y + (y == 0 ? 1.0 / 6 : 0) : y + 0.1;
        g->eta[i] = log(g->mu[i]);
        g->y_log_y[i] = y > 0 ? y * log(y) : 0;
    }
}

bool glm_fit(struct glm *g)
{
    double deviance, before, settled = g->settled > 0 ? g->settled : DEVIANCE_SETTLED;

    assert(g->columns <= GLM_COLUMNS_MAX);
    if (!g->again)
        start(g);
    before = deviance_of(g);
    for (int round = 0; round < ROUNDS_MAX; round++) {
        if (!step(g))
            return false;
        for (size_t i = 0; i < g->n; i++) {
            g->eta[i] = glm_predict(g, g->x + i * g->stride);
            g->mu[i] = exp(MAX(g->eta[i], ETA_MIN));
        }
        deviance = deviance_of(g);
        if (!isfinite(deviance))
            return false;
        if (fabs(deviance - before) / (fabs(deviance) + 0.1) < settled)
            break;
        before = deviance;
    }
    return true;
}

/* Derivative of the log-likelihood in 1 / dispersion = size, times size (in its logarithm). */
static double size_score(const struct glm *g, double size)
{
    double sum = 0;

    for (size_t i = 0; i < g->n; i++) {
        double y = g->y[i], mu = g->mu[i], steps = 0;

        if (isnan(y))
            continue;
        /* digamma(y + size) - digamma(size): a sum for small counts, differences of its asymptotic
         * series for large ones. */
        if (y < 1000) {
            for (int k = 0; k < y; k++)
                steps += 1 / (size + k);
        } else {
            steps = digamma(y + size) - digamma(size);
        }
        sum += steps + log(size / (size + mu)) + (mu - y) / (size + mu);
    }
    return sum * size;
}

static double best_size(const struct glm *g)
{
    double low = log(NB_SIZE_MIN), high = log(NB_SIZE_MAX);

    for (int i = 0; i < NB_SIZE_HALVINGS; i++) {
        double middle = (low + high) / 2;

        if (size_score(g, exp(middle)) > 0)
            low = middle;
        else
            high = middle;
    }
    return exp((low + high) / 2);
}

bool glm_fit_nb(struct glm *g, double *ret_dispersion)
{
    double before = 0;

    g->dispersion = 0;
    for (int round = 0; round < NB_ROUNDS_MAX; round++) {
        if (!glm_fit(g))
            return false;
        g->dispersion = 1 / best_size(g);
        if (fabs(g->dispersion - before) <= NB_SETTLED * g->dispersion)
            break;
        before = g->dispersion;
    }
    *ret_dispersion = g->dispersion;
    return true;
}

size_t glm_season_columns(unsigned harmonics, bool trend)
{
    return 1 + 2 * (size_t)harmonics + (trend ? 1 : 0);
}

void glm_season_row(double t, double points_a_year, unsigned harmonics, double trend_scale,
                    double *ret)
{
    *ret++ = 1;
    for (unsigned j = 1; j <= harmonics; j++) {
        *ret++ = cos(2 * M_PI * j * t / points_a_year);
        *ret++ = sin(2 * M_PI * j * t / points_a_year);
    }
    if (trend_scale != 0)
        *ret = t * trend_scale;
}
