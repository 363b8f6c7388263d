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

/* RFC 8259, section 7, a byte at a time. */
static void naive_json(char c, char to[8])
{
    if (c == '"' || c == '\\')
        snprintf(to, 8, "\\%c", c);
    else if (c == '\n' || c == '\r' || c == '\t')
        snprintf(to, 8, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
    else if ((unsigned char)c < 0x20)
        snprintf(to, 8, "\\u%04x", (unsigned)c);
    else
        snprintf(to, 8, "%c", c);
}

static void escapes_every_byte_in_every_place(void **state)
{
    _cleanup_(sb_done) struct sb b = sb_make(1000);
    char text[20], want[256], one[8];

    (void)state;
    for (int c = 1; c < 256; c++)
        for (size_t place = 0; place < sizeof text; place++) {
            size_t n = 1;
            memset(text, '!', sizeof text);
            text[place] = text[sizeof text - 1 - place] = (char)c;
            want[0] = '"';
            for (size_t i = 0; i < sizeof text; i++) {
                naive_json(text[i], one);
                memcpy(want + n, one, strlen(one));
                n += strlen(one);
            }
            want[n++] = '"';
            sb_reset(&b);
            sb_json(&b, str_n(text, sizeof text));
            assert_str(sb_view(&b), str_n(want, n));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failure_sticks),
        cmocka_unit_test(writes_what_it_says),
        cmocka_unit_test(escapes_every_byte_in_every_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
