#include "trust/account.h"

#include "base/clock.h"
#include "base/rng.h"
#include "trust/owned.h"
#include "trust/passkey.h"
#include "trust/ticket.h"

static const struct field account_fields[] = {
    {"id", FIELD_STR, offsetof(struct account, id)},
    {"login", FIELD_STR, offsetof(struct account, login)},
    {"name", FIELD_STR, offsetof(struct account, name)},
    {"role", FIELD_STR, offsetof(struct account, role)},
    {"fhirUser", FIELD_STR, offsetof(struct account, fhir_user)},
    {"password", FIELD_STR, offsetof(struct account, password)},
    {"totp", FIELD_STR, offsetof(struct account, totp)},
    {"recovery", FIELD_LIST, offsetof(struct account, recovery)},
    {"identifiers", FIELD_LIST, offsetof(struct account, identifiers)},
    {"links", FIELD_LIST, offsetof(struct account, links)},
    {"passkeys", FIELD_LIST, offsetof(struct account, passkeys)},
    {"places", FIELD_LIST, offsetof(struct account, places)},
    {"created", FIELD_I64, offsetof(struct account, created_ms)},
    {"totpLast", FIELD_I64, offsetof(struct account, totp_last)},
    {"attempts", FIELD_I64, offsetof(struct account, attempts)},
    {"totpNext", FIELD_STR, offsetof(struct account, totp_next)},
    {"since", FIELD_I64, offsetof(struct account, since_ms)},
    {"reset", FIELD_I64, offsetof(struct account, reset_ms)},
    {"waitUntil", FIELD_I64, offsetof(struct account, wait_until_ms)},
    {"disabled", FIELD_BOOL, offsetof(struct account, disabled)},
    {"closed", FIELD_BOOL, offsetof(struct account, closed)},
};
const struct shape account_shape = SHAPE(account);

/* What a login name and a one-time secret lead to. */
struct pointer {
    struct str account;
};
static const struct field pointer_fields[] = {
    {"account", FIELD_STR, offsetof(struct pointer, account)},
};
static const struct shape pointer_shape = SHAPE(pointer);

struct str account_role_scopes(struct str role)
{
    static const struct {
        struct str role, scopes;
    } roles[] = {
#define X(role, scopes) {{role, sizeof role - 1}, {scopes, sizeof scopes - 1}},
        ACCOUNT_ROLES(X)
#undef X
    };

    for (size_t i = 0; i < ARRAY_LEN(roles); i++)
        if (str_eq(role, roles[i].role))
            return roles[i].scopes;
    return STR_NULL;
}

int account_login(struct arena *a, struct str typed, struct str *ret, struct err *err)
{
    char *to;

    typed = str_trim(typed);
    if (!typed.n || typed.n > ACCOUNT_LOGIN_MAX)
        return err_set(err, ERR_VALUE, "a login name has 1 to %d characters", ACCOUNT_LOGIN_MAX);
    to = arena_alloc(a, typed.n);
    if (!to)
        return err_no_memory(err);
    for (size_t i = 0; i < typed.n; i++) {
        char c = typed.p[i];

        c = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("._@+-", c))))
            return err_set(err, ERR_VALUE, "a login name is made of a-z, 0-9 and . _ @ + -");
        to[i] = c;
    }
    *ret = str_n(to, typed.n);
    return 0;
}

/* ---- records ---- */

int account_get(struct store_txn *txn, struct str id, struct arena *a, struct account *ret,
                struct err *err)
{
    return record_get(txn, RECORD_ACCOUNT, id, a, &account_shape, ret, err);
}

int account_find(struct store_txn *txn, struct str login, struct arena *a, struct account *ret,
                 struct err *err)
{
    struct pointer to;
    int r = account_login(a, login, &login, err);

    if (r >= 0)
        r = record_get(txn, RECORD_LOGIN, login, a, &pointer_shape, &to, err);
    if (r == ERR_NOT_FOUND)
        return err_set(err, ERR_NOT_FOUND, "there is no account \"%.*s\"", STR_ARG(login));
    return r < 0 ? r : account_get(txn, to.account, a, ret, err);
}

int account_put(struct store_txn *txn, const struct account *account, struct err *err)
{
    return record_put(txn, RECORD_ACCOUNT, account->id, &account_shape, account, err);
}

int account_create(struct store_txn *txn, struct arena *a, struct account *account, struct err *err)
{
    char uuid[UUID_TEXT_LEN + 1];
    struct pointer to;
    int r = account_login(a, account->login, &account->login, err);

    if (r < 0)
        return r;
    if (!account_role_scopes(account->role).p)
        return err_set(err, ERR_VALUE, "there is no role \"%.*s\"", (int)MIN(account->role.n, 60u),
                       account->role.p);
    if (account->name.n > ACCOUNT_NAME_MAX)
        return err_set(err, ERR_VALUE, "a name has at most %d bytes", ACCOUNT_NAME_MAX);
    r = record_get(txn, RECORD_LOGIN, account->login, a, &pointer_shape, &to, err);
    if (r != ERR_NOT_FOUND)
        return r < 0 ? r
                     : err_set(err, ERR_DUPLICATE, "the login name \"%.*s\" is taken",
                               STR_ARG(account->login));
    uuid7(uuid);
    account->id = to.account = arena_dup(a, str_c(uuid));
    if (!account->id.p)
        return err_no_memory(err);
    account->created_ms = clock_now_ms();
    r = record_put(txn, RECORD_LOGIN, account->login, &pointer_shape, &to, err);
    return r < 0 ? r : account_put(txn, account, err);
}

/* ---- who one is elsewhere ---- */

/* The name of what two texts lead to: neither can be read from it, nor one taken for the other. */
static int pair_name(struct arena *a, struct str first, struct str second,
                     char ret[2 * SHA256_BYTES + 1], struct err *err)
{
    struct str text = arena_fmt(a, "%zu\n%.*s\n%.*s", first.n, STR_ARG(first), STR_ARG(second));

    if (!text.p)
        return err_no_memory(err);
    sha256_hex(text, ret);
    return 0;
}

static int pair_get(struct store_txn *txn, enum record_kind kind, struct arena *a, struct str first,
                    struct str second, struct account *ret, struct err *err)
{
    char name[2 * SHA256_BYTES + 1];
    struct pointer to;
    int r = pair_name(a, first, second, name, err);

    if (r >= 0)
        r = record_get(txn, kind, str_c(name), a, &pointer_shape, &to, err);
    return r < 0 ? r : account_get(txn, to.account, a, ret, err);
}

/* 1 when it is this account's already. */
static int pair_free(struct store_txn *txn, enum record_kind kind, struct arena *a,
                     const struct account *account, struct str first, struct str second,
                     struct err *err)
{
    struct account other;
    int r = pair_get(txn, kind, a, first, second, &other, err);

    if (r < 0)
        return r == ERR_NOT_FOUND ? 0 : r;
    return str_eq(other.id, account->id)
               ? 1
               : err_set(err, ERR_DUPLICATE, "it belongs to another account already");
}

static int pair_put(struct store_txn *txn, enum record_kind kind, struct arena *a,
                    const struct account *account, struct str first, struct str second,
                    struct err *err)
{
    char name[2 * SHA256_BYTES + 1];
    const struct pointer to = {account->id};
    int r = pair_name(a, first, second, name, err);

    return r < 0 ? r : record_put(txn, kind, str_c(name), &pointer_shape, &to, err);
}

static int append(struct arena *a, struct str_list *list, struct str text, size_t max,
                  struct err *err)
{
    struct str *more;

    if (list->n >= max)
        return err_set(err, ERR_VALUE, "an account has no more than %zu of them", max);
    more = ARENA_ARRAY(a, struct str, list->n + 1);
    if (!more || !text.p)
        return err_no_memory(err);
    for (size_t i = 0; i < list->n; i++)
        more[i] = list->v[i];
    more[list->n] = text;
    *list = (struct str_list){more, list->n + 1};
    return 0;
}

int account_identify(struct store_txn *txn, struct arena *a, struct account *account,
                     struct str system, struct str value, struct err *err)
{
    int r;

    if (!system.n || !value.n || str_find(system, '|') >= 0 ||
        system.n + value.n > ACCOUNT_IDENTIFIER_MAX)
        return err_set(err, ERR_VALUE,
                       "an identifier is a system without | and a value, of %d bytes together",
                       ACCOUNT_IDENTIFIER_MAX);
    r = pair_free(txn, RECORD_IDENTIFIER, a, account, system, value, err);
    if (r != 0)
        return MIN(r, 0);
    r = append(a, &account->identifiers,
               arena_join(a, (const struct str[]){system, STR("|"), value}, 3),
               ACCOUNT_IDENTIFIERS_MAX, err);
    if (r >= 0)
        r = pair_put(txn, RECORD_IDENTIFIER, a, account, system, value, err);
    return r < 0 ? r : account_put(txn, account, err);
}

int account_identified(struct store_txn *txn, struct arena *a, struct str system, struct str value,
                       struct account *ret, struct err *err)
{
    return pair_get(txn, RECORD_IDENTIFIER, a, system, value, ret, err);
}

int account_link(struct store_txn *txn, struct arena *a, struct account *account, struct str name,
                 struct str issuer, struct str sub, struct err *err)
{
    char hash[2 * SHA256_BYTES + 1];
    int r = pair_free(txn, RECORD_LINK, a, account, issuer, sub, err);

    if (r != 0 || (r = pair_name(a, issuer, sub, hash, err)) < 0)
        return MIN(r, 0);
    r = append(a, &account->links, arena_fmt(a, "%.*s %s", STR_ARG(name), hash), ACCOUNT_LINKS_MAX,
               err);
    if (r >= 0)
        r = pair_put(txn, RECORD_LINK, a, account, issuer, sub, err);
    return r < 0 ? r : account_put(txn, account, err);
}

int account_linked(struct store_txn *txn, struct arena *a, struct str issuer, struct str sub,
                   struct account *ret, struct err *err)
{
    return pair_get(txn, RECORD_LINK, a, issuer, sub, ret, err);
}

int account_unlink(struct store_txn *txn, struct account *account, struct str link, struct err *err)
{
    ptrdiff_t space = str_find(link, ' ');
    size_t kept = 0;
    int r;

    for (size_t i = 0; i < account->links.n; i++)
        if (!str_eq(account->links.v[i], link))
            account->links.v[kept++] = account->links.v[i];
    if (space < 0 || kept == account->links.n)
        return err_set(err, ERR_NOT_FOUND, "the account has no such link");
    account->links.n = kept;
    r = record_drop(txn, RECORD_LINK, str_from(link, (size_t)space + 1), err);
    return r < 0 ? r : account_put(txn, account, err);
}

static int drop_identifiers(struct store_txn *txn, struct arena *a, struct account *account,
                            struct err *err)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < account->identifiers.n; i++) {
        struct str value = account->identifiers.v[i], system;
        char name[2 * SHA256_BYTES + 1];

        str_split(&value, '|', &system);
        r = pair_name(a, system, value, name, err);
        if (r >= 0)
            r = record_drop(txn, RECORD_IDENTIFIER, str_c(name), err);
    }
    account->identifiers.n = 0;
    return r;
}

int account_shut(struct store_txn *txn, struct arena *a, struct account *account, struct err *err)
{
    int r = drop_identifiers(txn, a, account, err);

    while (r >= 0 && account->links.n)
        r = account_unlink(txn, account, account->links.v[0], err);
    if (r >= 0)
        r = owned_drop_all(txn, account->id, a, err);
    account->disabled = account->closed = true;
    account->password = account->totp = account->totp_next = STR("");
    account->recovery.n = account->places.n = 0;
    return r < 0 ? r : passkey_drop(txn, account, STR(""), err);
}

/* ---- passwords ---- */

/* Who has a new one may have it because the old one was in other hands. */
void account_set_password(struct account *account, const char *hash, int64_t now_ms)
{
    account->password = str_c(hash);
    account->since_ms = now_ms;
    account->attempts = account->wait_until_ms = 0;
}

/* ---- one-time codes ---- */

int account_recovery_new(struct arena *a, struct account *account,
                         char ret[RECOVERY_CODES][RECOVERY_CODE_MAX], struct err *err)
{
    struct str *hashes = ARENA_ARRAY(a, struct str, RECOVERY_CODES);

    for (size_t i = 0; hashes && i < RECOVERY_CODES; i++) {
        char hash[2 * SHA256_BYTES + 1];

        recovery_code(ret[i]);
        recovery_hash(str_c(ret[i]), hash);
        hashes[i] = arena_dup(a, str_c(hash));
        if (!hashes[i].p)
            return err_no_memory(err);
    }
    account->recovery = (struct str_list){hashes, RECOVERY_CODES};
    return hashes ? 0 : err_no_memory(err);
}

int account_totp_new(struct arena *a, struct str *ret, struct err *err)
{
    _cleanup_(sb_done) struct sb key = sb_make(64);
    unsigned char bytes[TOTP_KEY_BYTES];

    rng_secure(bytes, sizeof bytes);
    base32_encode(&key, str_n((const char *)bytes, sizeof bytes));
    *ret = key.failed ? STR_NULL : arena_dup(a, sb_view(&key));
    return ret->p ? 0 : err_no_memory(err);
}

/* ---- a first password ---- */

int account_setup_new(struct store_txn *txn, const struct account *account, int64_t now_ms,
                      int64_t life_ms, char ret[SECRET_TEXT_MAX], struct err *err)
{
    struct pointer to = {account->id};
    struct ticket t;
    int r;

    ticket_new(now_ms + life_ms, &t);
    if (!*t.text)
        return err_no_memory(err);
    r = ticket_sweep(txn, RECORD_SETUP, now_ms, err);
    if (r >= 0)
        r = record_put(txn, RECORD_SETUP, str_c(t.name), &pointer_shape, &to, err);
    if (r >= 0)
        memcpy(ret, t.text, SECRET_TEXT_MAX);
    return r;
}

struct setup {
    struct arena *a;
    const char *name, *hash;
    const struct account_also *also;
};

static int setup_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct setup *s = ctx;
    struct account account;
    struct pointer to;
    int r = record_get(txn, RECORD_SETUP, str_c(s->name), s->a, &pointer_shape, &to, err);

    if (r < 0 || (r = account_get(txn, to.account, s->a, &account, err)) < 0)
        return r;
    if (account.closed)
        return ERR_NOT_FOUND;
    account_set_password(&account, s->hash, clock_now_ms());
    r = record_drop(txn, RECORD_SETUP, str_c(s->name), err);
    if (r >= 0)
        r = account_put(txn, &account, err);
    return r < 0 || !s->also ? r : s->also->run(s->also->ctx, txn, &account, err);
}

int account_setup(struct store *store, struct str secret, struct str password,
                  const struct account_also *also, struct err *err)
{
    char name[TICKET_NAME_MAX], hash[PASSWORD_HASH_MAX];
    _cleanup_(arena_done) struct arena a;
    struct setup s = {&a, name, hash, also};
    int r = password_check(password, err);

    arena_init(&a, MIB(1));
    if (r >= 0 && !ticket_name(secret, clock_now_ms(), name))
        r = ERR_NOT_FOUND;
    if (r >= 0)
        r = password_hash(password, hash, err);
    if (r >= 0)
        r = record_commit(store, setup_run, &s, err);
    return r == ERR_NOT_FOUND
               ? err_set(err, ERR_LOGIN, "the one-time secret is not known, or was used, or ended")
               : r;
}

/* ---- the first of all ---- */

struct first {
    struct arena *a;
    char *secret;
};

static int first_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct first *f = ctx;
    struct account account = {.login = STR("operator"), .role = STR("operator")};
    struct str any;
    int r = record_next(txn, RECORD_ACCOUNT, STR(""), f->a, &any, err);

    if (r < 0 || any.p)
        return r;
    r = account_create(txn, f->a, &account, err);
    return r < 0
               ? r
               : account_setup_new(txn, &account, clock_now_ms(), ACCOUNT_SETUP_MS, f->secret, err);
}

int account_bootstrap(struct store *store, char ret[SECRET_TEXT_MAX], struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    struct first f = {&a, ret};

    arena_init(&a, MIB(1));
    ret[0] = '\0';
    return record_commit(store, first_run, &f, err);
}
