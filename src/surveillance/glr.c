/* Generalised likelihood ratio for a rise in level (Hoehle and Paul 2008): the largest log-
 * likelihood ratio, over all points since the last alarm at which the level could have risen and
 * over all rises. Expected counts come from a yearly wave fitted to the points before the range. */
#include "surveillance/glm.h"
#include "surveillance/methods_int.h"

#define RISE_STEPS_MAX 100
#define RISE_SETTLED 1e-14
#define COUNT_TRIED_MAX 1e9 /* the search for the count that would be an alarm ends here */

struct glr {
    const double *x; /* counts of the range */
    double *mu;      /* their expectations */
    double dispersion, limit;
};

/* Poisson: the best rise has a closed form. */
static double poisson_ratio(double cases, double expected)
{
    return cases > expected ? cases * log(cases / expected) - (cases - expected) : 0;
}

/* Negative binomial: the log-likelihood ratio is concave in the rise; its maximum is found by
 * Newton's steps kept between two bounds. `last` stands for the count at n. */
static double nb_ratio(const struct glr *g, size_t first, size_t n, double last)
{
    double a = g->dispersion, rise = 0, low = 0, high = INFINITY, sum = 0;

    for (int step = 0; step < RISE_STEPS_MAX; step++) {
        double slope = 0, bend = 0, factor = exp(rise), next;

        for (size_t t = first; t <= n; t++) {
            double x = t == n ? last : g->x[t], m = a * g->mu[t] * factor;

            if (isnan(x))
                continue;
            slope += x - (x + 1 / a) * m / (1 + m);
            bend += (x + 1 / a) * m / ((1 + m) * (1 + m));
        }
        if (step == 0 && slope <= 0)
            return 0;
        if (slope > 0)
            low = rise;
        else
            high = rise;
        next = rise + slope / bend;
        if (!(next > low && next < high))
            next = isinf(high) ? rise + 1 : (low + high) / 2;
        if (fabs(next - rise) <= RISE_SETTLED * (1 + rise))
            break;
        rise = next;
    }
    for (size_t t = first; t <= n; t++) {
        double x = t == n ? last : g->x[t], m = a * g->mu[t];

        if (!isnan(x))
            sum += x * rise - (x + 1 / a) * log((1 + m * exp(rise)) / (1 + m));
    }
    return sum;
}

/* The statistic at n with `last` as its count, over the starts from `start` on. */
static double statistic(const struct glr *g, size_t start, size_t n, double last)
{
    double best = 0, cases = 0, expected = 0;

    for (size_t first = n + 1; first-- > start;) {
        double x = first == n ? last : g->x[first], ratio;

        if (isnan(x))
            continue;
        cases += x;
        expected += g->mu[first];
        ratio = g->dispersion > 0 ? nb_ratio(g, first, n, last) : poisson_ratio(cases, expected);
        best = MAX(best, ratio);
    }
    return best;
}

/* The smallest count at n that would be an alarm; the statistic grows with it. */
static double smallest_alarm(const struct glr *g, size_t start, size_t n)
{
    double low = -1, high = MAX(1.0, ceil(2 * g->mu[n]));

    while (statistic(g, start, n, high) < g->limit) {
        if (high > COUNT_TRIED_MAX)
            return NAN;
        low = high;
        high *= 2;
    }
    while (high - low > 1) {
        double middle = floor(low + (high - low) / 2);

        if (statistic(g, start, n, middle) >= g->limit)
            high = middle;
        else
            low = middle;
    }
    return high;
}

/* Fits the expected counts. 1 where there is no finite estimate. */
static int expected(const struct detect_job *job, struct glr *g, struct err *err)
{
    const struct series *s = job->series;
    unsigned harmonics = (unsigned)job->param[GLR_S];
    double scale = job->param[GLR_TREND] != 0 ? 1 / (double)job->from : 0;
    double row[GLM_COLUMNS_MAX], *x, *room;
    struct glm m = {
        .n = job->from, .columns = glm_season_columns(harmonics, scale != 0), .y = s->count};

    m.stride = m.columns;
    m.x = x = ARENA_ARRAY(job->arena, double, GLM_COLUMNS_MAX *m.n);
    room = ARENA_ARRAY(job->arena, double, GLM_ROOM *m.n);
    if (!x || !room)
        return err_no_memory(err);
    glm_room(&m, room, m.n);
    for (size_t i = 0; i < m.n; i++)
        glm_season_row((double)i + 1, s->points_a_year, harmonics, scale, x + i * m.columns);
    if (isnan(g->dispersion)) {
        if (!glm_fit_nb(&m, &g->dispersion))
            return 1;
    } else {
        m.dispersion = g->dispersion;
        if (!glm_fit(&m))
            return 1;
    }
    for (size_t t = job->from; t < s->n; t++) {
        glm_season_row((double)t + 1, s->points_a_year, harmonics, scale, row);
        g->mu[t - job->from] = exp(glm_predict(&m, row));
    }
    return 0;
}

/* Judges one point; *start moves behind an alarm. */
static struct detect_point glr_point(const struct glr *g, bool value, size_t *start, size_t n)
{
    struct detect_point p;
    double stat;

    if (isnan(g->x[n])) {
        p = point_without(NOTE_UNKNOWN, 0, 0);
        p.threshold = value ? NAN : smallest_alarm(g, *start, n);
        p.expected = g->mu[n];
        return p;
    }
    stat = statistic(g, *start, n, g->x[n]);
    p = point_judge(g->x[n], value ? stat : smallest_alarm(g, *start, n), g->mu[n]);
    if (isnan(p.threshold))
        p.note.code = NOTE_NEVER;
    p.alarm = stat >= g->limit;
    if (p.alarm)
        *start = n + 1;
    return p;
}

int glr_run(const struct detect_job *job, struct detect_point *ret, struct err *err)
{
    const struct series *s = job->series;
    size_t n = s->n - job->from, start = 0;
    size_t most = job->variant == GLR_NB ? GLR_NB_POINTS_MAX : GLR_POINTS_MAX;
    double needs = 2 * job->param[GLR_S] + 3;
    struct glr g = {.x = s->count + job->from,
                    .mu = ARENA_ARRAY(job->arena, double, n),
                    .dispersion = job->variant == GLR_NB ? job->param[GLR_DISPERSION] : 0,
                    .limit = job->param[GLR_LIMIT]};
    int r = g.mu ? 0 : err_no_memory(err);

    if (r == 0 && n > most)
        r = err_set(err, ERR_VALUE,
                    "this method judges at most %zu points at a time, not %zu: use --last", most,
                    n);
    if (r == 0 && (double)job->from >= needs)
        r = expected(job, &g, err);
    for (size_t t = 0; r >= 0 && t < n; t++) {
        if ((double)job->from < needs)
            ret[t] = point_without(NOTE_HISTORY, needs, (double)job->from);
        else if (r == 1)
            ret[t] = point_without(NOTE_FIT, 0, 0);
        else
            ret[t] = glr_point(&g, job->param[GLR_RET] == 1, &start, t);
    }
    return r < 0 ? r : 0;
}
