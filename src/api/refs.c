#include "api/refs.h"

static int walk_object(yyjson_val *obj, const struct def_type *t, link_fn *fn, void *ctx);

static bool is_uri_type(const struct def_type *t)
{
    static const struct str names[] = {STR("uri"), STR("url"), STR("oid"), STR("uuid")};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(t->name, names[i]))
            return true;
    return false;
}

static int walk_value(yyjson_val *v, const struct def_type *t, link_fn *fn, void *ctx)
{
    size_t i, max;
    yyjson_val *item;
    int r;

    if (yyjson_is_arr(v)) {
        yyjson_arr_foreach(v, i, max, item)
            if ((r = walk_value(item, t, fn, ctx)) != 0)
                return r;
        return 0;
    }
    if (yyjson_is_obj(v))
        return walk_object(v, t, fn, ctx);
    if (!yyjson_is_str(v) || t->kind != DEF_PRIMITIVE)
        return 0;
    if (str_eq(t->name, STR("xhtml")))
        return fn(ctx, LINK_NARRATIVE, v);
    return is_uri_type(t) ? fn(ctx, LINK_URI, v) : 0;
}

static int walk_object(yyjson_val *obj, const struct def_type *t, link_fn *fn, void *ctx)
{
    size_t i, max;
    yyjson_val *key, *val;
    int r;

    if (t->kind == DEF_RESOURCE && t->is_abstract) {
        t = def_type(js_get_str(obj, "resourceType"));
        if (!t)
            return 0;
    }
    yyjson_obj_foreach(obj, i, max, key, val) {
        struct str name = js_str(key);
        const struct def_type *member = NULL;

        if (name.n && name.p[0] == '_')
            member = def_type(STR("Element"));
        else
            def_member(t, name, &member);
        if (!member)
            continue;
        if (str_eq(t->name, STR("Reference")) && str_eq(name, STR("reference")))
            r = yyjson_is_str(val) ? fn(ctx, LINK_REFERENCE, val) : 0;
        else
            r = walk_value(val, member, fn, ctx);
        if (r)
            return r;
    }
    return 0;
}

int links_each(yyjson_val *resource, link_fn *fn, void *ctx)
{
    const struct def_type *t = def_type(js_get_str(resource, "resourceType"));

    return t && yyjson_is_obj(resource) ? walk_object(resource, t, fn, ctx) : 0;
}
