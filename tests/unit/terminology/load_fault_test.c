/* Memory ends at every point of a loading, one after the other: it is told, nothing leaks, and with
 * memory again the same files are loaded. */
#include "taken.h"

#include "base/fault.h"
#include "terminology/resource.h"

#define WHEN "\t20240101\t1\t900000000000207008\t"

static const char icd[] =
    "Foundation URI\tLinearization URI\tCode\tBlockId\tTitle\tClassKind\tDepthInKind\tIsResidual\t"
    "ChapterNo\tBrowserLink\tisLeaf\tPrimary tabulation\tGrouping1\t"
    "Version:2024 Jan 21 - 22:30 UTC\n"
    "f/1\tl/mms/1\t\t\tFevers\tchapter\t1\tFalse\t01\t\tFalse\tTrue\t\t\n"
    "f/2\tl/mms/2\t1A00\t\t- Red fever\tcategory\t1\tFalse\t01\t\tTrue\tTrue\t\t\n"
    "f/3\tl/mms/3\t1A01\t\t- Blue fever\tcategory\t1\tFalse\t01\t\tTrue\tTrue\t\t\n";

static const char axes[] =
    "LinearizationURI\taxisName\trequiredPostcoordination\tallowMultipleValues\tscaleEntity\n"
    "l/mms/2\ta/hasCause\ttrue\tNotAllowed\tl/mms/3 l/mms/1\n";

static const char entity[] =
    "[{\"@id\":\"http://id.who.int/icd/release/11/2024-01/mms/3\",\"postcoordinationScale\":[{"
    "\"axisName\":\"x/a\",\"requiredPostcoordination\":\"false\",\"allowMultipleValues\":"
    "\"AllowAlways\",\"scaleEntity\":[\"x/mms/2\"]}]}]";

static const char map[] =
    "10ClassKind\t10DepthInKind\ticd10Code\ticd10Chapter\ticd10Title\t11ClassKind\t11DepthInKind\t"
    "ICD-11 FoundationURI\tLinearization (releaseURI)\ticd11Code\ticd11Chapter\ticd11Title\n"
    "chapter\t1\tI\tI\tInfections\tblock\t1\tf/9\tu/9\t\t01\tInfections\n"
    "category\t1\tA00\tI\tCholera\tcategory\t1\tf\tu/8\t1A00\t01\tCholera\n";

static const char loinc[] = "LOINC_NUM,LONG_COMMON_NAME,COMPONENT,STATUS,SHORTNAME\n"
                            "718-7,Hemoglobin,Hgb,ACTIVE,Hgb Bld\n";

static const char atc[] = "atc_code,atc_name\nA,Alimentary\nA10,Diabetes\n";

static const char claml[] =
    "<?xml version=\"1.0\"?><ClaML version=\"2.0.0\"><Title name=\"ICD-10\" version=\"2019\"/>"
    "<Class code=\"I\" kind=\"chapter\"><Rubric kind=\"preferred\"><Label xml:lang=\"en\">x</Label>"
    "</Rubric></Class><Class code=\"A00\" kind=\"category\"><SuperClass code=\"I\"/><Rubric "
    "kind=\"preferred\"><Label xml:lang=\"en\">y</Label></Rubric></Class></ClaML>";

static const char iso[] = "{\"4217\":[{\"alpha_3\":\"EUR\",\"name\":\"Euro\"}]}";

static const char concepts[] = "id\teffectiveTime\tactive\tmoduleId\tdefinitionStatusId\n"
                               "138875005" WHEN "900000000000074008\n"
                               "404684003" WHEN "900000000000074008\n"
                               "363698007" WHEN "900000000000074008\n";
static const char texts[] =
    "id\teffectiveTime\tactive\tmoduleId\tconceptId\tlanguageCode\ttypeId\tterm\t"
    "caseSignificanceId\n"
    "1001011" WHEN "404684003\ten\t900000000000013009\tFinding\t900000000000448009\n"
    "1002012\t20240101\t0\t900000000000207008\t404684003\ten\t900000000000013009\tOld\tx\n";
static const char links[] =
    "id\teffectiveTime\tactive\tmoduleId\tsourceId\tdestinationId\trelationshipGroup\ttypeId\t"
    "characteristicTypeId\tmodifierId\n"
    "7" WHEN "404684003\t138875005\t0\t116680003\t900000000000011006\t900000000000451002\n"
    "8" WHEN "404684003\t138875005\t1\t363698007\t900000000000011006\t900000000000451002\n";
static const char languages[] =
    "id\teffectiveTime\tactive\tmoduleId\trefsetId\treferencedComponentId\tacceptabilityId\n"
    "u" WHEN "900000000000509007\t1001011\t900000000000548007\n";
static const char rows[] =
    "id\teffectiveTime\tactive\tmoduleId\trefsetId\treferencedComponentId\ttargetComponentId\n"
    "v" WHEN "363698007\t404684003\t138875005\n";

static const char *const sets[][12] = {
    {"icd.txt", icd, "axes.tsv", axes, "entity.json", entity, NULL},
    {"map.txt", map, NULL},
    {"loinc.csv", loinc, "atc.csv", atc, NULL},
    {"icd10.xml", claml, NULL},
    {"4217.json", iso, NULL},
    {"c.txt", concepts, "d.txt", texts, "r.txt", links, "l.txt", languages, "m.txt", rows, NULL},
};

static void memory_and_files_may_end_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
        struct err err = {0};
        struct taken t;
        int r = ERR_NO_MEMORY;
        FAULT_LOOP(true) {
            r = taken_load(&t, sets[i], &err);
            if (r < 0 && r != ERR_NO_MEMORY && r != ERR_SYNTAX) /* a read that failed */
                fail_msg("%s: %d %s", sets[i][0], r, err.text);
            taken_done(&t);
        }
        assert_int_equal(r, 0); /* the last round had both */
    }
}

static void resources_are_compiled_or_not(void **state)
{
    static const char system[] =
        "{\"resourceType\":\"CodeSystem\",\"url\":\"urn:c\",\"content\":\"complete\",\"property\":["
        "{\"code\":\"p\",\"type\":\"string\"}],\"concept\":[{\"code\":\"a\",\"display\":\"A\","
        "\"designation\":[{\"language\":\"de\",\"value\":\"Ah\"}],\"concept\":[{\"code\":\"b\","
        "\"property\":[{\"code\":\"p\",\"valueString\":\"v\"}]}]}]}";
    static const char concept_map[] =
        "{\"resourceType\":\"ConceptMap\",\"group\":[{\"source\":\"urn:a\",\"target\":\"urn:b\","
        "\"element\":[{\"code\":\"a\",\"target\":[{\"code\":\"b\",\"equivalence\":\"equal\"}]}]}]}";
    struct err err = {0};
    struct arena a;
    yyjson_val *c, *m;

    (void)state;
    arena_init(&a, MIB(4));
    assert_int_equal(js_parse(&a, str_c(system), &c, &err), 0);
    assert_int_equal(js_parse(&a, str_c(concept_map), &m, &err), 0);
    FAULT_LOOP(true) {
        struct cs *cs;
        int r = cs_of_resource(c, &cs, &err);
        assert_true(r == 0 || r == ERR_NO_MEMORY);
        if (r == 0)
            cs_unref(cs);
    }
    FAULT_LOOP(true) {
        struct map *map_of;
        int r = map_of_resource(m, &map_of, &err);
        assert_true(r == 0 || r == ERR_NO_MEMORY);
        if (r == 0)
            map_unref(map_of);
    }
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_and_files_may_end_anywhere),
        cmocka_unit_test(resources_are_compiled_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
