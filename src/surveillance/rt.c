#include "surveillance/rt.h"

#include "base/util.h"
#include "surveillance/special.h"

#include <math.h>

#define WEIGHT_LEAST 1e-12 /* of a serial interval: what comes after is left out */
#define SETTLED 1e-11      /* of a quantile, relative */
#define STEPS_MAX 200
#define SPREAD_MAX 6 /* deviations: what lies further out does not matter */
#define ROOT_STEPS 8 /* of Newton's method, from a start that is right to two digits */

double rt_interval(double mean, double sd, unsigned day)
{
    double shape = (mean - 1) * (mean - 1) / (sd * sd), scale = sd * sd / (mean - 1);
    double of[3], of_more[3], sum;

    if (day == 0)
        return 0;
    for (unsigned i = 0; i < 3; i++) {
        double x = day + i < 2 ? 0 : (day + i - 2) / scale;

        of[i] = gamma_below(shape, x);
        of_more[i] = gamma_below(shape + 1, x);
    }
    sum = day * of[2] + (day - 2.0) * of[0] - 2 * (day - 1.0) * of[1];
    sum += shape * scale * (2 * of_more[1] - of_more[0] - of_more[2]);
    return MAX(0.0, sum);
}

/* Values and their weights, which add up to 1. */
struct grid {
    size_t n;
    double value[RT_POINTS], weight[RT_POINTS];
};

/* Legendre's polynomial of order n at x, and its derivative. */
static double legendre(size_t n, double x, double *ret_slope)
{
    double before = 1, at = x;

    for (size_t k = 2; k <= n; k++) {
        double next = ((2.0 * (double)k - 1) * x * at - ((double)k - 1) * before) / (double)k;

        before = at;
        at = next;
    }
    *ret_slope = (double)n * (x * at - before) / (x * x - 1);
    return at;
}

/* A normal one within its bounds and below `most`, where it matters. */
static struct grid grid_of(const struct rt_about *v, double most)
{
    struct grid g = {.n = v->sd > 0 ? RT_POINTS : 1, .value = {v->mean}, .weight = {1}};
    double from = MAX(v->min, v->mean - SPREAD_MAX * v->sd), sum = 0;
    double to = MIN(MIN(v->max, most), v->mean + SPREAD_MAX * v->sd);

    if (g.n == 1)
        return g;
    for (size_t i = 0; i < g.n; i++) {
        double x = cos(M_PI * ((double)i + 0.75) / ((double)g.n + 0.5)), slope, z;

        for (int k = 0; k < ROOT_STEPS; k++)
            x -= legendre(g.n, x, &slope) / slope;
        legendre(g.n, x, &slope);
        g.value[i] = (from + to) / 2 + (to - from) / 2 * x;
        z = (g.value[i] - v->mean) / v->sd;
        g.weight[i] = exp(-z * z / 2) / ((1 - x * x) * slope * slope);
        sum += g.weight[i];
    }
    for (size_t i = 0; i < g.n; i++)
        g.weight[i] /= sum;
    return g;
}

/* What each day is expected to be at R = 1, given the days before. */
static void expect(const struct rt_job *job, double mean, double sd, double *ret)
{
    double share[RT_DAYS_MAX];
    size_t n = 1;

    for (; n < job->n; n++) {
        share[n] = rt_interval(mean, sd, (unsigned)n);
        if (n > mean && share[n] < WEIGHT_LEAST)
            break;
    }
    for (size_t i = 0; i < job->n; i++) {
        ret[i] = 0;
        for (size_t k = 1; k <= i && k < n; k++)
            ret[i] += job->count[i - k] * share[k];
    }
}

/* What R is of a window: gammas of one shape, each rate with its weight. */
struct mixture {
    double shape;
    size_t n;
    double rate[RT_POINTS * RT_POINTS], weight[RT_POINTS * RT_POINTS];
};

static double below(const struct mixture *m, double r)
{
    double sum = 0;

    for (size_t i = 0; i < m->n; i++)
        sum += m->weight[i] * gamma_below(m->shape, r * m->rate[i]);
    return sum;
}

/* Between bounds that close in by a secant, or by halves where that is slow. */
static double quantile(const struct mixture *m, double p)
{
    double low = 0, high = 1, at_low = -p, at_high = below(m, high) - p;

    for (int i = 0; i < STEPS_MAX && at_high < 0; i++) {
        low = high;
        at_low = at_high;
        high *= 2;
        at_high = below(m, high) - p;
    }
    for (int i = 0; i < STEPS_MAX && high - low > SETTLED * high; i++) {
        double middle =
            i % 3 == 2 ? (low + high) / 2 : low - at_low * (high - low) / (at_high - at_low);
        double at = below(m, middle) - p;

        if (at == 0)
            return middle;
        if (at < 0) {
            low = middle;
            at_low = at;
        } else {
            high = middle;
            at_high = at;
        }
    }
    return (low + high) / 2;
}

static void tell(const struct rt_job *job, const struct mixture *m, struct rt_point *ret)
{
    double mean = 0, square = 0;

    for (size_t i = 0; i < m->n; i++)
        mean += m->weight[i] * m->shape / m->rate[i];
    for (size_t i = 0; i < m->n; i++) {
        double of = m->shape / m->rate[i];

        square += m->weight[i] * (of / m->rate[i] + (of - mean) * (of - mean));
    }
    ret->mean = mean;
    ret->sd = sqrt(square);
    for (size_t i = 0; i < job->n_probabilities; i++)
        ret->quantile[i] = isnan(mean) ? (double)NAN : quantile(m, job->probabilities[i]);
}

static int check(const struct rt_job *job, struct err *err)
{
    const struct rt_about *mean = &job->interval_mean, *sd = &job->interval_sd;

    if (job->n > RT_DAYS_MAX)
        return err_set(err, ERR_TOO_LONG, "%zu days are more than %d", job->n, RT_DAYS_MAX);
    if (mean->mean <= 1 || (mean->sd > 0 && mean->min <= 1))
        return err_set(err, ERR_VALUE, "a serial interval's mean must be above 1 day");
    if (sd->mean <= 0 || (sd->sd > 0 && sd->min <= 0))
        return err_set(err, ERR_VALUE, "a serial interval's deviation must be above 0 days");
    if ((mean->sd > 0 && (mean->mean < mean->min || mean->mean > mean->max)) ||
        (sd->sd > 0 && (sd->mean < sd->min || sd->mean > sd->max)))
        return err_set(err, ERR_VALUE, "a serial interval's values must lie within their bounds");
    return 0;
}

int rt_run(const struct rt_job *job, struct rt_point *ret, struct err *err)
{
    struct mixture *m = arena_alloc(job->arena, sizeof *m);
    struct grid means, sds;
    double *expected;
    int r = check(job, err);

    if (r < 0)
        return r;
    means = grid_of(&job->interval_mean, INFINITY);
    expected = ARENA_ARRAY(job->arena, double, RT_POINTS *RT_POINTS * job->n);
    if (!m || !expected)
        return err_no_memory(err);
    m->n = 0;
    for (size_t i = 0; i < means.n; i++) {
        sds = grid_of(&job->interval_sd, means.value[i]);
        for (size_t k = 0; k < sds.n; k++, m->n++) {
            m->weight[m->n] = means.weight[i] * sds.weight[k];
            expect(job, means.value[i], sds.value[k], &expected[m->n * job->n]);
        }
    }
    for (size_t day = 0; day < job->n; day++) {
        m->shape = pow(job->prior_mean / job->prior_sd, 2);
        for (size_t i = 0; i < m->n; i++)
            m->rate[i] = job->prior_mean / pow(job->prior_sd, 2);
        for (size_t back = 0; day >= job->window && back < job->window; back++) {
            m->shape += job->count[day - back];
            for (size_t i = 0; i < m->n; i++)
                m->rate[i] += expected[i * job->n + day - back];
        }
        if (day < job->window)
            m->shape = (double)NAN;
        tell(job, m, &ret[day]);
    }
    return 0;
}
