/* op_series.c - /carnet/$series: counts of cases, from what is kept of them. The same counts as the
 * command `carnet series` gives of the same records, as JSON or as its CSV.
 */
#include "api/surveil.h"

static void write_json(struct call *c, const struct kept_view *v, const struct tally *t)
{
    struct sb *out = &c->out;
    bool is_first = true;

    sb_char(out, '{');
    surveil_about(c, v, t);
    sb_lit(out, ",\"periods\":[");
    for (size_t i = 0; i < t->n_periods; i++) {
        sb_str(out, i ? STR(",\"") : STR("\""));
        tally_period(t, i, out);
        sb_char(out, '"');
    }
    sb_lit(out, "],\"series\":[");
    for (size_t i = 0; i < t->n_strata && !out->failed; i++) {
        size_t before = out->n;

        sb_str(out, is_first ? STR("{") : STR(",{"));
        if (!tally_stratum(t, i, out)) {
            out->n = before;
            continue;
        }
        is_first = false;
        sb_lit(out, ",\"counts\":[");
        for (size_t k = 0; k < t->n_periods; k++)
            sb_fmt(out, k ? ",%u" : "%u", t->counts[i * t->n_periods + k]);
        sb_lit(out, "]}");
    }
    sb_lit(out, "]}");
}

static void write_csv(struct call *c, const struct tally *t)
{
    tally_header(t, &c->out);
    for (size_t i = 0; i < t->n_strata && !c->out.failed; i++)
        tally_rows(t, i, &c->out);
}

static int answer(struct call *c, const struct kept_view *v, const struct op_params *params)
{
    struct str format = op_param_text(params, "format");
    bool is_csv = str_eq(format, STR("csv"));
    struct tally_question q;
    struct tally t;
    int r;

    if (format.n && !is_csv && !str_eq(format, STR("json")))
        return err_set(&c->err, ERR_VALUE, "\"format\" must be json or csv");
    r = surveil_question(c, v, params, "format", NULL, NULL, &q);
    if (r >= 0)
        r = tally_make(v->records, v->cases, &q, c->a, &t, &c->err);
    if (r < 0)
        return r;
    if (is_csv)
        write_csv(c, &t);
    else
        write_json(c, v, &t);
    c->type_out = is_csv ? STR("text/csv;charset=utf-8") : STR("application/json");
    c->status = 200;
    return sb_ok(&c->out, &c->err);
}

int op_series(struct call *c, struct store_txn *txn)
{
    struct op_params params;
    struct kept_view v;
    struct kept *kept;
    int r = surveil_begin(c, SURVEIL_COUNTS);

    (void)txn;
    if (r < 0 || (r = op_params_read(c, &params)) < 0 || (r = surveil_lock(c, &kept, &v)) < 0)
        return r;
    r = answer(c, &v, &params);
    kept_unlock(kept);
    return r;
}
