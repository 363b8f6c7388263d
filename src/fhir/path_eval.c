#include "fhir/path_int.h"

#include <ctype.h>

#define ITEMS_FIRST 8
#define LEFT_ROOM 4 /* most collections are small: they need no memory of the arena */
#define RIGHT_ROOM 2

static int costly(struct err *err)
{
    return err_set(err, ERR_COSTLY, "the FHIRPath expression takes too many steps");
}

int path_push(struct path_env *env, struct path_items *out, const struct path_item *item,
              struct err *err)
{
    if (out->n == out->cap) {
        size_t cap = out->cap ? out->cap * 2 : ITEMS_FIRST;
        struct path_item *more;

        if (out->n >= PATH_ITEMS_MAX)
            return costly(err);
        more = arena_grow(env->a, out->p, out->n * sizeof *more, cap * sizeof *more);
        if (!more)
            return err_no_memory(err);
        out->p = more;
        out->cap = cap;
    }
    out->p[out->n++] = *item;
    return 0;
}

int path_push_bool(struct path_env *env, struct path_items *out, bool v, struct err *err)
{
    struct path_item item = {.kind = PATH_BOOLEAN, .text = v ? STR("true") : STR("false")};
    return path_push(env, out, &item, err);
}

static const struct def_type *resource_type(yyjson_val *v)
{
    int type = def_resource(js_get_str(v, "resourceType"));
    return type ? def_resource_type(type) : NULL;
}

struct path_item path_root(yyjson_val *resource)
{
    return (struct path_item){.kind = PATH_ELEMENT, .v = resource, .type = resource_type(resource)};
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

/* What becomes of the items that a member access finds. */
struct walk {
    struct path_env *env;
    const struct path_step *steps; /* those still to take */
    size_t n_steps;
    const struct def_element *element;
    struct path_items *out;
    struct err *err;
};

static int walk_on(const struct walk *w, const struct path_item *item);

static int walk_one(const struct walk *w, yyjson_val *v, yyjson_val *more,
                    const struct def_type *type, const struct def_type *only)
{
    struct path_item item = {
        .kind = PATH_ELEMENT, .v = v, .more = more, .type = type, .element = w->element};

    if (yyjson_is_null(v))
        item.v = NULL;
    if (!item.v && (!more || yyjson_is_null(more) || w->env->values_only))
        return 0;
    if (is_any_resource(type))
        item.type = resource_type(v);
    if (only && !is_type(item.type, only))
        return 0;
    return w->n_steps ? walk_on(w, &item) : path_push(w->env, w->out, &item, w->err);
}

/* A value or an array of values with its sibling. */
static int walk_values(const struct walk *w, yyjson_val *v, yyjson_val *more,
                       const struct def_type *type, const struct def_type *only)
{
    size_t n = yyjson_arr_size(v), n_more = yyjson_arr_size(more);
    yyjson_val *e, *s;

    if (++w->env->steps > PATH_STEPS_MAX)
        return costly(w->err);
    if (!yyjson_is_arr(v) && !yyjson_is_arr(more))
        return walk_one(w, v, more, type, only);
    e = yyjson_arr_get_first(v);
    s = yyjson_arr_get_first(more);
    for (size_t i = 0; i < n || i < n_more; i++) {
        int r = walk_one(w, i < n ? e : NULL, i < n_more ? s : NULL, type, only);
        if (r < 0)
            return r;
        e = i < n ? unsafe_yyjson_get_next(e) : e;
        s = i < n_more ? unsafe_yyjson_get_next(s) : s;
    }
    return 0;
}

static yyjson_val *sibling(yyjson_val *obj, const char *json, size_t n)
{
    char name[130];

    if (n > sizeof name - 1)
        return NULL;
    name[0] = '_';
    memcpy(name + 1, json, n);
    return yyjson_obj_getn(obj, name, n + 1);
}

static int walk_member(const struct walk *w, yyjson_val *obj, const char *json, size_t n,
                       const struct def_type *type, const struct def_type *only)
{
    yyjson_val *v = yyjson_obj_getn(obj, json, n), *more = NULL;

    if (!w->env->values_only && (!type || type->kind == DEF_PRIMITIVE))
        more = sibling(obj, json, n);
    return v || more ? walk_values(w, v, more, type, only) : 0;
}

static int walk_choice(const struct walk *w, yyjson_val *obj, const struct def_element *e,
                       const struct def_type *only)
{
    size_t i, max;
    yyjson_val *key, *val;

    yyjson_obj_foreach(obj, i, max, key, val) {
        struct str json = js_str(key);
        bool alone = json.n && json.p[0] == '_';
        const struct def_type *type = choice_type(e, str_from(json, alone));
        /* A sibling is found with its value; alone it counts only when there is none. */
        if (!type || (alone && yyjson_obj_getn(obj, json.p + 1, json.n - 1)))
            continue;
        return walk_member(w, obj, json.p + alone, json.n - alone, type, only);
    }
    return 0;
}

static const struct def_element *find_element(const struct def_type *t, struct str name)
{
    for (size_t i = 0; t && i < t->n_elements; i++)
        if (str_eq(t->elements[i].name, name))
            return &t->elements[i];
    return NULL;
}

/* The members `name` of an item whose type was not known when compiling. */
static int walk_named(struct walk *w, const struct path_item *item, struct str name,
                      const struct def_type *only)
{
    const struct def_element *e = find_element(item->type, name);

    w->element = e;
    if (!yyjson_is_obj(item->v)) {
        /* id and extension of a primitive */
        struct path_item more = {.kind = PATH_ELEMENT, .v = item->more, .type = item->type};
        return yyjson_is_obj(item->more) ? walk_named(w, &more, name, only) : 0;
    }
    if (!e)
        return item->type ? 0 : walk_member(w, item->v, name.p, name.n, NULL, only);
    if (e->is_choice)
        return walk_choice(w, item->v, e, only);
    return walk_member(w, item->v, name.p, name.n, e->types[0], only);
}

static int walk_on(const struct walk *w, const struct path_item *item)
{
    const struct path_step *s = w->steps;
    struct walk next = *w;

    next.steps++;
    next.n_steps--;
    next.element = s->element;
    if (item->type != s->in || !yyjson_is_obj(item->v))
        return walk_named(&next, item, s->name, s->only);
    if (!s->json)
        return walk_choice(&next, item->v, s->element, s->only);
    return walk_member(&next, item->v, s->json, s->json_n, s->type, NULL);
}

int path_run_chain(struct path_env *env, const struct path_node *node, const struct path_item *item,
                   struct path_items *out, struct err *err)
{
    struct walk w = {env, node->steps, node->n_steps, NULL, out, err};
    return walk_on(&w, item);
}

int path_member(struct path_env *env, const struct path_item *item, struct str name,
                struct path_items *out, struct err *err)
{
    struct walk w = {.env = env, .out = out, .err = err};
    return walk_named(&w, item, name, NULL);
}

bool path_item_is(const struct path_item *item, const struct path_node *n)
{
    static const char *const system[] = {
        [PATH_BOOLEAN] = "Boolean", [PATH_STRING] = "String",     [PATH_INTEGER] = "Integer",
        [PATH_DECIMAL] = "Decimal", [PATH_DATE] = "Date",         [PATH_DATETIME] = "DateTime",
        [PATH_TIME] = "Time",       [PATH_QUANTITY] = "Quantity",
    };
    struct str name = n->text;

    if (item->kind == PATH_ELEMENT)
        return n->type && is_type(item->type, n->type);
    if (str_starts(name, STR("System.")))
        name = str_from(name, 7);
    return str_eq_nocase(name, str_c(system[item->kind]));
}

static int eval_typed(const struct path_node *n, struct path_env *env,
                      const struct path_items *left, struct path_items *out, struct err *err)
{
    if (n->kind == NODE_IS) {
        if (left->n > 1)
            return err_set(err, ERR_VALUE, "\"is\" in a FHIRPath expression met several items");
        return left->n ? path_push_bool(env, out, path_item_is(&left->p[0], n), err) : 0;
    }
    for (size_t i = 0; i < left->n; i++) {
        int r = path_item_is(&left->p[i], n) ? path_push(env, out, &left->p[i], err) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

static int eval_member(const struct path *p, const struct path_node *n, struct path_env *env,
                       const struct path_item *focus, const struct path_items *left,
                       struct path_items *out, struct err *err)
{
    /* A path may begin with the type of its focus. */
    if (p->nodes[n->left].kind == NODE_FOCUS && n->text.n && isupper((unsigned char)n->text.p[0]) &&
        path_type_is(focus->type, n->text))
        return path_push(env, out, focus, err);
    for (size_t i = 0; i < left->n; i++) {
        int r = path_member(env, &left->p[i], n->text, out, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int eval_index(struct path_env *env, const struct path_items *left,
                      const struct path_items *right, struct path_items *out, struct err *err)
{
    uint64_t i;

    if (!right->n)
        return 0;
    if (right->n > 1 || !str_to_u64(path_item_text(&right->p[0]), INT32_MAX, &i))
        return err_set(err, ERR_VALUE, "an index of the FHIRPath expression is not an integer");
    return i < left->n ? path_push(env, out, &left->p[i], err) : 0;
}

static int eval_literal(const struct path_node *n, struct path_env *env, struct path_items *out,
                        struct err *err)
{
    struct path_item item = {.kind = n->op, .text = n->text};
    return path_push(env, out, &item, err);
}

static int eval_negate(struct path_env *env, const struct path_items *right, struct path_items *out,
                       struct err *err)
{
    struct path_item item;
    enum path_kind kind;

    if (!right->n)
        return 0;
    item = right->p[0];
    kind = path_item_kind(&item);
    if (right->n > 1 || (kind != PATH_INTEGER && kind != PATH_DECIMAL))
        return err_set(err, ERR_VALUE, "\"-\" in a FHIRPath expression met what is no number");
    item = (struct path_item){.kind = kind, .text = path_item_text(&item)};
    if (item.text.p[0] == '-')
        item.text = str_from(item.text, 1);
    else
        item.text = arena_fmt(env->a, "-%.*s", STR_ARG(item.text));
    if (!item.text.p)
        return err_no_memory(err);
    return path_push(env, out, &item, err);
}

/* Nodes that combine the results of their children. */
static int eval_inner(const struct path *p, struct path_env *env, const struct path_node *n,
                      const struct path_item *focus, struct path_items *out, struct err *err)
{
    struct path_item left_room[LEFT_ROOM], right_room[RIGHT_ROOM];
    struct path_items left = {left_room, 0, LEFT_ROOM}, right = {right_room, 0, RIGHT_ROOM};
    int r;

    if (n->left != NO_NODE) {
        r = path_eval_node(p, env, n->left, focus, &left, err);
        if (r < 0)
            return r;
    }
    switch (n->kind) {
    case NODE_MEMBER: return eval_member(p, n, env, focus, &left, out, err);
    case NODE_IS:
    case NODE_AS: return eval_typed(n, env, &left, out, err);
    case NODE_CALL: {
        struct path_call call = {p, env, focus, n, &left, err, 0};
        return n->function->run(&call, out);
    }
    default: break;
    }
    r = path_eval_node(p, env, n->right, focus, &right, err);
    if (r < 0)
        return r;
    if (n->kind == NODE_INDEX)
        return eval_index(env, &left, &right, out, err);
    if (n->kind == NODE_NEGATE)
        return eval_negate(env, &right, out, err);
    return path_operator(env, n->op, &left, &right, out, err);
}

int path_eval_node(const struct path *p, struct path_env *env, uint16_t i,
                   const struct path_item *focus, struct path_items *out, struct err *err)
{
    const struct path_node *n = &p->nodes[i];
    struct path_item root;

    if (++env->steps > PATH_STEPS_MAX)
        return costly(err);
    switch (n->kind) {
    case NODE_FOCUS: return path_push(env, out, focus, err);
    case NODE_RESOURCE: root = path_root(env->resource); return path_push(env, out, &root, err);
    case NODE_EMPTY: return 0;
    case NODE_LITERAL: return eval_literal(n, env, out, err);
    case NODE_CHAIN: return path_run_chain(env, n, focus, out, err);
    default: return eval_inner(p, env, n, focus, out, err);
    }
}

int path_eval(const struct path *p, struct path_env *env, const struct path_item *focus,
              struct path_items *out, struct err *err)
{
    return path_eval_node(p, env, p->root, focus, out, err);
}
