/* eid_step.c - to a provider of identities, and back (OpenID Connect Core, 3.1).
 *
 * What leaves with the person is remembered under `state`, a ticket that is good once, in the
 * browser where it began, and for one provider: its own redirect URI, and its `iss` where it says
 * one (RFC 9700, 4.4), so that no provider can pass its answer off as another's.
 */
#include "trust/account_int.h"
#include "trust/eid_int.h"

#include "base/log.h"

#define UNDER_WAY_MS BROWSER_PENDING_MS
#define VALUE_MAX 4096 /* of a code */

/* A sign-in that is under way elsewhere. */
struct under_way {
    struct str provider, browser, nonce, verifier;
    struct str at;      /* ticket of the authorisation that it is for; or empty, and then … */
    struct str account; /* … the account that it is to be connected to */
    int64_t max_age_ms; /* -1: any */
};
static const struct field under_way_fields[] = {
    {"provider", FIELD_STR, offsetof(struct under_way, provider)},
    {"browser", FIELD_STR, offsetof(struct under_way, browser)},
    {"nonce", FIELD_STR, offsetof(struct under_way, nonce)},
    {"verifier", FIELD_STR, offsetof(struct under_way, verifier)},
    {"at", FIELD_STR, offsetof(struct under_way, at)},
    {"account", FIELD_STR, offsetof(struct under_way, account)},
    {"maxAge", FIELD_I64, offsetof(struct under_way, max_age_ms)},
};
static const struct shape under_way_shape = SHAPE(under_way);

/* ---- what the person is told, and what is kept of it ---- */

static enum page_text text_of(int r)
{
    switch (r) {
    case ERR_LOGIN: return TEXT_EID_WRONG;
    case ERR_FORBIDDEN: return TEXT_EID_WEAK;
    case ERR_NOT_FOUND: return TEXT_EID_NOBODY;
    case ERR_DUPLICATE: return TEXT_EID_OTHER;
    default: return TEXT_EID_AWAY;
    }
}

static void problem_page(struct oauth *o, enum page_text problem)
{
    struct page_out p;

    page_begin(&p, o, STR(""), TEXT_ERROR);
    page_problem(&p, problem);
    page_end(&p, 400, STR_NULL);
}

/* The reason goes to the log and the audit, and to the person only what they can do. */
static void fail(struct oauth *o, const struct under_way *u, int r, enum page_text problem)
{
    struct oauth_trace *trace = &o->reply->trace;
    struct str operation = arena_fmt(o->a, "eid %.*s: %s", STR_ARG(u->provider), o->err.text);
    struct err said;

    err_set(&said, r, "%.*s: %s", (int)MIN(u->provider.n, (size_t)EID_ID_MAX), u->provider.p,
            o->err.text);
    log_err(LOG_WARN, LOG_EID, &said);
    trace->what = AUDIT_LOGIN;
    trace->operation = operation.p ? operation : STR("eid");
    trace->user = u->account.n ? u->account : trace->user;
    trace->status = err_http_status(r);
    if (u->at.n)
        authorize_unproven(o, u->at, problem);
    else if (u->account.n)
        account_page(o, problem);
    else
        problem_page(o, problem);
}

/* ---- there ---- */

static struct str back_of(struct oauth *o, const struct eid_provider *p)
{
    return arena_join(o->a, (const struct str[]){o->t->root, STR(EID_BACK), p->id}, 3);
}

struct begin {
    const struct under_way *u;
    int64_t now_ms;
    struct ticket state;
};

static int begin_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct begin *b = ctx;

    return token_put(txn, RECORD_EID, &under_way_shape, b->u, b->now_ms + UNDER_WAY_MS, &b->state,
                     err);
}

static int write_url(struct oauth *o, const struct eid_provider *p, const struct under_way *u,
                     struct str authorize, struct str state, struct str locale, bool again,
                     struct str *ret)
{
    _cleanup_(sb_done) struct sb url = sb_make(KIB(16));
    struct str back = back_of(o, p);
    char challenge[SECRET_TEXT_MAX];
    bool first = true;
    int r;

    if (!back.p)
        return err_no_memory(&o->err);
    sha256_b64url(u->verifier, challenge);
    sb_str(&url, authorize);
    sb_char(&url, str_find(authorize, '?') < 0 ? '?' : '&');
    form_write(&url, &first, "response_type", STR("code"));
    form_write(&url, &first, "client_id", p->client);
    form_write(&url, &first, "redirect_uri", back);
    form_write(&url, &first, "scope", p->scope);
    form_write(&url, &first, "state", state);
    form_write(&url, &first, "nonce", u->nonce);
    form_write(&url, &first, "code_challenge", str_c(challenge));
    form_write(&url, &first, "code_challenge_method", STR("S256"));
    if (p->acr_values.n)
        form_write(&url, &first, "acr_values", p->acr_values);
    if (locale.n)
        form_write(&url, &first, "ui_locales", locale);
    if (again)
        form_write(&url, &first, "prompt", STR("login"));
    if (u->max_age_ms >= 0) {
        struct str age = arena_fmt(o->a, "%lld", (long long)(u->max_age_ms / 1000));

        form_write(&url, &first, "max_age", age.p ? age : STR("0"));
    }
    if ((r = sb_ok(&url, &o->err)) < 0)
        return r;
    *ret = arena_dup(o->a, sb_view(&url));
    return ret->p ? 0 : err_no_memory(&o->err);
}

/* Fills what is fresh of *u, keeps it, and says where to go. */
static int go(struct oauth *o, const struct eid_provider *p, struct under_way *u, struct str locale,
              bool again, struct str *ret)
{
    struct begin b = {.u = u, .now_ms = o->now_ms};
    char nonce[SECRET_TEXT_MAX], verifier[SECRET_TEXT_MAX];
    struct eid_endpoints at;
    int r = eid_discover(o, p, &at);

    if (r < 0)
        return r;
    secret_new(nonce);
    secret_new(verifier);
    u->provider = p->id;
    u->nonce = str_c(nonce);
    u->verifier = str_c(verifier);
    r = record_commit(o->t->store, begin_run, &b, &o->err);
    return r < 0 ? r : write_url(o, p, u, at.authorize, str_c(b.state.text), locale, again, ret);
}

void oauth_eid(struct oauth *o)
{
    struct str id = form_get(&o->form, "provider"), url;
    const struct eid_provider *p = id.p ? eid_find(o->t->eid, id) : NULL;
    struct under_way u = {.at = form_get(&o->form, "at"), .max_age_ms = -1};
    struct asked asked;
    int r;

    if (!p || !u.at.p || !authorize_pending(o, u.at, &asked)) {
        problem_page(o, TEXT_ENDED);
        return;
    }
    u.provider = p->id;
    u.browser = asked.browser;
    if (asked.max_age)
        u.max_age_ms = (asked.max_age - 1) * 1000;
    r = go(o, p, &u, asked.locale, str_eq(asked.prompt, STR("login")), &url);
    if (r < 0)
        fail(o, &u, r, text_of(r));
    else
        oauth_redirect(o, url);
}

int eid_connect(struct oauth *o, const struct eid_provider *p, struct str account, struct str *ret)
{
    struct under_way u = {.account = account, .browser = browser_hash(o, true), .max_age_ms = -1};

    return u.browser.p ? go(o, p, &u, STR(""), false, ret) : err_no_memory(&o->err);
}

struct str eid_leave(struct oauth *o, struct str provider)
{
    const struct eid_provider *p = eid_find(o->t->eid, provider);
    _cleanup_(sb_done) struct sb url = sb_make(KIB(8));
    struct str to = arena_join(o->a, (const struct str[]){o->t->root, STR("/")}, 2), ret;
    struct eid_endpoints at;
    bool first = true;

    if (!p || !p->logout || !to.p || eid_discover(o, p, &at) < 0 || !at.leave.n)
        return STR("");
    sb_str(&url, at.leave);
    sb_char(&url, str_find(at.leave, '?') < 0 ? '?' : '&');
    form_write(&url, &first, "client_id", p->client);
    form_write(&url, &first, "post_logout_redirect_uri", to);
    ret = url.failed ? STR_NULL : arena_dup(o->a, sb_view(&url));
    return ret.p ? ret : STR("");
}

/* ---- and back ---- */

struct taking {
    struct arena *a;
    const char *name;
    struct under_way *u;
};

/* Good once, whatever comes of it. */
static int take_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct taking *t = ctx;
    int r = record_get(txn, RECORD_EID, str_c(t->name), t->a, &under_way_shape, t->u, err);

    return r < 0 ? r : record_drop(txn, RECORD_EID, str_c(t->name), err);
}

/* The sign-in that this answer is for. */
static int take(struct oauth *o, struct under_way *u)
{
    struct str state = form_get(&o->form, "state"), browser = browser_hash(o, false);
    char name[TICKET_NAME_MAX];
    struct taking t = {o->a, name, u};
    int r = ERR_NOT_FOUND;

    if (state.p && browser.p && ticket_name(state, o->now_ms, name))
        r = record_commit(o->t->store, take_run, &t, &o->err);
    if (r == ERR_NOT_FOUND || (r >= 0 && !secret_eq(u->browser, browser))) {
        *u = (struct under_way){.provider = str_from(o->req->path, sizeof EID_BACK - 1)};
        return err_set(&o->err, ERR_LOGIN, "no sign-in is under way that it answers (state)");
    }
    return r;
}

/* Whether whom it comes from is whom the person was sent to. */
static int check_sender(struct oauth *o, const struct eid_provider *p,
                        const struct eid_endpoints *at)
{
    struct str iss = form_get(&o->form, "iss");

    if (iss.p ? !str_eq(iss, p->issuer) : at->says_iss)
        return err_set(&o->err, ERR_LOGIN, "the answer is another provider's (iss)");
    return 0;
}

static int read_answer(struct oauth *o, const struct under_way *u, struct eid_answer *ret)
{
    struct str id = str_from(o->req->path, sizeof EID_BACK - 1);
    const struct eid_provider *p = eid_find(o->t->eid, u->provider);

    if (!p || !str_eq(id, p->id))
        return err_set(&o->err, ERR_LOGIN, "the answer came to another provider's address");
    *ret = (struct eid_answer){
        .code = form_get(&o->form, "code"),
        .verifier = u->verifier,
        .redirect = back_of(o, p),
        .want = {
            .provider = p, .nonce = u->nonce, .now_ms = o->now_ms, .max_age_ms = u->max_age_ms}};
    return ret->redirect.p ? 0 : err_no_memory(&o->err);
}

static int check_code(struct oauth *o, const struct eid_answer *answer)
{
    if (form_get(&o->form, "error").p)
        return err_set(&o->err, ERR_LOGIN, "the provider says that nobody signed in");
    return !answer->code.p || answer->code.n > VALUE_MAX
               ? err_set(&o->err, ERR_LOGIN, "the answer has no code")
               : 0;
}

/* Who connects has to be signed in still, as the same. */
static int check_session(struct oauth *o, const struct under_way *u)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_system();
    struct session session;

    if (!u->account.n)
        return 0;
    if (store_begin(o->t->store, &who, &txn, &o->err) >= 0 && browser_session(o, txn, &session) &&
        str_eq(session.account, u->account))
        return 0;
    return err_set(&o->err, ERR_LOGIN, "who wanted to connect it is not signed in any more");
}

static int prove(struct oauth *o, const struct under_way *u, struct eid_person *person,
                 struct eid_said *said)
{
    struct eid_endpoints at;
    struct eid_answer answer;
    int r = read_answer(o, u, &answer);

    if (r >= 0)
        r = eid_discover(o, answer.want.provider, &at);
    if (r >= 0)
        r = check_sender(o, answer.want.provider, &at);
    if (r >= 0)
        r = check_code(o, &answer);
    if (r >= 0)
        r = check_session(o, u);
    if (r >= 0)
        r = eid_redeem(o, &at, &answer, said);
    if (r < 0)
        return r;
    *person = (struct eid_person){
        .o = o, .provider = answer.want.provider, .said = said, .connect = u->account};
    r = eid_person_find(person);
    if (r >= 0)
        r = eid_person_link(person);
    return r >= 0 && person->account.disabled
               ? err_set(&o->err, ERR_NOT_FOUND, "the account is disabled")
               : r;
}

void oauth_eid_back(struct oauth *o)
{
    struct under_way u = {.provider = STR("")};
    struct eid_person person;
    struct eid_said said;
    int r = take(o, &u);

    o->reply->trace = (struct oauth_trace){
        .what = AUDIT_LOGIN, .operation = STR("eid"), .user = u.account.n ? u.account : u.provider};
    if (r >= 0)
        r = prove(o, &u, &person, &said);
    if (r < 0) {
        fail(o, &u, r,
             form_get(&o->form, "error").p && r == ERR_LOGIN ? TEXT_EID_REFUSED : text_of(r));
        return;
    }
    o->reply->trace.operation = arena_fmt(o->a, "eid %.*s", STR_ARG(u.provider));
    o->reply->trace.user = person.account.id;
    if (u.account.n)
        account_page(o, PAGE_TEXT_COUNT);
    else
        authorize_proven(o, u.at, &person.account, said.assurance, u.provider);
}
