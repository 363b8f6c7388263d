/* register.c - clients that register themselves (RFC 7591), and EHR launches. */
#include "trust/authorize.h"

#include "base/rng.h"
#include "trust/allow.h"

#define LAUNCH_MS INT64_C(300000)
#define WAITING_MAX 100 /* clients that wait for an operator's approval; past it none more */

static const struct field launch_fields[] = {
    {"client", FIELD_STR, offsetof(struct launch, client)},
    {"patient", FIELD_STR, offsetof(struct launch, patient)},
    {"encounter", FIELD_STR, offsetof(struct launch, encounter)},
};
const struct shape launch_shape = SHAPE(launch);

/* ---- registration ---- */

static int wrong(struct oauth *o, const char *code, const char *text)
{
    return err_at(&o->err, ERR_VALUE, code, "%s", text);
}

static int read_redirects(struct oauth *o, yyjson_val *list, struct str_list *ret)
{
    yyjson_val *v;
    size_t i, max;

    if (!list)
        return 0;
    if (yyjson_arr_size(list) > CLIENT_REDIRECTS_MAX)
        return wrong(o, "invalid_redirect_uri", "there are too many redirect URIs");
    ret->v = ARENA_ARRAY(o->a, struct str, CLIENT_REDIRECTS_MAX);
    if (!ret->v)
        return err_no_memory(&o->err);
    yyjson_arr_foreach(list, i, max, v) {
        if (!yyjson_is_str(v) || client_check_redirect(js_str(v), &o->err) < 0)
            return wrong(o, "invalid_redirect_uri",
                         "a redirect URI is https, a loopback address, or an app's own scheme");
        ret->v[ret->n++] = js_str(v);
    }
    return 0;
}

static int read_jwks(struct oauth *o, yyjson_val *jwks, struct str *ret)
{
    _cleanup_(sb_done) struct sb text = sb_make(JWKS_BYTES_MAX);

    if (!jwks)
        return 0;
    js_write(&text, jwks);
    *ret = arena_dup(o->a, sb_view(&text));
    return text.failed || !ret->p ? wrong(o, "invalid_client_metadata", "jwks is too long") : 0;
}

/* Whether one of the grant types is `name`; `otherwise` where there is no list. */
static bool has_type(yyjson_val *types, struct str name, bool otherwise)
{
    yyjson_val *v;
    size_t i, max;
    bool has = false;

    yyjson_arr_foreach(types, i, max, v)
        has |= yyjson_is_str(v) && str_eq(js_str(v), name);
    return types ? has : otherwise;
}

static int read_metadata(struct oauth *o, yyjson_val *root, struct client *c,
                         struct str *ret_method)
{
    yyjson_val *types = js_get(root, "grant_types");
    struct str method = js_get_str(root, "token_endpoint_auth_method");
    int r;

    c->name = js_get_str(root, "client_name");
    c->scope = js_get_str(root, "scope");
    c->contact = js_str(yyjson_arr_get_first(js_get(root, "contacts")));
    c->backend = has_type(types, STR("client_credentials"), false);
    c->dpop = yyjson_is_true(js_get(root, "dpop_bound_access_tokens"));
    c->pushed = yyjson_is_true(js_get(root, "require_pushed_authorization_requests"));
    if (js_get(root, "software_statement"))
        return wrong(o, "invalid_client_metadata", "software statements are not taken");
    c->jwks_uri = js_get_str(root, "jwks_uri").p ? js_get_str(root, "jwks_uri") : STR("");
    if ((r = read_redirects(o, js_get(root, "redirect_uris"), &c->redirects)) < 0 ||
        (r = read_jwks(o, js_get(root, "jwks"), &c->jwks)) < 0)
        return r;
    *ret_method = method.p ? method : client_has_keys(c) ? STR("private_key_jwt") : STR("none");
    if (str_eq(*ret_method, STR("none")) ? client_has_keys(c)
        : str_eq(*ret_method, STR("private_key_jwt"))
            ? !client_has_keys(c)
            : !str_eq(*ret_method, STR("client_secret_basic")) &&
                  !str_eq(*ret_method, STR("client_secret_post")))
        return wrong(o, "invalid_client_metadata",
                     "token_endpoint_auth_method is none, private_key_jwt (with keys), "
                     "client_secret_basic or client_secret_post");
    if (client_check(o->a, c, &o->err) < 0)
        return err_at(&o->err, ERR_VALUE, "invalid_client_metadata", "%.*s",
                      (int)strlen(o->err.text), o->err.text);
    return 0;
}

struct registration {
    struct oauth *o;
    struct client *client;
};

static int register_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct registration *g = ctx;
    struct str id = STR("");
    size_t waiting = 0;
    int r = 0;

    while (r >= 0 && (r = record_next(txn, RECORD_CLIENT, id, g->o->a, &id, err)) >= 0 && id.p) {
        struct client c;

        if ((r = client_get(txn, id, g->o->a, &c, err)) >= 0)
            waiting += !c.approved;
    }
    if (r >= 0 && waiting >= WAITING_MAX)
        r = err_set(err, ERR_BUSY, "too many clients wait for approval; try again later");
    return r < 0 ? r : client_put(txn, g->client, err);
}

static void answer(struct oauth *o, const struct client *c, struct str method, const char *secret)
{
    struct sb *out = &o->reply->body;

    sb_lit(out, "{\"client_id\":");
    sb_json(out, c->id);
    sb_fmt(out,
           ",\"client_id_issued_at\":%lld,\"client_name\":", (long long)(c->created_ms / 1000));
    sb_json(out, c->name);
    if (*secret)
        sb_fmt(out, ",\"client_secret\":\"%s\",\"client_secret_expires_at\":0", secret);
    sb_lit(out, ",\"token_endpoint_auth_method\":");
    sb_json(out, method);
    sb_lit(out, ",\"scope\":");
    sb_json(out, c->scope.p ? c->scope : STR(""));
    sb_fmt(out, ",\"grant_types\":[%s]",
           c->backend ? "\"client_credentials\"" : "\"authorization_code\",\"refresh_token\"");
    sb_lit(out, ",\"redirect_uris\":[");
    for (size_t i = 0; i < c->redirects.n; i++) {
        if (i)
            sb_char(out, ',');
        sb_json(out, c->redirects.v[i]);
    }
    sb_lit(out, "]}");
    oauth_json(o, 201);
}

void oauth_register(struct oauth *o)
{
    char uuid[UUID_TEXT_LEN + 1], secret[SECRET_TEXT_MAX] = "", hash[2 * SHA256_BYTES + 1];
    struct client c = {.created_ms = o->now_ms};
    struct registration g = {o, &c};
    struct str method;
    yyjson_val *root;
    int r;

    uuid7(uuid);
    c.id = str_c(uuid);
    if (o->req->body.n > JWKS_BYTES_MAX || js_parse(o->a, o->req->body, &root, &o->err) < 0 ||
        !yyjson_is_obj(root)) {
        oauth_error(o, 400, "invalid_client_metadata", "the body is a JSON object of metadata");
        return;
    }
    r = read_metadata(o, root, &c, &method);
    if (r < 0) {
        oauth_failed(o, r, o->err.where[0] ? o->err.where : "invalid_client_metadata");
        return;
    }
    if (str_starts(method, STR("client_secret"))) {
        secret_new(secret);
        sha256_hex(str_c(secret), hash);
        c.secret = str_c(hash);
    }
    r = record_commit(o->t->store, register_run, &g, &o->err);
    if (r < 0)
        oauth_failed(o, r, "invalid_client_metadata");
    else
        answer(o, &c, method, secret);
    explicit_bzero(secret, sizeof secret);
}

/* ---- EHR launch ---- */

struct put_launch {
    struct launch launch;
    int64_t until_ms;
    struct ticket ticket;
};

static int launch_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct put_launch *l = ctx;

    return token_put(txn, RECORD_LAUNCH, &launch_shape, &l->launch, l->until_ms, &l->ticket, err);
}

/* What is launched, where it begins, and whether who launches may read the patient. */
static int check_launch(struct oauth *o, const struct identity *i, struct put_launch *l,
                        struct client *client)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access system = trust_system(), who = allow_access(i, o->t->guard);
    int r = store_begin(o->t->store, &system, &txn, &o->err);

    if (r >= 0)
        r = client_get(txn, l->launch.client, o->a, client, &o->err);
    if (r >= 0 && (!client->approved || client->disabled || !client->launch_uri.n))
        r = err_set(&o->err, ERR_VALUE, "the app is not approved, or is not launched from here");
    store_end(txn);
    txn = NULL;
    if (r < 0 || !l->launch.patient.n)
        return r;
    r = store_begin(o->t->store, &who, &txn, &o->err);
    return r < 0 ? r : authorize_patient(txn, l->launch.patient, &o->err);
}

void oauth_launch(struct oauth *o)
{
    struct trust_proof proof = {
        .authorization = o->req->authorization,
        .dpop = o->req->dpop,
        .method = STR("POST"),
        .url = arena_join(o->a, (const struct str[]){o->t->root, o->req->path}, 2)};
    struct str patient = form_get(&o->form, "patient"), app = form_get(&o->form, "client_id");
    struct str encounter = form_get(&o->form, "encounter");
    struct put_launch l = {.launch = {.client = app.p ? app : STR(""),
                                      .patient = patient.p ? patient : STR(""),
                                      .encounter = encounter.p ? encounter : STR("")},
                           .until_ms = o->now_ms + LAUNCH_MS};
    struct sb *out = &o->reply->body;
    const struct identity *i;
    struct client client;
    int r = trust_who(o->t, &proof, &i, &o->err);

    if (r < 0) {
        if (r == ERR_LOGIN)
            oauth_header(o, "WWW-Authenticate", arena_dup(o->a, str_c(o->err.where)));
        oauth_error(o, err_http_status(r), "invalid_token", o->err.text);
        return;
    }
    r = i->kind == IDENTITY_PERSON ? check_launch(o, i, &l, &client)
                                   : err_set(&o->err, ERR_VALUE, "a person launches apps");
    identity_unref(i);
    if (r >= 0)
        r = record_commit(o->t->store, launch_run, &l, &o->err);
    if (r < 0) {
        oauth_failed(o, r, "invalid_request");
        return;
    }
    sb_fmt(out, "{\"launch\":\"%s\",\"launch_uri\":", l.ticket.text);
    sb_json(out, client.launch_uri);
    sb_lit(out, ",\"iss\":");
    sb_json(out, o->t->fhir);
    sb_char(out, '}');
    oauth_json(o, 200);
}
