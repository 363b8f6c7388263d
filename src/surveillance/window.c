/* RKI 1-3 and Bayes 1-3: reference counts are the w points before and the windows of 2w + 1 points
 * around the same point of earlier years (Riebler 2004; Hoehle 2007). */
#include "surveillance/methods_int.h"
#include "surveillance/special.h"

struct window {
    size_t b, w, needs;
    bool recent;
};

/* The three classical choices: 6 points before; these and 13 of last year; 9 each of two years. */
static const struct {
    double b, w, recent;
} variants[] = {{0, 6, 1}, {1, 6, 1}, {2, 4, 0}};

static int window_make(const struct detect_job *job, struct window *ret, struct err *err)
{
    const double *p = job->param;
    double b = isnan(p[WINDOW_B]) ? variants[job->variant].b : p[WINDOW_B];
    double w = isnan(p[WINDOW_W]) ? variants[job->variant].w : p[WINDOW_W];
    double recent = isnan(p[WINDOW_RECENT]) ? variants[job->variant].recent : p[WINDOW_RECENT];
    struct window v = {.b = (size_t)b, .w = (size_t)w, .recent = recent != 0};

    if (v.b == 0 && (!v.recent || v.w == 0))
        return err_set(err, ERR_VALUE,
                       "b 0 needs actY yes and w of 1 or more: there would be no "
                       "reference counts");
    v.needs = v.b ? v.b * job->series->points_a_year + v.w : v.w;
    *ret = v;
    return 0;
}

struct sums {
    double n, sum, squares; /* squares about `centre` */
    bool unknown;
};

static void add_range(const double *y, size_t first, size_t end, double centre, struct sums *s)
{
    for (size_t i = first; i < end; i++) {
        if (isnan(y[i])) {
            s->unknown = true;
            continue;
        }
        s->n += 1;
        s->sum += y[i];
        s->squares += (y[i] - centre) * (y[i] - centre);
    }
}

/* In the past year's windows a point may lie before the one judged only. */
static struct sums window_sums(const struct window *v, const struct series *s, size_t t,
                               double centre)
{
    struct sums sums = {0};

    for (size_t year = 1; year <= v->b; year++) {
        size_t middle = t - year * s->points_a_year;
        add_range(s->count, middle - v->w, MIN(middle + v->w + 1, t), centre, &sums);
    }
    if (v->recent)
        add_range(s->count, t - v->w, t, centre, &sums);
    return sums;
}

/* Upper 95 % limits of a Poisson mean for counts 0 to 20: Crow and Gardner 1959. */
static const double crow_gardner[] = {3.285,  5.323,  6.686,  8.102,  9.598,  11.177, 12.817,
                                      13.765, 14.921, 16.768, 17.633, 19.050, 20.335, 21.364,
                                      22.945, 23.762, 25.400, 26.306, 27.735, 28.966, 30.017};

/* Two standard deviations above the mean; for means up to 20 the table's limit. */
static struct detect_point rki_point(const struct window *v, const struct series *s, size_t t)
{
    struct sums sums = window_sums(v, s, t, 0);
    double mean = sums.sum / sums.n;

    if (sums.unknown)
        return point_without(NOTE_BASELINE, 0, 0);
    if (mean <= 20)
        return point_judge(s->count[t], crow_gardner[(size_t)mean], mean);
    if (sums.n < 2)
        return point_without(NOTE_FLAT, 0, 0);
    sums = window_sums(v, s, t, mean);
    return point_judge(s->count[t], mean + 2 * sqrt(sums.squares / (sums.n - 1)), mean);
}

/* The quantile of the predictive distribution after Jeffreys' prior for a Poisson mean: negative
 * binomial with size (sum + 1/2) and probability n / (n + 1). Counts that are not known are left
 * out. */
static struct detect_point bayes_point(const struct window *v, const struct series *s, size_t t,
                                       double alpha)
{
    struct sums sums = window_sums(v, s, t, 0);
    double phi = (sums.n + 1) / sums.n, mean = (sums.sum + 0.5) / sums.n;
    struct detect_point p;

    if (sums.n == 0)
        return point_without(NOTE_BASELINE, 0, 0);
    p = point_judge(s->count[t], nb_quantile(1 - alpha, mean, phi), mean);
    if (!isnan(s->count[t]))
        p.p = nb_from(s->count[t], mean, phi);
    return p;
}

int rki_run(const struct detect_job *job, struct detect_point *ret, struct err *err)
{
    const struct series *s = job->series;
    struct window v;
    int r = window_make(job, &v, err);

    for (size_t t = job->from; r == 0 && t < s->n; t++)
        ret[t - job->from] = t < v.needs ? point_without(NOTE_HISTORY, (double)v.needs, (double)t)
                                         : rki_point(&v, s, t);
    return r;
}

int bayes_run(const struct detect_job *job, struct detect_point *ret, struct err *err)
{
    const struct series *s = job->series;
    struct window v;
    int r = window_make(job, &v, err);

    for (size_t t = job->from; r == 0 && t < s->n; t++)
        ret[t - job->from] = t < v.needs ? point_without(NOTE_HISTORY, (double)v.needs, (double)t)
                                         : bayes_point(&v, s, t, job->param[BAYES_ALPHA]);
    return r;
}
