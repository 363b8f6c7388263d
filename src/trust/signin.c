/* signin.c - proving who one is: password, then a one-time code. */
#include "trust/account.h"

#include "base/clock.h"

static int refused(struct err *err)
{
    return err_set(err, ERR_LOGIN, "the login name or the password is not right");
}

static int wait_ms(int64_t attempts)
{
    int64_t over = attempts - ACCOUNT_FREE_ATTEMPTS;

    if (over < 0)
        return 0;
    return (int)MIN((int64_t)ACCOUNT_WAIT_FIRST_MS << MIN(over, 10), (int64_t)ACCOUNT_WAIT_MAX_MS);
}

/* What a commit of this file works on; the account's texts live in `a`. */
struct attempt {
    struct arena *a;
    struct str id, login; /* one of them */
    struct account account;
    uint64_t counter;     /* of the one-time code that was right */
    const char *recovery; /* hash of the recovery code that was right */
    const struct account_also *by_recovery;
    int64_t now_ms;
};

static int load(struct attempt *t, struct store_txn *txn, struct err *err)
{
    return t->id.n ? account_get(txn, t->id, t->a, &t->account, err)
                   : account_find(txn, t->login, t->a, &t->account, err);
}

/* Counts an attempt, before anybody knows how it ends. */
static int attempt_begin(void *ctx, struct store_txn *txn, struct err *err)
{
    struct attempt *t = ctx;
    struct account *account = &t->account;
    int r = load(t, txn, err);

    if (r < 0)
        return r;
    if (account->wait_until_ms > t->now_ms)
        return err_set(err, ERR_THROTTLED, "too many attempts; try again in %lld seconds",
                       (long long)((account->wait_until_ms - t->now_ms) / 1000 + 1));
    account->attempts++;
    if (wait_ms(account->attempts))
        account->wait_until_ms = t->now_ms + wait_ms(account->attempts);
    return account_put(txn, account, err);
}

static int attempt_succeeded(void *ctx, struct store_txn *txn, struct err *err)
{
    struct attempt *t = ctx;
    struct account *account = &t->account;
    struct str_list *left;
    int r = load(t, txn, err);

    if (r < 0)
        return r;
    left = &account->recovery;
    if (t->counter && account->totp_last >= (int64_t)t->counter)
        return refused(err); /* the same code, at the same moment, in another window */
    if (t->counter)
        account->totp_last = (int64_t)t->counter;
    if (t->recovery) {
        size_t n = left->n, kept = 0;

        for (size_t i = 0; i < n; i++)
            if (!secret_eq(left->v[i], str_c(t->recovery)))
                left->v[kept++] = left->v[i];
        if (kept == n)
            return refused(err);
        left->n = kept;
    }
    account->attempts = account->wait_until_ms = 0;
    r = account_put(txn, account, err);
    return r < 0 || !t->recovery || !t->by_recovery
               ? r
               : t->by_recovery->run(t->by_recovery->ctx, txn, account, err);
}

int signin_password(struct store *store, struct arena *a, struct str login, struct str password,
                    struct account *ret, enum signin *ret_next, struct err *err)
{
    struct attempt t = {.a = a, .login = login, .now_ms = clock_now_ms()};
    int r = record_commit(store, attempt_begin, &t, err);
    struct account *account = &t.account;

    if (r == ERR_NOT_FOUND || r == ERR_VALUE) {
        password_verify(STR(""), password);
        return refused(err);
    }
    if (r < 0)
        return r;
    if (!password_verify(account->password, password) || account->disabled)
        return refused(err);
    if (account->totp.n) {
        *ret_next = SIGNIN_TOTP;
        *ret = *account;
        return 0;
    }
    r = record_commit(store, attempt_succeeded, &t, err);
    if (r < 0)
        return r;
    *ret_next = SIGNIN_DONE;
    *ret = *account;
    return 0;
}

/* Fills what attempt_succeeded uses up; false when the code is none. */
static bool match_code(struct attempt *t, struct str typed, char hash[2 * SHA256_BYTES + 1])
{
    struct str key = base32_decode(t->a, t->account.totp);

    if (!key.p || !key.n)
        return false;
    t->counter = totp_match(key, typed, t->now_ms, (uint64_t)t->account.totp_last);
    if (t->counter)
        return true;
    recovery_hash(typed, hash);
    for (size_t i = 0; i < t->account.recovery.n; i++)
        if (secret_eq(t->account.recovery.v[i], str_c(hash)))
            t->recovery = hash;
    return t->recovery;
}

int signin_code(struct store *store, struct arena *a, struct str account_id, struct str typed,
                const struct account_also *by_recovery, struct account *ret, struct err *err)
{
    struct attempt t = {
        .a = a, .id = account_id, .now_ms = clock_now_ms(), .by_recovery = by_recovery};
    char hash[2 * SHA256_BYTES + 1];
    int r = record_commit(store, attempt_begin, &t, err);

    if (r < 0)
        return r == ERR_NOT_FOUND ? refused(err) : r;
    if (t.account.disabled || !match_code(&t, typed, hash))
        return err_set(err, ERR_LOGIN, "the code is not right");
    r = record_commit(store, attempt_succeeded, &t, err);
    if (r < 0)
        return r;
    *ret = t.account;
    return 0;
}
