#include "../test.h"

#include "base/fault.h"
#include "fhir/defs.h"
#include "fhir/validate.h"

#define PATIENT(members) "{\"resourceType\":\"Patient\"," members "}"
#define OBSERVATION(members)                                                                       \
    "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"text\":\"x\"}," members "}"

struct run {
    struct arena a;
    struct issues issues;
    int type;
};

static void run_init(struct run *run, const char *text)
{
    yyjson_val *root;
    struct err err;

    arena_init(&run->a, MIB(4));
    if (js_parse(&run->a, str_c(text), &root, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    issues_init(&run->issues, &run->a);
    run->type = fhir_validate(root, &run->issues, &err);
}

static void run_done(struct run *run)
{
    arena_done(&run->a);
}

static void good(const char *text)
{
    _cleanup_(run_done) struct run run;

    run_init(&run, text);
    if (run.issues.n)
        fail_msg("%s: %.*s", text, STR_ARG(run.issues.first->text));
    assert_true(run.type > 0);
}

/* The first issue is at `where`, of the type, and its text has `says` in it. */
static void bad(const char *text, const char *where, const char *type, const char *says)
{
    _cleanup_(run_done) struct run run;
    const struct issue *first;
    char said[ERR_TEXT_MAX];

    run_init(&run, text);
    first = run.issues.first;
    if (!first)
        fail_msg("%s passed", text);
    snprintf(said, sizeof said, "%.*s", STR_ARG(first->text));
    if (!str_eq(first->where, str_c(where)) || strcmp(first->type, type) != 0 ||
        !strstr(said, says))
        fail_msg("%s: [%s] at %.*s: %s", text, first->type, STR_ARG(first->where), said);
}

static void resources_have_a_type(void **state)
{
    _cleanup_(run_done) struct run run;

    (void)state;
    bad("[]", "", "structure", "object");
    bad("\"Patient\"", "", "structure", "object");
    bad("{}", "", "structure", "resourceType is missing");
    bad("{\"resourceType\":1}", "", "structure", "missing");
    bad("{\"resourceType\":\"Person1\"}", "", "structure", "does not name");
    bad("{\"resourceType\":\"DomainResource\"}", "", "structure", "does not name");
    bad("{\"resourceType\":\"HumanName\"}", "", "structure", "does not name");
    run_init(&run, "{\"resourceType\":\"Patient\"}");
    assert_int_equal(run.type, def_resource(STR("Patient")));
    assert_int_equal(run.issues.n, 0);
}

static void elements_are_known(void **state)
{
    (void)state;
    good(PATIENT("\"id\":\"a\",\"active\":true,\"name\":[{\"family\":\"F\",\"given\":[\"G\"]}]"));
    bad(PATIENT("\"colour\":1"), "Patient.colour", "structure", "not an element");
    bad(PATIENT("\"name\":[{\"given\":[\"a\"]},{\"nick\":\"x\"}]"), "Patient.name[1].nick",
        "structure", "not an element");
    bad(PATIENT("\"name\":[{\"resourceType\":\"x\"}]"), "Patient.name[0].resourceType", "structure",
        "not an element");
    bad(PATIENT("\"_name\":[{\"id\":\"x\"}]"), "Patient._name", "structure", "not an element");
    bad(PATIENT("\"\":1"), "Patient.", "structure", "not an element");
    bad(PATIENT("\"_\":1"), "Patient._", "structure", "not an element");
    bad(PATIENT("\"deceased\":true"), "Patient.deceased", "structure", "not an element");
    bad(PATIENT("\"deceased[x]\":true"), "Patient.deceased[x]", "structure", "not an element");
}

static void cardinalities_hold(void **state)
{
    (void)state;
    bad("{\"resourceType\":\"Observation\",\"code\":{\"text\":\"x\"}}", "Observation.status",
        "required", "is required");
    bad(PATIENT("\"link\":[{\"type\":\"refer\"}]"), "Patient.link[0].other", "required",
        "required");
    bad(PATIENT("\"name\":{\"family\":\"x\"}"), "Patient.name", "structure", "not an array");
    bad(PATIENT("\"name\":[]"), "Patient.name", "structure", "empty array");
    bad(PATIENT("\"name\":[[{\"family\":\"x\"}]]"), "Patient.name[0]", "structure", "is an array");
    bad(PATIENT("\"name\":[\"x\"]"), "Patient.name[0]", "structure", "not an object");
    bad(PATIENT("\"name\":[null]"), "Patient.name[0]", "structure", "not an object");
    bad(PATIENT("\"name\":[{}]"), "Patient.name[0]", "structure", "empty object");
    bad(PATIENT("\"name\":[{\"id\":\"x\"}]"), "Patient.name[0]", "structure", "nothing but an id");
    bad(PATIENT("\"birthDate\":[\"2000\"]"), "Patient.birthDate", "value", "is an array");
    bad(PATIENT("\"birthDate\":null"), "Patient.birthDate", "value", "is null");
    bad(PATIENT("\"birthDate\":\"\""), "Patient.birthDate", "value", "is empty");
    bad(PATIENT("\"maritalStatus\":[{\"text\":\"x\"}]"), "Patient.maritalStatus", "structure",
        "is an array");
    bad(PATIENT("\"maritalStatus\":\"x\""), "Patient.maritalStatus", "structure", "not an object");
    bad(PATIENT("\"text\":{\"status\":\"generated\"}"), "Patient.text.div", "required", "required");
}

static void what_has_no_limit_may_repeat(void **state)
{
    enum { N = UINT16_MAX + 2 };
    _cleanup_(sb_done) struct sb json = sb_make(MIB(2));
    struct issues issues;
    struct arena a;
    yyjson_val *root;
    struct err err;

    (void)state;
    arena_init(&a, MIB(64));
    sb_lit(&json, "{\"resourceType\":\"CodeSystem\",\"status\":\"draft\",\"content\":\"complete\","
                  "\"concept\":[{\"code\":\"a\"}");
    for (int i = 1; i < N; i++)
        sb_lit(&json, ",{\"code\":\"b\"}");
    sb_lit(&json, "]}");
    assert_int_equal(js_parse(&a, sb_view(&json), &root, &err), 0);
    issues_init(&issues, &a);
    assert_true(fhir_validate(root, &issues, &err) > 0);
    assert_int_equal(issues.n, 0);
    arena_done(&a);
}

static void choices_hold(void **state)
{
    (void)state;
    good(PATIENT("\"deceasedBoolean\":true"));
    good(PATIENT("\"deceasedDateTime\":\"2020\",\"_deceasedDateTime\":{\"id\":\"x\"}"));
    good(PATIENT("\"_deceasedBoolean\":{\"extension\":[{\"url\":\"u\",\"valueCode\":\"x\"}]}"));
    bad(PATIENT("\"deceasedBoolean\":true,\"deceasedDateTime\":\"2020\""), "Patient.deceased",
        "structure", "two types");
    bad(PATIENT("\"deceasedBoolean\":true,\"_deceasedDateTime\":{\"id\":\"x\"}"),
        "Patient.deceased", "structure", "two types");
    bad(PATIENT("\"deceasedBoolean\":\"true\""), "Patient.deceased", "value", "true or false");
    bad(OBSERVATION("\"valueQuantity\":{\"value\":\"1\"}"), "Observation.value.value", "value",
        "not a number");
}

static void siblings_hold(void **state)
{
    (void)state;
#define EXT "{\"extension\":[{\"url\":\"u\",\"valueString\":\"x\"}]}"
    good(PATIENT("\"birthDate\":\"2000\",\"_birthDate\":{\"id\":\"x\"}"));
    good(PATIENT("\"name\":[{\"given\":[\"a\",null],\"_given\":[null," EXT "]}]"));
    good(PATIENT("\"name\":[{\"_given\":[" EXT "]}]"));
    good("{\"resourceType\":\"Observation\",\"_status\":" EXT ",\"code\":{\"text\":\"x\"}}");
    bad(PATIENT("\"name\":[{\"given\":[\"a\",null]}]"), "Patient.name[0].given[1]", "structure",
        "null without");
    bad(PATIENT("\"name\":[{\"given\":[null,\"a\"],\"_given\":[null,null]}]"),
        "Patient.name[0].given[0]", "structure", "null without");
    bad(PATIENT("\"name\":[{\"_given\":[null," EXT "]}]"), "Patient.name[0].given[0]", "structure",
        "null in place");
    bad(PATIENT("\"name\":[{\"given\":[\"a\",\"b\"],\"_given\":[" EXT "]}]"),
        "Patient.name[0].given", "structure", "as many");
    bad(PATIENT("\"name\":[{\"given\":[\"a\"],\"_given\":" EXT "}]"), "Patient.name[0].given",
        "structure", "not an array");
    bad(PATIENT("\"_birthDate\":{}"), "Patient.birthDate", "structure", "empty object");
    bad(PATIENT("\"_birthDate\":null"), "Patient.birthDate", "structure", "not an object");
    bad(PATIENT("\"_birthDate\":{\"value\":\"2000\"}"), "Patient.birthDate.value", "structure",
        "not an element");
    bad(PATIENT("\"_birthDate\":{\"extension\":[{\"url\":\"u\"}]}"),
        "Patient.birthDate.extension[0]", "structure", "neither");
}

static void extensions_hold(void **state)
{
    (void)state;
    good(PATIENT("\"extension\":[{\"url\":\"http://x\",\"valueHumanName\":{\"text\":\"x\"}}]"));
    good(PATIENT("\"extension\":[{\"url\":\"http://x\",\"extension\":[{\"url\":\"y\","
                 "\"valueInteger\":1}]}]"));
    bad(PATIENT("\"extension\":[{\"valueInteger\":1}]"), "Patient.extension[0].url", "required",
        "required");
    bad(PATIENT("\"extension\":[{\"url\":\"x\"}]"), "Patient.extension[0]", "structure", "neither");
    bad(PATIENT("\"extension\":[{\"url\":\"x\",\"valueInteger\":1,\"extension\":[{\"url\":\"y\","
                "\"valueInteger\":1}]}]"),
        "Patient.extension[0]", "structure", "only one");
    bad(PATIENT("\"extension\":[{\"url\":\"x\",\"value\":1}]"), "Patient.extension[0].value",
        "structure", "not an element");
}

static void primitive(const char *type, const char *json, bool is_good)
{
    char text[512];

    snprintf(text, sizeof text, PATIENT("\"extension\":[{\"url\":\"x\",\"value%s\":%s}]"), type,
             json);
    if (is_good)
        good(text);
    else
        bad(text, "Patient.extension[0].value", "value", "");
}

static void texts_have_formats(void **state)
{
    static const struct {
        const char *type, *good[8], *bad[14];
    } rows[] = {
        {"Date",
         {"2000", "2000-02", "2000-02-29", "0001-01-01"},
         {"200", "2000-13", "2001-02-29", "2000-2-1", "0000", "2000-01-01T00:00:00Z", " 2000",
          "2000-01-", "20000"}},
        {"DateTime",
         {"2000", "2000-02-29", "2000-02-29T23:59:60Z", "2000-01-01T00:00:00.123456+14:00"},
         {"2000-01-01T00:00:00", "2000-01-01T00:00Z", "2000-01-01T24:00:00Z",
          "2000-01-01 00:00:00Z", "2000-01-01T00:00:00+14:01", "2000-01-01T00:00:00z",
          "2000-01-01T00:00:00.Z", "2000-01T00:00:00Z"}},
        {"Instant",
         {"2000-01-01T00:00:00Z", "2000-01-01T00:00:00.1-05:30"},
         {"2000", "2000-01-01", "2000-01-01T00:00:00"}},
        {"Time",
         {"00:00:00", "23:59:59.999"},
         {"24:00:00", "1:00:00", "10:00", "10:00:00Z", "10:60:00"}},
        {"Code", {"a", "a b", "+-_%"}, {" a", "a ", "a  b", "a\\tb", "a\\nb", "\\u0000"}},
        {"String", {"a", " a\\n\\t\\r", "漢字"}, {"a\\u0001", "\\u0000", "\\u001f123456789"}},
        {"Markdown", {"# a\\n\\n  b"}, {"\\u0007"}},
        {"Id",
         {"a", "A-1.b", "1234567890123456789012345678901234567890123456789012345678901234"},
         {"a_b", "a b", "é", "12345678901234567890123456789012345678901234567890123456789012345"}},
        {"Uri", {"http://a", "urn:x", "a/b#c", "é"}, {"a b", " a", "a\\n", "a\\u0000"}},
        {"Url", {"http://a"}, {"http://a b"}},
        {"Canonical", {"http://a|1.0#x"}, {"http://a |1"}},
        {"Oid",
         {"urn:oid:1.2.3", "urn:oid:2.0.10", "urn:oid:0.9"},
         {"1.2.3", "urn:oid:3.1", "urn:oid:1", "urn:oid:1.", "urn:oid:1..2", "urn:oid:1.02",
          "urn:oid:1.a", "urn:oid:", "urn:oid:10.1"}},
        {"Uuid",
         {"urn:uuid:c757873d-ec9a-4326-a141-556f43239520"},
         {"c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:c757873d-ec9a-4326-a141-556f4323952",
          "urn:uuid:C757873D-EC9A-4326-A141-556F43239520",
          "urn:uuid:c757873dXec9a-4326-a141-556f43239520"}},
        {"Base64Binary",
         {"AAAA", "AAA=", "AA==", "AAAA\\nAAAA", "+/09"},
         {"AAA", "A===", "=AAA", "AA=A", "AA-A", "AAAAA", " "}},
    };
    char json[256];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t k = 0; k < ARRAY_LEN(rows[i].good) && rows[i].good[k]; k++) {
            snprintf(json, sizeof json, "\"%s\"", rows[i].good[k]);
            primitive(rows[i].type, json, true);
        }
        for (size_t k = 0; k < ARRAY_LEN(rows[i].bad) && rows[i].bad[k]; k++) {
            snprintf(json, sizeof json, "\"%s\"", rows[i].bad[k]);
            primitive(rows[i].type, json, false);
        }
        primitive(rows[i].type, "\"\"", false);
        primitive(rows[i].type, "1", false);
        primitive(rows[i].type, "true", false);
        primitive(rows[i].type, "{\"a\":1}", false);
    }
}

static void numbers_have_ranges(void **state)
{
    static const struct {
        const char *type, *good[8], *bad[10];
    } rows[] = {
        {"Integer",
         {"0", "-1", "2147483647", "-2147483648"},
         {"2147483648", "-2147483649", "1.0", "1e2", "-0", "\"1\"", "99999999999999999999"}},
        {"UnsignedInt", {"0", "2147483647"}, {"-1", "2147483648", "0.0", "\"0\"", "true"}},
        {"PositiveInt", {"1", "2147483647"}, {"0", "-1", "2147483648", "1.5"}},
        {"Decimal",
         {"0", "-0", "1.0", "1.00e-3", "0.0000000000000000000001", "1E+22"},
         {"\"1.0\"", "true", "1e999999", "1234567890123456789012345678901234567890123456789"}},
        {"Boolean", {"true", "false"}, {"\"true\"", "1", "0"}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t k = 0; k < ARRAY_LEN(rows[i].good) && rows[i].good[k]; k++)
            primitive(rows[i].type, rows[i].good[k], true);
        for (size_t k = 0; k < ARRAY_LEN(rows[i].bad) && rows[i].bad[k]; k++)
            primitive(rows[i].type, rows[i].bad[k], false);
    }
}

static void strings_have_a_length(void **state)
{
    size_t n = FHIR_STRING_MAX;
    char *text = malloc(n + 100);

    (void)state;
    assert_non_null(text);
    for (int more = 0; more < 2; more++) {
        size_t at =
            (size_t)snprintf(text, 100, "{\"resourceType\":\"Basic\",\"code\":{\"text\":\"");
        memset(text + at, 'x', n + (size_t)more);
        memcpy(text + at + n + (size_t)more, "\"}}", 4);
        if (more)
            bad(text, "Basic.code.text", "value", "1 MB");
        else
            good(text);
    }
    free(text);
}

static void references_have_types(void **state)
{
#define SUBJECT(text) OBSERVATION("\"subject\":{" text "}")
    static const char *const pass[] = {
        "\"reference\":\"Patient/1\"",
        "\"reference\":\"Group/1/_history/2\"",
        "\"reference\":\"http://a.example/fhir/Patient/1\"",
        "\"reference\":\"urn:uuid:c757873d-ec9a-4326-a141-556f43239520\"",
        "\"reference\":\"http://a.example/other\"",
        "\"reference\":\"Patient?identifier=a|b\"",
        "\"type\":\"Patient\",\"identifier\":{\"value\":\"1\"}",
        "\"type\":\"http://a.example/StructureDefinition/Own\",\"display\":\"x\"",
        "\"display\":\"x\"",
    };
    static const struct {
        const char *text, *where, *says;
    } fail[] = {
        {"\"reference\":\"Practitioner/1\"", "reference", "a Practitioner"},
        {"\"reference\":\"Practitioner/1/_history/2\"", "reference", "a Practitioner"},
        {"\"reference\":\"http://a.example/fhir/Encounter/1\"", "reference", "a Encounter"},
        {"\"reference\":\"Encounter?identifier=1\"", "reference", "a Encounter"},
        {"\"reference\":\"Patient/a_b\"", "reference", "not an id"},
        {"\"reference\":\"Patient/\"", "reference", "not an id"},
        {"\"reference\":\"Patient\"", "reference", "not a relative"},
        {"\"reference\":\"Person1/1\"", "reference", "not a relative"},
        {"\"reference\":\"x/Patient/1\"", "reference", "not a relative"},
        {"\"reference\":\"/Patient/1\"", "reference", "not a relative"},
        {"\"reference\":\"#x\"", "reference", "not there"},
        {"\"reference\":\"Patient/1\",\"type\":\"Group\"", "type", "not the type"},
        {"\"type\":\"Practitioner\",\"display\":\"x\"", "", "a Practitioner"},
        {"\"type\":\"Nothing\",\"display\":\"x\"", "type", "neither"},
    };
    char text[512], where[128];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pass); i++) {
        snprintf(text, sizeof text, SUBJECT("%s"), pass[i]);
        good(text);
    }
    for (size_t i = 0; i < ARRAY_LEN(fail); i++) {
        snprintf(text, sizeof text, SUBJECT("%s"), fail[i].text);
        snprintf(where, sizeof where, "Observation.subject.%s",
                 fail[i].where[0] ? fail[i].where : "type");
        bad(text, where, "value", fail[i].says);
    }
    good(OBSERVATION("\"focus\":[{\"reference\":\"Encounter/1\"}]"));
}

static void codes_are_listed(void **state)
{
#define CONDITION(status)                                                                          \
    "{\"resourceType\":\"Condition\",\"subject\":{\"display\":\"x\"},\"clinicalStatus\":" status "}"
#define CLINICAL "http://terminology.hl7.org/CodeSystem/condition-clinical"
    (void)state;
    good(PATIENT("\"gender\":\"female\""));
    bad(PATIENT("\"gender\":\"f\""), "Patient.gender", "code-invalid", "administrative-gender");
    bad(PATIENT("\"name\":[{\"use\":\"Official\"}]"), "Patient.name[0].use", "code-invalid",
        "name-use");
    good(CONDITION("{\"coding\":[{\"system\":\"" CLINICAL "\",\"code\":\"active\"}]}"));
    good(CONDITION("{\"coding\":[{\"system\":\"http://x\",\"code\":\"y\"},{\"system\":\"" CLINICAL
                   "\",\"code\":\"active\"}]}"));
    good(CONDITION("{\"extension\":[{\"url\":\"u\",\"valueCode\":\"unknown\"}]}"));
    bad(CONDITION("{\"text\":\"active\"}"), "Condition.clinicalStatus", "code-invalid",
        "no coding");
    bad(CONDITION("{\"coding\":[{\"code\":\"active\"}]}"), "Condition.clinicalStatus",
        "code-invalid", "no coding");
    bad(CONDITION("{\"coding\":[{\"system\":\"" CLINICAL "\",\"code\":\"x\"}]}"),
        "Condition.clinicalStatus", "code-invalid", "no coding");
    bad("{\"resourceType\":\"CapabilityStatement\",\"status\":\"active\",\"date\":\"2020\","
        "\"kind\":\"instance\",\"fhirVersion\":\"4.0.1\",\"format\":[\"json\"],\"rest\":[{\"mode\":"
        "\"server\",\"resource\":[{\"type\":\"Nothing\"}]}]}",
        "CapabilityStatement.rest[0].resource[0].type", "code-invalid", "resource-types");
}

static void contained_resources_hold(void **state)
{
#define INNER(members)                                                                             \
    PATIENT("\"contained\":[{\"resourceType\":\"Organization\"," members "}],"                     \
            "\"managingOrganization\":{\"reference\":\"#o\"}")
    (void)state;
    good(INNER("\"id\":\"o\",\"name\":\"x\""));
    good(PATIENT("\"contained\":[{\"resourceType\":\"Provenance\",\"id\":\"p\",\"recorded\":"
                 "\"2000-01-01T00:00:00Z\",\"target\":[{\"reference\":\"#\"}],\"agent\":[{\"who\":"
                 "{\"display\":\"x\"}}]}]"));
    bad(INNER("\"id\":\"o\",\"nick\":\"x\""), "Patient.contained[0].nick", "structure",
        "not an element");
    bad(INNER("\"id\":\"o\",\"contained\":[{\"resourceType\":\"Patient\",\"id\":\"x\"}]"),
        "Patient.contained[0]", "invariant", "contains a resource itself");
    bad(INNER("\"id\":\"o\",\"meta\":{\"versionId\":\"1\"}"), "Patient.contained[0]", "invariant",
        "versionId");
    bad(INNER("\"id\":\"o\",\"meta\":{\"security\":[{\"code\":\"R\"}]}"), "Patient.contained[0]",
        "invariant", "security");
    bad(INNER("\"id\":\"p\",\"name\":\"x\""), "Patient.managingOrganization.reference", "value",
        "not there");
    bad(PATIENT("\"contained\":[{\"resourceType\":\"Location\",\"id\":\"o\"}],"
                "\"managingOrganization\":{\"reference\":\"#o\"}"),
        "Patient.managingOrganization.reference", "value", "a Location");
    bad(PATIENT("\"contained\":[{\"id\":\"o\"}]"), "Patient.contained[0]", "structure",
        "no resourceType");
    bad("{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{\"resource\":"
        "{\"resourceType\":\"Patient\"}},{\"resource\":{\"resourceType\":\"Patient\",\"name\":"
        "[{\"given\":[\"a\",1]}]}}]}",
        "Bundle.entry[1].resource.name[0].given[1]", "value", "string");
    good("{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{\"resource\":" INNER(
        "\"id\":\"o\",\"name\":\"x\"") "}]}");
}

static void narratives_are_safe(void **state)
{
#define TEXT(div) PATIENT("\"text\":{\"status\":\"generated\",\"div\":\"" div "\"}")
#define XMLNS "<div xmlns='http://www.w3.org/1999/xhtml'>"
    (void)state;
    good(TEXT(XMLNS "<p>x</p></div>"));
    bad(TEXT(XMLNS "<script>x</script></div>"), "Patient.text.div", "value", "element that is not");
    bad(TEXT("x"), "Patient.text.div", "value", "is not a <div>");
}

/* Deep and wide nonsense: counted, bounded, done in time. */
static void issues_are_bounded(void **state)
{
    size_t n = 200000, at = 0, max = n * 24 + 200;
    char *text = malloc(max);
    struct arena a;
    struct issues issues;
    yyjson_val *root;
    struct err err;

    (void)state;
    assert_non_null(text);
    at += (size_t)snprintf(text, max, "{\"resourceType\":\"Patient\",\"name\":[{\"given\":[null");
    for (size_t i = 1; i < n; i++)
        at += (size_t)snprintf(text + at, max - at, ",null");
    at += (size_t)snprintf(text + at, max - at, "]}]");
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(text + at, max - at, ",\"x%zu\":0", i);
    at += (size_t)snprintf(text + at, max - at, "}");
    arena_init(&a, MIB(256));
    assert_int_equal(js_parse(&a, str_n(text, at), &root, &err), 0);
    issues_init(&issues, &a);
    assert_int_equal(fhir_validate(root, &issues, &err), def_resource(STR("Patient")));
    assert_true(issues.n_errors >= ISSUES_MAX);
    arena_done(&a);
    free(text);
}

static void memory_may_fail(void **state)
{
    static const char text[] = PATIENT("\"name\":[{\"nick\":1},{}],\"gender\":\"f\",\"x\":1");

    (void)state;
    FAULT_LOOP(false) {
        struct arena a;
        struct issues issues;
        yyjson_val *root;
        struct err err;
        int r;
        arena_init(&a, MIB(1));
        r = js_parse(&a, str_c(text), &root, &err);
        if (r == 0) {
            issues_init(&issues, &a);
            r = fhir_validate(root, &issues, &err);
            if (r > 0)
                assert_int_equal(issues.n, 4);
        }
        assert_true(r > 0 || r == ERR_NO_MEMORY);
        arena_done(&a);
    }
}

/* Where the arena is at its limit the answer is that, and not a list with holes. */
static void memory_may_end(void **state)
{
    static const char text[] = PATIENT("\"x\":1,\"y\":2");
    struct arena a, small;
    struct issues issues;
    yyjson_val *root;
    struct err err;

    (void)state;
    arena_init(&a, MIB(1));
    arena_init(&small, 0);
    assert_int_equal(js_parse(&a, str_c(text), &root, &err), 0);
    issues_init(&issues, &small);
    assert_int_equal(fhir_validate(root, &issues, &err), ERR_NO_MEMORY);
    arena_done(&small);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resources_have_a_type),
        cmocka_unit_test(elements_are_known),
        cmocka_unit_test(cardinalities_hold),
        cmocka_unit_test(choices_hold),
        cmocka_unit_test(siblings_hold),
        cmocka_unit_test(extensions_hold),
        cmocka_unit_test(texts_have_formats),
        cmocka_unit_test(numbers_have_ranges),
        cmocka_unit_test(strings_have_a_length),
        cmocka_unit_test(references_have_types),
        cmocka_unit_test(codes_are_listed),
        cmocka_unit_test(contained_resources_hold),
        cmocka_unit_test(narratives_are_safe),
        cmocka_unit_test(issues_are_bounded),
        cmocka_unit_test(what_has_no_limit_may_repeat),
        cmocka_unit_test(memory_may_fail),
        cmocka_unit_test(memory_may_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
