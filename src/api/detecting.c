#include "api/detecting.h"

#define METHOD_ARENA_MAX MIB(64)
#define HEAD_MAX MIB(8)     /* what a stratum is of */
#define HISTORY_PERIODS 520 /* that a method looks back at, where no `from` is asked for */

unsigned detecting_points_a_year(const struct detecting *d)
{
    static const unsigned a_year[] = {[TALLY_DAYS] = 365, [TALLY_WEEKS] = 52, [TALLY_MONTHS] = 12};

    return a_year[d->t.q.period];
}

static int take_method(struct detecting *d, const struct op_params *params,
                       const struct op_param **others, size_t n)
{
    struct str name = op_param_text(params, "method");
    struct call *c = d->c;
    int r = op_param_u64(c, params, "last", SERIES_POINTS_MAX, d->last_fallback, &d->last);

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
    return 0;
}

/* What strata are of: places have other numbers, and names, once nothing is locked. */
static int keep_places(struct detecting *d, const struct kept_view *v)
{
    struct arena *a = d->c->a;
    struct str *diseases = ARENA_ARRAY(a, struct str, d->t.q.n_diseases + 1);

    d->places = ARENA_ARRAY(a, struct str, d->t.n_places);
    if (!d->places || !diseases)
        return err_no_memory(&d->c->err);
    for (size_t i = 0; i < d->t.q.n_diseases; i++)
        diseases[i] = v->definitions->v[d->t.q.diseases[i]].disease; /* as long as the node */
    d->diseases = diseases;
    for (size_t i = 0; d->t.places && i + 1 < d->t.n_places; i++) {
        d->places[i] = arena_dup(a, v->records->places[d->t.places[i]].id);
        if (!d->places[i].p)
            return err_no_memory(&d->c->err);
    }
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
    r = surveil_question(d->c, v, params, d->others, others, &n, &q);
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
    r = keep_places(d, v);
    return r < 0 ? r : write_heads(d, v);
}

int detecting_begin(struct detecting *d, const struct op_params *params)
{
    struct call *c = d->c;
    struct kept_view v;
    struct kept *kept;
    int r = surveil_lock(c, &kept, &v);

    if (r < 0)
        return r;
    r = take_counts(d, &v, params);
    kept_unlock(kept);
    if (r < 0)
        return r;
    d->counts = ARENA_ARRAY(c->a, double, d->t.n_periods);
    d->days = ARENA_ARRAY(c->a, int64_t, d->t.n_periods + 1);
    d->points = ARENA_ARRAY(c->a, struct detect_point, d->t.n_periods);
    if (!d->counts || !d->days || !d->points)
        return err_no_memory(&c->err);
    for (size_t i = 0; i <= d->t.n_periods; i++)
        d->days[i] = tally_first_day(&d->t, i);
    return 0;
}

/* ---- judging ---- */

size_t detecting_from(const struct detecting *d)
{
    return d->t.n_periods - (size_t)MIN(d->last, d->t.n_periods);
}

int detecting_judge(struct detecting *d, size_t stratum)
{
    const struct tally *t = &d->t;
    struct series s = {.n = t->n_periods,
                       .count = d->counts,
                       .day = d->days,
                       .points_a_year = detecting_points_a_year(d)};
    struct arena work;
    int r;

    for (size_t i = 0; i < t->n_periods; i++)
        d->counts[i] = t->counts[stratum * t->n_periods + i];
    arena_init(&work, METHOD_ARENA_MAX);
    r = detect_run(d->method, d->param, &s, detecting_from(d), &work, d->points, &d->c->err);
    arena_done(&work);
    return r;
}
