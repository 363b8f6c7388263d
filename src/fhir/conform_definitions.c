/* conform_definitions.c - what definitions of terminology have to keep besides R4's invariants:
 * value sets and maps name codes that there are, a code system uses properties that it has. And
 * which definition is looked at by what.
 *
 * Source: http://hl7.org/fhir/R4/valueset.html, codesystem.html, conceptmap.html.
 */
#include "fhir/conform_definition_int.h"

void definition_say(const struct definition_check *d, enum issue_severity severity,
                    const char *type, const struct place *at, const char *rule, const char *text)
{
    conform_say(d->c, severity, type, at, NULL, str_c(rule), "%s", text);
}

int definition_find(const struct definition_check *d, const char *type, struct str url,
                    yyjson_val **ret)
{
    const struct world *world = d->c->options->world;

    *ret = NULL;
    return world && world->canonical
               ? world->canonical(world->ctx, d->c->a, def_resource(str_c(type)), url, ret,
                                  d->c->err)
               : 0;
}

/* ---- codes that a definition names ---- */

static int check_code(const struct definition_check *d, enum issue_severity severity,
                      struct str system, struct str version, struct str code, const char *member,
                      const struct place *at)
{
    const struct world *world = d->c->options->world;
    struct coding coding = {.system = system, .version = version, .code = code};
    enum terms_answer answer = TERMS_UNKNOWN;
    struct place below = {at, str_c(member), -1};
    int r;

    if (!world || !world->has_code || !system.n || !code.n || !conform_step(d->c, at))
        return 0;
    r = world->has_code(world->ctx, d->c->a, &coding, &answer, NULL, d->c->err);
    if (r >= 0 && answer == TERMS_NO)
        conform_say(d->c, severity, "code-invalid", &below, NULL, STR("code"),
                    "is not a code of %.*s", (int)MIN(system.n, 200u), system.p);
    return MIN(r, 0);
}

/* A code system goes by an absolute URI; its version stands apart. */
static void check_system_name(const struct definition_check *d, struct str system,
                              const struct place *at)
{
    if (system.n && !uri_is_absolute(system))
        definition_say(d, ISSUE_ERROR, "value", at, "system", "is not absolute");
    else if (str_find(system, '|') >= 0)
        definition_say(d, ISSUE_ERROR, "value", at, "system",
                       "has a version behind it, which has an element of its own");
}

/* What names a code system must not be a value set. */
static int check_is_system(const struct definition_check *d, struct str system,
                           const struct place *at)
{
    yyjson_val *found = NULL;
    int r = system.n && memmem(system.p, system.n, "ValueSet", 8)
                ? definition_find(d, "ValueSet", system, &found)
                : 0;

    if (r >= 0 && found)
        definition_say(d, ISSUE_ERROR, "value", at, "system",
                       "is a value set, where a code system belongs");
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
            definition_say(d, ISSUE_WARNING, "duplicate", &here, "concept", "is listed twice");
        if (r >= 0)
            r = check_code(d, ISSUE_ERROR, system, version, code, "code", &here);
    }
    return r;
}

/* A code that a filter begins at has to be there. */
static int check_filters(const struct definition_check *d, yyjson_val *include,
                         const struct place *at)
{
    static const struct str names[] = {STR("is-a"), STR("descendent-of"), STR("is-not-a"),
                                       STR("generalizes")};
    struct str system = js_get_str(include, "system"), version = js_get_str(include, "version");
    yyjson_val *v;
    size_t i, n;
    int r = 0;

    yyjson_arr_foreach(js_get(include, "filter"), i, n, v) {
        struct place here = {at, STR("filter"), (ptrdiff_t)i};
        struct str op = js_get_str(v, "op");
        for (size_t k = 0; k < ARRAY_LEN(names) && r >= 0; k++)
            if (str_eq(op, names[k]))
                r = check_code(d, ISSUE_ERROR, system, version, js_get_str(v, "value"), "value",
                               &here);
    }
    return r;
}

/* JSON's depth bounds how deep an expansion goes. */
static int check_expanded(const struct definition_check *d, yyjson_val *of, const struct place *at)
{
    yyjson_val *v;
    size_t i, n;
    int r = 0;

    yyjson_arr_foreach(js_get(of, "contains"), i, n, v) {
        struct place here = {at, STR("contains"), (ptrdiff_t)i};
        if (r >= 0)
            r = check_code(d, ISSUE_ERROR, js_get_str(v, "system"), js_get_str(v, "version"),
                           js_get_str(v, "code"), "code", &here);
        if (r >= 0)
            r = check_expanded(d, v, &here);
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
        check_system_name(d, js_get_str(v, "system"), &at_system);
        if (r >= 0)
            r = check_is_system(d, js_get_str(v, "system"), &at_system);
        if (r >= 0)
            r = check_concepts(d, v, &here);
        if (r >= 0)
            r = check_filters(d, v, &here);
        yyjson_arr_foreach(js_get(v, "valueSet"), j, m, set) {
            struct place at = {&here, STR("valueSet"), (ptrdiff_t)j};
            struct str url = js_str(set);
            if (r < 0 || !url.n || url.p[0] == '#')
                continue;
            if (str_eq(url, js_get_str(d->root, "url"))) {
                definition_say(d, ISSUE_ERROR, "business-rule", &at, "valueSet",
                               "is the value set itself");
                continue;
            }
            r = definition_find(d, "ValueSet", url, &found);
            if (r >= 0 && !found)
                definition_say(d, ISSUE_INFORMATION, "not-found", &at, "valueSet",
                               "is not known here");
        }
    }
    return r;
}

static int check_value_set(const struct definition_check *d)
{
    struct place expansion = {d->at, STR("expansion"), -1};
    int r = check_includes(d, "include");

    if (r >= 0)
        r = check_includes(d, "exclude");
    return r < 0 ? r : check_expanded(d, js_get(d->root, "expansion"), &expansion);
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
            definition_say(d, ISSUE_ERROR, "value", &here, "property",
                           "is a property that the code system does not define");
        else if (type.n && !has_value_of(v, type))
            definition_say(d, ISSUE_ERROR, "value", &here, "property",
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

/* Names that a code system gives to its properties, or to its filters, each once. */
static int check_once(const struct definition_check *d, const char *list)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(d->root, list), i, n, v) {
        struct place here = {d->at, str_c(list), (ptrdiff_t)i};
        struct str code = js_get_str(v, "code");
        struct str key = arena_fmt(d->c->a, "%s %p %.*s", list, (void *)d->root, STR_ARG(code));
        if (!key.p)
            return err_no_memory(d->c->err);
        if (d->c->issues && conform_said(d->c, key))
            definition_say(d, ISSUE_ERROR, "duplicate", &here, list, "is defined twice");
    }
    return 0;
}

static void check_content(const struct definition_check *d, struct str content, size_t count)
{
    struct place at = {d->at, STR("content"), -1};

    if (str_eq(content, STR("not-present")) && count)
        definition_say(d, ISSUE_ERROR, "value", &at, "content",
                       "says that no concepts are here, but there are");
    if (str_eq(content, STR("complete")) && !count)
        definition_say(d, ISSUE_WARNING, "value", &at, "content",
                       "says that all concepts are here, but there are none");
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
        definition_say(d, ISSUE_ERROR, "required", &at_supplements, "supplements",
                       "is required of a supplement");
    if (!is_supplement && js_get(d->root, "supplements"))
        definition_say(d, ISSUE_ERROR, "value", &at_supplements, "supplements",
                       "is there, but the content is no supplement");
    if (str_eq(content, STR("complete")) &&
        str_to_u64(js_str(js_get(d->root, "count")), UINT64_MAX, &said) && said != count)
        definition_say(d, ISSUE_WARNING, "value", &at_count, "count",
                       "is not the number of concepts");
    check_content(d, content, count);
    return check_once(d, "property") < 0 ? ERR_NO_MEMORY : check_once(d, "filter");
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
                           js_get_str(group, "targetVersion"), js_get_str(v, "code"), "code",
                           &here);
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
                           js_get_str(group, "sourceVersion"), js_get_str(v, "code"), "code",
                           &here);
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
    } checks[] = {{STR("StructureDefinition"), conform_structure},
                  {STR("ValueSet"), check_value_set},
                  {STR("CodeSystem"), check_code_system},
                  {STR("ConceptMap"), check_concept_map},
                  {STR("SearchParameter"), conform_search_parameter},
                  {STR("OperationDefinition"), conform_operation},
                  {STR("CapabilityStatement"), conform_capability}};
    struct definition_check d = {c, resource, at};
    struct str type = js_get_str(resource, "resourceType");

    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        if (str_eq(type, checks[i].type))
            return checks[i].check(&d);
    return 0;
}
