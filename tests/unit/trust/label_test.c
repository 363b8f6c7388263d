#include "trust/label.h"

#include "../test.h"

#include "base/clock.h"
#include "base/fault.h"

#define HIV "\"label\":\"urn:l|HIV\",\"codes\":[\"urn:i|B20\",\"urn:i|X\"]"
#define PSY "\"label\":\"urn:l|PSY\",\"codes\":[\"urn:i|F20\",\"urn:i|X\"]"
#define TEEN                                                                                       \
    "\"label\":\"urn:h|hidden\",\"codes\":[\"urn:i|Z30\"],\"ages\":{\"from\":12,\"below\":"     \
    "18}"
#define POLICY(rules)                                                                              \
    "{\"version\":\"1\",\"implicitConsent\":\"normal\",\"sensitive\":[\"urn:l|HIV\",\"urn:l|PSY\"" \
    "],\"confidential\":[\"urn:h|hidden\"],\"labelling\":{" rules "},\"roles\":{}}"
#define ALL POLICY("\"hiv\":{" HIV "},\"psy\":{" PSY "},\"teen\":{" TEEN "}")

#define CODE(code) "{\"system\":\"urn:i\",\"code\":\"" code "\"}"
#define CONDITION(meta, code)                                                                      \
    "{\"resourceType\":\"Condition\"," meta "\"code\":{\"coding\":[" CODE(code) "]}}"
#define SET(rule, system, code)                                                                    \
    "{\"extension\":[{\"url\":\"" LABEL_MARK "\",\"valueCode\":\"" rule "\"}],\"system\":\""       \
    system "\",\"code\":\"" code "\"}"

struct fixture {
    struct arena a;
    struct policy *p;
};

static int begin(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct err err = {0};

    arena_init(&f->a, MIB(4));
    if (policy_parse(STR(ALL), &f->p, &err) < 0)
        fail_msg("%s", err.text);
    *state = f;
    return 0;
}

static int end(void **state)
{
    struct fixture *f = *state;

    policy_unref(f->p);
    arena_done(&f->a);
    free(f);
    return 0;
}

static yyjson_val *parsed(struct fixture *f, const char *text)
{
    struct err err = {0};
    yyjson_val *root = NULL;

    if (js_parse(&f->a, arena_dup(&f->a, str_c(text)), &root, &err) < 0)
        fail_msg("%s", err.text);
    return root;
}

static void every_coding_counts(void **state)
{
    struct fixture *f = *state;

    assert_true(label_rules(f->p, parsed(f, CONDITION("", "B20"))) == 1);
    assert_true(label_rules(f->p, parsed(f, CONDITION("", "X"))) == 3);
    assert_true(label_rules(f->p, parsed(f, CONDITION("", "Z30"))) == 4);
    assert_true(label_rules(f->p, parsed(f, CONDITION("", "B21"))) == 0);
    assert_true(label_rules(f->p, parsed(f, CONDITION("\"meta\":{\"tag\":[" CODE("B20") "]},",
                                                      "B21"))) == 0);
    assert_true(label_rules(f->p, parsed(f, "{\"resourceType\":\"Encounter\",\"contained\":[{"
                                            "\"resourceType\":\"Condition\",\"code\":{\"coding\":["
                                            "{\"code\":\"F20\",\"display\":\"d\",\"system\":"
                                            "\"urn:i\"}]}}]}")) == 2);
    assert_true(label_rules(f->p, parsed(f, "{\"valueCodeableConcept\":{\"coding\":[{\"system\":"
                                            "\"urn:j\",\"code\":\"B20\"}]}}")) == 0);
    assert_true(label_by_age(f->p, 7) == 4);
}

static void check_set(struct fixture *f, uint64_t rules, bool sweeps, const char *from,
                      const char *want)
{
    _cleanup_(sb_done) struct sb out = sb_make(KIB(4));
    yyjson_val *root = parsed(f, from), *is = root;
    struct err err = {0};
    int r = label_set(&f->a, f->p, rules, sweeps, root, &is, &err);

    if (r < 0)
        fail_msg("%s", err.text);
    js_write(&out, is);
    assert_int_equal(r, want != NULL);
    assert_str(sb_view(&out), str_c(want ? want : from));
}

static void labels_are_set_once(void **state)
{
    struct fixture *f = *state;

    check_set(f, 0, false, "{\"a\":1.0}", NULL);
    check_set(f, 1, false, "{\"a\":1.0}",
              "{\"a\":1.0,\"meta\":{\"security\":[" SET("hiv", "urn:l", "HIV") "]}}");
    check_set(f, 3, false, "{\"meta\":{\"profile\":[\"p\"],\"security\":[{\"code\":\"x\"}]}}",
              "{\"meta\":{\"profile\":[\"p\"],\"security\":[{\"code\":\"x\"}," SET(
                  "hiv", "urn:l", "HIV") "," SET("psy", "urn:l", "PSY") "]}}");
    /* One that is there stays as it is, whoever set it. */
    check_set(f, 1, true, "{\"meta\":{\"security\":[" SET("hiv", "urn:l", "HIV") "]}}", NULL);
    check_set(f, 1, true, "{\"meta\":{\"security\":[{\"system\":\"urn:l\",\"code\":\"HIV\"}]}}",
              NULL);
}

static void only_a_sweep_takes_away(void **state)
{
    struct fixture *f = *state;
    const char *set = "{\"a\":1,\"meta\":{\"security\":[" SET("hiv", "urn:l", "HIV") "]}}";

    check_set(f, 0, false, set, NULL);
    check_set(f, 2, false, set,
              "{\"a\":1,\"meta\":{\"security\":[" SET("hiv", "urn:l", "HIV") "," SET("psy", "urn:l",
                                                                                     "PSY") "]}}");
    check_set(f, 0, true, set, "{\"a\":1}");
    check_set(f, 0, true, "{\"meta\":{\"security\":[{\"system\":\"urn:l\",\"code\":\"HIV\"}]}}",
              NULL);
    check_set(f, 0, true,
              "{\"meta\":{\"versionId\":\"1\",\"security\":[" SET("x", "urn:l",
                                                                  "HIV") ",{\"code\":\"x\"}]}}",
              "{\"meta\":{\"versionId\":\"1\",\"security\":[{\"code\":\"x\"}]}}");
}

static int64_t at(int year, int month, int day)
{
    return clock_days(year, month, day) * INT64_C(86400000);
}

static void ages_are_of_birthdays(void **state)
{
    struct fixture *f = *state;

    assert_true(label_at(f->p, 4, STR("2010-06-15"), at(2022, 6, 14)) == 0);
    assert_true(label_at(f->p, 4, STR("2010-06-15"), at(2022, 6, 15)) == 4);
    assert_true(label_at(f->p, 4, STR("2010-06-15"), at(2028, 6, 14)) == 4);
    assert_true(label_at(f->p, 4, STR("2010-06-15"), at(2028, 6, 15)) == 0);
    assert_true(label_at(f->p, 4, STR("2010"), at(2022, 1, 2)) == 4);
    assert_true(label_at(f->p, 4, STR(""), at(2022, 1, 2)) == 4);
    assert_true(label_at(f->p, 4, STR("soon"), at(2022, 1, 2)) == 4);
}

static uint64_t print_of(const char *text)
{
    struct policy *p = NULL;
    struct err err = {0};
    uint64_t print;

    if (policy_parse(str_c(text), &p, &err) < 0)
        fail_msg("%s", err.text);
    print = label_print(p);
    policy_unref(p);
    return print;
}

static void prints_tell_rules_apart(void **state)
{
    static const char *const others[] = {
        POLICY(""),
        POLICY("\"hiv\":{" HIV "}"),
        POLICY("\"hiv\":{" PSY "}"),
        POLICY("\"hiw\":{" HIV "}"),
        POLICY("\"hiv\":{" HIV ",\"ages\":{\"from\":1}}"),
        POLICY("\"hiv\":{" HIV ",\"ages\":{\"from\":2}}"),
        POLICY("\"hiv\":{\"label\":\"urn:l|HIV\",\"codes\":[\"urn:i|B20\"]}"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        for (size_t k = 0; k < ARRAY_LEN(others); k++)
            assert_true((print_of(others[i]) == print_of(others[k])) == (i == k));
    assert_true(print_of(others[0]) == 1);
}

static void bad_rules_are_refused(void **state)
{
    static const char *const bad[] = {
        POLICY("\"x\":{\"label\":\"urn:l|HIV\"}"),
        POLICY("\"x\":{\"codes\":[\"urn:i|B20\"]}"),
        POLICY("\"x\":{\"label\":\"HIV\",\"codes\":[\"urn:i|B20\"]}"),
        POLICY("\"x\":{\"label\":\"urn:l|nobody\",\"codes\":[\"urn:i|B20\"]}"),
        POLICY("\"x\":{" HIV ",\"ages\":{\"from\":18,\"below\":12}}"),
        POLICY("\"x\":{" HIV ",\"ages\":12}"),
        POLICY("\"x\":{" HIV ",\"when\":1}"),
        POLICY("\"x\":1"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct policy *p = NULL;
        struct err err = {0};

        if (policy_parse(str_c(bad[i]), &p, &err) != ERR_VALUE)
            fail_msg("%s: %s", bad[i], err.text);
    }
}

static void without_memory_nothing_is_set(void **state)
{
    struct fixture *f = *state;
    yyjson_val *root = parsed(f, CONDITION("", "X"));

    FAULT_LOOP(false) {
        yyjson_val *is = NULL;
        struct err err = {0};
        int r = label_set(&f->a, f->p, 3, false, root, &is, &err);

        assert_true(r == 1 ? is != NULL : r < 0 && is == NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_coding_counts, begin, end),
        cmocka_unit_test_setup_teardown(labels_are_set_once, begin, end),
        cmocka_unit_test_setup_teardown(only_a_sweep_takes_away, begin, end),
        cmocka_unit_test_setup_teardown(ages_are_of_birthdays, begin, end),
        cmocka_unit_test(prints_tell_rules_apart),
        cmocka_unit_test(bad_rules_are_refused),
        cmocka_unit_test_setup_teardown(without_memory_nothing_is_set, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
