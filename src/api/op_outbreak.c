/* op_outbreak.c - /carnet/$outbreak: an outbreak is declared, changed, or ended, for case
 * definitions that are wider where there is one. The node's word in the store, with who asked
 * beside it, as the steps of a signal are (op_signal.c).
 */
#include "api/surveil.h"

#include "api/trail.h"

#include "base/clock.h"
#include "base/rng.h"
#include "surveillance/outbreak.h"

#define TASK_MAX MIB(16)

struct declaring {
    struct store_job job; /* first */
    struct write write;
    struct call call; /* the node's */
    struct outbreak_said said;
};

static int no_outbreak(struct call *c, struct str id)
{
    return err_set(&c->err, ERR_NOT_FOUND, "there is no outbreak \"%.*s\"", (int)MIN(id.n, 64u),
                   id.p);
}

/* Of the disease and the place that are named: what stays the same afterwards. */
static int read_what(struct call *c, const struct op_params *params, struct outbreak_said *s)
{
    struct str disease = op_param_text(params, "disease");
    struct str place = op_param_text(params, "location");
    const struct case_definition *d;
    struct kept_view v;
    struct kept *kept;
    uint32_t n = NOT_THERE;
    int r = surveil_lock(c, &kept, &v);

    if (r < 0)
        return r;
    d = case_definition_find(v.definitions, disease);
    if (!disease.n)
        r = err_at(&c->err, ERR_REQUIRED, "disease", "which disease is meant is missing (disease)");
    else if (!d)
        r = err_at(&c->err, ERR_VALUE, "disease", "no disease is defined as \"%.*s\"",
                   (int)MIN(disease.n, 64u), disease.p);
    else if (place.n)
        r = records_place(v.records, place, &n, &c->err);
    if (r >= 0) {
        s->disease = d->disease; /* as long as the node */
        s->disease_title = d->title;
    }
    if (r >= 0 && n != NOT_THERE) {
        s->place = arena_dup(c->a, v.records->places[n].id);
        s->place_name = arena_dup(c->a, v.records->places[n].name);
        if (!s->place.p || (v.records->places[n].name.n && !s->place_name.p))
            r = err_no_memory(&c->err);
    }
    kept_unlock(kept);
    return r;
}

static int read_said(struct call *c, struct outbreak_said *s, bool *ret_is_new)
{
    const struct identity *i = c->who.identity;
    struct op_params params;
    struct str id;
    int r = op_params_read(c, &params);

    if (r >= 0)
        r = op_params_only(c, &params, "outbreak disease location start end note mistake");
    if (r >= 0)
        r = op_param_bool(c, &params, "mistake", false, &s->is_mistake);
    if (r < 0)
        return r;
    id = op_param_text(&params, "outbreak");
    *ret_is_new = !id.n;
    s->id = str_starts(id, STR("Task/")) ? str_from(id, 5) : id;
    s->start = op_param_text(&params, "start");
    s->end = op_param_text(&params, "end");
    s->note = op_param_text(&params, "note");
    s->who = i ? i->fhir_user : STR_NULL;
    s->agent = c->who.agent;
    s->now_ms = clock_now_ms();
    if (*ret_is_new)
        return read_what(c, &params, s);
    if (op_param_find(&params, "disease") || op_param_find(&params, "location"))
        return err_set(&c->err, ERR_VALUE,
                       "an outbreak stays one of its disease and place: declare another");
    return 0;
}

/* ---- writing ---- */

static int change(struct write *w, yyjson_val *newest, struct sb *next)
{
    struct declaring *d = (struct declaring *)((char *)w - offsetof(struct declaring, write));
    struct call *c = w->call;

    return outbreak_is(newest) ? outbreak_task(next, newest, &d->said, &c->err)
                               : no_outbreak(c, w->id);
}

static int job_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct declaring *d = (struct declaring *)job;
    int r = write_apply(&d->write, txn);

    if (r < 0)
        *err = d->call.err;
    return r;
}

/* A new one is made here, on no writer: nobody else knows its id. */
static int prepare_new(struct call *c, struct declaring *d)
{
    _cleanup_(sb_done) struct sb text = sb_make(TASK_MAX);
    char id[UUID_TEXT_LEN + 1];
    struct str copy;
    int r;

    uuid7(id);
    d->said.id = d->call.id = arena_dup(c->a, str_n(id, UUID_TEXT_LEN));
    if (!d->said.id.p)
        return err_no_memory(&c->err);
    if ((r = outbreak_task(&text, NULL, &d->said, &c->err)) < 0)
        return r;
    copy = arena_dup(c->a, sb_view(&text));
    if (!copy.p)
        return err_no_memory(&c->err);
    if ((r = js_parse(c->a, copy, &d->call.resource, &c->err)) < 0)
        return r;
    return 0;
}

static int commit(struct call *c, struct declaring *d, bool is_new)
{
    int r = 0;

    d->call = *c;
    d->call.op = NULL;
    d->call.type = def_resource(STR("Task"));
    d->call.id = d->said.id;
    d->call.is_not_held = true;
    d->call.out = sb_make(0);
    d->call.who = trust_system();
    d->call.who.agent = arena_fmt(c->a, "outbreak %.*s", STR_ARG(c->who.agent));
    d->job = (struct store_job){.run = job_run, .who = &d->call.who};
    if (!d->call.who.agent.p)
        return err_no_memory(&c->err);
    if (is_new && (r = prepare_new(c, d)) < 0)
        return r;
    r = write_init(&d->write, &d->call, is_new ? WRITE_UPDATE : WRITE_PATCH);
    d->write.change = change;
    if (r >= 0 && is_new)
        r = write_prepare(&d->write);
    if (r >= 0)
        r = store_write(c->api->store, &d->job, &d->call.err);
    c->err = d->call.err;
    return r == ERR_NOT_FOUND || r == ERR_DELETED ? no_outbreak(c, d->said.id) : MIN(r, 0);
}

int op_outbreak(struct call *c, struct store_txn *txn)
{
    struct declaring d = {.job = {0}};
    bool is_new = false;
    int r = surveil_begin(c, SURVEIL_WORK);

    (void)txn;
    if (r >= 0)
        r = op_alone(c);
    if (r >= 0)
        r = read_said(c, &d.said, &is_new);
    if (r < 0)
        return r;
    r = commit(c, &d, is_new);
    c->version = d.write.version;
    if (r >= 0) {
        sb_char(&c->out, '{');
        outbreak_standing(&c->out, d.write.root);
        sb_char(&c->out, '}');
        c->type_out = STR("application/json");
        c->status = 200;
        r = sb_ok(&c->out, &c->err);
    }
    write_done(&d.write);
    return r;
}
