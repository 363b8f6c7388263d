#include "trust/law.h"

#include "../test.h"

#include "fhir/code_set.h"

#define POLICY                                                                                     \
    "{\"version\":\"1\",\"implicitConsent\":\"deny\",\"notifiable\":{\"a\":{\"codes\":"            \
    "[\"urn:i|A\",\"urn:i|X\"],\"types\":[\"Patient\"]},\"b\":{\"codes\":[\"urn:i|B\","            \
    "\"urn:i|X\"],\"types\":[\"Condition\"]}},\"roles\":{\"r\":{\"records\":\"cases\","            \
    "\"purposes\":[\"PUBHLTH\"]}}}"
#define CONDITION(codes, status)                                                                   \
    "{\"resourceType\":\"Condition\",\"code\":{\"coding\":[" codes "]},\"verificationStatus\":{"   \
    "\"coding\":[{\"code\":\"" status "\"}]}}"
#define CODE(code) "{\"system\":\"urn:i\",\"code\":\"" code "\"}"

static struct policy *parsed(void)
{
    struct policy *p = NULL;
    struct err err = {0};

    if (policy_parse(STR(POLICY), &p, &err) < 0)
        fail_msg("%s", err.text);
    return p;
}

static uint64_t cases(const struct policy *p, const char *text)
{
    struct err err = {0};
    yyjson_val *root;
    struct arena a;
    uint64_t r;

    arena_init(&a, MIB(1));
    assert_int_equal(js_parse(&a, str_c(text), &root, &err), 0);
    r = law_makes_case(p, root);
    arena_done(&a);
    return r;
}

static void conditions_make_cases(void **state)
{
    struct policy *p = parsed();

    (void)state;
    assert_true(cases(p, CONDITION(CODE("A"), "confirmed")) == 1);
    assert_true(cases(p, CONDITION(CODE("B"), "")) == 2);
    assert_true(cases(p, CONDITION(CODE("X"), "provisional")) == 3);
    assert_true(cases(p, CONDITION(CODE("C") "," CODE("B"), "")) == 2);
    assert_true(cases(p, CONDITION(CODE("A.1"), "")) == 0);
    assert_true(cases(p, CONDITION("{\"code\":\"A\"}", "")) == 0);
    assert_true(cases(p, CONDITION(CODE("A"), "refuted")) == 0);
    assert_true(cases(p, CONDITION(CODE("A"), "entered-in-error")) == 0);
    assert_true(
        cases(p, "{\"resourceType\":\"Observation\",\"code\":{\"coding\":[" CODE("A") "]}}") == 0);
    assert_true(law_opens(p, 3, def_resource(STR("Patient"))) == 1);
    assert_true(law_opens(p, 2, def_resource(STR("Patient"))) == 0);
    assert_true(law_opens(p, 3, def_resource(STR("Observation"))) == 0);
    policy_unref(p);
}

/* A terminology in which A has A.1 below it, and that knows no other code. */
static int codes_below(void *ctx, struct arena *a, enum terms_set kind, struct str url,
                       const struct coding *of, size_t max, bool quick, const struct code_set **ret,
                       struct err *err)
{
    (void)a, (void)url, (void)max, (void)quick, (void)err;
    assert_int_equal(kind, TERMS_DESCENDANTS);
    *ret = str_eq(of->code, STR("A")) ? ctx : NULL;
    return 0;
}

static void codes_below_count_where_they_are_known(void **state)
{
    _cleanup_(code_set_unrefp) struct code_set *set = NULL;
    struct world world = {.codes = codes_below};
    struct policy *p = parsed();
    struct err err = {0};

    (void)state;
    assert_int_equal(code_set_new(2, &set, &err), 0);
    assert_int_equal(code_set_add(set, STR("urn:i"), STR("A"), &err), 0);
    assert_int_equal(code_set_add(set, STR("urn:i"), STR("A.1"), &err), 0);
    world.ctx = set;
    assert_int_equal(law_widen(p, &world, &err), 0);
    assert_true(cases(p, CONDITION(CODE("A.1"), "")) == 1);
    assert_true(cases(p, CONDITION(CODE("X"), "")) == 3);
    assert_true(cases(p, CONDITION(CODE("B.1"), "")) == 0);
    policy_unref(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_make_cases),
        cmocka_unit_test(codes_below_count_where_they_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
