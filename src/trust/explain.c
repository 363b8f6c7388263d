#include "trust/explain.h"

#include "trust/account.h"
#include "trust/guard.h"
#include "trust/policy_book.h"
#include "trust/trust.h"

static int find_account(struct store *store, struct arena *a, struct str login, struct account *ret,
                        struct err *err)
{
    struct access who = trust_system();
    struct store_txn *txn = NULL;
    int r = store_begin(store, &who, &txn, err);

    if (r < 0)
        return r;
    r = account_find(txn, login, a, ret, err);
    store_end(txn);
    return r;
}

static int split(struct str resource, int *ret_type, struct str *ret_id, struct err *err)
{
    ptrdiff_t slash = str_find(resource, '/');
    int type = slash > 0 ? def_resource(str_head(resource, (size_t)slash)) : 0;

    if (!type)
        return err_set(err, ERR_VALUE, "\"%.*s\" is no resource: write Type/id",
                       (int)MIN(resource.n, 100u), resource.p ? resource.p : "");
    *ret_type = type;
    *ret_id = str_from(resource, (size_t)slash + 1);
    return 0;
}

int explain_identity(struct guard *g, struct arena *a, const struct identity *who, struct str name,
                     struct str resource, struct explained *ret, struct err *err)
{
    struct explained said = {
        .name = name, .role = who->role, .resource = resource, .why = WHY_NO_ROLE};
    _cleanup_(policy_unrefp) const struct policy *p = NULL;
    struct str id = STR("");
    int type = 0, r = split(resource, &type, &id, err);

    if (r >= 0)
        r = guard_policy(g, &p, err);
    if (r >= 0 && !(said.version = arena_dup(a, p->version)).p)
        r = err_no_memory(err);

    if (r >= 0)
        r = guard_explain(g, who, type, id, &said.why, err);
    if (r >= 0)
        *ret = said;
    return MIN(r, 0);
}

int explain_account(struct store *store, struct guard *g, struct arena *a, struct str login,
                    struct str resource, struct str purpose, struct explained *ret, struct err *err)
{
    struct account account;
    int r = find_account(store, a, login, &account, err);
    struct identity who;

    if (r < 0)
        return r;
    who =
        (struct identity){.kind = IDENTITY_PERSON,
                          .subject = account.id,
                          .role = account.role,
                          .fhir_user = account.fhir_user,
                          .patient = STR(""),
                          .purpose = purpose,
                          .assurance = account.totp.n ? ASSURANCE_TWO_FACTORS : ASSURANCE_PASSWORD};
    return explain_identity(g, a, &who, account.login, resource, ret, err);
}

void explain_write(struct sb *out, const struct explained *e)
{
    struct str text = why_text(e->why);

    sb_fmt(out, "%.*s, as %.*s, %s %.*s: %.*s (policy %.*s)", STR_ARG(e->name), STR_ARG(e->role),
           why_permits(e->why) ? "sees" : "does not see", STR_ARG(e->resource), STR_ARG(text),
           STR_ARG(e->version));
}

int explain_access(struct store *store, struct guard *guard, struct arena *a, struct str login,
                   struct str resource, struct str purpose, struct sb *out, struct err *err)
{
    _cleanup_(policy_book_freep) struct policy_book *book = NULL;
    _cleanup_(guard_freep) struct guard *own = NULL;
    struct explained said;
    int r = 0;

    if (!guard && (r = policy_book_new(store, &book, err)) >= 0)
        r = guard_new(store, book, &own, err);
    if (r >= 0)
        r = explain_account(store, guard ? guard : own, a, login, resource,
                            purpose.p ? purpose : STR(""), &said, err);
    if (r < 0)
        return r;
    explain_write(out, &said);
    sb_char(out, '\n');
    return sb_ok(out, err);
}
