/* op_by_law.c - Patient/ID/$by-law: what the law opens of this person's record whatever they
 * consent to, and because of which Conditions. For themselves, and for whoever explains access.
 */
#include "api/op.h"
#include "api/trail.h"

#include "trust/guard.h"
#include "trust/law.h"

#define PAGE "100"

struct by_law {
    struct call *c;
    struct store_txn *txn;
    const struct policy *p;
    struct arena a; /* of one Condition */
    size_t n;
};

static int may_ask(struct call *c)
{
    const struct identity *i = c->who.identity;
    struct policy_role role;
    int r;

    if (!i || !c->who.guard)
        return 0;
    if ((r = guard_role(c->who.guard, i->role, &role, &c->err)) < 0)
        return r;
    return role.explains ? 1 : op_is_own(c, c->id);
}

static void write_names(struct sb *out, const struct policy *p, const struct policy_disease *d,
                        bool roles)
{
    bool first = true;

    for (size_t i = 0; roles && i < p->n_roles; i++)
        if (p->roles[i].records == RECORDS_CASES) {
            sb_fmt(out, "%s%.*s", first ? "" : ", ", STR_ARG(p->roles[i].name));
            first = false;
        }
    for (int type = 1; !roles && type <= DEF_RESOURCE_MAX; type++)
        if (d->types[type]) {
            sb_fmt(out, "%s%.*s", first ? "" : ", ", STR_ARG(def_resource_name(type)));
            first = false;
        }
}

static int write_disease(struct by_law *b, const struct policy_disease *d, struct str condition)
{
    _cleanup_(sb_done) struct sb text = sb_make(KIB(16));
    struct sb *out = &b->c->out;

    sb_fmt(&text, "You have or had %.*s, which has to be reported. By law, ", STR_ARG(d->name));
    write_names(&text, b->p, d, false);
    sb_lit(&text, " of your record may be seen for public health (");
    write_names(&text, b->p, d, true);
    sb_lit(&text, "), whatever you consent to. $accesses shows who did, with purpose PUBHLTH.");
    if (text.failed)
        return err_no_memory(&b->c->err);
    sb_str(out, b->n++ ? STR(",") : STR(",\"parameter\":["));
    sb_lit(out, "{\"name\":\"disease\",\"part\":[{\"name\":\"name\",\"valueString\":");
    sb_json(out, d->name);
    sb_lit(out, "},{\"name\":\"because\",\"valueReference\":{\"reference\":\"Condition/");
    sb_str(out, condition);
    sb_lit(out, "\"}},{\"name\":\"purpose\",\"valueCode\":\"" PURPOSE_PUBLIC_HEALTH "\"},"
                "{\"name\":\"text\",\"valueString\":");
    sb_json(out, sb_view(&text));
    sb_lit(out, "}]}");
    return 0;
}

static int each_condition(void *ctx, uint64_t number)
{
    struct by_law *b = ctx;
    yyjson_val *root;
    uint64_t diseases;
    struct row row;
    int r = store_get_row(b->txn, number, &row, &b->c->err);

    arena_reset(&b->a);
    if (r < 0 || (r = op_json_in(b->c, &b->a, &row, &root)) < 0)
        return r;
    diseases = law_makes_case(b->p, root);
    for (size_t i = 0; i < b->p->n_diseases && r >= 0; i++)
        if (diseases >> i & 1)
            r = write_disease(b, &b->p->diseases[i], row.id);
    return MIN(r, 0);
}

int op_by_law(struct call *c, struct store_txn *txn)
{
    struct by_law b = {.c = c, .txn = txn};
    struct op_params params;
    struct str query = arena_fmt(c->a, "subject=Patient/%.*s&_count=" PAGE, STR_ARG(c->id));
    _cleanup_(policy_unrefp) const struct policy *p = NULL;
    struct row row;
    int r = query.p ? op_params_read(c, &params) : err_no_memory(&c->err);

    if (r >= 0)
        r = op_params_only(c, &params, "");
    if (r < 0)
        return r;
    if ((r = may_ask(c)) < 0)
        return r;
    if (!r)
        return err_set(&c->err, ERR_FORBIDDEN, "this is for the person whose record it is");
    if ((r = op_row(c, txn, c->type, c->id, &row)) < 0)
        return r;
    if ((r = guard_policy(c->who.guard, &p, &c->err)) < 0)
        return r;
    b.p = p;
    trail_patient(c, c->id);
    sb_lit(&c->out, "{\"resourceType\":\"Parameters\"");
    arena_init(&b.a, STORE_BODY_MAX * 3);
    if (b.p->n_diseases)
        r = op_search_all(c, txn, def_resource(STR("Condition")), query, each_condition, &b);
    arena_done(&b.a);
    sb_str(&c->out, b.n ? STR("]}") : STR("}"));
    c->status = 200;
    return r < 0 ? r : sb_ok(&c->out, &c->err);
}
