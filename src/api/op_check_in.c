/* op_check_in.c - Patient/ID/$presence-code and Patient/ID/$check-in: a person is there, and comes
 * into the care of the worker before whom they stand. docs/guides/access.md.
 *
 * Whether there is such a person is not told by a code that is not theirs. What is checked in, the
 * code that is spent and the notice are one transaction.
 */
#include "api/op.h"
#include "api/trail.h"

#include "base/clock.h"
#include "base/rng.h"
#include "fhir/validate.h"
#include "notify/notify.h"
#include "trust/guard.h"
#include "trust/presence.h"
#include "trust/trust.h"

#define CODE_MAX 100

static int check_asker(struct call *c)
{
    if (!c->who.identity || !c->who.guard)
        return err_set(&c->err, ERR_NOT_SUPPORTED, "on this node nobody has to be checked in");
    if (!c->x)
        return err_set(&c->err, ERR_NOT_SUPPORTED,
                       "this is a request of its own, which is answered at once");
    if (c->who.identity->kind != IDENTITY_PERSON)
        return err_set(&c->err, ERR_FORBIDDEN, "a person does this, not a program");
    return 0;
}

/* ---- the code ---- */

struct giving {
    struct call *c;
    bool is_card;
    char code[RECOVERY_CODE_MAX];
    int64_t until_ms;
};

static int give(void *ctx, struct store_txn *txn, struct err *err)
{
    struct giving *g = ctx;
    struct call *c = g->c;

    return presence_give(txn, c->a, c->id, g->is_card, c->who.identity->subject, clock_now_ms(),
                         g->code, &g->until_ms, err);
}

/* Of oneself, any; a card is given out by whoever sees the person already and checks people in. */
static int may_give(struct call *c, struct store_txn *txn, bool is_card)
{
    struct policy_role role;
    struct row row;
    int r = op_is_own(c, c->id);

    if (r != 0)
        return MIN(r, 0);
    if ((r = guard_role(c->who.guard, c->who.identity->role, &role, &c->err)) < 0)
        return r;
    if (!is_card || !role.checks_in)
        return err_set(&c->err, ERR_FORBIDDEN,
                       "a code is given by the person, a card by who checks people in");
    r = op_row(c, txn, c->type, c->id, &row);
    return MIN(r, 0);
}

int op_presence_code(struct call *c, struct store_txn *txn)
{
    struct giving g = {.c = c};
    struct op_params params;
    char until[CLOCK_INSTANT_MAX];
    int r = check_asker(c);

    if (r >= 0)
        r = op_params_read(c, &params);
    if (r >= 0)
        r = op_params_only(c, &params, "card");
    if (r >= 0)
        r = op_param_bool(c, &params, "card", false, &g.is_card);
    if (r >= 0)
        r = may_give(c, txn, g.is_card);
    if (r < 0)
        return r;
    r = record_commit(c->api->store, give, &g, &c->err);
    if (r < 0)
        return r;
    trail_patient(c, c->id);
    http_reply_header(c->x, "Cache-Control", STR("no-store"));
    clock_format(g.until_ms, until);
    sb_fmt(&c->out,
           "{\"resourceType\":\"Parameters\",\"parameter\":[{\"name\":\"code\",\"valueString\":"
           "\"%s\"},{\"name\":\"expires\",\"valueInstant\":\"%s\"}]}",
           g.code, until);
    c->status = 200;
    return sb_ok(&c->out, &c->err);
}

/* ---- checking in ---- */

struct checking {
    struct call *c;
    struct check_in in;
    struct str code; /* .p NULL: a colleague says so */
};

static bool is_practitioner(struct str ref)
{
    return str_starts(ref, STR("Practitioner/")) && fhir_is_id(str_from(ref, 13));
}

/* Without a code, only one who may be found is there. */
static int check_patient(struct call *c)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access node = trust_system();
    bool may = false;
    struct row row;
    int r = guard_may_find(c->who.guard, c->who.identity, &c->err);

    if (r < 0 || (r = store_begin(c->api->store, &node, &txn, &c->err)) < 0)
        return r;
    r = store_get(txn, c->type, c->id, &row, &c->err);
    if (r >= 0 && row.method != METHOD_DELETE)
        r = guard_find(c->who.guard, c->who.identity, txn, &row.row, 1, &may, &c->err);
    if ((r < 0 && r != ERR_NOT_FOUND) || may)
        return MIN(r, 0);
    return err_set(&c->err, ERR_NOT_FOUND, "Patient \"%.*s\" does not exist", STR_ARG(c->id));
}

static int check_colleague(struct checking *k, struct store_txn *txn)
{
    struct call *c = k->c;
    bool is = false;
    int r;

    if (!is_practitioner(k->in.practitioner))
        return err_at(&c->err, ERR_REQUIRED, "practitioner",
                      "give the code that the person shows, or the colleague whom they came to "
                      "(practitioner: Practitioner/ID)");
    if (str_eq(k->in.practitioner, c->who.identity->fhir_user))
        return err_set(&c->err, ERR_FORBIDDEN,
                       "that somebody came to you, another says, or the code that they show");
    r = guard_are_colleagues(c->who.guard, c->who.identity, txn, k->in.practitioner, &is, &c->err);
    if (r < 0)
        return r;
    return is ? check_patient(c)
              : err_set(&c->err, ERR_FORBIDDEN, "you are of no organisation with that person");
}

static int check_organisation(struct checking *k, struct store_txn *txn)
{
    struct call *c = k->c;
    bool is = false;
    int r = k->in.organization.n ? guard_works_for(c->who.guard, c->who.identity, txn,
                                                   k->in.organization, &is, &c->err)
                                 : 0;

    if (r < 0 || !k->in.organization.n || is)
        return r;
    return err_set(&c->err, ERR_FORBIDDEN, "you do not work for that organisation");
}

static struct str or_empty(struct str s)
{
    return s.p ? s : STR("");
}

static int read_check_in(struct checking *k, struct store_txn *txn)
{
    struct call *c = k->c;
    struct op_params params;
    int r = op_params_read(c, &params);

    if (r >= 0)
        r = op_params_only(c, &params, "code practitioner organization");
    if (r < 0)
        return r;
    k->code = op_param_text(&params, "code");
    k->in.practitioner = or_empty(op_param_text(&params, "practitioner"));
    k->in.organization = or_empty(op_param_text(&params, "organization"));
    if (k->code.p && k->in.practitioner.n)
        return err_set(&c->err, ERR_VALUE, "either a code is shown, or a colleague is named");
    if (k->code.p && (!k->code.n || k->code.n > CODE_MAX))
        return err_at(&c->err, ERR_VALUE, "code", "this is no code");
    if (k->code.p)
        k->in.practitioner = c->who.identity->fhir_user;
    if (k->code.p && !is_practitioner(k->in.practitioner))
        return err_set(&c->err, ERR_FORBIDDEN, "who asks is no Practitioner");
    if (!k->code.p && (r = check_colleague(k, txn)) < 0)
        return r;
    return check_organisation(k, txn);
}

static int also(void *ctx, struct store_txn *txn, struct err *err)
{
    struct checking *k = ctx;
    struct call *c = k->c;
    struct notice notice = {.kind = NOTICE_CHECK_IN, .when_ms = k->in.now_ms, .secret = STR("")};

    if (k->code.p)
        return presence_take(txn, c->a, c->id, k->code, c->who.identity->subject, k->in.now_ms,
                             err);
    if (!c->api->notify)
        return 0;
    notice.owner = arena_fmt(c->a, "Patient/%.*s", STR_ARG(c->id));
    return notice.owner.p ? notify_about(c->api->notify, txn, notice.owner, &notice, err)
                          : err_no_memory(err);
}

static int commit(struct checking *k)
{
    _cleanup_(sb_done) struct sb text = sb_make(KIB(4));
    struct call *c = k->c;
    struct access node = trust_system();
    char uuid[UUID_TEXT_LEN + 1];
    int r;

    uuid7(uuid);
    k->in.id = arena_dup(c->a, str_c(uuid));
    /* The node's word, at the asking of whoever it was: not that of the worker alone. */
    node.agent = arena_fmt(c->a, "check-in %.*s", STR_ARG(c->who.agent));
    if (!k->in.id.p || !node.agent.p)
        return err_no_memory(&c->err);
    presence_encounter(&text, &k->in);
    if ((r = sb_ok(&text, &c->err)) < 0)
        return r;
    return api_put_own(c->api, c->a, node, sb_view(&text), also, k, &c->err);
}

int op_check_in(struct call *c, struct store_txn *txn)
{
    struct checking k = {.c = c, .in = {.patient = c->id, .now_ms = clock_now_ms()}};
    struct policy_role role;
    enum why why;
    int r = check_asker(c);

    if (r < 0 || (r = guard_role(c->who.guard, c->who.identity->role, &role, &c->err)) < 0 ||
        (r = guard_may_ask(c->who.guard, c->who.identity, &why, &c->err)) < 0)
        return r;
    if (!role.checks_in || !why_permits(why))
        return err_set(&c->err, ERR_FORBIDDEN, "who asks checks nobody in");
    if ((r = read_check_in(&k, txn)) < 0 || (r = commit(&k)) < 0)
        return r;
    if (c->api->notify)
        notify_wake(c->api->notify);
    trail_patient(c, c->id);
    sb_lit(&c->out, "{\"resourceType\":\"Parameters\",\"parameter\":[{\"name\":\"encounter\","
                    "\"valueReference\":{\"reference\":\"Encounter/");
    sb_str(&c->out, k.in.id);
    sb_lit(&c->out, "\"}}]}");
    c->status = 200;
    return sb_ok(&c->out, &c->err);
}
