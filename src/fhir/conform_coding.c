/* conform_coding.c - a Coding by itself, whatever it is bound to: its system is a code system and
 * goes by the name that everybody uses, the system has the code, the display is the code's.
 *
 * Source: http://hl7.org/fhir/R4/datatypes.html#Coding, terminologies-systems.html.
 */
#include "fhir/profile_int.h"

#include "fhir/check_digit.h"

/* The names that R4 fixes for systems, and the OIDs that they go by elsewhere. */
static const struct {
    struct str uri, oid;
} named_systems[] = {
    {STR("http://snomed.info/sct"), STR("2.16.840.1.113883.6.96")},
    {STR("http://loinc.org"), STR("2.16.840.1.113883.6.1")},
    {STR("http://unitsofmeasure.org"), STR("2.16.840.1.113883.6.8")},
    {STR("http://www.nlm.nih.gov/research/umls/rxnorm"), STR("2.16.840.1.113883.6.88")},
    {STR("http://hl7.org/fhir/sid/icd-10"), STR("2.16.840.1.113883.6.3")},
    {STR("http://hl7.org/fhir/sid/icd-10-cm"), STR("2.16.840.1.113883.6.90")},
    {STR("http://hl7.org/fhir/sid/icd-9-cm"), STR("2.16.840.1.113883.6.103")},
    {STR("http://hl7.org/fhir/sid/ndc"), STR("2.16.840.1.113883.6.69")},
    {STR("http://hl7.org/fhir/sid/cvx"), STR("2.16.840.1.113883.12.292")},
    {STR("http://www.ama-assn.org/go/cpt"), STR("2.16.840.1.113883.6.12")},
    {STR("http://fdasis.nlm.nih.gov"), STR("2.16.840.1.113883.4.9")},
    {STR("http://www.whocc.no/atc"), STR("2.16.840.1.113883.6.73")},
    {STR("http://id.who.int/icd/release/11/mms"), STR("2.16.840.1.113883.6.347")},
};

static void say(struct conform *c, enum issue_severity severity, const char *type,
                const struct place *at, const char *member, const char *rule, const char *text,
                struct str more)
{
    struct place below = {at, str_c(member), -1};

    conform_say(c, severity, type, *member ? &below : at, NULL, str_c(rule), "%s%.*s", text,
                (int)MIN(more.n, 200u), more.n ? more.p : "");
}

/* ---- the name of the system ---- */

/* Without scheme, "www." and a slash at the end: what people get wrong of an address. */
static struct str bare_address(struct str uri)
{
    ptrdiff_t colon = str_find(uri, ':');

    if (!str_starts(str_from(uri, (size_t)MAX(colon, 0)), STR("://")))
        return STR("");
    uri = str_from(uri, (size_t)colon + 3);
    if (str_starts(uri, STR("www.")))
        uri = str_from(uri, 4);
    return str_ends(uri, STR("/")) ? str_head(uri, uri.n - 1) : uri;
}

static void check_name(struct conform *c, struct str system, const struct place *at)
{
    struct str bare = bare_address(system);
    bool is_oid = str_starts(system, STR("urn:oid:"));

    for (size_t i = 0; i < ARRAY_LEN(named_systems); i++) {
        struct str uri = named_systems[i].uri;
        if (str_eq(system, uri))
            return;
        if (is_oid && str_eq(str_from(system, 8), named_systems[i].oid))
            say(c, ISSUE_WARNING, "value", at, "system", "Coding.system",
                "is the OID of a system whose codes go by the URI ", uri);
        if (bare.n && str_eq_nocase(bare, bare_address(uri)))
            say(c, ISSUE_ERROR, "value", at, "system", "Coding.system",
                "is not the URI of the system, which is ", uri);
    }
}

/* A value set lists codes; what they belong to is a code system. */
static int check_is_system(struct conform *c, struct str system, const struct place *at)
{
    const struct world *world = c->options->world;
    yyjson_val *found = NULL;
    int r = 0;

    if (world && world->canonical && memmem(system.p, system.n, "ValueSet", 8))
        r = world->canonical(world->ctx, c->a, def_resource(STR("ValueSet")), system, &found,
                             c->err);
    if (r >= 0 && found)
        say(c, ISSUE_ERROR, "value", at, "system", "Coding.system",
            "is a value set, where a code system belongs", STR(""));
    return MIN(r, 0);
}

static int check_system(struct conform *c, const struct item *item, const struct place *at)
{
    struct str system = js_get_str(item->v, "system");

    if (!system.n) {
        if (js_get_str(item->v, "code").n)
            say(c, ISSUE_WARNING, "value", at, "", "Coding.system",
                "has a code without a system, which means nothing to others", STR(""));
        return 0;
    }
    if (!uri_is_absolute(system)) {
        say(c, ISSUE_ERROR, "value", at, "system", "Coding.system", "is not absolute", STR(""));
        return 0;
    }
    check_name(c, system, at);
    return check_is_system(c, system, at);
}

/* ---- code and display ---- */

/* Systems that are grammars have no displays of their own, and their codes are looked at where the
 * grammar is known (conform_values.c). */
static bool is_grammar(struct str system)
{
    return str_starts(system, STR("urn:ietf:")) || str_eq(system, STR("http://unitsofmeasure.org"));
}

static void check_display(struct conform *c, const struct coding *coding, struct str display,
                          const struct place *at)
{
    struct place below = {at, STR("display"), -1};

    if (!coding->display.n || !display.n || is_grammar(coding->system) ||
        display_is(coding->display, display))
        return;
    conform_say(c, ISSUE_WARNING, "code-invalid", &below, NULL, STR("Coding.display"),
                "is not the display of \"%.*s\", which is \"%.*s\"", (int)MIN(coding->code.n, 64u),
                coding->code.p, (int)MIN(display.n, 200u), display.p);
}

/* HL7's own systems are published with R4 and its terminology: one that is not known is an error of
 * the sender more often than a gap here. */
static void say_unknown(struct conform *c, struct str system, const struct place *at)
{
    bool is_hl7 = str_starts(system, STR("http://hl7.org/fhir/")) ||
                  str_starts(system, STR("http://terminology.hl7.org/"));

    if (!is_grammar(system) && !conform_said(c, system))
        say(c, is_hl7 ? ISSUE_WARNING : ISSUE_INFORMATION, "not-found", at, "", "Coding.system",
            "was not looked up: not known here, or not whole, is the code system ", system);
}

/* A code that its own code system does not have is wrong wherever it stands. */
static int check_code(struct conform *c, const struct item *item, const struct place *at)
{
    const struct world *world = c->options->world;
    struct coding coding = {.system = js_get_str(item->v, "system"),
                            .version = js_get_str(item->v, "version"),
                            .code = js_get_str(item->v, "code"),
                            .display = js_get_str(item->v, "display")};
    enum terms_answer answer = TERMS_UNKNOWN;
    struct str display = STR_NULL;
    int r;

    if (!world->has_code || !coding.system.n || !coding.code.n)
        return 0;
    r = world->has_code(world->ctx, c->a, &coding, &answer, &display, c->err);
    if (r < 0)
        return r;
    if (answer == TERMS_NO)
        conform_say(c, ISSUE_ERROR, "code-invalid", at, NULL, STR("Coding.code"),
                    "has the code \"%.*s\", which is not in %.*s", (int)MIN(coding.code.n, 64u),
                    coding.code.p, (int)MIN(coding.system.n, 200u), coding.system.p);
    if (answer == TERMS_YES)
        check_display(c, &coding, display, at);
    if (answer == TERMS_UNKNOWN)
        say_unknown(c, coding.system, at);
    return 0;
}

/* Of a system that is not at hand a mistyped code may be told by its form. */
static void check_form(struct conform *c, const struct item *item, const struct place *at)
{
    struct str code = js_get_str(item->v, "code");
    struct place below = {at, STR("code"), -1};
    const char *problem = code.n ? check_digit_problem(js_get_str(item->v, "system"), code) : NULL;

    if (problem)
        conform_say(c, ISSUE_ERROR, "code-invalid", &below, NULL, STR("Coding.code"), "%s",
                    problem);
}

int conform_coding(struct conform *c, const struct item *item, const struct place *at)
{
    int r = c->options->profiles ? check_system(c, item, at) : 0;

    if (r >= 0 && c->options->profiles)
        check_form(c, item, at);

    return r < 0 || !c->options->world || c->options->no_bindings ? r : check_code(c, item, at);
}
