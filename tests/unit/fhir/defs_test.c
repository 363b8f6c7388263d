#include "../test.h"

#include "fhir/defs.h"

static void resource_types_are_numbered(void **state)
{
    (void)state;
    assert_int_equal(def_resource(STR("Account")), 1);
    assert_int_equal(def_resource(STR("Patient")), 103);
    assert_int_equal(def_resource(STR("VisionPrescription")), DEF_RESOURCE_MAX);
    assert_int_equal(def_resource(STR("Resource")), 0);
    assert_int_equal(def_resource(STR("DomainResource")), 0);
    assert_int_equal(def_resource(STR("HumanName")), 0);
    assert_int_equal(def_resource(STR("patient")), 0);
    assert_int_equal(def_resource(STR("")), 0);
    for (int i = 1; i <= DEF_RESOURCE_MAX; i++) {
        assert_int_equal(def_resource(def_resource_name(i)), i);
        assert_int_equal(def_resource_type(i)->kind, DEF_RESOURCE);
        if (i > 1)
            assert_true(str_cmp(def_resource_name(i - 1), def_resource_name(i)) < 0);
    }
}

static void types_inherit(void **state)
{
    const struct def_type *t = def_type(STR("Patient"));
    static const char *const order[] = {
        "id",         "meta",      "implicitRules", "language",
        "text",       "contained", "extension",     "modifierExtension",
        "identifier", "active",    "name",
    };

    (void)state;
    assert_non_null(t);
    assert_str(t->base->name, STR("DomainResource"));
    assert_str(t->base->base->name, STR("Resource"));
    assert_null(t->base->base->base);
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        assert_str(t->elements[i].name, str_c(order[i]));
    t = def_type(STR("Patient.contact"));
    assert_int_equal(t->kind, DEF_BACKBONE);
    assert_str(t->base->name, STR("BackboneElement"));
    assert_str(t->elements[0].name, STR("id"));
    assert_str(t->elements[0].types[0]->name, STR("string"));
    assert_str(def_type(STR("Patient"))->elements[0].types[0]->name, STR("id"));
    assert_str(def_type(STR("Age"))->base->name, STR("Quantity"));
    assert_int_equal(def_type(STR("Age"))->n_elements, 7);
    assert_int_equal(def_type(STR("canonical"))->kind, DEF_PRIMITIVE);
    assert_int_equal(def_type(STR("canonical"))->n_elements, 2);
    assert_null(def_type(STR("Patient.name")));
    assert_null(def_type(STR("Nothing")));
}

static const struct def_element *member(const char *of, const char *name, const char *type)
{
    const struct def_type *t = NULL;
    const struct def_element *e = def_member(def_type(str_c(of)), str_c(name), &t);

    if (!type) {
        assert_null(e);
        return NULL;
    }
    assert_non_null(e);
    assert_str(t->name, str_c(type));
    return e;
}

static void members_are_found(void **state)
{
    const struct def_element *e;

    (void)state;
    e = member("Patient", "birthDate", "date");
    assert_int_equal(e->min, 0);
    assert_int_equal(e->max, 1);
    e = member("Patient", "contact", "Patient.contact");
    assert_int_equal(e->max, DEF_MAX_UNBOUNDED);
    e = member("Patient", "deceasedBoolean", "boolean");
    assert_true(e->is_choice && e->is_modifier && e->is_summary);
    assert_str(e->name, STR("deceased"));
    assert_ptr_equal(e, member("Patient", "deceasedDateTime", "dateTime"));
    member("Patient", "deceased", NULL);
    member("Patient", "deceasedString", NULL);
    member("Patient", "deceased[x]", NULL);
    member("Patient", "_birthDate", NULL);
    member("Patient", "", NULL);
    member("Patient", "resourceType", NULL);
    member("Extension", "valueCodeableConcept", "CodeableConcept");
    member("Extension", "valueBase64Binary", "base64Binary");
    member("Extension", "url", "uri");
    member("Bundle.entry", "link", "Bundle.link");
    member("Bundle.entry", "resource", "Resource");
    member("Questionnaire.item", "item", "Questionnaire.item");
    member("Observation.component", "referenceRange", "Observation.referenceRange");
    member("Timing.repeat", "boundsPeriod", "Period");
    e = member("xhtml", "extension", "Extension");
    assert_int_equal(e->max, 0);
    e = member("Observation", "status", "code");
    assert_int_equal(e->min, 1);
}

static void every_member_leads_to_its_element(void **state)
{
    size_t n = 0;

    (void)state;
    for (int i = 1; i <= DEF_RESOURCE_MAX; i++) {
        const struct def_type *t = def_resource_type(i);
        for (size_t k = 0; k < t->n_elements; k++) {
            const struct def_element *e = &t->elements[k];
            const struct def_type *type;
            assert_non_null(e->types[0]);
            if (e->is_choice)
                continue;
            assert_null(e->types[1]);
            assert_ptr_equal(def_member(t, e->name, &type), e);
            assert_ptr_equal(type, e->types[0]);
            n++;
        }
    }
    assert_true(n > 3000);
}

/* In the order of the definition, out of it, and with members that are none. */
static void members_are_found_one_after_the_other(void **state)
{
    static const char *const names[] = {
        "id",     "meta",     "active",          "name", "gender", "birthDate", "photo",
        "active", "nonsense", "deceasedBoolean", "link", "id"};
    const struct def_type *patient = def_type(STR("Patient")), *type, *wanted;
    size_t at = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct def_element *e = def_member(patient, str_c(names[i]), &wanted);
        assert_ptr_equal(def_next_member(patient, str_c(names[i]), &at, &type), e);
        if (e)
            assert_ptr_equal(type, wanted);
    }
}

static void targets_name_types(void **state)
{
    const struct def_element *e = member("Observation", "subject", "Reference");
    int patient = def_resource(STR("Patient")), group = def_resource(STR("Group"));

    (void)state;
    assert_int_equal(e->targets[0], patient);
    assert_int_equal(e->targets[1], group);
    assert_int_equal(e->targets[4], 0);
    assert_null(member("Observation", "focus", "Reference")->targets);
    assert_null(member("Observation", "status", "code")->targets);
}

static void code_lists_hold_their_codes(void **state)
{
    const struct def_codes *c = member("Patient", "gender", "code")->codes;
    struct str gender = STR("http://hl7.org/fhir/administrative-gender");

    (void)state;
    assert_non_null(c);
    assert_str(def_codes_url(c), STR("http://hl7.org/fhir/ValueSet/administrative-gender"));
    assert_true(def_codes_has(c, STR_NULL, STR("female")));
    assert_true(def_codes_has(c, gender, STR("unknown")));
    assert_false(def_codes_has(c, STR("http://loinc.org"), STR("female")));
    assert_false(def_codes_has(c, STR_NULL, STR("Female")));
    assert_false(def_codes_has(c, STR_NULL, STR("")));
    /* nested concepts, two systems, and a list that the definitions do not hold */
    c = member("Condition", "clinicalStatus", "CodeableConcept")->codes;
    assert_true(def_codes_has(c, STR_NULL, STR("relapse")));
    c = member("ParameterDefinition", "type", "code")->codes;
    assert_true(def_codes_has(c, STR_NULL, STR("Patient")));
    assert_true(def_codes_has(c, STR_NULL, STR("HumanName")));
    assert_null(member("Attachment", "contentType", "code")->codes);
    assert_int_equal(member("Attachment", "contentType", "code")->binding, DEF_REQUIRED);
    assert_null(member("Observation", "code", "CodeableConcept")->codes);
}

static const struct def_param *param(const char *type, const char *code)
{
    size_t n;
    const struct def_param *p = def_params(&n);

    for (size_t i = 0; i < n; i++)
        if (p[i].type == def_resource(str_c(type)) && str_eq(p[i].code, str_c(code)))
            return &p[i];
    return NULL;
}

static void params_are_narrowed(void **state)
{
    static const struct {
        const char *type, *code, *expression;
    } want[] = {
        {"Patient", "birthdate", "Patient.birthDate"},
        {"Patient", "phone", "Patient.telecom.where(system='phone')"},
        {"Patient", "_tag", "Patient.meta.tag"},
        {"Binary", "_profile", "Binary.meta.profile"},
        {"Observation", "patient", "Observation.subject.where(resolve() is Patient)"},
        {"Observation", "code", "Observation.code"},
        {"AllergyIntolerance", "code",
         "AllergyIntolerance.code | AllergyIntolerance.reaction.substance"},
        {"MedicationRequest", "code", "(MedicationRequest.medication as CodeableConcept)"},
        {"InsurancePlan", "name", "InsurancePlan.name | InsurancePlan.alias"},
        {"Patient", "deceased", "Patient.deceased.exists() and Patient.deceased != false"},
        {"Bundle", "message", "Bundle.entry[0].resource"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        const struct def_param *p = param(want[i].type, want[i].code);
        assert_non_null(p);
        assert_str(p->expression, str_c(want[i].expression));
    }
    assert_null(param("Patient", "_id"));
    assert_null(param("Patient", "_lastUpdated"));
    assert_null(param("Patient", "nothing"));
    assert_int_equal(param("Observation", "patient")->targets[0], def_resource(STR("Patient")));
    assert_null(param("Patient", "gender")->targets);
}

static void params_are_sorted_and_whole(void **state)
{
    size_t n;
    const struct def_param *p = def_params(&n);
    static bool seen[0x8000];

    (void)state;
    assert_true(n > 2000);
    for (size_t i = 0; i < n; i++) {
        assert_in_range(p[i].id, 1, 0x7fff);
        assert_false(seen[p[i].id]);
        seen[p[i].id] = true;
        assert_true(p[i].expression.n > 0);
        assert_true(str_starts(p[i].url, STR("http://hl7.org/fhir/SearchParameter/")));
        if (i)
            assert_true(p[i - 1].type < p[i].type ||
                        (p[i - 1].type == p[i].type && str_cmp(p[i - 1].code, p[i].code) < 0));
        assert_true((p[i].kind == PARAM_COMPOSITE) == (p[i].n_components > 1));
        for (size_t k = 0; k < p[i].n_components; k++) {
            char code[64];
            snprintf(code, sizeof code, "%.*s", STR_ARG(p[i].components[k].code));
            assert_non_null(param((char *)(uintptr_t)def_resource_name(p[i].type).p, code));
        }
    }
}

static void compartments_hold_types(void **state)
{
    int observation = def_resource(STR("Observation"));
    const struct str *codes = def_compartment_params(COMPARTMENT_PATIENT, observation);

    (void)state;
    assert_int_equal(def_compartment_type(COMPARTMENT_PATIENT), def_resource(STR("Patient")));
    assert_int_equal(def_compartment_type(COMPARTMENT_DEVICE), def_resource(STR("Device")));
    assert_str(codes[0], STR("subject"));
    assert_str(codes[1], STR("performer"));
    assert_null(codes[2].p);
    assert_null(def_compartment_params(COMPARTMENT_PATIENT, def_resource(STR("Location"))));
    for (int c = 0; c < COMPARTMENT_COUNT; c++) {
        codes = def_compartment_params((enum def_compartment)c,
                                       def_compartment_type((enum def_compartment)c));
        assert_non_null(codes);
        assert_str(codes[0], STR("{def}"));
    }
}

static void compartment_codes_are_params(void **state)
{
    (void)state;
    for (int c = 0; c < COMPARTMENT_COUNT; c++)
        for (int t = 1; t <= DEF_RESOURCE_MAX; t++) {
            const struct str *codes = def_compartment_params((enum def_compartment)c, t);
            for (; codes && codes->p; codes++)
                if (!str_eq(*codes, STR("{def}")) && !param(def_resource_name(t).p, codes->p))
                    fail_msg("%s has no parameter %s", def_resource_name(t).p, codes->p);
        }
}

static void systems_have_numbers(void **state)
{
    (void)state;
    assert_int_equal(def_system(STR("http://loinc.org")), 1);
    assert_int_equal(def_system(STR("http://snomed.info/sct")), 2);
    assert_int_equal(def_system(STR("http://unitsofmeasure.org")), 3);
    assert_int_equal(def_system(STR("http://id.who.int/icd/release/11/mms")), 4);
    assert_true(def_system(STR("http://hl7.org/fhir/administrative-gender")) > 0);
    assert_true(def_system(STR("http://terminology.hl7.org/CodeSystem/v2-0203")) > 0);
    assert_int_equal(def_system(STR("http://loinc.org/")), 0);
    assert_int_equal(def_system(STR("")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resource_types_are_numbered),
        cmocka_unit_test(types_inherit),
        cmocka_unit_test(members_are_found),
        cmocka_unit_test(every_member_leads_to_its_element),
        cmocka_unit_test(members_are_found_one_after_the_other),
        cmocka_unit_test(targets_name_types),
        cmocka_unit_test(code_lists_hold_their_codes),
        cmocka_unit_test(params_are_narrowed),
        cmocka_unit_test(params_are_sorted_and_whole),
        cmocka_unit_test(compartments_hold_types),
        cmocka_unit_test(compartment_codes_are_params),
        cmocka_unit_test(systems_have_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
