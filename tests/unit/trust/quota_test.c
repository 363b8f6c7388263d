#include "trust/quota.h"

#include "../test.h"

static void counts_an_hour(void **state)
{
    struct quota q;
    struct err err = {0};

    (void)state;
    assert_int_equal(quota_init(&q, &err), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(quota_take(&q, STR("a"), 3, 1000 + i, &err), 0);
    assert_int_equal(quota_take(&q, STR("a"), 3, 1000 + QUOTA_HOUR_MS - 1, &err), ERR_THROTTLED);
    assert_non_null(strstr(err.text, "in 1 seconds"));
    assert_int_equal(quota_take(&q, STR("b"), 3, 1001, &err), 0);
    assert_int_equal(quota_take(&q, STR("a"), 3, 1000 + QUOTA_HOUR_MS, &err), 0);
    assert_int_equal(quota_take(&q, STR("c"), 0, 1000, &err), ERR_THROTTLED);
    quota_done(&q);
}

/* Whoever crowds the table out is counted anew: those who are quiet, not the one who asks most. */
static void forgets_the_quiet(void **state)
{
    struct quota q;
    struct err err = {0};
    int let = 0;

    (void)state;
    assert_int_equal(quota_init(&q, &err), 0);
    for (int i = 0; i < QUOTA_SLOTS / 2; i++) {
        char name[16];

        snprintf(name, sizeof name, "x%d", i);
        assert_int_equal(quota_take(&q, str_c(name), 2, i, &err), 0);
    }
    for (int i = 0; i < 5; i++)
        let += quota_take(&q, STR("busy"), 2, QUOTA_SLOTS, &err) >= 0;
    assert_int_equal(let, 2);
    quota_done(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_an_hour),
        cmocka_unit_test(forgets_the_quiet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
