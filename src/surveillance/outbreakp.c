/* OutbreakP (Frisen and Andersson 2009): how much likelier the counts so far are under means that
 * never fall than under one constant mean. Its logarithm is what is computed:
 * sum of x(t) (log mu_up(t) - log mu_mean). */
#include "surveillance/methods_int.h"

/* The pools of the isotonic regression so far, oldest first: sums over runs of points. Appending a
 * count joins pools at the end only, so that each point costs a constant on average. */
struct pools {
    double *sum, *size, *before; /* before[i]: sum of S log(S / n) over the pools ahead of i */
    size_t n;
    double cases, points;
};

static double x_log_mean(double sum, double n)
{
    return sum > 0 ? sum * log(sum / n) : 0;
}

/* The statistic with count y as the next point. The pools stay as they are; *ret_kept and the
 * merged pool say how they would change. */
static double with_next(const struct pools *p, double y, size_t *ret_kept, double *ret_sum,
                        double *ret_size)
{
    double sum = y, size = 1;
    size_t kept = p->n;

    while (kept > 0 && p->sum[kept - 1] * size >= sum * p->size[kept - 1]) {
        kept--;
        sum += p->sum[kept];
        size += p->size[kept];
    }
    *ret_kept = kept;
    *ret_sum = sum;
    *ret_size = size;
    return (kept ? p->before[kept - 1] + x_log_mean(p->sum[kept - 1], p->size[kept - 1]) : 0) +
           x_log_mean(sum, size) - x_log_mean(p->cases + y, p->points + 1);
}

static void append(struct pools *p, double y)
{
    size_t kept;
    double sum, size;

    with_next(p, y, &kept, &sum, &size);
    p->before[kept] =
        kept ? p->before[kept - 1] + x_log_mean(p->sum[kept - 1], p->size[kept - 1]) : 0;
    p->sum[kept] = sum;
    p->size[kept] = size;
    p->n = kept + 1;
    p->cases += y;
    p->points += 1;
}

static double statistic(const struct pools *p, double y)
{
    size_t kept;
    double sum, size;

    return with_next(p, y, &kept, &sum, &size);
}

/* The smallest count that would be an alarm: the statistic grows with the last count once that is
 * above all pools, and is found by halving. NAN where none up to `most` is one. */
static double smallest_alarm(const struct pools *p, double log_k, double most)
{
    double low = -1, high = most;

    if (!(statistic(p, most) > log_k))
        return NAN;
    while (high - low > 1) {
        double middle = floor(low + (high - low) / 2);

        if (statistic(p, middle) > log_k)
            high = middle;
        else
            low = middle;
    }
    return high;
}

static struct detect_point outbreakp_point(const struct detect_job *job, struct pools *p, size_t t)
{
    double y = job->series->count[t], log_k = log(job->param[OUTBREAKP_K]), value;
    struct detect_point point;

    if (isnan(y))
        return point_without(NOTE_UNKNOWN, 0, 0);
    value = statistic(p, y);
    if (job->param[OUTBREAKP_RET] == 1) {
        point = point_judge(y, exp(value), NAN);
    } else {
        double needed = smallest_alarm(p, log_k, job->param[OUTBREAKP_MAX]);

        point = point_judge(y, needed > 0 ? needed : NAN, NAN);
        if (!(needed > 0))
            point.note.code = needed == 0 ? NOTE_ALWAYS : NOTE_NEVER;
    }
    point.alarm = value > log_k;
    return point;
}

int outbreakp_run(const struct detect_job *job, struct detect_point *ret, struct err *err)
{
    size_t n = job->series->n;
    double *memory = ARENA_ARRAY(job->arena, double, 3 * n);
    struct pools p = {.sum = memory};

    if (!memory)
        return err_no_memory(err);
    p.size = memory + n;
    p.before = memory + 2 * n;
    for (size_t t = 0; t < n; t++) {
        if (t >= job->from)
            ret[t - job->from] = outbreakp_point(job, &p, t);
        if (!isnan(job->series->count[t]))
            append(&p, job->series->count[t]);
    }
    return 0;
}
