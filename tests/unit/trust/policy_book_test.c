#include "trust/policy_book.h"

#include "store.h"

#include "base/fault.h"
#include "trust/trust.h"

#define POLICY(version, days)                                                                      \
    "{\"version\":\"" version "\",\"implicitConsent\":\"normal\",\"careDays\":" days               \
    ",\"roles\":{\"worker\":{\"records\":\"related\",\"purposes\":[\"TREAT\"]}},\"tests\":["       \
    "{\"name\":\"only in care\",\"who\":{\"role\":\"worker\",\"user\":\"Practitioner/a\"},"        \
    "\"resource\":{\"resourceType\":\"Observation\",\"subject\":{\"reference\":\"Patient/p\"}},"   \
    "\"permit\":false}]}"

struct fixture {
    struct own_store s;
    struct policy_book *book;
};

static void begin(struct fixture *f)
{
    struct err err = {0};

    own_store_open(&f->s);
    assert_int_equal(policy_book_new(f->s.store, &f->book, &err), 0);
}

static void end(struct fixture *f)
{
    policy_book_free(f->book);
    own_store_close(&f->s);
}

static uint64_t in_force(struct fixture *f)
{
    const struct policy *p = NULL;
    struct err err = {0};
    uint64_t number;

    assert_int_equal(policy_book_get(f->book, &p, &err), 0);
    number = p->number;
    policy_unref(p);
    return number;
}

static int set(struct fixture *f, const char *text, bool unless_had, uint64_t *ret)
{
    struct err err = {0};

    *ret = 0;
    return policy_keep(f->s.store, str_c(text), STR("me"), unless_had, ret, &err);
}

static void the_newest_is_in_force(void **state)
{
    struct fixture f;
    uint64_t n;

    (void)state;
    begin(&f);
    assert_true(in_force(&f) == 0);
    assert_int_equal(set(&f, POLICY("a", "1"), false, &n), 0);
    assert_true(n == 1 && in_force(&f) == 0);
    policy_book_stale(f.book);
    assert_true(in_force(&f) == 1);
    assert_int_equal(set(&f, POLICY("b", "2"), true, &n), 0);
    policy_book_stale(f.book);
    assert_true(n == 2 && in_force(&f) == 2);
    /* A start with yesterday's file undoes nothing; setting it does. */
    assert_int_equal(set(&f, POLICY("a", "1"), true, &n), 0);
    assert_true(n == 0);
    policy_book_stale(f.book);
    assert_true(in_force(&f) == 2);
    assert_int_equal(set(&f, POLICY("a", "1"), false, &n), 0);
    policy_book_stale(f.book);
    assert_true(n == 3 && in_force(&f) == 3);
    end(&f);
}

static void a_bad_one_is_refused(void **state)
{
    struct fixture f;
    uint64_t n;

    (void)state;
    begin(&f);
    assert_int_equal(set(&f, POLICY("a", "1"), false, &n), 0);
    assert_int_equal(set(&f, "{}", false, &n), ERR_VALUE);
    assert_int_equal(set(&f, "{", false, &n), ERR_SYNTAX);
    /* Its own test does not hold. */
    assert_int_equal(set(&f,
                         "{\"version\":\"c\",\"implicitConsent\":\"normal\",\"roles\":{\"worker\":{"
                         "\"records\":\"all\",\"purposes\":[\"TREAT\"]}},\"tests\":[{\"name\":\"x\""
                         ",\"who\":{\"role\":\"worker\"},\"resource\":{\"resourceType\":\"Patient\""
                         "},\"permit\":false}]}",
                         false, &n),
                     ERR_VALUE);
    policy_book_stale(f.book);
    assert_true(in_force(&f) == 1);
    end(&f);
}

static void what_was_set_is_kept(void **state)
{
    struct access who = trust_system();
    struct policy_kept k = {.number = 0};
    struct store_txn *txn = NULL;
    struct err err = {0};
    struct fixture f;
    struct arena a;
    uint64_t n;
    bool more;

    (void)state;
    begin(&f);
    arena_init(&a, MIB(8));
    assert_int_equal(set(&f, POLICY("a", "1"), false, &n), 0);
    assert_int_equal(set(&f, POLICY("b", "2"), false, &n), 0);
    assert_int_equal(store_begin(f.s.store, &who, &txn, &err), 0);
    for (uint64_t i = 1; i <= 2; i++) {
        assert_int_equal(policy_kept_next(txn, &a, i - 1, &k, &more, &err), 0);
        assert_true(more && k.number == i && k.when_ms > 0);
        assert_str(k.by, STR("me"));
        assert_str(k.version, i == 1 ? STR("a") : STR("b"));
    }
    assert_int_equal(policy_kept_next(txn, &a, 2, &k, &more, &err), 0);
    assert_false(more);
    assert_int_equal(policy_kept_get(txn, &a, 1, &k, &err), 0);
    assert_str(k.text, STR(POLICY("a", "1")));
    assert_int_equal(policy_kept_get(txn, &a, 0, &k, &err), 0);
    assert_str(k.text, STR(POLICY("b", "2")));
    assert_int_equal(policy_kept_get(txn, &a, 3, &k, &err), ERR_NOT_FOUND);
    store_end(txn);
    arena_done(&a);
    end(&f);
}

/* Where reading fails the one before stays, and its asker hears of it; where setting fails nothing
 * was set. */
static void failing_leaves_the_one_before(void **state)
{
    struct fixture f;
    uint64_t n, now = 1;

    (void)state;
    begin(&f);
    assert_int_equal(set(&f, POLICY("a", "1"), false, &n), 0);
    assert_true(in_force(&f) == 1);
    for (unsigned nth = 1, fired = 1; fired; nth++) {
        const struct policy *p = NULL;
        struct err err = {0};
        int r, read;

        fault_arm(nth, false);
        r = set(&f, POLICY("b", "2"), false, &n);
        fired = fault_fired();
        fault_arm(nth, false);
        policy_book_stale(f.book);
        read = policy_book_get(f.book, &p, &err);
        fired |= fault_fired();
        fault_arm(0, false);
        if (read >= 0)
            assert_true(p->number == (r < 0 ? now : n));
        policy_unref(p);
        if (r >= 0)
            now = n;
        assert_true(in_force(&f) == now);
    }
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_is_in_force),
        cmocka_unit_test(a_bad_one_is_refused),
        cmocka_unit_test(what_was_set_is_kept),
        cmocka_unit_test(failing_leaves_the_one_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
