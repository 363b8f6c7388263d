/* chance.h - draws and curves in whole numbers: the same on every machine, no libm. */
#ifndef SYNTH_CHANCE_H
#define SYNTH_CHANCE_H

#include "base/rng.h"

/* Draw in statements of their own: C does not say which of two draws in one expression, or in one
 * list of arguments or initialisers, comes first, and compilers differ. For the same reason bounds
 * are these functions, not MIN and MAX, which would draw twice. */
static inline int64_t at_least(int64_t v, int64_t min)
{
    return v < min ? min : v;
}

static inline int64_t at_most(int64_t v, int64_t max)
{
    return v > max ? max : v;
}

/* Uniform in lo … hi, both included. */
static inline int64_t draw_range(struct rng *r, int64_t lo, int64_t hi)
{
    return lo + (int64_t)rng_below(r, (uint64_t)(hi - lo) + 1);
}

static inline bool draw_permille(struct rng *r, uint64_t permille)
{
    return rng_below(r, 1000) < permille;
}

static inline bool draw_per_million(struct rng *r, uint64_t ppm)
{
    return rng_below(r, 1000000) < ppm;
}

/* Roughly normal: the sum of four uniforms, so never further than 3.4 deviations. */
int64_t draw_normal(struct rng *r, int64_t mean, int64_t deviation);

/* Days of waiting: 0, 1, 2 …, each further day with the same probability, at most `max`. */
int64_t draw_wait(struct rng *r, uint64_t further_permille, int64_t max);

/* A place in a table of weights that add up to `sum`. */
size_t draw_weighted(struct rng *r, const uint16_t *weights, size_t n, uint32_t sum);

/* cos(2 pi part / whole) in thousandths, by Bhaskara's rational approximation (error < 2). */
int wave_permille(int64_t part, int64_t whole);

/* Straight line between the points (x[i], y[i]), x rising; level outside. */
int64_t curve_at(const int16_t *x, const int32_t *y, size_t n, int64_t at);

#endif
