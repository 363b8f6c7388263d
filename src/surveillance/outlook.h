/* outlook.h - what a count may turn out to be: what is known of it, and a mixture of negative
 * binomials for what comes to that.
 */
#ifndef SURVEILLANCE_OUTLOOK_H
#define SURVEILLANCE_OUTLOOK_H

#include <stddef.h>

#define OUTLOOK_PARTS_MAX 128

struct outlook_part {
    double weight, mean, phi; /* variance phi * mean; phi 1: Poisson */
};

struct outlook {
    double known;
    size_t n;
    struct outlook_part part[OUTLOOK_PARTS_MAX]; /* weights add up to 1 */
};

/* The part of this weight with this mean and variance; a variance below the mean becomes the mean,
 * there being no narrower count. */
void outlook_add(struct outlook *o, double weight, double mean, double variance);

double outlook_mean(const struct outlook *o);
/* P(count <= k). */
double outlook_below(const struct outlook *o, double k);
/* The smallest count with P(it or less) >= p, 0 < p < 1. */
double outlook_quantile(const struct outlook *o, double p);

#endif
