/* op_measure.c - Measure/$evaluate-measure (measure-operation-evaluate-measure.html).
 *
 * By GET the report is only answered; by POST it is stored as well. A subject's record is read only
 * when a criterion asks for it, a subject at a time. Everything is read through the transaction of
 * the call: what a criterion resolves, too.
 */
#include "api/measure_int.h"

#include "api/call_world.h"
#include "base/clock.h"
#include "base/rng.h"
#include "fhir/date.h"

#define MEASURE_SUBJECTS_MAX 20000
#define MEASURE_RESOURCES_MAX 500000 /* resources of all records together */
#define MEASURE_RECORD_MAX 10000     /* resources of one record */
#define MEASURE_PAGE 500

struct run {
    struct measure m;
    struct call *c;
    struct store_txn *txn;
    struct arena scratch;    /* of one subject */
    struct call_world world; /* what criteria may ask, but for records: */
    struct run_world *over;
    struct str practitioner;
    yyjson_val *period;
    size_t n_subjects, n_resources;
};

/* ---- what criteria may ask ---- */

struct run_world {
    struct world_over over;
    struct run *run;
};

static int run_reference(void *ctx, struct arena *a, struct str reference, yyjson_val **ret,
                         struct err *err)
{
    struct run *run = ((struct run_world *)ctx)->run;
    struct str id;
    struct row row;
    int type, r;

    *ret = NULL;
    if (!op_local(run->c, reference, &type, &id))
        return 0;
    if (++run->n_resources > MEASURE_RESOURCES_MAX)
        return err_set(err, ERR_COSTLY, "the measure reads more than %d resources",
                       MEASURE_RESOURCES_MAX);
    r = store_get(run->txn, type, id, &row, err);
    if (r == ERR_NOT_FOUND || (r >= 0 && row.method == METHOD_DELETE))
        return 0;
    return r < 0 ? r : op_json_in(run->c, a, &row, ret);
}

static int make_world(struct run *run)
{
    int r = call_world_init(&run->world, run->c);

    run->over = ARENA_NEW(run->c->a, struct run_world);
    if (r < 0 || !run->over)
        return r < 0 ? r : err_no_memory(&run->c->err);
    run->over->run = run;
    world_over(&run->over->over, call_world_table(&run->world));
    run->over->over.world.reference = run_reference;
    return 0;
}

/* ---- the period ---- */

/* A moment as a dateTime in the store's time zone, to the millisecond. */
static struct str moment(struct run *run, int64_t ms)
{
    int tz = store_index_options(run->c->api->store)->tz_minutes, at = tz < 0 ? -tz : tz;
    char text[CLOCK_INSTANT_MAX];

    clock_format(ms + (int64_t)tz * 60000, text);
    return arena_fmt(run->c->a, "%.*s%c%02d:%02d", (int)strlen(text) - 1, text, tz < 0 ? '-' : '+',
                     at / 60, at % 60);
}

static int read_end(struct run *run, const struct op_params *params, const char *name,
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

static int read_period(struct run *run, const struct op_params *params)
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
    return js_parse_stored(c->a, sb_view(&json), &run->period, &c->err);
}

/* ---- which measure, which report ---- */

static int find_by_url(struct run *run, struct str url)
{
    _cleanup_(sb_done) struct sb query = sb_make(KIB(64));
    struct call *c = run->c;
    ptrdiff_t bar = str_find(url, '|');
    struct page page;
    struct str text;
    int r;

    sb_lit(&query, "_sort=-_lastUpdated&_count=1&url=");
    sb_uri(&query, bar < 0 ? url : str_head(url, (size_t)bar));
    if (bar >= 0) {
        sb_lit(&query, "&version=");
        sb_uri(&query, str_from(url, (size_t)bar + 1));
    }
    text = query.failed ? STR_NULL : arena_dup(c->a, sb_view(&query));
    if (!text.p)
        return err_no_memory(&c->err);
    if ((r = op_search(c, run->txn, c->type, text, 1, &page)) < 0)
        return r;
    if (!page.n)
        return err_at(&c->err, ERR_NOT_FOUND, "measure", "there is no Measure \"%.*s\" here",
                      (int)MIN(url.n, (size_t)200), url.p);
    return op_resource_at(c, run->txn, page.rows[0], &run->m.resource);
}

static int find_measure(struct run *run, const struct op_params *params)
{
    struct str text = op_param_text(params, "measure"), id;
    struct call *c = run->c;
    int type;

    if (c->id.n)
        return op_resource(c, run->txn, c->type, c->id, &run->m.resource);
    if (!text.n)
        return err_at(&c->err, ERR_REQUIRED, "measure", "the parameter \"measure\" is missing");
    if (op_local(c, text, &type, &id) && type == c->type)
        return op_resource(c, run->txn, type, id, &run->m.resource);
    if (str_find(text, ':') < 0 && str_find(text, '/') < 0)
        return op_resource(c, run->txn, c->type, text, &run->m.resource);
    return find_by_url(run, text);
}

static int read_report(struct run *run, const struct op_params *params)
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

    run->m.report = subject.n ? REPORT_INDIVIDUAL : REPORT_SUMMARY;
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
    return 0;
}

/* ---- subjects and their records ---- */

/* The members of the subject's compartment. */
static int read_record(struct run *run, struct str id, struct path_items *ret)
{
    unsigned char key[INDEX_KEY_MAX];
    struct key_range range = {.param = INDEX_PARAM_COMPARTMENT, .point = true};
    struct search_clause clause = {.kind = CLAUSE_KEYS, .ranges = &range, .n_ranges = 1};
    struct search_options opt = {.index = *store_index_options(run->c->api->store)};
    struct search s = {.clauses = &clause,
                       .n_clauses = 1,
                       .total = TOTAL_NONE,
                       .count = MEASURE_RECORD_MAX + 1,
                       .opt = &opt};
    struct call *c = run->c;
    struct page page;
    int compartment = 0, r;

    while (compartment < COMPARTMENT_COUNT &&
           def_compartment_type((enum def_compartment)compartment) != run->m.subject_type)
        compartment++;
    if (compartment == COMPARTMENT_COUNT)
        return 0;
    range.param = (uint16_t)(INDEX_PARAM_COMPARTMENT + compartment);
    range.lo = range.hi = str_n((char *)key, index_id_key(id, key));
    if ((r = store_search(run->txn, &s, 0, &run->scratch, &page, &c->err)) < 0)
        return r;
    if (page.n > MEASURE_RECORD_MAX || (run->n_resources += page.n) > MEASURE_RESOURCES_MAX)
        return err_set(&c->err, ERR_COSTLY, "the measure reads more than %d resources",
                       page.n > MEASURE_RECORD_MAX ? MEASURE_RECORD_MAX : MEASURE_RESOURCES_MAX);
    ret->p = ARENA_ARRAY(&run->scratch, struct path_item, page.n);
    if (!ret->p)
        return err_no_memory(&c->err);
    for (size_t i = 0; i < page.n && r >= 0; i++) {
        yyjson_val *root;
        struct row row;
        if ((r = store_get_row(run->txn, page.rows[i], &row, &c->err)) < 0 ||
            (r = op_json_in(c, &run->scratch, &row, &root)) < 0)
            return r;
        ret->p[ret->n++] = path_root(root);
    }
    ret->cap = ret->n;
    return r;
}

static int evaluate_row(struct run *run, const struct row *row)
{
    struct path_item period = {
        .kind = PATH_ELEMENT, .v = run->period, .type = def_type(STR("Period"))};
    struct path_variable variables[] = {
        {.name = STR("measurementPeriod"), .items = {&period, 1, 1}}, {.name = STR("record")}};
    struct call *c = run->c;
    struct path_env env = {.a = &run->scratch,
                           .world = &run->over->over.world,
                           .variables = variables,
                           .n_variables = ARRAY_LEN(variables)};
    struct path_item subject;
    struct str id, reference;
    yyjson_val *root;
    int r;

    arena_reset(&run->scratch);
    if (++run->n_subjects > MEASURE_SUBJECTS_MAX)
        return err_set(&c->err, ERR_COSTLY, "the measure has more than %d subjects",
                       MEASURE_SUBJECTS_MAX);
    id = arena_dup(&run->scratch, row->id);
    reference = arena_fmt(&run->scratch, "%.*s/%.*s", STR_ARG(def_resource_name(row->type)),
                          STR_ARG(row->id));
    if (!id.p || !reference.p)
        return err_no_memory(&c->err);
    if ((r = op_json_in(c, &run->scratch, row, &root)) < 0)
        return r;
    if (run->m.needs_record && (r = read_record(run, id, &variables[1].items)) < 0)
        return r;
    subject = path_root(root);
    env.resource = root;
    env.tz_minutes = store_index_options(c->api->store)->tz_minutes;
    return measure_subject(&run->m, &env, &subject, reference);
}

static int evaluate_one(struct run *run, struct str subject)
{
    struct call *c = run->c;
    struct str id;
    struct row row;
    int type, r;

    if (!op_local(c, subject, &type, &id)) {
        type = run->m.subject_type;
        id = subject;
    }
    if (type != run->m.subject_type)
        return err_at(&c->err, ERR_VALUE, "subject", "the measure is about a %.*s",
                      STR_ARG(def_resource_name(run->m.subject_type)));
    if ((r = op_row(c, run->txn, type, id, &row)) < 0)
        return r;
    run->m.subject = arena_fmt(c->a, "%.*s/%.*s", STR_ARG(def_resource_name(type)), STR_ARG(id));
    return run->m.subject.p ? evaluate_row(run, &row) : err_no_memory(&c->err);
}

static int evaluate_number(void *ctx, uint64_t number)
{
    struct run *run = ctx;
    struct row row;
    int r = store_get_row(run->txn, number, &row, &run->c->err);

    return r < 0 ? r : evaluate_row(run, &row);
}

/* All subjects, or those of a practitioner. */
static int evaluate_all(struct run *run)
{
    _cleanup_(sb_done) struct sb query = sb_make(KIB(64));
    struct call *c = run->c;

    sb_fmt(&query, "_count=%d&_total=none", MEASURE_PAGE);
    if (run->practitioner.n) {
        sb_lit(&query, "&general-practitioner=");
        sb_uri(&query, run->practitioner);
    }
    if (query.failed)
        return err_no_memory(&c->err);
    return op_search_all(c, run->txn, run->m.subject_type, sb_view(&query), evaluate_number, run);
}

/* ---- the operation ---- */

static int answer(struct run *run)
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

static int evaluate(struct run *run)
{
    static const char *const names =
        "periodStart periodEnd measure reportType subject practitioner";
    struct call *c = run->c;
    struct op_params params;
    struct str subject;
    int r;

    if ((r = op_params_read(c, &params)) < 0 || (r = op_params_only(c, &params, names)) < 0 ||
        (r = read_period(run, &params)) < 0 || (r = read_report(run, &params)) < 0 ||
        (r = find_measure(run, &params)) < 0 || (r = make_world(run)) < 0 ||
        (r = measure_compile(&run->m)) < 0)
        return r;
    subject = op_param_text(&params, "subject");
    if (run->practitioner.n &&
        (subject.n || !str_eq(def_resource_name(run->m.subject_type), STR("Patient"))))
        return err_at(&c->err, ERR_VALUE, "practitioner",
                      "a practitioner narrows patients, and not one subject");
    r = subject.n ? evaluate_one(run, subject) : evaluate_all(run);
    return r < 0 ? r : answer(run);
}

int op_evaluate_measure(struct call *c, struct store_txn *txn)
{
    struct run *run = ARENA_NEW(c->a, struct run);
    int r;

    if (!run)
        return err_no_memory(&c->err);
    run->c = run->m.c = c;
    run->txn = txn;
    arena_init(&run->scratch, HTTP_ARENA_MAX);
    r = evaluate(run);
    call_world_done(&run->world);
    arena_done(&run->scratch);
    return r;
}
