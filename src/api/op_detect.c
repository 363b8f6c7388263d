/* op_detect.c - /carnet/$detect: the last points of series, as a method judges them. */
#include "api/detecting.h"

#include <math.h>

#define LAST_FALLBACK 4

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
    note_text(p->note, detecting_points_a_year(d), note);
    sb_lit(out, ",\"note\":");
    sb_json(out, str_c(note));
    sb_char(out, '}');
}

static int judge(struct detecting *d, size_t stratum)
{
    size_t from = detecting_from(d);
    int r = detecting_judge(d, stratum);

    if (r < 0)
        return r;
    sb_lit(&d->c->out, ",\"points\":[");
    for (size_t i = from; i < d->t.n_periods; i++) {
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

    sb_lit(out, ",\"series\":[");
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

int op_detect(struct call *c, struct store_txn *txn)
{
    struct detecting d = {.c = c, .others = "method last", .last_fallback = LAST_FALLBACK};
    struct op_params params;
    int r = surveil_begin(c, SURVEIL_COUNTS);

    (void)txn;
    if (r >= 0)
        r = op_params_read(c, &params);
    if (r >= 0)
        r = detecting_begin(&d, &params);
    if (r < 0)
        return r;
    c->type_out = STR("application/json");
    c->status = 200;
    return judge_all(&d);
}
