/* From resources to counts: definitions read and refused, episodes, classes, days, places. */
#include "../test.h"

#include "base/clock.h"
#include "base/fault.h"
#include "surveillance/tally.h"

#define ICD11 "http://id.who.int/icd/release/11/mms"

static struct arena arena;
static struct case_definitions definitions;
static struct records records;
static struct cases cases;
static struct err err;
static int n_taken; /* makes ids */

static const char flu[] =
    "{\"version\":\"1\",\"definitions\":[{\"disease\":\"flu\",\"title\":\"Flu\",\"source\":\"us\","
    "\"episodeDays\":14,\"rules\":["
    "{\"says\":\"suspected\",\"of\":\"Condition\",\"codes\":[\"icd11|1E32\",\"icd10|J10\"]},"
    "{\"says\":\"confirmed\",\"of\":\"Observation\",\"codes\":[\"loinc|1-8\"],"
    "\"result\":\"positive\"},"
    "{\"says\":\"discarded\",\"of\":\"Observation\",\"codes\":[\"loinc|1-8\"],"
    "\"result\":\"negative\"},"
    "{\"says\":\"probable\",\"of\":\"Observation\",\"codes\":[\"loinc|2-6\"],"
    "\"text\":\"Influenza\"}]}]}";

static void begin(const char *text)
{
    arena_done(&arena);
    arena_init(&arena, MIB(16));
    memset(&err, 0, sizeof err);
    assert_int_equal(case_definitions_read(&arena, str_c(text), &definitions, &err), 0);
    records_init(&records, &arena, &definitions);
    cases_init(&cases);
}

static void take(const char *format, ...)
{
    char text[1000];
    yyjson_val *v;
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    assert_int_equal(js_parse(&arena, str_c(text), &v, &err), 0);
    assert_int_equal(records_take(&records, v, &err), 0);
}

static void condition(const char *person, const char *code, const char *onset, const char *rest)
{
    take("{\"resourceType\":\"Condition\",\"id\":\"c%d\",\"subject\":{\"reference\":"
         "\"Patient/%s\"},\"code\":{\"coding\":[{\"system\":\"" ICD11 "\",\"code\":\"%s\"}]},"
         "\"onsetDateTime\":\"%s\"%s}",
         n_taken++, person, code, onset, rest);
}

static void observation(const char *person, const char *code, const char *day, const char *rest)
{
    take(
        "{\"resourceType\":\"Observation\",\"id\":\"o%d\",\"status\":\"final\",\"subject\":{"
        "\"reference\":"
        "\"Patient/%s\"},\"code\":{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"%s\"}]},"
        "\"effectiveDateTime\":\"%sT08:00:00+02:00\",%s}",
        n_taken++, person, code, day, rest);
}

#define POSITIVE "\"interpretation\":[{\"coding\":[{\"code\":\"POS\"}]}]"
#define NEGATIVE "\"valueCodeableConcept\":{\"coding\":[{\"code\":\"LA6577-6\"}]}"

static void classes_and_episodes(void **state)
{
    (void)state;
    begin(flu);
    /* One case: the second visit and the result lie within 14 days of the first. */
    condition("a", "1E32", "2024-03-01", "");
    condition("a", "1E32.0&XN12", "2024-03-15", "");
    observation("a", "1-8", "2024-03-03", POSITIVE);
    /* The next is another. */
    condition("a", "1E32", "2024-03-16", "");
    /* Suspected, then discarded; a negative result alone is no case. */
    condition("b", "1E32", "2024-03-01", "");
    observation("b", "1-8", "2024-03-02", NEGATIVE);
    observation("c", "1-8", "2024-03-02", NEGATIVE);
    /* What a laboratory confirmed stays confirmed. */
    observation("d", "1-8", "2024-03-01", POSITIVE);
    observation("d", "1-8", "2024-03-04", NEGATIVE);
    observation("e", "2-6", "2024-03-01", "\"valueString\":\"Influenza A\"");
    observation("f", "2-6", "2024-03-01", "\"valueString\":\"No influenza\"");
    /* Another code that begins alike, another system, what is in error, what has no day. */
    condition("g", "1E320", "2024-03-01", "");
    condition("h", "J10", "2024-03-01", "");
    condition("i", "1E32", "2024-03-01",
              ",\"verificationStatus\":{\"coding\":[{\"code\":\"refuted\"}]}");
    condition("j", "1E32", "2024", "");
    assert_int_equal(cases_remake(&records, &cases, &err), 0);
    assert_int_equal(cases.n, 5);
    assert_int_equal(cases.undated, 1);
    assert_int_equal(cases.v[0].class, CASE_CONFIRMED);
    assert_int_equal(cases.v[0].onset, clock_days(2024, 3, 1));
    assert_int_equal(cases.v[0].seen, clock_days(2024, 3, 3));
    assert_int_equal(cases.v[1].class, CASE_SUSPECTED);
    assert_int_equal(cases.v[2].class, CASE_DISCARDED);
    assert_int_equal(cases.v[3].class, CASE_CONFIRMED);
    assert_int_equal(cases.v[4].class, CASE_PROBABLE);
}

/* The same resources in any order make the same cases. */
static void any_order(void **state)
{
    static const char *const days[] = {"2024-03-01", "2024-03-10", "2024-03-14", "2024-03-20"};

    (void)state;
    for (size_t first = 0; first < ARRAY_LEN(days); first++) {
        begin(flu);
        for (size_t i = 0; i < ARRAY_LEN(days); i++)
            condition("a", "1E32", days[(first + i) % ARRAY_LEN(days)], "");
        assert_int_equal(cases_remake(&records, &cases, &err), 0);
        assert_int_equal(cases.n, 2);
        assert_int_equal(cases.v[1].onset, clock_days(2024, 3, 20));
    }
}

static void visit(const char *id, const char *location, const char *day)
{
    take("{\"resourceType\":\"Encounter\",\"id\":\"%s\",\"status\":\"finished\",\"location\":["
         "{\"location\":{\"reference\":\"Location/"
         "%s\"}}],\"period\":{\"start\":\"%sT23:30:00-05:00\"}}",
         id, location, day);
}

static void sample(void)
{
    begin(flu);
    condition("a", "1E32", "2020-12-31", ",\"encounter\":{\"reference\":\"Encounter/v\"}");
    condition("b", "1E32", "2021-01-04", "");
    observation("a", "1-8", "2021-01-02", POSITIVE);
    visit("v", "clinic", "2021-01-03");
    take("{\"resourceType\":\"Location\",\"id\":\"clinic\",\"name\":\"Clinic\",\"partOf\":{"
         "\"reference\":\"Location/north\"}}");
    take(
        "{\"resourceType\":\"Location\",\"id\":\"north\",\"name\":\"The \\\"North\\\"\",\"type\":[{"
        "\"text\":\"District\"}]}");
    take("{\"resourceType\":\"Patient\",\"id\":\"a\",\"gender\":\"female\",\"birthDate\":"
         "\"2016-01-01\",\"deceasedDateTime\":\"2021-01-20\"}");
    take("{\"resourceType\":\"Patient\",\"id\":\"b\",\"gender\":\"unknown\"}");
    assert_int_equal(cases_remake(&records, &cases, &err), 0);
}

static void assert_tally(const struct tally_question *q, const char *want)
{
    struct sb out = sb_make(KIB(64));
    struct tally t;

    assert_int_equal(tally_make(&records, &cases, q, &arena, &t, &err), 0);
    tally_header(&t, &out);
    for (size_t i = 0; i < t.n_strata; i++)
        tally_rows(&t, i, &out);
    assert_str(sb_view(&out), str_c(want));
    sb_done(&out);
}

static void counts(void **state)
{
    struct tally_question q = {
        .period = TALLY_WEEKS, .n_diseases = 1, .from = DAY_UNKNOWN, .to = DAY_UNKNOWN};

    (void)state;
    sample();
    q.from = records_day(STR("2020-12-28"));
    q.to = records_day(STR("2021-01-10"));
    /* The week of 2020-12-31 is the 53rd of 2020. */
    assert_tally(&q, "week,count,disease\n2020-W53,1,flu\n2021-W01,1,flu\n");
    q.level = STR("district");
    q.by_sex = true;
    assert_tally(&q, "week,count,disease,place,placeName,sex\n"
                     "2020-W53,1,flu,\"north\",\"The \"\"North\"\"\",female\n"
                     "2021-W01,0,flu,\"north\",\"The \"\"North\"\"\",female\n"
                     "2020-W53,0,flu,\"north\",\"The \"\"North\"\"\",male\n"
                     "2021-W01,0,flu,\"north\",\"The \"\"North\"\"\",male\n"
                     "2020-W53,0,flu,,\"unknown\",unknown\n"
                     "2021-W01,1,flu,,\"unknown\",unknown\n");
    /* Within a place: its own cases, and no row for those whose place is not known. */
    q.level = STR_NULL;
    q.by_sex = false;
    q.location = STR("north");
    assert_tally(&q, "week,count,disease\n2020-W53,1,flu\n2021-W01,0,flu\n");
    q.level = STR("district");
    assert_tally(&q, "week,count,disease,place,placeName\n"
                     "2020-W53,1,flu,\"north\",\"The \"\"North\"\"\"\n"
                     "2021-W01,0,flu,\"north\",\"The \"\"North\"\"\"\n");
    q.location = STR_NULL;
    q.level = STR_NULL;
    q.by_age = true;
    q.ages[0] = 5;
    q.n_ages = 1;
    q.period = TALLY_MONTHS;
    q.class = CASE_CONFIRMED;
    q.deaths = true;
    /* On the day before the fifth birthday; by the visit, the day after it. */
    assert_tally(&q, "date,count,disease,age\n2020-12-01,1,flu,0-4\n2021-01-01,0,flu,0-4\n"
                     "2020-12-01,0,flu,5+\n2021-01-01,0,flu,5+\n");
    q.by = CASE_BY_CONSULTATION;
    assert_tally(&q, "date,count,disease,age\n2020-12-01,0,flu,0-4\n2021-01-01,0,flu,0-4\n"
                     "2020-12-01,0,flu,5+\n2021-01-01,1,flu,5+\n");
}

static void refuses_questions(void **state)
{
    struct tally_question q = {.n_diseases = 1, .from = DAY_UNKNOWN, .to = DAY_UNKNOWN};
    struct tally t;

    (void)state;
    sample();
    q.level = STR("Planet");
    assert_int_equal(tally_make(&records, &cases, &q, &arena, &t, &err), ERR_VALUE);
    assert_string_equal(err.text, "no Location has the type \"Planet\"");
    q.level = STR_NULL;
    q.location = STR("nowhere");
    assert_int_equal(tally_make(&records, &cases, &q, &arena, &t, &err), ERR_VALUE);
    assert_string_equal(err.text, "no Location is known as \"nowhere\"");
    q.location = STR_NULL;
    q.from = records_day(STR("2021-01-02"));
    q.to = records_day(STR("2021-01-01"));
    assert_int_equal(tally_make(&records, &cases, &q, &arena, &t, &err), ERR_VALUE);
    q.from = records_day(STR("0001-01-01"));
    q.to = records_day(STR("9999-12-31"));
    assert_int_equal(tally_make(&records, &cases, &q, &arena, &t, &err), ERR_TOO_LONG);
    begin(flu);
    q.from = q.to = DAY_UNKNOWN;
    assert_int_equal(cases_remake(&records, &cases, &err), 0);
    assert_int_equal(tally_make(&records, &cases, &q, &arena, &t, &err), ERR_VALUE);
}

/* Places that are part of one another. */
static void circles(void **state)
{
    (void)state;
    begin(flu);
    take("{\"resourceType\":\"Location\",\"id\":\"x\",\"partOf\":{\"reference\":\"Location/y\"}}");
    take("{\"resourceType\":\"Location\",\"id\":\"y\",\"partOf\":{\"reference\":\"Location/x\"}}");
    assert_int_equal(records_place_at(&records, 0, STR("District")), NOT_THERE);
}

static void refuses_definitions(void **state)
{
    static const struct {
        const char *text, *why;
    } all[] = {
        {"[]", "the case definition \"(the file)\" has something in it that is no object"},
        {"{\"version\":\"1\"}",
         "the case definition \"(the file)\" has no version, no definitions, or more than 500"},
        {"{\"version\":\"1\",\"definitions\":[{\"disease\":\"a\",\"name\":\"b\"}]}",
         "the case definition \"a\" has an unknown \"name\""},
        {"{\"version\":\"1\",\"definitions\":[{\"disease\":\"a\",\"title\":\"A\",\"source\":\"s\","
         "\"episodeDays\":-1}]}",
         "the case definition \"a\" has no episodeDays from 0 to 36500"},
        {"{\"version\":\"1\",\"definitions\":[{\"disease\":\"a\",\"title\":\"A\",\"source\":\"s\","
         "\"episodeDays\":1,\"rules\":[{\"says\":\"maybe\"}]}]}",
         "the case definition \"a\" has a rule that says none of suspected, probable, confirmed, "
         "discarded"},
        {"{\"version\":\"1\",\"definitions\":[{\"disease\":\"a\",\"title\":\"A\",\"source\":\"s\","
         "\"episodeDays\":1,\"rules\":[{\"says\":\"suspected\",\"of\":\"Condition\",\"codes\":["
         "\"icd9|1\"]}]}]}",
         "the case definition \"a\" has the code system \"icd9\", which is neither a URI nor "
         "icd10, "
         "icd11, loinc or snomed"},
        {"{\"version\":\"1\",\"definitions\":[{\"disease\":\"a\",\"title\":\"A\",\"source\":\"s\","
         "\"episodeDays\":1,\"rules\":[{\"says\":\"suspected\",\"of\":\"Condition\",\"codes\":["
         "\"icd11|1\"],\"result\":\"positive\"}]}]}",
         "the case definition \"a\" has a result of Conditions"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        arena_done(&arena);
        arena_init(&arena, MIB(16));
        assert_int_equal(case_definitions_read(&arena, str_c(all[i].text), &definitions, &err),
                         ERR_VALUE);
        assert_string_equal(err.text, all[i].why);
    }
}

static void the_built_in_ones(void **state)
{
    (void)state;
    arena_done(&arena);
    arena_init(&arena, MIB(16));
    assert_int_equal(case_definitions_read(&arena, case_definitions_starter(), &definitions, &err),
                     0);
    assert_non_null(case_definition_find(&definitions, STR("measles")));
    assert_null(case_definition_find(&definitions, STR("Measles")));
}

static int all_of_it(void)
{
    static const char *const texts[] = {
        "{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"Patient/a\"},\"encounter\":{"
        "\"reference\":\"Encounter/v\"},\"code\":{\"coding\":[{\"system\":\"" ICD11
        "\",\"code\":\"1E32\"}]},\"onsetDateTime\":\"2021-01-01\"}",
        "{\"resourceType\":\"Location\",\"id\":\"n\",\"name\":\"N\",\"type\":[{\"text\":\"D\"}],"
        "\"partOf\":{\"reference\":\"Location/m\"}}",
        "{\"resourceType\":\"Encounter\",\"id\":\"v\",\"location\":[{\"location\":{\"reference\":"
        "\"Location/n\"}}]}",
        "{\"resourceType\":\"Patient\",\"id\":\"a\"}"};
    struct tally_question q = {
        .n_diseases = 1, .level = STR("D"), .from = DAY_UNKNOWN, .to = DAY_UNKNOWN};
    struct tally t;
    yyjson_val *v;
    int r = case_definitions_read(&arena, str_c(flu), &definitions, &err);

    records_init(&records, &arena, &definitions);
    cases_init(&cases);
    for (size_t i = 0; i < ARRAY_LEN(texts) && r == 0; i++)
        if ((r = js_parse(&arena, str_c(texts[i]), &v, &err)) == 0)
            r = records_take(&records, v, &err);
    q.from = q.to = records_day(STR("2021-01-01"));
    if (r == 0)
        r = cases_remake(&records, &cases, &err);
    return r == 0 ? tally_make(&records, &cases, &q, &arena, &t, &err) : r;
}

/* Every allocation fails once. */
static void memory(void **state)
{
    (void)state;
    for (size_t limit = KIB(16); limit < KIB(400); limit += KIB(4)) {
        arena_done(&arena);
        arena_init(&arena, limit);
        int r = all_of_it();
        assert_true(r == ERR_NO_MEMORY || r == 0);
    }
    FAULT_LOOP(false) {
        arena_done(&arena);
        arena_init(&arena, MIB(16));
        int r = all_of_it();
        assert_true(fault_fired() ? r == ERR_NO_MEMORY : r == 0);
    }
}

static int end(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_and_episodes),
        cmocka_unit_test(any_order),
        cmocka_unit_test(counts),
        cmocka_unit_test(refuses_questions),
        cmocka_unit_test(circles),
        cmocka_unit_test(refuses_definitions),
        cmocka_unit_test(the_built_in_ones),
        cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
