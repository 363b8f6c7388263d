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

static void bytes_are_compared_at_every_length(void **state)
{
    char a[40], b[40];

    (void)state;
    memset(a, 'x', sizeof a);
    for (size_t n = 0; n < sizeof a; n++) {
        memcpy(b, a, sizeof a);
        assert_true(bytes_eq(a, b, n));
        b[n] = 'y';
        assert_true(bytes_eq(a, b, n));
        for (size_t at = 0; at < n; at++) {
            memcpy(b, a, sizeof a);
            b[at] = 'y';
            assert_false(bytes_eq(a, b, n));
        }
    }
}

static void unicode_escapes_are_characters(void **state)
{
    static const struct {
        const char *text, *want; /* NULL: none */
        size_t taken;
    } cases[] = {
        {"u0041x", "A", 5},
        {"u00e4", "\xc3\xa4", 5},
        {"u20AC", "\xe2\x82\xac", 5},
        {"ud83d\\udd25x", "\xf0\x9f\x94\xa5", 11},
        {"uDBFF\\uDFFF", "\xf4\x8f\xbf\xbf", 11},
        {"u0000", NULL, 0},
        {"u00g0", NULL, 0},
        {"u004", NULL, 0},
        {"x0041", NULL, 0},
        {"", NULL, 0},
        {"udd25", NULL, 0},
        {"ud83d", NULL, 0},
        {"ud83d\\u0041", NULL, 0},
        {"ud83d\\udd2", NULL, 0},
        {"ud83dudd25x", NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t n = 0;
        char to[4];
        assert_int_equal(str_unicode_escape(str_c(cases[i].text), to, &n), cases[i].taken);
        if (cases[i].want)
            assert_true(str_eq(str_n(to, n), str_c(cases[i].want)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits),
        cmocka_unit_test(numbers),
        cmocka_unit_test(orders_by_bytes),
        cmocka_unit_test(knows_utf8),
        cmocka_unit_test(bytes_are_compared_at_every_length),
        cmocka_unit_test(unicode_escapes_are_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
