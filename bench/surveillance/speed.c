/* speed.c - how long the detectors take: speed FILE [REPEATS]
 *
 * FILE has one count a line. Prints milliseconds for the last 52 weeks of the series, by method, on
 * one core; speed.R does the same in R, and speed.sh runs both and prints the ratio. */
#include "surveillance/detect.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define WEEKS 52
#define REPEATS 20

static double counts[SERIES_POINTS_MAX];

static const struct {
    const char *label, *method;
    const char *set[6][2];
} cases[] = {
    {"farrington-flexible", "farrington-flexible", {{"limitCases", "0"}}},
    {"ears-c3", "ears-c3", {{NULL}}},
    {"bayes1", "bayes1", {{NULL}}},
    {"ensemble", "ensemble", {{NULL}}},
};

/* Of this process: what others do on the machine does not count, as in R's user time. */
static double cpu_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double run_ms(size_t which, const struct series *s, int repeats)
{
    const struct method *m = detect_method(str_c(cases[which].method));
    double param[DETECT_PARAMS_MAX];
    struct detect_point points[WEEKS];
    struct err err = {0};
    double began;

    detect_defaults(m, param);
    for (size_t i = 0; cases[which].set[i][0]; i++)
        if (detect_set(m, str_c(cases[which].set[i][0]), str_c(cases[which].set[i][1]), param,
                       &err) < 0)
            exit(1);
    began = cpu_ms();
    for (int i = 0; i < repeats; i++) {
        struct arena a;

        arena_init(&a, MIB(64));
        if (detect_run(m, param, s, s->n - WEEKS, &a, points, &err) < 0)
            exit(1);
        arena_done(&a);
    }
    return (cpu_ms() - began) / repeats;
}

int main(int argc, char **argv)
{
    FILE *f = argc > 1 ? fopen(argv[1], "r") : NULL;
    struct series s = {0, counts, NULL, 52};

    if (!f) {
        fprintf(stderr, "usage: speed FILE [REPEATS]\n");
        return 2;
    }
    while (s.n < SERIES_POINTS_MAX && fscanf(f, "%lf", &counts[s.n]) == 1)
        s.n++;
    fclose(f);
    if (s.n <= WEEKS)
        return 2;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        printf("%s %.4f\n", cases[i].label,
               run_ms(i, &s, argc > 2 ? (int)strtol(argv[2], NULL, 10) : REPEATS));
    return 0;
}
