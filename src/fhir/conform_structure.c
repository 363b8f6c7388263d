/* conform_structure.c - what a StructureDefinition has to keep besides R4's invariants: it fits its
 * base, its rules are FHIRPath, and what it names is there and of the right kind.
 *
 * Source: http://hl7.org/fhir/R4/structuredefinition.html, elementdefinition.html, profiling.html,
 * defining-extensions.html.
 */
#include "fhir/conform_definition_int.h"

#include "fhir/snapshot.h"

#include <ctype.h>

/* ---- elements ---- */

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
                definition_say(d, ISSUE_ERROR, "structure", &here, "type",
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
        definition_say(d, ISSUE_ERROR, "structure", &below, "slicing",
                       "is a slice of an element that is not sliced");
}

/* An extension goes by the url of its definition. */
static void check_url(const struct definition_check *d, yyjson_val *element, const struct place *at)
{
    struct place below = {at, STR("fixedUri"), -1};
    struct str fixed = js_get_str(element, "fixedUri");

    if (fixed.n && str_eq(js_get_str(element, "path"), STR("Extension.url")) &&
        !str_eq(fixed, js_get_str(d->root, "url")))
        definition_say(d, ISSUE_ERROR, "value", &below, "url", "is not the url of the definition");
}

/* ---- what an element may be, and the rules on it ---- */

#define ELEMENT_TYPES_MAX 64 /* more than R4 has */

/* "Observation.component.value[x]" of R4 itself; NULL where the path is none of R4's. */
static const struct def_element *element_at(struct str path)
{
    const struct def_element *e = NULL;
    const struct def_type *t = NULL;
    struct str part;

    for (bool is_first = true; path.n && str_split(&path, '.', &part); is_first = false) {
        if (is_first) {
            t = def_type(part);
            continue;
        }
        if (str_ends(part, STR("[x]")))
            part = str_head(part, part.n - 3);
        e = t ? element_of(t, part) : NULL;
        t = e && !e->is_choice ? e->types[0] : NULL;
        if (!e)
            return NULL;
    }
    return e;
}

/* What an element may be, NULL behind the last: R4's own types where they are its backbone, else
 * those that the definition leaves. Empty where it is not known. */
struct element_types {
    const struct def_type *of[ELEMENT_TYPES_MAX + 1];
    size_t n;
};

static void add_type(struct element_types *t, const struct def_type *type)
{
    if (type && t->n < ELEMENT_TYPES_MAX)
        t->of[t->n++] = type;
}

static struct element_types types_of(struct str path, yyjson_val *types)
{
    const struct def_element *e = element_at(path);
    struct element_types t = {.n = 0};
    yyjson_val *v;
    size_t i, n;

    if (str_find(path, '.') < 0) {
        add_type(&t, def_type(path));
        return t;
    }
    if (e && !e->is_choice) {
        add_type(&t, e->types[0]);
        return t;
    }
    yyjson_arr_foreach(types, i, n, v) {
        add_type(&t, def_type(js_get_str(v, "code")));
    }
    for (i = 0; !t.n && e && e->types[i]; i++)
        add_type(&t, e->types[i]);
    return t;
}

static int check_rule(const struct definition_check *d, struct str expression,
                      const struct element_types *types, const struct place *at)
{
    const struct path *path;
    struct err why;
    int r = path_compile(d->c->scratch, expression, NULL, &path, &why);

    if (r < 0 && r != ERR_NO_MEMORY)
        conform_say(d->c, ISSUE_ERROR, "value", at, NULL, STR("expression"), "is no FHIRPath: %s",
                    why.text);
    else if (r >= 0 && (r = path_members(d->c->scratch, expression, types->of, &why)) < 0)
        conform_say(d->c, ISSUE_ERROR, "value", at, NULL, STR("expression"),
                    "asks for what the element does not have: %s", why.text);
    arena_reset(d->c->scratch);
    return r == ERR_NO_MEMORY ? err_no_memory(d->c->err) : 0;
}

static int check_rules(const struct definition_check *d, yyjson_val *element, yyjson_val *types,
                       const struct place *at)
{
    struct element_types may_be = types_of(js_get_str(element, "path"), types);
    yyjson_val *v;
    size_t i, n;
    int r = 0;

    yyjson_arr_foreach(js_get(element, "constraint"), i, n, v) {
        struct place here = {at, STR("constraint"), (ptrdiff_t)i};
        struct place below = {&here, STR("expression"), -1};
        struct str expression = js_get_str(v, "expression");
        if (r >= 0 && expression.n)
            r = check_rule(d, expression, &may_be, &below);
    }
    return r;
}

/* ---- discriminators ---- */

static bool is_link(const struct def_type *t)
{
    return t->which == TYPE_REFERENCE || t->which == TYPE_CANONICAL || t->which == TYPE_URI ||
           t->which == TYPE_URL;
}

/* One step on from what an element may be; false where it leads nowhere. */
static bool step_on(const struct slicing_step *step, const struct element_types *from,
                    struct element_types *to)
{
    struct str name = step->kind == STEP_EXTENSION ? STR("extension") : step->name;
    bool leads = false;

    *to = (struct element_types){.n = 0};
    for (size_t i = 0; i < from->n; i++) {
        const struct def_type *t = from->of[i];
        const struct def_element *e;
        switch (step->kind) {
        case STEP_RESOLVE: leads |= is_link(t); continue; /* to a resource of whatever type */
        case STEP_TYPE:
            if (path_type_is(step->type, t->name) || path_type_is(t, step->type->name))
                add_type(to, step->type);
            leads |= to->n > 0;
            continue;
        default: break;
        }
        if (t->is_abstract && t->kind == DEF_RESOURCE) {
            to->n = 0;
            return true;
        }
        e = element_of(t, name);
        leads |= e != NULL;
        for (size_t k = 0; e && e->types[k]; k++)
            add_type(to, e->types[k]);
    }
    return leads;
}

static int check_discriminator(const struct definition_check *d, struct str path,
                               struct element_types types, const struct place *at)
{
    struct slicing_step *steps;
    struct err why;
    size_t n;
    int r = slicing_read_path(d->c->scratch, path, &steps, &n, &why);

    if (r < 0 && r != ERR_PROCESSING)
        return err_no_memory(d->c->err);
    if (r < 0) {
        conform_say(d->c, ISSUE_ERROR, "value", at, NULL, STR("path"), "is not valid: %s",
                    why.text);
        return 0;
    }
    for (size_t i = 0; i < n && types.n; i++) {
        struct element_types next;
        if (!step_on(&steps[i], &types, &next)) {
            definition_say(d, ISSUE_ERROR, "value", at, "path", "leads nowhere from the element");
            break;
        }
        types = next;
    }
    return 0;
}

static int check_slicing(const struct definition_check *d, yyjson_val *element, yyjson_val *types,
                         const struct place *at)
{
    struct place slicing = {at, STR("slicing"), -1};
    yyjson_val *v;
    size_t i, n;
    int r = 0;

    yyjson_arr_foreach(js_get(js_get(element, "slicing"), "discriminator"), i, n, v) {
        struct place here = {&slicing, STR("discriminator"), (ptrdiff_t)i};
        struct place below = {&here, STR("path"), -1};
        if (r >= 0)
            r = check_discriminator(d, js_get_str(v, "path"),
                                    types_of(js_get_str(element, "path"), types), &below);
        arena_reset(d->c->scratch);
    }
    return r;
}

/* ---- what types lead to ---- */

static bool is_target(const struct def_element *e, int type)
{
    for (const int *t = e->targets; t && *t; t++)
        if (*t == type)
            return true;
    return !e->targets;
}

static bool is_of(const struct def_type *t, const struct def_type *wanted)
{
    while (t && t != wanted)
        t = t->base;
    return t != NULL;
}

/* The type that a canonical is a definition of; empty where it is not known here. */
static int type_of(const struct definition_check *d, struct str url, struct str *ret)
{
    static const struct str base = STR("http://hl7.org/fhir/StructureDefinition/");
    yyjson_val *found;
    int r;

    *ret = str_starts(url, base) ? str_from(url, base.n) : STR("");
    if (ret->n && def_type(*ret))
        return 0;
    r = definition_find(d, "StructureDefinition", url, &found);
    *ret = js_get_str(found, "type");
    return MIN(r, 0);
}

static void say_unknown(const struct definition_check *d, struct str url, const struct place *at)
{
    if (!conform_said(d->c, url))
        definition_say(d, ISSUE_WARNING, "not-found", at, "profile", "is not known here");
}

/* A profile of the type, targets among those that R4's element allows. */
static int check_links(const struct definition_check *d, yyjson_val *type, const char *list,
                       const struct def_element *e, const struct place *up)
{
    const struct def_type *own = def_type(js_get_str(type, "code"));
    bool is_target_list = list[0] == 't';
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(type, list), i, n, v) {
        struct place at = {up, str_c(list), (ptrdiff_t)i};
        struct str name;
        const struct def_type *named;
        int r = type_of(d, js_str(v), &name);
        if (r < 0)
            return r;
        named = def_type(name);
        if (!name.n)
            say_unknown(d, js_str(v), &at);
        else if (named && !is_target_list && own && !is_of(own, named) && !is_of(named, own))
            definition_say(d, ISSUE_ERROR, "structure", &at, "profile",
                           "is a profile of another type");
        else if (named && is_target_list && !named->is_abstract && e && e->targets &&
                 !is_target(e, named->number))
            definition_say(d, ISSUE_ERROR, "structure", &at, "targetProfile",
                           "is of a type that the base does not allow");
    }
    return 0;
}

static int check_types(const struct definition_check *d, yyjson_val *element,
                       const struct place *at)
{
    const struct def_element *e = element_at(js_get_str(element, "path"));
    yyjson_val *v;
    size_t i, n;
    int r = 0;

    yyjson_arr_foreach(js_get(element, "type"), i, n, v) {
        struct place here = {at, STR("type"), (ptrdiff_t)i};
        if (r >= 0)
            r = check_links(d, v, "profile", NULL, &here);
        if (r >= 0)
            r = check_links(d, v, "targetProfile", e, &here);
    }
    return r;
}

static bool has_codes(const struct def_type *t)
{
    for (; t; t = t->base)
        switch (t->which) {
        case TYPE_CODE:
        case TYPE_CODING:
        case TYPE_CODEABLECONCEPT:
        case TYPE_QUANTITY:
        case TYPE_STRING:
        case TYPE_URI: return true;
        default: break;
        }
    return false;
}

/* What is bound has codes, of a set that is known. */
static int check_bound(const struct definition_check *d, yyjson_val *element,
                       const struct place *up)
{
    const struct def_element *e = element_at(js_get_str(element, "path"));
    struct place binding = {up, STR("binding"), -1}, at = {&binding, STR("valueSet"), -1};
    struct str url = js_get_str(js_get(element, "binding"), "valueSet");
    yyjson_val *found;
    bool is_coded = !e;
    int r;

    if (!js_get(element, "binding"))
        return 0;
    for (size_t i = 0; e && e->types[i]; i++)
        is_coded |= has_codes(e->types[i]);
    if (!is_coded)
        definition_say(d, ISSUE_ERROR, "structure", &binding, "eld-11",
                       "binds an element that has no codes");
    r = url.n && url.p[0] != '#' ? definition_find(d, "ValueSet", url, &found) : 0;
    if (r >= 0 && url.n && url.p[0] != '#' && !found && !conform_said(d->c, url))
        definition_say(d, ISSUE_INFORMATION, "not-found", &at, "valueSet", "is not known here");
    return MIN(r, 0);
}

/* ---- all elements ---- */

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
        yyjson_val *types = js_get(whole ? whole : v, "type");
        if (r >= 0)
            r = check_rules(d, v, types, &here);
        if (r >= 0)
            r = check_slicing(d, v, types, &here);
        if (r >= 0)
            r = check_types(d, v, &here);
        if (r >= 0)
            r = check_bound(d, v, &here);
        check_value_types(d, v, types, &here);
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
    int r = url.n ? definition_find(d, "StructureDefinition", url, &base) : 0;

    *ret_known = base != NULL;
    if (r < 0 || !url.n)
        return r;
    if (!base)
        definition_say(d, ISSUE_WARNING, "not-found", &at, "baseDefinition", "is not known here");
    else if (is_constraint(d->root) &&
             !str_eq(js_get_str(base, "type"), js_get_str(d->root, "type")))
        definition_say(d, ISSUE_ERROR, "structure", &at, "type", "is a definition of another type");
    return 0;
}

/* ---- contexts ---- */

static bool is_path_of_r4(struct str path)
{
    ptrdiff_t dot = str_find(path, '.');
    const struct def_type *t = def_type(dot < 0 ? path : str_head(path, (size_t)dot));

    /* What is no type of R4 may be a logical model's, or a later version's. */
    return !t || dot < 0 || element_at(path);
}

/* Where an extension may stand has to be somewhere. */
static int check_contexts(const struct definition_check *d)
{
    bool is_extension = str_eq(js_get_str(d->root, "type"), STR("Extension"));
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(d->root, "context"), i, n, v) {
        struct place here = {d->at, STR("context"), (ptrdiff_t)i};
        struct place at = {&here, STR("expression"), -1};
        struct str type = js_get_str(v, "type"), expression = js_get_str(v, "expression");
        const struct path *path;
        struct err why;
        int r = 0;
        if (!is_extension)
            definition_say(d, ISSUE_WARNING, "structure", &here, "context",
                           "says where an extension may stand, but this defines none");
        if (str_eq(type, STR("element")) && !is_path_of_r4(expression))
            definition_say(d, ISSUE_ERROR, "value", &at, "context", "is no element of R4");
        if (str_eq(type, STR("fhirpath")))
            r = path_compile(d->c->scratch, expression, NULL, &path, &why);
        arena_reset(d->c->scratch);
        if (r == ERR_NO_MEMORY)
            return err_no_memory(d->c->err);
        if (r < 0)
            conform_say(d->c, ISSUE_ERROR, "value", &at, NULL, STR("context"), "is no FHIRPath: %s",
                        why.text);
    }
    return 0;
}

/* ---- the whole ---- */

static void check_kind(const struct definition_check *d)
{
    struct place at = {d->at, STR("kind"), -1};
    const struct def_type *t = def_type(js_get_str(d->root, "type"));
    struct str kind = js_get_str(d->root, "kind");

    if (t && !str_eq(kind, STR("logical")) &&
        str_eq(kind, STR("resource")) != (t->kind == DEF_RESOURCE || t->number > 0) &&
        !t->is_abstract)
        definition_say(d, ISSUE_ERROR, "structure", &at, "kind", "is not the kind of the type");
}

int conform_structure(const struct definition_check *d)
{
    _cleanup_(arena_done) struct arena a;
    struct place at = {d->at, STR("differential"), -1};
    yyjson_val *snapshot = NULL;
    bool is_known;
    struct err why;
    int r = check_base(d, &is_known);

    arena_init(&a, SNAPSHOT_BYTES_MAX);
    if (r >= 0)
        r = check_contexts(d);
    if (r < 0)
        return r;
    check_kind(d);
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
