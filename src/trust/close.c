/* close.c - the page where a person closes their account, with all by which it could be opened:
 * they show that it is theirs as they sign in, by password and code, or by having signed in just
 * now where the account has no password. Their record is not the account's: it stays, and so does
 * what the account did in the audit log.
 */
#include "trust/account_int.h"
#include "trust/authorize.h"

/* Whoever signs in with an identity from elsewhere, or a passkey, alone. */
static bool is_there_without_password(struct oauth *o, struct account *ret)
{
    struct session session;

    return account_is_there(o, &session, ret) && !ret->password.n && account_is_recent(o, &session);
}

static void page(struct oauth *o, enum page_text problem)
{
    struct account account;
    struct page_out p;

    page_begin(&p, o, STR(""), TEXT_CLOSE);
    if (problem != PAGE_TEXT_COUNT)
        page_problem(&p, problem);
    page_paragraph(&p, TEXT_CLOSE_HELP);
    page_form(&p, "/auth/close", STR(""), NULL);
    if (is_there_without_password(o, &account)) {
        sb_lit(p.out, "<p><strong><bdi>");
        sb_html(p.out, account.name.n ? account.name : account.login);
        sb_lit(p.out, "</bdi></strong></p>");
    } else {
        page_field(&p, "login", TEXT_LOGIN, "text", "username", PAGE_NO_HELP);
        page_field(&p, "password", TEXT_PASSWORD, "password", "current-password", PAGE_NO_HELP);
        page_field(&p, "code", TEXT_CODE, "text", "one-time-code", TEXT_CLOSE_CODE);
    }
    page_button(&p, NULL, NULL, TEXT_CLOSE);
    page_form_end(&p);
    page_end(&p, problem == PAGE_TEXT_COUNT ? 200 : 401, STR_NULL);
}

static void done(struct oauth *o)
{
    struct page_out p;

    page_begin(&p, o, STR(""), TEXT_CLOSED);
    page_paragraph(&p, TEXT_CLOSED_HELP);
    page_end(&p, 200, STR_NULL);
}

struct closing {
    struct oauth *o;
    struct account account;
};

static int close_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct closing *c = ctx;
    struct account *account = &c->account;
    int r = account_get(txn, account->id, c->o->a, account, err);

    if (r < 0)
        return r;
    if ((r = account_shut(txn, c->o->a, account, err)) < 0)
        return r;
    return trust_tell(c->o->t, txn, TOLD_CLOSED, account, STR(""), err);
}

static struct str typed(const struct oauth *o, const char *name)
{
    struct str v = form_get(&o->form, name);

    return v.p ? v : STR("");
}

/* Who they are, by all that signing in asks for. */
static int prove(struct closing *c, enum page_text *ret)
{
    struct oauth *o = c->o;
    enum signin next;
    int r;

    *ret = TEXT_WRONG_PASSWORD;
    if (!form_get(&o->form, "login").p && is_there_without_password(o, &c->account))
        return 0;
    r = signin_password(o->t->store, o->a, typed(o, "login"), typed(o, "password"), &c->account,
                        &next, &o->err);
    if (r < 0 || next == SIGNIN_DONE)
        return r;
    *ret = TEXT_WRONG_CODE;
    return signin_code(o->t->store, o->a, c->account.id, typed(o, "code"), NULL, &c->account,
                       &o->err);
}

void oauth_close(struct oauth *o)
{
    struct closing c = {.o = o};
    enum page_text problem = TEXT_ENDED;
    int r;

    if (!o->req->is_post) {
        page(o, PAGE_TEXT_COUNT);
        return;
    }
    if (!browser_is_ours(o)) {
        page(o, TEXT_ENDED);
        return;
    }
    o->reply->trace.user = typed(o, "login");
    r = prove(&c, &problem);
    if (r == ERR_LOGIN || r == ERR_THROTTLED) {
        o->reply->trace.status = err_http_status(r);
        page(o, r == ERR_LOGIN ? problem : TEXT_WAIT);
        return;
    }
    if (r >= 0) {
        o->reply->trace.user = c.account.id;
        r = record_commit(o->t->store, close_run, &c, &o->err);
    }
    if (r >= 0)
        r = trust_changed(o->t, &o->err);
    if (r < 0) {
        oauth_failed(o, r, "invalid_request");
        return;
    }
    trust_told(o->t);
    browser_session_end(o);
    done(o);
}
