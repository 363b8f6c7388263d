/* op_explain.c - TYPE/ID/$explain-access: whether somebody sees a resource, and why or why not:
 * what `carnet explain access` says. For a role that explains, about any account; for a person,
 * about their own record and whom they name.
 */
#include "api/op.h"
#include "api/trail.h"

#include "trust/explain.h"
#include "trust/guard.h"

struct explaining {
    struct call *c;
    struct str login, role, user, purpose;
    struct explained said;
};

static struct str or_empty(struct str s)
{
    return s.p ? s : STR("");
}

static int read_request(struct explaining *e)
{
    struct call *c = e->c;
    struct op_params params;
    int r = op_params_read(c, &params);

    if (r >= 0)
        r = op_params_only(c, &params, "as role user purpose");
    if (r < 0)
        return r;
    e->login = or_empty(op_param_text(&params, "as"));
    e->role = or_empty(op_param_text(&params, "role"));
    e->user = or_empty(op_param_text(&params, "user"));
    e->purpose = or_empty(op_param_text(&params, "purpose"));
    if (e->login.n ? e->role.n || e->user.n : !e->role.n)
        return err_set(&c->err, ERR_REQUIRED,
                       "say who it is about: as (a login), or role with user (Practitioner/ID)");
    return 0;
}

/* A person asks about what is theirs; that there is anything else is not told. */
static int may_ask(struct explaining *e)
{
    struct call *c = e->c;
    const struct identity *i = c->who.identity;
    struct policy_role role;
    enum why why = WHY_NO_ROLE;
    struct str own;
    int r;

    if (!i || !c->who.guard)
        return err_set(&c->err, ERR_NOT_SUPPORTED, "on this node there is no policy");
    if ((r = guard_role(c->who.guard, i->role, &role, &c->err)) < 0 ||
        (r = guard_may_ask(c->who.guard, i, &why, &c->err)) < 0)
        return r;
    if (role.explains && why_permits(why))
        return 0;
    if ((r = guard_own_patient(c->who.guard, i, c->a, &own, &c->err)) < 0)
        return r;
    if (!own.n || e->login.n)
        return err_set(&c->err, ERR_FORBIDDEN, "who asks may not have this explained");
    r = guard_explain(c->who.guard, i, c->type, c->id, &why, &c->err);
    if (r == ERR_NOT_FOUND || r == ERR_DELETED || (r >= 0 && why != WHY_OWN))
        return err_set(&c->err, ERR_NOT_FOUND, "%.*s \"%.*s\" does not exist",
                       STR_ARG(def_resource_name(c->type)), STR_ARG(c->id));
    return r;
}

static int explain(struct explaining *e)
{
    struct call *c = e->c;
    struct str resource =
        arena_fmt(c->a, "%.*s/%.*s", STR_ARG(def_resource_name(c->type)), STR_ARG(c->id));
    /* Nobody in particular: one who signed in as strongly as can be. */
    struct identity as = {.kind = IDENTITY_PERSON,
                          .subject = STR(""),
                          .role = e->role,
                          .fhir_user = e->user,
                          .patient = STR(""),
                          .purpose = e->purpose,
                          .assurance = ASSURANCE_TWO_FACTORS};

    if (!resource.p)
        return err_no_memory(&c->err);
    return e->login.n
               ? explain_account(c->api->store, c->who.guard, c->a, e->login, resource, e->purpose,
                                 &e->said, &c->err)
               : explain_identity(c->who.guard, c->a, &as, e->user.n ? e->user : STR("somebody"),
                                  resource, &e->said, &c->err);
}

int op_explain(struct call *c, struct store_txn *txn)
{
    _cleanup_(sb_done) struct sb text = sb_make(KIB(4));
    struct explaining e = {.c = c};
    int r = read_request(&e);

    (void)txn;
    if (r < 0 || (r = may_ask(&e)) < 0 || (r = explain(&e)) < 0)
        return r;
    explain_write(&text, &e.said);
    if ((r = sb_ok(&text, &c->err)) < 0)
        return r;
    if (str_eq(def_resource_name(c->type), STR("Patient")))
        trail_patient(c, c->id);
    sb_fmt(&c->out,
           "{\"resourceType\":\"Parameters\",\"parameter\":[{\"name\":\"sees\","
           "\"valueBoolean\":%s},{\"name\":\"reason\",\"valueString\":",
           why_permits(e.said.why) ? "true" : "false");
    sb_json(&c->out, why_text(e.said.why));
    sb_lit(&c->out, "},{\"name\":\"policy\",\"valueString\":");
    sb_json(&c->out, e.said.version);
    sb_lit(&c->out, "},{\"name\":\"text\",\"valueString\":");
    sb_json(&c->out, sb_view(&text));
    sb_lit(&c->out, "}]}");
    c->status = 200;
    return sb_ok(&c->out, &c->err);
}
