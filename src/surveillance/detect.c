#include "surveillance/detect.h"

#include "surveillance/methods_int.h"

#include <stdio.h>
#include <stdlib.h>

#define NUMBER_TEXT_MAX 40 /* bytes of a parameter's value, with its NUL */

#define METHOD(method_name, what, function, which, ROWS, learns) \
    {.name = method_name, .summary = what, .run = function, .variant = which, \
     .params = PARAM_TABLE(ROWS), .n_params = ARRAY_LEN(PARAM_TABLE(ROWS)), .learns_before = learns}

const struct method detect_methods[] = {
    METHOD("ears-c1", "EARS C1: the seven points before", ears_run, EARS_C1, EARS_PARAMS, false),
    METHOD("ears-c2", "EARS C2: as C1, with a gap of two", ears_run, EARS_C2, EARS_PARAMS, false),
    METHOD("ears-c3", "EARS C3: the excess of C2 over three points", ears_run, EARS_C3, EARS_PARAMS,
           false),
    METHOD("rki1", "RKI 1: six points before", rki_run, 0, RKI_PARAMS, false),
    METHOD("rki2", "RKI 2: six points before, thirteen of last year", rki_run, 1, RKI_PARAMS,
           false),
    METHOD("rki3", "RKI 3: nine points of each of two years", rki_run, 2, RKI_PARAMS, false),
    METHOD("cdc", "CDC: four points against the same time of five years", cdc_run, 0, CDC_PARAMS,
           false),
    METHOD("bayes1", "Bayes 1: six points before", bayes_run, 0, BAYES_PARAMS, false),
    METHOD("bayes2", "Bayes 2: six points before, thirteen of last year", bayes_run, 1,
           BAYES_PARAMS, false),
    METHOD("bayes3", "Bayes 3: nine points of each of two years", bayes_run, 2, BAYES_PARAMS,
           false),
    METHOD("cusum", "CUSUM of normalised counts", cusum_run, 0, CUSUM_PARAMS, true),
    METHOD("farrington", "Farrington 1996", farrington_run, FARRINGTON_CLASSIC,
           FARRINGTON_CLASSIC_PARAMS, false),
    METHOD("farrington-flexible", "Farrington, improved by Noufaily 2013", farrington_run,
           FARRINGTON_FLEXIBLE, FARRINGTON_FLEXIBLE_PARAMS, false),
    METHOD("outbreakp", "OutbreakP: a rise from a constant level", outbreakp_run, 0,
           OUTBREAKP_PARAMS, false),
    METHOD("glr-poisson", "likelihood ratio for a rise, Poisson", glr_run, GLR_POISSON,
           GLR_POISSON_PARAMS, true),
    METHOD("glr-nb", "likelihood ratio for a rise, negative binomial", glr_run, GLR_NB,
           GLR_NB_PARAMS, true),
    METHOD("ensemble", "robust regression, level and sums of one to three points", ensemble_run, 0,
           ENSEMBLE_PARAMS, false),
};
const size_t detect_n_methods = ARRAY_LEN(detect_methods);

const struct method *detect_method(struct str name)
{
    for (size_t i = 0; i < detect_n_methods; i++)
        if (str_eq(name, str_c(detect_methods[i].name)))
            return &detect_methods[i];
    return NULL;
}

void detect_defaults(const struct method *m, double ret[DETECT_PARAMS_MAX])
{
    assert(m->n_params <= DETECT_PARAMS_MAX);
    for (size_t i = 0; i < m->n_params; i++)
        ret[i] = m->params[i].fallback;
}

/* The place of `value` among "a|b|c", or -1. */
static int choice_place(const char *choices, struct str value)
{
    struct str rest = str_c(choices), part;

    for (int i = 0; str_split(&rest, '|', &part); i++)
        if (str_eq(part, value))
            return i;
    return -1;
}

static bool number_of(struct str s, double *ret)
{
    char text[NUMBER_TEXT_MAX], *end;

    if (s.n == 0 || s.n >= sizeof text || memchr(s.p, '\0', s.n) ||
        (*s.p != '.' && *s.p != '-' && (*s.p < '0' || *s.p > '9')))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    *ret = strtod(text, &end);
    return *end == '\0' && isfinite(*ret);
}

static int value_of(const struct method_param *p, struct str value, double *ret, struct err *err)
{
    double v;

    if (p->kind == SET_CHOICE || p->kind == SET_YES_NO) {
        const char *choices = p->kind == SET_CHOICE ? p->choices : "no|yes";
        int place = choice_place(choices, value);

        if (place < 0)
            return err_set(err, ERR_VALUE, "%s must be one of %s, not \"%.*s\"", p->name, choices,
                           STR_ARG(str_head(value, NUMBER_TEXT_MAX)));
        *ret = place;
        return 0;
    }
    if (!number_of(value, &v) || v < p->min || v > p->max ||
        (p->kind == SET_WHOLE && v != floor(v)))
        return err_set(err, ERR_VALUE, "%s must be a %snumber from %g to %g, not \"%.*s\"", p->name,
                       p->kind == SET_WHOLE ? "whole " : "", p->min, p->max,
                       STR_ARG(str_head(value, NUMBER_TEXT_MAX)));
    *ret = v;
    return 0;
}

int detect_set(const struct method *m, struct str name, struct str value,
               double param[DETECT_PARAMS_MAX], struct err *err)
{
    for (size_t i = 0; i < m->n_params; i++)
        if (str_eq(name, str_c(m->params[i].name)))
            return value_of(&m->params[i], value, &param[i], err);
    return err_set(err, ERR_VALUE, "%s has no parameter \"%.*s\"", m->name,
                   STR_ARG(str_head(name, NUMBER_TEXT_MAX)));
}

int detect_run(const struct method *m, const double param[DETECT_PARAMS_MAX],
               const struct series *s, size_t from, struct arena *a, struct detect_point *ret,
               struct err *err)
{
    struct detect_job job = {.series = s, .from = from, .variant = m->variant, .arena = a};
    int r;

    assert(s->n <= SERIES_POINTS_MAX && from <= s->n && s->points_a_year > 0);
    memcpy(job.param, param, m->n_params * sizeof *param);
    r = m->run(&job, ret, err);
    /* Whatever a method could not compute, its point says so. */
    for (size_t i = 0; r == 0 && i < s->n - from; i++)
        if (isnan(ret[i].threshold) && ret[i].note.code == NOTE_NONE)
            ret[i].note.code = NOTE_FIT;
    return r;
}

static void describe_param(const struct method_param *p, struct sb *to)
{
    sb_fmt(to, "    %s=", p->name);
    if (p->kind == SET_CHOICE)
        sb_fmt(to, "%s", p->choices);
    else if (p->kind == SET_YES_NO)
        sb_lit(to, "yes|no");
    else
        sb_fmt(to, "%g..%g", p->min, p->max);
    sb_fmt(to, "  %s", p->help);
    if (p->kind == SET_CHOICE) {
        struct str rest = str_c(p->choices), part = STR("");

        for (int i = 0; i <= (int)p->fallback; i++)
            str_split(&rest, '|', &part);
        sb_fmt(to, " (default: %.*s)", STR_ARG(part));
    } else if (!isnan(p->fallback)) {
        if (p->kind == SET_YES_NO)
            sb_fmt(to, " (default: %s)", p->fallback != 0 ? "yes" : "no");
        else
            sb_fmt(to, " (default: %g)", p->fallback);
    }
    sb_char(to, '\n');
}

void detect_describe(struct sb *to)
{
    for (size_t i = 0; i < detect_n_methods; i++) {
        const struct method *m = &detect_methods[i];

        sb_fmt(to, "  %-20s %s\n", m->name, m->summary);
        /* Methods that share their parameters share their description: the last one has it. */
        if (i + 1 < detect_n_methods && detect_methods[i + 1].run == m->run &&
            detect_methods[i + 1].n_params == m->n_params)
            continue;
        for (size_t j = 0; j < m->n_params; j++)
            describe_param(&m->params[j], to);
    }
}
