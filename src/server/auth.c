/* auth.c - between HTTP and trust: who asks, and the authorisation server's own paths. */
#include "server/auth.h"

#include "base/b64.h"
#include "server/audit_note.h"
#include "server/portal.h"
#include "trust/eid.h"
#include "trust/oauth.h"
#include "trust/own.h"
#include "trust/policy.h"

/* ---- who asks ---- */

/* As tokens are bound to it (RFC 8705, 3.1); .p NULL: the client showed none. */
static struct str thumbprint(struct http_exchange *x)
{
    const struct http_certificate *c = http_certificate(x);
    _cleanup_(sb_done) struct sb text = sb_make(SECRET_TEXT_MAX);

    if (!c)
        return STR_NULL;
    b64url_encode(&text, str_n((const char *)c->sha256, sizeof c->sha256));
    return text.failed ? STR_NULL : arena_dup(http_arena(x), sb_view(&text));
}

int auth_who(struct server *s, struct http_exchange *x, struct access *ret, struct err *err)
{
    const struct http_request *req = http_request(x);
    struct trust_proof proof = {.authorization = http_header(x, "Authorization"),
                                .dpop = http_header(x, "DPoP"),
                                .x5t = thumbprint(x),
                                .method = req->method_name};
    const struct identity *i;
    int r;

    if (proof.dpop.p) {
        proof.url = arena_join(http_arena(x), (const struct str[]){s->root, req->path}, 2);
        if (!proof.url.p)
            return err_no_memory(err);
    }
    r = trust_who(s->trust, &proof, &i, err);
    if (r >= 0)
        *ret = trust_granted(s->trust, i);
    return r;
}

void auth_refuse(struct server *s, struct http_exchange *x, struct err *err)
{
    audit_note_refused(s, x, err);
    if (err->code == ERR_LOGIN)
        http_reply_header(x, "WWW-Authenticate", str_c(err->where));
    err->where[0] = '\0';
    http_reply_err(x, err);
}

/* ---- the authorisation server ---- */

static void send(struct http_exchange *x, struct oauth_reply *reply)
{
    for (size_t i = 0; i < reply->n_headers; i++)
        if (reply->headers[i].value.p)
            http_reply_header(x, reply->headers[i].name, reply->headers[i].value);
    http_reply(x, reply->status, reply->type, &reply->body);
}

static void answer_outside(void *ctx, struct http_exchange *x);

static void refuse_busy(struct http_exchange *x)
{
    struct err err;

    err_set(&err, ERR_BUSY, "the node has more work queued than it can take");
    http_reply_err(x, &err);
}

static void work_outside(struct server *s, struct http_exchange *x)
{
    if (!outside_work(&s->outside, x, answer_outside, s))
        refuse_busy(x);
}

static void answer_there(struct server *s, struct http_exchange *x, bool may_ask)
{
    const struct http_request *req = http_request(x);
    struct oauth_request ask = {.is_post = req->method == HTTP_POST,
                                .is_tls = req->is_tls,
                                .may_ask = may_ask,
                                .path = req->path,
                                .query = req->query,
                                .body = req->body,
                                .content_type = http_header(x, "Content-Type"),
                                .authorization = http_header(x, "Authorization"),
                                .dpop = http_header(x, "DPoP"),
                                .cookie = http_header(x, "Cookie"),
                                .origin = http_header(x, "Origin"),
                                .accept_language = http_header(x, "Accept-Language")};
    const struct http_certificate *certificate = http_certificate(x);
    struct oauth_reply reply;
    struct err err;

    ask.x5t = thumbprint(x);
    if (certificate && certificate->is_verified)
        ask.subject = str_c(certificate->subject);
    oauth_handle(s->trust, http_arena(x), &ask, &reply);
    if (reply.asks) {
        sb_done(&reply.body);
        work_outside(s, x);
        return;
    }
    if (audit_note_grant(s, x, &reply, &err) >= 0) {
        send(x, &reply);
        return;
    }
    sb_done(&reply.body);
    http_reply_err(x, &err);
}

static void answer(void *ctx, struct http_exchange *x)
{
    answer_there(ctx, x, false);
}

static void answer_outside(void *ctx, struct http_exchange *x)
{
    answer_there(ctx, x, true);
}

/* Pages of other origins may ask what takes no cookies; the browser asks first whether. */
static void preflight(struct http_exchange *x)
{
    struct sb none = sb_make(1);

    http_reply_header(x, "Access-Control-Allow-Origin", STR("*"));
    http_reply_header(x, "Access-Control-Allow-Methods", STR("GET, POST"));
    http_reply_header(x, "Access-Control-Allow-Headers", STR("Authorization, Content-Type, DPoP"));
    http_reply_header(x, "Access-Control-Max-Age", STR("86400"));
    http_reply(x, 204, NULL, &none);
}

bool auth_handle(struct server *s, struct http_exchange *x)
{
    const struct http_request *req = http_request(x);
    struct err err;

    if (!oauth_has(req->path))
        return false;
    if (req->method == HTTP_OPTIONS) {
        preflight(x);
    } else if (req->method != HTTP_GET && req->method != HTTP_POST && req->method != HTTP_HEAD) {
        err_set(&err, ERR_METHOD, "this method is not allowed here");
        http_reply_err(x, &err);
    } else if (oauth_asks(req->path)) {
        work_outside(s, x);
    } else if (!http_work(x, answer, s)) {
        refuse_busy(x);
    }
    return true;
}

/* ---- where the node is ---- */

#define FHIR_PATH "/fhir"

int auth_root(struct server *s, int port, struct err *err)
{
    struct str base = s->api_config.base_url, host = str_c(s->config->listen);
    const char *scheme = s->config->tls_cert ? "https" : "http";
    ptrdiff_t colon = str_rfind(host, ':');
    int n;

    if (base.n) {
        if (!str_ends(base, STR(FHIR_PATH)))
            return err_set(err, ERR_VALUE,
                           "the base URL of a node that asks who is there ends in "
                           "/fhir");
        n = snprintf(s->root_text, sizeof s->root_text, "%.*s",
                     (int)(base.n - (sizeof FHIR_PATH - 1)), base.p);
    } else {
        host = colon < 0 ? host : str_head(host, (size_t)colon);
        n = snprintf(s->root_text, sizeof s->root_text, "%s://%.*s:%d", scheme, STR_ARG(host),
                     port);
    }
    if (n < 0 || (size_t)n >= sizeof s->root_text - sizeof FHIR_PATH)
        return err_set(err, ERR_VALUE, "the base URL is longer than %zu bytes",
                       sizeof s->root_text);
    s->root = str_n(s->root_text, (size_t)n);
    return 0;
}

int auth_start(struct server *s, struct err *err)
{
    _cleanup_(sb_done) struct sb policy = sb_make(POLICY_BYTES_MAX), eid = sb_make(EID_CONFIG_MAX);
    char fhir[SERVER_ROOT_MAX];
    struct trust_config config = {.root = s->root,
                                  .policy = policy_default(),
                                  .world = server_world_table(s->world),
                                  .teller = s->config->notify ? &s->notices.teller : NULL,
                                  .wire = &s->outside.wire,
                                  .has_certificates = s->config->tls_client_ca};
    int r = s->config->policy ? sb_load(&policy, s->config->policy, err) : 0;

    if (r >= 0 && s->config->eid)
        r = sb_load(&eid, s->config->eid, err);
    if (r < 0)
        return r;
    if (s->config->eid)
        config.eid = sb_view(&eid);
    if (s->config->policy)
        config.policy = sb_view(&policy);

    snprintf(fhir, sizeof fhir, "%.*s" FHIR_PATH, STR_ARG(s->root));
    config.fhir = str_c(fhir);
    r = trust_new(s->store, &config, &s->trust, err);
    return r < 0 || !portal_n_files ? r : own_client_put(s->trust, err);
}
