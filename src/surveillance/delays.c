#include "surveillance/delays.h"

#include "base/util.h"

#include <assert.h>
#include <math.h>

#define PRIOR_CASES 0.5
#define CELL_LEAST 0.5 /* variance that a cell must be expected to have to tell of dispersion */
#define CELLS_LEAST 10

static double known_by(const struct triangle *t, size_t row, size_t delay)
{
    const double *cell = &t->cells[row * (t->longest + 1)];
    double sum = 0;

    for (size_t d = 0; d <= delay; d++)
        sum += cell[d];
    return sum;
}

double triangle_known(const struct triangle *t, size_t i)
{
    return known_by(t, i, MIN(t->longest, t->n - 1 - i));
}

/* Pearson's statistic of the cells, given what was known one delay later. */
static double find_dispersion(const struct triangle *t, size_t first, const struct delays *d)
{
    double sum = 0;
    size_t n = 0;

    for (size_t row = first; row < t->n; row++) {
        size_t last = MIN(t->longest, t->n - 1 - row);

        for (size_t k = 1; k <= last; k++) {
            double all = known_by(t, row, k), hazard = d->at[k] / MAX(d->within[k], 1.0);
            double variance = all * hazard * (1 - hazard);

            if (variance < CELL_LEAST)
                continue;
            sum += pow(t->cells[row * (t->longest + 1) + k] - all * hazard, 2) / variance;
            n++;
        }
    }
    return n < t->longest + CELLS_LEAST ? 1 : MAX(1.0, sum / (double)(n - t->longest));
}

void delays_fit(const struct triangle *t, size_t window, struct delays *ret)
{
    size_t first = window && t->n > window + 1 ? t->n - 1 - window : 0;
    double share = 1, mean = 1, square = 1;

    assert(t->longest <= DELAYS_MAX);
    *ret = (struct delays){.longest = t->longest};
    for (size_t k = 0; k <= t->longest; k++)
        for (size_t row = first; row + k < t->n; row++) {
            ret->at[k] += t->cells[row * (t->longest + 1) + k];
            ret->within[k] += known_by(t, row, k);
        }
    ret->dispersion = find_dispersion(t, first, ret);
    for (size_t k = t->longest + 1; k-- > 0;) {
        /* The hazard of delay k, if delays were even, is 1 / (k + 1). */
        double at = PRIOR_CASES / (double)(k + 1) + ret->at[k] / ret->dispersion;
        double sooner = PRIOR_CASES * (double)k / (double)(k + 1) +
                        (ret->within[k] - ret->at[k]) / ret->dispersion;
        double all = at + sooner;

        ret->share[k] = share;
        ret->mean[k] = mean;
        ret->variance[k] = MAX(0.0, square - mean * mean);
        share *= ret->within[k] > 0 ? 1 - ret->at[k] / ret->within[k] : (double)NAN;
        mean *= sooner / all;
        square *= sooner * (sooner + 1) / (all * (all + 1));
    }
}
