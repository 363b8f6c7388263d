/* The ensemble: a robust seasonal regression, corrected by the recent level where the past shows
 * that the level moves, and sums of the last one, two and three points against what it predicts.
 * How it is put together and why: docs/guides/detectors.md. */
#include "surveillance/glm.h"
#include "surveillance/methods_int.h"
#include "surveillance/special.h"

#define WINDOWS 3         /* sums of the last 1 … WINDOWS points */
#define RESIDUAL_MAX 2.58 /* counts rarer than a normal deviate of this get less weight */
#define RESIDUAL_LOOK 1.5 /* standard deviations below which a count is not that rare */
#define RESTORED 1.039    /* 1 / (1 - z phi(z)): what cutting there takes from a variance */
#define ROUGHLY 1e-4      /* where the fits before the last one settle */
#define FINALLY 1e-7
#define TREND_YEARS_MIN 3
#define P_LEAST 1e-300 /* of one window: keeps its normal score finite */
#define P_MOST (1 - 1e-15)
#define COUNT_TRIED_MAX 4e9 /* where the search for a threshold ends */
#define LEVEL_DISCOUNT 0.9  /* weight of a point against the one after it */
#define YEAR_DAYS 365.2425

/* How much each window says: a longer look back counts half. */
static const double look[WINDOWS] = {1, 0.5, 0.25};

struct ensemble {
    const struct series *s;
    size_t gap, most, least; /* points: left out before t; of history at most, at least */
    unsigned harmonics;
    bool level;
    double alpha;
    double *x; /* rows of the regression, one a point */
    struct glm glm;
    double *prior;
    size_t columns;
};

struct baseline {
    size_t first, n; /* the points of the history */
    size_t skipped;  /* columns at the start of a row that the fit leaves out */
    double phi;      /* variance over mean */
    double level, level_variance;
};

/* Rows of the regression: trend, 1, then the waves, so that a fit takes fewer waves, or no trend,
 * by looking at a part of the row. The season's phase is by date where there is one. */
static void fill_rows(struct ensemble *e)
{
    double year = e->s->points_a_year;

    for (size_t i = 0; i < e->s->n; i++) {
        double t = e->s->day ? (double)e->s->day[i] / YEAR_DAYS * year : (double)i;
        double *row = e->x + i * e->columns;

        row[0] = ((double)i - (double)e->s->n) / (10 * year);
        glm_season_row(t, year, e->harmonics, 0, row + 1);
    }
}

/* Variance over mean by the weights, with what the weights take from it on average restored. */
static double dispersion(const struct glm *g, double restored)
{
    double sum = 0, weights = -(double)g->columns;

    for (size_t i = 0; i < g->n; i++) {
        if (isnan(g->y[i]))
            continue;
        sum += g->prior[i] * (g->y[i] - g->mu[i]) * (g->y[i] - g->mu[i]) / g->mu[i];
        weights += g->prior[i];
    }
    return MAX(1.0, restored * sum / weights);
}

/* P(X > x) + P(X = x) / 2 of the counts of a window. */
static double middle_p(double x, double mean, double phi)
{
    if (phi > 1.0000001)
        return 0.5 * (nb_from(x, mean, phi) + nb_from(x + 1, mean, phi));
    return 0.5 * (poisson_from(x, mean) + poisson_from(x + 1, mean));
}

/* Counts that are improbably high count less: by their probability under the negative binomial, so
 * that as many are touched in a skewed series as in any other. */
static void weigh(struct ensemble *e, double phi)
{
    struct glm *g = &e->glm;

    for (size_t i = 0; i < g->n; i++) {
        double y = g->y[i], mu = g->mu[i], s;

        e->prior[i] = 1;
        if (isnan(y) || y < mu + RESIDUAL_LOOK * sqrt(phi * mu))
            continue;
        s = -norm_quantile(middle_p(y, mu, phi));
        if (s > RESIDUAL_MAX)
            e->prior[i] = phi * mu / ((y - mu) * (y - mu));
    }
}

/* The recent level against the regression: discounted sums of counts and expectations, as of each
 * point of the history; how far they move beyond chance says how much they are believed. */
static void fit_level(struct ensemble *e, struct baseline *b)
{
    double cases = 0, expected = 0, excess = 0, weight = 0, tau;

    b->level = 1;
    b->level_variance = 0;
    if (!e->level)
        return;
    for (size_t i = 0; i < b->n; i++) {
        double y = e->s->count[b->first + i], mu = e->glm.mu[i];

        if (i > e->gap && expected > 0 && !isnan(y)) {
            /* Product of what was before and what is now: chance is independent, level is not. */
            double before = (cases - expected) / expected, w = expected * mu / (expected + mu);
            double now = (e->prior[i] * y + (1 - e->prior[i]) * mu - mu) / mu;

            excess += w * before * now;
            weight += w;
        }
        cases *= LEVEL_DISCOUNT;
        expected *= LEVEL_DISCOUNT;
        if (!isnan(y)) {
            cases += e->prior[i] * y + (1 - e->prior[i]) * mu;
            expected += mu;
        }
    }
    tau = weight > 0 ? excess / weight : 0;
    if (tau <= 0)
        return;
    cases /= b->phi;
    expected /= b->phi;
    b->level = (1 / tau + cases) / (1 / tau + expected);
    b->level_variance = b->level / (1 / tau + expected);
}

/* Whether the last wave of the fit is there by the Bayesian information criterion: Wald's statistic
 * of its two coefficients against what two parameters cost. */
static bool needs_last_wave(const struct glm *g, double phi)
{
    size_t p = g->columns, i = p - 2, j = p - 1;
    double a = g->covariance[i * p + i], b = g->covariance[i * p + j];
    double c = g->covariance[j * p + j], x = g->beta[i], y = g->beta[j];
    double wald = (c * x * x - 2 * b * x * y + a * y * y) / ((a * c - b * b) * phi);

    return wald > 2 * log((double)g->used);
}

static bool fit_again(struct ensemble *e, struct baseline *b, double settled)
{
    struct glm *g = &e->glm;

    g->again = true;
    g->settled = settled;
    if (!glm_fit(g))
        return false;
    b->phi = dispersion(g, RESTORED);
    return true;
}

static bool fit(struct ensemble *e, struct baseline *b)
{
    struct glm *g = &e->glm;
    bool trend = b->n >= TREND_YEARS_MIN * e->s->points_a_year;
    unsigned waves = e->harmonics;

    b->skipped = trend ? 0 : 1;
    g->x = e->x + b->first * e->columns + b->skipped;
    g->y = e->s->count + b->first;
    g->n = b->n;
    g->stride = e->columns;
    g->columns = e->columns - b->skipped;
    for (size_t i = 0; i < b->n; i++)
        e->prior[i] = 1;
    g->again = false;
    g->settled = ROUGHLY;
    if (!glm_fit(g) || g->used <= g->columns)
        return false;
    b->phi = dispersion(g, 1);
    weigh(e, b->phi);
    if (!fit_again(e, b, ROUGHLY))
        return false;
    for (; waves > 1 && !needs_last_wave(g, b->phi); waves--) {
        g->columns -= 2;
        if (!fit_again(e, b, ROUGHLY))
            return false;
    }
    weigh(e, b->phi);
    if (!fit_again(e, b, FINALLY))
        return false;
    fit_level(e, b);
    return true;
}

/* What is known of the windows that end at t, but for the count at t. */
struct windows {
    size_t n;
    double earlier[WINDOWS]; /* counts before t */
    double mean[WINDOWS], phi[WINDOWS];
    double deviation; /* of the score */
};

/* Where a count is not known the longer windows end. */
static void windows_at(const struct ensemble *e, const struct baseline *b, size_t t,
                       struct windows *w)
{
    double sum = 0, mean = 0, variance = 0;

    w->n = 0;
    for (size_t h = 0; h < WINDOWS && (h == 0 || !isnan(e->s->count[t - h])); h++) {
        const double *row = e->x + (t - h) * e->columns + b->skipped;

        sum += h == 0 ? 0 : e->s->count[t - h];
        mean += exp(glm_predict(&e->glm, row)) * b->level;
        w->earlier[h] = sum;
        w->mean[h] = mean;
        w->phi[h] = b->phi + mean * (b->phi * glm_variance(&e->glm, row) +
                                     b->level_variance / (b->level * b->level));
        w->n = h + 1;
    }
    /* Sums of windows that lie in each other correlate as the roots of their means. */
    for (size_t h = 0; h < w->n; h++)
        for (size_t k = 0; k < w->n; k++)
            variance += look[h] * look[k] * sqrt(w->mean[MIN(h, k)] / w->mean[MAX(h, k)]);
    w->deviation = sqrt(variance);
}

/* The chance of a weighted sum of the windows' normal scores as high as with count y, or higher. */
static double windows_p(const struct windows *w, double y)
{
    double score = 0;

    for (size_t h = 0; h < w->n; h++) {
        double q = middle_p(w->earlier[h] + y, w->mean[h], w->phi[h]);

        score -= look[h] * norm_quantile(MIN(MAX(q, P_LEAST), P_MOST));
    }
    return norm_above(score / w->deviation);
}

/* The largest count that is no alarm: p falls with the count. */
static double windows_threshold(const struct windows *w, double alpha)
{
    double low = 0, high = MAX(1.0, ceil(w->mean[0] + 2 * sqrt(w->phi[0] * w->mean[0])));

    while (high < COUNT_TRIED_MAX && windows_p(w, high) >= alpha) {
        low = high;
        high *= 2;
    }
    while (high - low > 1) {
        double middle = floor(low + (high - low) / 2);

        if (windows_p(w, middle) >= alpha)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static struct detect_point ensemble_point(struct ensemble *e, size_t t)
{
    struct baseline b;
    struct windows w;
    struct detect_point p;
    size_t end = t > e->gap ? t - e->gap : 0;

    if (end < e->least)
        return point_without(NOTE_HISTORY, (double)(e->least + e->gap), (double)t);
    b.n = MIN(end, e->most);
    b.first = end - b.n;
    if (!fit(e, &b))
        return point_without(NOTE_FIT, 0, 0);
    windows_at(e, &b, t, &w);
    if (!isfinite(w.phi[w.n - 1]) || !(w.mean[0] > 0))
        return point_without(NOTE_FIT, 0, 0);
    p = point_judge(e->s->count[t], windows_threshold(&w, e->alpha), w.mean[0]);
    if (!isnan(e->s->count[t]))
        p.p = windows_p(&w, e->s->count[t]);
    return p;
}

int ensemble_run(const struct detect_job *job, struct detect_point *ret, struct err *err)
{
    const struct series *s = job->series;
    size_t year = s->points_a_year, n = s->n;
    struct ensemble e = {.s = s,
                         .gap = (size_t)job->param[ENS_GAP],
                         .most = (size_t)job->param[ENS_YEARS] * year,
                         .least = 2 * year,
                         .harmonics = (unsigned)job->param[ENS_HARMONICS],
                         .level = job->param[ENS_LEVEL] != 0,
                         .alpha = job->param[ENS_ALPHA]};
    double *memory;

    e.columns = glm_season_columns(e.harmonics, true);
    memory = ARENA_ARRAY(job->arena, double, n *(e.columns + GLM_ROOM + 1));
    if (!memory)
        return err_no_memory(err);
    e.x = memory;
    glm_room(&e.glm, memory + n * e.columns, n);
    e.prior = memory + n * (e.columns + GLM_ROOM);
    e.glm.prior = e.prior;
    fill_rows(&e);
    for (size_t t = job->from; t < n; t++)
        ret[t - job->from] = ensemble_point(&e, t);
    return 0;
}
