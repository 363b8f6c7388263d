/* conform_definitions.c - what definitions have to keep besides R4's invariants: a profile fits its
 * base, value sets and maps name codes that there are, a code system uses properties that it has.
 *
 * Source: http://hl7.org/fhir/R4/structuredefinition.html, valueset.html, codesystem.html,
 * conceptmap.html.
 */
#include "fhir/profile_int.h"

#include "fhir/snapshot.h"

#include <ctype.h>

struct definition_check {
    struct conform *c;
    yyjson_val *root;
    const struct place *at;
};

static void say(const struct definition_check *d, enum issue_severity severity, const char *type,
                const struct place *at, const char *rule, const char *text)
{
    conform_say(d->c, severity, type, at, NULL, str_c(rule), "%s", text);
}

static int find(const struct definition_check *d, const char *type, struct str url,
                yyjson_val **ret)
{
    const struct world *world = d->c->options->world;

    *ret = NULL;
    return world && world->canonical
               ? world->canonical(world->ctx, d->c->a, def_resource(str_c(type)), url, ret,
                                  d->c->err)
               : 0;
}

/* ---- StructureDefinition ---- */

static int check_rules(const struct definition_check *d, yyjson_val *element,
                       const struct place *at)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(element, "constraint"), i, n, v) {
        struct place here = {at, STR("constraint"), (ptrdiff_t)i};
        struct place below = {&here, STR("expression"), -1};
        struct str expression = js_get_str(v, "expression");
        const struct path *path;
        struct err why;
        int r = expression.n ? path_compile(d->c->scratch, expression, NULL, &path, &why) : 0;
        arena_reset(d->c->scratch);
        if (r == ERR_NO_MEMORY)
            return err_no_memory(d->c->err);
        if (r < 0)
            conform_say(d->c, ISSUE_ERROR, "value", &below, NULL, STR("expression"),
                        "is no FHIRPath: %s", why.text);
    }
    return 0;
}

/* "fixedUri" says uri; the element has to be able to be one. */
static bool may_be(yyjson_val *types, struct str said)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(types, i, n, v) {
        struct str code = js_get_str(v, "code");
        ptrdiff_t dot = str_rfind(code, '.');
        /* "http://hl7.org/fhirpath/System.String" is the type of ids and of an extension's url. */
        if (str_starts(code, STR("http://hl7.org/fhirpath/")) ||
            str_eq_nocase(str_from(code, (size_t)(dot + 1)), said))
            return true;
    }
    return yyjson_arr_size(types) == 0;
}

static void check_value_types(const struct definition_check *d, yyjson_val *element,
                              yyjson_val *types, const struct place *at)
{
    static const struct str stems[] = {STR("fixed"), STR("pattern"), STR("minValue"),
                                       STR("maxValue")};
    yyjson_val *key, *val;
    size_t i, n;

    yyjson_obj_foreach(element, i, n, key, val) {
        struct str name = js_str(key);
        for (size_t k = 0; k < ARRAY_LEN(stems); k++) {
            struct place here = {at, name, -1};
            if (!str_starts(name, stems[k]) || name.n == stems[k].n ||
                !isupper((unsigned char)name.p[stems[k].n]))
                continue;
            if (!may_be(types, str_from(name, stems[k].n)))
                say(d, ISSUE_ERROR, "structure", &here, "type",
                    "is of a type that the element does not have");
        }
    }
}

static yyjson_val *element_named(yyjson_val *elements, struct str id)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(elements, i, n, v) {
        if (id.n && str_eq(js_get_str(v, "id"), id))
            return v;
    }
    return NULL;
}

/* A slice is one of an element that says how its slices are told apart. */
static void check_slice(const struct definition_check *d, yyjson_val *element, yyjson_val *snapshot,
                        const struct place *at)
{
    struct str id = js_get_str(element, "id");
    ptrdiff_t colon = str_rfind(id, ':');
    yyjson_val *sliced;
    struct place below = {at, STR("sliceName"), -1};

    if (!js_get(element, "sliceName") || colon < 0 || str_rfind(id, '.') > colon)
        return;
    sliced = element_named(snapshot, str_head(id, (size_t)colon));
    if (sliced && !js_get(sliced, "slicing") && str_find(str_head(id, (size_t)colon), ':') < 0)
        say(d, ISSUE_ERROR, "structure", &below, "slicing",
            "is a slice of an element that is not sliced");
}

/* An extension goes by the url of its definition. */
static void check_url(const struct definition_check *d, yyjson_val *element, const struct place *at)
{
    struct place below = {at, STR("fixedUri"), -1};
    struct str fixed = js_get_str(element, "fixedUri");

    if (fixed.n && str_eq(js_get_str(element, "path"), STR("Extension.url")) &&
        !str_eq(fixed, js_get_str(d->root, "url")))
        say(d, ISSUE_ERROR, "value", &below, "url", "is not the url of the definition");
}

static int check_elements(const struct definition_check *d, const char *list_name,
                          yyjson_val *snapshot)
{
    yyjson_val *list = js_get(js_get(d->root, list_name), "element"), *v;
    struct place above = {d->at, str_c(list_name), -1};
    size_t i, n;
    int r = 0;

    yyjson_arr_foreach(list, i, n, v) {
        struct place here = {&above, STR("element"), (ptrdiff_t)i};
        yyjson_val *whole = element_named(snapshot, js_get_str(v, "id"));
        if (r >= 0)
            r = check_rules(d, v, &here);
        check_value_types(d, v, js_get(whole ? whole : v, "type"), &here);
        check_slice(d, v, snapshot, &here);
        check_url(d, v, &here);
    }
    return r;
}

static bool is_constraint(yyjson_val *root)
{
    return str_eq(js_get_str(root, "derivation"), STR("constraint"));
}

/* The base is known, and is of the same type. */
static int check_base(const struct definition_check *d, bool *ret_known)
{
    struct place at = {d->at, STR("baseDefinition"), -1};
    struct str url = js_get_str(d->root, "baseDefinition");
    yyjson_val *base = NULL;
    int r = url.n ? find(d, "StructureDefinition", url, &base) : 0;

    *ret_known = base != NULL;
    if (r < 0 || !url.n)
        return r;
    if (!base)
        say(d, ISSUE_WARNING, "not-found", &at, "baseDefinition", "is not known here");
    else if (is_constraint(d->root) &&
             !str_eq(js_get_str(base, "type"), js_get_str(d->root, "type")))
        say(d, ISSUE_ERROR, "structure", &at, "type", "is a definition of another type");
    return 0;
}

static int check_structure(const struct definition_check *d)
{
    _cleanup_(arena_done) struct arena a;
    struct place at = {d->at, STR("differential"), -1};
    yyjson_val *snapshot = NULL;
    bool is_known;
    struct err why;
    int r = check_base(d, &is_known);

    arena_init(&a, SNAPSHOT_BYTES_MAX);
    if (r < 0)
        return r;
    if (is_known && is_constraint(d->root) && js_get(d->root, "differential")) {
        r = snapshot_generate(&a, d->c->options->world, d->root, &snapshot, &why);
        if (r < 0 && err_http_status(r) >= 500) {
            *d->c->err = why;
            return r;
        }
        if (r < 0)
            conform_say(d->c, ISSUE_ERROR, "processing", &at, NULL, STR("differential"),
                        "does not fit its base: %s", why.text);
    }
    return check_elements(d, js_get(d->root, "differential") ? "differential" : "snapshot",
                          snapshot ? snapshot : js_get(js_get(d->root, "snapshot"), "element"));
}

/* ---- codes that a definition names ---- */

static int check_code(const struct definition_check *d, enum issue_severity severity,
                      struct str system, struct str version, struct str code,
                      const struct place *at)
{
    const struct world *world = d->c->options->world;
    struct coding coding = {.system = system, .version = version, .code = code};
    enum terms_answer answer = TERMS_UNKNOWN;
    struct place below = {at, STR("code"), -1};
    int r;

    if (!world || !world->has_code || !system.n || !code.n || !conform_step(d->c, at))
        return 0;
    r = world->has_code(world->ctx, d->c->a, &coding, &answer, NULL, d->c->err);
    if (r >= 0 && answer == TERMS_NO)
        conform_say(d->c, severity, "code-invalid", &below, NULL, STR("code"),
                    "is not a code of %.*s", (int)MIN(system.n, 200u), system.p);
    return MIN(r, 0);
}

/* What names a code system must not be a value set. */
static int check_is_system(const struct definition_check *d, struct str system,
                           const struct place *at)
{
    yyjson_val *found = NULL;
    int r = system.n && memmem(system.p, system.n, "ValueSet", 8)
                ? find(d, "ValueSet", system, &found)
                : 0;

    if (r >= 0 && found)
        say(d, ISSUE_ERROR, "value", at, "system", "is a value set, where a code system belongs");
    return MIN(r, 0);
}

/* ---- ValueSet ---- */

static int check_concepts(const struct definition_check *d, yyjson_val *include,
                          const struct place *at)
{
    struct str system = js_get_str(include, "system"), version = js_get_str(include, "version");
    yyjson_val *v;
    size_t i, n;
    int r = 0;

    yyjson_arr_foreach(js_get(include, "concept"), i, n, v) {
        struct place here = {at, STR("concept"), (ptrdiff_t)i};
        struct str code = js_get_str(v, "code");
        struct str key = arena_fmt(d->c->a, "concept %p %.*s", (void *)include, STR_ARG(code));
        if (!key.p)
            return err_no_memory(d->c->err);
        if (d->c->issues && conform_said(d->c, key))
            say(d, ISSUE_WARNING, "duplicate", &here, "concept", "is listed twice");
        if (r >= 0)
            r = check_code(d, ISSUE_ERROR, system, version, code, &here);
    }
    return r;
}

static int check_includes(const struct definition_check *d, const char *name)
{
    struct place compose = {d->at, STR("compose"), -1};
    yyjson_val *v, *set, *found;
    size_t i, n, j, m;
    int r = 0;

    yyjson_arr_foreach(js_get(js_get(d->root, "compose"), name), i, n, v) {
        struct place here = {&compose, str_c(name), (ptrdiff_t)i};
        struct place at_system = {&here, STR("system"), -1};
        if (r >= 0)
            r = check_is_system(d, js_get_str(v, "system"), &at_system);
        if (r >= 0)
            r = check_concepts(d, v, &here);
        yyjson_arr_foreach(js_get(v, "valueSet"), j, m, set) {
            struct place at = {&here, STR("valueSet"), (ptrdiff_t)j};
            struct str url = js_str(set);
            if (r < 0 || !url.n || url.p[0] == '#')
                continue;
            r = find(d, "ValueSet", url, &found);
            if (r >= 0 && !found)
                say(d, ISSUE_INFORMATION, "not-found", &at, "valueSet", "is not known here");
        }
    }
    return r;
}

static int check_value_set(const struct definition_check *d)
{
    int r = check_includes(d, "include");

    return r < 0 ? r : check_includes(d, "exclude");
}

/* ---- CodeSystem ---- */

/* Properties that every code system has (http://hl7.org/fhir/concept-properties). */
static const struct {
    const char *code, *type;
} known_properties[] = {{"inactive", "boolean"},
                        {"deprecated", "dateTime"},
                        {"notSelectable", "boolean"},
                        {"parent", "code"},
                        {"child", "code"},
                        {"status", "code"},
                        {"retirementDate", "dateTime"},
                        {"deprecationDate", "dateTime"},
                        {"synonym", "code"},
                        {"comment", "string"},
                        {"abstract", "boolean"},
                        {"partOf", "code"}};

/* What a property's value has to be; empty: nothing says, .p NULL: there is no such property. */
static struct str property_type(yyjson_val *root, struct str code)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(root, "property"), i, n, v) {
        if (str_eq(js_get_str(v, "code"), code))
            return js_get_str(v, "type").p ? js_get_str(v, "type") : STR("");
    }
    for (i = 0; i < ARRAY_LEN(known_properties); i++)
        if (str_eq(code, str_c(known_properties[i].code)))
            return str_c(known_properties[i].type);
    return STR_NULL;
}

static bool has_value_of(yyjson_val *property, struct str type)
{
    yyjson_val *key, *val;
    size_t i, n;

    yyjson_obj_foreach(property, i, n, key, val) {
        struct str name = js_str(key);
        if (str_starts(name, STR("value")))
            return str_eq_nocase(str_from(name, 5), type);
    }
    return true;
}

static void check_properties(const struct definition_check *d, yyjson_val *concept,
                             const struct place *at)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(concept, "property"), i, n, v) {
        struct place here = {at, STR("property"), (ptrdiff_t)i};
        struct str type = property_type(d->root, js_get_str(v, "code"));
        if (!type.p)
            say(d, ISSUE_ERROR, "value", &here, "property",
                "is a property that the code system does not define");
        else if (type.n && !has_value_of(v, type))
            say(d, ISSUE_ERROR, "value", &here, "property",
                "has a value of another type than the property is defined with");
    }
}

/* JSON's depth bounds how deep concepts go. */
static size_t check_system_concepts(const struct definition_check *d, yyjson_val *of,
                                    const struct place *at)
{
    yyjson_val *v;
    size_t i, n, count = 0;

    yyjson_arr_foreach(js_get(of, "concept"), i, n, v) {
        struct place here = {at, STR("concept"), (ptrdiff_t)i};
        if (!conform_step(d->c, at))
            break;
        check_properties(d, v, &here);
        count += 1 + check_system_concepts(d, v, &here);
    }
    return count;
}

static int check_code_system(const struct definition_check *d)
{
    struct place at_supplements = {d->at, STR("supplements"), -1},
                 at_count = {d->at, STR("count"), -1};
    struct str content = js_get_str(d->root, "content");
    bool is_supplement = str_eq(content, STR("supplement"));
    size_t count = check_system_concepts(d, d->root, d->at);
    uint64_t said;

    if (is_supplement && !js_get(d->root, "supplements"))
        say(d, ISSUE_ERROR, "required", &at_supplements, "supplements",
            "is required of a supplement");
    if (!is_supplement && js_get(d->root, "supplements"))
        say(d, ISSUE_ERROR, "value", &at_supplements, "supplements",
            "is there, but the content is no supplement");
    if (str_eq(content, STR("complete")) &&
        str_to_u64(js_str(js_get(d->root, "count")), UINT64_MAX, &said) && said != count)
        say(d, ISSUE_WARNING, "value", &at_count, "count", "is not the number of concepts");
    return 0;
}

/* ---- ConceptMap: R4's own map codes that are gone, so that what is not there is a warning ---- */

static int check_targets(const struct definition_check *d, yyjson_val *group, yyjson_val *element,
                         const struct place *at)
{
    yyjson_val *v;
    size_t i, n;
    int r = 0;

    yyjson_arr_foreach(js_get(element, "target"), i, n, v) {
        struct place here = {at, STR("target"), (ptrdiff_t)i};
        if (r >= 0)
            r = check_code(d, ISSUE_WARNING, js_get_str(group, "target"),
                           js_get_str(group, "targetVersion"), js_get_str(v, "code"), &here);
    }
    return r;
}

static int check_group(const struct definition_check *d, yyjson_val *group, const struct place *at)
{
    struct place at_source = {at, STR("source"), -1}, at_target = {at, STR("target"), -1};
    yyjson_val *v;
    size_t i, n;
    int r = check_is_system(d, js_get_str(group, "source"), &at_source);

    if (r >= 0)
        r = check_is_system(d, js_get_str(group, "target"), &at_target);
    yyjson_arr_foreach(js_get(group, "element"), i, n, v) {
        struct place here = {at, STR("element"), (ptrdiff_t)i};
        if (r >= 0)
            r = check_code(d, ISSUE_WARNING, js_get_str(group, "source"),
                           js_get_str(group, "sourceVersion"), js_get_str(v, "code"), &here);
        if (r >= 0)
            r = check_targets(d, group, v, &here);
    }
    return r;
}

static int check_concept_map(const struct definition_check *d)
{
    yyjson_val *v;
    size_t i, n;
    int r = 0;

    yyjson_arr_foreach(js_get(d->root, "group"), i, n, v) {
        struct place here = {d->at, STR("group"), (ptrdiff_t)i};
        if (r >= 0)
            r = check_group(d, v, &here);
    }
    return r;
}

/* ---- the whole ---- */

int conform_definition(struct conform *c, yyjson_val *resource, const struct place *at)
{
    static const struct {
        struct str type;
        int (*check)(const struct definition_check *d);
    } checks[] = {{STR("StructureDefinition"), check_structure},
                  {STR("ValueSet"), check_value_set},
                  {STR("CodeSystem"), check_code_system},
                  {STR("ConceptMap"), check_concept_map}};
    struct definition_check d = {c, resource, at};
    struct str type = js_get_str(resource, "resourceType");

    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        if (str_eq(type, checks[i].type))
            return checks[i].check(&d);
    return 0;
}
