#include "surveillance/judge.h"

#include "surveillance/records_int.h"
#include "surveillance/special.h"

#include <math.h>
#include <stdlib.h>

#define SLOTS_LEAST 1024
#define METHOD_ARENA_MAX MIB(64)
#define WEEKS_A_YEAR 52
#define RARE_WEEKS 52 /* of history, the least */
#define RARE_CASES 10 /* in all of history: with fewer a disease is rare */
#define RARE_WINDOW 4 /* weeks that are also looked at together */

void judge_init(struct judge *j, const struct case_definitions *definitions,
                const struct signal_rules *rules, const struct weekly *weekly)
{
    *j = (struct judge){
        .definitions = definitions, .rules = rules, .weekly = weekly, .open = INT32_MIN};
    arena_init(&j->a, JUDGE_BYTES_MAX);
}

void judge_done(struct judge *j)
{
    arena_done(&j->a);
}

/* ---- the table ---- */

static size_t slot_of(const struct judge *j, uint16_t disease, uint32_t place, int32_t week)
{
    uint64_t key = (((uint64_t)place << 16 | disease) ^ (uint64_t)(uint32_t)week << 40) *
                   UINT64_C(0x9e3779b97f4a7c15);
    size_t at = (size_t)(key >> 32) & (j->n_slots - 1);

    while (j->slots[at]) {
        const struct judged *v = &j->v[j->slots[at] - 1];
        if (v->disease == disease && v->place == place && v->week == week)
            break;
        at = (at + 1) & (j->n_slots - 1);
    }
    return at;
}

static bool grow_slots(struct judge *j)
{
    size_t n = j->n_slots ? 2 * j->n_slots : SLOTS_LEAST;
    uint32_t *slots = ARENA_ARRAY(&j->a, uint32_t, n);

    if (!slots)
        return false;
    j->slots = slots;
    j->n_slots = n;
    for (size_t i = 0; i < j->n; i++)
        slots[slot_of(j, j->v[i].disease, j->v[i].place, j->v[i].week)] = (uint32_t)i + 1;
    return true;
}

static struct judged *judged_of(struct judge *j, uint16_t disease, uint32_t place, int32_t week)
{
    struct judged *v;
    size_t at;

    if (2 * (j->n + 1) > j->n_slots && !grow_slots(j))
        return NULL;
    at = slot_of(j, disease, place, week);
    if (j->slots[at])
        return &j->v[j->slots[at] - 1];
    v = names_room(&j->a, j->v, j->n, &j->room, sizeof *v);
    if (!v)
        return NULL;
    j->v = v;
    v[j->n] = (struct judged){
        .disease = disease, .place = place, .week = week, .point = {.p = NAN, .threshold = NAN}};
    j->slots[at] = (uint32_t)++j->n;
    return &v[j->n - 1];
}

/* Those of weeks that are done go; what is left moves into new memory. */
static int begin_week(struct judge *j, int32_t open, struct err *err)
{
    struct judge fresh;

    judge_init(&fresh, j->definitions, j->rules, j->weekly);
    fresh.open = open;
    for (size_t i = 0; i < j->n; i++) {
        const struct judged *from = &j->v[i];
        struct judged *to;
        uint32_t *history;

        if (from->week <= open - JUDGE_WEEKS || from->week > open)
            continue;
        to = judged_of(&fresh, from->disease, from->place, from->week);
        history = ARENA_ARRAY(&fresh.a, uint32_t, from->n_history + 1);
        if (!to || !history) {
            judge_done(&fresh);
            return err_no_memory(err);
        }
        if (from->n_history)
            memcpy(history, from->history, from->n_history * sizeof *history);
        *to = *from;
        to->history = history;
    }
    judge_done(j);
    *j = fresh;
    return 0;
}

/* ---- one series ---- */

/* The first week that a detector may look back at. */
static int32_t first_week(const struct records *r, int32_t week)
{
    int32_t first = r->first == DAY_UNKNOWN ? week : weekly_of(r->first);

    return MAX(first, week - JUDGE_HISTORY_WEEKS);
}

static int take_history(struct judge *j, const struct records *r, struct judged *v, struct err *err)
{
    int32_t first = first_week(r, v->week);

    if (v->history)
        return 0;
    v->n_history = (size_t)MAX(v->week - first, 0);
    v->history = ARENA_ARRAY(&j->a, uint32_t, v->n_history + 1);
    if (!v->history)
        return err_no_memory(err);
    weekly_sum(j->weekly, r, v->disease, v->place, false, first, v->history, v->n_history);
    return 0;
}

static double sum(const uint32_t *v, size_t n)
{
    double all = 0;

    for (size_t i = 0; i < n; i++)
        all += v[i];
    return all;
}

/* The chance of so many cases in `weeks` weeks where `weeks_before` had so many: what a gamma with
 * Jeffreys' prior for the rate of a Poisson predicts. */
static double rare_p(double cases, double weeks, double before, double weeks_before)
{
    return nb_from(cases, (before + 0.5) * weeks / weeks_before, 1 + weeks / weeks_before);
}

/* A disease that a place hardly knows gives a regression nothing to hold on to: the week, and the
 * last four together, against all that was before; the smaller p, doubled. */
static void judge_rare(const struct judge *j, struct judged *v)
{
    size_t n = v->n_history;
    double before, recent;

    if (n < RARE_WEEKS)
        return;
    recent = v->count + sum(v->history + n - (RARE_WINDOW - 1), RARE_WINDOW - 1);
    if (!v->count || recent < j->rules->least)
        return;
    before = sum(v->history, n - (RARE_WINDOW - 1));
    v->is_rare = true;
    v->point.expected = (before + 0.5) / (double)(n - (RARE_WINDOW - 1));
    v->point.p =
        MIN(1.0, 2 * MIN(rare_p(v->count, 1, sum(v->history, n), (double)n),
                         rare_p(recent, RARE_WINDOW, before, (double)(n - (RARE_WINDOW - 1)))));
}

static int run_method(struct judge *j, struct judged *v, struct err *err)
{
    const struct disease_detector *d = &j->rules->detectors[v->disease];
    size_t n = v->n_history + 1;
    struct arena work;
    double *counts;
    int64_t *days;
    int r;

    arena_init(&work, METHOD_ARENA_MAX);
    counts = ARENA_ARRAY(&work, double, n);
    days = ARENA_ARRAY(&work, int64_t, n);
    r = counts && days ? 0 : err_no_memory(err);
    if (r == 0) {
        struct series s = {.n = n, .count = counts, .day = days, .points_a_year = WEEKS_A_YEAR};

        for (size_t i = 0; i < n; i++) {
            counts[i] = i + 1 < n ? v->history[i] : v->count;
            days[i] = weekly_monday(v->week - (int32_t)(n - 1 - i));
        }
        r = detect_run(d->method, d->param, &s, n - 1, &work, &v->point, err);
    }
    arena_done(&work);
    return r;
}

static int run_detector(struct judge *j, struct judged *v, struct err *err)
{
    int r = 0;

    v->point = (struct detect_point){.threshold = NAN, .expected = NAN, .p = NAN};
    v->is_rare = false;
    if (!j->rules->detectors[v->disease].method)
        return 0;
    if (sum(v->history, v->n_history) < RARE_CASES)
        judge_rare(j, v);
    else if (v->count >= j->rules->least)
        r = run_method(j, v, err);
    return r;
}

static void try_fixed(struct judge *j, const struct records *r, struct judged *v)
{
    v->fixed = NULL;
    for (size_t i = 0; i < j->rules->n_fixed && !v->fixed; i++) {
        const struct fixed_rule *f = &j->rules->fixed[i];
        bool is_level = v->place == NOT_THERE
                            ? !f->level.p
                            : f->level.p && str_eq_nocase(f->level, r->places[v->place].level);
        uint32_t counts[SIGNAL_WEEKS_MAX] = {0}, cases = 0;

        if (f->disease != v->disease || !is_level)
            continue;
        weekly_sum(j->weekly, r, v->disease, v->place, f->only_confirmed,
                   v->week - (int32_t)f->weeks + 1, counts, f->weeks);
        for (size_t k = 0; k < f->weeks; k++)
            cases += counts[k];
        if (cases >= f->cases) {
            v->fixed = f;
            v->fixed_count = cases;
        }
    }
}

static int judge_one(struct judge *j, const struct records *r, uint16_t disease, uint32_t place,
                     int32_t week, struct err *err)
{
    struct judged *v = judged_of(j, disease, place, week);
    uint32_t count = 0;
    bool is_new;
    int wrong;

    if (!v)
        return err_no_memory(err);
    is_new = !v->history;
    if ((wrong = take_history(j, r, v, err)) < 0)
        return wrong;
    weekly_sum(j->weekly, r, disease, place, false, week, &count, 1);
    try_fixed(j, r, v);
    if (!is_new && count == v->count)
        return 0;
    v->count = count;
    return run_detector(j, v, err);
}

/* ---- which ---- */

static bool is_level(const struct judge *j, const struct records *r, uint32_t place)
{
    for (size_t i = 0; i < j->rules->n_levels; i++)
        if (str_eq_nocase(r->places[place].level, j->rules->levels[i]))
            return true;
    return false;
}

/* A place and what it is within, of the levels; the country last. */
static int judge_up(struct judge *j, const struct records *r, const struct weekly_line *line,
                    int32_t week, struct err *err)
{
    uint32_t place = line->place;
    int wrong = 0;

    for (int depth = 0; place != NOT_THERE && depth < PLACE_DEPTH_MAX && wrong == 0; depth++) {
        if (is_level(j, r, place))
            wrong = judge_one(j, r, line->disease, place, week, err);
        place = r->places[place].part_of;
    }
    return wrong < 0 ? wrong : judge_one(j, r, line->disease, NOT_THERE, week, err);
}

static int judge_disease(struct judge *j, const struct records *r, uint16_t disease,
                         struct err *err)
{
    size_t had = j->n;
    int wrong = 0;

    /* Those that were judged already may have fewer cases now. */
    for (size_t i = 0; i < had && wrong == 0; i++)
        if (j->v[i].disease == disease)
            wrong = judge_one(j, r, disease, j->v[i].place, j->v[i].week, err);
    for (uint32_t i = j->weekly->first[disease]; i != NOT_THERE && wrong == 0;
         i = j->weekly->lines[i].next) {
        const struct weekly_line *line = &j->weekly->lines[i];
        for (size_t k = 0; k < line->n && wrong == 0; k++) {
            const struct weekly_cell *cell = &line->cells[line->n - 1 - k];
            if (cell->week <= j->open - JUDGE_WEEKS)
                break;
            if (cell->week <= j->open && cell->n)
                wrong = judge_up(j, r, line, cell->week, err);
        }
    }
    return wrong;
}

/* How many series a disease has: places of the levels that ever had a case, and the country. */
static size_t count_series(const struct judge *j, const struct records *r, uint16_t disease,
                           bool *seen)
{
    size_t n = 0;

    memset(seen, 0, r->place_ids.n + 1);
    for (uint32_t i = j->weekly->first[disease]; i != NOT_THERE; i = j->weekly->lines[i].next) {
        uint32_t place = j->weekly->lines[i].place;

        for (int depth = 0; place != NOT_THERE && depth < PLACE_DEPTH_MAX; depth++) {
            n += !seen[place] && is_level(j, r, place);
            seen[place] = true;
            place = r->places[place].part_of;
        }
    }
    return n + (j->weekly->first[disease] != NOT_THERE);
}

static int count_all_series(struct judge *j, const struct records *r, const bool *is_changed,
                            bool all, struct err *err)
{
    bool *seen = malloc(r->place_ids.n + 1);

    if (!seen)
        return err_no_memory(err);
    j->n_all = 0;
    for (size_t i = 0; i < j->definitions->n; i++) {
        if (all || is_changed[i])
            j->n_series[i] =
                j->rules->detectors[i].method ? count_series(j, r, (uint16_t)i, seen) : 0;
        j->n_all += j->n_series[i];
    }
    free(seen);
    return 0;
}

/* ---- false discoveries ---- */

static int by_p(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The largest p that is a discovery among the series of one week; those that were not judged had
 * too few cases, and count as series that say nothing. */
static int discover(struct judge *j, int32_t week, struct err *err)
{
    double *p = malloc((j->n + 1) * sizeof *p), limit = -1;
    size_t n = 0;

    if (!p)
        return err_no_memory(err);
    for (size_t i = 0; i < j->n; i++)
        if (j->v[i].week == week && !isnan(j->v[i].point.p))
            p[n++] = j->v[i].point.p;
    qsort(p, n, sizeof *p, by_p);
    for (size_t i = 0; i < n; i++)
        if (p[i] <= j->rules->rate * (double)(i + 1) / (double)MAX(j->n_all, n))
            limit = p[i];
    for (size_t i = 0; i < j->n; i++)
        if (j->v[i].week == week)
            j->v[i].is_discovered = j->v[i].point.p <= limit;
    free(p);
    return 0;
}

int judge_run(struct judge *j, const struct records *r, const bool *is_changed, int32_t today,
              struct err *err)
{
    int32_t open = weekly_of(today);
    bool is_new = open != j->open;
    int wrong = is_new ? begin_week(j, open, err) : 0;

    if (wrong == 0)
        wrong = count_all_series(j, r, is_changed, is_new, err);
    for (size_t i = 0; i < j->definitions->n && wrong == 0; i++)
        if (is_new || is_changed[i])
            wrong = judge_disease(j, r, (uint16_t)i, err);
    for (int32_t k = 0; k < JUDGE_WEEKS && wrong == 0; k++)
        wrong = discover(j, open - k, err);
    return wrong;
}
