/* Farrington et al. 1996 (classic) and Noufaily et al. 2013 (flexible): a log-linear regression of
 * past counts, past outbreaks weighted down, and a quantile of what it predicts. */
#include "surveillance/farrington_fit.h"
#include "surveillance/methods_int.h"
#include "surveillance/special.h"

#include "base/clock.h"

#include <float.h>

#define TREND_YEARS_MIN 3 /* a trend is fitted from so many years on */
#define CLASSIC_P_TREND 0.05
#define CLASSIC_WEIGHTS_THRESHOLD 1
#define SLOPE_ROUNDING 1e-10 /* change over all years that is no change */
#define WEEK_DAYS 7
#define WEEK_POINTS 52 /* points a year of a weekly series */

struct farr {
    const struct series *s;
    size_t b, w, skip, limit_points;
    unsigned seasons;
    bool is_flexible, by_date, trend, reweight;
    int method, power;
    double alpha, z, weights_threshold, p_trend, limit_cases;
    /* Of each point of the series: what the fits need of it, computed once. */
    double *log_start, *y_log_y, *y_two_thirds;
    struct farr_data data; /* reused by every point */
    struct farr_fit fit;
};

/* ---- which counts are the reference ---- */

/* The point `years` before t: by date the same weekday nearest to the same day of the month. False
 * where the series does not reach back so far. */
static bool years_before(const struct farr *f, size_t t, size_t years, size_t *ret)
{
    size_t back = years * f->s->points_a_year;

    if (f->by_date) {
        int64_t day = f->s->day[t], then, apart;
        int y, m, d;

        clock_civil(day, &y, &m, &d);
        /* 29 February is 1 March of a year that has none. */
        then = clock_days(y - (int)years, m, 1) + d - 1;
        apart = (day - then) % WEEK_DAYS;
        then += apart > WEEK_DAYS / 2 ? apart - WEEK_DAYS : apart;
        back = (size_t)(day - then) / WEEK_DAYS;
    }
    if (back > t)
        return false;
    *ret = t - back;
    return true;
}

/* Adds the known counts of [first, end) as a block of one season; `t` is the time's origin. */
static void add_block(struct farr *f, size_t first, size_t end, unsigned season, size_t t)
{
    struct farr_data *d = &f->data;
    size_t start = d->n;

    for (size_t i = first; i < end; i++) {
        if (isnan(f->s->count[i]))
            continue;
        d->y[d->n] = f->s->count[i];
        d->log_start[d->n] = f->log_start[i];
        d->y_log_y[d->n] = f->y_log_y[i];
        d->y_two_thirds[d->n] = f->y_two_thirds[i];
        d->prior[d->n] = 1;
        d->time[d->n++] = (double)i - (double)t;
    }
    if (d->n > start)
        d->blocks[d->n_blocks++] = (struct farr_block){start, d->n, season};
}

/* Divides [first, end) among the seasons 0 … n - 1; the first ones take what is over. Counts from
 * `stop` on are left out. */
static void add_between(struct farr *f, size_t first, size_t end, size_t stop, size_t t)
{
    size_t n = f->seasons - 1, each = (end - first) / n, over = (end - first) % n;

    for (size_t k = 0; k < n && first < stop; k++) {
        size_t next = first + each + (k < over ? 1 : 0);

        add_block(f, first, MIN(next, stop), (unsigned)k, t);
        first = next;
    }
}

/* Gathers the reference counts of t. 0, or how many points before t are needed. */
static size_t gather(struct farr *f, size_t t)
{
    size_t middle, stop = t > f->skip ? t - f->skip : 0;

    f->data.n = f->data.n_blocks = 0;
    f->data.n_seasons = f->seasons;
    if (!years_before(f, t, f->b, &middle) || middle < f->w)
        return f->b * f->s->points_a_year + f->w;
    for (size_t year = f->b; year > 0; year--) {
        size_t next = t;

        add_block(f, MIN(middle - f->w, stop), MIN(middle + f->w + 1, stop), f->seasons - 1, t);
        if (year > 1)
            years_before(f, t, year - 1, &next);
        if (f->seasons > 1)
            add_between(f, middle + f->w + 1, next - f->w, stop, t);
        middle = next;
    }
    if (stop > t - f->w)
        add_block(f, t - f->w, stop, f->seasons - 1, t);
    return 0;
}

/* ---- fitting ---- */

static double dispersion(const struct farr *f, const double *weight)
{
    const struct farr_data *d = &f->data;
    double sum = 0;

    for (size_t i = 0; i < d->n; i++) {
        double r = (d->y[i] - f->fit.mu[i]) / f->fit.mu[i];
        sum += weight[i] * r * r;
    }
    return sum / (double)(d->n - f->fit.n_parameters);
}

/* Weights of the counts from their Anscombe residuals, scaled to sum n. */
static void weigh(struct farr *f, double phi)
{
    struct farr_data *d = &f->data;
    const struct farr_fit *fit = &f->fit;
    double sum = 0;

    for (size_t b = 0; b < d->n_blocks; b++) {
        unsigned season = d->blocks[b].season;
        double root = 0, sixth = 0;

        for (size_t i = d->blocks[b].first; i < d->blocks[b].end; i++) {
            double h = fit->weight[i] * farr_fit_variance(fit, season, d->time[i]), s;

            if (fit->has_trend || i == d->blocks[b].first) {
                root = sqrt(fit->mu[i]);
                sixth = exp(-(fit->level[season] + fit->slope * d->time[i]) / 6);
            }
            s = 1.5 * (d->y_two_thirds[i] * sixth - root) / sqrt(phi * (1 - h));
            d->prior[i] = s > f->weights_threshold ? 1 / (s * s) : 1;
            sum += d->prior[i];
        }
    }
    for (size_t i = 0; i < d->n; i++)
        d->prior[i] *= (double)d->n / sum;
}

struct outcome {
    double mu, phi, variance; /* of the prediction: mean, dispersion, variance of its logarithm */
    double p_trend;
};

/* The whole procedure with or without a trend. False where it has no finite end. */
static bool procedure(struct farr *f, bool with_trend, struct outcome *ret)
{
    struct farr_data *d = &f->data;
    double raw, scale;

    for (size_t i = 0; i < d->n; i++)
        d->prior[i] = 1;
    if (!farr_fit(d, with_trend, &f->fit) || d->n <= f->fit.n_parameters)
        return false;
    raw = dispersion(f, f->fit.weight);
    if (f->reweight) {
        weigh(f, MAX(1.0, raw));
        if (!farr_fit(d, with_trend, &f->fit))
            return false;
        raw = dispersion(f, f->fit.weight);
    }
    ret->phi = MAX(1.0, raw);
    /* The flexible method takes its standard errors from the weights of the counts alone. */
    scale = !f->is_flexible ? ret->phi : f->reweight ? dispersion(f, d->prior) : raw;
    ret->mu = MAX(exp(f->fit.level[f->seasons - 1]), DBL_EPSILON);
    ret->variance = scale * farr_fit_variance(&f->fit, f->seasons - 1, 0);
    ret->p_trend = 1;
    if (with_trend) {
        double variance = (f->is_flexible ? scale : raw) / f->fit.slope_information;

        /* A constant series has no slope; what rounding makes of it must not look significant. */
        if (fabs(f->fit.slope * d->time[0]) > SLOPE_ROUNDING)
            ret->p_trend = student_outside(f->fit.slope / sqrt(variance),
                                           (double)(d->n - f->fit.n_parameters));
    }
    return isfinite(ret->mu) && isfinite(ret->variance) && isfinite(ret->phi);
}

static double largest(const struct farr_data *d)
{
    double max = 0;

    for (size_t i = 0; i < d->n; i++)
        max = MAX(max, d->y[i]);
    return max;
}

/* With a trend where it is significant and does not lead above all that was seen. */
static bool fit_with_care(struct farr *f, struct outcome *ret)
{
    if (f->trend && f->b >= TREND_YEARS_MIN && procedure(f, true, ret) &&
        ret->p_trend < f->p_trend && ret->mu <= largest(&f->data))
        return true;
    return procedure(f, false, ret);
}

/* ---- from the fit to the threshold ---- */

/* On the scale of a power of the count it is nearly normal. */
static double delta_threshold(const struct farr *f, const struct outcome *o, double z)
{
    double mu = o->mu, tau = o->phi + o->variance * mu;

    switch (f->power) {
    case 0: return pow(MAX(0.0, cbrt(mu * mu) + z * sqrt(4.0 / 9 * cbrt(mu) * tau)), 1.5);
    case 1: return pow(MAX(0.0, sqrt(mu) + z * sqrt(0.25 * tau)), 2);
    default: return MAX(0.0, mu + z * sqrt(mu * tau));
    }
}

static double delta_p(const struct farr *f, const struct outcome *o, double y)
{
    double mu = o->mu, tau = o->phi + o->variance * mu;

    switch (f->power) {
    case 0: return norm_above((cbrt(y * y) - cbrt(mu * mu)) / sqrt(4.0 / 9 * cbrt(mu) * tau));
    case 1: return norm_above((sqrt(y) - sqrt(mu)) / sqrt(0.25 * tau));
    default: return norm_above((y - mu) / sqrt(mu * tau));
    }
}

static void count_threshold(const struct farr *f, const struct outcome *o, double y,
                            struct detect_point *p)
{
    double mu = o->mu;

    if (f->method == FARRINGTON_MUAN)
        mu *= exp(f->z * sqrt(o->variance));
    if (o->phi > 1) {
        p->threshold = nb_quantile(1 - f->alpha, mu, o->phi);
        p->p = nb_from(y, mu, o->phi);
    } else {
        p->threshold = poisson_quantile(1 - f->alpha, mu);
        p->p = poisson_from(y, mu);
    }
}

static bool is_few(const struct farr *f, size_t t, double *ret_cases)
{
    double cases = 0;

    for (size_t i = t + 1 - MIN(f->limit_points, t + 1); i <= t; i++)
        cases += isnan(f->s->count[i]) ? 0 : f->s->count[i];
    *ret_cases = cases;
    return cases < f->limit_cases;
}

static struct detect_point farr_point(struct farr *f, size_t t)
{
    double y = f->s->count[t], cases;
    struct detect_point p = {.p = NAN};
    struct outcome o;
    size_t needs = gather(f, t);

    if (needs)
        return point_without(NOTE_HISTORY, (double)needs, (double)t);
    if (is_few(f, t, &cases)) {
        p = point_without(NOTE_FEW, f->limit_cases, (double)f->limit_points);
        if (!f->is_flexible)
            p.threshold = 0;
        return p;
    }
    if (f->data.n == 0)
        return point_without(NOTE_BASELINE, 0, 0);
    if (!fit_with_care(f, &o))
        return point_without(NOTE_FIT, 0, 0);
    p.expected = o.mu;
    if (f->method == FARRINGTON_DELTA) {
        p.threshold = delta_threshold(f, &o, f->z);
        if (!isnan(y))
            p.p = delta_p(f, &o, y);
    } else {
        count_threshold(f, &o, y, &p);
    }
    p.alarm = y > p.threshold;
    if (isnan(y))
        p.note.code = NOTE_UNKNOWN;
    return p;
}

/* ---- preparation ---- */

static void farr_params(const struct detect_job *job, struct farr *f)
{
    const double *p = job->param;

    *f = (struct farr){.s = job->series,
                       .b = (size_t)p[FARR_B],
                       .w = (size_t)p[FARR_W],
                       .skip = (size_t)p[FARR_W],
                       .limit_points = (size_t)p[FARR_LIMIT_POINTS],
                       .limit_cases = p[FARR_LIMIT_CASES],
                       .seasons = 1,
                       .is_flexible = job->variant == FARRINGTON_FLEXIBLE,
                       .by_date = p[FARR_CALENDAR] == CALENDAR_DATES && job->series->day &&
                                  job->series->points_a_year == WEEK_POINTS,
                       .trend = p[FARR_TREND] != 0,
                       .reweight = p[FARR_REWEIGHT] != 0,
                       .method = FARRINGTON_DELTA,
                       .power = (int)p[FARR_POWER],
                       .alpha = p[FARR_ALPHA],
                       .weights_threshold = CLASSIC_WEIGHTS_THRESHOLD,
                       .p_trend = CLASSIC_P_TREND};
    if (f->is_flexible) {
        f->seasons = (unsigned)p[FARR_PERIODS];
        f->skip = (size_t)p[FARR_SKIP];
        f->weights_threshold = p[FARR_WEIGHTS];
        f->p_trend = p[FARR_P_TREND];
        f->method = (int)p[FARR_METHOD];
    }
    f->z = norm_quantile(1 - (f->is_flexible ? f->alpha : f->alpha / 2));
}

static int farr_check(const struct farr *f, struct err *err)
{
    unsigned year = f->s->points_a_year;

    if (2 * f->w + 1 > year)
        return err_set(err, ERR_VALUE, "w %zu makes a window longer than a year of %u points", f->w,
                       year);
    if (f->seasons > 1 && year - (2 * f->w + 1) < f->seasons - 1)
        return err_set(err, ERR_VALUE,
                       "noPeriods %u does not fit: a year of %u points less a window of %zu leaves "
                       "%zu",
                       f->seasons, year, 2 * f->w + 1, year - (2 * f->w + 1));
    return 0;
}

static int farr_memory(struct farr *f, struct arena *a, struct err *err)
{
    /* A year by date has up to 53 weeks; a year's window and seasons are so many blocks. */
    size_t most = MIN(f->s->n, f->b * (f->s->points_a_year + 1) + 2 * f->w + 1);
    size_t n = f->s->n, blocks = (f->b + 1) * (f->seasons + 1);
    double *p = ARENA_ARRAY(a, double, 3 * n + 8 * most);

    f->data.blocks = ARENA_ARRAY(a, struct farr_block, blocks);
    if (!p || !f->data.blocks)
        return err_no_memory(err);
    f->log_start = p;
    f->y_log_y = p + n;
    f->y_two_thirds = p + 2 * n;
    p += 3 * n;
    f->data.y = p;
    f->data.time = p + most;
    f->data.prior = p + 2 * most;
    f->data.log_start = p + 3 * most;
    f->data.y_log_y = p + 4 * most;
    f->data.y_two_thirds = p + 5 * most;
    f->fit.mu = p + 6 * most;
    f->fit.weight = p + 7 * most;
    for (size_t i = 0; i < n; i++) {
        double y = f->s->count[i];

        f->log_start[i] = log(y + 0.1);
        f->y_log_y[i] = y > 0 ? y * log(y) : 0;
        f->y_two_thirds[i] = cbrt(y * y);
    }
    return 0;
}

int farrington_run(const struct detect_job *job, struct detect_point *ret, struct err *err)
{
    struct farr f;
    int r;

    farr_params(job, &f);
    r = farr_check(&f, err);
    if (r == 0)
        r = farr_memory(&f, job->arena, err);
    for (size_t t = job->from; r == 0 && t < f.s->n; t++)
        ret[t - job->from] = farr_point(&f, t);
    return r;
}
