#include "../test.h"

#include "base/clock.h"
#include "synth/country.h"
#include "synth/out.h"

static void writes_numbers_and_times(void **state)
{
    _cleanup_(sb_done) struct sb b = sb_make(KIB(4));

    (void)state;
    out_decimal(&b, 1234, 2);
    sb_char(&b, ' ');
    out_decimal(&b, -5, 1);
    sb_char(&b, ' ');
    out_decimal(&b, 0, 3);
    sb_char(&b, ' ');
    out_decimal(&b, 70, 0);
    assert_str(sb_view(&b), STR("12.34 -0.5 0.000 70"));
    sb_reset(&b);
    out_date_value(&b, clock_days(2024, 2, 29));
    out_time_value(&b, clock_days(2024, 2, 29) * DAY_MINUTES + 8 * 60 + 5);
    assert_str(sb_view(&b), STR("\"2024-02-29\"\"2024-02-29T08:05:00+02:00\""));
}

static void writes_base64(void **state)
{
    /* RFC 4648, section 10 */
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    _cleanup_(sb_done) struct sb b = sb_make(KIB(4));

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        sb_reset(&b);
        out_base64(&b, str_c(pairs[i][0]));
        assert_str(sb_view(&b), str_c(pairs[i][1]));
    }
}

static void ids_are_uuids(void **state)
{
    struct rng r;
    struct uid id;

    (void)state;
    rng_seed(&r, 9);
    for (int i = 0; i < 1000; i++) {
        uid_draw(&r, &id);
        assert_int_equal(id.text[14], '4');
        assert_non_null(memchr("89ab", id.text[19], 4));
        for (int k = 0; k < UUID_TEXT_LEN; k++)
            if (k == 8 || k == 13 || k == 18 || k == 23)
                assert_int_equal(id.text[k], '-');
            else
                assert_non_null(memchr("0123456789abcdef", id.text[k], 16));
    }
}

static void luhn_appends_the_check_digit(void **state)
{
    (void)state;
    /* ISO/IEC 7812-1, annex B */
    assert_int_equal(luhn_append(7992739871), 79927398713);
    assert_int_equal(luhn_append(0), 0);
    assert_int_equal(luhn_append(1), 18);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_numbers_and_times),
        cmocka_unit_test(writes_base64),
        cmocka_unit_test(ids_are_uuids),
        cmocka_unit_test(luhn_appends_the_check_digit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
