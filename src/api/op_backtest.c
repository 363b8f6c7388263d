/* op_backtest.c - /carnet/$backtest: what a method would have said of past periods, held against
 * outbreaks that are known. Parameters are those of $detect; `outbreak` (again and again), `quiet`
 * and `rate` besides.
 */
#include "api/detecting.h"

#include "surveillance/backtest.h"

#include <math.h>
#include <stdlib.h>

#define LAST_FALLBACK 52
#define QUIET_FALLBACK 28
#define RATE_TEXT_MAX 20

struct testing {
    struct detecting d;
    struct backtest_outbreak *outbreaks;
    size_t n_outbreaks;
    uint64_t quiet;
    double rate;                 /* 0: the method's own alarms */
    struct detect_point *points; /* of each stratum, d.last of them */
    struct backtest b;
    size_t from;
    const char *before; /* of the next signal */
    size_t stratum;
};

/* ---- what is asked ---- */

static int bad_outbreak(struct call *c)
{
    return err_at(&c->err, ERR_VALUE, "outbreak",
                  "an outbreak is DISEASE|LOCATION|FIRST DAY|LAST DAY; the location may be empty");
}

/* "cholera|north|2024-05-01|2024-06-30" */
static int read_outbreak(struct call *c, struct str text, struct backtest_outbreak *ret)
{
    struct str part[4] = {{0}};
    size_t n = 0;

    while (n < ARRAY_LEN(part) && str_split(&text, '|', &part[n]))
        n++;
    if (n < ARRAY_LEN(part) || text.n || !part[0].n)
        return bad_outbreak(c);
    *ret = (struct backtest_outbreak){.disease = part[0],
                                      .place = part[1].n ? part[1] : STR_NULL,
                                      .from = records_day(part[2]),
                                      .to = records_day(part[3])};
    return ret->from == DAY_UNKNOWN || ret->to < ret->from ? bad_outbreak(c) : 0;
}

static int read_outbreaks(struct testing *t, const struct op_params *params)
{
    struct call *c = t->d.c;
    int r = 0;

    t->outbreaks = ARENA_ARRAY(c->a, struct backtest_outbreak, params->n + 1);
    if (!t->outbreaks)
        return err_no_memory(&c->err);
    for (size_t i = 0; i < params->n && r >= 0; i++) {
        if (!str_eq(params->v[i].name, STR("outbreak")))
            continue;
        if (t->n_outbreaks == BACKTEST_OUTBREAKS_MAX)
            return err_at(&c->err, ERR_TOO_LONG, "outbreak", "more than %d outbreaks are named",
                          BACKTEST_OUTBREAKS_MAX);
        r = read_outbreak(c, params->v[i].text, &t->outbreaks[t->n_outbreaks++]);
    }
    return r;
}

static int read_rate(struct testing *t, const struct op_params *params)
{
    struct str text = op_param_text(params, "rate");
    char copy[RATE_TEXT_MAX + 1], *end = copy;

    if (!text.n)
        return 0;
    snprintf(copy, sizeof copy, "%.*s", (int)MIN(text.n, (size_t)RATE_TEXT_MAX), text.p);
    t->rate = strtod(copy, &end);
    return text.n <= RATE_TEXT_MAX && !*end && t->rate > 0 && t->rate < 1
               ? 0
               : err_at(&t->d.c->err, ERR_VALUE, "rate",
                        "the rate of false discoveries must be above 0 and below 1");
}

/* ---- judging ---- */

/* All series first: which alarms are discoveries depends on all of them. */
static int judge_all(struct testing *t)
{
    struct detecting *d = &t->d;
    size_t n = d->t.n_periods - t->from;
    size_t n_series = 0;
    int r = 0;

    t->points = ARENA_ARRAY(d->c->a, struct detect_point, d->t.n_strata * n + 1);
    if (!t->points)
        return err_no_memory(&d->c->err);
    for (size_t i = 0; i < d->t.n_strata && r >= 0; i++) {
        if (!d->heads[i].p)
            continue;
        r = detecting_judge(d, i);
        memcpy(&t->points[n_series++ * n], d->points, n * sizeof *d->points);
    }
    if (r >= 0 && t->rate > 0)
        r = backtest_discover(t->points, n_series, n, t->rate, &d->c->err);
    return r;
}

static void write_signal(void *ctx, size_t first, size_t alarms, bool is_true)
{
    struct testing *t = ctx;
    struct sb *out = &t->d.c->out;

    sb_fmt(out, "%s{", t->before);
    sb_str(out, t->d.heads[t->stratum]);
    sb_lit(out, ",\"from\":\"");
    tally_period(&t->d.t, t->from + first, out);
    sb_fmt(out, "\",\"alarms\":%zu,\"outbreak\":%s}", alarms, is_true ? "true" : "false");
    t->before = ",";
}

static void write_signals(struct testing *t)
{
    struct detecting *d = &t->d;
    const struct tally *y = &d->t;
    size_t n_series = 0;

    t->before = "";
    sb_lit(&d->c->out, ",\"signals\":[");
    for (t->stratum = 0; t->stratum < y->n_strata; t->stratum++) {
        size_t of_disease = y->n_places * y->n_ages * y->n_sexes;
        size_t place = t->stratum / (y->n_ages * y->n_sexes) % y->n_places;

        if (d->heads[t->stratum].p)
            backtest_series(&t->b, d->diseases[t->stratum / of_disease], d->places[place],
                            &t->points[n_series++ * t->b.n], write_signal, t);
    }
    sb_char(&d->c->out, ']');
}

static void write_number(struct sb *out, const char *name, double v)
{
    if (isnan(v))
        sb_fmt(out, ",\"%s\":null", name);
    else
        sb_fmt(out, ",\"%s\":%.6g", name, v);
}

static int write_outbreaks(struct testing *t)
{
    struct sb *out = &t->d.c->out;
    double median;
    size_t n;
    int r = backtest_found(&t->b, &n, &median, &t->d.c->err);

    if (r < 0)
        return r;
    sb_lit(out, ",\"outbreaks\":[");
    for (size_t i = 0; i < t->n_outbreaks; i++) {
        const struct backtest_outbreak *o = &t->outbreaks[i];

        sb_str(out, i ? STR(",{\"disease\":") : STR("{\"disease\":"));
        sb_json(out, o->disease);
        sb_lit(out, ",\"location\":");
        if (o->place.p)
            sb_json(out, o->place);
        else
            sb_lit(out, "null");
        sb_lit(out, ",\"start\":");
        surveil_day(out, (int32_t)o->from);
        sb_lit(out, ",\"end\":");
        surveil_day(out, (int32_t)o->to);
        write_number(out, "delayDays", o->found == INT64_MIN ? NAN : (double)(o->found - o->from));
        sb_char(out, '}');
    }
    sb_char(out, ']');
    write_number(out, "shareFound", t->n_outbreaks ? (double)n / (double)t->n_outbreaks : NAN);
    write_number(out, "medianDelayDays", median);
    return 0;
}

static int write_all(struct testing *t)
{
    struct call *c = t->d.c;
    struct sb *out = &c->out;
    int r;

    backtest_init(&t->b, t->d.days + t->from, t->d.t.n_periods - t->from, (int)t->quiet,
                  t->outbreaks, t->n_outbreaks);
    write_signals(t);
    sb_fmt(out, ",\"judged\":%zu,\"unjudged\":%zu,\"falseSignals\":%zu", t->b.n_judged,
           t->b.n_unjudged, t->b.n_false);
    write_number(out, "falseSignalsAWeek", backtest_false_a_week(&t->b));
    r = write_outbreaks(t);
    sb_char(out, '}');
    c->type_out = STR("application/json");
    c->status = 200;
    return r < 0 ? r : sb_ok(out, &c->err);
}

int op_backtest(struct call *c, struct store_txn *txn)
{
    struct testing t = {
        .d = {.c = c, .others = "method last outbreak quiet rate", .last_fallback = LAST_FALLBACK}};
    struct op_params params;
    int r = surveil_begin(c, SURVEIL_COUNTS);

    (void)txn;
    if (r >= 0)
        r = op_params_read(c, &params);
    if (r >= 0)
        r = op_param_u64(c, &params, "quiet", BACKTEST_QUIET_DAYS_MAX, QUIET_FALLBACK, &t.quiet);
    if (r >= 0)
        r = read_rate(&t, &params);
    if (r >= 0)
        r = read_outbreaks(&t, &params);
    if (r >= 0)
        r = detecting_begin(&t.d, &params);
    if (r < 0)
        return r;
    t.from = detecting_from(&t.d);
    r = judge_all(&t);
    return r < 0 ? r : write_all(&t);
}
