#include "surveillance/backtest.h"

#include <math.h>
#include <stdlib.h>

void backtest_init(struct backtest *b, const int64_t *day, size_t n, int quiet_days,
                   struct backtest_outbreak *outbreaks, size_t n_outbreaks)
{
    *b = (struct backtest){.day = day,
                           .n = n,
                           .quiet_days = quiet_days,
                           .outbreaks = outbreaks,
                           .n_outbreaks = n_outbreaks};
    for (size_t i = 0; i < n_outbreaks; i++)
        outbreaks[i].found = INT64_MIN;
}

/* ---- false discoveries ---- */

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The largest p of a period that is a discovery; negative: none is. */
static double limit_of(const struct detect_point *points, size_t n_series, size_t n_points,
                       double rate, double *p, size_t *ret_n)
{
    double limit = -1;
    size_t n = 0;

    for (size_t i = 0; i < n_series; i++)
        if (!isnan(points[i * n_points].p))
            p[n++] = points[i * n_points].p;
    if (n)
        qsort(p, n, sizeof *p, by_number);
    for (size_t i = 0; i < n; i++)
        if (p[i] <= rate * (double)(i + 1) / (double)n)
            limit = p[i];
    *ret_n += n;
    return limit;
}

int backtest_discover(struct detect_point *points, size_t n_series, size_t n_points, double rate,
                      struct err *err)
{
    double *p = malloc((n_series + 1) * sizeof *p);
    size_t n = 0, n_judged = 0;

    if (!p)
        return err_no_memory(err);
    for (size_t i = 0; i < n_series * n_points; i++)
        n_judged += note_is_judged(points[i].note.code);
    for (size_t k = 0; k < n_points; k++) {
        double limit = limit_of(points + k, n_series, n_points, rate, p, &n);

        for (size_t i = 0; i < n_series; i++)
            points[i * n_points + k].alarm = points[i * n_points + k].p <= limit;
    }
    free(p);
    return n || !n_judged
               ? 0
               : err_set(err, ERR_VALUE,
                         "false discoveries cannot be held down: the method gives no p-values");
}

/* ---- signals ---- */

static bool is_of(const struct backtest_outbreak *o, struct str disease, struct str place,
                  int64_t from, int64_t to)
{
    return str_eq(o->disease, disease) && (!o->place.p || !place.p || str_eq(o->place, place)) &&
           from <= o->to && o->from <= to;
}

/* Whether an alarm of these days is of an outbreak; it finds all that it is of. */
static bool find(struct backtest *b, struct str disease, struct str place, int64_t from, int64_t to)
{
    bool is_any = false;

    for (size_t i = 0; i < b->n_outbreaks; i++) {
        struct backtest_outbreak *o = &b->outbreaks[i];

        if (!is_of(o, disease, place, from, to))
            continue;
        is_any = true;
        if (o->found == INT64_MIN || to < o->found)
            o->found = to;
    }
    return is_any;
}

/* A signal while it goes on; n 0: there is none. */
struct going {
    size_t first, n;
    int64_t last; /* day of its last alarm */
    bool is_true;
};

static void end(struct backtest *b, struct going *g, backtest_signal *tell, void *ctx)
{
    if (!g->n)
        return;
    b->n_signals++;
    b->n_false += !g->is_true;
    if (tell)
        tell(ctx, g->first, g->n, g->is_true);
    g->n = 0;
}

void backtest_series(struct backtest *b, struct str disease, struct str place,
                     const struct detect_point *points, backtest_signal *tell, void *ctx)
{
    struct going g = {.n = 0};

    for (size_t i = 0; i < b->n; i++) {
        bool is_judged = note_is_judged(points[i].note.code);

        b->n_judged += is_judged;
        b->n_unjudged += !is_judged;
        if (!is_judged || !points[i].alarm)
            continue;
        if (g.n && b->day[i] - g.last > b->quiet_days)
            end(b, &g, tell, ctx);
        if (!g.n)
            g = (struct going){.first = i};
        g.n++;
        g.last = b->day[i];
        g.is_true |= find(b, disease, place, b->day[i], b->day[i + 1] - 1);
    }
    end(b, &g, tell, ctx);
}

/* ---- how well ---- */

int backtest_found(const struct backtest *b, size_t *ret_n, double *ret_median, struct err *err)
{
    double *days = malloc((b->n_outbreaks + 1) * sizeof *days);
    size_t n = 0;

    if (!days)
        return err_no_memory(err);
    for (size_t i = 0; i < b->n_outbreaks; i++)
        if (b->outbreaks[i].found != INT64_MIN)
            days[n++] = (double)(b->outbreaks[i].found - b->outbreaks[i].from);
    if (n)
        qsort(days, n, sizeof *days, by_number);
    *ret_n = n;
    *ret_median = n ? (days[(n - 1) / 2] + days[n / 2]) / 2 : NAN;
    free(days);
    return 0;
}

double backtest_false_a_week(const struct backtest *b)
{
    return b->n ? 7.0 * (double)b->n_false / (double)(b->day[b->n] - b->day[0]) : 0;
}
