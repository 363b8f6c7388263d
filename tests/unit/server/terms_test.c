/* The short questions of struct world, against a seeded store and value sets of every kind. */
#include "node.h"

#include "fhir/code_set.h"

static struct node node;

static enum terms_answer member(const char *value_set, const char *system, const char *code)
{
    struct coding c = {.system = str_c(system), .code = str_c(code)};
    enum terms_answer answer = (enum terms_answer) - 1;
    struct err err = {0};

    if (node.world->member_of(node.world->ctx, &node.a, str_c(value_set), &c, &answer, &err) < 0)
        fail_msg("%s", err.text);
    return answer;
}

static int member_error(const char *value_set, struct err *err)
{
    struct coding c = {.code = STR("a")};
    enum terms_answer answer;

    return node.world->member_of(node.world->ctx, &node.a, str_c(value_set), &c, &answer, err);
}

static enum terms_answer has(const char *system, const char *code, struct str *display)
{
    struct coding c = {.system = str_c(system), .code = str_c(code)};
    enum terms_answer answer = (enum terms_answer) - 1;
    struct err err = {0};

    if (node.world->has_code(node.world->ctx, &node.a, &c, &answer, display, &err) < 0)
        fail_msg("%s", err.text);
    return answer;
}

#define GENDER "http://hl7.org/fhir/administrative-gender"
#define GENDERS "http://hl7.org/fhir/ValueSet/administrative-gender"
#define ACT "http://terminology.hl7.org/CodeSystem/v3-ActCode"
#define TREE "http://e.org/tree"

static void knows_base_code_systems(void **state)
{
    struct str display = STR_NULL;

    (void)state;
    assert_int_equal(has(GENDER, "male", &display), TERMS_YES);
    assert_str(display, STR("Male"));
    assert_int_equal(has(GENDER, "Male", NULL), TERMS_NO);
    assert_int_equal(has(GENDER, "man", NULL), TERMS_NO);
    assert_int_equal(has("http://e.org/none", "x", NULL), TERMS_UNKNOWN);
    assert_int_equal(member(GENDERS, GENDER, "female"), TERMS_YES);
    assert_int_equal(member(GENDERS "|4.0.1", GENDER, "female"), TERMS_YES);
    assert_int_equal(member(GENDERS, NULL, "female"), TERMS_YES);
    assert_int_equal(member(GENDERS, GENDER, "she"), TERMS_NO);
    assert_int_equal(member(GENDERS, "http://e.org/none", "female"), TERMS_NO);
    assert_int_equal(member("http://e.org/none", GENDER, "female"), TERMS_UNKNOWN);
}

static void grammars_are_asked(void **state)
{
    (void)state;
    assert_int_equal(has("http://unitsofmeasure.org", "mmol/L", NULL), TERMS_YES);
    assert_int_equal(has("http://unitsofmeasure.org", "mmol/Lx", NULL), TERMS_NO);
    assert_int_equal(has("urn:ietf:bcp:47", "sw-KE", NULL), TERMS_YES);
    assert_int_equal(has("urn:ietf:bcp:47", "s", NULL), TERMS_NO);
    assert_int_equal(has("urn:ietf:bcp:13", "application/fhir+json", NULL), TERMS_YES);
    assert_int_equal(has("urn:ietf:bcp:13", "application", NULL), TERMS_NO);
    /* The base definitions' sets of all units and of all media types. */
    assert_int_equal(
        member("http://hl7.org/fhir/ValueSet/ucum-units", "http://unitsofmeasure.org", "kg/m2"),
        TERMS_YES);
    assert_int_equal(
        member("http://hl7.org/fhir/ValueSet/mimetypes", "urn:ietf:bcp:13", "text/plain"),
        TERMS_YES);
}

static const char tree[] =
    "{\"resourceType\":\"CodeSystem\",\"id\":\"tree\",\"url\":\"" TREE "\",\"version\":\"1\","
    "\"status\":\"active\",\"content\":\"complete\",\"caseSensitive\":true,\"property\":["
    "{\"code\":\"colour\",\"type\":\"code\"},{\"code\":\"status\",\"type\":\"code\"}],\"concept\":["
    "{\"code\":\"A\",\"display\":\"Animal\",\"concept\":[{\"code\":\"B\",\"display\":\"Bird\","
    "\"property\":[{\"code\":\"colour\",\"valueCode\":\"red\"}],\"concept\":[{\"code\":\"D\","
    "\"display\":\"Duck\",\"property\":[{\"code\":\"colour\",\"valueCode\":\"green\"}]}]},"
    "{\"code\":\"C\",\"display\":\"Cat\"}]},{\"code\":\"P\",\"display\":\"Plant\",\"property\":"
    "[{\"code\":\"status\",\"valueCode\":\"retired\"}]}]}";

static void put_set(const char *id, const char *compose)
{
    char json[2000];

    snprintf(json, sizeof json,
             "{\"resourceType\":\"ValueSet\",\"id\":\"%s\",\"url\":\"http://e.org/vs/%s\","
             "\"status\":\"active\",\"compose\":{%s}}",
             id, id, compose);
    node_keep(&node, json);
}

/* Which of A B C D P a set has, as text. */
static struct str letters(const char *id)
{
    char url[100];
    static char out[6];
    size_t n = 0;

    snprintf(url, sizeof url, "http://e.org/vs/%s", id);
    for (const char *p = "ABCDP"; *p; p++) {
        char code[2] = {*p, 0};
        if (member(url, TREE, code) == TERMS_YES)
            out[n++] = *p;
    }
    return str_n(out, n);
}

#define FILTER(op, property, value) \
    "\"include\":[{\"system\":\"" TREE "\",\"filter\":[{\"property\":\"" property                 \
    "\",\"op\":\"" op "\",\"value\":\"" value "\"}]}]"

static void filters_choose(void **state)
{
    static const struct {
        const char *id, *compose, *want;
    } cases[] = {
        {"all", "\"include\":[{\"system\":\"" TREE "\"}]", "ABCDP"},
        {"isa", FILTER("is-a", "concept", "B"), "BD"},
        {"isnota", FILTER("is-not-a", "concept", "B"), "ACP"},
        {"desc", FILTER("descendent-of", "concept", "A"), "BCD"},
        {"gen", FILTER("generalizes", "concept", "D"), "ABD"},
        {"eq", FILTER("=", "colour", "red"), "B"},
        {"in", FILTER("in", "colour", "red,green"), "BD"},
        {"notin", FILTER("not-in", "colour", "red"), "ACDP"},
        {"exists", FILTER("exists", "colour", "true"), "BD"},
        {"existsnot", FILTER("exists", "colour", "false"), "ACP"},
        {"regex", FILTER("regex", "code", "[A-B]"), "AB"},
        {"regexwhole", FILTER("regex", "display", "C"), ""},
        {"parent", FILTER("=", "parent", "A"), "BC"},
        {"inactive", "\"inactive\":false,\"include\":[{\"system\":\"" TREE "\"}]", "ABCD"},
        {"exclude",
         "\"include\":[{\"system\":\"" TREE "\"}],\"exclude\":[{\"system\":\"" TREE
         "\",\"filter\":[{\"property\":\"concept\",\"op\":\"is-a\",\"value\":\"B\"}]}]",
         "ACP"},
        {"import",
         "\"include\":[{\"valueSet\":[\"http://e.org/vs/isa\"]},"
         "{\"system\":\"" TREE "\",\"concept\":[{\"code\":\"P\"}]}]",
         "BDP"},
        {"both", "\"include\":[{\"valueSet\":[\"http://e.org/vs/desc\",\"http://e.org/vs/gen\"]}]",
         "BD"},
        {"within",
         "\"include\":[{\"system\":\"" TREE "\",\"concept\":[{\"code\":\"D\"},{\"code\":\"P\"}],"
         "\"valueSet\":[\"http://e.org/vs/isa\"]}]",
         "D"},
    };

    (void)state;
    node_keep(&node, tree);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        put_set(cases[i].id, cases[i].compose);
        if (!str_eq(letters(cases[i].id), str_c(cases[i].want)))
            fail_msg("%s: got %.*s, want %s", cases[i].id, STR_ARG(letters(cases[i].id)),
                     cases[i].want);
    }
}

static void rings_and_wrong_filters_are_refused(void **state)
{
    struct err err = {0};

    (void)state;
    put_set("ring1", "\"include\":[{\"valueSet\":[\"http://e.org/vs/ring2\"]}]");
    put_set("ring2", "\"include\":[{\"valueSet\":[\"http://e.org/vs/ring1\"]}]");
    assert_int_equal(member_error("http://e.org/vs/ring1", &err), ERR_PROCESSING);
    assert_non_null(strstr(err.text, "http://e.org/vs/ring2"));
    put_set("nofilter", FILTER("=", "shape", "round"));
    assert_int_equal(member_error("http://e.org/vs/nofilter", &err), ERR_PROCESSING);
    put_set("noregex", FILTER("regex", "code", "("));
    assert_int_equal(member_error("http://e.org/vs/noregex", &err), ERR_VALUE);
    node_keep(&node,
              "{\"resourceType\":\"CodeSystem\",\"id\":\"long\",\"url\":\"http://e.org/long\","
              "\"status\":\"active\",\"content\":\"complete\",\"concept\":[{\"code\":\"l\","
              "\"display\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}]}");
    put_set("costly", "\"include\":[{\"system\":\"http://e.org/long\",\"filter\":[{\"property\":"
                      "\"display\",\"op\":\"regex\",\"value\":\"(a+)+[bc]d?\"}]}]");
    assert_int_equal(member_error("http://e.org/vs/costly", &err), ERR_COSTLY);
}

/* The codes of a set, each followed by a blank. */
static int codes(enum terms_set kind, const char *url, const struct coding *of, size_t max,
                 bool quick, const char *want)
{
    const struct code_set *set;
    char got[200] = "";
    struct err err = {0};
    int r = node.world->codes(node.world->ctx, &node.a, kind, url ? str_c(url) : STR_NULL, of, max,
                              quick, &set, &err);

    if (r < 0)
        return r;
    for (size_t i = 0; set && i < set->n; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%.*s ",
                 STR_ARG(set->codings[i].code));
    assert_string_equal(set ? got : "unknown", want);
    assert_true(!set || set->keys.n == set->n);
    return 0;
}

static void hierarchies_are_known(void **state)
{
    struct coding of = {.system = STR(TREE), .code = STR("B")};
    enum terms_relation relation;
    struct err err = {0};

    (void)state;
    node_keep(&node, tree);
    assert_int_equal(node.world->subsumes(node.world->ctx, &node.a, STR(TREE), STR("A"), STR("D"),
                                          &relation, &err),
                     0);
    assert_int_equal(relation, RELATION_SUBSUMES);
    assert_int_equal(node.world->subsumes(node.world->ctx, &node.a, STR(TREE), STR("D"), STR("B"),
                                          &relation, &err),
                     0);
    assert_int_equal(relation, RELATION_SUBSUMED_BY);
    assert_int_equal(node.world->subsumes(node.world->ctx, &node.a, STR(TREE), STR("C"), STR("B"),
                                          &relation, &err),
                     0);
    assert_int_equal(relation, RELATION_NOT);
    assert_int_equal(codes(TERMS_DESCENDANTS, NULL, &of, 10, false, "B D "), 0);
    assert_int_equal(codes(TERMS_ANCESTORS, NULL, &of, 10, false, "A B "), 0);
    of.code = STR("no");
    assert_int_equal(codes(TERMS_ANCESTORS, NULL, &of, 10, false, "unknown"), 0);
    assert_int_equal(codes(TERMS_VALUE_SET, GENDERS, NULL, 10, false, "male female other unknown "),
                     0);
    assert_int_equal(codes(TERMS_VALUE_SET, GENDERS, NULL, 3, false, ""), ERR_COSTLY);
    assert_int_equal(codes(TERMS_VALUE_SET, "http://e.org/vs/no", NULL, 3, false, "unknown"), 0);
}

/* Where nothing may be made, what was made before is there, until its terminology changes. */
static void code_sets_are_kept(void **state)
{
    (void)state;
    node_keep(&node, tree);
    put_set("kept", FILTER("is-a", "concept", "B"));
    assert_int_equal(codes(TERMS_VALUE_SET, "http://e.org/vs/kept", NULL, 10, true, ""), ERR_BUSY);
    assert_int_equal(codes(TERMS_VALUE_SET, "http://e.org/vs/kept", NULL, 10, false, "B D "), 0);
    node_settle(&node);
    assert_int_equal(codes(TERMS_VALUE_SET, "http://e.org/vs/kept", NULL, 10, false, "B D "), 0);
    assert_int_equal(codes(TERMS_VALUE_SET, "http://e.org/vs/kept", NULL, 10, true, "B D "), 0);
    put_set("kept", FILTER("is-a", "concept", "C"));
    assert_int_equal(codes(TERMS_VALUE_SET, "http://e.org/vs/kept", NULL, 10, true, ""), ERR_BUSY);
    assert_int_equal(codes(TERMS_VALUE_SET, "http://e.org/vs/kept", NULL, 10, false, "C "), 0);
}

/* A value set may bring those that it is made of, and code systems, with it; and a code system
 * may name the value set of all its codes. */
static void contained_and_implied_sets_are_found(void **state)
{
    struct err err = {0};

    (void)state;
    node_keep(&node, tree);
    node_keep(&node,
              "{\"resourceType\":\"ValueSet\",\"id\":\"inner\",\"url\":\"http://e.org/vs/inner\","
              "\"status\":\"active\",\"contained\":[{\"resourceType\":\"ValueSet\",\"id\":\"one\","
              "\"status\":\"active\",\"compose\":{\"include\":[{\"valueSet\":[\"#two\"]}]}},"
              "{\"resourceType\":\"ValueSet\",\"id\":\"two\",\"status\":\"active\",\"compose\":{"
              "\"include\":[{\"system\":\"" TREE "\",\"concept\":[{\"code\":\"B\"},{\"code\":"
              "\"P\"}]}]}}],\"compose\":{\"include\":[{\"valueSet\":[\"#one\"]}]}}");
    assert_str(letters("inner"), STR("BP"));
    /* Two value sets may use the same name for what they bring. */
    node_keep(
        &node,
        "{\"resourceType\":\"ValueSet\",\"id\":\"outer\",\"url\":\"http://e.org/vs/outer\","
        "\"status\":\"active\",\"contained\":[{\"resourceType\":\"ValueSet\",\"id\":\"one\","
        "\"status\":\"active\",\"compose\":{\"include\":[{\"valueSet\":["
        "\"http://e.org/vs/inner\"]}]}}],\"compose\":{\"include\":[{\"valueSet\":[\"#one\"]}]}}");
    assert_str(letters("outer"), STR("BP"));
    node_keep(
        &node,
        "{\"resourceType\":\"ValueSet\",\"id\":\"own\",\"url\":\"http://e.org/vs/own\","
        "\"status\":\"active\",\"contained\":[{\"resourceType\":\"CodeSystem\",\"id\":\"cs\","
        "\"url\":\"http://e.org/own\",\"status\":\"active\",\"content\":\"complete\",\"concept\":["
        "{\"code\":\"o\"}]}],\"compose\":{\"include\":[{\"system\":\"http://e.org/"
        "own\",\"_system\":"
        "{\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/valueset-system\","
        "\"valueCanonical\":\"#cs\"}]}}]}}");
    assert_int_equal(member("http://e.org/vs/own", "http://e.org/own", "o"), TERMS_YES);
    assert_int_equal(member("http://e.org/vs/own", "http://e.org/own", "p"), TERMS_NO);
    put_set("missing", "\"include\":[{\"valueSet\":[\"#none\"]}]");
    assert_int_equal(member("http://e.org/vs/missing", TREE, "A"), TERMS_UNKNOWN);
    node_keep(&node,
              "{\"resourceType\":\"ValueSet\",\"id\":\"self\",\"url\":\"http://e.org/vs/self\","
              "\"status\":\"active\",\"contained\":[{\"resourceType\":\"ValueSet\",\"id\":\"one\","
              "\"status\":\"active\",\"compose\":{\"include\":[{\"valueSet\":[\"#one\"]}]}}],"
              "\"compose\":{\"include\":[{\"valueSet\":[\"#one\"]}]}}");
    assert_int_equal(member_error("http://e.org/vs/self", &err), ERR_PROCESSING);

    assert_int_equal(member("http://e.org/vs/whole", "http://e.org/parts", "p1"), TERMS_UNKNOWN);
    node_keep(&node,
              "{\"resourceType\":\"CodeSystem\",\"id\":\"parts\",\"url\":\"http://e.org/parts\","
              "\"version\":\"2\",\"status\":\"active\",\"content\":\"complete\",\"valueSet\":"
              "\"http://e.org/vs/whole\",\"concept\":[{\"code\":\"p1\"},{\"code\":\"p2\"}]}");
    assert_int_equal(member("http://e.org/vs/whole", "http://e.org/parts", "p1"), TERMS_YES);
    assert_int_equal(member("http://e.org/vs/whole|2", "http://e.org/parts", "p2"), TERMS_YES);
    assert_int_equal(member("http://e.org/vs/whole|3", "http://e.org/parts", "p2"), TERMS_UNKNOWN);
    assert_int_equal(member("http://e.org/vs/whole", "http://e.org/parts", "p3"), TERMS_NO);
}

/* What is compiled follows what is written, at once. */
static void changes_are_seen(void **state)
{
    char json[400];

    (void)state;
    for (int i = 0; i < 50; i++) {
        snprintf(
            json, sizeof json,
            "{\"resourceType\":\"CodeSystem\",\"id\":\"moving\",\"url\":\"http://e.org/moving\","
            "\"status\":\"active\",\"content\":\"complete\",\"concept\":[{\"code\":\"c%d\"}]}",
            i);
        node_keep(&node, json);
        snprintf(json, sizeof json, "c%d", i);
        assert_int_equal(has("http://e.org/moving", json, NULL), TERMS_YES);
        snprintf(json, sizeof json, "c%d", i - 1);
        assert_int_equal(has("http://e.org/moving", json, NULL), TERMS_NO);
    }
}

static int open_node(void **state)
{
    (void)state;
    node_open(&node);
    return 0;
}

static int close_node(void **state)
{
    (void)state;
    node_close(&node);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_base_code_systems),
        cmocka_unit_test(grammars_are_asked),
        cmocka_unit_test(filters_choose),
        cmocka_unit_test(rings_and_wrong_filters_are_refused),
        cmocka_unit_test(hierarchies_are_known),
        cmocka_unit_test(code_sets_are_kept),
        cmocka_unit_test(contained_and_implied_sets_are_found),
        cmocka_unit_test(changes_are_seen),
    };

    return cmocka_run_group_tests(tests, open_node, close_node);
}
