/* step.c - the pages of an authorisation: who, a code, a patient, the approval, and back. */
#include "trust/authorize.h"

#include "base/rng.h"
#include "trust/allow.h"
#include "trust/passkey_page.h"

/* A pending request and what one step changes of it. */
struct step {
    struct oauth *o;
    char name[TICKET_NAME_MAX]; /* of the pending record */
    struct str at;
    struct asked asked;
    struct client client;
    struct smart_scopes scopes;
    struct ticket session, code;
    struct str place; /* of has_session */
    bool has_session;
};

/* ---- what can be given ---- */

static struct str own_patient(const struct account *account)
{
    return str_starts(account->fhir_user, STR("Patient/")) ? str_from(account->fhir_user, 8)
                                                           : STR("");
}

int authorize_scopes(struct oauth *o, struct store_txn *txn, struct asked *asked,
                     struct smart_scopes *ret)
{
    struct smart_scopes wanted, most;
    struct account account;
    unsigned words;
    int r = account_get(txn, asked->account, o->a, &account, &o->err);

    if (r >= 0 && account.disabled)
        r = err_set(&o->err, ERR_LOGIN, "the account is disabled");
    if (r >= 0 && asked->signed_in_ms < account.since_ms)
        r = err_set(&o->err, ERR_LOGIN, "the person signed out everywhere");
    if (r < 0 || (r = smart_parse(o->a, asked->scope, &wanted, &o->err)) < 0 ||
        (r = smart_parse(o->a, account_role_scopes(account.role), &most, &o->err)) < 0)
        return r;
    words = wanted.words;
    if ((r = smart_both(o->a, &wanted, &most, ret, &o->err)) < 0)
        return r;
    ret->words = words; /* who one is, and for how long, is anybody's to tell */
    if (str_eq(account.role, STR("patient"))) {
        asked->patient = own_patient(&account);
        if (!asked->patient.n)
            smart_drop(ret, SMART_PATIENT);
    }
    return 0;
}

bool authorize_needs_patient(const struct asked *asked, const struct smart_scopes *scopes)
{
    return !asked->patient.n &&
           (scopes->words & SMART_LAUNCH_PATIENT || smart_has(scopes, SMART_PATIENT));
}

/* ---- the approval ---- */

static void say_scope(struct page_out *p, const struct smart_scope *s)
{
    sb_lit(p->out, "<li>");
    if (s->rights & (SMART_R | SMART_S))
        page_text(p, TEXT_READ);
    if (s->rights & (SMART_C | SMART_U | SMART_D)) {
        if (s->rights & (SMART_R | SMART_S))
            sb_lit(p->out, ", ");
        page_text(p, TEXT_CHANGE);
    }
    sb_lit(p->out, ": <bdi>");
    if (s->type)
        sb_html(p->out, def_resource_name(s->type));
    else
        page_text(p, TEXT_EVERYTHING);
    sb_lit(p->out, "</bdi>");
    if (s->query.n) {
        sb_char(p->out, ' ');
        page_text(p, TEXT_ONLY);
        sb_lit(p->out, " <bdi>");
        sb_html(p->out, s->query);
        sb_lit(p->out, "</bdi>");
    }
    sb_lit(p->out, "</li>");
}

static void say_word(struct page_out *p, enum page_text text)
{
    sb_lit(p->out, "<li>");
    page_text(p, text);
    sb_lit(p->out, "</li>");
}

static void approve_page(struct oauth *o, const struct asked *asked, const struct client *client,
                         const struct smart_scopes *scopes, struct str at)
{
    struct page_out p;

    page_begin(&p, o, asked->locale, TEXT_APPROVE);
    sb_lit(p.out, "<p><strong><bdi>");
    sb_html(p.out, client->name);
    sb_lit(p.out, "</bdi></strong> ");
    page_text(&p, TEXT_ASKS);
    sb_lit(p.out, "</p><ul>");
    for (size_t i = 0; i < scopes->n; i++)
        say_scope(&p, &scopes->v[i]);
    if (scopes->words & (SMART_OPENID | SMART_FHIR_USER | SMART_PROFILE))
        say_word(&p, TEXT_WHO);
    if (scopes->words & SMART_OFFLINE)
        say_word(&p, TEXT_OFFLINE);
    sb_lit(p.out, "</ul>");
    if (asked->patient.n) {
        sb_lit(p.out, "<p>");
        page_text(&p, TEXT_FOR);
        sb_lit(p.out, " <bdi>");
        sb_html(p.out, asked->patient);
        sb_lit(p.out, "</bdi></p>");
    }
    page_form(&p, "/auth/step", at, NULL);
    page_button(&p, "do", "approve", TEXT_ALLOW);
    page_button(&p, "do", "deny", TEXT_DENY);
    page_form_end(&p);
    page_end(&p, 200, asked->redirect);
}

/* ---- the page that comes next ---- */

static void step_approve(struct step *s);

static void ended_page(struct oauth *o)
{
    struct page_out p;

    page_begin(&p, o, STR(""), TEXT_ERROR);
    page_paragraph(&p, TEXT_ENDED);
    page_end(&p, 400, STR_NULL);
}

/* The node's own app is let in by signing in. */
static void approve_own(struct oauth *o, const struct asked *asked, const struct client *client,
                        struct str at)
{
    struct step s = {.o = o, .at = at, .asked = *asked, .client = *client};

    if (o->reply->trace.what == AUDIT_OTHER)
        o->reply->trace = (struct oauth_trace){.what = AUDIT_GRANT,
                                               .operation = STR("approve"),
                                               .user = asked->account,
                                               .client = client->id};
    if (ticket_name(at, o->now_ms, s.name))
        step_approve(&s);
    else
        ended_page(o);
}

/* A link, not a form: where it leads stands in no policy of this page (CSP, form-action). */
static void say_provider(struct page_out *p, const struct eid_provider *provider, struct str at)
{
    struct str url = arena_fmt(p->o->a, "%.*s/auth/eid?provider=%.*s&at=%.*s",
                               STR_ARG(p->o->t->root), STR_ARG(provider->id), STR_ARG(at));

    if (url.p)
        page_go(p, url, TEXT_EID_WITH, provider->names[p->language]);
}

static void sign_in_page(struct oauth *o, const struct asked *asked, struct str at,
                         enum page_text problem)
{
    struct page_out p;

    page_begin(&p, o, asked->locale, TEXT_SIGN_IN);
    if (problem != PAGE_TEXT_COUNT)
        page_problem(&p, problem);
    page_form(&p, "/auth/step", at, asked->waiting.n ? "code" : "password");
    if (asked->waiting.n) {
        page_field(&p, "code", TEXT_CODE, "text", "one-time-code", TEXT_CODE_HELP);
    } else {
        page_field(&p, "login", TEXT_LOGIN, "text", "username", PAGE_NO_HELP);
        page_field(&p, "password", TEXT_PASSWORD, "password", "current-password", PAGE_NO_HELP);
    }
    page_button(&p, NULL, NULL, TEXT_CONTINUE);
    page_form_end(&p);
    if (!asked->waiting.n)
        passkey_say_use(&p, asked, at);
    if (!asked->waiting.n && o->t->teller)
        page_link(&p, "/auth/forgot", TEXT_FORGOT);
    for (size_t i = 0; !asked->waiting.n && o->t->eid && i < o->t->eid->n; i++)
        say_provider(&p, &o->t->eid->v[i], at);
    page_end(&p, problem == PAGE_TEXT_COUNT ? 200 : 401, STR_NULL);
}

void authorize_page(struct oauth *o, const struct asked *asked, const struct client *client,
                    struct str at, enum page_text problem)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_system();
    struct asked copy = *asked;
    struct smart_scopes scopes;
    int r;

    if (!asked->account.n) {
        sign_in_page(o, asked, at, problem);
        return;
    }
    r = store_begin(o->t->store, &who, &txn, &o->err);
    if (r >= 0)
        r = authorize_scopes(o, txn, &copy, &scopes);
    store_end(txn);
    txn = NULL;
    if (r < 0)
        authorize_back(o, asked, "error", STR("access_denied"), o->err.text);
    else if (!scopes.n && !(scopes.words & SMART_OPENID))
        authorize_back(o, asked, "error", STR("invalid_scope"),
                       "none of these scopes can be given on behalf of this account");
    else if (authorize_needs_patient(&copy, &scopes))
        authorize_pick_page(o, asked, at, problem);
    else if (client->own)
        approve_own(o, &copy, client, at);
    else
        approve_page(o, &copy, client, &scopes, at);
}

/* ---- steps ---- */

/* The pending request of s->at, in the browser where it began. */
static bool load(struct step *s)
{
    struct oauth *o = s->o;
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_system();
    struct str browser = browser_hash(o, false);

    return s->at.p && browser.p && browser_is_ours(o) && ticket_name(s->at, o->now_ms, s->name) &&
           store_begin(o->t->store, &who, &txn, &o->err) >= 0 &&
           record_get(txn, RECORD_PENDING, str_c(s->name), o->a, &asked_shape, &s->asked,
                      &o->err) >= 0 &&
           secret_eq(s->asked.browser, browser) &&
           client_get(txn, s->asked.client, o->a, &s->client, &o->err) >= 0 && s->client.approved &&
           !s->client.disabled;
}

static int save_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct step *s = ctx;
    struct session session = {.account = s->asked.account,
                              .signed_in_ms = s->asked.signed_in_ms,
                              .assurance = s->asked.assurance,
                              .eid = s->asked.eid,
                              .until_ms = s->o->now_ms + BROWSER_SESSION_MS};
    int r = record_put(txn, RECORD_PENDING, str_c(s->name), &asked_shape, &s->asked, err);

    if (r < 0 || !s->has_session)
        return r;
    r = browser_session_new(txn, &session, &s->session, err);
    return r < 0 ? r : browser_place_keep(s->o, txn, s->asked.account, s->place, err);
}

/* Keeps the step's result and shows what comes next. */
static void go_on(struct step *s)
{
    struct oauth *o = s->o;

    if (record_commit(o->t->store, save_run, s, &o->err) < 0) {
        authorize_back(o, &s->asked, "error", STR("temporarily_unavailable"), "the node is busy");
        return;
    }
    if (s->has_session) {
        browser_session_set(o, &s->session);
        trust_told(o->t);
    }
    authorize_page(o, &s->asked, &s->client, s->at, PAGE_TEXT_COUNT);
}

static void not_signed_in(struct step *s, int r, enum page_text text)
{
    s->o->reply->trace.status = err_http_status(r);
    if (r == ERR_LOGIN || r == ERR_THROTTLED)
        authorize_page(s->o, &s->asked, &s->client, s->at, r == ERR_LOGIN ? text : TEXT_WAIT);
    else
        authorize_back(s->o, &s->asked, "error", STR("temporarily_unavailable"),
                       "the node is busy");
}

static void signed_in(struct step *s, struct str account, enum assurance assurance)
{
    s->o->reply->trace.user = account;
    s->asked.account = account;
    s->asked.waiting = STR("");
    s->asked.signed_in_ms = s->o->now_ms;
    s->asked.assurance = assurance;
    s->place = browser_place(s->o);
    s->has_session = s->place.p != NULL;
    if (s->has_session)
        go_on(s);
    else
        not_signed_in(s, ERR_NO_MEMORY, PAGE_TEXT_COUNT);
}

bool authorize_pending(struct oauth *o, struct str at, struct asked *ret)
{
    struct step s = {.o = o, .at = at};

    if (!load(&s))
        return false;
    *ret = s.asked;
    return true;
}

void authorize_proven(struct oauth *o, struct str at, const struct account *account,
                      enum assurance assurance, struct str eid)
{
    struct step s = {.o = o, .at = at};

    if (!load(&s)) {
        ended_page(o);
        return;
    }
    o->reply->trace.client = s.client.id;
    s.asked.eid = eid;
    if (account->totp.n && assurance < ASSURANCE_TWO_FACTORS) {
        s.asked.waiting = account->id;
        go_on(&s);
    } else {
        signed_in(&s, account->id, assurance);
    }
}

struct taking {
    struct step *s;
    struct str fresh, was;
};

static int take_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct taking *t = ctx;
    struct asked still;
    int r =
        record_get(txn, RECORD_PENDING, str_c(t->s->name), t->s->o->a, &asked_shape, &still, err);

    if (r < 0)
        return r;
    t->was = still.passkey;
    still.passkey = t->fresh;
    return record_put(txn, RECORD_PENDING, str_c(t->s->name), &asked_shape, &still, err);
}

bool authorize_take_challenge(struct oauth *o, struct str at, struct str fresh, struct str *ret)
{
    struct step s = {.o = o, .at = at};
    struct taking t = {.s = &s, .fresh = fresh};

    if (!fresh.p || !load(&s) || record_commit(o->t->store, take_run, &t, &o->err) < 0)
        return false;
    *ret = t.was;
    return t.was.n > 0;
}

void authorize_unproven(struct oauth *o, struct str at, enum page_text problem)
{
    struct step s = {.o = o, .at = at};

    if (!load(&s)) {
        ended_page(o);
        return;
    }
    o->reply->trace.client = s.client.id;
    authorize_page(o, &s.asked, &s.client, at, problem);
}

static struct str typed(const struct step *s, const char *name)
{
    struct str v = form_get(&s->o->form, name);

    return v.p ? v : STR("");
}

static void step_password(struct step *s)
{
    struct account account;
    enum signin next;
    struct oauth_trace *trace = &s->o->reply->trace;
    int r;

    trace->what = AUDIT_LOGIN;
    trace->user = typed(s, "login");
    r = signin_password(s->o->t->store, s->o->a, typed(s, "login"), typed(s, "password"), &account,
                        &next, &s->o->err);

    if (r < 0) {
        not_signed_in(s, r, TEXT_WRONG_PASSWORD);
    } else if (next == SIGNIN_TOTP) {
        trace->user = account.id;
        s->asked.waiting = account.id;
        go_on(s);
    } else {
        signed_in(s, account.id, ASSURANCE_PASSWORD);
    }
}

static int tell_recovery(void *ctx, struct store_txn *txn, const struct account *account,
                         struct err *err)
{
    const struct step *s = ctx;

    return trust_tell(s->o->t, txn, TOLD_RECOVERY, account, STR(""), err);
}

static void step_code(struct step *s)
{
    struct account account;
    const struct account_also tell = {tell_recovery, s};
    int r;

    s->o->reply->trace.what = AUDIT_LOGIN;
    s->o->reply->trace.user = s->asked.waiting;
    r = s->asked.waiting.n ? signin_code(s->o->t->store, s->o->a, s->asked.waiting,
                                         typed(s, "code"), &tell, &account, &s->o->err)
                           : err_set(&s->o->err, ERR_LOGIN, "no code was asked for");

    if (r >= 0)
        trust_told(s->o->t);
    if (r < 0)
        not_signed_in(s, r, TEXT_WRONG_CODE);
    else
        signed_in(s, account.id, ASSURANCE_TWO_FACTORS);
}

static void step_pick(struct step *s)
{
    struct oauth *o = s->o;
    struct str id = form_get(&o->form, "patient");
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_system();
    struct asked copy = s->asked;
    int r;

    if (!s->asked.account.n || !id.p) {
        authorize_page(o, &s->asked, &s->client, s->at, PAGE_TEXT_COUNT);
        return;
    }
    r = store_begin(o->t->store, &who, &txn, &o->err);
    if (r >= 0)
        r = authorize_scopes(o, txn, &copy, &s->scopes);
    if (r >= 0 && !authorize_needs_patient(&copy, &s->scopes))
        r = ERR_FORBIDDEN; /* one whose patient is settled cannot take another */
    if (r >= 0)
        r = authorize_picked(o, txn, &s->asked, id, &o->err);
    store_end(txn);
    txn = NULL;
    if (r >= 0)
        s->asked.patient = id;
    if (r >= 0)
        go_on(s);
    else
        authorize_page(o, &s->asked, &s->client, s->at, TEXT_NOBODY);
}

/* ---- approved ---- */

static int grant_of(struct step *s, struct store_txn *txn, struct grant *ret)
{
    _cleanup_(sb_done) struct sb scope = sb_make(SMART_TEXT_MAX);
    struct oauth *o = s->o;
    char uuid[UUID_TEXT_LEN + 1];
    int64_t life;
    int r = authorize_scopes(o, txn, &s->asked, &s->scopes);

    if (r < 0)
        return r;
    if (authorize_needs_patient(&s->asked, &s->scopes))
        return err_set(&o->err, ERR_FORBIDDEN, "no patient was chosen");
    uuid7(uuid);
    smart_write(&scope, &s->scopes);
    life = s->scopes.words & SMART_OFFLINE  ? TOKEN_OFFLINE_MS
           : s->scopes.words & SMART_ONLINE ? TOKEN_ONLINE_MS
                                            : TOKEN_APP_MS + TOKEN_CODE_MS;
    *ret = (struct grant){.id = arena_dup(o->a, str_c(uuid)),
                          .account = s->asked.account,
                          .client = s->client.id,
                          .scope = arena_dup(o->a, sb_view(&scope)),
                          .patient = s->asked.patient,
                          .encounter = s->asked.encounter,
                          .made_ms = o->now_ms,
                          .signed_in_ms = s->asked.signed_in_ms,
                          .until_ms = o->now_ms + life,
                          .assurance = s->asked.assurance};
    return scope.failed || !ret->id.p || !ret->scope.p ? err_no_memory(&o->err) : 0;
}

/* The pending request becomes a grant and a code, once. */
static int approve_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct step *s = ctx;
    struct code code = {.client = s->client.id,
                        .redirect = s->asked.redirect,
                        .challenge = s->asked.challenge,
                        .nonce = s->asked.nonce,
                        .jkt = s->asked.jkt};
    struct asked still;
    struct grant grant;
    int r = record_get(txn, RECORD_PENDING, str_c(s->name), s->o->a, &asked_shape, &still, err);

    if (r >= 0)
        r = record_drop(txn, RECORD_PENDING, str_c(s->name), err);
    if (r >= 0 && (r = grant_of(s, txn, &grant)) < 0)
        *err = s->o->err;
    if (r < 0)
        return r;
    code.grant = grant.id;
    r = grant_new(txn, &grant, err);
    return r < 0 ? r
                 : token_put(txn, RECORD_CODE, &code_shape, &code, s->o->now_ms + TOKEN_CODE_MS,
                             &s->code, err);
}

static void step_approve(struct step *s)
{
    struct oauth *o = s->o;
    int r;

    if (!s->asked.account.n) {
        o->reply->trace.status = 401;
        authorize_page(o, &s->asked, &s->client, s->at, PAGE_TEXT_COUNT);
        return;
    }
    r = record_commit(o->t->store, approve_run, s, &o->err);
    o->reply->trace.status = r < 0 ? err_http_status(r) : 0;
    if (r == ERR_NOT_FOUND)
        ended_page(o);
    else if (r < 0)
        authorize_back(
            o, &s->asked, "error",
            r == ERR_FORBIDDEN || r == ERR_LOGIN ? STR("access_denied") : STR("server_error"),
            r == ERR_FORBIDDEN || r == ERR_LOGIN ? o->err.text : "the node could not do this");
    else
        authorize_back(o, &s->asked, "code", str_c(s->code.text), NULL);
}

static int drop_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct step *s = ctx;

    return record_drop(txn, RECORD_PENDING, str_c(s->name), err);
}

static void step_deny(struct step *s)
{
    struct oauth *o = s->o;

    record_commit(o->t->store, drop_run, s, &o->err);
    authorize_back(o, &s->asked, "error", STR("access_denied"), "the person denied it");
}

void oauth_step(struct oauth *o)
{
    static const struct {
        struct str name;
        void (*run)(struct step *s);
    } steps[] = {{STR("password"), step_password},
                 {STR("code"), step_code},
                 {STR("pick"), step_pick},
                 {STR("approve"), step_approve},
                 {STR("deny"), step_deny}};
    struct step s = {.o = o, .at = form_get(&o->form, "at")};
    struct str what = form_get(&o->form, "do");

    if (!load(&s)) {
        o->reply->trace.status = 400;
        ended_page(o);
        return;
    }
    o->reply->trace.client = s.client.id;
    o->reply->trace.user = s.asked.account;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (what.p && str_eq(what, steps[i].name)) {
            o->reply->trace.operation = steps[i].name;
            steps[i].run(&s);
            return;
        }
    authorize_page(o, &s.asked, &s.client, s.at, PAGE_TEXT_COUNT);
}
