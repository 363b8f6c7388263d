/* oauth_look.c - about tokens: introspection (RFC 7662), revocation (RFC 7009), userinfo. */
#include "trust/oauth_int.h"

#include "trust/allow.h"

static void write_text(struct sb *out, const char *name, struct str value)
{
    if (!value.n)
        return;
    sb_fmt(out, ",\"%s\":", name);
    sb_json(out, value);
}

static struct str absolute(struct oauth *o, struct str reference)
{
    return reference.n ? arena_join(o->a, (const struct str[]){o->t->fhir, STR("/"), reference}, 3)
                       : STR("");
}

/* ---- introspection ---- */

/* What the token is bound to (RFC 7800): a DPoP key, a certificate. */
static void write_binding(struct sb *out, const struct identity *i)
{
    if (!i->jkt.n && !i->x5t.n)
        return;
    sb_lit(out, ",\"cnf\":{");
    if (i->jkt.n) {
        sb_lit(out, "\"jkt\":");
        sb_json(out, i->jkt);
    }
    if (i->x5t.n) {
        sb_str(out, i->jkt.n ? STR(",\"x5t#S256\":") : STR("\"x5t#S256\":"));
        sb_json(out, i->x5t);
    }
    sb_char(out, '}');
}

static void write_active(struct oauth *o, const struct identity *i)
{
    _cleanup_(sb_done) struct sb scope = sb_make(SMART_TEXT_MAX);
    struct sb *out = &o->reply->body;

    smart_write(&scope, &i->scopes);
    sb_fmt(out, "{\"active\":true,\"token_type\":\"%s\",\"iat\":%lld,\"exp\":%lld",
           i->jkt.n ? "DPoP" : "Bearer", (long long)(i->issued_ms / 1000),
           (long long)(i->until_ms / 1000));
    write_text(out, "scope", sb_view(&scope));
    write_text(out, "client_id", i->client);
    write_text(out, "sub", i->subject);
    write_text(out, "iss", o->t->root);
    write_text(out, "jti", i->token_id);
    write_text(out, "patient", i->patient);
    write_text(out, "fhirUser", absolute(o, i->fhir_user));
    write_binding(out, i);
    sb_char(out, '}');
    out->failed |= scope.failed;
}

/* An assertion is good once here as well: it could be shown at the token endpoint. */
static int use_up(void *ctx, struct store_txn *txn, struct err *err)
{
    return client_auth_keep(txn, ctx, err);
}

void oauth_introspect(struct oauth *o)
{
    struct str token = form_get(&o->form, "token");
    char seen[TICKET_NAME_MAX];
    struct access who = trust_system();
    struct store_txn *txn = NULL;
    struct identity *i = NULL;
    struct client client;
    int r;

    if (!client_auth(o, &client, seen))
        return;
    if (!token.p) {
        oauth_error(o, 400, "invalid_request", "token is missing");
        return;
    }
    if (client_is_public(&client)) {
        oauth_error(o, 401, "invalid_client", "only clients that prove themselves may ask this");
        return;
    }
    r = seen[0] ? record_commit(o->t->store, use_up, seen, &o->err) : 0;
    if (r == ERR_LOGIN) {
        oauth_error(o, 401, "invalid_client", o->err.text);
        return;
    }
    if (r >= 0)
        r = store_begin(o->t->store, &who, &txn, &o->err);
    if (r >= 0)
        r = token_identity(txn, token, &i, &o->err);
    store_end(txn);
    if (r < 0 && r != ERR_LOGIN) {
        oauth_failed(o, r, "invalid_request");
        return;
    }
    /* An app hears of its own tokens, a service that was let in by an operator of all. */
    if (r >= 0 && (client.backend || str_eq(i->client, client.id)))
        write_active(o, i);
    else
        sb_lit(&o->reply->body, "{\"active\":false}");
    identity_unref(i);
    oauth_json(o, 200);
}

/* ---- revocation ---- */

struct revocation {
    struct oauth *o;
    struct str client;
    const char *name, *seen;
};

static int revoke_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct revocation *v = ctx;
    struct refresh_token refresh;
    struct access_token access;
    int r = client_auth_keep(txn, v->seen, err);

    if (r < 0)
        return r;
    r = record_get(txn, RECORD_ACCESS, str_c(v->name), v->o->a, &access_token_shape, &access, err);
    if (r >= 0)
        return str_eq(access.client, v->client)
                   ? record_drop(txn, RECORD_ACCESS, str_c(v->name), err)
                   : 0;
    if (r != ERR_NOT_FOUND)
        return r;
    r = record_get(txn, RECORD_REFRESH, str_c(v->name), v->o->a, &refresh_token_shape, &refresh,
                   err);
    /* With the refresh token everything goes that came of the grant (RFC 7009, 2.1). */
    if (r >= 0 && str_eq(refresh.client, v->client))
        r = record_drop(txn, RECORD_GRANT, refresh.grant, err);
    return r == ERR_NOT_FOUND ? 0 : r;
}

void oauth_revoke(struct oauth *o)
{
    struct str token = form_get(&o->form, "token");
    char seen[TICKET_NAME_MAX], name[TICKET_NAME_MAX];
    struct revocation v = {.o = o, .name = name, .seen = seen};
    struct client client;
    int r = 0;

    if (!client_auth(o, &client, seen))
        return;
    if (!token.p) {
        oauth_error(o, 400, "invalid_request", "token is missing");
        return;
    }
    v.client = client.id;
    if (ticket_name(token, o->now_ms, name)) {
        r = record_commit(o->t->store, revoke_run, &v, &o->err);
        token_cache_clear(&o->t->cache);
    }
    if (r == ERR_LOGIN)
        oauth_error(o, 401, "invalid_client", o->err.text);
    else if (r < 0)
        oauth_failed(o, r, "invalid_request");
    else
        oauth_json(o, 200); /* also for what was no token */
}

/* ---- userinfo ---- */

static int read_account(struct oauth *o, struct str id, struct account *ret)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_system();
    int r = store_begin(o->t->store, &who, &txn, &o->err);

    return r < 0 ? r : account_get(txn, id, o->a, ret, &o->err);
}

static void write_user(struct oauth *o, const struct identity *i)
{
    struct sb *out = &o->reply->body;
    struct account account;
    int r = read_account(o, i->subject, &account);

    if (r < 0) {
        oauth_failed(o, r, "invalid_token");
        return;
    }
    sb_lit(out, "{\"sub\":");
    sb_json(out, i->subject);
    if (i->scopes.words & SMART_PROFILE)
        write_text(out, "name", account.name);
    if (i->scopes.words & SMART_FHIR_USER)
        write_text(out, "fhirUser", absolute(o, account.fhir_user));
    sb_char(out, '}');
    oauth_json(o, 200);
}

void oauth_userinfo(struct oauth *o)
{
    struct trust_proof proof = {
        .authorization = o->req->authorization,
        .dpop = o->req->dpop,
        .x5t = o->req->x5t,
        .method = o->req->is_post ? STR("POST") : STR("GET"),
        .url = arena_join(o->a, (const struct str[]){o->t->root, o->req->path}, 2)};
    const struct identity *i;
    int r = trust_who(o->t, &proof, &i, &o->err);

    if (r < 0) {
        if (r == ERR_LOGIN)
            oauth_header(o, "WWW-Authenticate", arena_dup(o->a, str_c(o->err.where)));
        oauth_error(o, err_http_status(r), "invalid_token", o->err.text);
        return;
    }
    if (i->kind == IDENTITY_PERSON && i->scopes.words & SMART_OPENID) {
        write_user(o, i);
    } else {
        oauth_header(o, "WWW-Authenticate",
                     STR("Bearer error=\"insufficient_scope\", scope=\"openid\""));
        oauth_error(o, 403, "insufficient_scope", "the token has no scope openid");
    }
    identity_unref(i);
}

void oauth_jwks(struct oauth *o)
{
    int r;

    pthread_rwlock_rdlock(&o->t->keys_lock);
    r = keys_jwks(&o->t->keys, &o->reply->body, &o->err);
    pthread_rwlock_unlock(&o->t->keys_lock);
    if (r < 0) {
        oauth_failed(o, r, "server_error");
        return;
    }
    o->reply->status = 200;
    o->reply->type = "application/json";
    oauth_header(o, "Cache-Control", STR("public, max-age=300"));
}
