#include "surveillance/outlook.h"

#include "base/util.h"
#include "surveillance/special.h"

#include <assert.h>
#include <math.h>

#define PHI_LEAST 1.000001 /* nearer to 1 a negative binomial is computed as a Poisson */
#define DOUBLINGS_MAX 64
#define COUNT_MAX 1e15 /* no count is expected to be higher */

void outlook_add(struct outlook *o, double weight, double mean, double variance)
{
    double phi = mean > 0 ? variance / mean : 1;

    assert(o->n < OUTLOOK_PARTS_MAX);
    o->part[o->n++] = (struct outlook_part){weight, mean, phi > PHI_LEAST ? phi : 1};
}

double outlook_mean(const struct outlook *o)
{
    double sum = 0;

    for (size_t i = 0; i < o->n; i++)
        sum += o->part[i].weight * o->part[i].mean;
    return o->known + sum;
}

double outlook_below(const struct outlook *o, double k)
{
    double sum = 0;

    k = floor(k) - o->known;
    if (k < 0)
        return 0;
    for (size_t i = 0; i < o->n; i++) {
        const struct outlook_part *p = &o->part[i];

        sum += p->weight * (p->phi > 1 ? nb_below(k, p->mean, p->phi) : poisson_below(k, p->mean));
    }
    return sum;
}

/* From where it would be if it were normal, outwards until p is between, then halving. */
double outlook_quantile(const struct outlook *o, double p)
{
    double mean = outlook_mean(o) - o->known, square = 0, low, high, step;

    for (size_t i = 0; i < o->n; i++)
        square += o->part[i].weight * o->part[i].mean * (o->part[i].mean + o->part[i].phi);
    step = MAX(1.0, floor(sqrt(MAX(0.0, square - mean * mean)) / 16));
    high = o->known + MAX(0.0, floor(mean + 16 * step * norm_quantile(p)));
    low = high - step;
    for (int i = 0; i < DOUBLINGS_MAX && low >= o->known && outlook_below(o, low) >= p; i++) {
        high = low;
        low -= step;
        step *= 2;
    }
    low = MAX(low, o->known - 1);
    if (!(outlook_below(o, COUNT_MAX) >= p))
        return (double)NAN;
    for (int i = 0; i < DOUBLINGS_MAX && outlook_below(o, high) < p; i++) {
        low = high;
        high += step;
        step *= 2;
    }
    while (high - low > 1) {
        double middle = floor(low + (high - low) / 2);

        if (outlook_below(o, middle) >= p)
            high = middle;
        else
            low = middle;
    }
    return high;
}
