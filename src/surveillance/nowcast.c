#include "surveillance/nowcast.h"

#include "base/util.h"
#include "surveillance/nowcast_int.h"
#include "surveillance/special.h"

#include <math.h>

/* The smallest count whose probability, normal and cut off below what is known, reaches p. As in
 * the reference the mass below is shared out but not taken off. */
static double normal_quantile(double mean, double sd, double known, double p)
{
    double z;

    if (sd == 0)
        return ceil(mean);
    z = norm_quantile(p * norm_above((known - mean) / sd));
    return MAX(known, ceil(mean + sd * z));
}

static void lawless(const struct nowcast_job *job, const struct delays *d,
                    struct nowcast_point *ret)
{
    for (size_t i = job->from; i < job->triangle.n; i++, ret++) {
        double share = d->share[MIN(d->longest, job->triangle.n - 1 - i)], sd;

        ret->known = triangle_known(&job->triangle, i);
        ret->expected = ret->known == 0 ? 0 : ret->known / share;
        if (!isfinite(ret->expected))
            ret->expected = (double)NAN;
        sd = ret->known == 0 ? 0 : sqrt(ret->expected * (1 - share) / share);
        for (size_t k = 0; k < job->n_probabilities; k++)
            ret->quantile[k] = isnan(ret->expected) ? (double)NAN
                                                    : normal_quantile(ret->expected, sd, ret->known,
                                                                      job->probabilities[k]);
    }
}

static int bayes(const struct nowcast_job *job, const struct delays *d, struct nowcast_point *ret,
                 struct err *err)
{
    size_t n = job->triangle.n + job->ahead - job->from;
    struct outlook *o = ARENA_ARRAY(job->arena, struct outlook, n);
    int r = o ? course_run(job, d, o, err) : err_no_memory(err);

    for (size_t i = 0; r == 0 && i < n; i++) {
        ret[i].known = o[i].known;
        ret[i].expected = outlook_mean(&o[i]);
        for (size_t k = 0; k < job->n_probabilities; k++)
            ret[i].quantile[k] = outlook_quantile(&o[i], job->probabilities[k]);
    }
    return r;
}

int nowcast_run(const struct nowcast_job *job, struct nowcast_point *ret, struct err *err)
{
    struct delays d;

    if (job->triangle.n > NOWCAST_PERIODS_MAX)
        return err_set(err, ERR_TOO_LONG, "%zu periods are more than %d", job->triangle.n,
                       NOWCAST_PERIODS_MAX);
    if (job->method == NOWCAST_LAWLESS && job->ahead)
        return err_set(err, ERR_VALUE, "the method lawless does not look ahead");
    delays_fit(&job->triangle, job->window, &d);
    if (job->method == NOWCAST_LAWLESS) {
        lawless(job, &d, ret);
        return 0;
    }
    return bayes(job, &d, ret, err);
}
