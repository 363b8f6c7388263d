/* oauth_token.c - the token endpoint (RFC 6749 3.2): a code, a refresh token or a key for tokens.
 */
#include "trust/oauth_int.h"

#include "base/rng.h"
#include "trust/allow.h"

#define ID_TOKEN_MS INT64_C(3600000)

/* What one request at the endpoint works on; the job fills the lower half. */
struct exchange {
    struct oauth *o;
    struct client client;
    char seen[TICKET_NAME_MAX];  /* of the assertion, or empty */
    char jkt[SECRET_TEXT_MAX];   /* of the DPoP proof, or empty */
    char given[TICKET_NAME_MAX]; /* record of the code or refresh token */
    struct str asked;            /* scope of a refresh or of client_credentials, or .p NULL */

    struct grant grant;
    struct str scope, nonce;
    struct ticket access, refresh;
    bool has_refresh;
    bool is_replay;    /* what came was used before: what it gave is taken back */
    const char *wrong; /* invalid_grant, with this text */
};

/* ---- tokens into the store ---- */

static int new_id(struct oauth *o, struct str *ret)
{
    char uuid[UUID_TEXT_LEN + 1];

    uuid7(uuid);
    *ret = arena_dup(o->a, str_c(uuid));
    return ret->p ? 0 : err_no_memory(&o->err);
}

static int put_access(struct exchange *x, struct store_txn *txn, int64_t life_ms, struct err *err)
{
    const struct grant *g = &x->grant;
    struct access_token t = {.grant = g->id,
                             .account = g->account,
                             .client = x->client.id,
                             .scope = x->scope,
                             .patient = g->patient,
                             .encounter = g->encounter,
                             .purpose = g->purpose,
                             .jkt = str_c(x->jkt),
                             .x5t = client_has_certificate(&x->client) ? x->o->req->x5t : STR(""),
                             .made_ms = x->o->now_ms,
                             .until_ms = x->o->now_ms + life_ms,
                             .assurance = g->assurance};
    int r = new_id(x->o, &t.id);

    return r < 0 ? r
                 : token_put(txn, RECORD_ACCESS, &access_token_shape, &t, t.until_ms, &x->access,
                             err);
}

static int put_refresh(struct exchange *x, struct store_txn *txn, struct err *err)
{
    struct refresh_token t = {.grant = x->grant.id,
                              .client = x->client.id,
                              .until_ms = x->grant.until_ms,
                              /* One who proves itself is bound by that; others by their key. */
                              .jkt = client_is_public(&x->client) ? str_c(x->jkt) : STR("")};
    struct smart_scopes scopes;
    int r = smart_parse(x->o->a, x->grant.scope, &scopes, err);

    if (r < 0 || !(scopes.words & (SMART_OFFLINE | SMART_ONLINE)))
        return r;
    x->has_refresh = true;
    return token_put(txn, RECORD_REFRESH, &refresh_token_shape, &t, t.until_ms, &x->refresh, err);
}

static int take_back(struct exchange *x, struct store_txn *txn, struct str grant, struct err *err)
{
    x->is_replay = true;
    x->wrong = "this was used before; what it gave has been taken back";
    return record_drop(txn, RECORD_GRANT, grant, err);
}

/* A grant whose account or self is gone gives nothing. */
static int load_grant(struct exchange *x, struct store_txn *txn, struct str id, struct err *err)
{
    struct account account;
    int r = record_get(txn, RECORD_GRANT, id, x->o->a, &grant_shape, &x->grant, err);

    if (r >= 0)
        r = account_get(txn, x->grant.account, x->o->a, &account, err);
    if (r == ERR_NOT_FOUND || (r >= 0 && (account.disabled || x->grant.until_ms <= x->o->now_ms ||
                                          x->grant.signed_in_ms <= account.since_ms))) {
        x->wrong = "what the person allowed has ended or was taken back";
        return 0;
    }
    x->scope = x->grant.scope;
    x->o->reply->trace.user = x->grant.account;
    return r;
}

/* ---- authorization_code ---- */

static const char *check_code(struct exchange *x, const struct code *code)
{
    const struct form *f = &x->o->form;
    struct str verifier = form_get(f, "code_verifier");
    char challenge[SECRET_TEXT_MAX];

    if (!str_eq(code->client, x->client.id))
        return "the code was given to another client";
    if (!str_eq(code->redirect, form_get(f, "redirect_uri")))
        return "the redirect_uri is not that of the authorisation request";
    if (!verifier.p || verifier.n < 43 || verifier.n > 128)
        return "the code_verifier is missing or not 43 to 128 characters";
    sha256_b64url(verifier, challenge);
    if (!secret_eq(code->challenge, str_c(challenge)))
        return "the code_verifier does not fit the code_challenge";
    if (code->jkt.n && !str_eq(code->jkt, str_c(x->jkt)))
        return "the code is bound to another DPoP key";
    return NULL;
}

static int code_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct exchange *x = ctx;
    struct code code;
    int r = client_auth_keep(txn, x->seen, err);

    if (r >= 0)
        r = record_get(txn, RECORD_CODE, str_c(x->given), x->o->a, &code_shape, &code, err);
    if (r < 0) {
        x->wrong = r == ERR_NOT_FOUND ? "the code is not known" : NULL;
        return x->wrong ? 0 : r;
    }
    /* Whoever has a used code: its tokens may be in a thief's hands (RFC 6749, 4.1.2). */
    if (code.used)
        return take_back(x, txn, code.grant, err);
    if ((x->wrong = check_code(x, &code)))
        return 0;
    x->nonce = code.nonce;
    code.used = true;
    if ((r = load_grant(x, txn, code.grant, err)) < 0 || x->wrong)
        return r;
    if ((r = record_put(txn, RECORD_CODE, str_c(x->given), &code_shape, &code, err)) < 0 ||
        (r = put_access(x, txn, TOKEN_APP_MS, err)) < 0)
        return r;
    return put_refresh(x, txn, err);
}

/* ---- refresh_token ---- */

/* A refresh may ask for less (RFC 6749, 6), never for more. */
static int narrow_scope(struct exchange *x, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(SMART_TEXT_MAX);
    struct smart_scopes asked, most, both;
    int r;

    if (!x->asked.p)
        return 0;
    if ((r = smart_parse(x->o->a, x->asked, &asked, err)) < 0 ||
        (r = smart_parse(x->o->a, x->grant.scope, &most, err)) < 0 ||
        (r = smart_both(x->o->a, &asked, &most, &both, err)) < 0)
        return r;
    smart_write(&text, &both);
    x->scope = arena_dup(x->o->a, sb_view(&text));
    return text.failed || !x->scope.p ? err_no_memory(err) : 0;
}

static int refresh_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct exchange *x = ctx;
    struct refresh_token t;
    int r = client_auth_keep(txn, x->seen, err);

    if (r >= 0)
        r = record_get(txn, RECORD_REFRESH, str_c(x->given), x->o->a, &refresh_token_shape, &t,
                       err);
    if (r == ERR_NOT_FOUND || (r >= 0 && !str_eq(t.client, x->client.id))) {
        x->wrong = "the refresh token is not known";
        return 0;
    }
    if (r < 0)
        return r;
    if (t.used)
        return take_back(x, txn, t.grant, err);
    if (t.jkt.n && !str_eq(t.jkt, str_c(x->jkt))) {
        x->wrong = "the refresh token is bound to another DPoP key";
        return 0;
    }
    t.used = true;
    if ((r = load_grant(x, txn, t.grant, err)) < 0 || x->wrong)
        return r;
    if ((r = narrow_scope(x, err)) < 0 ||
        (r = record_put(txn, RECORD_REFRESH, str_c(x->given), &refresh_token_shape, &t, err)) < 0 ||
        (r = put_access(x, txn, TOKEN_APP_MS, err)) < 0)
        return r;
    return put_refresh(x, txn, err);
}

/* ---- client_credentials ---- */

static int backend_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct exchange *x = ctx;
    int r = client_auth_keep(txn, x->seen, err);

    return r < 0 ? r : put_access(x, txn, TOKEN_ACCESS_MS, err);
}

/* Only system scopes, and only what was registered. */
static int backend_scope(struct exchange *x)
{
    _cleanup_(sb_done) struct sb text = sb_make(SMART_TEXT_MAX);
    struct smart_scopes asked, most, both;
    struct oauth *o = x->o;
    int r;

    if (!x->asked.p)
        return err_set(&o->err, ERR_VALUE, "the scope is missing");
    if ((r = smart_parse(o->a, x->asked, &asked, &o->err)) < 0 ||
        (r = smart_parse(o->a, x->client.scope, &most, &o->err)) < 0)
        return r;
    smart_drop(&asked, SMART_PATIENT);
    smart_drop(&asked, SMART_USER);
    if ((r = smart_both(o->a, &asked, &most, &both, &o->err)) < 0 ||
        (r = allow_check_scopes(o->t->store, o->a, &both, &o->err)) < 0)
        return r;
    if (!both.n)
        return err_set(&o->err, ERR_VALUE,
                       "none of these scopes is a system scope that the client is registered for");
    both.words = 0;
    smart_write(&text, &both);
    x->scope = arena_dup(o->a, sb_view(&text));
    return text.failed || !x->scope.p ? err_no_memory(&o->err) : 0;
}

/* ---- answering ---- */

static int write_id_token(struct exchange *x, struct sb *out)
{
    _cleanup_(sb_done) struct sb claims = sb_make(KIB(16));
    struct oauth *o = x->o;
    const struct grant *g = &x->grant;
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_system();
    const struct signing_key *key;
    struct account account;
    struct smart_scopes scopes;
    int r = smart_parse(o->a, x->scope, &scopes, &o->err);

    if (r < 0 || !(scopes.words & SMART_OPENID))
        return r;
    if ((r = store_begin(o->t->store, &who, &txn, &o->err)) < 0 ||
        (r = account_get(txn, g->account, o->a, &account, &o->err)) < 0)
        return r;
    sb_lit(&claims, "{\"iss\":");
    sb_json(&claims, o->t->root);
    sb_lit(&claims, ",\"sub\":");
    sb_json(&claims, g->account);
    sb_lit(&claims, ",\"aud\":");
    sb_json(&claims, x->client.id);
    sb_fmt(&claims, ",\"iat\":%lld,\"exp\":%lld,\"auth_time\":%lld,\"acr\":\"%s\"",
           (long long)(o->now_ms / 1000), (long long)((o->now_ms + ID_TOKEN_MS) / 1000),
           (long long)(g->signed_in_ms / 1000), g->assurance >= ASSURANCE_TWO_FACTORS ? "2" : "1");
    if (x->nonce.n) {
        sb_lit(&claims, ",\"nonce\":");
        sb_json(&claims, x->nonce);
    }
    if (scopes.words & SMART_FHIR_USER && account.fhir_user.n) {
        sb_lit(&claims, ",\"fhirUser\":");
        sb_json(&claims,
                arena_join(o->a, (const struct str[]){o->t->fhir, STR("/"), account.fhir_user}, 3));
    }
    if (scopes.words & SMART_PROFILE && account.name.n) {
        sb_lit(&claims, ",\"name\":");
        sb_json(&claims, account.name);
    }
    sb_char(&claims, '}');
    if ((r = sb_ok(&claims, &o->err)) < 0)
        return r;
    sb_lit(out, ",\"id_token\":\"");
    pthread_rwlock_rdlock(&o->t->keys_lock);
    key = keys_for(&o->t->keys, JOSE_ES384);
    r = key ? jws_sign(out, key->key, key->alg, str_c(key->kid), STR("JWT"), sb_view(&claims),
                       &o->err)
            : err_set(&o->err, ERR_INTERNAL, "there is no signing key");
    pthread_rwlock_unlock(&o->t->keys_lock);
    sb_char(out, '"');
    return r;
}

static void write_text(struct sb *out, const char *name, struct str value)
{
    if (!value.n)
        return;
    sb_fmt(out, ",\"%s\":", name);
    sb_json(out, value);
}

static void answer(struct exchange *x, int64_t life_ms)
{
    struct oauth *o = x->o;
    struct sb *out = &o->reply->body;
    int r = 0;

    sb_fmt(out, "{\"access_token\":\"%s\",\"token_type\":\"%s\",\"expires_in\":%lld",
           x->access.text, x->jkt[0] ? "DPoP" : "Bearer", (long long)(life_ms / 1000));
    write_text(out, "scope", x->scope);
    if (x->has_refresh)
        write_text(out, "refresh_token", str_c(x->refresh.text));
    write_text(out, "patient", x->grant.patient);
    write_text(out, "encounter", x->grant.encounter);
    if (x->grant.patient.n)
        sb_lit(out, ",\"need_patient_banner\":true");
    if (x->grant.id.n)
        r = write_id_token(x, out);
    sb_char(out, '}');
    if (r < 0) {
        oauth_failed(o, r, "server_error");
        return;
    }
    oauth_json(o, 200);
    oauth_header(o, "Pragma", STR("no-cache"));
}

/* Runs the job and answers. */
static void finish(struct exchange *x, record_fn *run, int64_t life_ms)
{
    struct oauth *o = x->o;
    int r = record_commit(o->t->store, run, x, &o->err);

    if (x->is_replay)
        token_cache_clear(&o->t->cache);
    if (r == ERR_LOGIN)
        oauth_error(o, 401, "invalid_client", o->err.text);
    else if (r < 0)
        oauth_failed(o, r, "invalid_grant");
    else if (x->wrong)
        oauth_error(o, 400, "invalid_grant", x->wrong);
    else
        answer(x, life_ms);
}

/* The DPoP proof, where there is one or has to be. */
static bool take_proof(struct exchange *x)
{
    struct oauth *o = x->o;
    struct str url = arena_join(o->a, (const struct str[]){o->t->root, o->req->path}, 2);
    int r;

    if (!o->req->dpop.p) {
        if (x->client.dpop)
            oauth_error(o, 400, "invalid_dpop_proof",
                        "this client's tokens are bound to a key: "
                        "a DPoP proof is missing");
        return !x->client.dpop;
    }
    r = url.p ? dpop_check(&o->t->dpop, o->req->dpop, STR("POST"), url, STR_NULL, o->now_ms, x->jkt,
                           &o->err)
              : err_no_memory(&o->err);
    if (r < 0)
        oauth_failed(o, r, "invalid_dpop_proof");
    return r >= 0;
}

static void by_ticket(struct exchange *x, const char *field, record_fn *run)
{
    struct oauth *o = x->o;
    struct str given = form_get(&o->form, field);

    if (!given.p)
        oauth_error(o, 400, "invalid_request",
                    run == code_run ? "code is missing" : "refresh_token is missing");
    else if (!ticket_name(given, o->now_ms, x->given))
        oauth_error(o, 400, "invalid_grant",
                    run == code_run ? "the code is not known or has ended"
                                    : "the refresh token is not known or has ended");
    else
        finish(x, run, TOKEN_APP_MS);
}

static void by_key(struct exchange *x)
{
    struct oauth *o = x->o;
    int r;

    if (!x->client.backend) {
        oauth_error(o, 400, "unauthorized_client", "this client is no backend service");
        return;
    }
    r = backend_scope(x);
    if (r < 0)
        oauth_failed(o, r, "invalid_scope");
    else
        finish(x, backend_run, TOKEN_ACCESS_MS);
}

void oauth_token(struct oauth *o)
{
    struct str type = form_get(&o->form, "grant_type");
    struct exchange x = {.o = o};

    if (!type.p) {
        oauth_error(o, 400, "invalid_request", "grant_type is missing");
        return;
    }
    if (!client_auth(o, &x.client, x.seen) || !take_proof(&x))
        return;
    x.asked = form_get(&o->form, "scope");
    if (str_eq(type, STR("authorization_code")))
        by_ticket(&x, "code", code_run);
    else if (str_eq(type, STR("refresh_token")))
        by_ticket(&x, "refresh_token", refresh_run);
    else if (str_eq(type, STR("client_credentials")))
        by_key(&x);
    else
        oauth_error(o, 400, "unsupported_grant_type",
                    "grant_type is authorization_code, refresh_token or client_credentials");
}
