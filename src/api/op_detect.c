/* op_detect.c - /carnet/$detect: series from what is kept of cases, judged by a method. Parameters
 * are those of $series, `method`, `last`, and the method's own by their names.
 */
#include "api/surveil.h"

#include "surveillance/detect.h"

#include <math.h>

#define METHOD_ARENA_MAX MIB(64)
#define LAST_FALLBACK 4
#define JUDGED_MAX 100000   /* points of one answer */
#define HEAD_MAX MIB(8)     /* what a stratum is of */
#define HISTORY_PERIODS 520 /* that a method looks back at, where no `from` is asked for */

struct detecting {
    struct call *c;
    const struct method *method;
    double param[DETECT_PARAMS_MAX];
    uint64_t last;
    int32_t today; /* until which records tell */
    struct tally t;
    struct str *heads; /* of each stratum, as members of its object; .p NULL: it has no rows */
    double *counts;
    int64_t *days;
    struct detect_point *points;
};

static int take_method(struct detecting *d, const struct op_params *params,
                       const struct op_param **others, size_t n)
{
    struct str name = op_param_text(params, "method");
    struct call *c = d->c;
    int r = op_param_u64(c, params, "last", SERIES_POINTS_MAX, LAST_FALLBACK, &d->last);

    if (r < 0)
        return r;
    if (!name.n)
        return err_set(&c->err, ERR_REQUIRED, "\"method\" is missing");
    d->method = detect_method(name);
    if (!d->method)
        return err_set(&c->err, ERR_VALUE, "there is no method \"%.*s\"", (int)MIN(name.n, 60u),
                       name.p);
    detect_defaults(d->method, d->param);
    for (size_t i = 0; i < n && r >= 0; i++)
        r = detect_set(d->method, others[i]->name, others[i]->text, d->param, &c->err);
    return r;
}

static void put_number(struct sb *out, const char *name, double v)
{
    if (isfinite(v))
        sb_fmt(out, ",\"%s\":%.15g", name, v);
    else
        sb_fmt(out, ",\"%s\":null", name);
}

static void write_point(struct detecting *d, size_t i, const struct detect_point *p)
{
    struct sb *out = &d->c->out;
    char note[DETECT_NOTE_TEXT_MAX];
    static const unsigned a_year[] = {[TALLY_DAYS] = 365, [TALLY_WEEKS] = 52, [TALLY_MONTHS] = 12};

    sb_lit(out, "{\"period\":\"");
    tally_period(&d->t, i, out);
    sb_fmt(out, "\",\"count\":%.0f", d->counts[i]);
    put_number(out, "threshold", p->threshold);
    put_number(out, "expected", p->expected);
    put_number(out, "p", p->p);
    sb_lit(out, ",\"alarm\":");
    sb_str(out, !note_is_judged(p->note.code) ? STR("null")
                : p->alarm                    ? STR("true")
                                              : STR("false"));
    sb_str(out, tally_first_day(&d->t, i) <= d->today && d->today < tally_first_day(&d->t, i + 1)
                    ? STR(",\"open\":true")
                    : STR(",\"open\":false"));
    note_text(p->note, a_year[d->t.q.period], note);
    sb_lit(out, ",\"note\":");
    sb_json(out, str_c(note));
    sb_char(out, '}');
}

static int judge(struct detecting *d, size_t stratum)
{
    static const unsigned a_year[] = {[TALLY_DAYS] = 365, [TALLY_WEEKS] = 52, [TALLY_MONTHS] = 12};
    const struct tally *t = &d->t;
    size_t from = t->n_periods - MIN(d->last, t->n_periods);
    struct series s = {.n = t->n_periods,
                       .count = d->counts,
                       .day = d->days,
                       .points_a_year = a_year[t->q.period]};
    struct arena work;
    int r;

    for (size_t i = 0; i < t->n_periods; i++)
        d->counts[i] = t->counts[stratum * t->n_periods + i];
    arena_init(&work, METHOD_ARENA_MAX);
    r = detect_run(d->method, d->param, &s, from, &work, d->points, &d->c->err);
    arena_done(&work);
    if (r < 0)
        return r;
    sb_lit(&d->c->out, ",\"points\":[");
    for (size_t i = from; i < t->n_periods; i++) {
        if (i > from)
            sb_char(&d->c->out, ',');
        write_point(d, i, &d->points[i - from]);
    }
    sb_lit(&d->c->out, "]}");
    return 0;
}

static int judge_all(struct detecting *d)
{
    struct sb *out = &d->c->out;
    const char *before = "";
    int r = 0;

    for (size_t i = 0; i < d->t.n_strata && r >= 0; i++) {
        if (!d->heads[i].p)
            continue;
        sb_fmt(out, "%s{", before);
        sb_str(out, d->heads[i]);
        before = ",";
        r = judge(d, i);
    }
    sb_lit(out, "]}");
    return r < 0 ? r : sb_ok(out, &d->c->err);
}

/* ---- while the cases are locked ---- */

/* Days that are not asked for: as many periods as a method looks back at, where there are records.
 */
static void look_back(const struct kept_view *v, const struct op_params *params,
                      struct tally_question *q)
{
    if (op_param_find(params, "from") || v->records->first == DAY_UNKNOWN || q->to == DAY_UNKNOWN)
        return;
    q->from = MIN(MAX(v->records->first, q->to - HISTORY_PERIODS * 7), q->to);
}

static int write_heads(struct detecting *d, const struct kept_view *v)
{
    _cleanup_(sb_done) struct sb head = sb_make(HEAD_MAX);
    struct sb *out = &d->c->out;

    d->heads = ARENA_ARRAY(d->c->a, struct str, d->t.n_strata);
    if (!d->heads)
        return err_no_memory(&d->c->err);
    for (size_t i = 0; i < d->t.n_strata; i++) {
        sb_reset(&head);
        if (!tally_stratum(&d->t, i, &head))
            continue;
        d->heads[i] = arena_dup(d->c->a, sb_view(&head));
        if (head.failed || !d->heads[i].p)
            return err_no_memory(&d->c->err);
    }
    sb_char(out, '{');
    surveil_about(d->c, v, &d->t);
    sb_lit(out, ",\"method\":");
    sb_json(out, str_c(d->method->name));
    sb_lit(out, ",\"series\":[");
    return 0;
}

static int take_counts(struct detecting *d, const struct kept_view *v,
                       const struct op_params *params)
{
    const struct op_param **others = ARENA_ARRAY(d->c->a, const struct op_param *, params->n + 1);
    struct tally_question q;
    size_t n = 0;
    int r;

    if (!others)
        return err_no_memory(&d->c->err);
    r = surveil_question(d->c, v, params, "method last", others, &n, &q);
    if (r >= 0)
        r = take_method(d, params, others, n);
    if (r >= 0)
        look_back(v, params, &q);
    if (r >= 0)
        r = tally_make(v->records, v->cases, &q, d->c->a, &d->t, &d->c->err);
    if (r < 0)
        return r;
    if (d->t.n_strata * MIN(d->last, d->t.n_periods) > JUDGED_MAX)
        return err_set(
            &d->c->err, ERR_TOO_LONG,
            "more than %d points would be judged: ask for fewer diseases or places, or a "
            "smaller \"last\"",
            JUDGED_MAX);
    d->today = v->today;
    return write_heads(d, v);
}

/* Methods take their time: those who follow the feed do not wait for it. */
int op_detect(struct call *c, struct store_txn *txn)
{
    struct detecting d = {.c = c};
    struct op_params params;
    struct kept_view v;
    struct kept *kept;
    int r = surveil_begin(c, SURVEIL_COUNTS);

    (void)txn;
    if (r < 0 || (r = op_params_read(c, &params)) < 0 || (r = surveil_lock(c, &kept, &v)) < 0)
        return r;
    r = take_counts(&d, &v, &params);
    kept_unlock(kept);
    if (r < 0)
        return r;
    d.counts = ARENA_ARRAY(c->a, double, d.t.n_periods);
    d.days = ARENA_ARRAY(c->a, int64_t, d.t.n_periods);
    d.points = ARENA_ARRAY(c->a, struct detect_point, d.t.n_periods);
    if (!d.counts || !d.days || !d.points)
        return err_no_memory(&c->err);
    for (size_t i = 0; i < d.t.n_periods; i++)
        d.days[i] = tally_first_day(&d.t, i);
    c->type_out = STR("application/json");
    c->status = 200;
    return judge_all(&d);
}
