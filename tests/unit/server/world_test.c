/* What pure code is answered by a store: canonicals, references. */
#include "node.h"

static struct node node;

static struct str canonical_id(int type, const char *url)
{
    struct err err = {0};
    yyjson_val *v = NULL;

    if (node.world->canonical(node.world->ctx, &node.a, type, str_c(url), &v, &err) < 0)
        fail_msg("%s", err.text);
    return v ? js_get_str(v, "id") : STR_NULL;
}

static struct str reference_id(const char *reference)
{
    struct err err = {0};
    yyjson_val *v = NULL;

    if (node.world->reference(node.world->ctx, &node.a, str_c(reference), &v, &err) < 0)
        fail_msg("%s", err.text);
    return v ? js_get_str(v, "id") : STR_NULL;
}

static void finds_base_definitions(void **state)
{
    int type = def_resource(STR("StructureDefinition"));

    (void)state;
    assert_str(canonical_id(type, "http://hl7.org/fhir/StructureDefinition/Patient"),
               STR("Patient"));
    assert_str(canonical_id(type, "http://hl7.org/fhir/StructureDefinition/Patient|4.0.1"),
               STR("Patient"));
    assert_null(canonical_id(type, "http://hl7.org/fhir/StructureDefinition/Patient|3.0.0").p);
    assert_null(canonical_id(type, "http://hl7.org/fhir/ValueSet/administrative-gender").p);
    assert_str(canonical_id(0, "http://hl7.org/fhir/ValueSet/administrative-gender"),
               STR("administrative-gender"));
    assert_str(canonical_id(0, "http://hl7.org/fhir/administrative-gender"),
               STR("administrative-gender"));
    assert_null(canonical_id(0, "http://example.org/none").p);
    assert_null(canonical_id(0, "").p);
    assert_null(canonical_id(type, "a,b\\$|").p);
}

static void takes_the_newest_version(void **state)
{
    int type = def_resource(STR("ValueSet"));

    (void)state;
    node_keep(&node, "{\"resourceType\":\"ValueSet\",\"id\":\"b\",\"url\":\"http://e.org/v,1\","
                     "\"version\":\"1.10.0\",\"status\":\"active\"}");
    node_keep(&node, "{\"resourceType\":\"ValueSet\",\"id\":\"a\",\"url\":\"http://e.org/v,1\","
                     "\"version\":\"1.9.2\",\"status\":\"active\"}");
    assert_str(canonical_id(type, "http://e.org/v,1"), STR("b"));
    assert_str(canonical_id(type, "http://e.org/v,1|1.9.2"), STR("a"));
    /* A word is no number: what was stored last. */
    node_keep(&node, "{\"resourceType\":\"ValueSet\",\"id\":\"c\",\"url\":\"http://e.org/v,1\","
                     "\"version\":\"spring\",\"status\":\"active\"}");
    assert_str(canonical_id(type, "http://e.org/v,1"), STR("c"));
}

static void follows_references(void **state)
{
    (void)state;
    node_keep(&node, "{\"resourceType\":\"Patient\",\"id\":\"p1\"}");
    assert_str(reference_id("Patient/p1"), STR("p1"));
    assert_null(reference_id("Patient/p2").p);
    assert_null(reference_id("Observation/p1").p);
    assert_null(reference_id("http://elsewhere.org/fhir/Patient/p1").p);
    assert_null(reference_id("Patient/p1/_history/1").p);
    assert_null(reference_id("Patient/p1/x").p);
    assert_null(reference_id("#p1").p);
    assert_null(reference_id("").p);
    assert_null(reference_id("urn:uuid:0b0ba0a2-5a9d-4ba2-a06e-000000000000").p);
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
        cmocka_unit_test(finds_base_definitions),
        cmocka_unit_test(takes_the_newest_version),
        cmocka_unit_test(follows_references),
    };

    return cmocka_run_group_tests(tests, open_node, close_node);
}
