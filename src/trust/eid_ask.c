/* eid_ask.c - asking a provider: what it says of itself, its keys, and who somebody is. */
#include "trust/eid_int.h"

#include "base/b64.h"
#include "base/rng.h"

#define WELL_KNOWN "/.well-known/openid-configuration"
#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define ASSERTION_SECONDS 60
#define ANSWER_MAX KIB(64)
#define FORM_MAX KIB(32)

/* Whatever keeps a provider from being asked is, for the person, one thing: it does not answer. */
static int away(struct oauth *o, int r)
{
    return r < 0 && r != ERR_NO_MEMORY ? (o->err.code = ERR_BUSY) : r;
}

static int lied(struct oauth *o, const char *why)
{
    return err_set(&o->err, ERR_LOGIN, "%s", why);
}

static int fetch(struct oauth *o, const struct eid_provider *p, struct str url, bool newer,
                 struct str *ret)
{
    struct trust_ask ask = {.ca_file = p->ca_file, .may_be_private = p->may_be_private};
    struct str copy = arena_dup(o->a, url);

    if (!copy.p)
        return err_no_memory(&o->err);
    ask.url = copy.p;
    if (!o->req->may_ask && !remote_has(o->t->remote, &ask, newer, o->a)) {
        o->reply->asks = true;
        return err_set(&o->err, ERR_BUSY, "the provider has to be asked");
    }
    return away(o, remote_get(o->t->remote, &ask, newer, o->a, ret, &o->err));
}

/* ---- what it says of itself ---- */

static int read_url(struct oauth *o, const struct eid_provider *p, yyjson_val *from,
                    const char *name, bool must, struct str *ret)
{
    struct str url = js_get_str(from, name);

    *ret = STR("");
    if (!url.n && !must)
        return 0;
    if (remote_check_url(url, p->may_be_private, NULL) < 0)
        return lied(o, "the provider names an endpoint that is no https:// address");
    *ret = url;
    return 0;
}

static bool lists(yyjson_val *list, struct str what)
{
    yyjson_val *one;
    size_t i, max;

    yyjson_arr_foreach(list, i, max, one)
        if (yyjson_is_str(one) && str_eq(js_str(one), what))
            return true;
    return false;
}

int eid_discover(struct oauth *o, const struct eid_provider *p, struct eid_endpoints *ret)
{
    struct str base = p->issuer, url, text;
    yyjson_val *root, *methods;
    int r;

    if (str_ends(base, STR("/")))
        base.n--;
    url = arena_join(o->a, (const struct str[]){base, STR(WELL_KNOWN)}, 2);
    if (!url.p)
        return err_no_memory(&o->err);
    if ((r = fetch(o, p, url, false, &text)) < 0)
        return r;
    if (js_parse(o->a, text, &root, NULL) < 0 || !yyjson_is_obj(root) ||
        !str_eq(js_get_str(root, "issuer"), p->issuer))
        return lied(o, "what the provider says of itself names another issuer");
    if ((r = read_url(o, p, root, "authorization_endpoint", true, &ret->authorize)) < 0 ||
        (r = read_url(o, p, root, "token_endpoint", true, &ret->token)) < 0 ||
        (r = read_url(o, p, root, "jwks_uri", true, &ret->jwks)) < 0 ||
        (r = read_url(o, p, root, "userinfo_endpoint", false, &ret->userinfo)) < 0 ||
        (r = read_url(o, p, root, "end_session_endpoint", false, &ret->leave)) < 0)
        return r;
    ret->says_iss = yyjson_is_true(js_get(root, "authorization_response_iss_parameter_supported"));
    methods = js_get(root, "token_endpoint_auth_methods_supported");
    ret->takes_basic =
        lists(methods, STR("client_secret_basic")) || !lists(methods, STR("client_secret_post"));
    ret->assertion =
        lists(js_get(root, "token_endpoint_auth_signing_alg_values_supported"), STR("ES384"))
            ? JOSE_ES384
            : JOSE_RS384;
    return 0;
}

/* ---- the code ---- */

/* The node proves itself by its own keys, which it publishes at /auth/jwks (Core, 9). */
static int sign_assertion(struct oauth *o, const struct eid_provider *p,
                          const struct eid_endpoints *at, struct sb *out)
{
    _cleanup_(sb_done) struct sb claims = sb_make(KIB(8));
    const struct signing_key *key;
    char jti[SECRET_TEXT_MAX];
    int r;

    secret_new(jti);
    sb_lit(&claims, "{\"iss\":");
    sb_json(&claims, p->client);
    sb_lit(&claims, ",\"sub\":");
    sb_json(&claims, p->client);
    sb_lit(&claims, ",\"aud\":");
    sb_json(&claims, at->token);
    sb_fmt(&claims, ",\"jti\":\"%s\",\"iat\":%lld,\"exp\":%lld}", jti,
           (long long)(o->now_ms / 1000), (long long)(o->now_ms / 1000 + ASSERTION_SECONDS));
    if ((r = sb_ok(&claims, &o->err)) < 0)
        return r;
    pthread_rwlock_rdlock(&o->t->keys_lock);
    key = keys_for(&o->t->keys, at->assertion);
    r = key ? jws_sign(out, key->key, key->alg, str_c(key->kid), STR("JWT"), sb_view(&claims),
                       &o->err)
            : err_set(&o->err, ERR_INTERNAL, "there is no key to sign with");
    pthread_rwlock_unlock(&o->t->keys_lock);
    return r;
}

/* "Basic base64(id:secret)", both form-encoded (RFC 6749, 2.3.1). */
static int basic(struct oauth *o, const struct eid_provider *p, struct str *ret)
{
    _cleanup_(sb_done) struct sb plain = sb_make(KIB(16)), text = sb_make(KIB(32));
    int r;

    sb_uri(&plain, p->client);
    sb_char(&plain, ':');
    sb_uri(&plain, p->secret);
    sb_lit(&text, "Basic ");
    b64_encode(&text, sb_view(&plain));
    r = plain.failed ? err_no_memory(&o->err) : sb_ok(&text, &o->err);
    if (plain.n)
        explicit_bzero(plain.p, plain.n);
    if (r < 0)
        return r;
    *ret = arena_dup(o->a, sb_view(&text));
    return ret->p ? 0 : err_no_memory(&o->err);
}

static int prove(struct oauth *o, const struct eid_provider *p, const struct eid_endpoints *at,
                 struct sb *form, struct str *ret_authorization)
{
    _cleanup_(sb_done) struct sb assertion = sb_make(JWS_BYTES_MAX);
    bool first = false;
    int r;

    *ret_authorization = STR_NULL;
    if (p->secret.n && at->takes_basic)
        return basic(o, p, ret_authorization);
    form_write(form, &first, "client_id", p->client);
    if (p->secret.n) {
        form_write(form, &first, "client_secret", p->secret);
        return 0;
    }
    if ((r = sign_assertion(o, p, at, &assertion)) < 0)
        return r;
    form_write(form, &first, "client_assertion_type", STR(ASSERTION_TYPE));
    form_write(form, &first, "client_assertion", sb_view(&assertion));
    return 0;
}

static int ask(struct oauth *o, const struct eid_provider *p, struct str url,
               struct str authorization, struct str form, yyjson_val **ret)
{
    _cleanup_(sb_done) struct sb body = sb_make(ANSWER_MAX);
    struct trust_ask q = {.ca_file = p->ca_file,
                          .may_be_private = p->may_be_private,
                          .authorization = authorization.p,
                          .form = form};
    struct str copy = arena_dup(o->a, url), text;
    int status = 0, r;

    if (!copy.p)
        return err_no_memory(&o->err);
    q.url = copy.p;
    if ((r = away(o, remote_ask(o->t->remote, &q, &status, &body, &o->err))) < 0)
        return r;
    if (status >= 500)
        return err_set(&o->err, ERR_BUSY, "the provider answered with status %d", status);
    if (status != 200)
        return err_set(&o->err, ERR_LOGIN, "the provider refused with status %d", status);
    text = arena_dup(o->a, sb_view(&body));
    if (!text.p)
        return err_no_memory(&o->err);
    return js_parse(o->a, text, ret, NULL) < 0 || !yyjson_is_obj(*ret)
               ? lied(o, "the provider's answer is no JSON object")
               : 0;
}

static int redeem(struct oauth *o, const struct eid_endpoints *at, const struct eid_answer *answer,
                  yyjson_val **ret)
{
    _cleanup_(sb_done) struct sb form = sb_make(FORM_MAX);
    const struct eid_provider *p = answer->want.provider;
    struct str authorization;
    bool first = true;
    int r;

    form_write(&form, &first, "grant_type", STR("authorization_code"));
    form_write(&form, &first, "code", answer->code);
    form_write(&form, &first, "redirect_uri", answer->redirect);
    form_write(&form, &first, "code_verifier", answer->verifier);
    r = prove(o, p, at, &form, &authorization);
    if (r >= 0)
        r = sb_ok(&form, &o->err);
    if (r >= 0)
        r = ask(o, p, at->token, authorization, sb_view(&form), ret);
    if (form.n)
        explicit_bzero(form.p, form.n);
    return r;
}

/* With the keys that are known, and where none of them did, with newer ones. */
static int verify(struct oauth *o, const struct eid_endpoints *at, const struct eid_answer *answer,
                  struct str token, struct eid_said *ret)
{
    int r = ERR_NOT_FOUND;

    for (int newer = 0; newer < 2 && r == ERR_NOT_FOUND; newer++) {
        struct str jwks;

        if ((r = fetch(o, answer->want.provider, at->jwks, newer, &jwks)) >= 0)
            r = eid_token_check(o->a, &answer->want, token, jwks, ret, &o->err);
    }
    return r == ERR_NOT_FOUND ? (o->err.code = ERR_LOGIN) : r;
}

/* The identifier where the ID token has none. */
static int ask_more(struct oauth *o, const struct eid_endpoints *at, const struct eid_provider *p,
                    struct str token, struct eid_said *said)
{
    struct str authorization;
    yyjson_val *claims;
    int r;

    if (!p->claim.n || said->identifier.n || !at->userinfo.n || !token.n)
        return 0;
    for (size_t i = 0; i < token.n; i++)
        if (token.p[i] <= ' ' || token.p[i] >= 0x7f)
            return lied(o, "the provider's access token has characters that it may not have");
    authorization = arena_join(o->a, (const struct str[]){STR("Bearer "), token}, 2);
    if (!authorization.p)
        return err_no_memory(&o->err);
    r = ask(o, p, at->userinfo, authorization, STR_NULL, &claims);
    return r < 0 ? r : eid_claims_add(o->a, p, claims, said, &o->err);
}

int eid_redeem(struct oauth *o, const struct eid_endpoints *at, const struct eid_answer *answer,
               struct eid_said *ret)
{
    const struct eid_provider *p = answer->want.provider;
    struct str token;
    yyjson_val *root;
    int r = redeem(o, at, answer, &root);

    if (r < 0)
        return r;
    token = js_get_str(root, "id_token");
    if (!token.n)
        return lied(o, "the provider's answer has no ID token");
    r = verify(o, at, answer, token, ret);
    return r < 0 ? r : ask_more(o, at, p, js_get_str(root, "access_token"), ret);
}
