#include "surveillance/special.h"

#include "base/util.h"

#include <float.h>
#include <math.h>

#define SQRT_2PI 2.50662827463100050242
#define HALF_LOG_2PI 0.91893853320467274178
#define TINY 1e-300 /* stands for a zero denominator in a continued fraction */
/* A cumulative probability this close below p counts as reaching it: ties are rounding. */
#define QUANTILE_FUZZ (64 * DBL_EPSILON)
#define QUANTILE_DOUBLINGS_MAX 200
#define OTHER_SIDE_MAX 0.9 /* a probability up to this is taken from 1 */

/* ---- normal ---- */

double norm_below(double z)
{
    return 0.5 * erfc(-z * M_SQRT1_2);
}

double norm_above(double z)
{
    return 0.5 * erfc(z * M_SQRT1_2);
}

/* Lower half only. A start good to 4.5e-4 (Abramowitz and Stegun 26.2.23), then Halley's steps. */
static double quantile_low(double p)
{
    double t = sqrt(-2 * log(p));
    double z = -(t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                         (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))));

    for (int i = 0; i < 3; i++) {
        double u = (norm_below(z) - p) * SQRT_2PI * exp(0.5 * z * z);

        z -= u / (1 + 0.5 * z * u);
    }
    return z;
}

double norm_quantile(double p)
{
    if (!(p >= 0 && p <= 1))
        return NAN;
    if (p == 0 || p == 1)
        return p == 0 ? -INFINITY : INFINITY;
    if (p < DBL_MIN)
        return NAN;
    if (p == 0.5)
        return 0;
    return p < 0.5 ? quantile_low(p) : -quantile_low(1 - p);
}

/* ---- densities in saddle-point form ---- */

/* log(n!) less Stirling's formula, for real n >= 0; 0 at n = 0 by its use below. */
static double stirling_error(double n)
{
    double q = 1 / n, s = q * q;

    if (n <= 16)
        return n > 0 ? lgamma(n + 1) - (n + 0.5) * log(n) + n - HALF_LOG_2PI : 0;
    return q *
           (1.0 / 12 - s * (1.0 / 360 - s * (1.0 / 1260 - s * (1.0 / 1680 - s * (1.0 / 1188)))));
}

/* x log(x / m) + m - x without cancellation where x is near m. */
static double deviance_half(double x, double m)
{
    double v = (x - m) / (x + m), power = 2 * x * v, sum = (x - m) * v, before;

    if (x == 0)
        return m;
    if (fabs(x - m) >= 0.1 * (x + m))
        return x * log(x / m) + m - x;
    for (int j = 1; j < 1000; j++) {
        before = sum;
        power *= v * v;
        sum += power / (2 * j + 1);
        if (sum == before)
            break;
    }
    return sum;
}

/* mean^x e^-mean / Gamma(x + 1), x real. */
static double poisson_density(double x, double mean)
{
    if (x == 0)
        return exp(-mean);
    return exp(-stirling_error(x) - deviance_half(x, mean)) / (SQRT_2PI * sqrt(x));
}

/* Gamma(a+b+1) / (Gamma(a+1) Gamma(b+1)) x^a y^b, a and b real and positive. */
static double binomial_density(double a, double b, double x, double y)
{
    double n = a + b;

    return exp(stirling_error(n) - stirling_error(a) - stirling_error(b) - deviance_half(a, n * x) -
               deviance_half(b, n * y)) *
           sqrt(n / a / b) / SQRT_2PI;
}

/* ---- incomplete gamma ---- */

static double gamma_series(double a, double x)
{
    double term = 1, sum = 1;

    for (int i = 1; i < SPECIAL_STEPS_MAX && term > sum * DBL_EPSILON * 0.25; i++) {
        term *= x / (a + i);
        sum += term;
    }
    return sum * poisson_density(a, x);
}

static double gamma_fraction(double a, double x)
{
    double b = x + 1 - a, c = 1 / TINY, d = 1 / b, h = d;

    for (int i = 1; i < SPECIAL_STEPS_MAX; i++) {
        double an = -i * (i - a), step;

        b += 2;
        d = an * d + b;
        c = b + an / c;
        d = 1 / (fabs(d) < TINY ? TINY : d);
        c = fabs(c) < TINY ? TINY : c;
        step = d * c;
        h *= step;
        if (fabs(step - 1) < DBL_EPSILON)
            break;
    }
    return h * a * poisson_density(a, x);
}

static double gamma_tail(double a, double x, bool below)
{
    if (!(a > 0 && x >= 0))
        return NAN;
    if (x == 0)
        return below ? 0 : 1;
    if (isinf(x))
        return below ? 1 : 0;
    if (x < a + 1) {
        double p = gamma_series(a, x);
        return below ? p : 1 - p;
    }
    return below ? 1 - gamma_fraction(a, x) : gamma_fraction(a, x);
}

double gamma_below(double a, double x)
{
    return gamma_tail(a, x, true);
}

double gamma_above(double a, double x)
{
    return gamma_tail(a, x, false);
}

/* ---- incomplete beta ---- */

static double beta_fraction(double a, double b, double x)
{
    double c = 1, d = 1 - (a + b) * x / (a + 1), h;

    d = 1 / (fabs(d) < TINY ? TINY : d);
    h = d;
    for (int m = 1; m < SPECIAL_STEPS_MAX; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double step = 0;

        for (int half = 0; half < 2; half++) {
            double term = half ? odd : even;

            d = 1 + term * d;
            c = 1 + term / c;
            d = 1 / (fabs(d) < TINY ? TINY : d);
            c = fabs(c) < TINY ? TINY : c;
            step = d * c;
            h *= step;
        }
        if (fabs(step - 1) < DBL_EPSILON)
            break;
    }
    return h;
}

double beta_below(double a, double b, double x, double y)
{
    double density, other;

    if (!(a > 0 && b > 0 && x >= 0 && y >= 0))
        return NAN;
    if (x == 0 || y == 0)
        return x == 0 ? 0 : 1;
    density = binomial_density(a, b, x, y);
    if (x > (a + 1) / (a + b + 2)) {
        other = density * a / (a + b) * beta_fraction(b, a, y);
        /* Near 1 the difference would lose digits: the slower fraction of this side keeps them. */
        if (other < OTHER_SIDE_MAX)
            return 1 - other;
    }
    return density * b / (a + b) * beta_fraction(a, b, x);
}

/* ---- counts ---- */

double poisson_below(double k, double mean)
{
    if (k < 0)
        return 0;
    return mean == 0 ? 1 : gamma_above(floor(k) + 1, mean);
}

double poisson_from(double k, double mean)
{
    if (k <= 0)
        return 1;
    return mean == 0 ? 0 : gamma_below(ceil(k), mean);
}

double nb_below(double k, double mean, double phi)
{
    if (k < 0)
        return 0;
    return mean == 0 ? 1 : beta_below(mean / (phi - 1), floor(k) + 1, 1 / phi, (phi - 1) / phi);
}

double nb_from(double k, double mean, double phi)
{
    if (k <= 0)
        return 1;
    return mean == 0 ? 0 : beta_below(ceil(k), mean / (phi - 1), (phi - 1) / phi, 1 / phi);
}

/* phi 1: Poisson. */
static double count_below(double k, double mean, double phi)
{
    return phi > 1 ? nb_below(k, mean, phi) : poisson_below(k, mean);
}

/* From a normal start with its skewness corrected, outwards until p is between, then halving. */
static double count_quantile(double p, double mean, double phi)
{
    double z, sd, low, high, step;

    if (!(p >= 0 && p <= 1 && mean >= 0) || isinf(mean))
        return NAN;
    if (p == 0 || mean == 0)
        return 0;
    if (p == 1)
        return INFINITY;
    p *= 1 - QUANTILE_FUZZ;
    z = norm_quantile(p);
    sd = sqrt(mean * phi);
    high = MAX(0.0, floor(mean + sd * (z + (2 * phi - 1) / sd * (z * z - 1) / 6) + 0.5));
    step = MAX(1.0, floor(sd * 0.02));
    low = high - step;
    if (count_below(high, mean, phi) >= p) {
        for (int i = 0; i < QUANTILE_DOUBLINGS_MAX && low >= 0; i++) {
            if (count_below(low, mean, phi) < p)
                break;
            high = low;
            low -= step;
            step *= 2;
        }
        low = MAX(low, -1.0);
    } else {
        for (int i = 0; i < QUANTILE_DOUBLINGS_MAX; i++) {
            low = high;
            high += step;
            step *= 2;
            if (count_below(high, mean, phi) >= p)
                break;
        }
    }
    while (high - low > 1) {
        double middle = floor(low + (high - low) / 2);

        if (count_below(middle, mean, phi) >= p)
            high = middle;
        else
            low = middle;
    }
    return high;
}

double poisson_quantile(double p, double mean)
{
    return count_quantile(p, mean, 1);
}

double nb_quantile(double p, double mean, double phi)
{
    return phi > 1 ? count_quantile(p, mean, phi) : NAN;
}

double student_outside(double t, double df)
{
    if (!(df > 0) || isnan(t))
        return NAN;
    if (isinf(t))
        return 0;
    return beta_below(df / 2, 0.5, df / (df + t * t), t * t / (df + t * t));
}
