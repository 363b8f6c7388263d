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

/* ---- rules that ask for more than the record says ---- */

#define WITH(facts, rule)                                                                          \
    "{\"version\":\"1\"," facts "\"definitions\":[{\"disease\":\"flu\",\"title\":\"Flu\","         \
    "\"source\":\"us\",\"episodeDays\":0,\"rules\":[" rule "]}]}"
#define CONDITION "\"says\":\"suspected\",\"of\":\"Condition\",\"codes\":[\"icd11|1E32\"]"

static size_t count(void)
{
    size_t n = 0;

    assert_int_equal(cases_remake(&records, &cases, &err), 0);
    for (size_t i = 0; i < cases.n; i++)
        n += cases.v[i].person != NOT_THERE;
    return n;
}

static void quantity(const char *value)
{
    observation("a", "1-8", "2024-03-01", value);
}

static void quantities(void **state)
{
    static const struct {
        const char *rest;
        bool holds; /* of at least 10 and less than 20 g/dL */
    } all[] = {
        {"\"value\":10,\"code\":\"g/dL\"", true},
        {"\"value\":100.0,\"code\":\"g/L\"", true},
        {"\"value\":19999,\"code\":\"mg/dL\"", true},
        {"\"value\":20,\"code\":\"g/dL\"", false},
        {"\"value\":9.999,\"code\":\"g/dL\"", false},
        {"\"value\":10,\"code\":\"g/L\"", false},
        {"\"value\":15,\"code\":\"mmol/L\"", false}, /* measures something else */
        {"\"value\":15,\"code\":\"nonsense\"", false},
        {"\"value\":15", false},
        {"\"value\":15,\"comparator\":\"<\",\"code\":\"g/dL\"", false}, /* may be 9 */
        {"\"value\":15,\"comparator\":\">=\",\"code\":\"g/dL\"", false},
    };
    static const struct {
        const char *bound, *rest;
        bool holds;
    } ranges[] = {
        {"lt5", "\"value\":5,\"comparator\":\"<\"", true},
        {"lt5", "\"value\":5,\"comparator\":\"<=\"", false},
        {"le5", "\"value\":5,\"comparator\":\"<=\"", true},
        {"lt6", "\"value\":5,\"comparator\":\"<=\"", true},
        {"gt5", "\"value\":5,\"comparator\":\">\"", true},
        {"gt5", "\"value\":5,\"comparator\":\">=\"", false},
        {"ge5", "\"value\":5,\"comparator\":\"<\"", false},
        {"gt5", "\"value\":5", false},
        {"ge5", "\"value\":5", true},
    };
    char text[400], value[200];

    (void)state;
    begin(WITH("", "{\"says\":\"confirmed\",\"of\":\"Observation\",\"codes\":[\"loinc|1-8\"],"
                   "\"quantity\":[\"ge10 g/dL\",\"lt20 g/dL\"]}"));
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        snprintf(value, sizeof value,
                 "\"valueQuantity\":{\"system\":\"http://unitsofmeasure.org\",%s}", all[i].rest);
        quantity(value);
        assert_int_equal(count(), all[i].holds);
        snprintf(text, sizeof text, "o%d", n_taken - 1);
        assert_int_equal(records_forget(&records, STR("Observation"), str_c(text), &err), 0);
        assert_int_equal(count(), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        snprintf(text, sizeof text,
                 WITH("",
                      "{\"says\":\"confirmed\",\"of\":\"Observation\",\"codes\":[\"loinc|1-8\"],"
                      "\"quantity\":[\"%s\"]}"),
                 ranges[i].bound);
        begin(text);
        snprintf(value, sizeof value,
                 "\"valueQuantity\":{\"system\":\"http://unitsofmeasure.org\",\"code\":\"1\",%s}",
                 ranges[i].rest);
        quantity(value);
        assert_int_equal(count(), ranges[i].holds);
    }
    begin(WITH("", "{\"says\":\"confirmed\",\"of\":\"Observation\",\"codes\":[\"loinc|1-8\"],"
                   "\"values\":[\"loinc|LA6577-6\"]}"));
    quantity(NEGATIVE); /* a code without its system */
    assert_int_equal(count(), 0);
    quantity("\"valueCodeableConcept\":{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":"
             "\"LA6577-6\"}]}");
    assert_int_equal(count(), 1);
}

static void born(const char *day)
{
    take("{\"resourceType\":\"Patient\",\"id\":\"a\",\"birthDate\":\"%s\"}", day);
}

/* Age is that of the day of onset, by the calendar; who has no birthday has none. */
static void ages(void **state)
{
    (void)state;
    begin(WITH("", "{" CONDITION ",\"age\":{\"from\":2,\"below\":15,\"unit\":\"a\"}}"));
    condition("a", "1E32", "2024-02-29", "");
    assert_int_equal(count(), 0);
    born("2022-03-01");
    assert_int_equal(count(), 0);
    born("2022-02-28");
    assert_int_equal(count(), 1);
    born("2009-03-01");
    assert_int_equal(count(), 1);
    born("2009-02-28");
    assert_int_equal(count(), 0);
    born("2024-03-01"); /* after the onset */
    assert_int_equal(count(), 0);
    begin(WITH("", "{" CONDITION ",\"age\":{\"below\":2,\"unit\":\"mo\"}}"));
    condition("a", "1E32", "2024-02-29", "");
    born("2023-12-30");
    assert_int_equal(count(), 1);
    born("2023-12-29");
    assert_int_equal(count(), 0);
    begin(WITH("", "{" CONDITION ",\"age\":{\"from\":3,\"below\":29,\"unit\":\"d\"}}"));
    condition("a", "1E32", "2024-02-29", "");
    born("2024-02-26");
    assert_int_equal(count(), 1);
    born("2024-01-31");
    assert_int_equal(count(), 0);
    assert_int_equal(records_forget(&records, STR("Patient"), STR("a"), &err), 0);
    assert_int_equal(count(), 0);
}

static void vaccinated(const char *day, const char *status)
{
    take("{\"resourceType\":\"Immunization\",\"id\":\"v\",\"status\":\"%s\",\"patient\":{"
         "\"reference\":\"Patient/a\"},\"vaccineCode\":{\"coding\":[{\"system\":"
         "\"http://hl7.org/fhir/sid/cvx\",\"code\":\"05\"}]},\"occurrenceDateTime\":\"%s\"}",
         status, day);
}

#define VACCINE                                                                                    \
    "\"facts\":[{\"fact\":\"vaccine\",\"rules\":[{\"says\":\"yes\",\"of\":\"Immunization\","       \
    "\"codes\":[\"cvx|05\"]}]}],"
#define PREGNANT                                                                                   \
    "\"facts\":[{\"fact\":\"pregnant\",\"rules\":["                                                \
    "{\"says\":\"yes\",\"of\":\"Observation\",\"codes\":[\"loinc|82810-3\"],\"values\":["          \
    "\"loinc|LA15173-0\"]},"                                                                       \
    "{\"says\":\"no\",\"of\":\"Observation\",\"codes\":[\"loinc|82810-3\"],\"values\":["           \
    "\"loinc|LA26683-5\"]}]}],"

static void is_pregnant(const char *day, bool yes)
{
    char value[200];

    snprintf(value, sizeof value,
             "\"valueCodeableConcept\":{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":"
             "\"%s\"}]}",
             yes ? "LA15173-0" : "LA26683-5");
    observation("a", "82810-3", day, value);
}

static void facts(void **state)
{
    (void)state;
    /* Not vaccinated within 30 days before. */
    begin(WITH(VACCINE, "{" CONDITION ",\"hasNot\":[{\"fact\":\"vaccine\",\"mostDays\":30}]}"));
    condition("a", "1E32", "2024-03-31", "");
    assert_int_equal(count(), 1);
    vaccinated("2024-03-01", "completed");
    assert_int_equal(count(), 0);
    vaccinated("2024-02-29", "completed");
    assert_int_equal(count(), 1);
    vaccinated("2024-03-31", "completed");
    assert_int_equal(count(), 0);
    vaccinated("2024-04-01", "completed");
    assert_int_equal(count(), 1);
    vaccinated("2024-03-20", "not-done");
    assert_int_equal(count(), 1);
    /* Vaccinated at least 14 days before, with whichever record of the person. */
    begin(WITH(VACCINE, "{" CONDITION ",\"has\":[{\"fact\":\"vaccine\",\"leastDays\":14}]}"));
    condition("b", "1E32", "2024-03-31", "");
    vaccinated("2001-03-17", "completed");
    assert_int_equal(count(), 0);
    take("{\"resourceType\":\"Patient\",\"id\":\"a\",\"link\":[{\"type\":\"replaced-by\",\"other\":"
         "{\"reference\":\"Patient/b\"}}]}");
    assert_int_equal(count(), 1);
    assert_int_equal(records_forget(&records, STR("Immunization"), STR("v"), &err), 0);
    assert_int_equal(count(), 0);
    /* What is written down at the visit holds for the onset before it; the latest decides. */
    begin(WITH(PREGNANT, "{" CONDITION
                         ",\"has\":[{\"fact\":\"pregnant\",\"leastDays\":-14,\"mostDays\":280}]}"));
    condition("a", "1E32", "2024-03-01", "");
    is_pregnant("2023-12-01", true);
    assert_int_equal(count(), 1);
    is_pregnant("2024-02-01", false);
    assert_int_equal(count(), 0);
    is_pregnant("2024-03-15", true);
    assert_int_equal(count(), 1);
    is_pregnant("2024-03-16", false); /* too late to matter */
    assert_int_equal(count(), 1);
    assert_int_equal(cases.undated, 0);
}

static void outbreak(const char *status, const char *place, const char *period)
{
    take("{\"resourceType\":\"Task\",\"id\":\"o\",\"status\":\"%s\",\"code\":{\"coding\":[{"
         "\"system\":\"urn:carnet:surveillance\",\"code\":\"outbreak\"}]},\"reasonCode\":{"
         "\"coding\":[{\"system\":\"urn:carnet:disease\",\"code\":\"flu\"}]},\"executionPeriod\":{"
         "%s}%s}",
         status, period, place);
}

#define AT_D ",\"location\":{\"reference\":\"Location/d\"}"

static void outbreaks(void **state)
{
    (void)state;
    begin(WITH("", "{" CONDITION ",\"outbreak\":true}"));
    take("{\"resourceType\":\"Location\",\"id\":\"f\",\"partOf\":{\"reference\":\"Location/d\"}}");
    take("{\"resourceType\":\"Encounter\",\"id\":\"e\",\"location\":[{\"location\":{\"reference\":"
         "\"Location/f\"}}]}");
    condition("a", "1E32", "2024-03-10", ",\"encounter\":{\"reference\":\"Encounter/e\"}");
    assert_int_equal(count(), 0);
    outbreak("in-progress", AT_D, "\"start\":\"2024-03-10\"");
    assert_int_equal(count(), 1);
    outbreak("in-progress", AT_D, "\"start\":\"2024-03-11\"");
    assert_int_equal(count(), 0);
    outbreak("completed", AT_D, "\"start\":\"2024-03-01\",\"end\":\"2024-03-10\"");
    assert_int_equal(count(), 1);
    outbreak("completed", AT_D, "\"start\":\"2024-03-01\",\"end\":\"2024-03-09\"");
    assert_int_equal(count(), 0);
    outbreak("entered-in-error", AT_D, "\"start\":\"2024-03-01\"");
    assert_int_equal(count(), 0);
    outbreak("in-progress", AT_D, "\"end\":\"2024-03-20\"");
    assert_int_equal(count(), 0);
    outbreak("in-progress", "", "\"start\":\"2024-03-01\"");
    assert_int_equal(count(), 1);
    outbreak("in-progress", ",\"location\":{\"display\":\"here\"}", "\"start\":\"2024-03-01\"");
    assert_int_equal(count(), 0);
    outbreak("in-progress", AT_D, "\"start\":\"2024-03-01\"");
    assert_int_equal(count(), 1);
    /* The facility goes to another district. */
    take("{\"resourceType\":\"Location\",\"id\":\"f\",\"partOf\":{\"reference\":\"Location/g\"}}");
    assert_int_equal(count(), 0);
    take("{\"resourceType\":\"Location\",\"id\":\"g\",\"partOf\":{\"reference\":\"Location/d\"}}");
    assert_int_equal(count(), 1);
    assert_int_equal(records_forget(&records, STR("Task"), STR("o"), &err), 0);
    assert_int_equal(count(), 0);
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

/* Where they live and where they caught it, by the extensions that the definitions name. */
static void places_of_a_case(void **state)
{
    struct tally_question q;
    struct tally t;

    (void)state;
    begin("{\"version\":\"1\",\"places\":{\"residence\":\"urn:lives\",\"exposure\":\"urn:caught\"},"
          "\"definitions\":[{\"disease\":\"flu\",\"title\":\"Flu\",\"source\":\"us\","
          "\"episodeDays\":14,\"rules\":[{" CONDITION "}]}]}");
    for (const char *id = "xyz"; *id; id++)
        take("{\"resourceType\":\"Location\",\"id\":\"%c\",\"type\":[{\"text\":\"District\"}]}",
             *id);
    take("{\"resourceType\":\"Encounter\",\"id\":\"e\",\"location\":[{\"location\":{\"reference\":"
         "\"Location/x\"}}]}");
    take("{\"resourceType\":\"Patient\",\"id\":\"a\",\"address\":[{},{\"extension\":[{\"url\":"
         "\"urn:other\",\"valueReference\":{\"reference\":\"Location/x\"}},{\"url\":\"urn:lives\","
         "\"valueReference\":{\"reference\":\"Location/y\"}}]}]}");
    condition("a", "1E32", "2024-03-01",
              ",\"encounter\":{\"reference\":\"Encounter/e\"},\"extension\":[{\"url\":"
              "\"urn:caught\",\"valueReference\":{\"reference\":\"Location/z\"}}]");
    assert_int_equal(count(), 1);
    for (size_t i = 0; i < 3; i++) {
        static const char *const at[] = {"facility", "residence", "exposure"};

        for (size_t k = 0; k < 3; k++) {
            char id[] = {"xyz"[k], '\0'};

            tally_question_init(&q);
            q.from = q.to = records_day(STR("2024-03-01"));
            assert_int_equal(tally_ask(&definitions, &q, STR("at"), str_c(at[i]), &err), 0);
            assert_int_equal(tally_ask(&definitions, &q, STR("location"), str_c(id), &err), 0);
            tally_ask_all(&definitions, &q);
            assert_int_equal(tally_make(&records, &cases, &q, &arena, &t, &err), 0);
            assert_int_equal(t.n_cases, i == k);
        }
    }
}

/* Weeks of any first day; the MMWR's of 2024: week 1 began on Sunday, 31 December 2023. */
static void weeks_of_any_day(void **state)
{
    static const struct {
        const char *start, *first;
        uint32_t n[3]; /* cases of 2 to 4 March, Saturday to Monday, by week from that of the 2nd */
    } all[] = {
        {"monday", "2024-W09", {2, 1}},      {"sunday", "2024-02-25", {1, 2}},
        {"saturday", "2024-03-02", {3, 0}},  {"tuesday", "2024-02-27", {3, 0}},
        {"wednesday", "2024-02-28", {3, 0}},
    };

    (void)state;
    begin(WITH("", "{" CONDITION "}"));
    condition("a", "1E32", "2024-03-02", "");
    condition("b", "1E32", "2024-03-03", "");
    condition("c", "1E32", "2024-03-04", "");
    assert_int_equal(count(), 3);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        _cleanup_(sb_done) struct sb text = sb_make(KIB(1));
        struct tally_question q;
        struct tally t;

        tally_question_init(&q);
        q.from = records_day(STR("2024-03-02"));
        q.to = records_day(STR("2024-03-11"));
        assert_int_equal(tally_ask(&definitions, &q, STR("week-start"), str_c(all[i].start), &err),
                         0);
        tally_ask_all(&definitions, &q);
        assert_int_equal(tally_make(&records, &cases, &q, &arena, &t, &err), 0);
        tally_period(&t, 0, &text);
        assert_true(str_eq(sb_view(&text), str_c(all[i].first)));
        assert_int_equal(t.counts[0], all[i].n[0]);
        assert_int_equal(t.counts[1], all[i].n[1]);
    }
}

/* More than there is room for at first, by UUIDs, which are kept in another form. */
static void many_names(void **state)
{
    char id[48];

    (void)state;
    begin(flu);
    for (int round = 0; round < 2; round++)
        for (unsigned i = 0; i < 2000; i++) {
            snprintf(id, sizeof id, "%08x-0000-4000-8000-000000000000", i * 2654435761u);
            condition(id, "1E32", "2024-03-01", "");
        }
    assert_int_equal(count(), 2000);
    assert_int_equal(records.person_ids.n, 2000);
    snprintf(id, sizeof id, "%08x-0000-4000-8000-000000000000", 7 * 2654435761u);
    assert_true(records_knows(&records, STR("Patient"), str_c(id)));
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

#define RULE(of, rest)                                                                             \
    "{\"version\":\"1\",\"definitions\":[{\"disease\":\"a\",\"title\":\"A\",\"source\":\"s\","     \
    "\"episodeDays\":1,\"rules\":[{\"says\":\"suspected\",\"of\":\"" of "\","                    \
    "\"codes\":[\"icd11|1\"]," rest "}]}]}"

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
         "icd11, loinc, snomed or cvx"},
        {"{\"version\":\"1\",\"definitions\":[{\"disease\":\"a\",\"title\":\"A\",\"source\":\"s\","
         "\"episodeDays\":1,\"rules\":[{\"says\":\"suspected\",\"of\":\"Condition\",\"codes\":["
         "\"icd11|1\"],\"result\":\"positive\"}]}]}",
         "the case definition \"a\" has a result that is not of Observations"},
        {RULE("Observation", "\"result\":\"positive\",\"text\":\"x\""),
         "the case definition \"a\" has a rule with more than one of result, text, values and "
         "quantity"},
        {RULE("Observation", "\"quantity\":[\"10 g/dL\"]"),
         "the case definition \"a\" has a quantity that does not begin with lt, le, gt or ge"},
        {RULE("Observation", "\"quantity\":[\"ge10 parsec\"]"),
         "the case definition \"a\" has a quantity that is no number with a unit of UCUM behind "
         "it"},
        {RULE("Observation", "\"quantity\":[\"ge1\",\"lt2\",\"lt3\"]"),
         "the case definition \"a\" has a quantity that is no list of one or two bounds"},
        {RULE("Condition", "\"age\":{\"from\":5,\"below\":5,\"unit\":\"a\"}"),
         "the case definition \"a\" has an age that is not from, below or both, in a, mo or d"},
        {RULE("Condition", "\"has\":[{\"fact\":\"pregnant\"}]"),
         "the case definition \"a\" asks for a fact that is not among the facts"},
        {RULE("Condition", "\"outbreak\":\"yes\""),
         "the case definition \"a\" has an outbreak that is neither true nor false"},
        {RULE("Immunization", "\"age\":{\"from\":5,\"unit\":\"a\"}"),
         "the case definition \"a\" has a rule of Immunization, which only facts may have"},
        {"{\"version\":\"1\",\"facts\":[{\"fact\":\"f\",\"rules\":[{\"says\":\"yes\",\"of\":"
         "\"Condition\",\"codes\":[\"icd11|1\"],\"outbreak\":true}]}]}",
         "the case definition \"f\" has an unknown \"outbreak\""},
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
        cmocka_unit_test(quantities),
        cmocka_unit_test(ages),
        cmocka_unit_test(facts),
        cmocka_unit_test(outbreaks),
        cmocka_unit_test(any_order),
        cmocka_unit_test(counts),
        cmocka_unit_test(refuses_questions),
        cmocka_unit_test(places_of_a_case),
        cmocka_unit_test(weeks_of_any_day),
        cmocka_unit_test(many_names),
        cmocka_unit_test(circles),
        cmocka_unit_test(refuses_definitions),
        cmocka_unit_test(the_built_in_ones),
        cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
