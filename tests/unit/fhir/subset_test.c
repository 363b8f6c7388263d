#include "../test.h"

#include "base/fault.h"
#include "fhir/subset.h"

#define TAG                                                                                        \
    "{\"system\":\"http://terminology.hl7.org/CodeSystem/"                                         \
    "v3-ObservationValue\",\"code\":\"SUBSETTED\"}"

static const char patient[] =
    "{\"resourceType\":\"Patient\",\"id\":\"p\",\"meta\":{\"versionId\":\"1\",\"tag\":[{\"code\":"
    "\"x\"}]},"
    "\"language\":\"fr\",\"text\":{\"status\":\"generated\",\"div\":\"<div>x</div>\"},"
    "\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"o\"}],"
    "\"extension\":[{\"url\":\"u\",\"valueString\":\"v\"}],"
    "\"modifierExtension\":[{\"url\":\"m\",\"valueBoolean\":true}],"
    "\"active\":true,\"name\":[{\"id\":\"n1\",\"family\":\"F\",\"given\":[\"A\",null],"
    "\"_given\":[null,{\"extension\":[{\"url\":\"u\",\"valueCode\":\"c\"}]}]}],"
    "\"birthDate\":\"2000\",\"_birthDate\":{\"extension\":[{\"url\":\"t\",\"valueString\":\"q\"}]},"
    "\"maritalStatus\":{\"text\":\"m\"},\"contact\":[{\"gender\":\"male\"}],"
    "\"link\":[{\"id\":\"l\",\"other\":{\"reference\":\"Patient/q\"},\"type\":\"refer\"}]}";

static const char observation[] =
    "{\"resourceType\":\"Observation\",\"text\":{\"status\":\"generated\",\"div\":\"<div>x</"
    "div>\"},"
    "\"status\":\"final\",\"code\":{\"text\":\"c\"},\"valueQuantity\":{\"value\":1.50,\"unit\":"
    "\"g\"},"
    "\"note\":[{\"text\":\"n\"}],\"referenceRange\":[{\"text\":\"r\"}],"
    "\"component\":[{\"code\":{\"text\":\"d\"},\"valueString\":\"s\",\"referenceRange\":[{\"text\":"
    "\"r\"}]}]}";

static void reduce(const char *text, const struct subset *s, const char *want)
{
    _cleanup_(sb_done) struct sb out = sb_make(KIB(64));
    _cleanup_(arena_done) struct arena a;
    yyjson_val *root;
    struct err err;

    arena_init(&a, MIB(1));
    if (js_parse(&a, str_c(text), &root, &err) < 0)
        fail_msg("%s", err.text);
    subset_write(&out, s, root);
    assert_str(sb_view(&out), str_c(want));
}

static void summary_true(void **state)
{
    const struct subset s = {.summary = SUMMARY_TRUE};

    (void)state;
    reduce(patient, &s,
           "{\"resourceType\":\"Patient\",\"id\":\"p\",\"meta\":{\"versionId\":\"1\",\"tag\":[{"
           "\"code\":\"x\"}," TAG
           "]},\"modifierExtension\":[{\"url\":\"m\",\"valueBoolean\":true}],\"active\":true,"
           "\"name\":[{\"family\":\"F\",\"given\":[\"A\",null],"
           "\"_given\":[null,{\"extension\":[{\"url\":\"u\",\"valueCode\":\"c\"}]}]}],"
           "\"birthDate\":\"2000\",\"link\":[{\"other\":{\"reference\":\"Patient/"
           "q\"},\"type\":\"refer\"}]}");
    reduce(observation, &s,
           "{\"resourceType\":\"Observation\",\"meta\":{\"tag\":[" TAG "]},\"status\":\"final\","
           "\"code\":{\"text\":\"c\"},\"valueQuantity\":{\"value\":1.50,\"unit\":\"g\"},"
           "\"component\":[{\"code\":{\"text\":\"d\"},\"valueString\":\"s\"}]}");
    /* nothing of these is in the summary: no empty objects are left */
    reduce("{\"resourceType\":\"Patient\",\"id\":\"p\",\"photo\":[{\"data\":\"AAAA\"}],"
           "\"name\":[{\"extension\":[{\"url\":\"u\",\"valueString\":\"v\"}]},{\"family\":\"F\"}],"
           "\"address\":[{\"id\":\"a\"}],\"telecom\":[]}",
           &s,
           "{\"resourceType\":\"Patient\",\"id\":\"p\",\"meta\":{\"tag\":[" TAG "]},"
           "\"name\":[{\"family\":\"F\"}]}");
    /* a mandatory element stays, even if all it has is outside the summary */
    reduce("{\"resourceType\":\"Observation\",\"_status\":{\"extension\":[{\"url\":\"d\","
           "\"valueCode\":\"u\"}]},"
           "\"code\":{\"extension\":[{\"url\":\"d\",\"valueCode\":\"u\"}]}}",
           &s,
           "{\"resourceType\":\"Observation\",\"meta\":{\"tag\":[" TAG "]},"
           "\"_status\":{\"extension\":[{\"url\":\"d\",\"valueCode\":\"u\"}]},"
           "\"code\":{\"extension\":[{\"url\":\"d\",\"valueCode\":\"u\"}]}}");
}

static void summary_text_and_data(void **state)
{
    const struct subset text = {.summary = SUMMARY_TEXT}, data = {.summary = SUMMARY_DATA};

    (void)state;
    reduce(observation, &text,
           "{\"resourceType\":\"Observation\",\"meta\":{\"tag\":[" TAG "]},"
           "\"text\":{\"status\":\"generated\",\"div\":\"<div>x</div>\"},\"status\":\"final\","
           "\"code\":{\"text\":\"c\"}}");
    reduce("{\"resourceType\":\"Patient\",\"text\":{\"status\":\"empty\",\"div\":\"<div/"
           ">\"},\"active\":false,"
           "\"_active\":{\"id\":\"x\"},\"meta\":{\"tag\":[" TAG "]},\"id\":\"z\"}",
           &data,
           "{\"resourceType\":\"Patient\",\"id\":\"z\",\"meta\":{\"tag\":[" TAG
           "]},\"active\":false,"
           "\"_active\":{\"id\":\"x\"}}");
}

static void elements(void **state)
{
    const struct str some[] = {STR("name"), STR("Patient.birthDate"), STR("Observation.value[x]"),
                               STR("nonsense"), STR("")};
    const struct str typed[] = {STR("valueQuantity"), STR("id")};
    const struct subset s = {.elements = some, .n_elements = ARRAY_LEN(some)};
    const struct subset t = {
        .elements = typed, .n_elements = ARRAY_LEN(typed), .summary = SUMMARY_TRUE};

    (void)state;
    reduce(patient, &s,
           "{\"resourceType\":\"Patient\",\"id\":\"p\",\"meta\":{\"versionId\":\"1\",\"tag\":[{"
           "\"code\":\"x\"}," TAG
           "]},\"modifierExtension\":[{\"url\":\"m\",\"valueBoolean\":true}],"
           "\"name\":[{\"id\":\"n1\",\"family\":\"F\",\"given\":[\"A\",null],"
           "\"_given\":[null,{\"extension\":[{\"url\":\"u\",\"valueCode\":\"c\"}]}]}],"
           "\"birthDate\":\"2000\",\"_birthDate\":{\"extension\":[{\"url\":\"t\",\"valueString\":"
           "\"q\"}]}}");
    reduce(observation, &s,
           "{\"resourceType\":\"Observation\",\"meta\":{\"tag\":[" TAG "]},\"status\":\"final\","
           "\"code\":{\"text\":\"c\"},\"valueQuantity\":{\"value\":1.50,\"unit\":\"g\"}}");
    reduce(observation, &t,
           "{\"resourceType\":\"Observation\",\"meta\":{\"tag\":[" TAG "]},\"status\":\"final\","
           "\"code\":{\"text\":\"c\"},\"valueQuantity\":{\"value\":1.50,\"unit\":\"g\"}}");
}

static void whole(void **state)
{
    const struct subset none = {.summary = SUMMARY_FALSE}, all = {.summary = SUMMARY_TRUE};

    (void)state;
    assert_true(subset_is_all(&none));
    assert_false(subset_is_all(&all));
    reduce(patient, &none, patient);
    reduce("{\"resourceType\":\"Nothing\",\"a\":1.0}", &all,
           "{\"resourceType\":\"Nothing\",\"a\":1.0}");
    reduce("[1]", &all, "[1]");
    reduce("{\"resourceType\":\"HumanName\",\"a\":1}", &all,
           "{\"resourceType\":\"HumanName\",\"a\":1}");
}

static void memory_may_fail(void **state)
{
    const struct subset s = {.summary = SUMMARY_TRUE};
    _cleanup_(arena_done) struct arena a;
    yyjson_val *root;
    struct err err;

    (void)state;
    arena_init(&a, MIB(1));
    assert_int_equal(js_parse(&a, str_c(patient), &root, &err), 0);
    FAULT_LOOP(false) {
        _cleanup_(sb_done) struct sb out = sb_make(KIB(64));
        subset_write(&out, &s, root);
        assert_int_equal(sb_ok(&out, NULL), fault_fired() ? ERR_NO_MEMORY : 0);
    }
    for (size_t max = 0; max < 600; max += 7) {
        _cleanup_(sb_done) struct sb out = sb_make(max);
        subset_write(&out, &s, root);
        assert_true(out.n <= max);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(summary_true),    cmocka_unit_test(summary_text_and_data),
        cmocka_unit_test(elements),        cmocka_unit_test(whole),
        cmocka_unit_test(memory_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
