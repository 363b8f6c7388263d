/* stats.c - the arithmetic of $stats.
 *
 * Sums, means and quantiles are exact decimals; what needs a root or a power goes through doubles
 * and has 15 digits. Quantiles interpolate between the neighbours (Hyndman and Fan's type 7, the
 * default of R); variance and standard deviation are those of a sample (n - 1); skew and kurtosis
 * are the standardised third and fourth moments (of a normal distribution 0 and 3). The regression
 * is by least squares over time in days since the first measurement.
 */
#include "api/stats_int.h"

#include <math.h>

#define DAY_MS 86400000.0
#define DIGITS 15

/* A quotient that does not end is rounded to what a double holds. */
static int tidy(struct decimal *d, struct err *err)
{
    return d->n > DIGITS ? decimal_from_double(decimal_double(d), DIGITS, d, err) : 0;
}

static int stat_count(const struct samples *s, int arg, struct decimal *ret, struct err *err)
{
    (void)err;
    *ret = decimal_i64((int64_t)(arg ? s->n_total : s->n));
    return 1;
}

static int stat_end(const struct samples *s, int arg, struct decimal *ret, struct err *err)
{
    (void)err;
    if (!s->n)
        return 0;
    *ret = s->v[arg ? s->n - 1 : 0].v;
    return 1;
}

static int stat_sum(const struct samples *s, int arg, struct decimal *ret, struct err *err)
{
    struct decimal sum = decimal_i64(0);
    int r = 0;

    (void)arg;
    for (size_t i = 0; i < s->n && r >= 0; i++)
        r = decimal_add(&sum, &s->v[i].v, &sum, err);
    *ret = sum;
    return r < 0 ? r : s->n > 0;
}

static int stat_average(const struct samples *s, int arg, struct decimal *ret, struct err *err)
{
    struct decimal n = decimal_i64((int64_t)s->n);
    int r = stat_sum(s, arg, ret, err);

    if (r <= 0)
        return r;
    r = decimal_div(ret, &n, ret, err);
    return r < 0 || (r = tidy(ret, err)) < 0 ? r : 1;
}

static int stat_quantile(const struct samples *s, int percent, struct decimal *ret, struct err *err)
{
    size_t hundredths, at;
    struct decimal part, step;
    int r;

    if (!s->n)
        return 0;
    hundredths = (s->n - 1) * (size_t)percent;
    at = hundredths / 100;
    *ret = s->v[at].v;
    if (hundredths % 100 == 0)
        return 1;
    part = decimal_i64((int64_t)(hundredths % 100));
    step = decimal_i64(100);
    if ((r = decimal_div(&part, &step, &part, err)) < 0 ||
        (r = decimal_sub(&s->v[at + 1].v, &s->v[at].v, &step, err)) < 0 ||
        (r = decimal_mul(&step, &part, &step, err)) < 0 ||
        (r = decimal_add(ret, &step, ret, err)) < 0 || (r = tidy(ret, err)) < 0)
        return r;
    return 1;
}

/* Half of what lies between the quartiles. */
static int stat_deviation(const struct samples *s, int arg, struct decimal *ret, struct err *err)
{
    struct decimal low, two = decimal_i64(2);
    int r = stat_quantile(s, 25, &low, err);

    (void)arg;
    if (r <= 0 || (r = stat_quantile(s, 75, ret, err)) <= 0 ||
        (r = decimal_sub(ret, &low, ret, err)) < 0 || (r = decimal_div(ret, &two, ret, err)) < 0 ||
        (r = tidy(ret, err)) < 0)
        return r;
    return 1;
}

static double mean_of(const struct samples *s)
{
    double sum = 0;

    for (size_t i = 0; i < s->n; i++)
        sum += decimal_double(&s->v[i].v);
    return sum / (double)s->n;
}

/* The sum of powers of the distances from the mean. */
static double moment(const struct samples *s, int power)
{
    double mean = mean_of(s), sum = 0;

    for (size_t i = 0; i < s->n; i++)
        sum += pow(decimal_double(&s->v[i].v) - mean, power);
    return sum;
}

static int give(double v, struct decimal *ret, struct err *err)
{
    int r;

    if (!isfinite(v))
        return 0;
    r = decimal_from_double(v, DIGITS, ret, err);
    return r < 0 ? r : 1;
}

static int stat_variance(const struct samples *s, int is_root, struct decimal *ret, struct err *err)
{
    double v;

    if (s->n < 2)
        return 0;
    v = moment(s, 2) / (double)(s->n - 1);
    return give(is_root ? sqrt(v) : v, ret, err);
}

/* Not defined where all values are equal. */
static int stat_shape(const struct samples *s, int power, struct decimal *ret, struct err *err)
{
    double m2 = s->n ? moment(s, 2) / (double)s->n : 0;

    if (m2 <= 0)
        return 0;
    return give(moment(s, power) / (double)s->n / pow(m2, power / 2.0), ret, err);
}

static int stat_regression(const struct samples *s, int is_intercept, struct decimal *ret,
                           struct err *err)
{
    double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0, gradient;
    int64_t first = INT64_MAX;

    for (size_t i = 0; i < s->n; i++)
        if (s->v[i].at_ms != INT64_MIN && s->v[i].at_ms < first)
            first = s->v[i].at_ms;
    for (size_t i = 0; i < s->n; i++) {
        double x, y = decimal_double(&s->v[i].v);
        if (s->v[i].at_ms == INT64_MIN)
            continue;
        x = (double)(s->v[i].at_ms - first) / DAY_MS;
        n++;
        sx += x;
        sy += y;
        sxx += x * x;
        sxy += x * y;
    }
    if (n < 2 || n * sxx - sx * sx <= 0)
        return 0;
    gradient = (n * sxy - sx * sy) / (n * sxx - sx * sx);
    return give(is_intercept ? (sy - gradient * sx) / n : gradient, ret, err);
}

#define PLAIN(code, unit, run, arg)                                                                \
    {                                                                                              \
        STR(code), STR(""), unit, run, arg                                                         \
    }

static const struct statistic statistics[] = {
    PLAIN("average", STATS_UNIT, stat_average, 0),
    PLAIN("maximum", STATS_UNIT, stat_end, 1),
    PLAIN("minimum", STATS_UNIT, stat_end, 0),
    PLAIN("count", STATS_COUNT, stat_count, 0),
    PLAIN("total-count", STATS_COUNT, stat_count, 1),
    PLAIN("median", STATS_UNIT, stat_quantile, 50),
    PLAIN("std-dev", STATS_UNIT, stat_variance, 1),
    PLAIN("sum", STATS_UNIT, stat_sum, 0),
    PLAIN("variance", STATS_SQUARE, stat_variance, 0),
    PLAIN("20-percent", STATS_UNIT, stat_quantile, 20),
    PLAIN("80-percent", STATS_UNIT, stat_quantile, 80),
    PLAIN("4-lower", STATS_UNIT, stat_quantile, 25),
    PLAIN("4-upper", STATS_UNIT, stat_quantile, 75),
    PLAIN("4-dev", STATS_UNIT, stat_deviation, 0),
    PLAIN("5-1", STATS_UNIT, stat_quantile, 20),
    PLAIN("5-2", STATS_UNIT, stat_quantile, 40),
    PLAIN("5-3", STATS_UNIT, stat_quantile, 60),
    PLAIN("5-4", STATS_UNIT, stat_quantile, 80),
    PLAIN("skew", STATS_NUMBER, stat_shape, 3),
    PLAIN("kurtosis", STATS_NUMBER, stat_shape, 4),
    {STR("regression"), STR("gradient"), STATS_PER_DAY, stat_regression, 0},
    {STR("regression"), STR("intercept"), STATS_UNIT, stat_regression, 1},
};

const struct statistic *statistic_find(struct str code, size_t *ret_n)
{
    /* The definition's own text says max and min. */
    static const struct str shorter[][2] = {{STR("max"), STR("maximum")},
                                            {STR("min"), STR("minimum")}};
    const struct statistic *first = NULL;

    for (size_t i = 0; i < ARRAY_LEN(shorter); i++)
        if (str_eq(code, shorter[i][0]))
            code = shorter[i][1];
    *ret_n = 0;
    for (size_t i = 0; i < ARRAY_LEN(statistics); i++) {
        if (!str_eq(statistics[i].code, code))
            continue;
        first = first ? first : &statistics[i];
        (*ret_n)++;
    }
    return first;
}
