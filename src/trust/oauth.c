/* oauth.c - the table of endpoints, and how they answer. */
#include "trust/oauth.h"

#include "base/clock.h"
#include "trust/oauth_int.h"

/* What an endpoint is. */
enum {
    GET = 1,
    POST = 2,
    FROM_PAGES = 4, /* any page may call it: it takes no cookies (CORS) */
    AUDITED = 8,    /* what is posted there */
    ASKS = 16,      /* other servers, which may take their time */
};

static const struct endpoint {
    struct str path; /* with a slash at its end: and all below it */
    unsigned is;
    void (*run)(struct oauth *o);
} endpoints[] = {
    {STR("/auth/authorize"), GET | POST, oauth_authorize},
    {STR("/auth/step"), POST | AUDITED, oauth_step},
    {STR("/auth/setup"), GET | POST | AUDITED, oauth_setup},
    {STR("/auth/close"), GET | POST | AUDITED, oauth_close},
    {STR("/auth/leave"), POST | AUDITED, oauth_leave},
    {STR("/auth/eid"), GET | ASKS, oauth_eid},
    {STR("/auth/eid/back/"), GET | ASKS, oauth_eid_back},
    {STR("/auth/account"), GET | POST | AUDITED, oauth_account},
    {STR("/auth/passkey"), POST | AUDITED, oauth_passkey},
    {STR("/auth/passkey.js"), GET, oauth_passkey_script},
    {STR("/auth/demo"), POST, oauth_demo},
    {STR("/auth/enter"), GET, oauth_enter},
    {STR("/auth/forgot"), GET | POST | AUDITED, oauth_forgot},
    {STR("/auth/token"), POST | FROM_PAGES | AUDITED, oauth_token},
    {STR("/auth/par"), POST | FROM_PAGES, oauth_par},
    {STR("/auth/introspect"), POST | AUDITED, oauth_introspect},
    {STR("/auth/revoke"), POST | FROM_PAGES | AUDITED, oauth_revoke},
    {STR("/auth/register"), POST | FROM_PAGES | AUDITED, oauth_register},
    {STR("/auth/launch"), POST | FROM_PAGES | AUDITED, oauth_launch},
    {STR("/auth/userinfo"), GET | POST | FROM_PAGES, oauth_userinfo},
    {STR("/auth/jwks"), GET | FROM_PAGES, oauth_jwks},
    {STR("/.well-known/smart-configuration"), GET | FROM_PAGES, oauth_well_known},
    {STR("/.well-known/openid-configuration"), GET | FROM_PAGES, oauth_well_known},
    {STR("/.well-known/oauth-authorization-server"), GET | FROM_PAGES, oauth_well_known},
    {STR("/fhir/.well-known/smart-configuration"), GET | FROM_PAGES, oauth_well_known},
};

static const struct endpoint *find(struct str path)
{
    for (size_t i = 0; i < ARRAY_LEN(endpoints); i++)
        if (str_ends(endpoints[i].path, STR("/")) ? str_starts(path, endpoints[i].path)
                                                  : str_eq(path, endpoints[i].path))
            return &endpoints[i];
    return NULL;
}

bool oauth_asks(struct str path)
{
    const struct endpoint *e = find(path);

    return e && e->is & ASKS;
}

bool oauth_has(struct str path)
{
    return find(path) != NULL;
}

/* ---- replies ---- */

void oauth_header(struct oauth *o, const char *name, struct str value)
{
    struct oauth_reply *r = o->reply;

    assert(r->n_headers < OAUTH_HEADERS_MAX);
    r->headers[r->n_headers].name = name;
    r->headers[r->n_headers++].value = value;
}

void oauth_json(struct oauth *o, int status)
{
    o->reply->status = status;
    o->reply->type = "application/json";
    oauth_header(o, "Cache-Control", STR("no-store"));
}

/* 303, so that what was posted to us is not posted there (RFC 9700, 4.12). */
void oauth_redirect(struct oauth *o, struct str url)
{
    sb_reset(&o->reply->body);
    o->reply->status = 303;
    o->reply->type = NULL;
    oauth_header(o, "Location", url);
    oauth_header(o, "Cache-Control", STR("no-store"));
    oauth_header(o, "Referrer-Policy", STR("no-referrer"));
}

void oauth_error(struct oauth *o, int status, const char *code, const char *text)
{
    sb_reset(&o->reply->body);
    sb_fmt(&o->reply->body, "{\"error\":\"%s\",\"error_description\":", code);
    sb_json(&o->reply->body, str_c(text));
    sb_char(&o->reply->body, '}');
    oauth_json(o, status);
}

void oauth_failed(struct oauth *o, int r, const char *code)
{
    int status = err_http_status(r);

    if (status >= 500)
        oauth_error(o, status == 503 ? 503 : 500,
                    status == 503 ? "temporarily_unavailable" : "server_error",
                    status == 503 ? o->err.text : "the node could not do this");
    else
        oauth_error(o, 400, code, o->err.text);
}

/* ---- requests ---- */

static bool is_form(struct str type)
{
    ptrdiff_t semicolon = type.p ? str_find(type, ';') : -1;

    return str_eq_nocase(str_trim(str_head(type, semicolon < 0 ? type.n : (size_t)semicolon)),
                         STR("application/x-www-form-urlencoded"));
}

static int read_fields(struct oauth *o, const struct endpoint *e)
{
    const struct oauth_request *req = o->req;

    if (!req->is_post)
        return form_parse(o->a, req->query, &o->form, &o->err);
    if (e->run == oauth_register)
        return 0; /* JSON */
    if (req->body.n && !is_form(req->content_type))
        return err_set(&o->err, ERR_VALUE,
                       "the parameters are sent as application/x-www-form-urlencoded");
    return form_parse(o->a, req->body, &o->form, &o->err);
}

void oauth_handle(struct trust *t, struct arena *a, const struct oauth_request *request,
                  struct oauth_reply *ret)
{
    const struct endpoint *e = find(request->path);
    struct oauth o = {.t = t, .a = a, .req = request, .reply = ret, .now_ms = clock_now_ms()};
    int r;

    *ret = (struct oauth_reply){.body = sb_make(OAUTH_REPLY_MAX)};
    if (e && e->is & FROM_PAGES)
        oauth_header(&o, "Access-Control-Allow-Origin", STR("*"));
    if (!e) {
        oauth_error(&o, 404, "invalid_request", "there is no such path");
        return;
    }
    if (!(e->is & (request->is_post ? POST : GET))) {
        oauth_header(&o, "Allow", e->is & POST ? STR("POST") : STR("GET"));
        oauth_error(&o, 405, "invalid_request", "this method is not allowed here");
        return;
    }
    r = read_fields(&o, e);
    if (e->is & AUDITED && request->is_post)
        ret->trace = (struct oauth_trace){
            .what = AUDIT_GRANT, .operation = str_from(request->path, sizeof OAUTH_PREFIX - 1)};
    if (r < 0)
        oauth_failed(&o, r, "invalid_request");
    else
        e->run(&o);
    if (!ret->trace.client.n)
        ret->trace.client = form_get(&o.form, "client_id");
}
