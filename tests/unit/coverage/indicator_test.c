/* Sets of indicators, read strictly; what is let out of a count. */
#include "../test.h"

#include "base/fault.h"
#include "coverage/disclose.h"
#include "coverage/indicator.h"

#define SERVICES                                                                                   \
    "\"version\":\"t\",\"services\":{\"dtp\":{\"of\":\"Immunization\",\"codes\":"                  \
    "[\"http://c|1\"]},"                                                                           \
    "\"care\":{\"of\":\"EpisodeOfCare\",\"codes\":[\"http://c|2\"]},\"load\":{\"of\":"             \
    "\"Observation\",\"codes\":[\"http://c|3\"],\"lowBelow\":1000}}"
#define INDICATOR(people, have)                                                                    \
    "{\"id\":\"i\",\"programme\":\"p\",\"title\":\"t\",\"source\":\"s\",\"people\":" people        \
    ",\"have\":" have "}"
#define SET(people, have) "{" SERVICES ",\"indicators\":[" INDICATOR(people, have) "]}"
#define AGED "{\"months\":[12,24]}"
#define ONCE "{\"service\":\"dtp\",\"times\":1}"

static int read_set(const char *text, struct coverage_set *ret, struct arena *a, struct err *err)
{
    arena_init(a, MIB(4));
    return coverage_set_read(a, str_c(text), ret, err);
}

static void built_in_is_read(void **state)
{
    struct coverage_set set;
    struct arena a;
    struct err err;

    (void)state;
    arena_init(&a, MIB(4));
    assert_int_equal(coverage_set_read(&a, coverage_starter(), &set, &err), 0);
    assert_true(set.n >= 15 && set.n_services >= 15);
    assert_non_null(indicator_find(&set, STR("dtp3")));
    assert_int_equal(indicator_find(&set, STR("dtp3"))->times, 3);
    assert_int_equal(indicator_find(&set, STR("anc4"))->base, BASE_ENDED);
    assert_int_equal(indicator_find(&set, STR("anc4"))->span, SPAN_DURING);
    assert_null(indicator_find(&set, STR("luck")));
    arena_done(&a);
}

static void wrong_ones_are_told(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"{}", "version"},
        {"[]", "no object"},
        {"{" SERVICES ",\"indicators\":[],\"x\":1}", "unknown \"x\""},
        {"{" SERVICES ",\"indicators\":[]}", "no indicators"},
        {"{\"version\":\"t\",\"services\":{},\"indicators\":[1]}", "no services"},
        {"{\"version\":\"t\",\"services\":{\"a\":{\"of\":\"Claim\",\"codes\":[\"http://c|1\"]}},"
         "\"indicators\":[1]}",
         "type that is no service"},
        {"{\"version\":\"t\",\"services\":{\"a\":{\"of\":\"Procedure\",\"codes\":[\"cvx|1\"]}},"
         "\"indicators\":[1]}",
         "SYSTEM|CODE"},
        {"{\"version\":\"t\",\"services\":{\"a\":{\"of\":\"Procedure\",\"codes\":[]}},"
         "\"indicators\":[1]}",
         "no codes"},
        {"{\"version\":\"t\",\"services\":{\"a\":{\"of\":\"Procedure\",\"codes\":[\"http://c|1\"],"
         "\"lowBelow\":5}},\"indicators\":[1]}",
         "lowBelow"},
        {"{" SERVICES ",\"indicators\":[" INDICATOR(AGED, ONCE) "," INDICATOR(AGED, ONCE) "]}",
         "twice"},
        {SET("{}", ONCE), "not by one thing"},
        {SET("{\"months\":[24,12]}", ONCE), "range"},
        {SET("{\"months\":[1.5,3]}", ONCE), "range"},
        {SET("{\"months\":[0,1801]}", ONCE), "range"},
        {SET("{\"months\":[1,2],\"sex\":\"f\"}", ONCE), "sex"},
        {SET("{\"months\":[1,2],\"service\":\"care\"}", ONCE), "by age and by a service"},
        {SET("{\"now\":true}", ONCE), "not there"},
        {SET("{\"service\":\"care\",\"now\":false}", ONCE), "\"now\""},
        {SET("{\"service\":\"care\",\"last\":0}", ONCE), "\"last\""},
        {SET("{\"service\":\"care\",\"now\":true,\"last\":5}", ONCE), "not by one thing"},
        {SET(AGED, "{\"service\":\"x\",\"times\":1}"), "not there"},
        {SET(AGED, "{\"service\":\"dtp\"}"), "times"},
        {SET(AGED, "{\"service\":\"dtp\",\"times\":101}"), "times"},
        {SET(AGED, "{\"service\":\"dtp\",\"times\":1,\"during\":true}"), "during or within"},
        {SET(AGED, "{\"service\":\"dtp\",\"times\":1,\"low\":true}"), "\"low\""},
        {SET("{\"service\":\"care\",\"ended\":[0,9]}",
             "{\"service\":\"load\",\"times\":1,\"during\":true,\"last\":3}"),
         "more than one thing"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct coverage_set set = {.n = 77};
        struct arena a;
        struct err err;

        assert_int_equal(read_set(cases[i].text, &set, &a, &err), ERR_VALUE);
        if (!strstr(err.text, cases[i].says))
            fail_msg("%s: \"%s\", not %s", cases[i].text, err.text, cases[i].says);
        assert_int_equal(set.n, 77);
        arena_done(&a);
    }
}

static void memory_may_run_out(void **state)
{
    (void)state;
    FAULT_LOOP(false) {
        struct coverage_set set;
        struct arena a;
        struct err err;
        int r = read_set(SET(AGED, ONCE), &set, &a, &err);

        assert_true(r == 0 || r == ERR_NO_MEMORY);
        arena_done(&a);
    }
}

static void small_numbers_stay(void **state)
{
    static const struct {
        uint64_t of, with;
        int percent, step;
    } cases[] = {{9, 9, -1, 0},    {10, 9, 90, 10}, {10, 4, -1, 0},   {10, 0, 0, 10},
                 {19, 7, 40, 10},  {20, 17, 85, 5}, {99, 97, 100, 5}, {100, 97, 97, 1},
                 {1000, 4, -1, 0}, {1000, 5, 1, 1}, {0, 0, -1, 0}};
    int step;

    (void)state;
    assert_int_equal(disclose_number(0), 0);
    for (uint64_t n = 1; n < 5; n++)
        assert_int_equal(disclose_number(n), -1);
    assert_int_equal(disclose_number(5), 5);
    assert_int_equal(disclose_number(7), 5);
    assert_int_equal(disclose_number(8), 10);
    assert_int_equal(disclose_number(1002), 1000);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        step = 0;
        assert_int_equal(disclose_percent(cases[i].of, cases[i].with, &step), cases[i].percent);
        assert_int_equal(step, cases[i].step);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(built_in_is_read),
        cmocka_unit_test(wrong_ones_are_told),
        cmocka_unit_test(memory_may_run_out),
        cmocka_unit_test(small_numbers_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
