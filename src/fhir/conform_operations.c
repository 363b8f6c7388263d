/* conform_operations.c - what SearchParameters, OperationDefinitions and CapabilityStatements have
 * to keep besides R4's invariants.
 *
 * Source: http://hl7.org/fhir/R4/searchparameter.html, operationdefinition.html,
 * capabilitystatement.html.
 */
#include "fhir/conform_definition_int.h"

/* ---- SearchParameter ---- */

static bool is_listed(yyjson_val *list, struct str name)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(list, i, n, v) {
        if (str_eq(js_str(v), name))
            return true;
    }
    return false;
}

#define BASES_CHECKED 150 /* more than R4 has resource types */

/* The types that a parameter is for, then NULL; none where one of them is not known. */
static void read_bases(yyjson_val *list, const struct def_type *ret[BASES_CHECKED + 1])
{
    yyjson_val *v;
    size_t i, n;

    ret[0] = NULL;
    yyjson_arr_foreach(list, i, n, v) {
        const struct def_type *t = i < BASES_CHECKED ? def_type(js_str(v)) : NULL;
        if (!t || t->is_abstract) {
            ret[0] = NULL;
            return;
        }
        ret[i] = t;
        ret[i + 1] = NULL;
    }
}

/* `bases`: what the expression begins at, then NULL; none where that is not known. */
static int check_expression(const struct definition_check *d, struct str expression,
                            const struct def_type *const *bases, const struct place *at)
{
    const struct path *path;
    struct err why;
    int r = expression.n ? path_compile(d->c->scratch, expression, NULL, &path, &why) : 0;

    if (r < 0 && r != ERR_NO_MEMORY)
        conform_say(d->c, ISSUE_ERROR, "value", at, NULL, STR("expression"), "is no FHIRPath: %s",
                    why.text);
    else if (r >= 0 && expression.n && bases[0] &&
             (r = path_members(d->c->scratch, expression, bases, &why)) < 0)
        conform_say(d->c, ISSUE_ERROR, "value", at, NULL, STR("expression"),
                    "asks for what its base does not have: %s", why.text);
    arena_reset(d->c->scratch);
    return r == ERR_NO_MEMORY ? err_no_memory(d->c->err) : 0;
}

int conform_search_parameter(const struct definition_check *d)
{
    struct place at_expression = {d->at, STR("expression"), -1};
    struct place at_component = {d->at, STR("component"), -1};
    struct str type = js_get_str(d->root, "type");
    bool is_composite = str_eq(type, STR("composite"));
    const struct def_type *bases[BASES_CHECKED + 1], *const unknown = NULL;
    yyjson_val *v;
    size_t i, n;
    int r;

    read_bases(js_get(d->root, "base"), bases);
    r = check_expression(d, js_get_str(d->root, "expression"), bases, &at_expression);

    if (is_composite && !js_get(d->root, "component"))
        definition_say(d, ISSUE_ERROR, "required", &at_component, "component",
                       "is required of a composite parameter");
    if (!is_composite && js_get(d->root, "component"))
        definition_say(d, ISSUE_WARNING, "structure", &at_component, "component",
                       "means something for a composite parameter only");
    if (!str_eq(type, STR("special")) && !js_get(d->root, "expression"))
        definition_say(d, ISSUE_WARNING, "required", &at_expression, "expression",
                       "is missing, so that nothing can be found by it");
    yyjson_arr_foreach(js_get(d->root, "component"), i, n, v) {
        struct place here = {d->at, STR("component"), (ptrdiff_t)i};
        struct place at = {&here, STR("expression"), -1};
        if (r >= 0)
            r = check_expression(d, js_get_str(v, "expression"), &unknown, &at);
    }
    return r;
}

/* ---- OperationDefinition ---- */

static void check_cardinality(const struct definition_check *d, yyjson_val *v,
                              const struct place *at)
{
    struct place at_max = {at, STR("max"), -1};
    struct str max = js_get_str(v, "max");
    uint64_t least = 0, most;

    if (!max.n || str_eq(max, STR("*")))
        return;
    str_to_u64(js_str(js_get(v, "min")), UINT32_MAX, &least);
    if (!str_to_u64(max, UINT32_MAX, &most))
        definition_say(d, ISSUE_ERROR, "value", &at_max, "max", "is neither a number nor *");
    else if (least > most)
        definition_say(d, ISSUE_ERROR, "value", &at_max, "max", "is less than min");
}

/* A name stands once for what goes in, and once for what comes out. JSON's depth bounds how deep
 * parts go. */
static int check_parameters(const struct definition_check *d, yyjson_val *of, const char *list,
                            const struct place *up)
{
    yyjson_val *v;
    size_t i, n;
    int r = 0;

    yyjson_arr_foreach(js_get(of, list), i, n, v) {
        struct place here = {up, str_c(list), (ptrdiff_t)i};
        struct str name = js_get_str(v, "name"), use = js_get_str(v, "use");
        struct str key = arena_fmt(d->c->a, "parameter %p %.*s %.*s", (void *)of, (int)use.n,
                                   use.n ? use.p : "", (int)name.n, name.n ? name.p : "");
        if (!key.p)
            return err_no_memory(d->c->err);
        if (d->c->issues && conform_said(d->c, key))
            definition_say(d, ISSUE_ERROR, "duplicate", &here, "name",
                           "has the name of another parameter");
        check_cardinality(d, v, &here);
        if (r >= 0)
            r = check_parameters(d, v, "part", &here);
    }
    return r;
}

int conform_operation(const struct definition_check *d)
{
    struct place at_code = {d->at, STR("code"), -1}, at_resource = {d->at, STR("resource"), -1};
    bool on_type =
        yyjson_get_bool(js_get(d->root, "type")) || yyjson_get_bool(js_get(d->root, "instance"));

    if (str_starts(js_get_str(d->root, "code"), STR("$")))
        definition_say(d, ISSUE_ERROR, "value", &at_code, "code",
                       "begins with $, which belongs to the URL only");
    if (on_type && !js_get(d->root, "resource"))
        definition_say(d, ISSUE_WARNING, "required", &at_resource, "resource",
                       "is missing: on what types it may be called");
    return check_parameters(d, d->root, "parameter", d->at);
}

/* ---- CapabilityStatement ---- */

static int check_param(const struct definition_check *d, struct str type, yyjson_val *v,
                       const struct place *at)
{
    struct place at_type = {at, STR("type"), -1}, at_name = {at, STR("definition"), -1};
    struct str url = js_get_str(v, "definition");
    yyjson_val *found = NULL, *bases;
    int r = url.n ? definition_find(d, "SearchParameter", url, &found) : 0;

    if (r < 0 || !found)
        return MIN(r, 0);
    bases = js_get(found, "base");
    if (!str_eq(js_get_str(v, "type"), js_get_str(found, "type")))
        definition_say(d, ISSUE_WARNING, "value", &at_type, "searchParam",
                       "is not the type of the parameter's definition");
    if (type.n && !is_listed(bases, type) && !is_listed(bases, STR("Resource")) &&
        !is_listed(bases, STR("DomainResource")))
        definition_say(d, ISSUE_ERROR, "value", &at_name, "searchParam",
                       "is no parameter of this resource type");
    return 0;
}

int conform_capability(const struct definition_check *d)
{
    yyjson_val *rest, *resource, *param;
    size_t i, n, j, m, k, l;
    int r = 0;

    yyjson_arr_foreach(js_get(d->root, "rest"), i, n, rest) {
        struct place at_rest = {d->at, STR("rest"), (ptrdiff_t)i};
        yyjson_arr_foreach(js_get(rest, "resource"), j, m, resource) {
            struct place at_resource = {&at_rest, STR("resource"), (ptrdiff_t)j};
            yyjson_arr_foreach(js_get(resource, "searchParam"), k, l, param) {
                struct place at = {&at_resource, STR("searchParam"), (ptrdiff_t)k};
                if (r >= 0)
                    r = check_param(d, js_get_str(resource, "type"), param, &at);
            }
        }
    }
    return r;
}
