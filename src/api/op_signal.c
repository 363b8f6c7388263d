/* op_signal.c - /carnet/$signal: where one signal stands; /carnet/$signal-step: its next step.
 *
 * A step is looked at and written on the writer, so that of two people who take the same one is
 * told that it is taken. It is the node's word in the store, with who asked beside it: roles that
 * work on signals need not be able to write Tasks as they please.
 */
#include "api/surveil.h"

#include "api/trail.h"

#include "base/clock.h"
#include "surveillance/signal_step.h"

static int signal_id(struct call *c, const struct op_params *params, struct str *ret)
{
    struct str id = op_param_text(params, "signal");

    if (!id.n)
        return err_at(&c->err, ERR_REQUIRED, "signal", "which signal is meant is missing (signal)");
    *ret = str_starts(id, STR("Task/")) ? str_from(id, 5) : id;
    return 0;
}

static int no_signal(struct call *c, struct str id)
{
    return err_set(&c->err, ERR_NOT_FOUND, "there is no signal \"%.*s\"", (int)MIN(id.n, 64u),
                   id.p);
}

static int write_standing(struct call *c, struct str id, yyjson_val *task)
{
    sb_lit(&c->out, "{\"signal\":");
    sb_json(&c->out, id);
    sb_char(&c->out, ',');
    signal_standing(&c->out, task, clock_now_ms());
    sb_char(&c->out, '}');
    c->type_out = STR("application/json");
    c->status = 200;
    return sb_ok(&c->out, &c->err);
}

/* Read as the node, as $signals does. */
int op_signal(struct call *c, struct store_txn *txn)
{
    _cleanup_(store_txn_endp) struct store_txn *own = NULL;
    struct access node = trust_system();
    struct op_params params;
    yyjson_val *task;
    struct str id;
    struct row row;
    int r = surveil_begin(c, SURVEIL_COUNTS);

    (void)txn;
    if (r >= 0)
        r = op_params_read(c, &params);
    if (r >= 0)
        r = op_params_only(c, &params, "signal");
    if (r >= 0)
        r = signal_id(c, &params, &id);
    if (r >= 0)
        r = store_begin(c->api->store, &node, &own, &c->err);
    if (r >= 0)
        r = op_row(c, own, def_resource(STR("Task")), id, &row);
    if (r == ERR_NOT_FOUND || r == ERR_DELETED)
        return no_signal(c, id);
    if (r < 0)
        return r;
    c->version = row.version;
    r = op_json(c, &row, &task);
    if (r < 0)
        return r;
    return signal_is(task) ? write_standing(c, id, task) : no_signal(c, id);
}

/* ---- a step ---- */

struct stepping {
    struct store_job job;
    struct write write;
    struct call call; /* the node's */
    struct signal_step step;
    struct signal_answer answers[SIGNAL_ANSWERS_MAX];
};

static int change(struct write *w, yyjson_val *newest, struct sb *next)
{
    struct stepping *s = (struct stepping *)((char *)w - offsetof(struct stepping, write));
    struct call *c = w->call;

    return signal_is(newest) ? signal_step(next, newest, &s->step, &c->err) : no_signal(c, w->id);
}

static int job_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct stepping *s = (struct stepping *)job;
    int r = write_apply(&s->write, txn);

    if (r < 0)
        *err = s->call.err;
    return r;
}

static int read_step(struct call *c, struct stepping *s, struct str *ret_id)
{
    const struct identity *i = c->who.identity;
    struct op_params params;
    int r = op_params_read(c, &params);

    if (r >= 0)
        r = signal_id(c, &params, ret_id);
    if (r < 0)
        return r;
    s->step = (struct signal_step){.name = op_param_text(&params, "step"),
                                   .answers = s->answers,
                                   .note = op_param_text(&params, "note"),
                                   .who = i ? i->fhir_user : STR_NULL,
                                   .agent = c->who.agent,
                                   .now_ms = clock_now_ms()};
    if (!s->step.name.n)
        return err_at(&c->err, ERR_REQUIRED, "step", "which step is taken is missing (step)");
    for (size_t n = 0; n < params.n; n++) {
        const struct op_param *p = &params.v[n];

        if (str_eq(p->name, STR("signal")) || str_eq(p->name, STR("step")) ||
            str_eq(p->name, STR("note")))
            continue;
        if (s->step.n_answers == SIGNAL_ANSWERS_MAX)
            return err_set(&c->err, ERR_VALUE, "a step has at most %d answers", SIGNAL_ANSWERS_MAX);
        s->answers[s->step.n_answers++] =
            (struct signal_answer){p->name, p->text.p ? p->text : STR("")};
    }
    return 0;
}

static int commit(struct call *c, struct stepping *s, struct str id)
{
    int r;

    s->call = *c;
    s->call.op = NULL;
    s->call.type = def_resource(STR("Task"));
    s->call.id = id;
    s->call.is_not_held = true;
    s->call.out = sb_make(0);
    s->call.who = trust_system();
    s->call.who.agent = arena_fmt(c->a, "signal-step %.*s", STR_ARG(c->who.agent));
    if (!s->call.who.agent.p)
        return err_no_memory(&c->err);
    s->job = (struct store_job){.run = job_run, .who = &s->call.who};
    r = write_init(&s->write, &s->call, WRITE_PATCH);
    s->write.change = change;
    if (r >= 0)
        r = store_write(c->api->store, &s->job, &s->call.err);
    c->err = s->call.err;
    return r == ERR_NOT_FOUND || r == ERR_DELETED ? no_signal(c, id) : MIN(r, 0);
}

int op_signal_step(struct call *c, struct store_txn *txn)
{
    struct stepping s = {.job = {0}};
    struct str id;
    int r = surveil_begin(c, SURVEIL_WORK);

    (void)txn;
    if (r >= 0)
        r = read_step(c, &s, &id);
    if (r < 0)
        return r;
    r = commit(c, &s, id);
    c->version = s.write.version;
    if (r >= 0)
        r = write_standing(c, id, s.write.root);
    write_done(&s.write);
    return r;
}
