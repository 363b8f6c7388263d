/* nowcast.c - how good nowcasts and forecasts are, on simulated weeks that they have not seen.
 *
 *   nowcast [SERIES [SEED]]
 *
 * Each scenario has SERIES series of 313 weeks with reports up to 8 weeks late. In the last two
 * years, every fourth week is taken for now: what is then known of the last 4 weeks is nowcast, and
 * the next 4 weeks are forecast, from what is known and once more from whole counts. Printed for
 * each method: the share of final counts within the 90 % interval, and the weighted interval score
 * (Bracher et al. 2021) as a share of those of two baselines, which know the final counts of all
 * weeks that are over for 8 weeks (for forecasts from whole counts: of all weeks until now):
 *
 * last      the last such count, and past differences between weeks as far apart around it
 * seasonal  the counts of the same and the neighbouring weeks of past years
 */
#include "base/rng.h"
#include "surveillance/nowcast.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WEEKS 313
#define LATEST 8
#define COLUMNS (LATEST + 1)
#define OPEN 4 /* weeks of which enough is missing to be worth a score */
#define AHEAD 4
#define FIRST_NOW (WEEKS - 104 - AHEAD)
#define EVERY 4
#define YEAR 52

static const double probabilities[] = {0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975};
#define QUANTILES (sizeof probabilities / sizeof *probabilities)
#define LOW90 1
#define HIGH90 (QUANTILES - 2)

static struct rng rng;

/* ---- random numbers ---- */

static double normal(void)
{
    return sqrt(-2 * log(1 - rng_unit(&rng))) * cos(2 * M_PI * rng_unit(&rng));
}

/* Marsaglia and Tsang 2000. */
static double gamma_draw(double shape)
{
    double boost = 1, d, c;

    if (shape < 1) {
        boost = pow(1 - rng_unit(&rng), 1 / shape);
        shape++;
    }
    d = shape - 1.0 / 3;
    c = 1 / sqrt(9 * d);
    for (;;) {
        double x = normal(), v = pow(1 + c * x, 3), u = 1 - rng_unit(&rng);

        if (v > 0 && log(u) < 0.5 * x * x + d - d * v + d * log(v))
            return boost * d * v;
    }
}

static unsigned poisson_draw(double mean)
{
    double sum = -log(1 - rng_unit(&rng));
    unsigned n = 0;

    for (; sum < mean; n++)
        sum -= log(1 - rng_unit(&rng));
    return n;
}

/* Variance phi * mean. */
static unsigned count_draw(double mean, double phi)
{
    return poisson_draw(phi > 1 && mean > 0 ? gamma_draw(mean / (phi - 1)) * (phi - 1) : mean);
}

/* ---- scenarios ---- */

struct truth {
    double final[WEEKS];
    double cells[WEEKS * COLUMNS];
};

static void seasonal(double *mean)
{
    double year = 0;

    for (size_t i = 0; i < WEEKS; i++) {
        if (i % YEAR == 0)
            year = 0.25 * normal();
        mean[i] = exp(3.2 + year + 1.1 * cos(2 * M_PI * (double)i / YEAR));
    }
}

static void waves(double *mean)
{
    double level = log(40), growth = 0;

    for (size_t i = 0; i < WEEKS; i++) {
        growth = 0.85 * growth + 0.09 * normal() - 0.01 * (level - log(40));
        level += growth;
        mean[i] = exp(level);
    }
}

static void outbreaks(double *mean)
{
    double outbreak = 0;

    for (size_t i = 0; i < WEEKS; i++) {
        if (rng_unit(&rng) < 0.02)
            outbreak += 20 + 40 * rng_unit(&rng);
        mean[i] = 4 + outbreak;
        outbreak *= 0.8;
    }
}

static void rare(double *mean)
{
    for (size_t i = 0; i < WEEKS; i++)
        mean[i] = 0.8 * exp(0.5 * cos(2 * M_PI * (double)i / YEAR));
}

static void large(double *mean)
{
    waves(mean);
    for (size_t i = 0; i < WEEKS; i++)
        mean[i] *= 30;
}

static const struct {
    const char *name;
    void (*make)(double *mean);
    double phi, spread; /* spread: of a week's delays, beyond chance; large is none */
} scenarios[] = {
    {"season, years differ", seasonal, 2, 60},  {"waves", waves, 2, 60},
    {"outbreaks", outbreaks, 1.5, 1e6},         {"rare", rare, 1, 1e6},
    {"large waves, delays vary", large, 8, 30},
};

static void simulate(size_t scenario, struct truth *ret)
{
    double mean[WEEKS], slow = exp(0.15 * normal());

    memset(ret, 0, sizeof *ret);
    scenarios[scenario].make(mean);
    for (size_t i = 0; i < WEEKS; i++) {
        double share[COLUMNS], sum = 0;

        for (size_t d = 0; d < COLUMNS; d++) {
            double even = exp(-(double)d / (1.6 * slow)) * (d == 0 ? 0.6 : 1);

            share[d] = gamma_draw(MAX(even * scenarios[scenario].spread, 1e-3));
            sum += share[d];
        }
        ret->final[i] = count_draw(mean[i], scenarios[scenario].phi);
        for (double n = 0; n < ret->final[i]; n++) {
            double at = rng_unit(&rng) * sum;
            size_t d = 0;

            while (d < LATEST && at >= share[d])
                at -= share[d++];
            ret->cells[i * COLUMNS + d]++;
        }
    }
}

/* ---- scores ---- */

struct score {
    double wis, within;
    size_t n;
};

static double interval_score(const double q[QUANTILES], double y)
{
    double sum = 0;

    for (size_t i = 0; i < QUANTILES; i++)
        sum += 2 * ((y <= q[i] ? 1 : 0) - probabilities[i]) * (q[i] - y);
    return sum / (double)QUANTILES;
}

static void take(struct score *s, const double q[QUANTILES], double y)
{
    s->wis += interval_score(q, y);
    s->within += q[LOW90] <= y && y <= q[HIGH90];
    s->n++;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void quantiles_of(double *v, size_t n, double ret[QUANTILES])
{
    qsort(v, n, sizeof *v, by_size);
    for (size_t i = 0; i < QUANTILES; i++) {
        double at = probabilities[i] * (double)(n - 1);
        size_t k = (size_t)at;

        ret[i] = MAX(0.0, v[k] + (at - (double)k) * (k + 1 < n ? v[k + 1] - v[k] : 0));
    }
}

/* As the last count that is whole, at `last`. */
static void last_value(const double *final, size_t last, size_t week, double ret[QUANTILES])
{
    double v[2 * WEEKS];
    size_t apart = week - last, n = 0;

    for (size_t i = apart; i <= last; i++) {
        double change = final[i] - final[i - apart];

        v[n++] = final[last] + change;
        v[n++] = final[last] - change;
    }
    quantiles_of(v, n, ret);
}

static void same_season(const double *final, size_t last, size_t week, double ret[QUANTILES])
{
    double v[WEEKS];
    size_t n = 0;

    for (size_t back = YEAR; back <= week; back += YEAR)
        for (size_t i = week - back ? week - back - 1 : 0; i <= week - back + 1; i++)
            if (i <= last)
                v[n++] = final[i];
    quantiles_of(v, n, ret);
}

enum { BAYES, LAWLESS, LAST, SEASONAL, METHODS };
enum { NOWCASTS, FORECASTS, FROM_WHOLE, TASKS };

static void run(const struct truth *t, size_t now, size_t longest, enum nowcast_method method,
                size_t ahead, struct nowcast_point *ret)
{
    struct nowcast_job job = {.triangle = {now + 1, longest, longest ? t->cells : t->final},
                              .method = method,
                              .points_a_year = YEAR,
                              .window = YEAR,
                              .from = now + 1 - longest,
                              .ahead = ahead,
                              .probabilities = probabilities,
                              .n_probabilities = QUANTILES};
    struct arena a;
    struct err err = {0};

    arena_init(&a, MIB(64));
    job.arena = &a;
    if (nowcast_run(&job, ret, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    arena_done(&a);
}

static void score_week(const struct truth *t, size_t task, size_t last, size_t week,
                       const double *bayes, const double *lawless, struct score s[TASKS][METHODS])
{
    double q[QUANTILES];

    take(&s[task][BAYES], bayes, t->final[week]);
    if (lawless && !isnan(lawless[0]))
        take(&s[task][LAWLESS], lawless, t->final[week]);
    last_value(t->final, last, week, q);
    take(&s[task][LAST], q, t->final[week]);
    same_season(t->final, last, week, q);
    take(&s[task][SEASONAL], q, t->final[week]);
}

static void score_now(const struct truth *t, size_t now, struct score s[TASKS][METHODS])
{
    struct nowcast_point bayes[LATEST + AHEAD], lawless[LATEST], whole[AHEAD];
    size_t first = now + 1 - LATEST;

    run(t, now, LATEST, NOWCAST_BAYES, AHEAD, bayes);
    run(t, now, LATEST, NOWCAST_LAWLESS, 0, lawless);
    run(t, now, 0, NOWCAST_BAYES, AHEAD, whole);
    for (size_t i = LATEST - OPEN; i < LATEST; i++)
        score_week(t, NOWCASTS, now - LATEST, first + i, bayes[i].quantile, lawless[i].quantile, s);
    for (size_t i = 0; i < AHEAD; i++) {
        score_week(t, FORECASTS, now - LATEST, now + 1 + i, bayes[LATEST + i].quantile, NULL, s);
        score_week(t, FROM_WHOLE, now, now + 1 + i, whole[i].quantile, NULL, s);
    }
}

static void report(const char *name, const struct score s[TASKS][METHODS])
{
    static const char *const tasks[] = {"nowcast", "forecast", "forecast from whole counts"};
    static const char *const methods[] = {"bayes", "lawless"};

    for (size_t i = 0; i < TASKS; i++)
        for (size_t m = 0; m < (i == NOWCASTS ? LAST : LAWLESS); m++) {
            double wis = s[i][m].wis / (double)s[i][m].n;

            printf("%-25s %-27s %-8s 90%%: %.3f  WIS / last %.3f  / seasonal %.3f  n %zu\n", name,
                   tasks[i], methods[m], s[i][m].within / (double)s[i][m].n,
                   wis / (s[i][LAST].wis / (double)s[i][LAST].n),
                   wis / (s[i][SEASONAL].wis / (double)s[i][SEASONAL].n), s[i][m].n);
        }
}

int main(int argc, char **argv)
{
    long series = argc > 1 ? strtol(argv[1], NULL, 10) : 40;
    struct truth *t = malloc(sizeof *t);

    if (!t)
        return 1;
    rng_seed(&rng, argc > 2 ? strtoull(argv[2], NULL, 10) : 1);
    for (size_t i = 0; i < ARRAY_LEN(scenarios); i++) {
        struct score s[TASKS][METHODS] = {0};

        for (long k = 0; k < series; k++) {
            simulate(i, t);
            for (size_t now = FIRST_NOW; now + AHEAD < WEEKS; now += EVERY)
                score_now(t, now, s);
        }
        report(scenarios[i].name, s);
    }
    free(t);
    return 0;
}
