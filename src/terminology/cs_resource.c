/* cs_resource.c - a CodeSystem resource, compiled (codesystem.html). */
#include "terminology/resource.h"

#include "terminology/grammar.h"

#define DEPTH_MAX 40 /* of nested concepts: JSON's own depth allows fewer */
#define STANDARDS_STATUS \
    "http://hl7.org/fhir/StructureDefinition/structuredefinition-standards-status"
#define PROPERTY_URI "http://hl7.org/fhir/concept-properties#"

struct reader {
    struct cs_builder *b;
    struct err *err;
    struct str url;
};

/* The extension that says how far a standard, or a concept of it, has come; STR_NULL: nothing. */
static struct str standards_status(yyjson_val *element)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(element, "extension"), i, n, v) {
        if (str_eq(js_get_str(v, "url"), STR(STANDARDS_STATUS)))
            return js_get_str(v, "valueCode");
    }
    return STR_NULL;
}

static bool is_true(yyjson_val *v)
{
    return yyjson_is_bool(v) && yyjson_get_bool(v);
}

/* ---- the system ---- */

static uint32_t content_of(struct str text)
{
    static const struct str names[] = {
        [CONTENT_COMPLETE] = STR("complete"),     [CONTENT_FRAGMENT] = STR("fragment"),
        [CONTENT_EXAMPLE] = STR("example"),       [CONTENT_NOT_PRESENT] = STR("not-present"),
        [CONTENT_SUPPLEMENT] = STR("supplement"),
    };

    for (uint32_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(text, names[i]))
            return i;
    return CONTENT_FRAGMENT;
}

uint32_t standards_flags(yyjson_val *root)
{
    struct str status = standards_status(root);

    return str_eq(status, STR("deprecated"))  ? CS_DEPRECATED
           : str_eq(status, STR("withdrawn")) ? CS_WITHDRAWN
           : str_eq(status, STR("draft"))     ? CS_DRAFT
                                              : 0;
}

static uint32_t case_flags(yyjson_val *sensitive)
{
    return !yyjson_is_bool(sensitive) ? CS_CASE_UNKNOWN : is_true(sensitive) ? 0 : CS_IGNORE_CASE;
}

static void read_info(struct reader *r, yyjson_val *root)
{
    struct cs_info *info = cs_builder_info(r->b);

    info->url = cs_builder_text(r->b, js_get_str(root, "url"));
    info->version = cs_builder_text(r->b, js_get_str(root, "version"));
    info->name = cs_builder_text(r->b, js_get_str(root, "name"));
    info->title = cs_builder_text(r->b, js_get_str(root, "title"));
    info->language = cs_builder_text(r->b, js_get_str(root, "language"));
    info->supplements = cs_builder_text(r->b, js_get_str(root, "supplements"));
    info->hierarchy = cs_builder_text(r->b, js_get_str(root, "hierarchyMeaning"));
    info->status = cs_builder_text(r->b, js_get_str(root, "status"));
    info->value_set = cs_builder_text(r->b, js_get_str(root, "valueSet"));
    info->experimental = is_true(js_get(root, "experimental"));
    info->content = content_of(js_get_str(root, "content"));
    info->grammar = grammar_of(js_get_str(root, "url"));
    info->flags = standards_flags(root) | case_flags(js_get(root, "caseSensitive")) |
                  (is_true(js_get(root, "compositional")) ? CS_COMPOSITIONAL : 0) |
                  (is_true(js_get(root, "versionNeeded")) ? CS_VERSION_NEEDED : 0);
}

static enum property_type type_of(struct str name)
{
    static const struct str names[] = {
        [PROPERTY_CODE] = STR("code"),       [PROPERTY_CODING] = STR("Coding"),
        [PROPERTY_STRING] = STR("string"),   [PROPERTY_INTEGER] = STR("integer"),
        [PROPERTY_BOOLEAN] = STR("boolean"), [PROPERTY_DATETIME] = STR("dateTime"),
        [PROPERTY_DECIMAL] = STR("decimal"),
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(name, names[i]))
            return (enum property_type)i;
    return PROPERTY_STRING;
}

static void read_definitions(struct reader *r, yyjson_val *root)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(root, "property"), i, n, v) {
        cs_builder_property_def(r->b, js_get_str(v, "code"), js_get_str(v, "uri"),
                                js_get_str(v, "description"), type_of(js_get_str(v, "type")));
    }
}

/* ---- its concepts ---- */

static void read_designations(struct reader *r, uint32_t concept, yyjson_val *list)
{
    yyjson_val *v, *use;
    size_t i, n;

    yyjson_arr_foreach(list, i, n, v) {
        use = js_get(v, "use");
        cs_builder_designation(r->b, concept, js_get_str(v, "language"), js_get_str(use, "system"),
                               js_get_str(use, "code"), js_get_str(use, "display"),
                               js_get_str(v, "value"));
    }
}

/* The uri of a property's definition, or the one that the specification gives its code. */
static bool is_property(yyjson_val *root, struct str code, struct str known)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(root, "property"), i, n, v) {
        struct str uri = js_get_str(v, "uri");
        if (str_eq(js_get_str(v, "code"), code) && str_starts(uri, STR(PROPERTY_URI)))
            return str_eq(str_from(uri, sizeof PROPERTY_URI - 1), known);
    }
    return str_eq(code, known);
}

static uint32_t flags_of(yyjson_val *root, struct str code, struct str value)
{
    bool yes = str_eq(value, STR("true"));

    if (is_property(root, code, STR("status")))
        return str_eq(value, STR("retired")) || str_eq(value, STR("inactive")) ||
                       str_eq(value, STR("withdrawn"))
                   ? CONCEPT_INACTIVE
               : str_eq(value, STR("deprecated")) ? CONCEPT_DEPRECATED
                                                  : 0;
    if (yes && is_property(root, code, STR("inactive")))
        return CONCEPT_INACTIVE;
    if (yes && (is_property(root, code, STR("notSelectable")) || str_eq(code, STR("abstract"))))
        return CONCEPT_ABSTRACT;
    return 0;
}

static void read_property(struct reader *r, yyjson_val *root, uint32_t concept, yyjson_val *v)
{
    struct str code = js_get_str(v, "code"), text, system = STR(""), display = STR("");
    enum property_type type = PROPERTY_STRING;
    yyjson_val *key, *value;
    size_t i, n;

    yyjson_obj_foreach(v, i, n, key, value) {
        struct str name = js_str(key);
        if (!str_starts(name, STR("value")) || name.n == 5)
            continue;
        text = js_primitive(value);
        type = str_eq(name, STR("valueCode")) ? PROPERTY_CODE : type_of(str_from(name, 5));
        if (str_eq(name, STR("valueDateTime")))
            type = PROPERTY_DATETIME;
        if (yyjson_is_obj(value)) {
            text = js_get_str(value, "code");
            system = js_get_str(value, "system");
            display = js_get_str(value, "display");
            type = PROPERTY_CODING;
        } else if (yyjson_is_bool(value)) {
            type = PROPERTY_BOOLEAN;
        } else if (js_is_number(value)) {
            type = str_eq(name, STR("valueDecimal")) ? PROPERTY_DECIMAL : PROPERTY_INTEGER;
        }
        if (text.p)
            cs_builder_property(r->b, concept,
                                cs_builder_property_def(r->b, code, STR(""), STR(""), type), type,
                                text, system, display);
        if (text.p)
            cs_builder_flag(r->b, concept, flags_of(root, code, text));
        return;
    }
}

/* Where no property says it, the extension tells the status of a concept. */
static void read_standards(struct reader *r, uint32_t concept, yyjson_val *v)
{
    struct str status = standards_status(v);
    yyjson_val *p;
    size_t i, n;

    if (!str_eq(status, STR("withdrawn")) && !str_eq(status, STR("deprecated")))
        return;
    yyjson_arr_foreach(js_get(v, "property"), i, n, p) {
        if (str_eq(js_get_str(p, "code"), STR("status")))
            return;
    }
    cs_builder_flag(r->b, concept, CONCEPT_INACTIVE);
    cs_builder_property(
        r->b, concept,
        cs_builder_property_def(r->b, STR("status"), STR(""), STR(""), PROPERTY_CODE),
        PROPERTY_CODE, status, STR(""), STR(""));
}

static int read_concepts(struct reader *r, yyjson_val *root, yyjson_val *list, uint32_t parent,
                         int depth)
{
    yyjson_val *v, *p;
    size_t i, n, k, n_p;
    int result = 0;

    if (depth > DEPTH_MAX)
        return err_set(r->err, ERR_COSTLY, "concepts are nested deeper than %d", DEPTH_MAX);
    yyjson_arr_foreach(list, i, n, v) {
        struct str code = js_get_str(v, "code");
        uint32_t concept =
            cs_builder_add(r->b, code, js_get_str(v, "display"), js_get_str(v, "definition"), 0);
        if (concept == CS_NONE)
            continue; /* told twice: the first counts */
        if (parent != CS_NONE)
            cs_builder_parent(r->b, concept, parent);
        read_designations(r, concept, js_get(v, "designation"));
        yyjson_arr_foreach(js_get(v, "property"), k, n_p, p) {
            read_property(r, root, concept, p);
        }
        read_standards(r, concept, v);
        if (js_get(v, "concept"))
            result = read_concepts(r, root, js_get(v, "concept"), concept, depth + 1);
        if (result < 0)
            return result;
    }
    return 0;
}

/* ---- hierarchy by properties: parent, child, subsumedBy ---- */

static void read_links(struct reader *r, yyjson_val *root, yyjson_val *list)
{
    yyjson_val *v, *p;
    size_t i, n, k, n_p;

    yyjson_arr_foreach(list, i, n, v) {
        uint32_t concept = cs_builder_find(r->b, js_get_str(v, "code"));
        yyjson_arr_foreach(js_get(v, "property"), k, n_p, p) {
            struct str code = js_get_str(p, "code");
            uint32_t other = cs_builder_find(r->b, js_get_str(p, "valueCode"));
            if (concept == CS_NONE || other == CS_NONE || concept == other)
                continue;
            if (is_property(root, code, STR("parent")) || str_eq(code, STR("subsumedBy")))
                cs_builder_parent(r->b, concept, other);
            else if (is_property(root, code, STR("child")))
                cs_builder_parent(r->b, other, concept);
        }
        if (js_get(v, "concept"))
            read_links(r, root, js_get(v, "concept"));
    }
}

int cs_of_resource(yyjson_val *root, struct cs **ret, struct err *err)
{
    _cleanup_(cs_builder_freep) struct cs_builder *b = cs_builder_new();
    struct reader r = {.b = b, .err = err};
    char *bytes;
    size_t n;
    int result;

    if (!b)
        return err_no_memory(err);
    read_info(&r, root);
    read_definitions(&r, root);
    result = read_concepts(&r, root, js_get(root, "concept"), CS_NONE, 0);
    if (result < 0)
        return result;
    read_links(&r, root, js_get(root, "concept"));
    result = cs_build(b, &bytes, &n, err);
    if (result < 0)
        return result;
    return cs_open(bytes, n, ret, err);
}
