#include "trust/forget.h"

#include "trust/account.h"

#define ARENA_MAX MIB(4)

struct forgetting {
    struct store_txn *txn;
    struct arena names, one; /* of their accounts; of one record */
    struct str fhir_user, quoted_id;
    struct str *accounts, *logins;
    size_t n;
};

typedef int record_each_fn(struct forgetting *f, enum record_kind kind, struct str name,
                           struct str text, struct err *err);

static bool has(struct str text, struct str what)
{
    return what.n && text.n && memmem(text.p, text.n, what.p, what.n);
}

static int each_of(struct forgetting *f, enum record_kind kind, record_each_fn *fn, struct err *err)
{
    static const char *const folders[] = {
#define X(kind, folder) folder,
        RECORD_KINDS(X)
#undef X
    };
    char after[RECORD_NAME_MAX]; /* of all records: an arena of their names would have no end */
    struct str name = STR("");
    int r = 0;

    while (r >= 0) {
        struct str text, path;

        arena_reset(&f->one);
        r = record_next(f->txn, kind, name, &f->one, &name, err);
        if (r < 0 || !name.p)
            break;
        if (name.n > sizeof after)
            return err_set(err, ERR_NO_STORE, "a record of trust has a name that is too long");
        memcpy(after, name.p, name.n);
        name = str_n(after, name.n);
        path = arena_fmt(&f->one, RECORD_PREFIX "%s/%.*s", folders[kind], STR_ARG(name));
        r = path.p ? store_blob_get(f->txn, path, 0, &f->one, &text, err) : err_no_memory(err);
        if (r >= 0 && text.p)
            r = fn(f, kind, name, text, err);
    }
    return r;
}

static int find_account(struct forgetting *f, enum record_kind kind, struct str name,
                        struct str text, struct err *err)
{
    struct account account;
    struct str *more, *logins;
    int r = record_parse(&f->one, text, &account_shape, &account, err);

    (void)kind;
    if (r < 0 || !str_eq(account.fhir_user, f->fhir_user))
        return r;
    more = arena_grow(&f->names, f->accounts, f->n * sizeof *more, (f->n + 1) * sizeof *more);
    logins = arena_grow(&f->names, f->logins, f->n * sizeof *more, (f->n + 1) * sizeof *more);
    if (!more || !logins)
        return err_no_memory(err);
    f->accounts = more;
    f->logins = logins;
    f->logins[f->n] = arena_dup(&f->names, account.login);
    f->accounts[f->n] = arena_dup(&f->names, name);
    f->n++;
    return f->logins[f->n - 1].p && f->accounts[f->n - 1].p ? 0 : err_no_memory(err);
}

/* Accounts' ids are random and long: where one stands, it is meant. */
static int drop_if_theirs(struct forgetting *f, enum record_kind kind, struct str name,
                          struct str text, struct err *err)
{
    bool is_theirs = kind >= RECORD_SESSION && (has(text, f->fhir_user) || has(text, f->quoted_id));

    for (size_t i = 0; i < f->n; i++)
        is_theirs |= str_starts(name, f->accounts[i]) || has(text, f->accounts[i]);
    return is_theirs ? record_drop(f->txn, kind, name, err) : 0;
}

/* A card is the person's who shows it, not the account's that gave it out. */
static int drop_tickets(struct forgetting *f, struct err *err)
{
    int r = 0;

    for (enum record_kind kind = RECORD_SESSION; kind < RECORD_PRESENCE && r >= 0; kind++)
        r = each_of(f, kind, drop_if_theirs, err);
    return r;
}

static int forget(struct forgetting *f, struct err *err)
{
    static const enum record_kind theirs[] = {RECORD_ACCOUNT,    RECORD_LOGIN,   RECORD_LINK,
                                              RECORD_IDENTIFIER, RECORD_PASSKEY, RECORD_OWNED,
                                              RECORD_GRANT};
    ptrdiff_t slash = str_find(f->fhir_user, '/');
    int r = each_of(f, RECORD_ACCOUNT, find_account, err);

    f->quoted_id =
        arena_fmt(&f->names, "\"%.*s\"", STR_ARG(str_from(f->fhir_user, (size_t)(slash + 1))));
    if (r >= 0 && !f->quoted_id.p)
        return err_no_memory(err);
    for (size_t i = 0; i < ARRAY_LEN(theirs) && r >= 0; i++)
        r = each_of(f, theirs[i], drop_if_theirs, err);
    if (r >= 0)
        r = drop_tickets(f, err);
    /* What they show where they come for care bears their id. */
    return r < 0 ? r
                 : record_drop(f->txn, RECORD_PRESENCE, str_from(f->fhir_user, (size_t)(slash + 1)),
                               err);
}

int trust_names(struct store_txn *txn, struct str fhir_user, struct arena *a, struct str **ret,
                size_t *ret_n, struct err *err)
{
    struct forgetting f = {.txn = txn, .fhir_user = fhir_user};
    struct str *names;
    int r;

    arena_init(&f.names, ARENA_MAX);
    arena_init(&f.one, ARENA_MAX);
    r = each_of(&f, RECORD_ACCOUNT, find_account, err);
    names = ARENA_ARRAY(a, struct str, 2 * f.n + 1);
    if (r >= 0 && !names)
        r = err_no_memory(err);
    for (size_t i = 0; i < f.n && r >= 0; i++) {
        names[2 * i] = arena_dup(a, f.accounts[i]);
        names[2 * i + 1] = arena_dup(a, f.logins[i]);
        if (!names[2 * i].p || !names[2 * i + 1].p)
            r = err_no_memory(err);
    }
    if (r >= 0) {
        *ret = names;
        *ret_n = 2 * f.n;
    }
    arena_done(&f.names);
    arena_done(&f.one);
    return MIN(r, 0);
}

int trust_forget(struct store_txn *txn, struct str fhir_user, size_t *ret, struct err *err)
{
    struct forgetting f = {.txn = txn, .fhir_user = fhir_user};
    int r;

    assert(str_find(fhir_user, '/') > 0);
    arena_init(&f.names, ARENA_MAX);
    arena_init(&f.one, ARENA_MAX);
    r = forget(&f, err);
    *ret = f.n;
    arena_done(&f.names);
    arena_done(&f.one);
    return MIN(r, 0);
}
