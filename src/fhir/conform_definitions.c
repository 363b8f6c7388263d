/* conform_definitions.c - what definitions of terminology have to keep besides R4's invariants:
 * value sets and maps name codes that there are. And which definition is looked at by what.
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

/* A code, and what the definition calls it. */
static int check_named(const struct definition_check *d, enum issue_severity severity,
                       const struct coding *coding, const char *member, const struct place *at)
{
    const struct world *world = d->c->options->world;
    enum terms_answer answer = TERMS_UNKNOWN;
    struct place below = {at, str_c(member), -1}, at_display = {at, STR("display"), -1};
    struct str display = STR_NULL;
    int r;

    if (!world || !world->has_code || !coding->system.n || !coding->code.n ||
        !conform_step(d->c, at))
        return 0;
    r = world->has_code(world->ctx, d->c->a, coding, &answer, &display, d->c->err);
    if (r >= 0 && answer == TERMS_NO)
        conform_say(d->c, severity, "code-invalid", &below, NULL, STR("code"),
                    "is not a code of %.*s", (int)MIN(coding->system.n, 200u), coding->system.p);
    if (r >= 0 && answer == TERMS_YES && coding->display.n && display.n &&
        !display_is(coding->display, display))
        conform_say(d->c, ISSUE_WARNING, "code-invalid", &at_display, NULL, STR("display"),
                    "is not the display of the code, which is \"%.*s\"", (int)MIN(display.n, 200u),
                    display.p);
    return MIN(r, 0);
}

static int check_code(const struct definition_check *d, enum issue_severity severity,
                      struct str system, struct str version, struct str code, const char *member,
                      const struct place *at)
{
    const struct coding coding = {.system = system, .version = version, .code = code};

    return check_named(d, severity, &coding, member, at);
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
            r = check_named(d, ISSUE_ERROR,
                            &(struct coding){.system = system,
                                             .version = version,
                                             .code = code,
                                             .display = js_get_str(v, "display")},
                            "code", &here);
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
                  {STR("CodeSystem"), conform_code_system},
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
