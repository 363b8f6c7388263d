#include "../test.h"

static void splits(void **state)
{
    struct str rest = STR("a,,b"), part;
    static const char *const want[] = {"a", "", "b"};
    size_t n = 0;

    (void)state;
    while (str_split(&rest, ',', &part))
        assert_str(part, str_c(want[n++]));
    assert_int_equal(n, 3);
}

static void numbers(void **state)
{
    uint64_t v;

    (void)state;
    assert_true(str_to_u64(STR("18446744073709551615"), UINT64_MAX, &v));
    assert_true(v == UINT64_MAX);
    assert_false(str_to_u64(STR("18446744073709551616"), UINT64_MAX, &v));
    assert_false(str_to_u64(STR(""), 9, &v));
    assert_false(str_to_u64(STR("-1"), 9, &v));
    assert_false(str_to_u64(STR("10"), 9, &v));
}

static void orders_by_bytes(void **state)
{
    (void)state;
    assert_true(str_cmp(STR("a"), STR("ab")) < 0);
    assert_true(str_cmp(STR("b"), STR("ab")) > 0);
    assert_true(str_cmp(STR("é"), STR("z")) > 0);
    assert_true(str_eq_nocase(STR("Content-TYPE"), STR("content-type")));
    assert_str(str_trim(STR(" \t x y\r\n")), STR("x y"));
}

/* The boundaries of RFC 3629's table. */
static void knows_utf8(void **state)
{
    static const struct str good[] = {
        STR(""),
        STR("a\x7f"),
        STR("\xc2\x80\xdf\xbf"),
        STR("\xe0\xa0\x80"),
        STR("\xed\x9f\xbf"),
        STR("\xee\x80\x80"),
        STR("\xf0\x90\x80\x80"),
        STR("\xf4\x8f\xbf\xbf"),
    };
    static const struct str bad[] = {
        STR("\x80"),
        STR("\xc1\xbf"),
        STR("\xc2"),
        STR("\xe0\x9f\xbf"),
        STR("\xed\xa0\x80"),
        STR("\xf0\x8f\xbf\xbf"),
        STR("\xe1\x80"),
        STR("\xf4\x90\x80\x80"),
        STR("\xf5\x80\x80\x80"),
        STR("\xe1\x80\x41"),
        STR("\xff"),
        STR("a\xc3("),
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(str_is_utf8(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(str_is_utf8(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits),
        cmocka_unit_test(numbers),
        cmocka_unit_test(orders_by_bytes),
        cmocka_unit_test(knows_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
