/* pattern.c - what repeats in a series: the year in weekly or monthly counts, the week in daily
 * ones. */
#include "surveillance/nowcast_int.h"

#include "surveillance/glm.h"

#include <math.h>

#define WAVES 2 /* of a year */
#define YEARS_LEAST 3
#define WEEK 7
#define WEEKS_LEAST 6
#define DAYS_LEARNT (26 * WEEK)
/* Variance mu + mu^2 / 2: a year's largest outbreak is not its season. */
#define DISPERSION 0.5
#define PRIOR_CASES 5 /* more on each day of the week, so that few cases make no pattern */
#define USUAL_LEAST 0.01

/* Means of the years' waves from `first` on, by the counts that are whole. */
static bool year(const struct nowcast_job *job, size_t first, size_t whole, size_t n, double *ret)
{
    size_t columns = glm_season_columns(WAVES, false);
    double *x = ARENA_ARRAY(job->arena, double, whole *columns);
    double *y = ARENA_ARRAY(job->arena, double, whole);
    double *room = ARENA_ARRAY(job->arena, double, GLM_ROOM *whole);
    double row[GLM_COLUMNS_MAX], size = job->points_a_year == 52 ? 365.25 / 7 : job->points_a_year;
    struct glm g = {.n = whole,
                    .columns = columns,
                    .x = x,
                    .stride = columns,
                    .y = y,
                    .dispersion = DISPERSION};

    if (!x || !y || !room)
        return false;
    for (size_t i = 0; i < whole; i++) {
        glm_season_row((double)i, size, WAVES, 0, &x[i * columns]);
        y[i] = triangle_known(&job->triangle, first + i);
    }
    glm_room(&g, room, whole);
    if (!glm_fit(&g))
        return false;
    for (size_t i = 0; i < n; i++) {
        glm_season_row((double)i, size, WAVES, 0, row);
        ret[i] = exp(glm_predict(&g, row));
    }
    return true;
}

static void week(const struct nowcast_job *job, size_t first, size_t whole, size_t n, double *ret)
{
    double sum[WEEK] = {0}, weeks;
    size_t from = whole > DAYS_LEARNT ? whole - DAYS_LEARNT : whole % WEEK;

    for (size_t i = from; i < whole; i++)
        sum[i % WEEK] += triangle_known(&job->triangle, first + i);
    weeks = (double)(whole - from) / WEEK;
    for (size_t i = 0; i < n; i++)
        ret[i] = (sum[i % WEEK] + PRIOR_CASES) / weeks;
}

/* Periods whose reports are all in. */
static size_t count_whole(const struct nowcast_job *job, size_t first)
{
    size_t open = job->triangle.longest + first;

    return job->triangle.n > open ? job->triangle.n - open : 0;
}

void pattern_none(const struct nowcast_job *job, size_t first, double *ret)
{
    size_t n = job->triangle.n + job->ahead - first, whole = count_whole(job, first);
    double sum = 0, level;

    for (size_t i = 0; i < whole; i++)
        sum += triangle_known(&job->triangle, first + i);
    level = whole ? (sum + 1) / (double)whole : 1;
    for (size_t i = 0; i < n; i++)
        ret[i] = level;
}

bool pattern_make(const struct nowcast_job *job, size_t first, double *ret)
{
    size_t n = job->triangle.n + job->ahead - first, whole = count_whole(job, first);

    if (job->points_a_year == 365 && whole >= (size_t)WEEKS_LEAST * WEEK)
        week(job, first, whole, n, ret);
    else if (!job->points_a_year || job->points_a_year == 365 ||
             whole < (size_t)YEARS_LEAST * job->points_a_year || !year(job, first, whole, n, ret))
        return false;
    for (size_t i = 0; i < n; i++)
        ret[i] = MAX(ret[i], USUAL_LEAST);
    return true;
}
