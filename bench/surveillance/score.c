/* score.c - how well the methods tell outbreaks from chance, on simulated series.
 *
 *   score FILE [METHOD SETTINGS]...
 *
 * FILE is what series.R wrote. For each method: FPR, the share of clean weeks above the threshold;
 * POD, the share of series with a week above it between the first and the last week of the
 * outbreak; both with standard errors (series are the units). A week counts only where there is a
 * case. SETTINGS are those of --set; "alpha=ROC" gives, for methods with p-values, the POD where
 * the FPR is .0510 and .0081.
 */
#include "surveillance/detect.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WEEKS_MAX 1100
#define TEST_WEEKS 49
#define LINE_MAX_BYTES MIB(1)
#define SERIES_MAX 20000

struct sim {
    int scenario, k;
    size_t first, last; /* of the outbreak, from 0 */
    size_t weeks;
    double clean[WEEKS_MAX], sick[WEEKS_MAX];
};

static struct sim *sims;
static size_t n_sims;

static size_t read_counts(char *text, double *ret)
{
    size_t n = 0;

    for (char *end; n < WEEKS_MAX; text = end) {
        ret[n] = strtod(text, &end);
        if (end == text)
            break;
        n++;
    }
    return n;
}

static void read_sims(const char *path)
{
    FILE *f = fopen(path, "r");
    char *line = malloc(LINE_MAX_BYTES);

    sims = calloc(SERIES_MAX, sizeof *sims);
    if (!f || !line || !sims) {
        perror(path);
        exit(1);
    }
    while (n_sims < SERIES_MAX && fgets(line, LINE_MAX_BYTES, f)) {
        struct sim *s = &sims[n_sims];
        char *tab;
        int at = 0;

        if (sscanf(line, "%d %d %zu %zu%n", &s->scenario, &s->k, &s->first, &s->last, &at) != 4)
            continue;
        tab = strchr(line + at + 1, '\t');
        if (!tab)
            continue;
        *tab = '\0';
        s->first--;
        s->last--;
        s->weeks = read_counts(line + at, s->clean);
        n_sims += s->weeks > TEST_WEEKS && read_counts(tab + 1, s->sick) == s->weeks;
    }
    free(line);
    fclose(f);
}

/* Per series: clean weeks above, clean weeks judged, found or not; and p-values for curves. */
struct tally {
    double above[SERIES_MAX], judged[SERIES_MAX], found[SERIES_MAX];
    double clean_p[SERIES_MAX * TEST_WEEKS], best_p[SERIES_MAX];
    size_t n_clean_p;
};

static void judge(const struct method *m, const double *param, const struct sim *s,
                  const double *count, struct detect_point *ret)
{
    struct series series = {s->weeks, count, NULL, 52};
    struct arena a;
    struct err err = {0};

    arena_init(&a, MIB(64));
    if (detect_run(m, param, &series, s->weeks - TEST_WEEKS, &a, ret, &err) < 0) {
        fprintf(stderr, "%s: %s\n", m->name, err.text);
        exit(1);
    }
    arena_done(&a);
}

static void score_one(const struct method *m, const double *param, size_t i, struct tally *t)
{
    const struct sim *s = &sims[i];
    size_t from = s->weeks - TEST_WEEKS;
    struct detect_point p[TEST_WEEKS];

    judge(m, param, s, s->clean, p);
    for (size_t w = 0; w < TEST_WEEKS; w++) {
        bool counts = s->clean[from + w] > 0;

        t->above[i] += p[w].alarm && counts;
        t->judged[i] += !isnan(p[w].threshold);
        t->clean_p[t->n_clean_p++] = counts && !isnan(p[w].p) ? p[w].p : 2;
    }
    judge(m, param, s, s->sick, p);
    t->best_p[i] = 2;
    for (size_t w = s->first; w <= s->last; w++) {
        if (s->sick[w] == 0)
            continue;
        t->found[i] = t->found[i] || p[w - from].alarm;
        if (p[w - from].p < t->best_p[i])
            t->best_p[i] = p[w - from].p;
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* POD at the p-value where the FPR is `fpr`. */
static void curve_point(struct tally *t, double fpr)
{
    double at = t->clean_p[(size_t)(fpr * (double)t->n_clean_p)], found = 0;

    for (size_t i = 0; i < n_sims; i++)
        found += t->best_p[i] < at;
    found /= (double)n_sims;
    printf("   FPR %.4f: POD %.4f (se %.4f) at p < %.5f\n", fpr, found,
           sqrt(found * (1 - found) / (double)n_sims), at);
}

static void report(const struct method *m, const char *set, struct tally *t, bool curve)
{
    double n = (double)n_sims, above = 0, judged = 0, found = 0, squares = 0, fpr, pod;

    for (size_t i = 0; i < n_sims; i++) {
        above += t->above[i];
        judged += t->judged[i];
        found += t->found[i];
    }
    fpr = above / judged;
    pod = found / n;
    for (size_t i = 0; i < n_sims; i++)
        squares += pow(t->above[i] - fpr * t->judged[i], 2);
    printf("%-20s %-60s FPR %.4f (se %.4f) POD %.4f (se %.4f)\n", m->name, set, fpr,
           sqrt(squares) / judged, pod, sqrt(pod * (1 - pod) / n));
    if (curve) {
        qsort(t->clean_p, t->n_clean_p, sizeof *t->clean_p, by_size);
        curve_point(t, 0.0510);
        curve_point(t, 0.0081);
    }
    fflush(stdout);
}

static void score(const char *name, const char *set)
{
    const struct method *m = detect_method(str_c(name));
    struct tally *t = calloc(1, sizeof *t);
    double param[DETECT_PARAMS_MAX];
    struct str rest = str_c(set), part;
    struct err err = {0};
    bool curve = false;

    if (!m || !t) {
        fprintf(stderr, "there is no method %s\n", name);
        exit(1);
    }
    detect_defaults(m, param);
    while (rest.n && str_split(&rest, ',', &part)) {
        ptrdiff_t eq = str_find(part, '=');

        if (str_eq(part, STR("alpha=ROC")))
            curve = true;
        else if (eq < 0 || detect_set(m, str_head(part, (size_t)eq), str_from(part, (size_t)eq + 1),
                                      param, &err) < 0) {
            fprintf(stderr, "%s\n", err.text);
            exit(1);
        }
    }
    for (size_t i = 0; i < n_sims; i++)
        score_one(m, param, i, t);
    report(m, set, t, curve);
    free(t);
}

int main(int argc, char **argv)
{
    static const char *const usual[][2] = {
        {"farrington-flexible", "limitCases=0,alpha=0.005"},
        {"farrington-flexible", "limitCases=0,alpha=0.05"},
        {"farrington-flexible", "limitCases=0,alpha=ROC"},
        {"ears-c1", ""},
        {"ears-c2", ""},
        {"ears-c3", ""},
        {"cusum", "m=glm,trans=rossi"},
        {"bayes1", "alpha=0.01"},
        {"bayes1", "alpha=0.05"},
        {"bayes2", "alpha=0.05"},
        {"bayes3", "alpha=0.05"},
        {"rki1", ""},
        {"rki2", ""},
        {"rki3", ""},
        {"glr-poisson", ""},
        {"glr-nb", ""},
        {"outbreakp", ""},
    };

    if (argc < 2) {
        fprintf(stderr, "usage: score FILE [METHOD SETTINGS]...\n");
        return 2;
    }
    read_sims(argv[1]);
    printf("%zu series\n", n_sims);
    for (int i = 2; i + 1 < argc; i += 2)
        score(argv[i], argv[i + 1]);
    for (size_t i = 0; argc == 2 && i < ARRAY_LEN(usual); i++)
        score(usual[i][0], usual[i][1]);
    return 0;
}
