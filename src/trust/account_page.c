/* account_page.c - what a person does with their own account: identities from elsewhere, leaving.
 *
 * Whoever sits down at a browser that was left must not change how one signs in: for that the
 * person has to have signed in just now.
 */
#include "trust/eid_int.h"

#define RECENT_MS INT64_C(900000)

static bool who_is_there(struct oauth *o, struct session *session, struct account *ret)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_system();

    return store_begin(o->t->store, &who, &txn, &o->err) >= 0 && browser_session(o, txn, session) &&
           account_get(txn, session->account, o->a, ret, &o->err) >= 0 && !ret->disabled;
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

/* A form of one button, whose field says what about. */
static void say_action(struct page_out *p, const char *what, const char *name, struct str value,
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

        say_action(p, "disconnect", "link", link, TEXT_DISCONNECT,
                   from ? from->names[p->language] : id);
    }
    for (size_t i = 0; i < eid->n; i++)
        say_action(p, "connect", "provider", eid->v[i].id, TEXT_CONNECT,
                   eid->v[i].names[p->language]);
}

void account_page(struct oauth *o, enum page_text problem)
{
    struct session session;
    struct account account;
    struct page_out p;

    if (!who_is_there(o, &session, &account)) {
        nobody_page(o);
        return;
    }
    page_begin(&p, o, STR(""), TEXT_ACCOUNT);
    if (problem != PAGE_TEXT_COUNT)
        page_problem(&p, problem);
    sb_lit(p.out, "<p><strong><bdi>");
    sb_html(p.out, account.name.n ? account.name : account.login);
    sb_lit(p.out, "</bdi></strong></p>");
    say_identities(&p, &account);
    page_form(&p, "/auth/account", STR(""), "leave");
    page_button(&p, NULL, NULL, TEXT_LEAVE);
    page_form_end(&p);
    page_end(&p, problem == PAGE_TEXT_COUNT ? 200 : 400, STR_NULL);
}

/* ---- what can be done ---- */

struct self {
    struct oauth *o;
    struct session session;
    struct account account;
};

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

static int disconnect_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct self *self = ctx;
    struct str link = form_get(&self->o->form, "link");
    int r = account_get(txn, self->session.account, self->o->a, &self->account, err);

    return r < 0 ? r : account_unlink(txn, &self->account, link.p ? link : STR(""), err);
}

static void disconnect(struct self *self)
{
    int r = record_commit(self->o->t->store, disconnect_run, self, &self->o->err);

    if (r < 0)
        self->o->reply->trace.status = err_http_status(r);
    account_page(self->o, PAGE_TEXT_COUNT);
}

static void leave(struct self *self)
{
    struct oauth *o = self->o;
    struct str there = eid_leave(o, self->session.eid);
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

void oauth_account(struct oauth *o)
{
    static const struct {
        struct str name;
        bool recent; /* only for one who signed in just now */
        void (*run)(struct self *self);
    } actions[] = {{STR("connect"), true, connect},
                   {STR("disconnect"), true, disconnect},
                   {STR("leave"), false, leave}};
    struct str what = form_get(&o->form, "do");
    struct self self = {.o = o};

    if (!o->req->is_post || !browser_is_ours(o) || !who_is_there(o, &self.session, &self.account)) {
        o->reply->trace.status = o->req->is_post ? 401 : 0;
        account_page(o, PAGE_TEXT_COUNT);
        return;
    }
    o->reply->trace.user = self.account.id;
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (!what.p || !str_eq(what, actions[i].name))
            continue;
        o->reply->trace.operation = actions[i].name;
        if (actions[i].recent && self.session.signed_in_ms + RECENT_MS < o->now_ms) {
            o->reply->trace.status = 403;
            account_page(o, TEXT_ACCOUNT_OLD);
        } else {
            actions[i].run(&self);
        }
        return;
    }
    account_page(o, PAGE_TEXT_COUNT);
}
