/* demo.c - demo.h, and its two endpoints: /auth/demo and /auth/enter. */
#include "trust/demo.h"

#include "base/clock.h"
#include "trust/authorize.h"

#define DEMO_ARENA_MAX MIB(8)
#define DEMO_OTHERS "_tag:not=http://terminology.hl7.org/CodeSystem/v3-ActReason|HTEST&_count=1"

/* What a link leads to. */
struct entry {
    struct str account;
};
static const struct field entry_fields[] = {
    {"account", FIELD_STR, offsetof(struct entry, account)},
};
static const struct shape entry_shape = SHAPE(entry);

/* ---- only for data that nobody lives in ---- */

static int check_synthetic(struct trust *t, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct params *params = store_params(t->store);
    struct search_options opt = {.index = *store_index_options(t->store), .strict = true};
    struct access who = trust_system();
    struct search s;
    struct page page = {.n = 0};
    int r;

    arena_init(&a, DEMO_ARENA_MAX);
    r = search_parse(&a, params, &opt, def_resource(STR("Patient")), STR(DEMO_OTHERS), &s, err);
    if (r >= 0)
        r = store_begin(t->store, &who, &txn, err);
    if (r >= 0)
        r = store_search(txn, &s, 0, &a, &page, err);
    params_unref(params);
    if (r >= 0 && page.n)
        r = err_set(err, ERR_FORBIDDEN,
                    "this is no demo: there are patients that are not marked as test data (HTEST)");
    return r;
}

int demo_begin(struct trust *t, char ret_key[SECRET_TEXT_MAX], struct err *err)
{
    int r = check_synthetic(t, err);

    if (r < 0)
        return r;
    secret_new(ret_key);
    sha256_hex(str_c(ret_key), t->demo);
    return 0;
}

bool demo_is_on(const struct trust *t)
{
    return t->demo[0] != '\0';
}

/* ---- links ---- */

struct links {
    struct trust *t;
    struct arena *a;
    struct sb *out;
    bool is_json;
    size_t n;
};

static void say_json(struct links *l, const struct account *who, const char *link)
{
    sb_str(l->out, l->n ? STR(",{\"login\":") : STR("{\"login\":"));
    sb_json(l->out, who->login);
    sb_lit(l->out, ",\"name\":");
    sb_json(l->out, who->name.n ? who->name : who->login);
    sb_lit(l->out, ",\"role\":");
    sb_json(l->out, who->role);
    sb_fmt(l->out, ",\"link\":\"%.*s/auth/enter?link=%s\"}", STR_ARG(l->t->root), link);
}

static void say_line(struct links *l, const struct account *who, const char *link)
{
    sb_fmt(l->out, "  %-16.*s %-16.*s %.*s/auth/enter?link=%s\n", STR_ARG(who->login),
           STR_ARG(who->role), STR_ARG(l->t->root), link);
}

static int links_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct links *l = ctx;
    struct str id = STR("");
    int r = 0;

    sb_reset(l->out);
    sb_str(l->out, l->is_json ? STR("{\"people\":[") : STR(""));
    for (l->n = 0; l->n < DEMO_PEOPLE_MAX; l->n++) {
        struct account who;
        struct entry entry;
        struct ticket link;

        if ((r = record_next(txn, RECORD_ACCOUNT, id, l->a, &id, err)) < 0 || !id.p ||
            (r = account_get(txn, id, l->a, &who, err)) < 0)
            break;
        if (who.disabled)
            continue;
        entry.account = id;
        r = token_put(txn, RECORD_ENTRY, &entry_shape, &entry, clock_now_ms() + DEMO_LINK_MS, &link,
                      err);
        if (r < 0)
            break;
        (l->is_json ? say_json : say_line)(l, &who, link.text);
    }
    sb_str(l->out, l->is_json ? STR("]}") : STR(""));
    return MIN(r, 0);
}

int demo_say(struct trust *t, struct sb *out, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    struct links links = {.t = t, .a = &a, .out = out};
    int r;

    arena_init(&a, DEMO_ARENA_MAX);
    r = record_commit(t->store, links_run, &links, err);
    return r < 0 ? r : sb_ok(out, err);
}

/* ---- endpoints ---- */

void oauth_demo(struct oauth *o)
{
    struct links links = {.t = o->t, .a = o->a, .out = &o->reply->body, .is_json = true};
    struct str key = form_get(&o->form, "key");
    char hash[2 * SHA256_BYTES + 1];
    int r;

    sha256_hex(key.p ? key : STR(""), hash);
    if (!demo_is_on(o->t) || !browser_is_ours(o) || !secret_eq(str_c(o->t->demo), str_c(hash))) {
        oauth_error(o, 404, "invalid_request", "this is no demo, or the key is another's");
        return;
    }
    r = record_commit(o->t->store, links_run, &links, &o->err);
    if (r < 0)
        oauth_failed(o, r, "invalid_request");
    else
        oauth_json(o, 200);
}

struct enter {
    struct oauth *o;
    const char *name;
    struct account account;
    struct ticket session;
};

static int enter_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct enter *e = ctx;
    struct entry entry;
    struct session session = {.signed_in_ms = e->o->now_ms,
                              .assurance = ASSURANCE_PASSWORD,
                              .until_ms = e->o->now_ms + BROWSER_SESSION_MS};
    int r = record_get(txn, RECORD_ENTRY, str_c(e->name), e->o->a, &entry_shape, &entry, err);

    if (r >= 0)
        r = record_drop(txn, RECORD_ENTRY, str_c(e->name), err);
    if (r >= 0)
        r = account_get(txn, entry.account, e->o->a, &e->account, err);
    if (r < 0)
        return r;
    session.account = e->account.id;
    return browser_session_new(txn, &session, &e->session, err);
}

void oauth_enter(struct oauth *o)
{
    char name[TICKET_NAME_MAX];
    struct enter e = {.o = o, .name = name};
    struct str link = form_get(&o->form, "link"), to;

    if (!demo_is_on(o->t) || !link.p || !ticket_name(link, o->now_ms, name) ||
        record_commit(o->t->store, enter_run, &e, &o->err) < 0) {
        authorize_error_page(o, "the link was used before, or has ended");
        return;
    }
    o->reply->trace = (struct oauth_trace){.what = AUDIT_LOGIN, .user = e.account.id};
    browser_session_set(o, &e.session);
    to = arena_join(o->a, (const struct str[]){o->t->root, STR("/#/enter/"), e.account.role}, 3);
    oauth_header(o, "Location", to);
    oauth_header(o, "Cache-Control", STR("no-store"));
    oauth_header(o, "Referrer-Policy", STR("no-referrer"));
    o->reply->status = 303;
}
