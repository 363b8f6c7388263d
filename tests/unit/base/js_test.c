#include "../test.h"

#include "base/js.h"

static int parse(struct arena *a, const char *text, yyjson_val **ret, struct err *err)
{
    return js_parse(a, str_c(text), ret, err);
}

static void literals_survive(void **state)
{
    static const char text[] =
        "{\"a\":1.0,\"b\":[1e10,-0.00,true,null],\"c\":\"\\u00e9\\n\\u0001\"}";
    _cleanup_(sb_done) struct sb out = sb_make(1000);
    _cleanup_(arena_done) struct arena a;
    yyjson_val *root;
    struct err err;

    (void)state;
    arena_init(&a, MIB(1));
    assert_int_equal(parse(&a, text, &root, &err), 0);
    js_write(&out, root);
    assert_str(sb_view(&out),
               STR("{\"a\":1.0,\"b\":[1e10,-0.00,true,null],\"c\":\"é\\n\\u0001\"}"));
    assert_str(js_str(js_get(root, "a")), STR("1.0"));
}

static void bad_text_is_named(void **state)
{
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"", "empty"},
        {"  \n", "empty"},
        {"{\"a\":1", "line 1"},
        {"{\"a\":1}\n{\"b\":2}", "line 2"},
        {"{\"a\":1,\"b\":2,\"a\":3}", "\"a\" stands twice"},
        {"[{\"x\":{\"q\":1,\"q\":1}}]", "\"q\" stands twice"},
        {"{\"a\":\"\xff\"}", "UTF-8"},
        {"{\"a\":01}", "line 1"},
    };
    _cleanup_(arena_done) struct arena a;
    yyjson_val *root;
    struct err err;

    (void)state;
    arena_init(&a, MIB(1));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(parse(&a, bad[i].text, &root, &err), ERR_SYNTAX);
        if (!strstr(err.text, bad[i].says))
            fail_msg("%s: %s", bad[i].text, err.text);
    }
}

static void depth_has_a_limit(void **state)
{
    char text[2 * 100000 + 1];
    _cleanup_(arena_done) struct arena a;
    yyjson_val *root;
    struct err err;

    (void)state;
    arena_init(&a, MIB(16));
    memset(text, '[', 100000);
    memset(text + 100000, ']', 100000);
    text[200000] = '\0';
    assert_int_equal(parse(&a, text, &root, &err), ERR_SYNTAX);
    assert_non_null(strstr(err.text, "deeper"));
}

static void values_have_a_limit(void **state)
{
    _cleanup_(sb_done) struct sb text = sb_make(MIB(16));
    _cleanup_(arena_done) struct arena a;
    yyjson_val *root;
    struct err err;

    (void)state;
    arena_init(&a, MIB(1));
    sb_lit(&text, "[\"[[\\\"{,\"");
    for (int i = 0; i < JS_VALUES_MAX; i++)
        sb_lit(&text, ",0");
    sb_lit(&text, "]");
    assert_int_equal(js_parse(&a, sb_view(&text), &root, &err), ERR_TOO_LONG);
    assert_true(a.used_bytes < KIB(64));
}

static void strings_are_no_depth(void **state)
{
    _cleanup_(sb_done) struct sb text = sb_make(MIB(1));
    _cleanup_(arena_done) struct arena a;
    yyjson_val *root;
    struct err err;

    (void)state;
    arena_init(&a, MIB(4));
    sb_lit(&text, "[\"\\\"");
    for (int i = 0; i < 50000; i++)
        sb_lit(&text, "[{");
    sb_lit(&text, "\\\\\",[");
    for (int i = 1; i < JS_DEPTH_MAX - 1; i++)
        sb_lit(&text, "[");
    for (int i = 1; i < JS_DEPTH_MAX - 1; i++)
        sb_lit(&text, "]");
    sb_lit(&text, "]]");
    assert_int_equal(js_parse(&a, sb_view(&text), &root, &err), 0);
}

static void many_names_are_checked(void **state)
{
    _cleanup_(sb_done) struct sb text = sb_make(MIB(1));
    _cleanup_(arena_done) struct arena a;
    yyjson_val *root;
    struct err err;

    (void)state;
    arena_init(&a, MIB(8));
    sb_lit(&text, "{\"n7\":0");
    for (int i = 100; i < 3000; i++)
        sb_fmt(&text, ",\"n%d\":%d", i, i);
    sb_lit(&text, "}");
    assert_int_equal(js_parse(&a, sb_view(&text), &root, &err), 0);
    text.n--;
    sb_lit(&text, ",\"n2500\":1}");
    assert_int_equal(js_parse(&a, sb_view(&text), &root, &err), ERR_SYNTAX);
    assert_non_null(strstr(err.text, "n2500"));
}

static void memory_has_a_limit(void **state)
{
    _cleanup_(sb_done) struct sb text = sb_make(MIB(1));
    _cleanup_(arena_done) struct arena a;
    yyjson_val *root;
    struct err err;

    (void)state;
    arena_init(&a, KIB(100));
    sb_lit(&text, "[0");
    for (int i = 0; i < 50000; i++)
        sb_lit(&text, ",0");
    sb_lit(&text, "]");
    assert_int_equal(js_parse(&a, sb_view(&text), &root, &err), ERR_NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_survive),     cmocka_unit_test(bad_text_is_named),
        cmocka_unit_test(depth_has_a_limit),    cmocka_unit_test(many_names_are_checked),
        cmocka_unit_test(memory_has_a_limit),   cmocka_unit_test(values_have_a_limit),
        cmocka_unit_test(strings_are_no_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
