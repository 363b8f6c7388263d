/* authorize.c - the authorisation endpoint (RFC 6749 4.1, SMART App Launch): from a client's
 * request to the first page, or straight back.
 */
#include "trust/authorize.h"

#include "base/clock.h"

#define PUSHED_PREFIX "urn:ietf:params:oauth:request_uri:"
#define PUSHED_MS INT64_C(60000)

/* ---- back to the client ---- */

void authorize_error_page(struct oauth *o, const char *text)
{
    struct page_out p;

    page_begin(&p, o, STR(""), TEXT_ERROR);
    page_paragraph(&p, TEXT_ERROR_HELP);
    sb_lit(p.out, "<p lang=\"en\" dir=\"ltr\">");
    sb_html(p.out, str_c(text));
    sb_lit(p.out, "</p>");
    page_end(&p, 400, STR_NULL);
}

/* `iss` tells the client which server answered (RFC 9207). */
void authorize_back(struct oauth *o, const struct asked *asked, const char *name, struct str value,
                    const char *text)
{
    _cleanup_(sb_done) struct sb url = sb_make(KIB(16));
    bool first = true;

    sb_str(&url, asked->redirect);
    sb_char(&url, str_find(asked->redirect, '?') < 0 ? '?' : '&');
    form_write(&url, &first, name, value);
    if (text)
        form_write(&url, &first, "error_description", str_c(text));
    if (asked->state.n)
        form_write(&url, &first, "state", asked->state);
    form_write(&url, &first, "iss", o->t->root);
    oauth_redirect(o, arena_dup(o->a, sb_view(&url)));
}

/* ---- pushed requests (RFC 9126) ---- */

void oauth_par(struct oauth *o)
{
    char seen[TICKET_NAME_MAX];
    struct client client;
    struct asked asked;
    int r;

    if (!client_auth(o, &client, seen))
        return;
    if (form_get(&o->form, "request_uri").p) {
        oauth_error(o, 400, "invalid_request", "a pushed request has no request_uri");
        return;
    }
    r = asked_read(o, &o->form, &client, &asked);
    if (r < 0)
        oauth_failed(o, r, o->err.where[0] ? o->err.where : "invalid_request");
    else
        authorize_push(o, &asked, seen);
}

struct push {
    const struct asked *asked;
    const char *seen;
    int64_t now_ms;
    struct ticket ticket;
};

static int push_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct push *p = ctx;
    int r = client_auth_keep(txn, p->seen, err);

    return r < 0 ? r
                 : token_put(txn, RECORD_PUSHED, &asked_shape, p->asked, p->now_ms + PUSHED_MS,
                             &p->ticket, err);
}

void authorize_push(struct oauth *o, const struct asked *asked, const char *seen)
{
    struct push p = {.asked = asked, .seen = seen, .now_ms = o->now_ms};
    int r = record_commit(o->t->store, push_run, &p, &o->err);

    if (r == ERR_LOGIN) {
        oauth_error(o, 401, "invalid_client", o->err.text);
        return;
    }
    if (r < 0) {
        oauth_failed(o, r, "invalid_request");
        return;
    }
    sb_fmt(&o->reply->body, "{\"request_uri\":\"%s%s\",\"expires_in\":%d}", PUSHED_PREFIX,
           p.ticket.text, (int)(PUSHED_MS / 1000));
    oauth_json(o, 201);
}

/* ---- the request ---- */

static int read_pushed(struct oauth *o, struct store_txn *txn, struct str uri,
                       const struct client *client, struct asked *ret)
{
    char name[TICKET_NAME_MAX];
    int r = ERR_NOT_FOUND;

    if (str_starts(uri, STR(PUSHED_PREFIX)) &&
        ticket_name(str_from(uri, sizeof PUSHED_PREFIX - 1), o->now_ms, name))
        r = record_get(txn, RECORD_PUSHED, str_c(name), o->a, &asked_shape, ret, &o->err);
    if (r == ERR_NOT_FOUND || (r >= 0 && !str_eq(ret->client, client->id)))
        return err_at(&o->err, ERR_VALUE, "", "request_uri is not known or has ended");
    return r;
}

/* An EHR launch: the context that the launching system put down for us. */
static int take_launch(struct oauth *o, struct store_txn *txn, struct asked *asked)
{
    struct launch launch;
    char name[TICKET_NAME_MAX];
    int r = ERR_NOT_FOUND;

    if (!asked->launch.n)
        return 0;
    if (ticket_name(asked->launch, o->now_ms, name))
        r = record_get(txn, RECORD_LAUNCH, str_c(name), o->a, &launch_shape, &launch, &o->err);
    if (r == ERR_NOT_FOUND || (r >= 0 && launch.client.n && !str_eq(launch.client, asked->client)))
        return err_at(&o->err, ERR_VALUE, "invalid_request",
                      "the launch is not known or has ended");
    if (r < 0)
        return r;
    asked->patient = launch.patient;
    asked->encounter = launch.encounter;
    return 0;
}

/* The session counts unless the client asks for a fresh look at the person. */
static void take_session(struct oauth *o, struct store_txn *txn, struct asked *asked)
{
    struct session session;

    if (!browser_session(o, txn, &session) || str_eq(asked->prompt, STR("login")) ||
        (asked->max_age && session.signed_in_ms + (asked->max_age - 1) * 1000 <= o->now_ms))
        return;
    asked->account = session.account;
    asked->signed_in_ms = session.signed_in_ms;
    asked->assurance = session.assurance;
}

struct begin {
    const struct asked *asked;
    struct str pushed; /* name of its record, to be dropped */
    int64_t now_ms;
    struct ticket ticket;
};

static int begin_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct begin *b = ctx;
    int r = b->pushed.n ? record_drop(txn, RECORD_PUSHED, b->pushed, err) : 0;

    return r < 0 ? r
                 : token_put(txn, RECORD_PENDING, &asked_shape, b->asked,
                             b->now_ms + BROWSER_PENDING_MS, &b->ticket, err);
}

static int read_request(struct oauth *o, struct store_txn *txn, const struct client *client,
                        struct asked *ret)
{
    struct str uri = form_get(&o->form, "request_uri");
    int r;

    if (client->pushed && !uri.p)
        return err_at(&o->err, ERR_VALUE, "", "this client has to push its requests");
    r = uri.p ? read_pushed(o, txn, uri, client, ret) : asked_read(o, &o->form, client, ret);
    if (r >= 0)
        r = take_launch(o, txn, ret);
    if (r >= 0)
        take_session(o, txn, ret);
    return r;
}

/* The request is right: the first page, in this browser. */
static void begin(struct oauth *o, struct asked *asked, const struct client *client)
{
    struct begin b = {.asked = asked, .now_ms = o->now_ms};
    struct str uri = form_get(&o->form, "request_uri");
    char name[TICKET_NAME_MAX], question[SECRET_TEXT_MAX];
    int r;

    if (uri.p && ticket_name(str_from(uri, sizeof PUSHED_PREFIX - 1), o->now_ms, name))
        b.pushed = str_c(name);
    if (str_eq(asked->prompt, STR("none"))) {
        authorize_back(o, asked, "error",
                       asked->account.n ? STR("interaction_required") : STR("login_required"),
                       "the person has to be asked");
        return;
    }
    secret_new(question);
    asked->passkey = str_c(question);
    asked->browser = browser_hash(o, true);
    r = asked->browser.p ? record_commit(o->t->store, begin_run, &b, &o->err)
                         : err_no_memory(&o->err);
    if (r < 0)
        authorize_back(o, asked, "error", STR("temporarily_unavailable"), "the node is busy");
    else
        authorize_page(o, asked, client, str_c(b.ticket.text), PAGE_TEXT_COUNT);
}

void oauth_authorize(struct oauth *o)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_system();
    struct str id = form_get(&o->form, "client_id");
    struct asked asked = {0};
    struct client client;
    int r = store_begin(o->t->store, &who, &txn, &o->err);

    if (r >= 0)
        r = client_get(txn, id.p ? id : STR(""), o->a, &client, &o->err);
    if (r < 0 || client.disabled || !client.approved) {
        authorize_error_page(o, "client_id: the client is not known, or not approved yet");
        return;
    }
    r = read_request(o, txn, &client, &asked);
    store_end(txn);
    txn = NULL;
    if (r >= 0)
        begin(o, &asked, &client);
    else if (!o->err.where[0] || !asked.redirect.n)
        authorize_error_page(o, o->err.text);
    else
        authorize_back(o, &asked, "error", arena_dup(o->a, str_c(o->err.where)), o->err.text);
}
