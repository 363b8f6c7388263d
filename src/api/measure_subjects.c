/* measure_subjects.c - who a measure is evaluated for, and what its criteria may ask.
 *
 * A subject's record is read only when a criterion asks for it, a subject at a time. Everything is
 * read through the transaction of the call: what a criterion resolves, too.
 */
#include "api/measure_int.h"

#include "base/clock.h"

#define MEASURE_PAGE 500

/* ---- what an individual report lists ---- */

/* lastReceivedOn: what the asker has received before is not told again. */
static int evaluated(struct measure_run *run, const struct row *row)
{
    struct measure *m = &run->m;
    struct str reference;

    if (m->report != REPORT_INDIVIDUAL || hlc_ms(row->version.hlc) < run->received_ms)
        return 0;
    reference =
        arena_fmt(run->c->a, "%.*s/%.*s", STR_ARG(def_resource_name(row->type)), STR_ARG(row->id));
    if (!reference.p)
        return err_no_memory(&run->c->err);
    return measure_keep_reference(m, &m->evaluated, &m->n_evaluated, &run->evaluated_cap,
                                  reference);
}

static int references_cmp(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Each once: criteria resolve the same reference again and again. */
static void evaluated_settle(struct measure *m)
{
    size_t n = 0;

    if (m->n_evaluated)
        qsort(m->evaluated, m->n_evaluated, sizeof *m->evaluated, references_cmp);
    for (size_t i = 0; i < m->n_evaluated; i++)
        if (!n || !str_eq(m->evaluated[n - 1], m->evaluated[i]))
            m->evaluated[n++] = m->evaluated[i];
    m->n_evaluated = n;
}

/* ---- what criteria may ask ---- */

struct measure_world {
    struct world_over over;
    struct measure_run *run;
};

static int world_reference(void *ctx, struct arena *a, struct str reference, yyjson_val **ret,
                           struct err *err)
{
    struct measure_run *run = ((struct measure_world *)ctx)->run;
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
    if (r < 0 || (r = evaluated(run, &row)) < 0)
        return r;
    return op_json_in(run->c, a, &row, ret);
}

int measure_world(struct measure_run *run)
{
    int r = call_world_init(&run->world, run->c);

    run->over = ARENA_NEW(run->c->a, struct measure_world);
    if (r < 0 || !run->over)
        return r < 0 ? r : err_no_memory(&run->c->err);
    run->over->run = run;
    world_over(&run->over->over, call_world_table(&run->world));
    run->over->over.world.reference = world_reference;
    return 0;
}

/* ---- subjects and their records ---- */

/* The members of the subject's compartment. */
static int read_record(struct measure_run *run, struct str id, struct path_items *ret)
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
            (r = evaluated(run, &row)) < 0 || (r = op_json_in(c, &run->scratch, &row, &root)) < 0)
            return r;
        ret->p[ret->n++] = path_root(root);
    }
    ret->cap = ret->n;
    return r;
}

/* The measure, or the parts of a composite and then it. */
static int evaluate_measures(struct measure_run *run, struct path_env *env,
                             const struct path_item *subject, struct str reference)
{
    struct composite *composite = &run->m.composite;
    int r = 0;

    if (!composite->scoring)
        return measure_subject(&run->m, env, subject, reference);
    for (size_t i = 0; i < composite->n_parts && r >= 0; i++)
        r = measure_subject(&composite->parts[i], env, subject, reference);
    return r < 0 ? r : composite_subject(&run->m, reference);
}

static int evaluate_row(struct measure_run *run, const struct row *row)
{
    struct path_item subject,
        period = {.kind = PATH_ELEMENT, .v = run->period, .type = def_type(STR("Period"))};
    struct path_variable variables[] = {
        {.name = STR("measurementPeriod"), .items = {&period, 1, 1}},
        {.name = STR("subject"), .items = {&subject, 1, 1}},
        {.name = STR("record")}};
    struct call *c = run->c;
    struct path_env env = {.a = &run->scratch,
                           .world = &run->over->over.world,
                           .variables = variables,
                           .n_variables = ARRAY_LEN(variables)};
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
    if ((r = evaluated(run, row)) < 0 || (r = op_json_in(c, &run->scratch, row, &root)) < 0)
        return r;
    if (run->m.needs_record && (r = read_record(run, id, &variables[2].items)) < 0)
        return r;
    subject = path_root(root);
    env.resource = root;
    env.tz_minutes = store_index_options(c->api->store)->tz_minutes;
    return evaluate_measures(run, &env, &subject, reference);
}

static int evaluate_reference(struct measure_run *run, int type, struct str id)
{
    struct call *c = run->c;
    struct row row;
    int r;

    if (type != run->m.subject_type)
        return err_at(&c->err, ERR_VALUE, "subject", "the measure is about a %.*s",
                      STR_ARG(def_resource_name(run->m.subject_type)));
    r = op_row(c, run->txn, type, id, &row);
    return r < 0 ? r : evaluate_row(run, &row);
}

/* The members of a Group that are active; each of them has to be here. */
static int evaluate_group(struct measure_run *run, struct str id)
{
    yyjson_val *group, *v;
    struct call *c = run->c;
    size_t i, n;
    int type, r = op_resource(c, run->txn, def_resource(STR("Group")), id, &group);

    if (r < 0)
        return r;
    if (!yyjson_is_true(js_get(group, "actual")))
        return err_at(&c->err, ERR_VALUE, "subject", "the Group does not list members");
    yyjson_arr_foreach(js_get(group, "member"), i, n, v) {
        struct str member = js_get_str(js_get(v, "entity"), "reference"), at;
        if (yyjson_is_true(js_get(v, "inactive")))
            continue;
        if (!op_local(c, member, &type, &at))
            return err_at(&c->err, ERR_PROCESSING, "subject",
                          "a member of the Group is no resource of this node");
        if ((r = evaluate_reference(run, type, at)) < 0)
            return r;
    }
    return 0;
}

static int evaluate_number(void *ctx, uint64_t number)
{
    struct measure_run *run = ctx;
    struct row row;
    int r = store_get_row(run->txn, number, &row, &run->c->err);

    return r < 0 ? r : evaluate_row(run, &row);
}

/* All subjects, or those of a practitioner. */
static int evaluate_all(struct measure_run *run)
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

int measure_evaluate(struct measure_run *run, struct str subject)
{
    struct call *c = run->c;
    int group = def_resource(STR("Group")), type, r;
    struct str id;
    bool is_group;

    if (!subject.n)
        subject = js_get_str(js_get(run->m.resource, "subjectReference"), "reference");
    if (!subject.n)
        return evaluate_all(run);
    if (!op_local(c, subject, &type, &id)) {
        type = run->m.subject_type;
        id = subject;
    }
    is_group = type == group && type != run->m.subject_type;
    if (is_group && run->m.report == REPORT_INDIVIDUAL)
        return err_at(&c->err, ERR_VALUE, "reportType", "a Group is no single subject");
    run->m.subject = arena_fmt(c->a, "%.*s/%.*s", STR_ARG(def_resource_name(type)), STR_ARG(id));
    if (!run->m.subject.p)
        return err_no_memory(&c->err);
    for (size_t i = 0; i < run->m.composite.n_parts; i++)
        run->m.composite.parts[i].subject = run->m.subject;
    r = is_group ? evaluate_group(run, id) : evaluate_reference(run, type, id);
    evaluated_settle(&run->m);
    return r;
}
