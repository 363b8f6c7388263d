#include "policy_access.h"

#include "../unit/test.h"

#include "trust/allow.h"
#include "trust/guard.h"
#include "trust/policy_book.h"
#include "trust/trust.h"

void policy_open(struct store *st, struct str text, struct policy_book **ret_policy,
                 struct guard **ret_guard)
{
    struct err err = {0};

    struct policy *policy = NULL;

    if (!*ret_policy &&
        (policy_parse(text, &policy, &err) < 0 || policy_book_of(policy, ret_policy, &err) < 0))
        fail_msg("policy: %s", err.text);
    if (guard_new(st, *ret_policy, ret_guard, &err) < 0)
        fail_msg("guard: %s", err.text);
}

void policy_close(struct policy_book *p, struct guard *g)
{
    guard_free(g);
    policy_book_free(p);
}

void somebody_finds(const struct access *who, struct store *st, const uint64_t *rows, size_t n,
                    bool *ret)
{
    struct access system = trust_system();
    struct store_txn *txn = NULL;
    struct err err = {0};

    if (store_begin(st, &system, &txn, &err) < 0 ||
        guard_find(who->guard, who->identity, txn, rows, n, ret, &err) < 0)
        fail_msg("find: %s", err.text);
    store_end(txn);
}

struct access somebody_access(struct arena *a, const struct somebody *who, struct guard *g)
{
    struct identity *i = ARENA_NEW(a, struct identity);
    struct err err = {0};

    assert_non_null(i);
    *i = (struct identity){.kind = IDENTITY_PERSON,
                           .subject = arena_dup(a, str_c(who->account)),
                           .role = str_c(who->role),
                           .fhir_user = arena_dup(a, str_c(who->user)),
                           .patient = arena_dup(a, str_c(who->patient)),
                           .purpose = str_c(who->purpose),
                           .assurance =
                               who->two_factors ? ASSURANCE_TWO_FACTORS : ASSURANCE_PASSWORD,
                           .agent = STR("test")};
    if (smart_parse(a, str_c(who->scope), &i->scopes, &err) < 0)
        fail_msg("scopes: %s", err.text);
    return allow_access(i, g);
}
