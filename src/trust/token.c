#include "trust/token.h"

#include "base/clock.h"
#include "trust/account.h"
#include "trust/owned.h"

static const struct field grant_fields[] = {
    {"id", FIELD_STR, offsetof(struct grant, id)},
    {"account", FIELD_STR, offsetof(struct grant, account)},
    {"client", FIELD_STR, offsetof(struct grant, client)},
    {"scope", FIELD_STR, offsetof(struct grant, scope)},
    {"patient", FIELD_STR, offsetof(struct grant, patient)},
    {"encounter", FIELD_STR, offsetof(struct grant, encounter)},
    {"purpose", FIELD_STR, offsetof(struct grant, purpose)},
    {"under", FIELD_STR, offsetof(struct grant, under)},
    {"made", FIELD_I64, offsetof(struct grant, made_ms)},
    {"signedIn", FIELD_I64, offsetof(struct grant, signed_in_ms)},
    {"until", FIELD_I64, offsetof(struct grant, until_ms)},
    {"assurance", FIELD_I64, offsetof(struct grant, assurance)},
};
const struct shape grant_shape = SHAPE(grant);

int grant_new(struct store_txn *txn, const struct grant *grant, struct err *err)
{
    int r = record_put(txn, RECORD_GRANT, grant->id, &grant_shape, grant, err);

    return r < 0 ? r
                 : owned_add(txn, grant->account, RECORD_GRANT, grant->id, grant->until_ms,
                             grant->made_ms, err);
}

static const struct field access_token_fields[] = {
    {"id", FIELD_STR, offsetof(struct access_token, id)},
    {"grant", FIELD_STR, offsetof(struct access_token, grant)},
    {"account", FIELD_STR, offsetof(struct access_token, account)},
    {"client", FIELD_STR, offsetof(struct access_token, client)},
    {"scope", FIELD_STR, offsetof(struct access_token, scope)},
    {"patient", FIELD_STR, offsetof(struct access_token, patient)},
    {"encounter", FIELD_STR, offsetof(struct access_token, encounter)},
    {"purpose", FIELD_STR, offsetof(struct access_token, purpose)},
    {"jkt", FIELD_STR, offsetof(struct access_token, jkt)},
    {"x5t", FIELD_STR, offsetof(struct access_token, x5t)},
    {"made", FIELD_I64, offsetof(struct access_token, made_ms)},
    {"until", FIELD_I64, offsetof(struct access_token, until_ms)},
    {"assurance", FIELD_I64, offsetof(struct access_token, assurance)},
};
const struct shape access_token_shape = SHAPE(access_token);

static const struct field refresh_token_fields[] = {
    {"grant", FIELD_STR, offsetof(struct refresh_token, grant)},
    {"client", FIELD_STR, offsetof(struct refresh_token, client)},
    {"jkt", FIELD_STR, offsetof(struct refresh_token, jkt)},
    {"until", FIELD_I64, offsetof(struct refresh_token, until_ms)},
    {"used", FIELD_BOOL, offsetof(struct refresh_token, used)},
};
const struct shape refresh_token_shape = SHAPE(refresh_token);

int token_put(struct store_txn *txn, enum record_kind kind, const struct shape *shape,
              const void *record, int64_t until_ms, struct ticket *ret, struct err *err)
{
    int r = ticket_sweep(txn, kind, clock_now_ms(), err);

    ticket_new(until_ms, ret);
    if (!*ret->text)
        return err_no_memory(err);
    return r < 0 ? r : record_put(txn, kind, str_c(ret->name), shape, record, err);
}

static int no_good(struct err *err)
{
    return err_set(err, ERR_LOGIN, "the access token is not known, has ended or was revoked");
}

/* What a token says, and what the person's account and the client say now. */
static int build(struct arena *a, const struct access_token *t, const struct account *account,
                 struct identity **ret, struct err *err)
{
    bool is_person = account != NULL;
    struct identity i = {.kind = is_person ? IDENTITY_PERSON : IDENTITY_CLIENT,
                         .subject = is_person ? account->id : t->client,
                         .client = t->client,
                         .role = is_person ? account->role : STR(""),
                         .fhir_user = is_person ? account->fhir_user : STR(""),
                         .patient = t->patient,
                         .purpose = t->purpose,
                         .token_id = t->id,
                         .grant = t->grant,
                         .jkt = t->jkt,
                         .x5t = t->x5t,
                         .assurance = (enum assurance)t->assurance,
                         .issued_ms = t->made_ms,
                         .until_ms = t->until_ms};
    int r = smart_parse(a, t->scope, &i.scopes, err);

    if (r < 0)
        return r;
    i.agent = is_person ? arena_fmt(a, "person %.*s %.*s", STR_ARG(i.subject), STR_ARG(i.client))
                        : arena_fmt(a, "client %.*s", STR_ARG(i.client));
    *ret = i.agent.p ? identity_new(&i) : NULL;
    return *ret ? 0 : err_no_memory(err);
}

int token_identity(struct store_txn *txn, struct str text, struct identity **ret, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    int64_t now = clock_now_ms();
    char name[TICKET_NAME_MAX];
    struct access_token t;
    struct account account;
    struct client client;
    struct grant grant = {.under = STR("")};
    int64_t signed_in_ms = INT64_MAX; /* the eldest of what the token rests on */
    int r;

    arena_init(&a, KIB(512));
    if (!ticket_name(text, now, name))
        return no_good(err);
    r = record_get(txn, RECORD_ACCESS, str_c(name), &a, &access_token_shape, &t, err);
    if (r >= 0 && t.until_ms <= now)
        return no_good(err);
    if (r >= 0)
        r = client_get(txn, t.client, &a, &client, err);
    if (r >= 0 && (client.disabled || !client.approved))
        return no_good(err);
    for (struct str id = t.grant; r >= 0 && id.n; id = grant.under) {
        r = record_get(txn, RECORD_GRANT, id, &a, &grant_shape, &grant, err);
        if (r >= 0)
            signed_in_ms = MIN(signed_in_ms, grant.signed_in_ms);
    }
    if (r >= 0 && t.account.n)
        r = account_get(txn, t.account, &a, &account, err);
    if (r >= 0 && t.account.n && (account.disabled || signed_in_ms < account.since_ms))
        return no_good(err);
    if (r < 0)
        return r == ERR_NOT_FOUND ? no_good(err) : r;
    return build(&a, &t, t.account.n ? &account : NULL, ret, err);
}
