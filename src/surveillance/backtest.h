/* backtest.h - what a detector would have said of the past, held against outbreaks that are known.
 *
 * Points that were judged (detect.h) in; signals, outbreaks found and false signals out. An alarm
 * begins a signal unless the same series had one within the quiet days before it. A signal is true
 * where one of its alarms is of a disease, a place and days of an outbreak; an outbreak is found by
 * the first such alarm, on the last day of its period: then the count is whole. Pure.
 */
#ifndef SURVEILLANCE_BACKTEST_H
#define SURVEILLANCE_BACKTEST_H

#include "surveillance/detect.h"

#define BACKTEST_OUTBREAKS_MAX 1000
#define BACKTEST_QUIET_DAYS_MAX 366

struct backtest_outbreak {
    struct str disease, place; /* place .p NULL: wherever it is seen */
    int64_t from, to;          /* days */
    int64_t found;             /* day; INT64_MIN: it was not */
};

struct backtest {
    const int64_t *day; /* first days of the n periods, and of the one behind them */
    size_t n;
    int quiet_days;
    struct backtest_outbreak *outbreaks;
    size_t n_outbreaks;
    size_t n_judged, n_unjudged; /* points */
    size_t n_signals, n_false;
};

/* Outbreaks are not found yet. */
void backtest_init(struct backtest *b, const int64_t *day, size_t n, int quiet_days,
                   struct backtest_outbreak *outbreaks, size_t n_outbreaks);

/* In place of the method's alarms: those of each period whose p-values are discoveries by Benjamini
 * and Hochberg's procedure (1995) at `rate`, over all series of points[series * n_points + i].
 * ERR_NO_MEMORY; ERR_VALUE where no point that was judged has a p-value. */
int backtest_discover(struct detect_point *points, size_t n_series, size_t n_points, double rate,
                      struct err *err);

/* Told of each signal: its first period, how many alarms it has, whether it is of an outbreak. */
typedef void backtest_signal(void *ctx, size_t first, size_t alarms, bool is_true);

/* One series of a disease at a place (.p NULL: not known, or the country), its n points judged. */
void backtest_series(struct backtest *b, struct str disease, struct str place,
                     const struct detect_point *points, backtest_signal *tell, void *ctx);

/* How many outbreaks were found, and the median of the days from their first one; NAN: none was.
 * ERR_NO_MEMORY. */
int backtest_found(const struct backtest *b, size_t *ret_n, double *ret_median, struct err *err);

/* False signals in seven days, of all series. */
double backtest_false_a_week(const struct backtest *b);

#endif
