/* From an item to its members: by names, down chains that were resolved when compiling, and to all
 * children. An item is made only of what a walk leads to, where it will lie. */
#include "fhir/path_int.h"

#include <ctype.h>

struct walk {
    struct path_env *env;
    struct path_items *out;
    size_t enough; /* items of `out` after which nothing more is looked for */
    struct err *err;
};

/* What a walk takes behind a member: `n` more steps. */
struct rest {
    const struct path_step *s;
    size_t n;
};

/* Walks give 0 to go on, 1 where there is enough, or an error. */

static inline yyjson_val *find(yyjson_val *obj, const char *name, size_t n)
{
    yyjson_val *key = unsafe_yyjson_get_first(obj);

    for (size_t left = unsafe_yyjson_get_len(obj); left; left--) {
        const char *k = key->uni.str;
        if (unsafe_yyjson_get_len(key) == n && k[0] == name[0] && bytes_eq(k, name, n))
            return key + 1;
        key = unsafe_yyjson_get_next(key + 1);
    }
    return NULL;
}

/* A value that is there, alone. */
static bool is_scalar(const yyjson_val *v)
{
    return v && !unsafe_yyjson_is_ctn((void *)(uintptr_t)v) &&
           unsafe_yyjson_get_type((void *)(uintptr_t)v) != YYJSON_TYPE_NULL;
}

static yyjson_val *find_sibling(yyjson_val *obj, struct str name)
{
    yyjson_val *key = unsafe_yyjson_get_first(obj);

    for (size_t left = unsafe_yyjson_get_len(obj); left; left--) {
        const char *k = key->uni.str;
        if (k[0] == '_' && str_eq(str_from(js_str(key), 1), name))
            return key + 1;
        key = unsafe_yyjson_get_next(key + 1);
    }
    return NULL;
}

yyjson_val *path_more(const struct path_item *item)
{
    /* The name of a member lies in front of its value. */
    return item->has_owner ? find_sibling(item->owner, js_str(item->v - 1)) : item->more;
}

/* The member `name` and its sibling "_name", in one pass; `is_quick`: a scalar will do. */
static inline void find_pair(yyjson_val *obj, const char *name, size_t n, bool is_quick,
                             yyjson_val **ret_v, yyjson_val **ret_more)
{
    yyjson_val *key = unsafe_yyjson_get_first(obj);

    *ret_v = *ret_more = NULL;
    for (size_t left = unsafe_yyjson_get_len(obj); left; left--) {
        const char *k = key->uni.str;
        size_t len = unsafe_yyjson_get_len(key);
        if (k[0] == name[0] && len == n && bytes_eq(k, name, n)) {
            *ret_v = key + 1;
            if (is_quick && is_scalar(key + 1))
                return;
        } else if (k[0] == '_' && len == n + 1 && bytes_eq(k + 1, name, n)) {
            *ret_more = key + 1;
        }
        key = unsafe_yyjson_get_next(key + 1);
    }
}

static struct str resource_name(yyjson_val *v)
{
    yyjson_val *name = yyjson_is_obj(v) ? find(v, "resourceType", 12) : NULL;

    return yyjson_is_str(name) ? js_str(name) : STR_NULL;
}

static const struct def_type *resource_type(yyjson_val *v)
{
    int type = def_resource(resource_name(v));

    return type ? def_resource_type(type) : NULL;
}

struct path_item path_root(yyjson_val *resource)
{
    return (struct path_item){.kind = PATH_ELEMENT, .v = resource, .type = resource_type(resource)};
}

struct path_item path_json(yyjson_val *v)
{
    return path_root(v);
}

static bool is_any_resource(const struct def_type *t)
{
    return t && t->is_abstract && t->kind == DEF_RESOURCE;
}

static bool is_type(const struct def_type *t, const struct def_type *wanted)
{
    while (t && t != wanted)
        t = t->base;
    return t;
}

/* "valueQuantity" is the element "value" with the type Quantity. */
static const struct def_type *choice_type(const struct def_element *e, struct str json)
{
    struct str suffix = str_from(json, e->name.n);

    if (!suffix.n || !str_starts(json, e->name))
        return NULL;
    for (size_t i = 0; e->types[i]; i++) {
        struct str t = e->types[i]->name;
        if (t.n == suffix.n && toupper((unsigned char)t.p[0]) == suffix.p[0] &&
            memcmp(t.p + 1, suffix.p + 1, t.n - 1) == 0)
            return e->types[i];
    }
    return NULL;
}

static int walk_on(const struct walk *w, struct rest rest, yyjson_val *v, yyjson_val *more,
                   const struct def_type *type);

static inline int put(const struct walk *w, const struct path_step *s, yyjson_val *v,
                      yyjson_val *more, const struct def_type *type)
{
    struct path_item *item;
    int r = path_room(w->env, w->out, w->err);

    if (r < 0)
        return r;
    item = &w->out->p[w->out->n++];
    item->kind = PATH_ELEMENT;
    item->has_owner = false;
    item->v = v;
    item->type = type;
    item->more = more;
    item->element = s->element;
    item->unit = NULL;
    return w->out->n >= w->enough;
}

/* A resource whose type only itself tells: NULL where it is not the one wanted. */
static bool is_wanted_resource(const struct path_step *s, yyjson_val *v,
                               const struct def_type **ret_type)
{
    if (s->only && s->only->number) {
        *ret_type = s->only;
        return str_eq(resource_name(v), s->only->name);
    }
    *ret_type = resource_type(v);
    return !s->only || is_type(*ret_type, s->only);
}

static inline int walk_one(const struct walk *w, const struct path_step *s, struct rest rest,
                           yyjson_val *v, yyjson_val *more)
{
    const struct def_type *type = s->type;

    if (yyjson_is_null(v))
        v = NULL;
    if (!v && (!more || yyjson_is_null(more) || w->env->values_only))
        return 0;
    if (s->is_resource ? !is_wanted_resource(s, v, &type)
                       : s->only && type != s->only && !is_type(type, s->only))
        return 0;
    return rest.n ? walk_on(w, rest, v, more, type) : put(w, s, v, more, type);
}

/* Arrays with their siblings, of which either may be shorter or none. */
static int walk_both(const struct walk *w, const struct path_step *s, struct rest rest,
                     yyjson_val *v, yyjson_val *more)
{
    size_t n, n_more;
    yyjson_val *e, *sibling;
    int r = 0;

    n = yyjson_arr_size(v);
    n_more = yyjson_arr_size(more);
    e = yyjson_arr_get_first(v);
    sibling = yyjson_arr_get_first(more);
    for (size_t i = 0; (i < n || i < n_more) && r == 0; i++) {
        r = walk_one(w, s, rest, i < n ? e : NULL, i < n_more ? sibling : NULL);
        e = i < n ? unsafe_yyjson_get_next(e) : e;
        sibling = i < n_more ? unsafe_yyjson_get_next(sibling) : sibling;
    }
    return r;
}

/* A value or an array of values with its sibling. */
static int walk_values(const struct walk *w, const struct path_step *s, struct rest rest,
                       yyjson_val *v, yyjson_val *more)
{
    yyjson_val *e;
    int r = 0;

    if (++w->env->steps > PATH_STEPS_MAX)
        return path_costly(w->err);
    if (yyjson_is_arr(more))
        return walk_both(w, s, rest, v, more);
    if (!yyjson_is_arr(v))
        return walk_one(w, s, rest, v, more);
    e = unsafe_yyjson_get_first(v);
    for (size_t left = unsafe_yyjson_get_len(v); left && r == 0; left--) {
        r = walk_one(w, s, rest, e, NULL);
        e = unsafe_yyjson_get_next(e);
    }
    return r;
}

static bool has_sibling(const struct walk *w, const struct def_type *type)
{
    return !w->env->values_only && (!type || type->kind == DEF_PRIMITIVE);
}

/* A primitive at the end of a walk, whose sibling hardly anybody will ask for. */
static int walk_scalar(const struct walk *w, const struct path_step *s, yyjson_val *obj,
                       yyjson_val *v)
{
    int r;

    if (++w->env->steps > PATH_STEPS_MAX)
        return path_costly(w->err);
    if (s->only && s->type != s->only && !is_type(s->type, s->only))
        return 0;
    r = put(w, s, v, obj, s->type);
    if (r >= 0)
        w->out->p[w->out->n - 1].has_owner = true;
    return r;
}

/* The member s->json of an object that may have it. */
static int walk_member(const struct walk *w, const struct path_step *s, struct rest rest,
                       yyjson_val *obj)
{
    yyjson_val *v, *more = NULL;

    if (!has_sibling(w, s->type)) {
        v = find(obj, s->json, s->json_n);
        return v ? walk_values(w, s, rest, v, NULL) : 0;
    }
    find_pair(obj, s->json, s->json_n, !rest.n, &v, &more);
    if (!rest.n && !more && is_scalar(v))
        return walk_scalar(w, s, obj, v);
    return v || more ? walk_values(w, s, rest, v, more) : 0;
}

/* Whichever of a choice the object has. */
static int walk_choice(const struct walk *w, const struct path_step *s, struct rest rest,
                       yyjson_val *obj)
{
    struct path_step found = {.element = s->element, .only = s->only};
    size_t i, max;
    yyjson_val *key, *val;

    yyjson_obj_foreach(obj, i, max, key, val) {
        struct str json = js_str(key);
        bool alone = json.n && json.p[0] == '_';
        found.type = choice_type(s->element, str_from(json, alone));
        /* A sibling is found with its value; alone it counts only when there is none. */
        if (!found.type || (alone && yyjson_obj_getn(obj, json.p + 1, json.n - 1)))
            continue;
        if (!has_sibling(w, found.type))
            return alone ? 0 : walk_values(w, &found, rest, val, NULL);
        found.json = json.p + alone;
        found.json_n = json.n - alone;
        return walk_member(w, &found, rest, obj);
    }
    return 0;
}

static const struct def_element *find_element(const struct def_type *t, struct str name)
{
    const struct def_type *type;
    const struct def_element *e = t ? def_member(t, name, &type) : NULL;

    /* Not "valueQuantity": only the name of the element itself. */
    if (e && str_eq(e->name, name))
        return e;
    for (size_t i = 0; t && i < t->n_elements; i++)
        if (t->elements[i].is_choice && str_eq(t->elements[i].name, name))
            return &t->elements[i];
    return NULL;
}

/* The members `name` of what has a type that was not known when compiling. */
static int walk_named(const struct walk *w, struct str name, const struct def_type *only,
                      struct rest rest, yyjson_val *v, yyjson_val *more,
                      const struct def_type *type)
{
    struct path_step s = {.json = name.p, .json_n = name.n, .only = only};

    if (!yyjson_is_obj(v)) /* id and extension of a primitive */
        v = more;
    if (!yyjson_is_obj(v) || !name.n)
        return 0;
    s.element = find_element(type, name);
    if (!s.element)
        return type ? 0 : walk_member(w, &s, rest, v);
    s.type = s.element->types[0];
    s.is_resource = is_any_resource(s.type);
    return s.element->is_choice ? walk_choice(w, &s, rest, v) : walk_member(w, &s, rest, v);
}

/* The next step from something of whatever type. */
static int walk_on(const struct walk *w, struct rest rest, yyjson_val *v, yyjson_val *more,
                   const struct def_type *type)
{
    const struct path_step *s = rest.s;

    rest = (struct rest){s + 1, rest.n - 1};
    if (type != s->in || !yyjson_is_obj(v))
        return walk_named(w, s->name, s->only, rest, v, more, type);
    return s->json ? walk_member(w, s, rest, v) : walk_choice(w, s, rest, v);
}

/* Down from an object of the first step's type. */
static int walk_down(const struct walk *w, struct rest rest, yyjson_val *obj)
{
    const struct path_step *s = rest.s;
    yyjson_val *v, *e;
    int r = 0;

    rest = (struct rest){s + 1, rest.n - 1};
    if (!s->json)
        return walk_choice(w, s, rest, obj);
    if (!rest.n || !s->is_plain)
        return walk_member(w, s, rest, obj);
    if (++w->env->steps > PATH_STEPS_MAX)
        return path_costly(w->err);
    v = find(obj, s->json, s->json_n);
    if (yyjson_is_obj(v))
        return walk_down(w, rest, v);
    e = yyjson_arr_get_first(v);
    for (size_t left = yyjson_arr_size(v); left && r == 0; left--) {
        if (yyjson_is_obj(e))
            r = walk_down(w, rest, e);
        e = unsafe_yyjson_get_next(e);
    }
    return r;
}

/* "namespace" and "name" of what type() gives. */
static int type_member(struct path_env *env, const struct path_item *item, struct str name,
                       struct path_items *out, struct err *err)
{
    size_t dot = (size_t)(MAX(str_find(item->text, '.'), 0));

    if (str_eq(name, STR("namespace")))
        return path_push_text(env, out, PATH_STRING, str_head(item->text, dot), err);
    if (str_eq(name, STR("name")))
        return path_push_text(env, out, PATH_STRING, str_from(item->text, dot + 1), err);
    return 0;
}

/* "value" and "unit" of a quantity. */
static int quantity_member(struct path_env *env, const struct path_item *item, struct str name,
                           struct path_items *out, struct err *err)
{
    struct str unit = *item->unit;

    if (str_eq(name, STR("value")))
        return path_push_text(env, out, PATH_DECIMAL, item->text, err);
    if (!str_eq(name, STR("unit")))
        return 0;
    if (unit.n >= 2 && unit.p[0] == '\'')
        unit = str_n(unit.p + 1, unit.n - 2);
    return path_push_text(env, out, PATH_STRING, unit, err);
}

/* What a computed value has is computed too, and has no members of its own. */
static int computed_member(struct path_env *env, const struct path_item *item, struct str name,
                           struct path_items *out, struct err *err)
{
    return item->kind == PATH_TYPE       ? type_member(env, item, name, out, err)
           : item->kind == PATH_QUANTITY ? quantity_member(env, item, name, out, err)
                                         : 0;
}

int path_run_chain(struct path_env *env, const struct path_node *node, const struct path_item *item,
                   size_t enough, struct path_items *out, struct err *err)
{
    struct walk w = {env, out, enough, err};
    struct rest rest = {node->steps, node->n_steps};

    if (item->kind != PATH_ELEMENT)
        return rest.n == 1 ? computed_member(env, item, rest.s->name, out, err) : 0;
    return item->type == rest.s->in && yyjson_is_obj(item->v)
               ? walk_down(&w, rest, item->v)
               : walk_on(&w, rest, item->v, path_more(item), item->type);
}

int path_member(struct path_env *env, const struct path_item *item, struct str name,
                struct path_items *out, struct err *err)
{
    struct walk w = {env, out, SIZE_MAX, err};

    if (item->kind != PATH_ELEMENT)
        return computed_member(env, item, name, out, err);
    return walk_named(&w, name, NULL, (struct rest){NULL, 0}, item->v, path_more(item), item->type);
}

/* An object whose children are asked for. */
struct parent {
    yyjson_val *obj;
    const struct def_type *type; /* NULL: not known */
    struct path_step step;       /* to the child at hand */
    size_t at;                   /* of its elements, for def_next_member */
    bool has_siblings;           /* members whose names begin with '_' */
};

static struct parent parent_of(yyjson_val *obj, const struct def_type *type)
{
    struct parent parent = {.obj = obj, .type = type};
    yyjson_val *key = unsafe_yyjson_get_first(obj);

    for (size_t left = unsafe_yyjson_get_len(obj); left; left--) {
        parent.has_siblings |= key->uni.str[0] == '_';
        key = unsafe_yyjson_get_next(key + 1);
    }
    return parent;
}

/* A member of an object whose type is known; a sibling counts only where there is no value. */
static int walk_child(const struct walk *w, struct parent *parent, struct str json, yyjson_val *v)
{
    static const struct rest none = {NULL, 0};
    struct path_step *s = &parent->step;
    bool alone = json.n && json.p[0] == '_';

    s->json = json.p + alone;
    s->json_n = json.n - alone;
    s->element = def_next_member(parent->type, str_from(json, alone), &parent->at, &s->type);
    if (!s->element || (alone && yyjson_obj_getn(parent->obj, s->json, s->json_n)))
        return 0;
    s->is_resource = is_any_resource(s->type);
    if (alone)
        return walk_values(w, s, none, NULL, v);
    return parent->has_siblings && s->type->kind == DEF_PRIMITIVE
               ? walk_member(w, s, none, parent->obj)
               : walk_values(w, s, none, v, NULL);
}

/* JSON that no definition knows. */
static int walk_unknown_child(const struct walk *w, yyjson_val *obj, struct str json)
{
    struct path_step s = {.json = json.p, .json_n = json.n};

    return json.n ? walk_member(w, &s, (struct rest){NULL, 0}, obj) : 0;
}

int path_children(struct path_env *env, const struct path_item *item, struct path_items *out,
                  struct err *err)
{
    struct walk w = {env, out, SIZE_MAX, err};
    yyjson_val *obj = item->v, *key;
    struct parent parent;
    int r = 0;

    if (item->kind != PATH_ELEMENT)
        return 0;
    if (!yyjson_is_obj(obj))
        obj = path_more(item);
    if (!yyjson_is_obj(obj))
        return 0;
    parent = parent_of(obj, item->type);
    key = unsafe_yyjson_get_first(obj);
    for (size_t left = unsafe_yyjson_get_len(obj); left && r == 0; left--) {
        r = parent.type ? walk_child(&w, &parent, js_str(key), key + 1)
                        : walk_unknown_child(&w, obj, js_str(key));
        key = unsafe_yyjson_get_next(key + 1);
    }
    return r;
}
