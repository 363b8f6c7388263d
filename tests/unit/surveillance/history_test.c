/* Cases that are kept through a history of writes are those of a recount of what is there: whatever
 * was updated, deleted, merged, or came before what it refers to. */
#include "../test.h"

#include "base/rng.h"
#include "surveillance/cases.h"

#include <stdlib.h>

#define ICD11 "http://id.who.int/icd/release/11/mms"
#define PEOPLE 8
#define VISITS 10
#define PLACES 5
#define FINDINGS 24
#define VACCINES 4
#define OUTBREAKS 3
#define THINGS (PEOPLE + VISITS + PLACES + FINDINGS + VACCINES + OUTBREAKS)
#define STEPS 400
#define HISTORIES 60

/* With conditions of every kind: age, a fact, one that is not, an outbreak, none. */
static const char definitions_text[] =
    "{\"version\":\"1\",\"places\":{\"residence\":\"urn:lives\",\"exposure\":\"urn:caught\"},"
    "\"facts\":["
    "{\"fact\":\"pregnant\",\"rules\":["
    "{\"says\":\"yes\",\"of\":\"Observation\",\"codes\":[\"loinc|3-4\"],\"result\":\"positive\"},"
    "{\"says\":\"no\",\"of\":\"Observation\",\"codes\":[\"loinc|3-4\"],\"result\":\"negative\"}]},"
    "{\"fact\":\"vaccinated\",\"rules\":["
    "{\"says\":\"yes\",\"of\":\"Immunization\",\"codes\":[\"cvx|5\"]}]}],"
    "\"definitions\":["
    "{\"disease\":\"flu\",\"title\":\"Flu\",\"source\":\"us\",\"episodeDays\":14,\"rules\":["
    "{\"says\":\"suspected\",\"of\":\"Condition\",\"codes\":[\"icd11|1E32\"]},"
    "{\"says\":\"suspected\",\"of\":\"Condition\",\"codes\":[\"icd11|MG26\"],\"outbreak\":true},"
    "{\"says\":\"probable\",\"of\":\"Condition\",\"codes\":[\"icd11|1E32\"],"
    "\"age\":{\"from\":2,\"below\":6,\"unit\":\"mo\"},"
    "\"hasNot\":[{\"fact\":\"vaccinated\",\"leastDays\":-3,\"mostDays\":10}]},"
    "{\"says\":\"confirmed\",\"of\":\"Observation\",\"codes\":[\"loinc|1-8\"],"
    "\"quantity\":[\"ge5 mg/L\"]},"
    "{\"says\":\"confirmed\",\"of\":\"Observation\",\"codes\":[\"loinc|1-8\"],"
    "\"result\":\"positive\"},{\"says\":\"discarded\",\"of\":\"Observation\",\"codes\":[\"loinc|"
    "1-8\"],\"result\":\"negative\"}]},"
    "{\"disease\":\"fever\",\"title\":\"Fever\",\"source\":\"us\",\"episodeDays\":0,\"rules\":["
    "{\"says\":\"confirmed\",\"of\":\"Condition\",\"codes\":[\"icd11|MG26\"],"
    "\"has\":[{\"fact\":\"pregnant\",\"leastDays\":-20,\"mostDays\":20}],\"outbreak\":false},"
    "{\"says\":\"probable\",\"of\":\"Condition\",\"codes\":[\"icd11|1E32\",\"icd11|MG26\"]}]}]}";

static struct rng rng;
static char *things[THINGS]; /* as they are now; NULL: not there */

static unsigned below(unsigned n)
{
    return (unsigned)rng_below(&rng, n);
}

static const char *some_day(void)
{
    static char text[24];

    snprintf(text, sizeof text, "2024-%02u-%02u", 3 + below(2), 1 + below(28));
    return text;
}

static const char *maybe(const char *format, const char *text)
{
    static char out[2][200];
    static int at;

    at = !at;
    if (below(3) == 0)
        return "";
    snprintf(out[at], sizeof out[at], format, text);
    return out[at];
}

#define QUANTITY                                                                                   \
    "\"valueQuantity\":{\"value\":0.6,\"system\":\"http://unitsofmeasure.org\",\"code\":\"mg/dL\"}"

static const char *const results[] = {"\"interpretation\":[{\"coding\":[{\"code\":\"POS\"}]}]",
                                      "\"interpretation\":[{\"coding\":[{\"code\":\"NEG\"}]}]",
                                      QUANTITY};

static const char *extension(const char *url)
{
    static char out[200];

    snprintf(
        out, sizeof out,
        ",\"extension\":[{\"url\":\"%s\",\"valueReference\":{\"reference\":\"Location/l%u\"}}]",
        url, below(PLACES));
    return below(2) ? out : "";
}

static void make(unsigned i, char *to, size_t max)
{
    char link[100] = "";

    if (i < PEOPLE) {
        if (below(2))
            snprintf(
                link, sizeof link,
                ",\"link\":[{\"type\":\"replaced-by\",\"other\":{\"reference\":\"Patient/p%u\"}"
                "}]",
                below(PEOPLE));
        snprintf(to, max,
                 "{\"resourceType\":\"Patient\",\"id\":\"p%u\",\"birthDate\":\"2023-%02u-%02u\""
                 "%s%s%s}",
                 i, 9 + below(4), 1 + below(30), link, extension("urn:lives"),
                 maybe(",\"deceasedDateTime\":\"%s\"", some_day()));
        return;
    }
    i -= PEOPLE;
    if (i < VISITS) {
        snprintf(link, sizeof link,
                 ",\"location\":[{\"location\":{\"reference\":\"Location/l%u\"}}]", below(PLACES));
        snprintf(to, max, "{\"resourceType\":\"Encounter\",\"id\":\"v%u\",\"status\":\"%s\"%s%s}",
                 i, below(8) ? "finished" : "entered-in-error", below(4) ? link : "",
                 maybe(",\"period\":{\"start\":\"%s\"}", some_day()));
        return;
    }
    i -= VISITS;
    if (i < PLACES) {
        snprintf(to, max,
                 "{\"resourceType\":\"Location\",\"id\":\"l%u\",\"name\":\"%u\",\"partOf\":{"
                 "\"reference\":\"Location/l%u\"}}",
                 i, below(100), below(PLACES));
        return;
    }
    i -= PLACES;
    if (i >= FINDINGS + VACCINES) {
        if (below(3))
            snprintf(link, sizeof link, ",\"location\":{\"reference\":\"Location/l%u\"}",
                     below(PLACES));
        snprintf(
            to, max,
            "{\"resourceType\":\"Task\",\"id\":\"o%u\",\"status\":\"%s\",\"code\":{\"coding\":"
            "[{\"system\":\"urn:carnet:surveillance\",\"code\":\"outbreak\"}]},\"reasonCode\":{"
            "\"coding\":[{\"system\":\"urn:carnet:disease\",\"code\":\"%s\"}]}%s,"
            "\"executionPeriod\":{\"start\":\"%s\"%s}}",
            i, below(4) ? "in-progress" : "entered-in-error", below(2) ? "flu" : "fever", link,
            some_day(), maybe(",\"end\":\"%s\"", some_day()));
        return;
    }
    if (i >= FINDINGS) {
        snprintf(to, max,
                 "{\"resourceType\":\"Immunization\",\"id\":\"i%u\",\"status\":\"%s\",\"patient\":{"
                 "\"reference\":\"Patient/p%u\"},\"vaccineCode\":{\"coding\":[{\"system\":"
                 "\"http://hl7.org/fhir/sid/cvx\",\"code\":\"5\"}]}%s}",
                 i, below(4) ? "completed" : "not-done", below(PEOPLE),
                 maybe(",\"occurrenceDateTime\":\"%s\"", some_day()));
        return;
    }
    if (below(4))
        snprintf(link, sizeof link, ",\"encounter\":{\"reference\":\"Encounter/v%u\"}",
                 below(VISITS));
    if (i % 2)
        snprintf(to, max,
                 "{\"resourceType\":\"Condition\",\"id\":\"%u\",\"subject\":{\"reference\":"
                 "\"Patient/p%u\"},\"code\":{\"coding\":[{\"system\":\"" ICD11
                 "\",\"code\":\"%s\"}]"
                 "}%s%s%s%s}",
                 i, below(PEOPLE),
                 below(3)   ? "1E32"
                 : below(2) ? "MG26.1"
                            : "QA00",
                 link, maybe(",\"onsetDateTime\":\"%s\"", some_day()),
                 maybe(",\"recordedDate\":\"%s\"", some_day()), extension("urn:caught"));
    else
        snprintf(to, max,
                 "{\"resourceType\":\"Observation\",\"id\":\"%u\",\"status\":\"%s\",\"subject\":{"
                 "\"reference\":\"Patient/p%u\"},\"code\":{\"coding\":[{\"system\":\"http://"
                 "loinc.org\",\"code\":\"%s\"}]},%s%s%s}",
                 i, below(5) ? "final" : "preliminary", below(PEOPLE), below(2) ? "1-8" : "3-4",
                 results[below(3)], link, maybe(",\"effectiveDateTime\":\"%s\"", some_day()));
}

static void take(struct records *r, const char *text)
{
    struct arena a;
    struct err err;
    yyjson_val *v;

    arena_init(&a, MIB(1));
    assert_int_equal(js_parse(&a, str_c(text), &v, &err), 0);
    assert_int_equal(records_take(r, v, &err), 0);
    arena_done(&a);
}

static void forget(struct records *r, const char *text)
{
    struct arena a;
    struct err err;
    yyjson_val *v;

    arena_init(&a, MIB(1));
    assert_int_equal(js_parse(&a, str_c(text), &v, &err), 0);
    assert_int_equal(records_forget(r, js_get_str(v, "resourceType"), js_get_str(v, "id"), &err),
                     0);
    arena_done(&a);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct str place_id(const struct records *r, uint32_t place)
{
    return place == NOT_THERE ? STR("-") : r->places[place].id;
}

/* The cases as text, in an order that says nothing of how they were made. */
static char *dump(const struct records *r, const struct cases *all)
{
    char **lines = calloc(all->n + 1, sizeof *lines), *out;
    struct sb text = sb_make(MIB(1));
    size_t n = 0, unused;

    assert_non_null(lines);
    for (size_t i = 0; i < all->n; i++) {
        const struct found_case *c = &all->v[i];
        char id[NAMES_TEXT_MAX];
        if (c->person == NOT_THERE)
            continue;
        assert_true(asprintf(&lines[n++], "%.*s %d %d %.*s %.*s %.*s %d %d %d %d %d\n",
                             STR_ARG(names_text(&r->person_ids, c->person, id)), c->disease,
                             c->class, STR_ARG(place_id(r, c->place)),
                             STR_ARG(place_id(r, c->residence)), STR_ARG(place_id(r, c->exposure)),
                             c->onset, c->seen, c->reported, c->is_fatal, c->first_day) > 0);
    }
    qsort(lines, n, sizeof *lines, compare);
    for (size_t i = 0; i < n; i++) {
        sb_str(&text, str_c(lines[i]));
        free(lines[i]);
    }
    free(lines);
    sb_fmt(&text, "undated %zu", all->undated);
    sb_char(&text, '\0');
    assert_false(text.failed);
    out = sb_steal(&text, &unused);
    return out;
}

/* Of all that is there, taken in an order of its own. */
static char *recount(const struct case_definitions *definitions)
{
    struct records r;
    struct cases all;
    struct arena a;
    struct err err;
    unsigned first = below(THINGS);
    char *out;

    arena_init(&a, MIB(16));
    records_init(&r, &a, definitions);
    cases_init(&all);
    for (unsigned i = 0; i < THINGS; i++)
        if (things[(first + i) % THINGS])
            take(&r, things[(first + i) % THINGS]);
    assert_int_equal(cases_remake(&r, &all, &err), 0);
    out = dump(&r, &all);
    arena_done(&a);
    return out;
}

static int tells;

static int count(void *ctx, const struct found_case *c, int sign, struct err *err)
{
    (void)c, (void)err;
    *(int *)ctx += sign;
    tells++;
    return 0;
}

static size_t live(const struct cases *all)
{
    size_t n = 0;

    for (size_t i = 0; i < all->n; i++)
        n += all->v[i].person != NOT_THERE;
    return n;
}

static void step(struct records *r)
{
    unsigned i = below(THINGS);
    char text[1000];

    if (things[i] && below(4) == 0) {
        forget(r, things[i]);
        free(things[i]);
        things[i] = NULL;
        return;
    }
    make(i, text, sizeof text);
    free(things[i]);
    things[i] = strdup(text);
    take(r, text);
}

static void history(const struct case_definitions *definitions)
{
    struct records r;
    struct cases all;
    struct arena a;
    struct err err;
    int told = 0;

    arena_init(&a, MIB(16));
    records_init(&r, &a, definitions);
    cases_init(&all);
    all.changed = count;
    all.ctx = &told;
    for (int i = 0; i < STEPS; i++) {
        step(&r);
        if (below(5))
            continue;
        char *want, *got;
        assert_int_equal(cases_remake(&r, &all, &err), 0);
        got = dump(&r, &all);
        want = recount(definitions);
        assert_string_equal(got, want);
        assert_int_equal(told, live(&all));
        free(want);
        free(got);
    }
    for (int i = 0; i < THINGS; i++) {
        free(things[i]);
        things[i] = NULL;
    }
    arena_done(&a);
}

static void kept_is_recounted(void **state)
{
    struct case_definitions definitions;
    struct arena a;
    struct err err;

    (void)state;
    arena_init(&a, MIB(1));
    assert_int_equal(case_definitions_read(&a, str_c(definitions_text), &definitions, &err), 0);
    for (unsigned seed = 0; seed < HISTORIES; seed++) {
        rng_seed(&rng, seed);
        history(&definitions);
    }
    assert_true(tells > HISTORIES * 100);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(kept_is_recounted)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
