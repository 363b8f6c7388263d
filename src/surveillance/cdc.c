/* CDC (Stroup et al. 1989): the cases of four points against the blocks of four around the same
 * time of earlier years, with the prediction interval of Farrington and Andrews 2003 (equation
 * 8-1). */
#include "surveillance/methods_int.h"
#include "surveillance/special.h"

#define BLOCK 4

static double block_sum(const double *y, size_t last)
{
    return y[last - 3] + y[last - 2] + y[last - 1] + y[last];
}

struct cdc {
    const struct series *s;
    size_t b, m;
    double z;
};

static struct detect_point cdc_point(const struct cdc *c, size_t t)
{
    double n = (double)(c->b * (2 * c->m + 1)), mean = 0, squares = 0, now;
    struct detect_point p;

    for (int pass = 0; pass < 2; pass++) {
        for (size_t year = 1; year <= c->b; year++)
            for (size_t block = 0; block <= 2 * c->m; block++) {
                size_t last = t - year * c->s->points_a_year + BLOCK * block - BLOCK * c->m;
                double x = block_sum(c->s->count, last);

                if (pass == 0)
                    mean += x / n;
                else
                    squares += (x - mean) * (x - mean);
            }
    }
    if (isnan(mean))
        return point_without(NOTE_BASELINE, 0, 0);
    now = block_sum(c->s->count, t);
    p = point_judge(now, mean + c->z * sqrt(squares / (n - 1)) * sqrt(1 + 1 / n), mean);
    if (p.note.code == NOTE_NONE)
        p.note = (struct detect_note){NOTE_SUM, BLOCK, now};
    return p;
}

int cdc_run(const struct detect_job *job, struct detect_point *ret, struct err *err)
{
    struct cdc c = {.s = job->series,
                    .b = (size_t)job->param[CDC_B],
                    .m = (size_t)job->param[CDC_M],
                    .z = norm_quantile(1 - job->param[CDC_ALPHA] / 2)};
    size_t needs = c.b * c.s->points_a_year + BLOCK * c.m + BLOCK - 1;

    if (c.b * (2 * c.m + 1) < 2)
        return err_set(err, ERR_VALUE, "b 1 with m 0 leaves one reference block: two are needed");
    if (c.s->points_a_year <= BLOCK * c.m)
        return err_set(err, ERR_VALUE, "m %zu reaches over a year of %u points", c.m,
                       c.s->points_a_year);
    for (size_t t = job->from; t < c.s->n; t++)
        ret[t - job->from] =
            t < needs ? point_without(NOTE_HISTORY, (double)needs, (double)t) : cdc_point(&c, t);
    return 0;
}
