#include "trust/forget.h"

#include "store.h"

#include "trust/account.h"
#include "trust/presence.h"
#include "trust/ticket.h"
#include "trust/token.h"

#define NOW INT64_C(1767225600000)

static struct own_store own;
static struct arena a;
static char ids[2][40]; /* of the accounts of Patient/1 and Patient/12 */

static int begin(void **state)
{
    (void)state;
    arena_init(&a, MIB(64));
    own_store_open(&own);
    return 0;
}

static int end(void **state)
{
    (void)state;
    own_store_close(&own);
    arena_done(&a);
    return 0;
}

static int add(struct store_txn *txn, const char *login, const char *user, char ret[40],
               struct err *err)
{
    struct account account = {
        .login = str_c(login), .role = STR("patient"), .fhir_user = str_c(user)};
    struct access_token token = {.scope = STR("patient/*.rs"), .until_ms = INT64_MAX};
    struct grant grant = {.id = str_c(login), .made_ms = NOW, .until_ms = NOW * 2};
    char code[RECOVERY_CODE_MAX];
    struct ticket ticket;
    int64_t until_ms;
    int r = account_create(txn, &a, &account, err);

    snprintf(ret, 40, "%.*s", STR_ARG(account.id));
    token.account = grant.account = account.id;
    token.patient = str_from(account.fhir_user, 8);
    if (r >= 0)
        r = account_identify(txn, &a, &account, STR("urn:n"), token.patient, err);
    if (r >= 0)
        r = token_put(txn, RECORD_ACCESS, &access_token_shape, &token, NOW * 2, &ticket, err);
    if (r >= 0)
        r = grant_new(txn, &grant, err);
    /* The other's card was given out by this one. */
    return r < 0 ? r
                 : presence_give(txn, &a, token.patient, true, str_c(ids[0]), NOW, code, &until_ms,
                                 err);
}

static int fill(void *ctx, struct store_txn *txn, struct err *err)
{
    int r = add(txn, "one", "Patient/1", ids[0], err);

    (void)ctx;
    return r < 0 ? r : add(txn, "twelve", "Patient/12", ids[1], err);
}

static int forget_one(void *ctx, struct store_txn *txn, struct err *err)
{
    return trust_forget(txn, STR("Patient/1"), ctx, err);
}

static int shut_one(void *ctx, struct store_txn *txn, struct err *err)
{
    struct account account;
    int r = account_get(txn, str_c(ids[0]), &a, &account, err);

    (void)ctx;
    return r < 0 ? r : account_shut(txn, &a, &account, err);
}

static void run(record_fn *fn, void *ctx)
{
    struct err err = {0};

    if (record_commit(own.store, fn, ctx, &err) < 0)
        fail_msg("%s: %s", err.text, err.detail);
}

struct counting {
    enum record_kind kind;
    size_t n;
};

static int count_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct counting *c = ctx;
    struct str name = STR("");
    int r = 0;

    while (r >= 0 && name.p) {
        r = record_next(txn, c->kind, name, &a, &name, err);
        c->n += r >= 0 && name.p;
    }
    return r;
}

static size_t count(enum record_kind kind)
{
    struct counting c = {kind, 0};

    run(count_run, &c);
    return c.n;
}

static void who_is_erased_leaves_nothing_and_others_all(void **state)
{
    static const enum record_kind kinds[] = {RECORD_ACCOUNT, RECORD_LOGIN, RECORD_IDENTIFIER,
                                             RECORD_ACCESS,  RECORD_GRANT, RECORD_OWNED,
                                             RECORD_PRESENCE};
    size_t accounts = 0;

    (void)state;
    run(fill, NULL);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        assert_int_equal(count(kinds[i]), 2);
    run(forget_one, &accounts);
    assert_int_equal(accounts, 1);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        assert_int_equal(count(kinds[i]), 1);
}

static void an_account_that_is_closed_takes_nobodys_card(void **state)
{
    (void)state;
    run(fill, NULL);
    run(shut_one, NULL);
    assert_int_equal(count(RECORD_ACCOUNT), 2);
    assert_int_equal(count(RECORD_IDENTIFIER), 1);
    assert_int_equal(count(RECORD_GRANT), 1);
    assert_int_equal(count(RECORD_OWNED), 1);
    assert_int_equal(count(RECORD_PRESENCE), 2);
}

/* As many records as there may be: the walk keeps none of their names. */
#define MANY 12000

static int fill_many(void *ctx, struct store_txn *txn, struct err *err)
{
    const struct access_token token = {.until_ms = 1};
    int r = 0;

    (void)ctx;
    for (int i = 0; i < MANY && r >= 0; i++) {
        char name[RECORD_NAME_MAX - 20];

        memset(name, 'x', sizeof name);
        snprintf(name, 9, "%08d", i);
        name[8] = 'x';
        r = record_put(txn, RECORD_GRANT, str_n(name, sizeof name), &access_token_shape, &token,
                       err);
    }
    return r;
}

static void it_takes_no_memory_for_those_of_others(void **state)
{
    size_t accounts = 0;

    (void)state;
    run(fill, NULL);
    run(fill_many, NULL);
    run(forget_one, &accounts);
    assert_int_equal(accounts, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_is_erased_leaves_nothing_and_others_all, begin, end),
        cmocka_unit_test_setup_teardown(an_account_that_is_closed_takes_nobodys_card, begin, end),
        cmocka_unit_test_setup_teardown(it_takes_no_memory_for_those_of_others, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
