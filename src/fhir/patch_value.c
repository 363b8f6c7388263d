/* What a FHIRPath Patch adds: from the parts of Parameters to the JSON of an element. */
#include "fhir/patch_int.h"

#include <ctype.h>

#define PARTS_DEPTH_MAX 32 /* parts within parts */

const struct def_element *patch_element(const struct def_type *t, struct str name)
{
    const struct def_type *type;

    for (size_t i = 0; t && i < t->n_elements; i++)
        if (str_eq(t->elements[i].name, name))
            return &t->elements[i];
    return t ? def_member(t, name, &type) : NULL;
}

struct str patch_sibling(struct arena *a, struct str name)
{
    return arena_fmt(a, "_%.*s", STR_ARG(name));
}

yyjson_mut_val *patch_siblings(yyjson_mut_doc *doc, yyjson_mut_val *obj, struct str sibling,
                               size_t n)
{
    yyjson_mut_val *list = yyjson_mut_obj_getn(obj, sibling.p, sibling.n);

    if (!list) {
        list = yyjson_mut_arr(doc);
        if (!list || !yyjson_mut_obj_put(obj, yyjson_mut_strn(doc, sibling.p, sibling.n), list))
            return NULL;
    }
    while (yyjson_mut_is_arr(list) && yyjson_mut_arr_size(list) < n)
        if (!yyjson_mut_arr_append(list, yyjson_mut_null(doc)))
            return NULL;
    return list;
}

static bool put(yyjson_mut_doc *doc, yyjson_mut_val *obj, struct str name, yyjson_mut_val *v)
{
    return yyjson_mut_obj_put(obj, yyjson_mut_strn(doc, name.p, name.n), v);
}

/* ---- adding ---- */

static bool has_choice(yyjson_mut_val *obj, const struct def_element *e, struct arena *a)
{
    for (size_t i = 0; e->types[i]; i++) {
        struct str type = e->types[i]->name;
        struct str json = arena_fmt(a, "%.*s%c%.*s", STR_ARG(e->name), toupper(type.p[0]),
                                    (int)type.n - 1, type.p + 1);
        struct str sibling = patch_sibling(a, json);
        if (!json.p || !sibling.p || yyjson_mut_obj_getn(obj, json.p, json.n) ||
            yyjson_mut_obj_getn(obj, sibling.p, sibling.n))
            return true;
    }
    return false;
}

static int append(yyjson_mut_doc *doc, yyjson_mut_val *obj, struct str sibling,
                  const struct patch_value *value, struct err *err)
{
    yyjson_mut_val *list = yyjson_mut_obj_getn(obj, value->json.p, value->json.n), *more;
    size_t n = yyjson_mut_arr_size(list);

    more = yyjson_mut_obj_getn(obj, sibling.p, sibling.n);
    n = MAX(n, yyjson_mut_arr_size(more));
    if (value->v || list) {
        list = patch_siblings(doc, obj, value->json, n);
        if (!list || !yyjson_mut_arr_append(list, value->v ? value->v : yyjson_mut_null(doc)))
            return err_no_memory(err);
    }
    if (value->more || more) {
        more = patch_siblings(doc, obj, sibling, n);
        if (!more || !yyjson_mut_arr_append(more, value->more ? value->more : yyjson_mut_null(doc)))
            return err_no_memory(err);
    }
    return 0;
}

bool patch_is_named(const struct def_element *e, const struct patch_value *value, struct str name)
{
    return str_eq(name, e->name) || str_eq(name, value->json);
}

int patch_add(struct arena *a, yyjson_mut_doc *doc, yyjson_mut_val *obj,
              const struct def_element *e, const struct patch_value *value, struct err *err)
{
    struct str sibling = patch_sibling(a, value->json);
    bool there;

    if (!sibling.p)
        return err_no_memory(err);
    if (e->max > 1)
        return append(doc, obj, sibling, value, err);
    there = e->is_choice ? has_choice(obj, e, a)
                         : yyjson_mut_obj_getn(obj, value->json.p, value->json.n) ||
                               yyjson_mut_obj_getn(obj, sibling.p, sibling.n);
    if (there)
        return err_set(err, ERR_PROCESSING, "\"%.*s\" is there already and does not repeat",
                       STR_ARG(e->name));
    if ((value->v && !put(doc, obj, value->json, value->v)) ||
        (value->more && !put(doc, obj, sibling, value->more)))
        return err_no_memory(err);
    return 0;
}

/* ---- values ---- */

/* value[x] of a part: the type's name as it stands in JSON ("Boolean"); .p NULL: there is none. */
static struct str typed_value(yyjson_val *part, yyjson_val **ret_v, yyjson_val **ret_more)
{
    struct str type = STR_NULL;
    size_t i, max;
    yyjson_val *key, *v;

    *ret_v = *ret_more = NULL;
    yyjson_obj_foreach(part, i, max, key, v) {
        struct str name = js_str(key);
        bool more = name.n && name.p[0] == '_';
        name = str_from(name, more);
        if (!str_starts(name, STR("value")) || name.n == 5)
            continue;
        type = str_from(name, 5);
        *(more ? ret_more : ret_v) = v;
    }
    return type;
}

/* "Date" of valueDate is the type date. */
static const struct def_type *type_of(struct str json)
{
    const struct def_type *t = def_type(json);
    char lower[64];

    if (t || !json.n || json.n > sizeof lower)
        return t;
    memcpy(lower, json.p, json.n);
    lower[0] = (char)tolower((unsigned char)lower[0]);
    return def_type(str_n(lower, json.n));
}

static bool derives(const struct def_type *t, const struct def_type *base)
{
    while (t && t != base)
        t = t->base;
    return t;
}

/* Whether a value of a type may stand as the element: a string is taken for a code, a uri for a
 * canonical, as nobody can see the difference. Text of a page has no value[x] of its own. */
static bool fits(const struct def_element *e, struct str json)
{
    const struct def_type *t = type_of(json);

    for (size_t i = 0; t && e->types[i]; i++) {
        if (e->is_choice ? t == e->types[i] : derives(t, e->types[i]) || derives(e->types[i], t))
            return true;
        if (e->types[i]->which == TYPE_XHTML && t->which == TYPE_STRING)
            return true;
    }
    return false;
}

static int parts_value(struct arena *a, yyjson_mut_doc *doc, const struct def_type *type,
                       yyjson_val *parts, unsigned depth, yyjson_mut_val **ret, struct err *err);

static int value_at(struct arena *a, yyjson_mut_doc *doc, const struct def_element *e,
                    yyjson_val *part, unsigned depth, struct patch_value *ret, struct err *err)
{
    yyjson_val *v, *more, *parts = js_get(part, "part"), *resource = js_get(part, "resource");
    struct str type = typed_value(part, &v, &more);

    *ret = (struct patch_value){.json = e->name};
    if ((type.p != NULL) + (parts != NULL) + (resource != NULL) != 1)
        return err_set(err, ERR_SYNTAX,
                       "the value of \"%.*s\" is not one of value[x], resource and part",
                       STR_ARG(e->name));
    if (parts && e->is_choice)
        return err_set(err, ERR_PROCESSING, "the value of \"%.*s\" needs a type", STR_ARG(e->name));
    if (parts)
        return parts_value(a, doc, e->types[0], parts, depth + 1, &ret->v, err);
    if (type.p && !fits(e, type))
        return err_set(err, ERR_PROCESSING, "\"%.*s\" cannot have a value%.*s", STR_ARG(e->name),
                       (int)MIN(type.n, 64u), type.p);
    if (e->is_choice && type.p) {
        ret->json = arena_fmt(a, "%.*s%.*s", STR_ARG(e->name), STR_ARG(type));
        if (!ret->json.p)
            return err_no_memory(err);
    }
    if (resource)
        v = resource;
    ret->v = v ? yyjson_val_mut_copy(doc, v) : NULL;
    ret->more = more ? yyjson_val_mut_copy(doc, more) : NULL;
    return (v && !ret->v) || (more && !ret->more) ? err_no_memory(err) : 0;
}

/* The object that parts describe: an element whose type has no name. */
static int parts_value(struct arena *a, yyjson_mut_doc *doc, const struct def_type *type,
                       yyjson_val *parts, unsigned depth, yyjson_mut_val **ret, struct err *err)
{
    yyjson_mut_val *obj = yyjson_mut_obj(doc);
    size_t i, max;
    yyjson_val *part;

    if (!obj)
        return err_no_memory(err);
    if (depth > PARTS_DEPTH_MAX)
        return err_set(err, ERR_SYNTAX, "parts are nested deeper than %d levels", PARTS_DEPTH_MAX);
    if (!yyjson_is_arr(parts) || !yyjson_arr_size(parts))
        return err_set(err, ERR_SYNTAX, "\"part\" is not a list of parts");
    yyjson_arr_foreach(parts, i, max, part) {
        struct str name = js_get_str(part, "name");
        const struct def_element *e = patch_element(type, name);
        struct patch_value value;
        int r;
        if (!e)
            return err_set(err, ERR_PROCESSING, "%.*s has no element \"%.*s\"", STR_ARG(type->name),
                           (int)MIN(name.n, 64u), name.n ? name.p : "");
        r = value_at(a, doc, e, part, depth, &value, err);
        if (r >= 0 && !patch_is_named(e, &value, name))
            r = err_set(err, ERR_PROCESSING, "\"%.*s\" has a value of another type",
                        (int)MIN(name.n, 64u), name.p);
        if (r >= 0)
            r = patch_add(a, doc, obj, e, &value, err);
        if (r < 0)
            return r;
    }
    *ret = obj;
    return 0;
}

int patch_value(struct arena *a, yyjson_mut_doc *doc, const struct def_element *e, yyjson_val *part,
                struct patch_value *ret, struct err *err)
{
    return value_at(a, doc, e, part, 0, ret, err);
}
