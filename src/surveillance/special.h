/* special.h - the distribution functions that libm leaves out.
 *
 * Relative error below 1e-12 for arguments up to 1e9 (special_test.c holds them against tables of
 * an independent implementation). Tails keep their relative precision: ask for the tail that is
 * wanted instead of taking one from 1. Arguments outside a function's domain give NAN.
 *
 * Sources: Loader 2000 (saddle-point form of the densities); Abramowitz and Stegun 6.5, 26.5
 * (series and continued fractions, evaluated after Lentz 1976).
 */
#ifndef SURVEILLANCE_SPECIAL_H
#define SURVEILLANCE_SPECIAL_H

#define SPECIAL_STEPS_MAX 1000000 /* terms of one series or continued fraction */

/* Standard normal: P(Z <= z), P(Z > z), and z with P(Z <= z) = p (p 0 and 1 give infinities). */
double norm_below(double z);
double norm_above(double z);
double norm_quantile(double p);

/* Regularised incomplete gamma functions P(a, x) and Q(a, x), a > 0, x >= 0. */
double gamma_below(double a, double x);
double gamma_above(double a, double x);

/* Regularised incomplete beta function I_x(a, b), with y = 1 - x given apart so that neither loses
 * digits; a, b > 0. */
double beta_below(double a, double b, double x, double y);

/* Poisson with the given mean: P(X <= k), P(X >= k), smallest k with P(X <= k) >= p. k whole; mean
 * >= 0. */
double poisson_below(double k, double mean);
double poisson_from(double k, double mean);
double poisson_quantile(double p, double mean);

/* Negative binomial with the given mean and variance phi * mean, phi > 1. */
double nb_below(double k, double mean, double phi);
double nb_from(double k, double mean, double phi);
double nb_quantile(double p, double mean, double phi);

/* Chance that |T| exceeds |t|, Student's t with df > 0 degrees of freedom. */
double student_outside(double t, double df);

#endif
