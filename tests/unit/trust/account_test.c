#include "trust/account.h"

#include "store.h"

#include "base/clock.h"
#include "base/fault.h"
#include "trust/manage.h"
#include "trust/trust.h"

#define PASSWORD "\"password\":\"correct horse battery\""

static struct own_store s;
static struct arena a;

static int begin(void **state)
{
    (void)state;
    own_store_open(&s);
    arena_init(&a, MIB(64));
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_done(&a);
    own_store_close(&s);
    return 0;
}

static int manage(const char *request, struct sb *out)
{
    struct err err;

    sb_reset(out);
    return manage_run(s.store, NULL, &a, str_c(request), out, &err);
}

static int sign_in(const char *login, const char *password, enum signin *ret)
{
    struct account account;
    struct err err;

    return signin_password(s.store, &a, str_c(login), str_c(password), &account, ret, &err);
}

static void signs_in_and_waits(void **state)
{
    struct sb out = sb_make(MIB(1));
    enum signin next;

    (void)state;
    assert_int_equal(
        manage("{\"do\":\"user-add\",\"login\":\"Ann@Example\",\"role\":\"worker\"," PASSWORD "}",
               &out),
        0);
    assert_int_equal(
        manage("{\"do\":\"user-add\",\"login\":\"ann@example\",\"role\":\"worker\"}", &out),
        ERR_DUPLICATE);
    assert_int_equal(sign_in("ANN@example", "correct horse battery", &next), 0);
    assert_int_equal(next, SIGNIN_DONE);
    for (int i = 0; i < ACCOUNT_FREE_ATTEMPTS; i++)
        assert_int_equal(sign_in("ann@example", "wrong", &next), ERR_LOGIN);
    assert_int_equal(sign_in("ann@example", "correct horse battery", &next), ERR_THROTTLED);
    assert_int_equal(
        manage("{\"do\":\"user-password\",\"login\":\"ann@example\"," PASSWORD "}", &out), 0);
    assert_int_equal(sign_in("ann@example", "correct horse battery", &next), 0);
    assert_int_equal(manage("{\"do\":\"user-disable\",\"login\":\"ann@example\"}", &out), 0);
    assert_int_equal(sign_in("ann@example", "correct horse battery", &next), ERR_LOGIN);
    assert_int_equal(sign_in("nobody", "correct horse battery", &next), ERR_LOGIN);
    assert_int_equal(sign_in("no body", "correct horse battery", &next), ERR_LOGIN);
    sb_done(&out);
}

static int count_told(void *ctx, struct store_txn *txn, const struct account *account,
                      struct err *err)
{
    (void)txn;
    (void)account;
    (void)err;
    ++*(int *)ctx;
    return 0;
}

static void recovery_codes_are_used_up(void **state)
{
    struct sb out = sb_make(MIB(1));
    struct account account;
    struct err err;
    enum signin next;
    int told = 0;
    const struct account_also tell = {count_told, &told};
    struct str code;

    (void)state;
    assert_int_equal(
        manage("{\"do\":\"user-add\",\"login\":\"bob\",\"role\":\"patient\"," PASSWORD "}", &out),
        0);
    assert_int_equal(manage("{\"do\":\"user-totp\",\"login\":\"bob\"}", &out), 0);
    code = str_n(out.p + out.n - 15, 14); /* the last line: two blanks, the code */
    assert_int_equal(signin_password(s.store, &a, STR("bob"), STR("correct horse battery"),
                                     &account, &next, &err),
                     0);
    assert_int_equal(next, SIGNIN_TOTP);
    assert_int_equal(signin_code(s.store, &a, account.id, STR("000000"), &tell, &account, &err),
                     ERR_LOGIN);
    assert_int_equal(told, 0);
    assert_int_equal(signin_code(s.store, &a, account.id, code, &tell, &account, &err), 0);
    assert_int_equal(told, 1);
    assert_int_equal(account.recovery.n, RECOVERY_CODES - 1);
    assert_int_equal(signin_code(s.store, &a, account.id, code, &tell, &account, &err), ERR_LOGIN);
    assert_int_equal(told, 1);
    sb_done(&out);
}

static void one_secret_for_the_first(void **state)
{
    char secret[SECRET_TEXT_MAX];
    struct own_store fresh;
    struct err err;

    (void)state;
    own_store_open(&fresh);
    assert_int_equal(account_bootstrap(fresh.store, secret, &err), 0);
    assert_int_equal(strlen(secret), SECRET_TEXT_MAX - 1);
    assert_int_equal(account_setup(fresh.store, str_c(secret), STR("short"), NULL, &err),
                     ERR_VALUE);
    assert_int_equal(
        account_setup(fresh.store, str_c(secret), STR("correct horse battery"), NULL, &err), 0);
    assert_int_equal(
        account_setup(fresh.store, str_c(secret), STR("correct horse battery"), NULL, &err),
        ERR_LOGIN);
    assert_int_equal(account_bootstrap(fresh.store, secret, &err), 0);
    assert_string_equal(secret, "");
    own_store_close(&fresh);
}

static bool is_disabled(void)
{
    struct sb out = sb_make(MIB(1));
    bool is;

    assert_int_equal(manage("{\"do\":\"user-show\",\"login\":\"eve\"}", &out), 0);
    sb_char(&out, '\0');
    is = strstr(out.p, "disabled");
    sb_done(&out);
    return is;
}

/* Whatever fails underneath: all of it or nothing, and an error where it is nothing. */
static void a_failing_store_changes_nothing(void **state)
{
    struct sb out = sb_make(MIB(1));

    (void)state;
    assert_int_equal(
        manage("{\"do\":\"user-add\",\"login\":\"eve\",\"role\":\"patient\"," PASSWORD "}", &out),
        0);
    /* FAULT_LOOP, but that what follows each run is looked at without faults. */
    for (unsigned nth = 1, fired = 1; fired; nth++) {
        int r;

        fault_arm(nth, false);
        r = manage("{\"do\":\"user-disable\",\"login\":\"eve\"}", &out);
        fired = fault_fired();
        fault_arm(0, false);
        if (r < 0 && is_disabled())
            fail_msg("%s, and yet it was done", err_name(r));
        if (r >= 0 && !is_disabled())
            fail_msg("said to be done, and is not");
        if (r >= 0)
            assert_int_equal(manage("{\"do\":\"user-enable\",\"login\":\"eve\"}", &out), 0);
    }
    sb_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_in_and_waits),
        cmocka_unit_test(recovery_codes_are_used_up),
        cmocka_unit_test(one_secret_for_the_first),
        cmocka_unit_test(a_failing_store_changes_nothing),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
