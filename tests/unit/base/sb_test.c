#include "../test.h"

#include "base/sb.h"

static void failure_sticks(void **state)
{
    _cleanup_(sb_done) struct sb b = sb_make(10);
    struct err err;

    (void)state;
    sb_lit(&b, "12345678");
    assert_int_equal(sb_ok(&b, &err), 0);
    sb_lit(&b, "90x");
    sb_lit(&b, "1");
    assert_int_equal(sb_ok(&b, &err), ERR_NO_MEMORY);
    assert_str(sb_view(&b), STR("12345678"));
}

static void writes_what_it_says(void **state)
{
    _cleanup_(sb_done) struct sb b = sb_make(1000);

    (void)state;
    sb_json(&b, STR("a\"b\\\n\x1f"));
    sb_char(&b, ' ');
    sb_uri(&b, STR("a b/é"));
    sb_char(&b, ' ');
    sb_html(&b, STR("<&'>"));
    sb_char(&b, ' ');
    sb_i64(&b, INT64_MIN);
    sb_i64(&b, 0);
    assert_str(sb_view(&b), STR("\"a\\\"b\\\\\\n\\u001f\" a%20b%2F%C3%A9 &lt;&amp;&#39;&gt; "
                                "-92233720368547758080"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failure_sticks),
        cmocka_unit_test(writes_what_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
