#include "../test.h"

#include "base/fault.h"
#include "base/js.h"
#include "fhir/outcome.h"

static void one_error(void **state)
{
    _cleanup_(sb_done) struct sb out = sb_make(KIB(4));
    struct err err;

    (void)state;
    err_at(&err, ERR_REQUIRED, "Patient.link[0].other", "the element \"other\" is missing");
    err_detail(&err, "secret");
    outcome_err(&out, &err);
    assert_str(sb_view(&out),
               STR("{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":\"error\","
                   "\"code\":\"required\",\"details\":{\"text\":\"the element \\\"other\\\" is "
                   "missing\"},\"expression\":[\"Patient.link[0].other\"]}]}"));
    out.n = 0;
    err_set(&err, ERR_INTERNAL, "x");
    outcome_err(&out, &err);
    assert_str(sb_view(&out),
               STR("{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":"
                   "\"fatal\",\"code\":\"exception\",\"details\":{\"text\":\"x\"}}]}"));
    out.n = 0;
    outcome_one(&out, ISSUE_INFORMATION, "informational", STR(""), STR(""), STR("in 5 ms"));
    assert_str(sb_view(&out),
               STR("{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":"
                   "\"information\",\"code\":\"informational\",\"diagnostics\":\"in 5 "
                   "ms\"}]}"));
}

static void foreign_bytes_stay_json(void **state)
{
    static const char *const bad[] = {"a\xff",        "\xc3",          "é\xe2\x82",
                                      "\x80\x80\x80", "\xf0\x9f\x98z", "\"\n\x01"};
    _cleanup_(arena_done) struct arena a;

    (void)state;
    arena_init(&a, MIB(1));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        _cleanup_(sb_done) struct sb out = sb_make(KIB(4));
        yyjson_val *root;
        struct err err;

        err_set(&err, ERR_VALUE, "\"%s\" is no date", bad[i]);
        outcome_err(&out, &err);
        if (js_parse(&a, sb_view(&out), &root, &err) < 0)
            fail_msg("%zu: %s", i, err.text);
    }
}

static void lists(void **state)
{
    _cleanup_(arena_done) struct arena a;
    _cleanup_(sb_done) struct sb out = sb_make(KIB(64));
    struct issues issues;
    yyjson_val *root, *list;
    struct err err;

    (void)state;
    arena_init(&a, MIB(1));
    issues_init(&issues, &a);
    outcome_issues(&out, &issues);
    assert_int_equal(js_parse(&a, sb_view(&out), &root, &err), 0);
    list = js_get(root, "issue");
    assert_int_equal(yyjson_arr_size(list), 1);
    assert_str(js_get_str(yyjson_arr_get(list, 0), "severity"), STR("information"));
    for (int i = 0; i < ISSUES_MAX + 20; i++)
        issues_add(&issues, i % 2 ? ISSUE_WARNING : ISSUE_ERROR, "value", STR("Patient.gender"),
                   "problem %d", i);
    out.n = 0;
    outcome_issues(&out, &issues);
    assert_int_equal(js_parse(&a, sb_view(&out), &root, &err), 0);
    list = js_get(root, "issue");
    assert_int_equal(yyjson_arr_size(list), ISSUES_MAX + 1);
    /* Errors come first. */
    assert_str(js_get_str(yyjson_arr_get(list, 1), "severity"), STR("error"));
    assert_str(js_get_str(yyjson_arr_get(list, ISSUES_MAX - 1), "severity"), STR("warning"));
    assert_str(js_get_str(js_get(yyjson_arr_get(list, ISSUES_MAX), "details"), "text"),
               STR("20 more issues are not listed here"));
}

static void memory_may_fail(void **state)
{
    (void)state;
    FAULT_LOOP(false) {
        _cleanup_(sb_done) struct sb out = sb_make(KIB(4));
        outcome_one(&out, ISSUE_ERROR, "value", STR("bad \xff byte"), STR("A.b"), STR(""));
        assert_int_equal(sb_ok(&out, NULL), fault_fired() ? ERR_NO_MEMORY : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_error),
        cmocka_unit_test(foreign_bytes_stay_json),
        cmocka_unit_test(lists),
        cmocka_unit_test(memory_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
