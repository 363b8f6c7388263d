/* Each rule that a profile can make, on resources that keep it and that do not. What is expected
 * follows from http://hl7.org/fhir/R4/profiling.html and elementdefinition.html. */
#include "../test.h"

#include "base/fault.h"
#include "fhir/base_rules.h"
#include "fhir/path.h"
#include "fhir/profile.h"
#include "fhir/shelf.h"
#include "fhir/validate.h"

#define URL "http://example.org/p"
#define SD(type, members, elements)                                                                \
    "{\"resourceType\":\"StructureDefinition\",\"url\":\"" URL "\",\"name\":\"P\","                \
    "\"status\":\"draft\",\"kind\":\"resource\",\"abstract\":false,\"type\":\"" type "\","         \
    "\"baseDefinition\":\"http://hl7.org/fhir/StructureDefinition/" type "\","                     \
    "\"derivation\":\"constraint\"," members "\"differential\":{\"element\":[" elements "]}}"
#define NAMED(url, type, base, elements)                                                           \
    "{\"resourceType\":\"StructureDefinition\",\"url\":\"" url "\",\"name\":\"P\","                \
    "\"status\":\"draft\",\"kind\":\"resource\",\"abstract\":false,\"type\":\"" type "\","         \
    "\"baseDefinition\":\"" base "\",\"derivation\":\"constraint\","                               \
    "\"differential\":{\"element\":[" elements "]}}"
#define BASE(type) "http://hl7.org/fhir/StructureDefinition/" type
#define PATIENT(members) "{\"resourceType\":\"Patient\"" members "}"
#define OBSERVATION(members)                                                                       \
    "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"text\":\"x\"}" members "}"

struct run {
    struct arena a;
    struct shelf *shelf;
    struct profiles *set;
    struct issues issues;
};

/* R4's own definitions, once for all. */
static struct shelf *r4;

static void run_init(struct run *run, const char *const *definitions, const char *resource)
{
    static const struct str asked = STR(URL);
    struct conform_options options = {.asked = &asked, .n_asked = 1, .no_bindings = false};
    yyjson_val *root;
    struct err err;

    arena_init(&run->a, MIB(64));
    issues_init(&run->issues, &run->a);
    assert_int_equal(shelf_new_bare(&run->shelf, &err), 0);
    for (; *definitions; definitions++)
        if (shelf_put(run->shelf, str_c(*definitions), &err) < 0)
            fail_msg("%s: %s", err.text, *definitions);
    options.world = shelf_world(run->shelf, shelf_world(r4, NULL));
    options.profiles = run->set = profiles_new(options.world);
    assert_non_null(run->set);
    if (js_parse(&run->a, str_c(resource), &root, &err) < 0)
        fail_msg("%s: %s", resource, err.text);
    assert_true(fhir_validate(root, &run->issues, &err) > 0);
    assert_int_equal(conform_check(root, &options, &run->issues, &err), 0);
}

static void run_done(struct run *run)
{
    profiles_unref(run->set);
    shelf_free(run->shelf);
    arena_done(&run->a);
}

static void good_with(const char *const *definitions, const char *resource)
{
    _cleanup_(run_done) struct run run;

    run_init(&run, definitions, resource);
    for (const struct issue *i = run.issues.first; i; i = i->next)
        if (i->severity <= ISSUE_ERROR)
            fail_msg("%s: %.*s", resource, STR_ARG(i->text));
}

/* There is an issue of that severity at `where` with `says` in its text. */
static void said_with(const char *const *definitions, const char *resource,
                      enum issue_severity severity, const char *where, const char *says)
{
    _cleanup_(run_done) struct run run;

    run_init(&run, definitions, resource);
    for (const struct issue *i = run.issues.first; i; i = i->next) {
        char text[ERR_TEXT_MAX];
        snprintf(text, sizeof text, "%.*s", STR_ARG(i->text));
        if (i->severity == severity && str_eq(i->where, str_c(where)) && strstr(text, says))
            return;
    }
    for (const struct issue *i = run.issues.first; i; i = i->next)
        print_error("  %d at %.*s: %.*s\n", i->severity, STR_ARG(i->where), STR_ARG(i->text));
    fail_msg("%s: nothing at %s says \"%s\"", resource, where, says);
}

static void good(const char *definition, const char *resource)
{
    good_with((const char *const[]){definition, NULL}, resource);
}

static void bad(const char *definition, const char *resource, const char *where, const char *says)
{
    said_with((const char *const[]){definition, NULL}, resource, ISSUE_ERROR, where, says);
}

static void cardinality(void **state)
{
    static const char sd[] =
        SD("Patient", "",
           "{\"id\":\"Patient.birthDate\",\"path\":\"Patient.birthDate\",\"min\":1},"
           "{\"id\":\"Patient.name\",\"path\":\"Patient.name\",\"min\":2,\"max\":\"3\"},"
           "{\"id\":\"Patient.name.family\",\"path\":\"Patient.name.family\",\"min\":1},"
           "{\"id\":\"Patient.photo\",\"path\":\"Patient.photo\",\"max\":\"0\"}");
#define F "{\"family\":\"a\"}"

    (void)state;
    good(sd, PATIENT(",\"birthDate\":\"2000\",\"name\":[" F "," F "]"));
    bad(sd, PATIENT(",\"name\":[" F "," F "]"), "Patient.birthDate", "is required");
    bad(sd, PATIENT(",\"birthDate\":\"2000\",\"name\":[" F "]"), "Patient.name", "at least 2");
    bad(sd, PATIENT(",\"birthDate\":\"2000\",\"name\":[" F "," F "," F "," F "]"), "Patient.name",
        "at most 3");
    bad(sd, PATIENT(",\"birthDate\":\"2000\",\"name\":[" F ",{\"text\":\"x\"}]"),
        "Patient.name[1].family", "is required");
    bad(sd, PATIENT(",\"birthDate\":\"2000\",\"photo\":[{\"title\":\"x\"}],\"name\":[" F "," F "]"),
        "Patient.photo", "is not allowed");
    /* A value that is not there, with a reason why, is there. */
    good(sd, PATIENT(",\"_birthDate\":{\"extension\":[{\"url\":\"http://example.org/e\","
                     "\"valueCode\":\"x\"}]},\"name\":[" F "," F "]"));
}

static void values(void **state)
{
    static const char sd[] =
        SD("Observation", "",
           "{\"id\":\"Observation.status\",\"path\":\"Observation.status\",\"fixedCode\":"
           "\"final\"},"
           "{\"id\":\"Observation.code\",\"path\":\"Observation.code\",\"patternCodeableConcept\":{"
           "\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"1-8\"}]}},"
           "{\"id\":\"Observation.value[x]\",\"path\":\"Observation.value[x]\",\"type\":[{\"code\":"
           "\"integer\"}],\"minValueInteger\":3,\"maxValueInteger\":5},"
           "{\"id\":\"Observation.note\",\"path\":\"Observation.note\"},"
           "{\"id\":\"Observation.note.text\",\"path\":\"Observation.note.text\",\"maxLength\":3}");
#define O(status, coding, rest)                                                                    \
    "{\"resourceType\":\"Observation\",\"status\":\"" status "\",\"code\":{\"coding\":[" coding    \
    "],\"text\":\"t\"}" rest "}"
#define C18 "{\"system\":\"http://loinc.org\",\"code\":\"1-8\",\"display\":\"d\"}"

    (void)state;
    good(sd, O("final", C18, ""));
    good(sd, O("final", "{\"code\":\"x\"}," C18, ",\"valueInteger\":5"));
    bad(sd, O("amended", C18, ""), "Observation.status", "is not the fixed value \"final\"");
    bad(sd, O("final", "{\"code\":\"1-8\"}", ""), "Observation.code", "does not have the pattern");
    bad(sd, O("final", C18, ",\"valueInteger\":2"), "Observation.value", "less than the minimum");
    bad(sd, O("final", C18, ",\"valueInteger\":6"), "Observation.value", "more than the maximum");
    bad(sd, O("final", C18, ",\"valueString\":\"6\""), "Observation.value", "has the type string");
    good(sd, O("final", C18, ",\"note\":[{\"text\":\"\xc3\xa4\xc3\xb6\xc3\xbc\"}]"));
    bad(sd, O("final", C18, ",\"note\":[{\"text\":\"abcd\"}]"), "Observation.note[0].text",
        "longer than 3");
}

#define SLICED(by, rules, slices)                                                                  \
    "{\"id\":\"Patient.identifier\",\"path\":\"Patient.identifier\",\"slicing\":{"                 \
    "\"discriminator\":[" by "],\"rules\":\"" rules "\"}}," slices
#define BY_SYSTEM "{\"type\":\"value\",\"path\":\"system\"}"
#define SLICE(name, counts, system)                                                                \
    "{\"id\":\"Patient.identifier:" name "\",\"path\":\"Patient.identifier\","                  \
    "\"sliceName\":\"" name \
    "\"," counts "},{\"id\":\"Patient.identifier:" name                                            \
    ".system\",\"path\":\"Patient.identifier.system\",\"min\":1,\"fixedUri\":\"" system "\"}"
#define ID(system) "{\"system\":\"" system "\",\"value\":\"1\"}"

static void slicing_by_value(void **state)
{
    static const char open[] = SD("Patient", "",
                                  SLICED(BY_SYSTEM, "open",
                                         SLICE("a", "\"min\":1,\"max\":\"1\"",
                                               "urn:a") "," SLICE("b", "\"min\":0", "urn:b")));
    static const char closed[] = SD(
        "Patient", "", SLICED(BY_SYSTEM, "closed", SLICE("a", "\"min\":0,\"max\":\"1\"", "urn:a")));
    static const char at_end[] =
        SD("Patient", "",
           SLICED(BY_SYSTEM, "openAtEnd", SLICE("a", "\"min\":0,\"max\":\"2\"", "urn:a")));

    (void)state;
    good(open, PATIENT(",\"identifier\":[" ID("urn:c") "," ID("urn:a") "]"));
    bad(open, PATIENT(",\"identifier\":[" ID("urn:c") "]"), "Patient.identifier",
        "0 of the slice a");
    bad(open, PATIENT(",\"identifier\":[" ID("urn:a") "," ID("urn:a") "]"), "Patient.identifier",
        "2 of the slice a");
    bad(open, PATIENT(""), "Patient.identifier", "0 of the slice a");
    good(closed, PATIENT(",\"identifier\":[" ID("urn:a") "]"));
    bad(closed, PATIENT(",\"identifier\":[" ID("urn:a") "," ID("urn:c") "]"),
        "Patient.identifier[1]", "none of the slices");
    good(at_end, PATIENT(",\"identifier\":[" ID("urn:a") "," ID("urn:c") "]"));
    bad(at_end, PATIENT(",\"identifier\":[" ID("urn:c") "," ID("urn:a") "]"),
        "Patient.identifier[1]", "behind what is of none");
}

static void slicing_in_order(void **state)
{
    static const char sd[] =
        SD("Patient", "",
           "{\"id\":\"Patient.identifier\",\"path\":\"Patient.identifier\",\"slicing\":{"
           "\"discriminator\":[" BY_SYSTEM "],\"ordered\":true,\"rules\":\"open\"}}," SLICE(
               "a", "\"min\":0", "urn:a") "," SLICE("b", "\"min\":0", "urn:b"));

    (void)state;
    good(sd, PATIENT(",\"identifier\":[" ID("urn:a") "," ID("urn:b") "]"));
    bad(sd, PATIENT(",\"identifier\":[" ID("urn:b") "," ID("urn:a") "]"), "Patient.identifier[1]",
        "has to stand earlier");
}

static void slicing_by_pattern_exists_type(void **state)
{
    static const char pattern[] =
        SD("Observation", "",
           "{\"id\":\"Observation.category\",\"path\":\"Observation.category\",\"slicing\":{"
           "\"discriminator\":[{\"type\":\"pattern\",\"path\":\"$this\"}],\"rules\":\"open\"}},"
           "{\"id\":\"Observation.category:lab\",\"path\":\"Observation.category\",\"sliceName\":"
           "\"lab\",\"min\":1,\"max\":\"1\",\"patternCodeableConcept\":{\"coding\":[{\"code\":"
           "\"laboratory\"}]}}");
    static const char exists[] =
        SD("Patient", "",
           "{\"id\":\"Patient.name\",\"path\":\"Patient.name\",\"slicing\":{\"discriminator\":[{"
           "\"type\":\"exists\",\"path\":\"family\"}],\"rules\":\"open\"}},"
           "{\"id\":\"Patient.name:with\",\"path\":\"Patient.name\",\"sliceName\":\"with\","
           "\"min\":1},"
           "{\"id\":\"Patient.name:with.family\",\"path\":\"Patient.name.family\",\"min\":1},"
           "{\"id\":\"Patient.name:without\",\"path\":\"Patient.name\",\"sliceName\":\"without\","
           "\"max\":\"1\"},"
           "{\"id\":\"Patient.name:without.family\",\"path\":\"Patient.name.family\","
           "\"max\":\"0\"}");
    static const char type[] =
        SD("Observation", "",
           "{\"id\":\"Observation.valueQuantity\",\"path\":\"Observation.valueQuantity\"},"
           "{\"id\":\"Observation.valueQuantity.unit\",\"path\":\"Observation.valueQuantity.unit\","
           "\"min\":1}");

    (void)state;
    good(pattern, OBSERVATION(",\"category\":[{\"coding\":[{\"code\":\"laboratory\"}]}]"));
    bad(pattern, OBSERVATION(",\"category\":[{\"coding\":[{\"code\":\"x\"}]}]"),
        "Observation.category", "0 of the slice lab");
    good(exists, PATIENT(",\"name\":[{\"family\":\"a\"},{\"text\":\"b\"}]"));
    bad(exists, PATIENT(",\"name\":[{\"text\":\"b\"}]"), "Patient.name", "0 of the slice with");
    bad(exists, PATIENT(",\"name\":[{\"family\":\"a\"},{\"text\":\"b\"},{\"text\":\"c\"}]"),
        "Patient.name", "2 of the slice without");
    good(type, OBSERVATION(",\"valueQuantity\":{\"value\":1,\"unit\":\"x\"}"));
    good(type, OBSERVATION(",\"valueString\":\"x\""));
    bad(type, OBSERVATION(",\"valueQuantity\":{\"value\":1}"), "Observation.value.unit",
        "is required");
}

static void slices_within_slices(void **state)
{
    static const char sd[] = SD(
        "Patient", "",
        SLICED(
            BY_SYSTEM, "open",
            SLICE("a", "\"min\":0,\"max\":\"3\"",
                  "urn:a")) ",{\"id\":\"Patient.identifier:a\",\"path\":\"Patient.identifier\"}");
    static const char again[] =
        SD("Patient", "",
           "{\"id\":\"Patient.identifier\",\"path\":\"Patient.identifier\",\"slicing\":{"
           "\"discriminator\":[" BY_SYSTEM "],\"rules\":\"open\"}},"
           "{\"id\":\"Patient.identifier:a\",\"path\":\"Patient.identifier\",\"sliceName\":\"a\","
           "\"slicing\":{\"discriminator\":[{\"type\":\"value\",\"path\":\"use\"}],\"rules\":"
           "\"closed\"}},"
           "{\"id\":\"Patient.identifier:a.system\",\"path\":\"Patient.identifier.system\","
           "\"fixedUri\":\"urn:a\"},"
           "{\"id\":\"Patient.identifier:a/x\",\"path\":\"Patient.identifier\",\"sliceName\":"
           "\"a/x\",\"max\":\"1\"},"
           "{\"id\":\"Patient.identifier:a/x.use\",\"path\":\"Patient.identifier.use\",\"min\":1,"
           "\"fixedCode\":\"official\"}");
#define IDU(system, use)                                                                           \
    "{\"system\":\"" system "\",\"value\":\"1\",\"use\":\"" use "\"}"

    (void)state;
    bad(sd, PATIENT(""), "Patient", "stands twice");
    good(again, PATIENT(",\"identifier\":[" IDU("urn:a", "official") "," IDU("urn:b", "temp") "]"));
    bad(again, PATIENT(",\"identifier\":[" IDU("urn:a", "temp") "]"), "Patient.identifier[0]",
        "none of the slices");
    bad(again,
        PATIENT(",\"identifier\":[" IDU("urn:a", "official") "," IDU("urn:a", "official") "]"),
        "Patient.identifier", "2 of the slice a/x");
}

static void slicing_by_profile(void **state)
{
    static const char organisation[] =
        NAMED("http://example.org/org", "Organization", BASE("Organization"),
              "{\"id\":\"Organization.name\",\"path\":\"Organization.name\",\"min\":1}");
    static const char sd[] =
        SD("Patient", "",
           "{\"id\":\"Patient.generalPractitioner\",\"path\":\"Patient.generalPractitioner\","
           "\"slicing\":{\"discriminator\":[{\"type\":\"profile\",\"path\":\"resolve()\"}],"
           "\"rules\":\"closed\"}},"
           "{\"id\":\"Patient.generalPractitioner:o\",\"path\":\"Patient.generalPractitioner\","
           "\"sliceName\":\"o\",\"type\":[{\"code\":\"Reference\",\"targetProfile\":["
           "\"http://example.org/org\"]}]}");
    const char *const all[] = {sd, organisation, NULL};
#define GP(members)                                                                                \
    PATIENT(",\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"o\"," members             \
            "}],\"generalPractitioner\":[{\"reference\":\"#o\"}]")

    (void)state;
    good_with(all, GP("\"name\":\"x\""));
    said_with(all, GP("\"alias\":[\"x\"],\"identifier\":[{\"value\":\"1\"}]"), ISSUE_ERROR,
              "Patient.generalPractitioner[0]", "none of the slices");
}

static void references(void **state)
{
    static const char organisation[] =
        NAMED("http://example.org/org", "Organization", BASE("Organization"),
              "{\"id\":\"Organization.name\",\"path\":\"Organization.name\",\"min\":1}");
    static const char sd[] =
        SD("Patient", "",
           "{\"id\":\"Patient.managingOrganization\",\"path\":\"Patient.managingOrganization\","
           "\"type\":[{\"code\":\"Reference\",\"targetProfile\":[\"http://example.org/org\"],"
           "\"aggregation\":[\"contained\"]}]},"
           "{\"id\":\"Patient.generalPractitioner\",\"path\":\"Patient.generalPractitioner\","
           "\"type\":[{\"code\":\"Reference\",\"targetProfile\":[\"" BASE("Practitioner") "\"]}]}");
    const char *const all[] = {sd, organisation, NULL};
#define MO(members)                                                                                \
    PATIENT(",\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"o\"," members             \
            "}],\"managingOrganization\":{\"reference\":\"#o\"}")

    (void)state;
    good_with(all, MO("\"name\":\"x\""));
    said_with(all, MO("\"identifier\":[{\"value\":\"1\"}]"), ISSUE_ERROR,
              "Patient.managingOrganization", "conforms to none");
    said_with(all, PATIENT(",\"managingOrganization\":{\"reference\":\"Organization/1\"}"),
              ISSUE_ERROR, "Patient.managingOrganization", "does not allow");
    good_with(all, PATIENT(",\"generalPractitioner\":[{\"reference\":\"Practitioner/1\"}]"));
    said_with(all, PATIENT(",\"generalPractitioner\":[{\"reference\":\"Organization/1\"}]"),
              ISSUE_ERROR, "Patient.generalPractitioner[0]", "refers to a Organization");
}

static void invariants(void **state)
{
    static const char sd[] =
        SD("Patient", "",
           "{\"id\":\"Patient\",\"path\":\"Patient\",\"constraint\":[{\"key\":\"e-1\","
           "\"severity\":\"error\",\"human\":\"has a name or an identifier\",\"expression\":"
           "\"name.exists() or identifier.exists()\"},{\"key\":\"w-1\",\"severity\":\"warning\","
           "\"human\":\"is active\",\"expression\":\"active = true\"}]},"
           "{\"id\":\"Patient.name\",\"path\":\"Patient.name\",\"constraint\":[{\"key\":\"n-1\","
           "\"severity\":\"error\",\"human\":\"is of the resource\",\"expression\":"
           "\"%resource.active = true or family.exists()\"}]}");
    const char *const all[] = {sd, NULL};

    (void)state;
    good(sd, PATIENT(",\"active\":true,\"name\":[{\"text\":\"x\"}]"));
    bad(sd, PATIENT(",\"active\":true"), "Patient", "e-1: has a name or an identifier");
    said_with(all, PATIENT(",\"name\":[{\"family\":\"x\"}]"), ISSUE_WARNING, "Patient", "w-1");
    bad(sd, PATIENT(",\"name\":[{\"text\":\"x\"}]"), "Patient.name[0]", "n-1");
    /* R4's own, on a type within the resource */
    bad(sd,
        PATIENT(",\"name\":[{\"family\":\"x\","
                "\"period\":{\"start\":\"2020\",\"end\":\"2019\"}}]"),
        "Patient.name[0].period", "per-1");
}

static void bindings(void **state)
{
    static const char set[] =
        "{\"resourceType\":\"ValueSet\",\"url\":\"http://example.org/v\",\"status\":\"draft\","
        "\"compose\":{\"include\":[{\"system\":\"urn:s\",\"concept\":[{\"code\":\"a\"}]}]}}";
#define BOUND(strength, url)                                                                       \
    SD("Patient", "",                                                                              \
       "{\"id\":\"Patient.maritalStatus\",\"path\":\"Patient.maritalStatus\",\"binding\":{"        \
       "\"strength\":\"" strength "\",\"valueSet\":\"" url "\"}}")
#define MARRIED(system, code)                                                                      \
    PATIENT(",\"maritalStatus\":{\"coding\":[{\"system\":\"" system "\",\"code\":\"" code "\"}]}")
    const char *const required[] = {BOUND("required", "http://example.org/v"), set, NULL};
    const char *const extensible[] = {BOUND("extensible", "http://example.org/v"), set, NULL};
    const char *const unknown[] = {BOUND("required", "http://example.org/u"), set, NULL};

    (void)state;
    good_with(required, MARRIED("urn:s", "a"));
    said_with(required, MARRIED("urn:s", "b"), ISSUE_ERROR, "Patient.maritalStatus",
              "http://example.org/v");
    said_with(required, PATIENT(",\"maritalStatus\":{\"text\":\"x\"}"), ISSUE_ERROR,
              "Patient.maritalStatus", "has no code");
    said_with(extensible, MARRIED("urn:s", "b"), ISSUE_WARNING, "Patient.maritalStatus",
              "extensible");
    said_with(unknown, MARRIED("urn:s", "b"), ISSUE_INFORMATION, "Patient.maritalStatus",
              "not known here");
}

static void extensions(void **state)
{
    static const char plain[] = SD("Patient", "", "{\"id\":\"Patient\",\"path\":\"Patient\"}");
#define E(url, value) ",\"extension\":[{\"url\":\"" url "\"," value "}]"
    const char *const all[] = {plain, NULL};

    (void)state;
    good(plain, PATIENT(E(BASE("patient-birthPlace"), "\"valueAddress\":{\"city\":\"x\"}")));
    bad(plain, PATIENT(E(BASE("patient-birthPlace"), "\"valueString\":\"x\"")),
        "Patient.extension[0].value", "has the type string");
    bad(plain, OBSERVATION(""), "Observation", "is not a Patient");
    bad(plain,
        PATIENT(",\"name\":[{\"text\":\"x\"" E(BASE("patient-birthPlace"),
                                               "\"valueAddress\":{\"city\":\"x\"}") "}]"),
        "Patient.name[0].extension[0]", "may not stand here");
    bad(plain, PATIENT(",\"modifierExtension\":[{\"url\":\"http://x.org/m\",\"valueCode\":\"x\"}]"),
        "Patient.modifierExtension[0]", "not known here");
    said_with(all, PATIENT(E("http://x.org/e", "\"valueCode\":\"x\"")), ISSUE_INFORMATION,
              "Patient.extension[0]", "not known here");
    bad(plain,
        PATIENT(E(BASE("patient-nationality"),
                  "\"extension\":[{\"url\":\"what\",\"valueString\":\"x\"}]")),
        "Patient.extension[0].extension[0]", "no part of the extension");
}

static void bundles(void **state)
{
    static const char plain[] = SD("Bundle", "", "{\"id\":\"Bundle\",\"path\":\"Bundle\"}");
#define DOCUMENT(subject)                                                                          \
    "{\"resourceType\":\"Bundle\",\"type\":\"document\",\"timestamp\":\"2020-01-01T00:00:00Z\","   \
    "\"identifier\":{\"system\":\"urn:x\",\"value\":\"1\"},\"entry\":[{\"fullUrl\":"               \
    "\"http://x.org/Composition/c\",\"resource\":{\"resourceType\":\"Composition\",\"id\":\"c\","  \
    "\"status\":\"final\",\"type\":{\"text\":\"t\"},\"date\":\"2020\",\"title\":\"t\","            \
    "\"author\":[{\"display\":\"x\"}],\"subject\":{\"reference\":\"" subject "\"}}},"              \
    "{\"fullUrl\":\"http://x.org/Patient/p\",\"resource\":{\"resourceType\":\"Patient\","          \
    "\"id\":\"p\"}}]}"

    (void)state;
    good(plain, DOCUMENT("Patient/p"));
    good(plain, DOCUMENT("http://x.org/Patient/p"));
    bad(plain, DOCUMENT("Patient/q"), "Bundle.entry[0].resource.subject", "not in the document");
    bad(plain,
        "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{\"fullUrl\":"
        "\"http://x.org/Patient/q\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\"}}]}",
        "Bundle.entry[0].fullUrl", "another type or id");
}

static void circles(void **state)
{
    static const char a[] =
        NAMED(URL, "Patient", "http://example.org/q", "{\"id\":\"Patient\",\"path\":\"Patient\"}");
    static const char b[] =
        NAMED("http://example.org/q", "Patient", URL, "{\"id\":\"Patient\",\"path\":\"Patient\"}");
    /* A profile that asks its links for itself is no circle. */
    static const char self[] =
        SD("Patient", "",
           "{\"id\":\"Patient.link\",\"path\":\"Patient.link\"},{\"id\":\"Patient.link.other\","
           "\"path\":\"Patient.link.other\",\"type\":[{\"code\":\"Reference\","
           "\"targetProfile\":[\"" URL "\"]}]}");
    static const char wide[] =
        SD("Patient", "",
           "{\"id\":\"Patient.birthDate\",\"path\":\"Patient.birthDate\",\"max\":\"2\"}");

    (void)state;
    said_with((const char *const[]){a, b, NULL}, PATIENT(""), ISSUE_ERROR, "Patient",
              "it needs itself");
    good(self, PATIENT(",\"id\":\"x\",\"contained\":[{\"resourceType\":\"Patient\",\"id\":\"p\","
                       "\"link\":[{\"type\":\"refer\",\"other\":{\"reference\":\"#p\"}}]}],"
                       "\"link\":[{\"type\":\"refer\",\"other\":{\"reference\":\"#p\"}}]"));
    bad(wide, PATIENT(""), "Patient", "a higher max");
}

static void vital_signs(void **state)
{
    static const char plain[] = SD("Observation", "",
                                   "{\"id\":\"Observation\",\"path\":"
                                   "\"Observation\"}");
#define HEART(rest)                                                                                \
    "{\"resourceType\":\"Observation\",\"status\":\"final\",\"category\":[{\"coding\":[{"        \
    "\"system\":\"http://terminology.hl7.org/CodeSystem/observation-category\",\"code\":"         \
    "\"vital-signs\"}]}],\"code\":{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":"        \
    "\"8867-4\"}]},\"subject\":{\"reference\":\"Patient/1\"}" rest "}"
#define RATE(unit)                                                                                 \
    ",\"effectiveDateTime\":\"2020-01-01\",\"valueQuantity\":{\"value\":60,\"unit\":\"x\","     \
    "\"system\":\"http://unitsofmeasure.org\",\"code\":\"" unit "\"}"

    (void)state;
    good(plain, HEART(RATE("/min")));
    bad(plain, HEART(RATE("/h")), "Observation.value.code", "is not the fixed value");
    bad(plain, HEART(""), "Observation.effective", "is required");
}

static void codes_of_systems(void **state)
{
    static const char plain[] = SD("Patient", "", "{\"id\":\"Patient\",\"path\":\"Patient\"}");

    (void)state;
    bad(plain, MARRIED("http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "ZZZ"),
        "Patient.maritalStatus.coding[0]", "which is not in");
    good(plain, MARRIED("http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "M"));
    good(plain, MARRIED("http://example.org/unknown", "M"));
}

static void say_refused(void *ctx, struct str key, struct str why)
{
    (void)ctx;
    print_error("%.*s: %.*s\n", STR_ARG(key), STR_ARG(why));
}

/* FHIRPath compiles all of R4's own invariants. */
static void base_rules_are_whole(void **state)
{
    const struct base_rules *b = base_rules();

    (void)state;
    assert_non_null(b);
    base_rules_each_refused(b, say_refused, NULL);
    assert_int_equal(base_rules_refused(b), 0);
    assert_true(base_has_rule(b, STR("per-1")));
    assert_false(base_has_rule(b, STR("per-2")));
}

static void questionnaires(void **state)
{
    static const char q[] =
        "{\"resourceType\":\"Questionnaire\",\"url\":\"http://example.org/q\",\"status\":"
        "\"active\",\"item\":[{\"linkId\":\"1\",\"type\":\"boolean\",\"required\":true},"
        "{\"linkId\":\"2\",\"type\":\"choice\",\"answerOption\":[{\"valueCoding\":{\"code\":"
        "\"a\"}}],\"enableWhen\":[{\"question\":\"1\",\"operator\":\"=\",\"answerBoolean\":"
        "true}]},{\"linkId\":\"3\",\"type\":\"group\",\"item\":[{\"linkId\":\"3.1\",\"type\":"
        "\"string\",\"maxLength\":3,\"repeats\":true}]}]}";
    static const char plain[] =
        SD("QuestionnaireResponse", "",
           "{\"id\":\"QuestionnaireResponse\",\"path\":\"QuestionnaireResponse\"}");
    const char *const all[] = {plain, q, NULL};
#define QR(items)                                                                                  \
    "{\"resourceType\":\"QuestionnaireResponse\",\"questionnaire\":\"http://example.org/q\"," \
    "\"status\":\"completed\",\"item\":[" items "]}"
#define ITEM(id, answer) "{\"linkId\":\"" id "\",\"answer\":[{" answer "}]}"
#define YES ITEM("1", "\"valueBoolean\":true")
#define NO ITEM("1", "\"valueBoolean\":false")
#define A ITEM("2", "\"valueCoding\":{\"code\":\"a\"}")

    (void)state;
    good_with(all, QR(YES "," A));
    good_with(all, QR(NO ",{\"linkId\":\"3\",\"item\":[{\"linkId\":\"3.1\",\"answer\":[{"
                         "\"valueString\":\"abc\"},{\"valueString\":\"d\"}]}]}"));
    said_with(all, QR(NO "," A), ISSUE_ERROR, "QuestionnaireResponse.item[1]",
              "is not asked after");
    said_with(all, QR(YES "," ITEM("2", "\"valueCoding\":{\"code\":\"b\"}")), ISSUE_ERROR,
              "QuestionnaireResponse.item[1].answer[0]", "none of the answers offered");
    said_with(all, QR(YES "," ITEM("9", "\"valueBoolean\":true")), ISSUE_ERROR,
              "QuestionnaireResponse.item[1]", "is not asked here");
    said_with(all, QR(ITEM("1", "\"valueString\":\"x\"")), ISSUE_ERROR,
              "QuestionnaireResponse.item[0].answer[0]", "another type");
    said_with(all, QR("{\"linkId\":\"3\",\"item\":[" ITEM("3.1", "\"valueString\":\"x\"") "]}"),
              ISSUE_ERROR, "QuestionnaireResponse", "required question");
    said_with(all,
              QR(YES ",{\"linkId\":\"3\",\"item\":[" ITEM("3.1", "\"valueString\":\"abcd\"") "]}"),
              ISSUE_ERROR, "QuestionnaireResponse.item[1].item[0].answer[0]", "is longer");
    said_with(all,
              QR("{\"linkId\":\"1\",\"answer\":[{\"valueBoolean\":true},{\"valueBoolean\":"
                 "false}]}"),
              ISSUE_ERROR, "QuestionnaireResponse.item[0]", "several answers");
    said_with(all, QR(A "," YES), ISSUE_ERROR, "QuestionnaireResponse.item[1]",
              "stands behind what comes after");
}

/* Whatever allocation fails, the check ends, says so, and leaves the set usable. */
static void memory_may_fail(void **state)
{
    static const char sd[] = SD(
        "Patient", "", SLICED(BY_SYSTEM, "open", SLICE("a", "\"min\":1,\"max\":\"1\"", "urn:a")));
    static const struct str asked = STR(URL);
    _cleanup_(shelf_freep) struct shelf *shelf = NULL;
    struct conform_options options = {.asked = &asked, .n_asked = 1};
    struct err err;

    (void)state;
    assert_non_null(base_rules());
    assert_int_equal(shelf_new_bare(&shelf, &err), 0);
    assert_int_equal(shelf_put(shelf, str_c(sd), &err), 0);
    options.world = shelf_world(shelf, shelf_world(r4, NULL));
    FAULT_LOOP(false) {
        _cleanup_(profiles_unrefp) struct profiles *set = NULL;
        _cleanup_(arena_done) struct arena a;
        struct issues issues;
        yyjson_val *root;
        arena_init(&a, MIB(16));
        options.profiles = set = profiles_new(options.world);
        if (!set || js_parse(&a, STR(PATIENT("")), &root, &err) < 0)
            continue;
        issues_init(&issues, &a);
        if (conform_check(root, &options, &issues, &err) < 0)
            assert_int_equal(err.code, ERR_NO_MEMORY);
        else
            assert_true(issues.n > 0);
    }
}

/* The same of a response, whose questionnaire states a constraint. */
static void a_response_may_fail(void **state)
{
    static const char q[] =
        "{\"resourceType\":\"Questionnaire\",\"url\":\"http://example.org/q\",\"status\":"
        "\"active\",\"item\":[{\"linkId\":\"1\",\"type\":\"boolean\",\"extension\":[{\"url\":"
        "\"http://hl7.org/fhir/StructureDefinition/questionnaire-constraint\",\"extension\":["
        "{\"url\":\"key\",\"valueId\":\"k\"},{\"url\":\"expression\",\"valueString\":"
        "\"answer.value and %qitem.exists()\"}]}]}]}";
    _cleanup_(shelf_freep) struct shelf *shelf = NULL;
    struct conform_options options = {.n_asked = 0};
    unsigned held = 0, failed = 0;
    struct err err;

    (void)state;
    assert_int_equal(shelf_new_bare(&shelf, &err), 0);
    assert_int_equal(shelf_put(shelf, str_c(q), &err), 0);
    options.world = shelf_world(shelf, shelf_world(r4, NULL));
    FAULT_LOOP(false) {
        _cleanup_(arena_done) struct arena a;
        struct issues issues;
        yyjson_val *root;
        arena_init(&a, MIB(16));
        if (js_parse(&a, STR(QR(NO)), &root, &err) < 0)
            continue;
        issues_init(&issues, &a);
        if (conform_check(root, &options, &issues, &err) < 0) {
            assert_int_equal(err.code, ERR_NO_MEMORY);
            failed++;
            continue;
        }
        assert_true(issues.n_errors > 0);
        held++;
    }
    assert_true(held > 0);
    assert_true(failed > 0);
}

/* What the world answers about elements of a resource, from outside of a check. */
static void questions_from_outside(void **state)
{
    static const char *const definitions[] = {
        NAMED("http://example.org/name", "HumanName", BASE("HumanName"),
              "{\"id\":\"HumanName.family\",\"path\":\"HumanName.family\",\"min\":1}"),
        SD("Patient", "",
           "{\"id\":\"Patient.name\",\"path\":\"Patient.name\",\"slicing\":{\"rules\":\"open\","
           "\"discriminator\":[{\"type\":\"value\",\"path\":\"use\"}]}},"
           "{\"id\":\"Patient.name:legal\",\"path\":\"Patient.name\",\"sliceName\":\"legal\"},"
           "{\"id\":\"Patient.name:legal.use\",\"path\":\"Patient.name.use\",\"min\":1,"
           "\"fixedCode\":\"official\"}"),
        NULL};
    static const struct {
        const char *expression, *want; /* NULL: an error */
    } rows[] = {
        {"name.where(conformsTo('http://example.org/name')).use", "[\"official\"]"},
        {"name.select(conformsTo('http://example.org/name'))", "[true,false]"},
        {"gender.conformsTo('http://example.org/name')", "[false]"},
        {"conformsTo('" URL "')", "[true]"},
        {"name.select(conformsTo('" URL "'))", "[false,false]"},
        {"conformsTo('http://example.org/none')", NULL},
        {"name.slice('" URL "', 'legal').family", "[\"a\"]"},
        {"slice('" URL "', 'legal').family", "[\"a\"]"},
        {"contact.name.slice('" URL "', 'legal')", "[]"},
        {"name.slice('" URL "', 'none')", NULL},
        {"name.slice('http://example.org/none', 'legal')", NULL},
    };
    static const char resource[] = PATIENT(
        ",\"gender\":\"male\",\"contact\":[{\"name\":{\"use\":\"official\",\"text\":\"c\"}}],"
        "\"name\":[{\"use\":\"official\",\"family\":\"a\"},{\"use\":\"usual\",\"text\":\"b\"}]");
    struct profile_world world;
    struct run run;

    (void)state;
    run_init(&run, definitions, PATIENT(""));
    profile_world(&world, run.set, shelf_world(run.shelf, shelf_world(r4, NULL)));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        _cleanup_(sb_done) struct sb out = sb_make(KIB(64));
        struct path_env env = {.a = &run.a, .world = &world.over.world};
        struct path_items items = {0};
        struct path_item focus;
        const struct path *path;
        struct err err;
        int r;
        assert_int_equal(js_parse(&run.a, str_c(resource), &env.resource, &err), 0);
        focus = path_root(env.resource);
        assert_int_equal(path_compile(&run.a, str_c(rows[i].expression), focus.type, &path, &err),
                         0);
        r = path_eval(path, &env, &focus, &items, &err);
        assert_int_equal(r, rows[i].want ? 0 : ERR_VALUE);
        path_write(&out, &items);
        sb_char(&out, '\0');
        if (rows[i].want)
            assert_string_equal(out.p, rows[i].want);
    }
    run_done(&run);
}

/* The elements of a differential have no ids: what comes behind a slice and below it is of it. */
static void differentials_by_order(void **state)
{
    static const char sd[] =
        SD("Patient", "",
           "{\"path\":\"Patient\"},"
           "{\"path\":\"Patient.identifier\",\"slicing\":{\"discriminator\":[{\"type\":\"value\","
           "\"path\":\"system\"}],\"rules\":\"open\"}},"
           "{\"path\":\"Patient.identifier\",\"sliceName\":\"a\",\"min\":1},"
           "{\"path\":\"Patient.identifier.system\",\"fixedUri\":\"urn:a\"},"
           "{\"path\":\"Patient.identifier.value\",\"min\":1},"
           "{\"path\":\"Patient.identifier\",\"sliceName\":\"b\",\"max\":\"1\"},"
           "{\"path\":\"Patient.identifier.system\",\"fixedUri\":\"urn:b\"},"
           "{\"path\":\"Patient.identifier.period\",\"min\":1},"
           "{\"path\":\"Patient.identifier.period.start\",\"min\":1},"
           "{\"path\":\"Patient.birthDate\",\"min\":1}");
    static const char within[] =
        SD("Patient", "",
           "{\"path\":\"Patient.contact\",\"slicing\":{\"discriminator\":[{\"type\":\"value\","
           "\"path\":\"gender\"}],\"rules\":\"open\"}},"
           "{\"path\":\"Patient.contact\",\"sliceName\":\"m\"},"
           "{\"path\":\"Patient.contact.gender\",\"min\":1,\"fixedCode\":\"male\"},"
           "{\"path\":\"Patient.contact.telecom\",\"slicing\":{\"discriminator\":[{\"type\":"
           "\"value\",\"path\":\"system\"}],\"rules\":\"open\"}},"
           "{\"path\":\"Patient.contact.telecom\",\"sliceName\":\"phone\",\"min\":1},"
           "{\"path\":\"Patient.contact.telecom.system\",\"fixedCode\":\"phone\"},"
           "{\"path\":\"Patient.contact.telecom.use\",\"min\":1},"
           "{\"path\":\"Patient.contact.address\",\"min\":1},"
           "{\"path\":\"Patient.contact\",\"sliceName\":\"f\"},"
           "{\"path\":\"Patient.contact.gender\",\"min\":1,\"fixedCode\":\"female\"},"
           "{\"path\":\"Patient.contact.telecom\",\"max\":\"0\"}");
    static const char choice[] =
        SD("Observation", "",
           "{\"path\":\"Observation.value[x]\",\"slicing\":{\"discriminator\":[{\"type\":"
           "\"type\",\"path\":\"$this\"}],\"rules\":\"open\"}},"
           "{\"path\":\"Observation.value[x]\",\"type\":[{\"code\":\"Quantity\"}]},"
           "{\"path\":\"Observation.value[x].code\",\"min\":1},"
           "{\"path\":\"Observation.value[x]\",\"sliceName\":\"valueString\","
           "\"type\":[{\"code\":\"string\"}],\"maxLength\":3}");
    static const char again[] = SD("Patient", "",
                                   "{\"path\":\"Patient.birthDate\",\"min\":1},"
                                   "{\"path\":\"Patient.birthDate\",\"max\":\"1\"}");
#define IDENTIFIERS(one, two) ",\"birthDate\":\"2000\",\"identifier\":[" one "," two "]"
#define OF_A "{\"system\":\"urn:a\",\"value\":\"1\"}"
#define OF_B "{\"system\":\"urn:b\",\"period\":{\"start\":\"2000\"}}"
#define CONTACT(gender, rest) \
    ",\"contact\":[{\"gender\":\"" gender "\",\"name\":{\"text\":\"x\"}" rest "}]"

    (void)state;
    good(sd, PATIENT(IDENTIFIERS(OF_A, OF_B)));
    bad(sd, PATIENT(IDENTIFIERS("{\"system\":\"urn:a\"}", OF_B)), "Patient.identifier[0].value",
        "is required");
    bad(sd, PATIENT(IDENTIFIERS(OF_A, "{\"system\":\"urn:b\",\"period\":{\"end\":\"2000\"}}")),
        "Patient.identifier[1].period.start", "is required");
    bad(sd, PATIENT(IDENTIFIERS(OF_B, OF_B)), "Patient.identifier", "at least 1");
    good(within, PATIENT(CONTACT("female", "")));
    good(within, PATIENT(CONTACT("male", ",\"address\":{\"text\":\"x\"},\"telecom\":[{"
                                         "\"system\":\"phone\",\"value\":\"1\","
                                         "\"use\":\"home\"}]")));
    bad(within,
        PATIENT(CONTACT("male", ",\"address\":{\"text\":\"x\"},\"telecom\":[{"
                                "\"system\":\"phone\",\"value\":\"1\"}]")),
        "Patient.contact[0].telecom[0].use", "is required");
    bad(within,
        PATIENT(CONTACT("male", ",\"telecom\":[{\"system\":\"phone\",\"value\":\"1\","
                                "\"use\":\"home\"}]")),
        "Patient.contact[0].address", "is required");
    bad(within, PATIENT(CONTACT("female", ",\"telecom\":[{\"value\":\"1\",\"system\":\"fax\"}]")),
        "Patient.contact[0].telecom", "is not allowed");
    good(choice, OBSERVATION(",\"valueInteger\":7"));
    good(choice, OBSERVATION(",\"valueString\":\"abc\""));
    bad(choice, OBSERVATION(",\"valueQuantity\":{\"value\":1}"), "Observation.value.code",
        "is required");
    bad(choice, OBSERVATION(",\"valueString\":\"abcd\""), "Observation.value", "longer than");
    said_with((const char *const[]){again, NULL}, PATIENT(""), ISSUE_ERROR, "Patient",
              "stands twice");
}

/* How often an extension may stand its definition's root says, where the slice does not. */
static void extension_counts(void **state)
{
#define EXTENSION_SD(counts)                                                                       \
    NAMED(                                                                                         \
        "http://example.org/x", "Extension", BASE("Extension"),                                    \
        "{\"id\":\"Extension\",\"path\":\"Extension\"" counts "},"                                \
        "{\"id\":\"Extension.url\",\"path\":\"Extension.url\"," \
        "\"fixedUri\":\"http://example.org/x\"}")
#define WITH_SLICE(counts) \
    SD("Patient", "", \
       "{\"id\":\"Patient.extension:x\",\"path\":\"Patient.extension\"," \
       "\"sliceName\":\"x\"" counts \
       ",\"type\":[{\"code\":\"Extension\",\"profile\":[\"http://example.org/x\"]}]}")
#define ONE_X "{\"url\":\"http://example.org/x\",\"valueString\":\"x\"}"
    static const char one[] = EXTENSION_SD(",\"min\":0,\"max\":\"1\"");
    static const char needed[] = EXTENSION_SD(",\"min\":1,\"max\":\"2\"");
    static const char plain[] = EXTENSION_SD("");
    const char *const silent_one[] = {WITH_SLICE(""), one, NULL};
    const char *const silent_needed[] = {WITH_SLICE(""), needed, NULL};
    const char *const silent_plain[] = {WITH_SLICE(""), plain, NULL};
    const char *const said_needed[] = {WITH_SLICE(",\"min\":0,\"max\":\"1\""), needed, NULL};

    (void)state;
    good_with(silent_one, PATIENT(",\"extension\":[" ONE_X "]"));
    good_with(silent_one, PATIENT(""));
    said_with(silent_one, PATIENT(",\"extension\":[" ONE_X "," ONE_X "]"), ISSUE_ERROR,
              "Patient.extension", "at most 1");
    said_with(silent_needed, PATIENT(""), ISSUE_ERROR, "Patient.extension", "at least 1");
    good_with(silent_needed, PATIENT(",\"extension\":[" ONE_X "," ONE_X "]"));
    said_with(silent_needed, PATIENT(",\"extension\":[" ONE_X "," ONE_X "," ONE_X "]"), ISSUE_ERROR,
              "Patient.extension", "at most 2");
    good_with(silent_plain, PATIENT(",\"extension\":[" ONE_X "," ONE_X "," ONE_X "]"));
    good_with(said_needed, PATIENT(""));
    said_with(said_needed, PATIENT(",\"extension\":[" ONE_X "," ONE_X "]"), ISSUE_ERROR,
              "Patient.extension", "at most 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differentials_by_order),
        cmocka_unit_test(extension_counts),
        cmocka_unit_test(cardinality),
        cmocka_unit_test(values),
        cmocka_unit_test(slicing_by_value),
        cmocka_unit_test(slicing_in_order),
        cmocka_unit_test(slicing_by_pattern_exists_type),
        cmocka_unit_test(slices_within_slices),
        cmocka_unit_test(slicing_by_profile),
        cmocka_unit_test(references),
        cmocka_unit_test(invariants),
        cmocka_unit_test(bindings),
        cmocka_unit_test(extensions),
        cmocka_unit_test(bundles),
        cmocka_unit_test(circles),
        cmocka_unit_test(base_rules_are_whole),
        cmocka_unit_test(questionnaires),
        cmocka_unit_test(vital_signs),
        cmocka_unit_test(codes_of_systems),
        cmocka_unit_test(questions_from_outside),
        cmocka_unit_test(memory_may_fail),
        cmocka_unit_test(a_response_may_fail),
    };
    struct err err;
    int failed;

    if (shelf_new(&r4, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    shelf_free(r4);
    return failed;
}
