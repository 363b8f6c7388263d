/* CUSUM for counts (Rossi et al. 1999; Pierce and Schafer 1986): counts are brought to a standard
 * normal scale, and their excess over k is summed while it is positive. */
#include "surveillance/glm.h"
#include "surveillance/methods_int.h"

#include <float.h>

#define QUADRATURE_STEPS 64

struct cusum {
    double k, h, dispersion;
    int trans;
};

/* Integral of the variance function to the power -1/3 from 0 to x (Anscombe's transformation for a
 * negative binomial), after u = cube root of the count: smooth there, so that Gauss' five points on
 * equal pieces are exact to rounding. */
static double anscombe_nb(double x, double dispersion)
{
    static const double at[] = {0, 0.53846931010568309, 0.90617984593866399};
    static const double weight[] = {0.56888888888888889, 0.47862867049936647, 0.23692688505618909};
    double end = cbrt(x), piece = end / QUADRATURE_STEPS, sum = 0;

    for (int i = 0; i < QUADRATURE_STEPS; i++)
        for (int j = -2; j <= 2; j++) {
            int k = j < 0 ? -j : j;
            double u = piece * (i + 0.5 + (j < 0 ? -0.5 : 0.5) * at[k]);

            sum += weight[k] * u / cbrt(1 + dispersion * u * u * u);
        }
    return 3 * sum * piece / 2;
}

static double transformed(const struct cusum *c, double x, double m)
{
    double v = m + c->dispersion * m * m;

    switch (c->trans) {
    case CUSUM_STANDARD: return (x - m) / sqrt(m);
    case CUSUM_ROSSI: return (x - 3 * m + 2 * sqrt(m * x)) / (2 * sqrt(m));
    case CUSUM_ANSCOMBE: return 1.5 * (cbrt(x * x) - cbrt(m * m)) / pow(m, 1.0 / 6);
    case CUSUM_ANSCOMBE_2ND:
        return 1.5 * (cbrt(x * x) - (cbrt(m * m) - 1 / (9 * cbrt(m)))) / pow(m, 1.0 / 6);
    case CUSUM_PEARSON_NB: return (x - m) / sqrt(v);
    case CUSUM_ANSCOMBE_NB:
        return (anscombe_nb(x, c->dispersion) - anscombe_nb(m, c->dispersion)) / pow(v, 1.0 / 6);
    default: return x;
    }
}

/* The count that would bring the sum from `before` to h; at least 0. */
static double count_needed(const struct cusum *c, double before, double now, double m)
{
    double gap = c->h + c->k - before, root;

    switch (c->trans) {
    case CUSUM_STANDARD: return MAX(0.0, ceil(m + sqrt(m) * gap));
    case CUSUM_ROSSI:
        if (!(4 * m + 2 * sqrt(m) * gap >= 0))
            return 0;
        root = sqrt(4 * m + 2 * sqrt(m) * gap) - sqrt(m);
        return root * root;
    case CUSUM_ANSCOMBE: return pow(MAX(0.0, cbrt(m * m) + gap * pow(m, 1.0 / 6) / 1.5), 1.5);
    case CUSUM_ANSCOMBE_2ND:
        return pow(MAX(0.0, cbrt(m * m) - cbrt(m) / 9 + gap * pow(m, 1.0 / 6) / 1.5), 1.5);
    case CUSUM_PEARSON_NB: return MAX(0.0, m + sqrt(m + c->dispersion * m * m) * gap);
    default:
        /* No inverse is in use for these: what is left to h after this point. */
        return MAX(0.0, c->h - now);
    }
}

/* Expected counts of the asked points from those before: their mean, or a yearly wave. */
static int expected(const struct detect_job *job, double *ret, struct err *err)
{
    const struct series *s = job->series;
    double year = s->points_a_year, sum = 0, n = 0, known = job->param[CUSUM_EXPECTED];
    struct glm g = {.n = job->from, .columns = glm_season_columns(1, false), .y = s->count};
    double row[GLM_COLUMNS_MAX], *x, *room;

    if (isnan(known) && job->param[CUSUM_M] == 1) {
        g.stride = g.columns;
        g.x = x = ARENA_ARRAY(job->arena, double, job->from *g.columns);
        room = ARENA_ARRAY(job->arena, double, GLM_ROOM * job->from);
        if (!x || !room)
            return err_no_memory(err);
        glm_room(&g, room, job->from);
        for (size_t i = 0; i < job->from; i++)
            glm_season_row((double)i + 1, year, 1, 0, x + i * g.columns);
        if (!glm_fit(&g))
            return 1;
        for (size_t t = job->from; t < s->n; t++) {
            glm_season_row((double)t + 1, year, 1, 0, row);
            ret[t - job->from] = MAX(exp(glm_predict(&g, row)), DBL_EPSILON);
        }
        return 0;
    }
    for (size_t i = 0; i < job->from && isnan(known); i++)
        if (!isnan(s->count[i])) {
            sum += s->count[i];
            n++;
        }
    for (size_t t = job->from; t < s->n; t++)
        ret[t - job->from] = isnan(known) ? sum / n : known;
    return 0;
}

int cusum_run(const struct detect_job *job, struct detect_point *ret, struct err *err)
{
    const struct series *s = job->series;
    struct cusum c = {job->param[CUSUM_K], job->param[CUSUM_H], job->param[CUSUM_DISPERSION],
                      (int)job->param[CUSUM_TRANS]};
    double *m = ARENA_ARRAY(job->arena, double, s->n - job->from), before = 0;
    double needs = !isnan(job->param[CUSUM_EXPECTED]) ? 0 : job->param[CUSUM_M] == 1 ? 4 : 1;
    int r = m ? 0 : err_no_memory(err);

    if (r == 0)
        r = (double)job->from < needs ? 1 : expected(job, m, err);
    for (size_t t = job->from; r >= 0 && t < s->n; t++) {
        struct detect_point *p = &ret[t - job->from];
        double y = s->count[t], now;

        if ((double)job->from < needs) {
            *p = point_without(NOTE_HISTORY, needs, (double)job->from);
            continue;
        }
        if (r == 1 || (c.trans != CUSUM_NONE && !(m[t - job->from] > 0))) {
            *p = point_without(r == 1 ? NOTE_FIT : NOTE_FLAT, 0, 0);
            continue;
        }
        /* A count that is not known leaves the sum as it is. */
        now = isnan(y) ? before : MAX(0.0, before + transformed(&c, y, m[t - job->from]) - c.k);
        *p = point_judge(y, count_needed(&c, before, now, m[t - job->from]), m[t - job->from]);
        p->alarm = !isnan(y) && now >= c.h;
        before = now;
    }
    return r < 0 ? r : 0;
}
