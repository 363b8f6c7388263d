/* account_page.c - what a person does with their own account: identities from elsewhere, one-time
 * codes, leaving here and everywhere.
 */
#include "trust/eid_int.h"
#include "trust/passkey_page.h"

#define RECENT_MS INT64_C(900000)

bool account_is_there(struct oauth *o, struct session *session, struct account *ret)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_system();

    return store_begin(o->t->store, &who, &txn, &o->err) >= 0 && browser_session(o, txn, session) &&
           account_get(txn, session->account, o->a, ret, &o->err) >= 0 && !ret->disabled;
}

bool account_is_recent(const struct oauth *o, const struct session *session)
{
    return session->signed_in_ms + RECENT_MS >= o->now_ms;
}

static void nobody_page(struct oauth *o)
{
    struct page_out p;

    page_begin(&p, o, STR(""), TEXT_ACCOUNT);
    page_paragraph(&p, TEXT_ACCOUNT_NONE);
    page_link(&p, "/", TEXT_SIGN_IN);
    page_end(&p, 401, STR_NULL);
}

/* ---- the page ---- */

void account_say_action(struct page_out *p, const char *what, const char *name, struct str value,
                        enum page_text button, struct str of)
{
    page_form(p, "/auth/account", STR(""), what);
    page_hidden(p, name, value);
    sb_lit(p->out, "<button type=\"submit\" class=\"plain\">");
    page_text(p, button);
    sb_lit(p->out, " <bdi>");
    sb_html(p->out, of);
    sb_lit(p->out, "</bdi></button>");
    page_form_end(p);
}

static void say_identities(struct page_out *p, const struct account *account)
{
    const struct eid *eid = p->o->t->eid;

    if (!eid)
        return;
    page_heading(p, TEXT_ACCOUNT_EID);
    for (size_t i = 0; i < account->links.n; i++) {
        struct str link = account->links.v[i];
        ptrdiff_t space = str_find(link, ' ');
        struct str id = str_head(link, space < 0 ? 0 : (size_t)space);
        const struct eid_provider *from = eid_find(eid, id);

        account_say_action(p, "disconnect", "link", link, TEXT_DISCONNECT,
                           from ? from->names[p->language] : id);
    }
    for (size_t i = 0; i < eid->n; i++)
        account_say_action(p, "connect", "provider", eid->v[i].id, TEXT_CONNECT,
                           eid->v[i].names[p->language]);
}

static void say_codes(struct page_out *p, const struct account *account)
{
    page_heading(p, TEXT_CODES);
    page_paragraph(p, account->totp.n ? TEXT_CODES_ON : TEXT_CODES_OFF);
    if (account->totp.n) {
        page_form(p, "/auth/account", STR(""), NULL);
        page_field(p, "code", TEXT_CODE, "text", "one-time-code", TEXT_CODE_HELP);
        page_button(p, "do", "recovery", TEXT_RECOVERY);
        page_button(p, "do", "codes-end", TEXT_CODES_END);
    } else {
        page_form(p, "/auth/account", STR(""), "codes-begin");
        page_button(p, NULL, NULL, TEXT_CODES_BEGIN);
    }
    page_form_end(p);
}

void account_page(struct oauth *o, enum page_text problem)
{
    struct session session;
    struct account account;
    struct page_out p;

    if (!account_is_there(o, &session, &account)) {
        nobody_page(o);
        return;
    }
    page_begin(&p, o, STR(""), TEXT_ACCOUNT);
    if (problem != PAGE_TEXT_COUNT)
        page_problem(&p, problem);
    sb_lit(p.out, "<p><strong><bdi>");
    sb_html(p.out, account.name.n ? account.name : account.login);
    sb_lit(p.out, "</bdi></strong></p>");
    passkey_say_all(&p, &account);
    say_codes(&p, &account);
    say_identities(&p, &account);
    out_say(&p, &account);
    page_heading(&p, TEXT_LEAVE);
    page_form(&p, "/auth/account", STR(""), "leave");
    page_button(&p, NULL, NULL, TEXT_LEAVE);
    page_form_end(&p);
    page_paragraph(&p, TEXT_EVERYWHERE_HELP);
    page_form(&p, "/auth/account", STR(""), "everywhere");
    page_button(&p, NULL, NULL, TEXT_EVERYWHERE);
    page_form_end(&p);
    page_link(&p, "/auth/close", TEXT_CLOSE);
    page_end(&p, problem == PAGE_TEXT_COUNT ? 200 : 400, STR_NULL);
}

/* ---- what can be done ---- */

static void connect(struct self *self)
{
    struct oauth *o = self->o;
    struct str id = form_get(&o->form, "provider"), url;
    const struct eid_provider *p = id.p ? eid_find(o->t->eid, id) : NULL;
    struct page_out page;
    int r;

    if (!p) {
        account_page(o, TEXT_EID_AWAY);
        return;
    }
    r = eid_connect(o, p, self->account.id, &url);
    if (r < 0) {
        o->reply->trace.status = err_http_status(r);
        account_page(o, TEXT_EID_AWAY);
        return;
    }
    page_begin(&page, o, STR(""), TEXT_CONNECT);
    page_paragraph(&page, TEXT_EID_GO);
    page_go(&page, url, TEXT_CONTINUE, p->names[page.language]);
    page_link(&page, "/auth/account", TEXT_ACCOUNT);
    page_end(&page, 200, STR_NULL);
}

int account_tell(struct self *self, struct store_txn *txn, struct err *err)
{
    return trust_tell(self->o->t, txn, TOLD_WAYS, &self->account, STR(""), err);
}

static int disconnect_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct self *self = ctx;
    struct str link = form_get(&self->o->form, "link");
    int r = account_get(txn, self->session.account, self->o->a, &self->account, err);

    if (r >= 0)
        r = account_unlink(txn, &self->account, link.p ? link : STR(""), err);
    return r < 0 ? r : account_tell(self, txn, err);
}

static void disconnect(struct self *self)
{
    int r = record_commit(self->o->t->store, disconnect_run, self, &self->o->err);

    if (r < 0)
        self->o->reply->trace.status = err_http_status(r);
    else
        trust_told(self->o->t);
    account_page(self->o, PAGE_TEXT_COUNT);
}

/* ---- one-time codes ---- */

void account_refuse(struct self *self, int r, enum page_text text)
{
    self->o->reply->trace.status = err_http_status(r);
    account_page(self->o, r == ERR_THROTTLED ? TEXT_WAIT : r == ERR_LOGIN ? text : TEXT_ERROR);
}

static int codes_begin_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct self *self = ctx;
    int r = account_get(txn, self->session.account, self->o->a, &self->account, err);

    if (r >= 0 && self->account.totp.n)
        r = err_set(err, ERR_LOGIN, "the account has one-time codes already");
    if (r >= 0)
        r = account_totp_new(self->o->a, &self->account.totp_next, err);
    return r < 0 ? r : account_put(txn, &self->account, err);
}

static void codes_page(struct self *self, enum page_text problem)
{
    struct str key = self->account.totp_next;
    struct page_out p;

    page_begin(&p, self->o, STR(""), TEXT_CODES_BEGIN);
    if (problem != PAGE_TEXT_COUNT)
        page_problem(&p, problem);
    page_paragraph(&p, TEXT_CODES_KEY);
    sb_lit(p.out, "<p><code dir=\"ltr\">");
    for (size_t i = 0; i < key.n; i += 4) {
        sb_str(p.out, str_head(str_from(key, i), 4));
        sb_char(p.out, ' ');
    }
    sb_fmt(p.out,
           "</code></p><p><a href=\"otpauth://totp/Carnet:%.*s?secret=%.*s&amp;issuer=Carnet\">",
           STR_ARG(self->account.login), STR_ARG(key));
    page_text(&p, TEXT_CODES_OPEN);
    sb_lit(p.out, "</a></p>");
    page_form(&p, "/auth/account", STR(""), "codes-prove");
    page_field(&p, "code", TEXT_CODE, "text", "one-time-code", PAGE_NO_HELP);
    page_button(&p, NULL, NULL, TEXT_CONTINUE);
    page_form_end(&p);
    page_link(&p, "/auth/account", TEXT_ACCOUNT);
    page_end(&p, problem == PAGE_TEXT_COUNT ? 200 : 400, STR_NULL);
}

static void codes_begin(struct self *self)
{
    int r = record_commit(self->o->t->store, codes_begin_run, self, &self->o->err);

    if (r < 0)
        account_refuse(self, r, PAGE_TEXT_COUNT);
    else
        codes_page(self, PAGE_TEXT_COUNT);
}

static void recovery_page(struct self *self)
{
    struct page_out p;

    page_begin(&p, self->o, STR(""), TEXT_RECOVERY);
    page_paragraph(&p, TEXT_RECOVERY_HELP);
    sb_lit(p.out, "<ul>");
    for (size_t i = 0; i < RECOVERY_CODES; i++)
        sb_fmt(p.out, "<li><code dir=\"ltr\">%s</code></li>", self->codes[i]);
    sb_lit(p.out, "</ul>");
    page_link(&p, "/auth/account", TEXT_ACCOUNT);
    page_end(&p, 200, STR_NULL);
    explicit_bzero(self->codes, sizeof self->codes);
}

/* The app shows that it has the key, before signing in depends on it. */
static int codes_prove_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct self *self = ctx;
    struct oauth *o = self->o;
    struct account *account = &self->account;
    struct str typed = form_get(&o->form, "code"), key;
    uint64_t counter;
    int r = account_get(txn, self->session.account, o->a, account, err);

    if (r < 0)
        return r;
    key = account->totp.n ? STR_NULL : base32_decode(o->a, account->totp_next);
    counter = key.n && typed.p ? totp_match(key, typed, o->now_ms, 0) : 0;
    if (!counter)
        return err_set(err, ERR_LOGIN, "the code is not right");
    account->totp = account->totp_next;
    account->totp_next = STR("");
    account->totp_last = (int64_t)counter;
    r = account_recovery_new(o->a, account, self->codes, err);
    if (r >= 0)
        r = account_put(txn, account, err);
    return r < 0 ? r : account_tell(self, txn, err);
}

static void codes_prove(struct self *self)
{
    int r = record_commit(self->o->t->store, codes_prove_run, self, &self->o->err);

    if (r == ERR_LOGIN && !self->account.totp.n && self->account.totp_next.n) {
        self->o->reply->trace.status = 401;
        codes_page(self, TEXT_WRONG_CODE);
    } else if (r < 0) {
        account_refuse(self, r, TEXT_WRONG_CODE);
    } else {
        trust_told(self->o->t);
        recovery_page(self);
    }
}

static int tell_recovery(void *ctx, struct store_txn *txn, const struct account *account,
                         struct err *err)
{
    const struct self *self = ctx;

    return trust_tell(self->o->t, txn, TOLD_RECOVERY, account, STR(""), err);
}

/* Whoever changes codes has to have one: a browser that was left open is not enough. */
static bool has_code(struct self *self)
{
    const struct account_also tell = {tell_recovery, self};
    struct str typed = form_get(&self->o->form, "code");
    int r = signin_code(self->o->t->store, self->o->a, self->session.account,
                        typed.p ? typed : STR(""), &tell, &self->account, &self->o->err);

    if (r < 0)
        account_refuse(self, r, TEXT_WRONG_CODE);
    else
        trust_told(self->o->t);
    return r >= 0;
}

static int recovery_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct self *self = ctx;
    int r = account_get(txn, self->session.account, self->o->a, &self->account, err);

    if (r >= 0)
        r = account_recovery_new(self->o->a, &self->account, self->codes, err);
    return r < 0 ? r : account_put(txn, &self->account, err);
}

static void recovery(struct self *self)
{
    int r;

    if (!has_code(self))
        return;
    r = record_commit(self->o->t->store, recovery_run, self, &self->o->err);
    if (r < 0)
        account_refuse(self, r, PAGE_TEXT_COUNT);
    else
        recovery_page(self);
}

static int codes_end_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct self *self = ctx;
    int r = account_get(txn, self->session.account, self->o->a, &self->account, err);

    self->account.totp = self->account.totp_next = STR("");
    self->account.recovery.n = 0;
    if (r >= 0)
        r = account_put(txn, &self->account, err);
    return r < 0 ? r : account_tell(self, txn, err);
}

static void codes_end(struct self *self)
{
    int r;

    if (!has_code(self))
        return;
    r = record_commit(self->o->t->store, codes_end_run, self, &self->o->err);
    if (r < 0) {
        account_refuse(self, r, PAGE_TEXT_COUNT);
        return;
    }
    trust_told(self->o->t);
    account_page(self->o, PAGE_TEXT_COUNT);
}

/* ---- leaving ---- */

static int everywhere_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct self *self = ctx;
    int r = account_get(txn, self->session.account, self->o->a, &self->account, err);

    self->account.since_ms = self->o->now_ms + 1;
    return r < 0 ? r : account_put(txn, &self->account, err);
}

/* `there`: where one leaves the provider as well, or empty. */
static void end_session(struct self *self, struct str there)
{
    struct oauth *o = self->o;
    const struct eid_provider *p = eid_find(o->t->eid, self->session.eid);
    struct page_out page;
    int r = browser_session_end(o);

    if (r < 0) {
        oauth_failed(o, r, "invalid_request");
        return;
    }
    page_begin(&page, o, STR(""), TEXT_ACCOUNT);
    page_paragraph(&page, TEXT_LEFT);
    if (there.n && p)
        page_go(&page, there, TEXT_LEAVE_THERE, p->names[page.language]);
    page_end(&page, 200, STR_NULL);
}

static void leave(struct self *self)
{
    struct str there = eid_leave(self->o, self->session.eid);

    if (!self->o->reply->asks)
        end_session(self, there);
}

static void everywhere(struct self *self)
{
    struct str there = eid_leave(self->o, self->session.eid);
    int r;

    if (self->o->reply->asks)
        return;
    r = record_commit(self->o->t->store, everywhere_run, self, &self->o->err);
    if (r < 0) {
        account_refuse(self, r, PAGE_TEXT_COUNT);
        return;
    }
    token_cache_clear(&self->o->t->cache);
    end_session(self, there);
}

void oauth_account(struct oauth *o)
{
    static const struct {
        struct str name;
        bool recent; /* only for one who signed in just now */
        void (*run)(struct self *self);
    } actions[] = {{STR("connect"), true, connect},
                   {STR("disconnect"), true, disconnect},
                   {STR("codes-begin"), true, codes_begin},
                   {STR("codes-prove"), true, codes_prove},
                   {STR("recovery"), true, recovery},
                   {STR("codes-end"), true, codes_end},
                   {STR("passkey-begin"), true, passkey_begin},
                   {STR("passkey-make"), true, passkey_make},
                   {STR("passkey-end"), true, passkey_end},
                   {STR("session-end"), false, out_end_session},
                   {STR("app-end"), false, out_end_app},
                   {STR("everywhere"), false, everywhere},
                   {STR("leave"), false, leave}};
    struct str what = form_get(&o->form, "do");
    struct self self = {.o = o};

    if (!o->req->is_post || !browser_is_ours(o) ||
        !account_is_there(o, &self.session, &self.account)) {
        o->reply->trace.status = o->req->is_post ? 401 : 0;
        account_page(o, PAGE_TEXT_COUNT);
        return;
    }
    o->reply->trace.user = self.account.id;
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (!what.p || !str_eq(what, actions[i].name))
            continue;
        o->reply->trace.operation = actions[i].name;
        if (actions[i].recent && !account_is_recent(o, &self.session)) {
            o->reply->trace.status = 403;
            account_page(o, TEXT_ACCOUNT_OLD);
        } else {
            actions[i].run(&self);
        }
        return;
    }
    account_page(o, PAGE_TEXT_COUNT);
}
