/* setup.c - the page where a person sets a password with a one-time secret. */
#include "trust/authorize.h"

static void page(struct oauth *o, enum page_text problem)
{
    struct str given = form_get(&o->form, "secret");
    struct page_out p;

    page_begin(&p, o, STR(""), TEXT_SETUP);
    if (problem != PAGE_TEXT_COUNT)
        page_problem(&p, problem);
    page_form(&p, "/auth/setup", STR(""), NULL);
    /* Of a link in a notice, the secret is in the URL already. */
    if (given.p && given.n == SECRET_TEXT_MAX - 1)
        page_hidden(&p, "secret", given);
    else
        page_field(&p, "secret", TEXT_SECRET, "text", "off", PAGE_NO_HELP);
    page_field(&p, "password", TEXT_NEW_PASSWORD, "password", "new-password", TEXT_PASSWORD_HELP);
    page_button(&p, NULL, NULL, TEXT_SET);
    page_form_end(&p);
    page_end(&p, problem == PAGE_TEXT_COUNT ? 200 : 400, STR_NULL);
}

static void done(struct oauth *o)
{
    struct page_out p;

    page_begin(&p, o, STR(""), TEXT_DONE);
    page_paragraph(&p, TEXT_DONE_HELP);
    page_end(&p, 200, STR_NULL);
}

static int tell(void *ctx, struct store_txn *txn, const struct account *account, struct err *err)
{
    struct oauth *o = ctx;
    struct str id = arena_dup(o->a, account->id);

    if (!id.p)
        return err_no_memory(err);
    o->reply->trace.user = id;
    return trust_tell(o->t, txn, TOLD_PASSWORD, account, STR(""), err);
}

void oauth_setup(struct oauth *o)
{
    const struct account_also also = {tell, o};
    struct str secret = form_get(&o->form, "secret"), password = form_get(&o->form, "password");
    int r;

    if (!o->req->is_post) {
        page(o, PAGE_TEXT_COUNT);
        return;
    }
    if (!browser_is_ours(o)) {
        page(o, TEXT_WRONG_SECRET);
        return;
    }
    r = account_setup(o->t->store, secret.p ? str_trim(secret) : STR(""),
                      password.p ? password : STR(""), &also, &o->err);
    if (r >= 0) {
        token_cache_clear(&o->t->cache);
        trust_told(o->t);
        done(o);
    } else if (r == ERR_LOGIN) {
        page(o, TEXT_WRONG_SECRET);
    } else if (r == ERR_VALUE) {
        page(o, TEXT_WEAK_PASSWORD);
    } else {
        oauth_failed(o, r, "invalid_request");
    }
}
