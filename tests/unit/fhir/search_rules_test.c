/* The matching rules of http://hl7.org/fhir/R4/search.html, one test for each, named after it. */
#include "search_engine.h"

#include "base/sb.h"
#include "fhir/code_set.h"

static struct engine engine;

static void add(const char *json)
{
    engine_add(&engine, str_c(json));
}

/* What a search finds, by its keys and by looking at the resources alike. */
static void finds(const char *type, const char *query, const char *ids)
{
    struct str got = engine_ids(&engine, type, query);

    if (!str_eq(got, str_c(ids)))
        fail_msg("%s?%s found \"%.*s\", not \"%s\"", type ? type : "", query, STR_ARG(got), ids);
}

static int setup(void **state)
{
    (void)state;
    engine_init(&engine);
    engine.opt.now_ms = 1700000000000; /* 2023-11-14 */
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    engine_done(&engine);
    return 0;
}

/* ---- string ---- */

static void string_starts_with_without_case_and_accents(void **state)
{
    (void)state;
    add("{\"resourceType\":\"Patient\",\"id\":\"a\",\"name\":[{\"given\":[\"Eve\"]}]}");
    add("{\"resourceType\":\"Patient\",\"id\":\"b\",\"name\":[{\"given\":[\"Evelyn\"]}]}");
    add("{\"resourceType\":\"Patient\",\"id\":\"c\",\"name\":[{\"given\":[\"Severine\"]}]}");
    add("{\"resourceType\":\"Patient\",\"id\":\"d\",\"name\":[{\"given\":[\"\u00c8ve\"]}]}");
    finds("Patient", "given=eve", "a b d");
    finds("Patient", "given=%C3%88VE", "a b d");
    finds("Patient", "given:contains=eve", "a b c d");
    finds("Patient", "given:exact=Eve", "a");
    finds("Patient", "given:exact=eve", "");
    finds("Patient", "given=eve,sev", "a b c d");
    finds("Patient", "given=eve&given=evelyn", "b");
}

static void string_searches_all_parts_of_names_and_addresses(void **state)
{
    (void)state;
    add("{\"resourceType\":\"Patient\",\"id\":\"a\",\"name\":[{\"family\":\"Okoro\",\"given\":["
        "\"Ada\","
        "\"Ngozi\"],\"prefix\":[\"Dr\"],\"suffix\":[\"Jr\"]}],\"address\":[{\"line\":[\"1 Hill "
        "Rd\"],"
        "\"city\":\"Jos\",\"district\":\"North\",\"state\":\"Plateau\",\"postalCode\":\"930\","
        "\"country\":\"NG\"}]}");
    add("{\"resourceType\":\"Patient\",\"id\":\"b\",\"name\":[{\"text\":\"Ngozi Ada\"}],"
        "\"address\":[{\"text\":\"Plateau 7\"}]}");
    finds("Patient", "name=okoro", "a");
    finds("Patient", "name=ngozi", "a b");
    finds("Patient", "name=dr", "a");
    finds("Patient", "name=jr", "a");
    finds("Patient", "address=plateau", "a b");
    finds("Patient", "address=1 hill", "a");
    finds("Patient", "address=930", "a");
    finds("Patient", "address=north,jos,ng", "a");
    finds("Patient", "address-city=jos", "a");
    finds("Patient", "address-city=plateau", "");
}

static void string_longer_than_a_key_is_still_found_exactly(void **state)
{
    (void)state;
    add("{\"resourceType\":\"Patient\",\"id\":\"a\",\"name\":[{\"family\":"
        "\"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz1\"}]}");
    add("{\"resourceType\":\"Patient\",\"id\":\"b\",\"name\":[{\"family\":"
        "\"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz2\"}]}");
    finds("Patient", "family=abcdefghijklmnopqrstuvwxyz", "a b");
    finds("Patient", "family=abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", "a b");
    finds("Patient", "family=abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz2", "b");
    finds("Patient", "family:exact=abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz1", "a");
    finds("Patient", "family:contains=xyz1", "a");
    finds("Patient", "family:contains=XYZA", "a b");
}

static void escapes_take_the_meaning_of_separators_away(void **state)
{
    (void)state;
    add("{\"resourceType\":\"Patient\",\"id\":\"a\",\"name\":[{\"family\":\"a,b\"}],"
        "\"identifier\":[{\"system\":\"urn:s\",\"value\":\"x|y\"}]}");
    add("{\"resourceType\":\"Patient\",\"id\":\"b\",\"name\":[{\"family\":\"a\"}],"
        "\"identifier\":[{\"system\":\"urn:s\",\"value\":\"x\\\\y$z,\"}]}");
    finds("Patient", "family:exact=a\\,b", "a");
    finds("Patient", "family:exact=a,b", "b");
    finds("Patient", "identifier=urn:s|x\\|y", "a");
    finds("Patient", "identifier=x\\|y", "a");
    finds("Patient", "identifier=urn:s|x\\\\y\\$z\\,", "b");
}

/* ---- token ---- */

static void token_with_and_without_system(void **state)
{
    (void)state;
    add("{\"resourceType\":\"Observation\",\"id\":\"a\",\"status\":\"final\",\"code\":{\"coding\":["
        "{\"system\":\"http://"
        "loinc.org\",\"code\":\"8302-2\"},{\"system\":\"urn:x\",\"code\":\"h\"}]}}");
    add("{\"resourceType\":\"Observation\",\"id\":\"b\",\"status\":\"final\",\"code\":{\"coding\":["
        "{\"code\":\"8302-2\"}]}}");
    add("{\"resourceType\":\"Observation\",\"id\":\"c\",\"status\":\"amended\",\"code\":{"
        "\"coding\":["
        "{\"system\":\"urn:other\",\"code\":\"8302-2\"}]}}");
    finds("Observation", "code=8302-2", "a b c");
    finds("Observation", "code=http://loinc.org|8302-2", "a");
    finds("Observation", "code=|8302-2", "b");
    finds("Observation", "code=urn:x|", "a");
    finds("Observation", "code=http://loinc.org|", "a");
    finds("Observation", "code=urn:other|8302-2,urn:x|h", "a c");
    finds("Observation", "code:not=http://loinc.org|8302-2", "b c");
    finds("Observation", "code:not=8302-2", "");
    finds("Observation", "status=final", "a b");
    finds("Observation", "status=FINAL", "a b");
    finds("Observation", "status:not=final", "c");
    finds("Observation", "code=8302", "");
}

static void token_code_takes_its_system_from_the_binding(void **state)
{
    (void)state;
    add("{\"resourceType\":\"Patient\",\"id\":\"a\",\"gender\":\"male\"}");
    add("{\"resourceType\":\"Patient\",\"id\":\"b\",\"gender\":\"female\"}");
    finds("Patient", "gender=male", "a");
    finds("Patient", "gender=|male", "a");
    finds("Patient", "gender=http://hl7.org/fhir/administrative-gender|male", "a");
    finds("Patient", "gender=http://hl7.org/fhir/administrative-gender|", "a b");
    finds("Patient", "gender=urn:x|male", "");
}

static void token_boolean_and_identifier_and_contact_point(void **state)
{
    (void)state;
    add("{\"resourceType\":\"Patient\",\"id\":\"a\",\"active\":true,\"telecom\":[{\"system\":"
        "\"phone\","
        "\"value\":\"555\"},{\"system\":\"email\",\"value\":\"A@b.c\"}],\"deceasedDateTime\":"
        "\"2001\"}");
    add("{\"resourceType\":\"Patient\",\"id\":\"b\",\"active\":false,\"identifier\":[{\"system\":"
        "\"urn:ng:nin\",\"value\":\"77\"}],\"deceasedBoolean\":false}");
    finds("Patient", "active=true", "a");
    finds("Patient", "active=false", "b");
    finds("Patient", "phone=555", "a");
    finds("Patient", "email=555", "");
    finds("Patient", "email=a@b.c", "a");
    finds("Patient", "telecom=555", "a");
    finds("Patient", "identifier=urn:ng:nin|77", "b");
    finds("Patient", "identifier=77", "b");
    finds("Patient", "deceased=true", "a");
    finds("Patient", "deceased=false", "b");
    finds("Patient", "death-date=2001", "a");
}

static void token_text_looks_at_display_and_text(void **state)
{
    (void)state;
    add("{\"resourceType\":\"Condition\",\"id\":\"a\",\"code\":{\"coding\":[{\"system\":\"urn:x\","
        "\"code\":\"1\",\"display\":\"Headache\"}]}}");
    add("{\"resourceType\":\"Condition\",\"id\":\"b\",\"code\":{\"coding\":[{\"system\":\"urn:x\","
        "\"code\":\"1\"}],\"text\":\"Head cold\"}}");
    add("{\"resourceType\":\"Condition\",\"id\":\"c\",\"code\":{\"text\":\"h\u00e9ad thing\"}}");
    add("{\"resourceType\":\"Condition\",\"id\":\"d\",\"code\":{\"coding\":[{\"system\":\"urn:x\","
        "\"code\":\"head\"}]}}");
    finds("Condition", "code:text=head", "a b c");
    finds("Condition", "code:text=headache", "a");
    finds("Condition", "code=1", "a b");
    finds("Condition", "code=head", "d");
}

/* ---- missing ---- */

static void missing_asks_whether_there_is_a_value(void **state)
{
    (void)state;
    add("{\"resourceType\":\"Patient\",\"id\":\"a\",\"gender\":\"male\",\"birthDate\":\"1980\"}");
    add("{\"resourceType\":\"Patient\",\"id\":\"b\"}");
    finds("Patient", "gender:missing=true", "b");
    finds("Patient", "gender:missing=false", "a");
    finds("Patient", "birthdate:missing=true", "b");
    finds("Patient", "gender:missing=x",
          "error: the value \"x\" of \"gender\" is not true or false");
}

/* ---- reference ---- */

static void reference_by_id_type_and_url(void **state)
{
    static const struct str base = {"http://node.example/fhir", 24};

    (void)state;
    engine.opt.index.bases = &base;
    engine.opt.index.n_bases = 1;
    add("{\"resourceType\":\"Observation\",\"id\":\"a\",\"subject\":{\"reference\":\"Patient/"
        "1\"}}");
    add("{\"resourceType\":\"Observation\",\"id\":\"b\",\"subject\":{\"reference\":\"Group/1\"}}");
    add("{\"resourceType\":\"Observation\",\"id\":\"c\",\"subject\":{\"reference\":"
        "\"http://node.example/fhir/Patient/1\"}}");
    add("{\"resourceType\":\"Observation\",\"id\":\"d\",\"subject\":{\"reference\":"
        "\"http://other.example/fhir/Patient/1\"}}");
    add("{\"resourceType\":\"Observation\",\"id\":\"e\",\"subject\":{\"reference\":"
        "\"Patient/1/_history/2\"}}");
    add("{\"resourceType\":\"Observation\",\"id\":\"f\",\"subject\":{\"reference\":\"#p\"},"
        "\"contained\":[{\"resourceType\":\"Patient\",\"id\":\"p\"}]}");
    finds("Observation", "subject=1", "a b c e");
    finds("Observation", "subject=Patient/1", "a c e");
    finds("Observation", "subject:Patient=1", "a c e");
    finds("Observation", "subject:Group=1", "b");
    finds("Observation", "subject:Patient=Patient/1", "a c e");
    finds("Observation", "patient=1", "a c e");
    finds("Observation", "subject=http://node.example/fhir/Patient/1", "a c e");
    finds("Observation", "subject=http://other.example/fhir/Patient/1", "d");
    finds("Observation", "subject=Patient/1/_history/2", "e");
    finds("Observation", "subject:missing=true", "");
    finds("Observation", "subject=Group/1,Patient/2", "b");
}

static void reference_by_identifier(void **state)
{
    (void)state;
    add("{\"resourceType\":\"Observation\",\"id\":\"a\",\"subject\":{\"identifier\":{\"system\":"
        "\"urn:nin\",\"value\":\"7\"}}}");
    add("{\"resourceType\":\"Observation\",\"id\":\"b\",\"subject\":{\"identifier\":{\"value\":"
        "\"7\"},"
        "\"reference\":\"Patient/7\"}}");
    finds("Observation", "subject:identifier=urn:nin|7", "a");
    finds("Observation", "subject:identifier=7", "a b");
    finds("Observation", "subject:identifier=|7", "b");
    finds("Observation", "subject:identifier=urn:nin|", "a");
    finds("Observation", "subject=7", "b");
}

static void reference_canonical_with_and_without_version(void **state)
{
    (void)state;
    add("{\"resourceType\":\"QuestionnaireResponse\",\"id\":\"a\",\"questionnaire\":\"http://x/"
        "q|1\"}");
    add("{\"resourceType\":\"QuestionnaireResponse\",\"id\":\"b\",\"questionnaire\":\"http://x/"
        "q|2\"}");
    add("{\"resourceType\":\"QuestionnaireResponse\",\"id\":\"c\",\"questionnaire\":\"http://x/"
        "q\"}");
    add("{\"resourceType\":\"QuestionnaireResponse\",\"id\":\"d\",\"questionnaire\":\"http://x/"
        "q2\"}");
    finds("QuestionnaireResponse", "questionnaire=http://x/q", "a b c");
    finds("QuestionnaireResponse", "questionnaire=http://x/q|2", "b");
    finds("QuestionnaireResponse", "questionnaire=http://x/q\\|2", "b");
}

/* ---- uri ---- */

static void uri_is_compared_as_it_stands(void **state)
{
    (void)state;
    add("{\"resourceType\":\"ValueSet\",\"id\":\"a\",\"url\":\"http://acme.org/fhir/ValueSet/"
        "123\"}");
    add("{\"resourceType\":\"ValueSet\",\"id\":\"b\",\"url\":\"http://acme.org/fhir/ValueSet/123/"
        "x\"}");
    add("{\"resourceType\":\"ValueSet\",\"id\":\"c\",\"url\":\"http://acme.org/FHIR/ValueSet/"
        "123\"}");
    finds("ValueSet", "url=http://acme.org/fhir/ValueSet/123", "a");
    finds("ValueSet", "url=http%3A%2F%2Facme.org%2FFHIR%2FValueSet%2F123", "c");
    finds("ValueSet", "url:below=http://acme.org/", "a b c");
    finds("ValueSet", "url:below=http://acme.org/fhir/ValueSet/123", "a b");
    finds("ValueSet", "url:below=http://acme.org/fhir/ValueSet/12", "");
    finds("ValueSet", "url:above=http://acme.org/fhir/ValueSet/123/x/y", "a b");
    finds("ValueSet", "url:above=http://acme.org/fhir/ValueSet/123/_history/5", "a");
}

/* ---- sets of codes ---- */

static void release(void *set)
{
    code_set_unref(set);
}

/* A terminology of one value set and one hierarchy: animal > dog > poodle. */
static int fake_codes(void *ctx, struct arena *a, enum terms_set kind, struct str url,
                      const struct coding *of, size_t max, bool quick, const struct code_set **ret,
                      struct err *err)
{
    static struct coding below[] = {{.system = STR("urn:s"), .code = STR("poodle")},
                                    {.system = STR("urn:s"), .code = STR("dog")}};
    static struct coding above[] = {{.system = STR("urn:s"), .code = STR("dog")},
                                    {.system = STR("urn:s"), .code = STR("animal")}};
    static struct coding set[] = {
        {.system = STR("urn:s"), .code = STR("poodle")},
        {.system = STR("urn:t"), .code = STR("x")},
        {.system = STR("http://hl7.org/fhir/observation-status"), .code = STR("final")}};

    const struct coding *codings = kind == TERMS_DESCENDANTS ? below : above;
    size_t n = 2;
    struct code_set *made;

    (void)ctx, (void)max, (void)quick;
    *ret = NULL;
    if (kind == TERMS_VALUE_SET) {
        if (!str_eq(url, STR("urn:set")))
            return 0;
        codings = set;
        n = ARRAY_LEN(set);
    } else {
        assert_true(str_eq(of->system, STR("urn:s")) && str_eq(of->code, STR("dog")));
    }
    assert_int_equal(code_set_new(n, &made, err), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(code_set_add(made, codings[i].system, codings[i].code, err), 0);
    assert_int_equal(code_set_finish(made, err), 0);
    assert_true(arena_defer(a, release, made));
    *ret = made;
    return 0;
}

static void codes_in_sets_and_hierarchies(void **state)
{
    static const struct world world = {.codes = fake_codes};

    (void)state;
    engine.opt.world = &world;
    add("{\"resourceType\":\"Observation\",\"id\":\"a\",\"status\":\"final\",\"code\":{\"coding\":["
        "{\"system\":\"urn:s\",\"code\":\"Poodle\"}]}}");
    add("{\"resourceType\":\"Observation\",\"id\":\"b\",\"status\":\"amended\",\"code\":{"
        "\"coding\":["
        "{\"system\":\"urn:t\",\"code\":\"dog\"},{\"system\":\"urn:s\",\"code\":\"animal\"}]}}");
    add("{\"resourceType\":\"Observation\",\"id\":\"c\",\"status\":\"amended\",\"code\":{\"text\":"
        "\"dog\"}}");
    finds("Observation", "code:below=urn:s|dog", "a");
    finds("Observation", "code:above=urn:s|dog", "b");
    finds("Observation", "code:in=urn:set", "a");
    finds("Observation", "code:not-in=urn:set", "b c");
    /* The system of a code is implied by its binding. */
    finds("Observation", "status:in=urn:set", "a");
    finds("Observation", "code:in=urn:no",
          "error: the value set \"urn:no\" is not known here, or not whole");
    finds("Observation", "code:below=dog",
          "error: the value \"dog\" of \"code\" is not system|code");
}

/* ---- words ---- */

static void words_of_narratives_in_any_script(void **state)
{
    (void)state;
    engine.opt.index.extras = true;
    add("{\"resourceType\":\"Condition\",\"id\":\"a\",\"text\":{\"div\":\"<div><p>Bone</p>pain "
        "&amp; "
        "F&#xE9;ver</div>\"}}");
    add("{\"resourceType\":\"Condition\",\"id\":\"b\",\"text\":{\"div\":\"<div>頭痛と発熱</"
        "div>\"}}");
    finds("Condition", "_text=bone pain", "a");
    finds("Condition", "_text=\"bone pain\"", "a");
    finds("Condition", "_text=\"pain bone\"", "");
    finds("Condition", "_text=fever", "a");
    finds("Condition", "_text=bonepain", "");
    finds("Condition", "_text=amp", "");
    finds("Condition", "_text=頭痛", "b");
    finds("Condition", "_text=痛と発", "b");
    finds("Condition", "_text=熱", "b");
    finds("Condition", "_text=頭熱", "");
    finds("Condition", "_text=not bone", "b");
    finds("Condition", "_content=bone or 頭痛", "a b");
}

/* ---- number ---- */

static void add_risk(const char *id, const char *probability)
{
    char text[300];

    snprintf(text, sizeof text,
             "{\"resourceType\":\"RiskAssessment\",\"id\":\"%s\",\"prediction\":[{%s}]}", id,
             probability);
    add(text);
}

static void number_has_implicit_precision(void **state)
{
    (void)state;
    add_risk("a", "\"probabilityDecimal\":100");
    add_risk("b", "\"probabilityDecimal\":99.5");
    add_risk("c", "\"probabilityDecimal\":100.4999");
    add_risk("d", "\"probabilityDecimal\":100.5");
    add_risk("e", "\"probabilityDecimal\":99.49");
    finds("RiskAssessment", "probability=100", "a b c");
    finds("RiskAssessment", "probability=100.0", "a");
    finds("RiskAssessment", "probability=1e2", "a b c d e");
    finds("RiskAssessment", "probability=eq100", "a b c");
    finds("RiskAssessment", "probability=ne100", "d e");
    finds("RiskAssessment", "probability=gt100", "c d");
    finds("RiskAssessment", "probability=ge100", "a c d");
    finds("RiskAssessment", "probability=lt100", "b e");
    finds("RiskAssessment", "probability=le100", "a b e");
    finds("RiskAssessment", "probability=sa100", "c d");
    finds("RiskAssessment", "probability=eb100", "b e");
    finds("RiskAssessment", "probability=ap95", "a b c d e");
    finds("RiskAssessment", "probability=ap80", "");
    finds("RiskAssessment", "probability=x",
          "error: the value \"x\" of \"probability\" is not a number");
}

static void number_ranges_are_contained_or_overlap(void **state)
{
    (void)state;
    add_risk("a", "\"probabilityRange\":{\"low\":{\"value\":10},\"high\":{\"value\":20}}");
    add_risk("b", "\"probabilityRange\":{\"low\":{\"value\":15}}");
    add_risk("c", "\"probabilityDecimal\":15");
    finds("RiskAssessment", "probability=gt16", "a b");
    finds("RiskAssessment", "probability=lt15", "a");
    finds("RiskAssessment", "probability=le15", "a b c");
    finds("RiskAssessment", "probability=sa12", "b c");
    finds("RiskAssessment", "probability=eb30", "a c");
    finds("RiskAssessment", "probability=15", "c");
    finds("RiskAssessment", "probability=ne15", "a b");
}

/* ---- quantity ---- */

static void add_value(const char *id, const char *quantity)
{
    char text[300];

    snprintf(text, sizeof text,
             "{\"resourceType\":\"Observation\",\"id\":\"%s\",\"valueQuantity\":{%s}}", id,
             quantity);
    add(text);
}

#define UCUM_OF(code) "\"system\":\"http://unitsofmeasure.org\",\"code\":\"" code "\""

static void quantity_with_number_system_and_code(void **state)
{
    (void)state;
    add_value("a", "\"value\":5.4,\"unit\":\"milligram\"," UCUM_OF("mg"));
    add_value("b", "\"value\":0.0054," UCUM_OF("g"));
    add_value("c", "\"value\":5.40,\"unit\":\"mg\"");
    add_value("d", "\"value\":5.4,\"system\":\"urn:u\",\"code\":\"mg\"");
    add_value("e", "\"value\":5.4," UCUM_OF("mL"));
    add_value("f", "\"value\":5.4,\"unit\":\"mg\"," UCUM_OF("cm"));
    finds("Observation", "value-quantity=5.4", "a c d e f");
    finds("Observation", "value-quantity=5.4|http://unitsofmeasure.org|mg", "a b");
    finds("Observation", "value-quantity=5.4|urn:u|mg", "d");
    finds("Observation", "value-quantity=5.4||mg", "a c d f");
    finds("Observation", "value-quantity=5.4||milligram", "a");
    finds("Observation", "value-quantity=gt5|http://unitsofmeasure.org|mg", "a b");
    finds("Observation", "value-quantity=le0.0054|http://unitsofmeasure.org|g", "a b");
    finds("Observation", "value-quantity=ne5.4|http://unitsofmeasure.org|mg", "");
    finds("Observation", "value-quantity=ne5|http://unitsofmeasure.org|ug", "a b");
    finds("Observation", "value-quantity=lt1", "b");
    finds("Observation", "value-quantity=ap5.5|http://unitsofmeasure.org|mg", "a b");
    finds("Observation", "value-quantity=5.4|http://unitsofmeasure.org|", "a e f");
    finds("Observation", "value-quantity=5.4|a|b|c",
          "error: the value \"5.4|a|b|c\" of \"value-quantity\" is not number|system|code");
}

static void quantity_with_comparator_is_everything_beyond(void **state)
{
    (void)state;
    add_value("a", "\"value\":5,\"comparator\":\"<\"," UCUM_OF("mg"));
    add_value("b", "\"value\":5,\"comparator\":\">=\"," UCUM_OF("mg"));
    finds("Observation", "value-quantity=lt3", "a");
    finds("Observation", "value-quantity=gt7", "b");
    finds("Observation", "value-quantity=gt3", "a b");
    finds("Observation", "value-quantity=5", "");
    finds("Observation", "value-quantity=gt0.007|http://unitsofmeasure.org|g", "b");
}

static void quantity_of_money_and_age(void **state)
{
    (void)state;
    add("{\"resourceType\":\"Invoice\",\"id\":\"a\",\"totalNet\":{\"value\":10,\"currency\":"
        "\"NGN\"}}");
    add("{\"resourceType\":\"Condition\",\"id\":\"b\",\"onsetAge\":{\"value\":2," UCUM_OF(
        "a") "}}");
    finds("Invoice", "totalnet=10|urn:iso:std:iso:4217|NGN", "a");
    finds("Invoice", "totalnet=10||USD", "");
    finds("Condition", "onset-age=2", "b");
    finds("Condition", "onset-age=gt23|http://unitsofmeasure.org|mo", "b");
}

/* ---- date ---- */

static void add_encounter(const char *id, const char *period)
{
    char text[300];

    snprintf(text, sizeof text, "{\"resourceType\":\"Encounter\",\"id\":\"%s\",\"period\":{%s}}",
             id, period);
    add(text);
}

static void date_equal_contains_the_whole_value(void **state)
{
    (void)state;
    add("{\"resourceType\":\"Patient\",\"id\":\"y\",\"birthDate\":\"2013\"}");
    add("{\"resourceType\":\"Patient\",\"id\":\"m\",\"birthDate\":\"2013-01\"}");
    add("{\"resourceType\":\"Patient\",\"id\":\"d\",\"birthDate\":\"2013-01-14\"}");
    add("{\"resourceType\":\"Patient\",\"id\":\"e\",\"birthDate\":\"2013-01-15\"}");
    finds("Patient", "birthdate=2013-01-14", "d");
    finds("Patient", "birthdate=2013-01", "m d e");
    finds("Patient", "birthdate=2013", "y m d e");
    finds("Patient", "birthdate=eq2013-01-14T10:00", "");
    finds("Patient", "birthdate=ne2013-01-14", "y m e");
    finds("Patient", "birthdate=ne2013", "");
}

static void date_prefixes_by_the_ends_of_values(void **state)
{
    (void)state;
    add_encounter("a", "\"start\":\"2013-03-14\",\"end\":\"2013-03-14\"");
    add_encounter("b", "\"start\":\"2013-03-13T10:00:00Z\",\"end\":\"2013-03-15T10:00:00Z\"");
    add_encounter("c", "\"start\":\"2013-01\",\"end\":\"2013-12\"");
    add_encounter("d", "\"start\":\"2013-03-15\"");
    add_encounter("e", "\"end\":\"2013-03-13\"");
    add_encounter("f", "\"start\":\"2013-03-14T08:00:00Z\",\"end\":\"2013-03-14T09:00:00Z\"");
    finds("Encounter", "date=2013-03-14", "a f");
    finds("Encounter", "date=2013-03", "a b f");
    finds("Encounter", "date=ne2013-03-14", "b c d e");
    finds("Encounter", "date=gt2013-03-14", "b c d");
    finds("Encounter", "date=lt2013-03-14", "b c e");
    finds("Encounter", "date=ge2013-03-14", "a b c d f");
    finds("Encounter", "date=le2013-03-14", "a b c e f");
    finds("Encounter", "date=sa2013-03-14", "d");
    finds("Encounter", "date=eb2013-03-14", "e");
    finds("Encounter", "date=gt2020", "d");
    finds("Encounter", "date=lt2000", "e");
    finds("Encounter", "date=ge2013-03-14&date=le2013-03-14T23:59:59Z", "a b c f");
}

static void date_approximate_takes_a_tenth_of_the_gap_to_now(void **state)
{
    (void)state;
    add("{\"resourceType\":\"Patient\",\"id\":\"a\",\"birthDate\":\"2013-01-14\"}");
    add("{\"resourceType\":\"Patient\",\"id\":\"b\",\"birthDate\":\"2011-01-14\"}");
    finds("Patient", "birthdate=ap2013-06", "a");
    finds("Patient", "birthdate=ap2010", "b");
    finds("Patient", "birthdate=ap2011", "a b");
    finds("Patient", "birthdate=ap2023-11-14", "");
    finds("Patient", "birthdate=ap1950", "");
}

static void date_without_zone_takes_the_servers(void **state)
{
    (void)state;
    engine.opt.index.tz_minutes = 60;
    add("{\"resourceType\":\"Observation\",\"id\":\"a\",\"effectiveDateTime\":"
        "\"2013-01-14T23:30:00Z\"}");
    add("{\"resourceType\":\"Observation\",\"id\":\"b\",\"effectiveDateTime\":\"2013-01-14\"}");
    finds("Observation", "date=2013-01-15", "a");
    finds("Observation", "date=2013-01-14", "b");
    finds("Observation", "date=2013-01-14T23:30Z", "a");
    finds("Observation", "date=2013-01-15T00:30:00+01:00", "a");
    finds("Observation", "date=2013-01-15T00:30:00%2B01:00", "a");
}

static void date_instants_to_the_millisecond(void **state)
{
    (void)state;
    add("{\"resourceType\":\"Observation\",\"id\":\"a\",\"effectiveInstant\":"
        "\"2013-01-14T10:00:00.123Z\"}");
    finds("Observation", "date=2013-01-14T10:00:00Z", "a");
    finds("Observation", "date=2013-01-14T10:00:00.123Z", "a");
    finds("Observation", "date=2013-01-14T10:00:00.124Z", "");
    finds("Observation", "date=gt2013-01-14T10:00:00.122Z", "a");
    finds("Observation", "date=lt2013-01-14T10:00:00.124Z", "a");
}

static void date_of_timing_is_its_outer_limits(void **state)
{
    (void)state;
    add("{\"resourceType\":\"ServiceRequest\",\"id\":\"a\",\"occurrenceTiming\":{\"event\":["
        "\"2013-01-31\",\"2013-03-24\"]}}");
    add("{\"resourceType\":\"ServiceRequest\",\"id\":\"b\",\"occurrenceTiming\":{\"repeat\":{"
        "\"boundsPeriod\":{\"start\":\"2013-02-01\",\"end\":\"2013-02-02\"}}}}");
    finds("ServiceRequest", "occurrence=ge2013-02-10&occurrence=le2013-02-11", "a");
    finds("ServiceRequest", "occurrence=2013-02", "b");
    finds("ServiceRequest", "occurrence=2013", "a b");
}

/* ---- composite ---- */

static void add_pressures(void)
{
    add("{\"resourceType\":\"Observation\",\"id\":\"a\",\"component\":["
        "{\"code\":{\"coding\":[{\"code\":\"sys\"}]},\"valueQuantity\":{\"value\":120}},"
        "{\"code\":{\"coding\":[{\"code\":\"dia\"}]},\"valueQuantity\":{\"value\":80}}]}");
    add("{\"resourceType\":\"Observation\",\"id\":\"b\",\"component\":["
        "{\"code\":{\"coding\":[{\"code\":\"sys\"}]},\"valueQuantity\":{\"value\":80}},"
        "{\"code\":{\"coding\":[{\"code\":\"dia\"}]},\"valueQuantity\":{\"value\":120}}]}");
}

static void find_pressures(void)
{
    finds("Observation", "component-code-value-quantity=sys$gt100", "a");
    finds("Observation", "component-code-value-quantity=dia$gt100", "b");
    finds("Observation", "component-code-value-quantity=sys$gt100,dia$gt100", "a b");
    finds("Observation", "component-code-value-quantity=sys$200", "");
    finds("Observation", "combo-code-value-quantity=sys$lt100", "b");
    finds("Observation", "component-code-value-quantity=sys",
          "error: the value \"sys\" of \"component-code-value-quantity\" is not as many values "
          "with \"$\" between as it has components");
    finds("Observation", "component-code-value-quantity:missing=true",
          "error: a composite parameter takes no modifier");
}

static void composite_holds_inside_one_element(void **state)
{
    (void)state;
    engine.opt.index.pairs = true;
    add_pressures();
    find_pressures();
    assert_int_equal(engine.rows_asked, 0); /* the keys alone say it */
}

/* As in a store whose index is of an earlier version. */
static void composite_without_keys(void **state)
{
    (void)state;
    add_pressures();
    find_pressures();
    assert_true(engine.rows_asked > 0);
}

static void composite_of_tokens_texts_and_dates(void **state)
{
    (void)state;
    engine.opt.index.pairs = true;
    add("{\"resourceType\":\"Observation\",\"id\":\"a\",\"code\":{\"coding\":[{\"system\":"
        "\"urn:l\",\"code\":\"1\"},{\"code\":\"X\"}]},\"valueCodeableConcept\":{\"coding\":["
        "{\"system\":\"urn:s\",\"code\":\"p\"}]}}");
    add("{\"resourceType\":\"Observation\",\"id\":\"b\",\"code\":{\"coding\":[{\"system\":"
        "\"urn:l\",\"code\":\"1\"}]},\"valueString\":\"Non fumeur\"}");
    add("{\"resourceType\":\"Observation\",\"id\":\"c\",\"code\":{\"coding\":[{\"system\":"
        "\"urn:l\",\"code\":\"2\"}]},\"valuePeriod\":{\"start\":\"2020-03\","
        "\"end\":\"2020-06\"}}");
    add("{\"resourceType\":\"Observation\",\"id\":\"d\",\"code\":{\"text\":\"only\"},"
        "\"valueDateTime\":\"2020-04-01T10:00:00Z\"}");
    finds("Observation", "code-value-concept=urn:l|1$urn:s|p", "a");
    finds("Observation", "code-value-concept=x$p", "a");
    finds("Observation", "code-value-concept=|X$urn:s|", "a");
    finds("Observation", "code-value-concept=2$p", "");
    finds("Observation", "combo-code-value-concept=1$p", "a");
    finds("Observation", "code-value-string=1$non F", "b");
    finds("Observation", "code-value-string=1$umeur", "");
    finds("Observation", "code-value-date=2$gt2020-05", "c");
    finds("Observation", "code-value-date=2$lt2020-03-02", "c");
    finds("Observation", "code-value-date=2$sa2020-03-02", "");
    finds("Observation", "code-value-date=2$2020", "c");
    finds("Observation", "code-value-date=1$2020", "");
    assert_int_equal(engine.rows_asked, 0);
    /* With a range in front the components narrow. */
    finds("Observation", "code-value-concept=urn:l|$urn:s|p", "a");
    finds("Observation", "code-value-concept=urn:l|$|p", "");
    finds("Observation", "code-value-string=urn:l|$non", "b");
    finds("Observation", "code-value-date=urn:l|$ge2020-05", "c");
}

static void composite_converts_units(void **state)
{
    (void)state;
    engine.opt.index.pairs = true;
    add("{\"resourceType\":\"Observation\",\"id\":\"a\",\"code\":{\"coding\":[{\"system\":"
        "\"http://loinc.org\",\"code\":\"29463-7\"}]},\"valueQuantity\":{\"value\":3500,"
        "\"system\":\"http://unitsofmeasure.org\",\"code\":\"g\"}}");
    add("{\"resourceType\":\"Observation\",\"id\":\"b\",\"code\":{\"coding\":[{\"system\":"
        "\"http://loinc.org\",\"code\":\"29463-7\"}]},\"valueQuantity\":{\"value\":3.2,"
        "\"comparator\":\"<\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"kg\"}}");
#define UCUM "|http://unitsofmeasure.org|"
    finds("Observation", "code-value-quantity=29463-7$3.5" UCUM "kg", "a");
    finds("Observation", "code-value-quantity=29463-7$lt3300" UCUM "g", "b");
    finds("Observation", "code-value-quantity=29463-7$ne3500" UCUM "g", "b");
    finds("Observation", "code-value-quantity=http://loinc.org|$gt3.4" UCUM "kg", "a");
    finds("Observation", "code-value-quantity=29463-7$gt1||g", "a");
    finds("Observation", "code-value-quantity=29463-7$gt1" UCUM "mL", "");
}

static void composite_of_references_and_numbers(void **state)
{
    (void)state;
    engine.opt.index.pairs = true;
    add("{\"resourceType\":\"DocumentReference\",\"id\":\"a\",\"relatesTo\":["
        "{\"code\":\"replaces\",\"target\":{\"reference\":\"DocumentReference/x\"}},"
        "{\"code\":\"appends\",\"target\":{\"reference\":\"DocumentReference/y\"}}]}");
    finds("DocumentReference", "relationship=DocumentReference/x$replaces", "a");
    finds("DocumentReference", "relationship=x$replaces", "a");
    finds("DocumentReference", "relationship=y$replaces", "");
    finds("DocumentReference",
          "relationship=y$http://hl7.org/fhir/document-relationship-type"
          "|appends",
          "a");
    add("{\"resourceType\":\"MolecularSequence\",\"id\":\"s\",\"coordinateSystem\":0,"
        "\"referenceSeq\":{\"chromosome\":{\"coding\":[{\"code\":\"1\"}]},\"windowStart\":10,"
        "\"windowEnd\":90},\"variant\":[{\"start\":20,\"end\":30},{\"start\":50,\"end\":60}]}");
    finds("MolecularSequence", "chromosome-variant-coordinate=1$gt40$lt65", "s");
    finds("MolecularSequence", "chromosome-variant-coordinate=1$lt40$gt40", "");
    finds("MolecularSequence", "chromosome-variant-coordinate=1$20$30", "s");
    finds("MolecularSequence", "chromosome-variant-coordinate=1$ne20$60", "s");
    finds("MolecularSequence", "chromosome-variant-coordinate=2$20$30", "");
    finds("MolecularSequence", "chromosome-window-coordinate=1$le10$ge90", "s");
}

/* More pairs than there are keys of, and a pair longer than a key: found all the same. */
static void composite_of_too_many_values(void **state)
{
    _cleanup_(sb_done) struct sb many = sb_make(KIB(256)), big = sb_make(KIB(4));
    char code[61] = {0};

    (void)state;
    engine.opt.index.pairs = true;
    memset(code, 'c', sizeof code - 1);
    sb_lit(&many, "{\"resourceType\":\"Observation\",\"id\":\"many\",\"component\":[");
    for (int i = 0; i < INDEX_COMPOSITES_MAX + 10; i++)
        sb_fmt(&many,
               "%s{\"code\":{\"coding\":[{\"code\":\"c\"}]},\"valueQuantity\":{\"value\":%d}}",
               i ? "," : "", i);
    sb_lit(&many, "]}");
    engine_add(&engine, arena_dup(&engine.a, sb_view(&many)));
    sb_fmt(&big,
           "{\"resourceType\":\"Observation\",\"id\":\"big\",\"code\":{\"coding\":[{\"system\":"
           "\"urn:s\",\"code\":\"%s\"}]},\"valueCodeableConcept\":{\"coding\":[{\"system\":"
           "\"urn:s\",\"code\":\"%s\"}]}}",
           code, code);
    engine_add(&engine, arena_dup(&engine.a, sb_view(&big)));
    finds("Observation", "component-code-value-quantity=c$7", "many");
    finds("Observation", "component-code-value-quantity=c$1005", "many");
    finds("Observation", "component-code-value-quantity=c$2000", "");
    finds("Observation", "combo-code-value-quantity=c$1005", "many");
    sb_reset(&big);
    sb_fmt(&big, "code-value-concept=%s$urn:s|%s", code, code);
    sb_char(&big, '\0');
    finds("Observation", big.p, "big");
}

/* ---- parameters of all resources ---- */

static void meta_parameters(void **state)
{
    (void)state;
    add("{\"resourceType\":\"Patient\",\"id\":\"a\",\"meta\":{\"lastUpdated\":"
        "\"2020-01-02T03:04:05.678Z\",\"profile\":[\"http://p/"
        "1\"],\"security\":[{\"system\":\"urn:l\","
        "\"code\":\"R\"}],\"tag\":[{\"code\":\"t\"}],\"source\":\"urn:src\"}}");
    add("{\"resourceType\":\"Observation\",\"id\":\"b\",\"meta\":{\"lastUpdated\":"
        "\"2021-01-02T03:04:05.678Z\",\"tag\":[{\"code\":\"t\"}]}}");
    finds("Patient", "_id=a", "a");
    finds("Patient", "_id=b,a", "a");
    finds("Patient", "_id=%2F", "");
    finds("Patient", "_lastUpdated=2020-01-02", "a");
    finds("Patient", "_lastUpdated=gt2020-01-02", "");
    finds("Patient", "_profile=http://p/1", "a");
    finds("Patient", "_security=urn:l|R", "a");
    finds("Patient", "_tag=t", "a");
    finds("Patient", "_source=urn:src", "a");
    finds(NULL, "_tag=t", "a b");
    finds(NULL, "_tag=t&_type=Observation", "b");
    finds(NULL, "_type=Observation,Patient&_lastUpdated=ge2021", "b");
}

#define RULE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RULE(string_starts_with_without_case_and_accents),
        RULE(string_searches_all_parts_of_names_and_addresses),
        RULE(string_longer_than_a_key_is_still_found_exactly),
        RULE(escapes_take_the_meaning_of_separators_away),
        RULE(token_with_and_without_system),
        RULE(token_code_takes_its_system_from_the_binding),
        RULE(token_boolean_and_identifier_and_contact_point),
        RULE(token_text_looks_at_display_and_text),
        RULE(missing_asks_whether_there_is_a_value),
        RULE(reference_by_id_type_and_url),
        RULE(reference_by_identifier),
        RULE(reference_canonical_with_and_without_version),
        RULE(uri_is_compared_as_it_stands),
        RULE(codes_in_sets_and_hierarchies),
        RULE(words_of_narratives_in_any_script),
        RULE(number_has_implicit_precision),
        RULE(number_ranges_are_contained_or_overlap),
        RULE(quantity_with_number_system_and_code),
        RULE(quantity_with_comparator_is_everything_beyond),
        RULE(quantity_of_money_and_age),
        RULE(date_equal_contains_the_whole_value),
        RULE(date_prefixes_by_the_ends_of_values),
        RULE(date_approximate_takes_a_tenth_of_the_gap_to_now),
        RULE(date_without_zone_takes_the_servers),
        RULE(date_instants_to_the_millisecond),
        RULE(date_of_timing_is_its_outer_limits),
        RULE(composite_holds_inside_one_element),
        RULE(composite_without_keys),
        RULE(composite_of_tokens_texts_and_dates),
        RULE(composite_converts_units),
        RULE(composite_of_references_and_numbers),
        RULE(composite_of_too_many_values),
        RULE(meta_parameters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
