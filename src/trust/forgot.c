/* forgot.c - the page for one who forgot their password: a one-time secret goes to the address that
 * their own resource names. Whether there is such an account, or such an address, is not told.
 */
#include "trust/authorize.h"

#define RESET_MS INT64_C(3600000) /* how long the secret is good */
#define AGAIN_MS INT64_C(900000)  /* … and no other is sent meanwhile */

static void page(struct oauth *o, enum page_text problem)
{
    struct page_out p;

    page_begin(&p, o, STR(""), TEXT_FORGOT);
    if (problem != PAGE_TEXT_COUNT)
        page_problem(&p, problem);
    page_paragraph(&p, TEXT_FORGOT_HELP);
    page_form(&p, "/auth/forgot", STR(""), NULL);
    page_field(&p, "login", TEXT_LOGIN, "text", "username", PAGE_NO_HELP);
    page_button(&p, NULL, NULL, TEXT_CONTINUE);
    page_form_end(&p);
    page_end(&p, problem == PAGE_TEXT_COUNT ? 200 : 400, STR_NULL);
}

static void done(struct oauth *o)
{
    struct page_out p;

    page_begin(&p, o, STR(""), TEXT_FORGOT);
    page_paragraph(&p, TEXT_FORGOT_DONE);
    page_end(&p, 200, STR_NULL);
}

struct forgetting {
    struct oauth *o;
    struct str login;
};

/* Somebody who is not there costs the same commit. */
static int forgot_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct forgetting *f = ctx;
    struct oauth *o = f->o;
    char secret[SECRET_TEXT_MAX];
    struct account account;
    int r = account_find(txn, f->login, o->a, &account, err);

    if (r == ERR_NOT_FOUND || r == ERR_VALUE)
        return 0;
    if (r < 0 || account.disabled || account.reset_ms + AGAIN_MS > o->now_ms)
        return MIN(r, 0);
    account.reset_ms = o->now_ms;
    r = account_put(txn, &account, err);
    if (r >= 0)
        r = account_setup_new(txn, &account, o->now_ms, RESET_MS, secret, err);
    if (r >= 0)
        r = trust_tell(o->t, txn, TOLD_RESET, &account, str_c(secret), err);
    explicit_bzero(secret, sizeof secret);
    return r;
}

void oauth_forgot(struct oauth *o)
{
    struct forgetting f = {o, form_get(&o->form, "login")};
    int r;

    if (!o->req->is_post) {
        page(o, PAGE_TEXT_COUNT);
        return;
    }
    if (!browser_is_ours(o) || !f.login.p) {
        page(o, TEXT_ENDED);
        return;
    }
    o->reply->trace.user = f.login;
    r = record_commit(o->t->store, forgot_run, &f, &o->err);
    if (r < 0) {
        oauth_failed(o, r, "invalid_request");
        return;
    }
    trust_told(o->t);
    done(o);
}
