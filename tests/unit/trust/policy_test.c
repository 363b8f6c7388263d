#include "trust/policy_test.h"

#include "../test.h"

#include "base/fault.h"

static struct policy *parsed(const char *text)
{
    struct policy *p = NULL;
    struct err err = {0};

    if (policy_parse(str_c(text), &p, &err) < 0)
        fail_msg("%s", err.text);
    return p;
}

static void says_outcome(void *ctx, const struct policy_outcome *one)
{
    ++*(int *)ctx;
    if (one->is != one->wants)
        fail_msg("%.*s: %.*s", STR_ARG(one->name), STR_ARG(why_text(one->why)));
}

static void counts_outcome(void *ctx, const struct policy_outcome *one)
{
    *(int *)ctx += one->is == one->wants;
}

static void the_default_holds(void **state)
{
    struct policy *p = NULL;
    struct err err = {0};
    int n = 0;

    (void)state;
    assert_int_equal(policy_parse(policy_default(), &p, &err), 0);
    assert_int_equal(policy_test(p, says_outcome, &n, &err), 0);
    assert_true(n >= 7);
    assert_null(policy_role(p, STR("king")));
    assert_int_equal(policy_role(p, STR("worker"))->records, RECORDS_RELATED);
    assert_int_equal(policy_role(p, STR("operator"))->records, RECORDS_NONE);
    policy_free(p);
}

#define HEAD "{\"version\":\"1\",\"implicitConsent\":\"normal\""

static void what_is_no_policy(void **state)
{
    static const char *const texts[][2] = {
        {"[]", "object"},
        {"{\"implicitConsent\":\"normal\"}", "no version"},
        {"{\"version\":\"1\"}", "implicitConsent"},
        {"{\"version\":\"1\",\"implicitConsent\":\"perhaps\"}", "implicitConsent"},
        {HEAD ",\"kings\":1}", "kings"},
        {HEAD ",\"careDays\":-1}", "careDays"},
        {HEAD ",\"careDays\":\"1\"}", "careDays"},
        {HEAD ",\"sensitive\":[\"R\"]}", "\"R\""},
        {HEAD ",\"roles\":[]}", "roles"},
        {HEAD ",\"roles\":{\"a\":1}}", "\"a\""},
        {HEAD ",\"roles\":{\"a\":{}}}", "no purposes"},
        {HEAD ",\"roles\":{\"a\":{\"purposes\":[\"PUBHLTH\"],\"lineLists\":true}}}", "counts"},
        {HEAD ",\"roles\":{\"a\":{\"purposes\":[\"PUBHLTH\"],\"signals\":true}}}", "sees none"},
        {HEAD ",\"roles\":{\"a\":{\"purposes\":[1]}}}", "purposes"},
        {HEAD ",\"roles\":{\"a\":{\"purposes\":[\"T\"],\"records\":\"some\"}}}", "records"},
        {HEAD ",\"roles\":{\"a\":{\"purposes\":[\"T\"],\"sensitive\":1}}}", "sensitive"},
        {HEAD ",\"roles\":{\"a\":{\"purposes\":[\"T\"],\"sees\":true}}}", "sees"},
        {HEAD ",\"roles\":{\"a\":{\"purposes\":[\"T\"],\"types\":[\"Patient\"]}}}", "Patient"},
        {HEAD ",\"roles\":{\"a\":{\"purposes\":[\"T\"],\"types\":[\"King\"]}}}", "King"},
        {HEAD ",\"roles\":{\"a\":{\"purposes\":[\"T\"],\"grants\":[\"Patient\"]}}}", "Patient"},
        {HEAD ",\"roles\":{\"a\":{\"purposes\":[\"T\"],\"records\":\"own\",\"unlinked\":true}}}",
         "all records"},
        {HEAD ",\"roles\":{\"a\":{\"purposes\":[\"TREAT\"],\"records\":\"cases\"}}}", "PUBHLTH"},
        {HEAD ",\"notifiable\":[]}", "notifiable"},
        {HEAD ",\"notifiable\":{\"a\":1}}", "\"a\""},
        {HEAD ",\"notifiable\":{\"a\":{}}}", "no codes"},
        {HEAD ",\"notifiable\":{\"a\":{\"codes\":[\"A\"]}}}", "\"A\""},
        {HEAD ",\"notifiable\":{\"a\":{\"types\":[\"Consent\"]}}}", "Consent"},
        {HEAD ",\"notifiable\":{\"a\":{\"types\":[\"Location\"]}}}", "Location"},
        {HEAD ",\"notifiable\":{\"a\":{\"name\":1}}}", "\"name\""},
        {HEAD ",\"tests\":1}", "tests"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct policy *p = NULL;
        struct err err = {0};

        assert_int_equal(policy_parse(str_c(texts[i][0]), &p, &err), ERR_VALUE);
        if (!strstr(err.text, texts[i][1]))
            fail_msg("%s: %s", texts[i][0], err.text);
    }
}

static void tests_can_fail(void **state)
{
    static const char text[] =
        HEAD ",\"roles\":{\"a\":{\"purposes\":[\"T\"],\"records\":\"all\"}},\"tests\":["
             "{\"name\":\"x\",\"who\":{\"role\":\"a\"},\"resource\":{\"resourceType\":\"Patient\","
             "\"id\":\"p\"},\"permit\":true},"
             "{\"name\":\"y\",\"who\":{\"role\":\"b\"},\"resource\":{\"resourceType\":\"Patient\","
             "\"id\":\"p\"},\"permit\":true}]}";
    struct policy *p = parsed(text);
    struct err err = {0};
    int held = 0;

    (void)state;
    assert_int_equal(policy_test(p, counts_outcome, &held, &err), 1);
    assert_int_equal(held, 1);
    policy_free(p);
    p = parsed(HEAD ",\"tests\":[{\"name\":\"x\"}]}");
    assert_int_equal(policy_test(p, counts_outcome, &held, &err), ERR_VALUE);
    policy_free(p);
}

static void without_memory(void **state)
{
    (void)state;
    FAULT_LOOP(false) {
        struct policy *p = NULL;
        struct err err = {0};
        int r = policy_parse(policy_default(), &p, &err);

        assert_true(r == 0 || r == ERR_NO_MEMORY);
        policy_free(p);
    }
}

/* What a consent says, of one patient's resource. */
static enum consent_verdict verdict(const char *provision, const char *purpose, bool is_sensitive)
{
    static const struct str refs[] = {STR("Practitioner/a"), STR("Organization/o")};
    struct policy_role role = {.name = STR("r")};
    struct asker who = {
        .role = &role, .user = refs[0], .refs = refs, .n_refs = 2, .purpose = str_c(purpose)};
    char text[2000];
    struct consent c;
    struct facts f = {
        .type = def_resource(STR("Observation")), .id = STR("x"), .is_sensitive = is_sensitive};
    struct err err = {0};
    enum consent_verdict said;
    yyjson_val *root, *resource;
    struct arena a;

    arena_init(&a, MIB(1));
    snprintf(text, sizeof text, "{\"provision\":%s}", provision);
    assert_int_equal(js_parse(&a, arena_dup(&a, str_c(text)), &root, &err), 0);
    assert_int_equal(js_parse(&a,
                              STR("{\"id\":\"x\",\"effectiveDateTime\":\"2020-05-01\",\"meta\":{"
                                  "\"security\":[{\"system\":\"s\",\"code\":\"HIV\"}]},"
                                  "\"encounter\":{\"reference\":\"Encounter/e/_history/1\"},"
                                  "\"performer\":[{\"reference\":\"Practitioner/a\"}]}"),
                              &resource, &err),
                     0);
    f.root = resource;
    assert_int_equal(consent_compile(&a, root, &c, &err), 0);
    said = consent_says(&c, &who, &f, INT64_C(1700000000000));
    arena_done(&a);
    return said;
}

/* The kinds of PCF's examples: basic, intermediate, advanced. */
static void what_consents_say(void **state)
{
    static const struct {
        const char *provision, *purpose;
        bool is_sensitive;
        enum consent_verdict want;
    } cases[] = {
        {"{\"type\":\"permit\"}", "TREAT", false, CONSENT_PERMIT},
        {"{\"type\":\"permit\"}", "TREAT", true, CONSENT_NOTHING},
        {"{\"type\":\"deny\"}", "TREAT", true, CONSENT_DENY},
        {"{\"type\":\"permit\",\"purpose\":[{\"code\":\"HRESCH\"}]}", "TREAT", false,
         CONSENT_NOTHING},
        {"{\"type\":\"permit\",\"period\":{\"end\":\"2020\"}}", "TREAT", false, CONSENT_NOTHING},
        {"{\"type\":\"permit\",\"period\":{\"end\":\"soon\"}}", "TREAT", false, CONSENT_DENY},
        {"{\"type\":\"permit\",\"actor\":[{\"reference\":{\"reference\":\"Organization/o\"}}]}",
         "TREAT", false, CONSENT_PERMIT},
        {"{\"type\":\"permit\",\"actor\":[{\"reference\":{\"reference\":\"Practitioner/b\"}}]}",
         "TREAT", false, CONSENT_NOTHING},
        {"{\"type\":\"permit\",\"actor\":[{\"reference\":{\"display\":\"b\"}}]}", "TREAT", false,
         CONSENT_DENY},
        {"{\"type\":\"deny\",\"provision\":[{\"type\":\"permit\",\"purpose\":[{\"code\":\"BTG\"}]}]"
         "}",
         "BTG", false, CONSENT_PERMIT},
        {"{\"type\":\"deny\",\"provision\":[{\"type\":\"permit\",\"purpose\":[{\"code\":\"BTG\"}]}]"
         "}",
         "TREAT", false, CONSENT_DENY},
        {"{\"type\":\"permit\",\"securityLabel\":[{\"code\":\"N\"}],\"provision\":[{\"type\":"
         "\"permit\",\"securityLabel\":[{\"system\":\"s\",\"code\":\"HIV\"}],\"actor\":[{"
         "\"reference\":{\"reference\":\"Practitioner/a\"}}]}]}",
         "TREAT", true, CONSENT_PERMIT},
        {"{\"type\":\"permit\",\"securityLabel\":[{\"code\":\"N\"}],\"provision\":[{\"type\":"
         "\"deny\",\"securityLabel\":[{\"system\":\"s\",\"code\":\"HIV\"}]}]}",
         "TREAT", true, CONSENT_DENY},
        {"{\"type\":\"permit\",\"dataPeriod\":{\"start\":\"2020\",\"end\":\"2020\"}}", "TREAT",
         false, CONSENT_PERMIT},
        {"{\"type\":\"permit\",\"dataPeriod\":{\"start\":\"2021\"}}", "TREAT", false,
         CONSENT_NOTHING},
        {"{\"type\":\"deny\",\"data\":[{\"meaning\":\"instance\",\"reference\":{\"reference\":"
         "\"Observation/x\"}}]}",
         "TREAT", false, CONSENT_DENY},
        {"{\"type\":\"deny\",\"data\":[{\"meaning\":\"related\",\"reference\":{\"reference\":"
         "\"Encounter/e\"}}]}",
         "TREAT", false, CONSENT_DENY},
        {"{\"type\":\"deny\",\"data\":[{\"meaning\":\"related\",\"reference\":{\"reference\":"
         "\"Encounter/f\"}}]}",
         "TREAT", false, CONSENT_NOTHING},
        {"{\"type\":\"deny\",\"data\":[{\"meaning\":\"authoredby\",\"reference\":{\"reference\":"
         "\"Practitioner/a\"}}]}",
         "TREAT", false, CONSENT_DENY},
        /* What is not understood is a no. */
        {"{\"type\":\"permit\",\"class\":[{\"code\":\"x\"}]}", "TREAT", false, CONSENT_DENY},
        {"{\"type\":\"maybe\"}", "TREAT", false, CONSENT_DENY},
        {"null", "TREAT", false, CONSENT_DENY},
        {"{\"type\":\"permit\",\"provision\":[{\"type\":\"deny\",\"provision\":[]}]}", "TREAT",
         false, CONSENT_DENY},
        {"{\"type\":\"permit\",\"data\":[{\"meaning\":\"whatever\",\"reference\":{\"reference\":"
         "\"Observation/x\"}}]}",
         "TREAT", false, CONSENT_DENY},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (verdict(cases[i].provision, cases[i].purpose, cases[i].is_sensitive) != cases[i].want)
            fail_msg("%s", cases[i].provision);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_holds), cmocka_unit_test(what_is_no_policy),
        cmocka_unit_test(tests_can_fail),    cmocka_unit_test(without_memory),
        cmocka_unit_test(what_consents_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
