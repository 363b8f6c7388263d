#include "trust/manage.h"

#include "base/b64.h"
#include "base/clock.h"
#include "trust/account.h"
#include "trust/authority.h"
#include "trust/client.h"
#include "trust/explain.h"
#include "trust/keys.h"
#include "trust/passkey.h"
#include "trust/policy_book.h"
#include "trust/trust_int.h"

struct manage {
    struct store *store;
    struct trust *trust; /* or NULL */
    struct arena *a;
    yyjson_val *asked;
    struct sb *out;
    const char *password; /* hash of the one that was given, or NULL */
    char secret[SECRET_TEXT_MAX];
};

static struct str asked(const struct manage *m, const char *name)
{
    struct str s = js_get_str(m->asked, name);

    return s.p ? s : STR("");
}

static bool flag(const struct manage *m, const char *name)
{
    return yyjson_is_true(js_get(m->asked, name));
}

/* ---- people ---- */

static void say_setup(struct manage *m, const struct account *account)
{
    sb_fmt(m->out,
           "account %.*s\nlogin %.*s\none-time secret %s\n"
           "Open /auth/setup on the node within 24 hours and set a password with it.\n",
           STR_ARG(account->id), STR_ARG(account->login), m->secret);
}

/* The given password, or a one-time secret to set one. */
static int give_password(struct manage *m, struct store_txn *txn, struct account *account,
                         struct err *err)
{
    int r;

    account->attempts = account->wait_until_ms = 0;
    if (m->password)
        account_set_password(account, m->password, clock_now_ms());
    if ((r = account_put(txn, account, err)) < 0)
        return r;
    if (m->password) {
        sb_fmt(m->out, "account %.*s\nlogin %.*s\nthe password is set\n", STR_ARG(account->id),
               STR_ARG(account->login));
        return 0;
    }
    r = account_setup_new(txn, account, clock_now_ms(), ACCOUNT_SETUP_MS, m->secret, err);
    if (r >= 0)
        say_setup(m, account);
    return r;
}

/* "system|value", as searches write it. */
static int identify(struct manage *m, struct store_txn *txn, struct account *account,
                    struct err *err)
{
    struct str given = asked(m, "identifier");
    ptrdiff_t bar = str_find(given, '|');

    return account_identify(txn, m->a, account, str_head(given, bar < 0 ? 0 : (size_t)bar),
                            str_from(given, (size_t)(bar + 1)), err);
}

static int user_add(struct manage *m, struct store_txn *txn, struct err *err)
{
    struct account account = {.login = asked(m, "login"),
                              .name = asked(m, "name"),
                              .role = asked(m, "role"),
                              .fhir_user = asked(m, "fhirUser")};
    int r = account_create(txn, m->a, &account, err);

    if (r >= 0 && asked(m, "identifier").n)
        r = identify(m, txn, &account, err);
    return r < 0 ? r : give_password(m, txn, &account, err);
}

static int user_password(struct manage *m, struct store_txn *txn, struct err *err)
{
    struct account account;
    int r = account_find(txn, asked(m, "login"), m->a, &account, err);

    if (r >= 0 && account.closed)
        return err_set(err, ERR_VALUE, "the account was closed by its person");
    if (r >= 0)
        r = give_password(m, txn, &account, err);
    return r < 0 || !m->trust || !m->password
               ? r
               : trust_tell(m->trust, txn, TOLD_PASSWORD, &account, STR(""), err);
}

/* Of a way to sign in that an operator added or took away. */
static int tell_ways(struct manage *m, struct store_txn *txn, const struct account *account,
                     struct err *err)
{
    return m->trust ? trust_tell(m->trust, txn, TOLD_WAYS, account, STR(""), err) : 0;
}

static void say_account(struct manage *m, const struct account *account)
{
    sb_fmt(m->out, "%.*s  %.*s  %.*s%s%s%s%s%s\n", STR_ARG(account->id), STR_ARG(account->login),
           STR_ARG(account->role), account->totp.n ? "  one-time codes" : "",
           account->passkeys.n ? "  passkeys" : "", account->password.n ? "" : "  no password yet",
           account->wait_until_ms > clock_now_ms() ? "  waiting" : "",
           account->closed     ? "  closed"
           : account->disabled ? "  disabled"
                               : "");
}

static int user_list(struct manage *m, struct store_txn *txn, struct err *err)
{
    struct str id = STR("");
    int r = 0;

    while (r >= 0 && (r = record_next(txn, RECORD_ACCOUNT, id, m->a, &id, err)) >= 0 && id.p) {
        struct account account;

        if ((r = account_get(txn, id, m->a, &account, err)) >= 0)
            say_account(m, &account);
    }
    return r;
}

static int user_show(struct manage *m, struct store_txn *txn, struct err *err)
{
    struct account account;
    int r = account_find(txn, asked(m, "login"), m->a, &account, err);

    if (r < 0)
        return r;
    say_account(m, &account);
    sb_fmt(m->out, "name %.*s\nfhirUser %.*s\nrecovery codes left %zu\n", STR_ARG(account.name),
           STR_ARG(account.fhir_user), account.recovery.n);
    for (size_t i = 0; i < account.identifiers.n; i++)
        sb_fmt(m->out, "identifier %.*s\n", STR_ARG(account.identifiers.v[i]));
    for (size_t i = 0; i < account.links.n; i++)
        sb_fmt(m->out, "signs in with %.*s\n", STR_ARG(account.links.v[i]));
    return 0;
}

static int user_identify(struct manage *m, struct store_txn *txn, struct err *err)
{
    struct account account;
    int r = account_find(txn, asked(m, "login"), m->a, &account, err);

    if (r >= 0)
        r = identify(m, txn, &account, err);
    if (r >= 0)
        say_account(m, &account);
    return r;
}

static int user_able(struct manage *m, struct store_txn *txn, bool disabled, struct err *err)
{
    struct account account;
    int r = account_find(txn, asked(m, "login"), m->a, &account, err);

    if (r < 0)
        return r;
    if (account.closed)
        return err_set(err, ERR_VALUE, "the account was closed by its person");
    account.disabled = disabled;
    say_account(m, &account);
    return account_put(txn, &account, err);
}

static int user_disable(struct manage *m, struct store_txn *txn, struct err *err)
{
    return user_able(m, txn, true, err);
}

static int user_enable(struct manage *m, struct store_txn *txn, struct err *err)
{
    return user_able(m, txn, false, err);
}

static int user_totp(struct manage *m, struct store_txn *txn, struct err *err)
{
    char codes[RECOVERY_CODES][RECOVERY_CODE_MAX];
    struct account account;
    int r = account_find(txn, asked(m, "login"), m->a, &account, err);

    if (r < 0 || (r = account_totp_new(m->a, &account.totp, err)) < 0 ||
        (r = account_recovery_new(m->a, &account, codes, err)) < 0)
        return r;
    sb_fmt(m->out,
           "otpauth://totp/Carnet:%.*s?secret=%.*s&issuer=Carnet\n"
           "Put this into an authenticator app. Recovery codes, each good once:\n",
           STR_ARG(account.login), STR_ARG(account.totp));
    for (size_t i = 0; i < RECOVERY_CODES; i++)
        sb_fmt(m->out, "  %s\n", codes[i]);
    explicit_bzero(codes, sizeof codes);
    account.totp_last = 0;
    r = account_put(txn, &account, err);
    return r < 0 ? r : tell_ways(m, txn, &account, err);
}

static int user_totp_off(struct manage *m, struct store_txn *txn, struct err *err)
{
    struct account account;
    int r = account_find(txn, asked(m, "login"), m->a, &account, err);

    if (r < 0)
        return r;
    account.totp = STR("");
    account.recovery.n = 0;
    say_account(m, &account);
    r = account_put(txn, &account, err);
    return r < 0 ? r : tell_ways(m, txn, &account, err);
}

static int user_passkeys_off(struct manage *m, struct store_txn *txn, struct err *err)
{
    struct account account;
    int r = account_find(txn, asked(m, "login"), m->a, &account, err);

    if (r >= 0)
        r = passkey_drop(txn, &account, STR(""), err);
    if (r >= 0)
        say_account(m, &account);
    return r < 0 ? r : tell_ways(m, txn, &account, err);
}

/* ---- clients ---- */

static void say_client(struct manage *m, const struct client *c)
{
    sb_fmt(m->out, "%.*s  %.*s  %s%s%s\n", STR_ARG(c->id), STR_ARG(c->name),
           c->backend                  ? "backend service"
           : client_is_public(c)       ? "public app"
           : client_has_keys(c)        ? "app with keys"
           : client_has_certificate(c) ? "app with a certificate"
                                       : "app with a secret",
           c->approved ? "" : "  waits for approval", c->disabled ? "  disabled" : "");
}

static void new_secret(struct manage *m, struct client *c, char hash[2 * SHA256_BYTES + 1])
{
    secret_new(m->secret);
    sha256_hex(str_c(m->secret), hash);
    c->secret = str_c(hash);
    sb_fmt(m->out, "client secret %s\n", m->secret);
}

static int read_list(const struct manage *m, const char *name, struct str_list *ret,
                     struct err *err)
{
    yyjson_val *list = js_get(m->asked, name), *v;
    size_t i, max;

    *ret = (struct str_list){0};
    if (!list)
        return 0;
    if (yyjson_arr_size(list) > RECORD_LIST_MAX)
        return err_set(err, ERR_VALUE, "\"%s\" has too many values", name);
    ret->v = ARENA_ARRAY(m->a, struct str, yyjson_arr_size(list) + 1);
    if (!ret->v)
        return err_no_memory(err);
    yyjson_arr_foreach(list, i, max, v)
        if (yyjson_is_str(v))
            ret->v[ret->n++] = js_str(v);
    return 0;
}

/* Of a certificate, the thumbprint that tokens are bound to. */
static int read_certificate(const struct manage *m, struct str *ret, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(SECRET_TEXT_MAX);
    struct str pem = asked(m, "tlsCertificate");
    struct certificate certificate;
    int r = pem.n ? certificate_read(pem, &certificate, err) : 0;

    if (r < 0 || !pem.n)
        return r;
    b64url_encode(&text, str_n((const char *)certificate.sha256, SHA256_BYTES));
    if ((r = sb_ok(&text, err)) < 0)
        return r;
    *ret = arena_dup(m->a, sb_view(&text));
    return ret->p ? 0 : err_no_memory(err);
}

static int client_add(struct manage *m, struct store_txn *txn, struct err *err)
{
    struct client c = {.id = asked(m, "id"),
                       .name = asked(m, "name"),
                       .scope = asked(m, "scope"),
                       .launch_uri = asked(m, "launch"),
                       .jwks = asked(m, "jwks"),
                       .jwks_uri = asked(m, "jwksUri"),
                       .jwks_private = flag(m, "jwksPrivate"),
                       .tls_subject = asked(m, "tlsSubject"),
                       .contact = asked(m, "contact"),
                       .backend = flag(m, "backend"),
                       .dpop = flag(m, "dpop"),
                       .pushed = flag(m, "pushed"),
                       .approved = true,
                       .created_ms = clock_now_ms()};
    char hash[2 * SHA256_BYTES + 1];
    struct client there;
    int r = read_list(m, "redirects", &c.redirects, err);

    if (r >= 0)
        r = read_certificate(m, &c.tls_thumbprint, err);
    if (r >= 0)
        r = client_check(m->a, &c, err);
    if (r < 0)
        return r;
    r = client_get(txn, c.id, m->a, &there, err);
    if (r != ERR_NOT_FOUND)
        return r < 0 ? r
                     : err_set(err, ERR_DUPLICATE, "there is a client \"%.*s\" already",
                               STR_ARG(c.id));
    if (flag(m, "secret"))
        new_secret(m, &c, hash);
    say_client(m, &c);
    return client_put(txn, &c, err);
}

static int client_list(struct manage *m, struct store_txn *txn, struct err *err)
{
    struct str id = STR("");
    int r = 0;

    while (r >= 0 && (r = record_next(txn, RECORD_CLIENT, id, m->a, &id, err)) >= 0 && id.p) {
        struct client c;

        if ((r = client_get(txn, id, m->a, &c, err)) >= 0)
            say_client(m, &c);
    }
    return r;
}

static int client_show(struct manage *m, struct store_txn *txn, struct err *err)
{
    struct client c;
    int r = client_get(txn, asked(m, "id"), m->a, &c, err);

    if (r < 0)
        return r;
    say_client(m, &c);
    sb_fmt(m->out, "scope %.*s\n", STR_ARG(c.scope));
    for (size_t i = 0; i < c.redirects.n; i++)
        sb_fmt(m->out, "redirect %.*s\n", STR_ARG(c.redirects.v[i]));
    if (c.jwks_uri.n)
        sb_fmt(m->out, "keys at %.*s\n", STR_ARG(c.jwks_uri));
    sb_fmt(m->out, "launch %.*s\ncontact %.*s\n", STR_ARG(c.launch_uri), STR_ARG(c.contact));
    return 0;
}

static int client_change(struct manage *m, struct store_txn *txn, void (*change)(struct client *c),
                         struct err *err)
{
    struct client c;
    int r = client_get(txn, asked(m, "id"), m->a, &c, err);

    if (r < 0)
        return r;
    change(&c);
    say_client(m, &c);
    return client_put(txn, &c, err);
}

static void approve(struct client *c)
{
    c->approved = true;
}

static void disable(struct client *c)
{
    c->disabled = true;
}

static void enable(struct client *c)
{
    c->disabled = false;
}

static int client_approve(struct manage *m, struct store_txn *txn, struct err *err)
{
    return client_change(m, txn, approve, err);
}

static int client_disable(struct manage *m, struct store_txn *txn, struct err *err)
{
    return client_change(m, txn, disable, err);
}

static int client_enable(struct manage *m, struct store_txn *txn, struct err *err)
{
    return client_change(m, txn, enable, err);
}

static int client_secret(struct manage *m, struct store_txn *txn, struct err *err)
{
    char hash[2 * SHA256_BYTES + 1];
    struct client c;
    int r = client_get(txn, asked(m, "id"), m->a, &c, err);

    if (r < 0)
        return r;
    if (c.backend)
        return err_set(err, ERR_VALUE, "a backend service proves itself by its key alone");
    new_secret(m, &c, hash);
    return client_put(txn, &c, err);
}

/* ---- all there is ---- */

static const struct action {
    struct str name;
    int (*run)(struct manage *m, struct store_txn *txn, struct err *err);
} actions[] = {
    {STR("user-add"), user_add},
    {STR("user-list"), user_list},
    {STR("user-show"), user_show},
    {STR("user-disable"), user_disable},
    {STR("user-enable"), user_enable},
    {STR("user-password"), user_password},
    {STR("user-totp"), user_totp},
    {STR("user-totp-off"), user_totp_off},
    {STR("user-passkeys-off"), user_passkeys_off},
    {STR("user-identify"), user_identify},
    {STR("client-add"), client_add},
    {STR("client-list"), client_list},
    {STR("client-show"), client_show},
    {STR("client-approve"), client_approve},
    {STR("client-disable"), client_disable},
    {STR("client-enable"), client_enable},
    {STR("client-secret"), client_secret},
};

struct manage_commit {
    struct manage *m;
    const struct action *action;
};

static int commit_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct manage_commit *c = ctx;

    return c->action->run(c->m, txn, err);
}

static int rotate(struct store *store, struct sb *out, struct err *err)
{
    struct keys keys;
    int r = keys_open(store, true, &keys, err);

    if (r < 0)
        return r;
    for (size_t i = 0; i < keys.n; i++)
        sb_fmt(out, "%s  %s\n", keys.v[i].kid, jose_alg_name(keys.v[i].alg));
    keys_done(&keys);
    return 0;
}

/* ---- policies ---- */

static int policy_set(struct manage *m, struct err *err)
{
    uint64_t number = 0;
    int r = policy_keep(m->store, asked(m, "policy"), asked(m, "by"), false, &number, err);

    if (r >= 0)
        sb_fmt(m->out, "policy %.*s is in force, as number %llu\n", STR_ARG(asked(m, "id")),
               (unsigned long long)number);
    return r;
}

static int policy_show(struct manage *m, struct store_txn *txn, struct err *err)
{
    uint64_t number = 0;
    struct policy_kept k;
    int r;

    if (asked(m, "number").n && (!str_to_u64(asked(m, "number"), UINT32_MAX, &number) || !number))
        return err_set(err, ERR_VALUE, "a policy's number is 1 or more");
    r = policy_kept_get(txn, m->a, number, &k, err);
    if (r >= 0)
        sb_str(m->out, k.text);
    return r;
}

static int policy_history(struct manage *m, struct store_txn *txn, struct err *err)
{
    struct policy_kept k = {.number = 0};
    bool more = true;
    int r = 0;

    while (r >= 0 && (r = policy_kept_next(txn, m->a, k.number, &k, &more, err)) >= 0 && more) {
        char when[CLOCK_INSTANT_MAX];

        clock_format(k.when_ms, when);
        sb_fmt(m->out, "%llu  %s  %.*s  by %.*s\n", (unsigned long long)k.number, when,
               STR_ARG(k.version), STR_ARG(k.by));
    }
    if (r >= 0 && !m->out->n)
        sb_lit(m->out, "none was set: the one that is built in is in force\n");
    return r;
}

/* What only reads does so in a transaction that waits for nobody. */
static int reading(struct manage *m,
                   int (*run)(struct manage *m, struct store_txn *txn, struct err *err),
                   struct err *err)
{
    struct access who = trust_system();
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    int r = store_begin(m->store, &who, &txn, err);

    if (r >= 0)
        r = run(m, txn, err);
    return r < 0 ? r : sb_ok(m->out, err);
}

static int explain(struct manage *m, struct guard *guard, struct err *err)
{
    struct str login, to = asked(m, "resource"), purpose = asked(m, "purpose");
    int r = account_login(m->a, asked(m, "login"), &login, err);

    return r < 0 ? r : explain_access(m->store, guard, m->a, login, to, purpose, m->out, err);
}

int manage_run(struct store *store, struct trust *trust, struct arena *a, struct str request,
               struct sb *out, struct err *err)
{
    struct manage m = {.store = store, .trust = trust, .a = a, .out = out};
    struct manage_commit commit = {.m = &m};
    char hash[PASSWORD_HASH_MAX];
    struct str what, password;
    int r = js_parse(a, request, &m.asked, err);

    if (r < 0)
        return r;
    what = asked(&m, "do");
    password = js_get_str(m.asked, "password");
    if (str_eq(what, STR("keys-rotate")))
        return rotate(store, out, err);
    if (str_eq(what, STR("policy-set")))
        return policy_set(&m, err);
    if (str_eq(what, STR("policy-show")))
        return reading(&m, policy_show, err);
    if (str_eq(what, STR("policy-history")))
        return reading(&m, policy_history, err);
    if (str_eq(what, STR("explain")))
        return explain(&m, trust ? trust_guard(trust) : NULL, err);
    if (password.p) {
        if ((r = password_check(password, err)) < 0 || (r = password_hash(password, hash, err)) < 0)
            return r;
        m.password = hash;
    }
    for (size_t i = 0; i < ARRAY_LEN(actions); i++)
        if (str_eq(what, actions[i].name)) {
            commit.action = &actions[i];
            r = record_commit(store, commit_run, &commit, err);
            explicit_bzero(m.secret, sizeof m.secret);
            if (trust)
                trust_told(trust);
            return r < 0 ? r : sb_ok(out, err);
        }
    return err_set(err, ERR_VALUE, "there is no action \"%.*s\"", (int)MIN(what.n, 60u), what.p);
}
