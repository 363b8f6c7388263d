#include "../test.h"

#include "base/clock.h"
#include "fhir/defs.h"
#include "fhir/validate.h"

#include <zlib.h>

#define LINE_MAX_BYTES MIB(64)

/* Official examples that are not valid, each looked up in the definitions by hand. */
static const struct {
    const char *type, *id, *where, *why;
} EXPECTED[] = {
    {"DeviceMetric", "example", "DeviceMetric.parent.reference",
     "parent allows Device only, the example names a DeviceDefinition"},
    {"DeviceUseStatement", "example", "DeviceUseStatement.reasonReference[0].reference",
     "reasonReference allows no Procedure"},
    {"MedicationRequest", "medrx0301", "MedicationRequest.dispenseRequest.performer.reference",
     "performer allows Organization only, the example names a Practitioner"},
    {"Observation", "clinical-gender", "Observation.performer[0].reference",
     "performer allows no Encounter"},
    {"Questionnaire", "qs1", "Questionnaire.item[0].item[0].linkId", "linkId is 1..1"},
    {"SearchParameter", "codesystem-extensions-CodeSystem-effective", "SearchParameter.base",
     "base is 1..*"},
    {"SearchParameter", "questionnaireresponse-extensions-QuestionnaireResponse-item-subject",
     "SearchParameter.id", "an id has at most 64 characters, this one has 67"},
    {"SearchParameter", "valueset-extensions-ValueSet-author", "SearchParameter.base",
     "base is 1..*"},
    {"SearchParameter", "valueset-extensions-ValueSet-effective", "SearchParameter.base",
     "base is 1..*"},
    {"SearchParameter", "valueset-extensions-ValueSet-end", "SearchParameter.base", "base is 1..*"},
    {"SearchParameter", "valueset-extensions-ValueSet-workflow", "SearchParameter.base",
     "base is 1..*"},
};

struct totals {
    size_t lines, resources, bytes, refused;
    int64_t us;
    bool was_seen[ARRAY_LEN(EXPECTED)];
};

static void refused(yyjson_val *root, const struct issues *issues, struct totals *t)
{
    struct str type = js_get_str(root, "resourceType"), id = js_get_str(root, "id");

    t->refused++;
    for (size_t i = 0; i < ARRAY_LEN(EXPECTED); i++) {
        if (!str_eq(type, str_c(EXPECTED[i].type)) || !str_eq(id, str_c(EXPECTED[i].id)))
            continue;
        assert_str(issues->first->where, str_c(EXPECTED[i].where));
        t->was_seen[i] = true;
        return;
    }
    fail_msg("%.*s/%.*s: %.*s", STR_ARG(type), STR_ARG(id), STR_ARG(issues->first->text));
}

static void validate_line(struct arena *a, struct str line, struct totals *t)
{
    struct issues issues;
    yyjson_val *root;
    struct err err;
    int64_t start;
    int r;

    if (js_parse(a, line, &root, &err) < 0)
        fail_msg("%s", err.text);
    issues_init(&issues, a);
    start = clock_mono_us();
    r = fhir_validate(root, &issues, &err);
    t->us += clock_mono_us() - start;
    t->lines++;
    t->bytes += line.n;
    t->resources += r == def_resource(STR("Bundle")) ? yyjson_arr_size(js_get(root, "entry")) : 1;
    if (issues.n)
        refused(root, &issues, t);
}

static void validate_file(const char *name, struct totals *t)
{
    const char *shared = getenv("CARNET_SHARED");
    char path[512], *line;
    struct arena a;
    gzFile f;

    snprintf(path, sizeof path, "%s/%s", shared ? shared : "", name);
    f = shared ? gzopen(path, "rb") : NULL;
    if (!f) {
        print_message("skipped: CARNET_SHARED does not hold %s\n", name);
        skip();
    }
    line = malloc(LINE_MAX_BYTES);
    assert_non_null(line);
    arena_init(&a, MIB(512));
    while (gzgets(f, line, (int)LINE_MAX_BYTES)) {
        validate_line(&a, str_c(line), t);
        arena_reset(&a);
    }
    arena_done(&a);
    free(line);
    gzclose(f);
    print_message("%s: %zu resources, %.0f a second, %.0f MB/s\n", name, t->resources,
                  (double)t->resources * 1e6 / (double)t->us, (double)t->bytes / (double)t->us);
}

static void examples_are_valid(void **state)
{
    struct totals t = {0};

    (void)state;
    validate_file("r4-examples/r4-examples.ndjson.gz", &t);
    assert_int_equal(t.lines, 607);
    assert_int_equal(t.refused, ARRAY_LEN(EXPECTED));
    for (size_t i = 0; i < ARRAY_LEN(EXPECTED); i++)
        assert_true(t.was_seen[i]);
}

static void synthetic_records_are_valid(void **state)
{
    static const char *const files[] = {
        "synthetic/synthea2019-a-200.ndjson.gz",
        "synthetic/synthea2019-hospitals-practitioners.ndjson.gz",
        "synthetic/synthea2021-hiv-a-20.ndjson.gz",
        "synthetic/synthea2021-hiv-providers-batch.ndjson.gz",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct totals t = {0};
        validate_file(files[i], &t);
        assert_true(t.resources > 0);
        assert_int_equal(t.refused, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_are_valid),
        cmocka_unit_test(synthetic_records_are_valid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
