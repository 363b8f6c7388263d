/* op_measure.c - Measure/$evaluate-measure (measure-operation-evaluate-measure.html): its
 * parameters, the measure that they name, and its components.
 *
 * By GET the report is only answered; by POST it is stored as well.
 */
#include "api/measure_int.h"

#include "base/clock.h"
#include "base/rng.h"
#include "fhir/date.h"

/* ---- the period ---- */

/* A moment as a dateTime in the store's time zone, to the millisecond. */
static struct str moment(struct measure_run *run, int64_t ms)
{
    int tz = store_index_options(run->c->api->store)->tz_minutes, at = tz < 0 ? -tz : tz;
    char text[CLOCK_INSTANT_MAX];

    clock_format(ms + (int64_t)tz * 60000, text);
    return arena_fmt(run->c->a, "%.*s%c%02d:%02d", (int)strlen(text) - 1, text, tz < 0 ? '-' : '+',
                     at / 60, at % 60);
}

static int read_end(struct measure_run *run, const struct op_params *params, const char *name,
                    struct date *ret)
{
    struct str text = op_param_text(params, name);
    struct call *c = run->c;
    int r;

    if (!text.n)
        return err_at(&c->err, ERR_REQUIRED, name, "the parameter \"%s\" is missing", name);
    r = date_parse(DATE_SEARCH, text, store_index_options(c->api->store)->tz_minutes, ret, &c->err);
    return r < 0 ? err_at(&c->err, ERR_VALUE, name, "\"%s\" is not a date", name) : 0;
}

static int read_period(struct measure_run *run, const struct op_params *params)
{
    _cleanup_(sb_done) struct sb json = sb_make(KIB(1));
    struct call *c = run->c;
    struct date start, end;
    int r;

    if ((r = read_end(run, params, "periodStart", &start)) < 0 ||
        (r = read_end(run, params, "periodEnd", &end)) < 0)
        return r;
    if (end.to_ms <= start.from_ms)
        return err_at(&c->err, ERR_VALUE, "periodEnd", "the period ends before it starts");
    run->m.start = moment(run, start.from_ms);
    run->m.end = moment(run, end.to_ms - 1);
    if (!run->m.start.p || !run->m.end.p)
        return err_no_memory(&c->err);
    sb_fmt(&json, "{\"start\":\"%.*s\",\"end\":\"%.*s\"}", STR_ARG(run->m.start),
           STR_ARG(run->m.end));
    if ((r = sb_ok(&json, &c->err)) < 0)
        return r;
    return js_parse_stored(c->a, sb_view(&json), &run->period, &c->err);
}

/* ---- which measure, which report ---- */

/* A Measure by its canonical URL, a reference or its id. */
static int find_one(struct measure_run *run, struct str text, yyjson_val **ret)
{
    struct call *c = run->c;
    struct str id;
    int type;

    if (op_local(c, text, &type, &id) && type == c->type)
        return op_resource(c, run->txn, type, id, ret);
    if (str_find(text, ':') < 0 && str_find(text, '/') < 0)
        return op_resource(c, run->txn, c->type, text, ret);
    return op_by_url(c, run->txn, c->type, text, "measure", ret);
}

static int find_measure(struct measure_run *run, const struct op_params *params)
{
    struct str text = op_param_text(params, "measure");
    struct call *c = run->c;

    if (c->id.n)
        return op_resource(c, run->txn, c->type, c->id, &run->m.resource);
    if (!text.n)
        return err_at(&c->err, ERR_REQUIRED, "measure", "the parameter \"measure\" is missing");
    return find_one(run, text, &run->m.resource);
}

/* ---- a composite and its components ---- */

static int compile_part(struct measure_run *run, struct measure *part, yyjson_val *artifact,
                        struct str where)
{
    struct str resource = js_get_str(artifact, "resource");
    struct measure *m = &run->m;
    struct call *c = run->c;
    int r;

    if (!where.p)
        return err_no_memory(&c->err);
    *part = *m;
    part->composite = (struct composite){0};
    if (!resource.n)
        return err_at(&c->err, ERR_PROCESSING, "Measure.relatedArtifact",
                      "a component names no resource");
    if ((r = find_one(run, resource, &part->resource)) < 0 ||
        (r = composite_weight(m, part, artifact, where)) < 0)
        return r;
    if (js_get(part->resource, "compositeScoring"))
        return err_at(&c->err, ERR_NOT_SUPPORTED, "Measure.relatedArtifact",
                      "the component \"%.*s\" is itself composite: name what it is made of",
                      (int)MIN(resource.n, (size_t)200), resource.p);
    if ((r = measure_compile(part)) < 0)
        return r;
    m->needs_record |= part->needs_record;
    m->subject_type = m->composite.parts[0].subject_type;
    return 0;
}

static int compile_composite(struct measure_run *run)
{
    yyjson_val *artifacts = js_get(run->m.resource, "relatedArtifact"), *v;
    struct composite *composite = &run->m.composite;
    struct call *c = run->c;
    size_t i, n;
    int r;

    composite->parts = ARENA_ARRAY(c->a, struct measure, MEASURE_PARTS_MAX);
    if (!composite->parts)
        return err_no_memory(&c->err);
    yyjson_arr_foreach(artifacts, i, n, v) {
        if (!str_eq(js_get_str(v, "type"), STR("composed-of")))
            continue;
        if (composite->n_parts == MEASURE_PARTS_MAX)
            return err_at(&c->err, ERR_COSTLY, "Measure.relatedArtifact",
                          "a measure has more than %d components", MEASURE_PARTS_MAX);
        r = compile_part(run, &composite->parts[composite->n_parts++], v,
                         arena_fmt(c->a, "Measure.relatedArtifact[%zu]", i));
        if (r < 0)
            return r;
    }
    if (!composite->n_parts)
        return err_at(&c->err, ERR_PROCESSING, "Measure.relatedArtifact",
                      "a composite measure names no components");
    if ((r = composite_check(&run->m)) < 0)
        return r;
    return supplement_compile(&run->m, js_get(run->m.resource, "supplementalData"));
}

static int compile_measure(struct measure_run *run)
{
    struct measure *m = &run->m;

    m->composite.scoring = composite_scoring_of(m->resource);
    if (!m->composite.scoring && js_get(m->resource, "compositeScoring"))
        return err_at(&run->c->err, ERR_NOT_SUPPORTED, "Measure.compositeScoring",
                      "the composite scoring is none of opportunity, all-or-nothing, linear and "
                      "weighted");
    return m->composite.scoring ? compile_composite(run) : measure_compile(m);
}

/* ---- the report ---- */

static bool is_group(struct measure_run *run, struct str subject)
{
    struct str id;
    int type;

    return op_local(run->c, subject, &type, &id) && type == def_resource(STR("Group"));
}

/* lastReceivedOn limits what an individual report lists. */
static int read_received(struct measure_run *run, const struct op_params *params)
{
    struct date received;

    if (!op_param_text(params, "lastReceivedOn").n)
        return 0;
    if (run->m.report != REPORT_INDIVIDUAL)
        return err_at(&run->c->err, ERR_VALUE, "lastReceivedOn",
                      "lastReceivedOn is for the report of one subject");
    if (read_end(run, params, "lastReceivedOn", &received) < 0)
        return run->c->err.code;
    run->received_ms = received.from_ms;
    return 0;
}

static int read_report(struct measure_run *run, const struct op_params *params)
{
    static const struct {
        struct str name;
        enum report_type type;
    } names[] = {{STR("subject"), REPORT_INDIVIDUAL},
                 {STR("individual"), REPORT_INDIVIDUAL},
                 {STR("subject-list"), REPORT_LIST},
                 {STR("population"), REPORT_SUMMARY},
                 {STR("summary"), REPORT_SUMMARY}};
    struct str text = op_param_text(params, "reportType");
    struct str subject = op_param_text(params, "subject");
    struct call *c = run->c;
    size_t i = 0;

    run->m.report = subject.n && !is_group(run, subject) ? REPORT_INDIVIDUAL : REPORT_SUMMARY;
    if (text.n) {
        while (i < ARRAY_LEN(names) && !str_eq(names[i].name, text))
            i++;
        if (i == ARRAY_LEN(names))
            return err_at(&c->err, ERR_VALUE, "reportType",
                          "reportType is subject, subject-list or population");
        run->m.report = names[i].type;
    }
    if (run->m.report == REPORT_INDIVIDUAL && !subject.n)
        return err_at(&c->err, ERR_REQUIRED, "subject", "a report of a subject needs the subject");
    run->practitioner = op_param_text(params, "practitioner");
    return read_received(run, params);
}

/* ---- the operation ---- */

static int answer(struct measure_run *run)
{
    _cleanup_(sb_done) struct sb report = sb_make(API_REPLY_MAX);
    struct call *c = run->c;
    char id[UUID_TEXT_LEN + 1];
    bool stored = c->row->method == HTTP_POST;
    int r;

    uuid7(id);
    if ((r = measure_report(&run->m, str_c(id), &report)) < 0 ||
        (stored && (r = op_store(c, sb_view(&report))) < 0))
        return r;
    if (stored && !(c->location = arena_fmt(c->a, "MeasureReport/%s", id)).p)
        return err_no_memory(&c->err);
    sb_str(&c->out, sb_view(&report));
    c->status = stored ? 201 : 200;
    return sb_ok(&c->out, &c->err);
}

static int evaluate(struct measure_run *run)
{
    static const char *const names =
        "periodStart periodEnd measure reportType subject practitioner lastReceivedOn";
    struct call *c = run->c;
    struct op_params params;
    struct str subject;
    int r;

    if ((r = op_params_read(c, &params)) < 0 || (r = op_params_only(c, &params, names)) < 0 ||
        (r = read_period(run, &params)) < 0 || (r = read_report(run, &params)) < 0 ||
        (r = find_measure(run, &params)) < 0 || (r = measure_world(run)) < 0 ||
        (r = compile_measure(run)) < 0)
        return r;
    subject = op_param_text(&params, "subject");
    if (run->practitioner.n &&
        (subject.n || !str_eq(def_resource_name(run->m.subject_type), STR("Patient"))))
        return err_at(&c->err, ERR_VALUE, "practitioner",
                      "a practitioner narrows patients, and not one subject");
    r = measure_evaluate(run, subject);
    return r < 0 ? r : answer(run);
}

int op_evaluate_measure(struct call *c, struct store_txn *txn)
{
    struct measure_run *run = ARENA_NEW(c->a, struct measure_run);
    uint64_t steps = 0;
    size_t n_values = 0;
    int r;

    if (!run)
        return err_no_memory(&c->err);
    run->c = run->m.c = c;
    run->m.steps = &steps;
    run->m.n_values = &n_values;
    run->txn = txn;
    arena_init(&run->scratch, HTTP_ARENA_MAX);
    r = evaluate(run);
    call_world_done(&run->world);
    arena_done(&run->scratch);
    return r;
}
