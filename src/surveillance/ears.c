/* EARS C1, C2, C3 (Hutwagner et al. 2003; Fricker et al. 2008): the mean and standard deviation of
 * the `baseline` points before (C1), or before with a gap of two (C2); C3 sums the excess of C2
 * over three points. */
#include "surveillance/methods_int.h"
#include "surveillance/special.h"

#define C2_GAP 2
#define C3_BACK 2 /* earlier points that C3 sums */

/* Mean and standard deviation (n - 1) of n counts; NAN where one is not known. */
static void moments(const double *y, size_t n, double *ret_mean, double *ret_sd)
{
    double sum = 0, squares = 0;

    for (size_t i = 0; i < n; i++)
        sum += y[i];
    for (size_t i = 0; i < n; i++)
        squares += (y[i] - sum / (double)n) * (y[i] - sum / (double)n);
    *ret_mean = sum / (double)n;
    *ret_sd = sqrt(squares / (double)(n - 1));
}

struct ears {
    const double *y;
    size_t baseline, gap;
    double min_sigma, z;
};

static void baseline_of(const struct ears *e, size_t t, double *ret_mean, double *ret_sd)
{
    moments(e->y + t - e->gap - e->baseline, e->baseline, ret_mean, ret_sd);
    *ret_sd = *ret_sd < e->min_sigma ? e->min_sigma : *ret_sd;
}

/* What C2 at point t adds to C3: NAN where it is not defined. */
static double excess(const struct ears *e, size_t t)
{
    double mean, sd, c;

    baseline_of(e, t, &mean, &sd);
    c = (e->y[t] - mean) / sd - 1;
    return c < 0 ? 0 : c;
}

static struct detect_point ears_point(const struct ears *e, size_t t, int variant)
{
    double mean, sd, threshold, before = 0;

    baseline_of(e, t, &mean, &sd);
    if (isnan(mean))
        return point_without(NOTE_BASELINE, 0, 0);
    if (variant == EARS_C3)
        for (size_t back = 1; back <= C3_BACK; back++)
            before += excess(e, t - back);
    threshold = mean + sd * e->z;
    if (variant == EARS_C3) {
        threshold = e->y[t] + sd * (e->z - before);
        threshold = threshold < 0 ? 0 : threshold;
    }
    if (isnan(threshold)) {
        for (size_t i = t - e->gap - C3_BACK - e->baseline; i < t; i++)
            if (isnan(e->y[i]))
                return point_without(NOTE_BASELINE, 0, 0);
        return point_without(NOTE_FLAT, 0, 0);
    }
    return point_judge(e->y[t], threshold, mean);
}

int ears_run(const struct detect_job *job, struct detect_point *ret, _unused_ struct err *err)
{
    double alpha = job->param[EARS_ALPHA];
    struct ears e = {.y = job->series->count,
                     .baseline = (size_t)job->param[EARS_BASELINE],
                     .gap = job->variant == EARS_C1 ? 0 : C2_GAP,
                     .min_sigma = job->param[EARS_MIN_SIGMA]};
    size_t needs = e.baseline + e.gap + (job->variant == EARS_C3 ? C3_BACK : 0);

    if (isnan(alpha))
        alpha = job->variant == EARS_C3 ? 0.025 : 0.001;
    e.z = norm_quantile(1 - alpha);
    for (size_t t = job->from; t < job->series->n; t++)
        ret[t - job->from] = t < needs ? point_without(NOTE_HISTORY, (double)needs, (double)t)
                                       : ears_point(&e, t, job->variant);
    return 0;
}
