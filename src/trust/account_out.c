/* account_out.c - where a person is signed in, and what they let apps do: one by one, on the page
 * of their account, to be ended there.
 */
#include "trust/account_int.h"

#include "base/clock.h"
#include "trust/owned.h"

#define OUT_SHOWN_MAX 50 /* of each; those that end last are left out */
#define TIME_LENGTH 16   /* of an instant: to the minute */

struct out {
    struct oauth *o;
    struct store_txn *txn;
    struct seen {
        struct str value, label; /* what the button's field says, and of what it speaks */
        int64_t when_ms;
    } sessions[OUT_SHOWN_MAX], apps[OUT_SHOWN_MAX];
    size_t n_sessions, n_apps;
    char here[TICKET_NAME_MAX]; /* the session of this browser, which ends below */
};

static int add_session(struct out *out, const struct owned *one, struct err *err)
{
    struct session session;
    int r =
        record_get(out->txn, RECORD_SESSION, one->name, out->o->a, &session_shape, &session, err);

    if (r < 0 || session.until_ms <= out->o->now_ms || str_eq(one->name, str_c(out->here)) ||
        out->n_sessions == OUT_SHOWN_MAX)
        return r == ERR_NOT_FOUND ? 0 : r;
    out->sessions[out->n_sessions++] =
        (struct seen){.value = one->entry, .when_ms = session.signed_in_ms};
    return 0;
}

/* An app with everything that was given to it. */
static int add_grant(struct out *out, const struct owned *one, struct err *err)
{
    struct client client;
    struct grant grant;
    int r = record_get(out->txn, RECORD_GRANT, one->name, out->o->a, &grant_shape, &grant, err);

    if (r < 0 || grant.until_ms <= out->o->now_ms)
        return r == ERR_NOT_FOUND ? 0 : r;
    for (size_t i = 0; i < out->n_apps; i++)
        if (str_eq(out->apps[i].value, grant.client)) {
            out->apps[i].when_ms = MAX(out->apps[i].when_ms, grant.made_ms);
            return 0;
        }
    r = client_get(out->txn, grant.client, out->o->a, &client, err);
    if (r < 0 || out->n_apps == OUT_SHOWN_MAX)
        return r == ERR_NOT_FOUND ? 0 : r;
    out->apps[out->n_apps++] =
        (struct seen){.value = client.id, .label = client.name, .when_ms = grant.made_ms};
    return 0;
}

static int look(void *ctx, const struct owned *one, struct err *err)
{
    return one->kind == RECORD_SESSION ? add_session(ctx, one, err) : add_grant(ctx, one, err);
}

static struct str time_of(struct arena *a, struct str label, int64_t ms)
{
    char text[CLOCK_INSTANT_MAX];
    struct str day, rest;

    clock_format(ms, text);
    rest = str_head(str_c(text), TIME_LENGTH);
    str_split(&rest, 'T', &day);
    return arena_fmt(a, "%.*s%s%.*s %.*s UTC", STR_ARG(label), label.n ? ", " : "", STR_ARG(day),
                     STR_ARG(rest));
}

static void say(struct page_out *p, const char *what, enum page_text button, const struct seen *one)
{
    struct str label = time_of(p->o->a, one->label.p ? one->label : STR(""), one->when_ms);

    account_say_action(p, what, "out", one->value, button, label.p ? label : STR(""));
}

void out_say(struct page_out *p, const struct account *account)
{
    struct oauth *o = p->o;
    struct out *out = ARENA_NEW(o->a, struct out);
    struct access who = trust_system();
    int r = out ? store_begin(o->t->store, &who, &out->txn, &o->err) : ERR_NO_MEMORY;

    if (r >= 0) {
        out->o = o;
        browser_session_name(o, out->here);
        r = owned_each(out->txn, account->id, o->now_ms, o->a, look, out, &o->err);
        store_end(out->txn);
    }
    if (r < 0) {
        page_problem(p, TEXT_ERROR);
        return;
    }
    if (out->n_apps)
        page_heading(p, TEXT_APPS);
    for (size_t i = 0; i < out->n_apps; i++)
        say(p, "app-end", TEXT_APP_END, &out->apps[i]);
    if (out->n_sessions)
        page_heading(p, TEXT_SESSIONS);
    for (size_t i = 0; i < out->n_sessions; i++)
        say(p, "session-end", TEXT_SESSION_END, &out->sessions[i]);
}

/* ---- ending them ---- */

static int session_end_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct self *self = ctx;
    struct str entry = form_get(&self->o->form, "out");
    int r = entry.p ? owned_drop(txn, self->account.id, entry, self->o->a, err) : 0;

    return r == ERR_NOT_FOUND ? 0 : r; /* it has ended already, or is not theirs */
}

/* What an app was given, as names of entries, before any of it goes. */
struct ending {
    struct self *self;
    struct store_txn *txn;
    struct str entries[OWNED_LOOKED_MAX];
    size_t n;
};

static int is_of_app(void *ctx, const struct owned *one, struct err *err)
{
    struct ending *e = ctx;
    struct oauth *o = e->self->o;
    struct str id = form_get(&o->form, "out");
    struct grant grant;
    int r = one->kind == RECORD_GRANT
                ? record_get(e->txn, RECORD_GRANT, one->name, o->a, &grant_shape, &grant, err)
                : ERR_NOT_FOUND;

    if (r >= 0 && id.p && str_eq(grant.client, id))
        e->entries[e->n++] = one->entry;
    return r == ERR_NOT_FOUND ? 0 : r;
}

static int app_end_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct ending *e = ctx;
    struct oauth *o = e->self->o;
    struct str account = e->self->account.id;
    int r;

    e->txn = txn;
    e->n = 0;
    r = owned_each(txn, account, o->now_ms, o->a, is_of_app, e, err);
    for (size_t i = 0; r >= 0 && i < e->n; i++)
        r = owned_drop(txn, account, e->entries[i], o->a, err);
    return r;
}

static void done(struct self *self, int r)
{
    if (r < 0) {
        account_refuse(self, r, TEXT_ERROR);
        return;
    }
    token_cache_clear(&self->o->t->cache);
    account_page(self->o, PAGE_TEXT_COUNT);
}

void out_end_session(struct self *self)
{
    done(self, record_commit(self->o->t->store, session_end_run, self, &self->o->err));
}

void out_end_app(struct self *self)
{
    struct ending *e = ARENA_NEW(self->o->a, struct ending);
    int r = e ? 0 : err_no_memory(&self->o->err);

    if (r >= 0) {
        e->self = self;
        r = record_commit(self->o->t->store, app_end_run, e, &self->o->err);
    }
    done(self, r);
}
