#include "trust/explain.h"

#include "trust/account.h"
#include "trust/guard.h"
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

static int explain_with(struct guard *g, const struct account *account, struct str resource,
                        struct str purpose, struct sb *out, struct err *err)
{
    struct identity who = {.kind = IDENTITY_PERSON,
                           .role = account->role,
                           .fhir_user = account->fhir_user,
                           .purpose = purpose,
                           .assurance =
                               account->totp.n ? ASSURANCE_TWO_FACTORS : ASSURANCE_PASSWORD};
    enum why why = WHY_NO_ROLE;
    struct str id = STR(""), text;
    int type = 0, r = split(resource, &type, &id, err);

    if (r >= 0)
        r = guard_explain(g, &who, type, id, &why, err);
    if (r < 0)
        return r;
    text = why_text(why);
    sb_fmt(out, "%.*s, as %.*s, %s %.*s: %.*s (policy %.*s)\n", STR_ARG(account->login),
           STR_ARG(account->role), why_permits(why) ? "sees" : "does not see", STR_ARG(resource),
           STR_ARG(text), STR_ARG(guard_policy(g)->version));
    return sb_ok(out, err);
}

int explain_access(struct store *store, struct guard *guard, struct arena *a, struct str login,
                   struct str resource, struct str purpose, struct sb *out, struct err *err)
{
    _cleanup_(policy_freep) struct policy *policy = NULL;
    _cleanup_(guard_freep) struct guard *own = NULL;
    struct account account;
    int r = find_account(store, a, login, &account, err);

    if (r >= 0 && !guard && (r = policy_parse(policy_default(), &policy, err)) >= 0)
        r = guard_new(store, policy, &own, err);
    if (r < 0)
        return r;
    return explain_with(guard ? guard : own, &account, resource, purpose.p ? purpose : STR(""), out,
                        err);
}
