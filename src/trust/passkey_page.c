#include "trust/passkey_page.h"

#include "base/b64.h"
#include "base/clock.h"
#include "trust/passkey.h"

#define DAY_LENGTH 10 /* of an instant: its date */

/* ---- forms that the script fills in ---- */

struct field_of {
    const char *name;
    struct str value;
};

static void say_data(struct page_out *p, const char *name, struct str value)
{
    sb_fmt(p->out, " data-%s=\"", name);
    sb_html(p->out, value);
    sb_char(p->out, '"');
}

/* Hidden until there is a script; `names` are what it puts in. */
static void say_form(struct page_out *p, const char *action, const char *kind,
                     const struct field_of *data, size_t n, const char *const *names)
{
    sb_fmt(p->out, "<form hidden method=\"post\" action=\"%.*s%s\" data-passkey=\"%s\"",
           STR_ARG(p->o->t->root), action, kind);
    for (size_t i = 0; i < n; i++)
        say_data(p, data[i].name, data[i].value);
    sb_char(p->out, '>');
    for (; names && *names; names++)
        page_hidden(p, *names, STR(""));
    sb_lit(p->out, "<p class=\"problem\" role=\"alert\" hidden>");
    page_text(p, TEXT_PASSKEY_NOT);
    sb_lit(p->out, "</p>");
    p->has_script = true;
}

void passkey_say_use(struct page_out *p, const struct asked *asked, struct str at)
{
    static const char *const names[] = {"id", "client", "data", "signature", "user", NULL};
    struct webauthn_site site;

    if (!asked->passkey.n || !webauthn_site_of(p->o->t->root, &site))
        return;
    say_form(p, "/auth/passkey", "use",
             (const struct field_of[]){{"challenge", asked->passkey}, {"rp", site.rp}}, 2, names);
    page_hidden(p, "at", at);
    page_button(p, NULL, NULL, TEXT_PASSKEY_USE);
    page_form_end(p);
}

/* ---- what the browser sent ---- */

static struct str bytes_of(struct oauth *o, const char *name)
{
    struct str text = form_get(&o->form, name);
    struct str bytes = text.p ? b64url_decode(o->a, text) : STR_NULL;

    return bytes.p ? bytes : STR("");
}

static struct webauthn_answer answer_of(struct oauth *o, struct str challenge)
{
    return (struct webauthn_answer){.challenge = challenge,
                                    .client_data = bytes_of(o, "client"),
                                    .auth_data = bytes_of(o, "data"),
                                    .signature = bytes_of(o, "signature")};
}

static struct str fresh_challenge(struct oauth *o)
{
    char secret[SECRET_TEXT_MAX];

    secret_new(secret);
    return arena_dup(o->a, str_c(secret));
}

/* ---- signing in ---- */

struct using
{
    struct oauth *o;
    struct str at;
    struct str challenge; /* as it was asked */
    struct account account;
    char name[PASSKEY_NAME_MAX];
    uint32_t count;
};

static int use_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct using *u = ctx;
    int r = passkey_used(txn, u->o->a, str_c(u->name), u->count, u->o->now_ms, err);

    return r < 0 ? r : account_get(txn, u->account.id, u->o->a, &u->account, err);
}

/* Whose it is, and that it was they. */
static int prove(struct using *u)
{
    struct oauth *o = u->o;
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_system();
    struct webauthn_answer answer = answer_of(o, u->challenge);
    struct str id = bytes_of(o, "id"), user = bytes_of(o, "user");
    struct webauthn_key key = {.id = id};
    struct webauthn_site site;
    struct passkey of;
    int r = store_begin(o->t->store, &who, &txn, &o->err);

    if (r < 0 || (r = passkey_find(txn, id, o->a, u->name, &of, &o->err)) < 0 ||
        (r = account_get(txn, of.account, o->a, &u->account, &o->err)) < 0)
        return r;
    o->reply->trace.user = u->account.id;
    key.key = b64url_decode(o->a, of.key);
    key.alg = of.alg;
    if (!key.key.p)
        return err_no_memory(&o->err);
    if (!webauthn_site_of(o->t->root, &site) || (user.n && !str_eq(user, of.account)))
        return err_set(&o->err, ERR_LOGIN, "the passkey is of another site or person");
    return webauthn_used(o->a, &site, &answer, &key, &u->count, &o->err);
}

void oauth_passkey(struct oauth *o)
{
    struct using u = {.o = o, .at = form_get(&o->form, "at")};
    int r;

    o->reply->trace =
        (struct oauth_trace){.what = AUDIT_LOGIN, .operation = STR("passkey"), .user = STR("")};
    if (!authorize_take_challenge(o, u.at, fresh_challenge(o), &u.challenge)) {
        authorize_unproven(o, u.at, TEXT_PASSKEY_NOT);
        return;
    }
    r = prove(&u);
    if (r >= 0)
        r = record_commit(o->t->store, use_run, &u, &o->err);
    if (r >= 0 && u.account.disabled)
        r = err_set(&o->err, ERR_LOGIN, "the account is disabled");
    if (r >= 0) {
        authorize_proven(o, u.at, &u.account, ASSURANCE_TWO_FACTORS, STR(""));
        return;
    }
    o->reply->trace.status = r == ERR_NOT_FOUND ? 401 : err_http_status(r);
    authorize_unproven(o, u.at, TEXT_PASSKEY_NOT);
}

void oauth_passkey_script(struct oauth *o)
{
    sb_str(&o->reply->body, passkey_script());
    o->reply->status = 200;
    o->reply->type = "text/javascript; charset=utf-8";
    oauth_header(o, "Cache-Control", STR("no-cache"));
    oauth_header(o, "X-Content-Type-Options", STR("nosniff"));
}

/* ---- /auth/account ---- */

static struct str day_of(struct arena *a, int64_t ms)
{
    char text[CLOCK_INSTANT_MAX];

    clock_format(ms, text);
    return arena_dup(a, str_head(str_c(text), DAY_LENGTH));
}

/* By the days on which they were made: they have no other names. */
static void say_kept(struct page_out *p, const struct account *account)
{
    struct oauth *o = p->o;
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_system();
    int r = store_begin(o->t->store, &who, &txn, &o->err);

    for (size_t i = 0; i < account->passkeys.n && r >= 0; i++) {
        struct passkey of;

        r = passkey_get(txn, account->passkeys.v[i], o->a, &of, &o->err);
        if (r >= 0)
            account_say_action(p, "passkey-end", "passkey", account->passkeys.v[i],
                               TEXT_PASSKEY_END, day_of(o->a, of.made_ms));
    }
    if (r < 0)
        page_problem(p, TEXT_ERROR);
}

void passkey_say_all(struct page_out *p, const struct account *account)
{
    struct webauthn_site site;
    bool may_have = webauthn_site_of(p->o->t->root, &site);

    if (!may_have && !account->passkeys.n)
        return;
    page_heading(p, TEXT_PASSKEYS);
    page_paragraph(p, TEXT_PASSKEYS_HELP);
    say_kept(p, account);
    if (!may_have || account->passkeys.n >= ACCOUNT_PASSKEYS_MAX)
        return;
    say_form(p, "/auth/account", "begin", NULL, 0, NULL);
    page_hidden(p, "do", STR("passkey-begin"));
    page_button(p, NULL, NULL, TEXT_PASSKEY_MAKE);
    page_form_end(p);
}

static int begin_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct self *self = ctx;
    struct str question = self->session.passkey;

    /* As it is now: one that was ended meanwhile must not come back. */
    if (!browser_session(self->o, txn, &self->session))
        return err_set(err, ERR_LOGIN, "the session has ended");
    self->session.passkey = question;
    return browser_session_keep(self->o, txn, &self->session, err);
}

/* The ids that the account has, so that no authenticator makes a second one. */
static struct str ids_of(struct oauth *o, const struct account *account)
{
    _cleanup_(sb_done) struct sb out = sb_make(KIB(16));
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_system();
    int r = store_begin(o->t->store, &who, &txn, &o->err);

    for (size_t i = 0; i < account->passkeys.n && r >= 0; i++) {
        struct passkey of;

        r = passkey_get(txn, account->passkeys.v[i], o->a, &of, &o->err);
        if (r >= 0)
            sb_str(&out, of.id);
        sb_char(&out, ' ');
    }
    return r < 0 || out.failed ? STR_NULL : arena_dup(o->a, sb_view(&out));
}

void passkey_begin(struct self *self)
{
    static const char *const names[] = {"client", "data", NULL};
    struct oauth *o = self->o;
    struct str has = ids_of(o, &self->account);
    struct webauthn_site site;
    struct page_out p;
    int r = has.p ? 0 : err_no_memory(&o->err);

    if (!webauthn_site_of(o->t->root, &site))
        r = err_set(&o->err, ERR_LOGIN, "there are no passkeys at this address");
    self->session.passkey = fresh_challenge(o);
    if (r >= 0)
        r = self->session.passkey.p ? record_commit(o->t->store, begin_run, self, &o->err)
                                    : err_no_memory(&o->err);
    if (r < 0) {
        account_refuse(self, r, TEXT_PASSKEY_NOT);
        return;
    }
    page_begin(&p, o, STR(""), TEXT_PASSKEY_MAKE);
    page_paragraph(&p, TEXT_PASSKEYS_HELP);
    say_form(&p, "/auth/account", "make",
             (const struct field_of[]){{"challenge", self->session.passkey},
                                       {"rp", site.rp},
                                       {"user", self->account.id},
                                       {"name", self->account.login},
                                       {"has", has}},
             5, names);
    page_hidden(&p, "do", STR("passkey-make"));
    page_button(&p, NULL, NULL, TEXT_CONTINUE);
    page_form_end(&p);
    page_link(&p, "/auth/account", TEXT_ACCOUNT);
    page_end(&p, 200, STR_NULL);
}

struct making_one {
    struct self *self;
    int refused; /* what came of it, where that does not undo that the question was used up */
};

static int make_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct making_one *m = ctx;
    struct self *self = m->self;
    struct oauth *o = self->o;
    struct webauthn_answer answer;
    struct webauthn_site site;
    struct webauthn_key key;
    int r;

    if (!browser_session(o, txn, &self->session) || !webauthn_site_of(o->t->root, &site))
        return err_set(err, ERR_LOGIN, "the session has ended");
    answer = answer_of(o, self->session.passkey);
    self->session.passkey = STR("");
    if ((r = browser_session_keep(o, txn, &self->session, err)) < 0 ||
        (r = account_get(txn, self->session.account, o->a, &self->account, err)) < 0)
        return r;
    m->refused = webauthn_made(o->a, &site, &answer, &key, err);
    if (m->refused < 0)
        return 0;
    r = passkey_add(txn, o->a, &self->account, &key, o->now_ms, err);
    return r < 0 ? r : account_tell(self, txn, err);
}

void passkey_make(struct self *self)
{
    struct making_one m = {.self = self};
    int r = record_commit(self->o->t->store, make_run, &m, &self->o->err);

    if (r >= 0)
        r = m.refused;
    if (r < 0)
        account_refuse(self, r == ERR_VALUE || r == ERR_DUPLICATE ? ERR_LOGIN : r,
                       TEXT_PASSKEY_NOT);
    if (r < 0)
        return;
    trust_told(self->o->t);
    account_page(self->o, PAGE_TEXT_COUNT);
}

static int end_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct self *self = ctx;
    struct str name = form_get(&self->o->form, "passkey");
    int r = account_get(txn, self->session.account, self->o->a, &self->account, err);
    size_t had = r < 0 ? 0 : self->account.passkeys.n;

    if (r >= 0 && name.p)
        r = passkey_drop(txn, &self->account, name, err);
    return r < 0 || self->account.passkeys.n == had ? r : account_tell(self, txn, err);
}

void passkey_end(struct self *self)
{
    int r = record_commit(self->o->t->store, end_run, self, &self->o->err);

    if (r < 0) {
        account_refuse(self, r, TEXT_ERROR);
        return;
    }
    trust_told(self->o->t);
    account_page(self->o, PAGE_TEXT_COUNT);
}
