#include "trust/browser.h"

#include "base/clock.h"
#include "trust/owned.h"

static const struct field session_fields[] = {
    {"account", FIELD_STR, offsetof(struct session, account)},
    {"eid", FIELD_STR, offsetof(struct session, eid)},
    {"passkey", FIELD_STR, offsetof(struct session, passkey)},
    {"signedIn", FIELD_I64, offsetof(struct session, signed_in_ms)},
    {"assurance", FIELD_I64, offsetof(struct session, assurance)},
    {"until", FIELD_I64, offsetof(struct session, until_ms)},
};
const struct shape session_shape = SHAPE(session);

enum cookie { COOKIE_BROWSER, COOKIE_SESSION, COOKIE_PLACE };

/* "__Host-" asks the browser for Secure, no Domain and the path "/". */
static struct str cookie_name(const struct oauth *o, enum cookie which)
{
    static const struct str names[] = {STR("__Host-carnet-browser"), STR("__Host-carnet-session"),
                                       STR("__Host-carnet-place")};
    bool is_secure = str_starts(o->t->root, STR("https://"));

    return is_secure ? names[which] : str_from(names[which], sizeof "__Host-" - 1);
}

static struct str cookie(const struct oauth *o, struct str name)
{
    struct str rest = o->req->cookie, part;

    while (rest.n && str_split(&rest, ';', &part)) {
        part = str_trim(part);
        if (str_starts(part, name) && part.n > name.n && part.p[name.n] == '=')
            return str_from(part, name.n + 1);
    }
    return STR_NULL;
}

/* `more`: what the cookie has beside what all of ours have. */
static void set_cookie(struct oauth *o, struct str name, const char *value, const char *more)
{
    bool is_secure = str_starts(o->t->root, STR("https://"));
    struct str text = arena_fmt(o->a, "%.*s=%s; Path=/; HttpOnly; SameSite=Lax%s%s", STR_ARG(name),
                                value, more, is_secure ? "; Secure" : "");

    if (text.p)
        oauth_header(o, "Set-Cookie", text);
}

struct str browser_hash(struct oauth *o, bool may_set)
{
    struct str has = cookie(o, cookie_name(o, COOKIE_BROWSER));
    char secret[SECRET_TEXT_MAX], hash[2 * SHA256_BYTES + 1];

    if (has.n != SECRET_TEXT_MAX - 1) {
        if (!may_set)
            return STR_NULL;
        secret_new(secret);
        set_cookie(o, cookie_name(o, COOKIE_BROWSER), secret, "");
        has = str_c(secret);
    }
    sha256_hex(has, hash);
    return arena_dup(o->a, str_c(hash));
}

bool browser_is_ours(const struct oauth *o)
{
    return !o->req->origin.p || str_eq(o->req->origin, o->t->root);
}

bool browser_session(struct oauth *o, struct store_txn *txn, struct session *ret)
{
    struct str has = cookie(o, cookie_name(o, COOKIE_SESSION));
    char name[TICKET_NAME_MAX];
    struct account account;

    return has.p && ticket_name(has, o->now_ms, name) &&
           record_get(txn, RECORD_SESSION, str_c(name), o->a, &session_shape, ret, &o->err) >= 0 &&
           ret->until_ms > o->now_ms &&
           account_get(txn, ret->account, o->a, &account, &o->err) >= 0 && !account.disabled &&
           ret->signed_in_ms >= account.since_ms;
}

int browser_session_new(struct store_txn *txn, const struct session *session, struct ticket *ret,
                        struct err *err)
{
    int r = token_put(txn, RECORD_SESSION, &session_shape, session, session->until_ms, ret, err);

    return r < 0 ? r
                 : owned_add(txn, session->account, RECORD_SESSION, str_c(ret->name),
                             session->until_ms, clock_now_ms(), err);
}

void browser_session_set(struct oauth *o, const struct ticket *ticket)
{
    set_cookie(o, cookie_name(o, COOKIE_SESSION), ticket->text, "");
}

void browser_session_name(const struct oauth *o, char ret[TICKET_NAME_MAX])
{
    struct str has = cookie(o, cookie_name(o, COOKIE_SESSION));

    if (!has.p || !ticket_name(has, o->now_ms, ret))
        ret[0] = '\0';
}

int browser_session_keep(struct oauth *o, struct store_txn *txn, const struct session *session,
                         struct err *err)
{
    char name[TICKET_NAME_MAX];

    browser_session_name(o, name);
    return *name ? record_put(txn, RECORD_SESSION, str_c(name), &session_shape, session, err)
                 : err_set(err, ERR_LOGIN, "the session has ended");
}

struct str browser_place(struct oauth *o)
{
    struct str has = cookie(o, cookie_name(o, COOKIE_PLACE));
    char secret[SECRET_TEXT_MAX], hash[2 * SHA256_BYTES + 1];

    if (has.n == SECRET_TEXT_MAX - 1)
        snprintf(secret, sizeof secret, "%.*s", STR_ARG(has));
    else
        secret_new(secret);
    set_cookie(o, cookie_name(o, COOKIE_PLACE), secret, "; Max-Age=31536000");
    sha256_hex(str_c(secret), hash);
    return arena_dup(o->a, str_c(hash));
}

int browser_place_keep(struct oauth *o, struct store_txn *txn, struct str account, struct str place,
                       struct err *err)
{
    struct str places[ACCOUNT_PLACES_MAX];
    struct account of;
    size_t n = 0, from;
    bool is_first;
    int r = account_get(txn, account, o->a, &of, err);

    if (r < 0)
        return r;
    is_first = !of.places.n;
    for (size_t i = 0; i < of.places.n; i++)
        if (str_eq(of.places.v[i], place))
            return 0;
    from = of.places.n < ACCOUNT_PLACES_MAX ? 0 : of.places.n - ACCOUNT_PLACES_MAX + 1;
    for (size_t i = from; i < of.places.n; i++)
        places[n++] = of.places.v[i];
    places[n++] = place;
    of.places = (struct str_list){places, n};
    r = account_put(txn, &of, err);
    return r < 0 || is_first ? r : trust_tell(o->t, txn, TOLD_PLACE, &of, STR(""), err);
}

static int drop_session(void *ctx, struct store_txn *txn, struct err *err)
{
    return record_drop(txn, RECORD_SESSION, str_c(ctx), err);
}

int browser_session_end(struct oauth *o)
{
    struct str has = cookie(o, cookie_name(o, COOKIE_SESSION));
    char name[TICKET_NAME_MAX];

    if (!has.p)
        return 0;
    set_cookie(o, cookie_name(o, COOKIE_SESSION), "", "; Max-Age=0");
    return ticket_name(has, o->now_ms, name)
               ? record_commit(o->t->store, drop_session, name, &o->err)
               : 0;
}
