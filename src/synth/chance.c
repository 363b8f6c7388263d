#include "synth/chance.h"

int64_t draw_normal(struct rng *r, int64_t mean, int64_t deviation)
{
    uint64_t bits = rng_next(r);
    int64_t sum =
        (int64_t)((bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48));

    /* Four 16-bit uniforms: mean 131070, deviation sqrt(4 / 12) * 65536 = 37837. */
    return mean + deviation * (sum - 131070) / 37837;
}

int64_t draw_wait(struct rng *r, uint64_t further_permille, int64_t max)
{
    int64_t days = 0;

    while (days < max && draw_permille(r, further_permille))
        days++;
    return days;
}

size_t draw_weighted(struct rng *r, const uint16_t *weights, size_t n, uint32_t sum)
{
    uint64_t at = rng_below(r, sum);

    for (size_t i = 0; i + 1 < n; i++) {
        if (at < weights[i])
            return i;
        at -= weights[i];
    }
    return n - 1;
}

/* sin of 0 … 180 degrees in thousandths. */
static int64_t half_wave(int64_t degrees)
{
    int64_t x = degrees * (180 - degrees);

    return 4000 * x / (40500 - x);
}

int wave_permille(int64_t part, int64_t whole)
{
    int64_t degrees = (part % whole * 360 / whole + 360 + 90) % 360;

    return (int)(degrees <= 180 ? half_wave(degrees) : -half_wave(degrees - 180));
}

int64_t curve_at(const int16_t *x, const int32_t *y, size_t n, int64_t at)
{
    if (at <= x[0])
        return y[0];
    for (size_t i = 1; i < n; i++)
        if (at < x[i])
            return y[i - 1] + (int64_t)(y[i] - y[i - 1]) * (at - x[i - 1]) / (x[i] - x[i - 1]);
    return y[n - 1];
}
