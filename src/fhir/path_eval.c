#include "fhir/path_int.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#define ITEMS_FIRST 8
#define LEFT_ROOM 4 /* most collections are small: they need no memory of the arena */
#define RIGHT_ROOM 2

int path_costly(struct err *err)
{
    return err_set(err, ERR_COSTLY, "the FHIRPath expression takes too many steps");
}

int path_wrong(const struct path_node *node, struct err *err, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return err_set(err, ERR_VALUE, "%.400s (character %d of the FHIRPath expression)", text,
                   node->at + 1);
}

int path_spend(struct path_env *env, size_t n, struct err *err)
{
    if (n > PATH_STEPS_MAX || (env->steps += (unsigned)n) > PATH_STEPS_MAX)
        return path_costly(err);
    return 0;
}

int path_grow(struct path_env *env, struct path_items *out, struct err *err)
{
    size_t cap = out->cap ? out->cap * 2 : ITEMS_FIRST;
    struct path_item *more;

    if (out->n >= PATH_ITEMS_MAX || (env->steps += (unsigned)out->n) > PATH_STEPS_MAX)
        return path_costly(err);
    more = arena_grow(env->a, out->p, out->n * sizeof *more, cap * sizeof *more);
    if (!more)
        return err_no_memory(err);
    out->p = more;
    out->cap = cap;
    return 0;
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
        return path_costly(w->err);
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

/* The member `json` and its sibling "_json", in one pass. */
static void find_pair(yyjson_val *obj, const char *json, size_t n, bool wants_more,
                      yyjson_val **ret_v, yyjson_val **ret_more)
{
    yyjson_val *key = unsafe_yyjson_get_first(obj);

    *ret_v = *ret_more = NULL;
    for (size_t left = unsafe_yyjson_get_len(obj); left; left--) {
        yyjson_val *val = key + 1;
        const char *name = key->uni.str;
        size_t len = unsafe_yyjson_get_len(key);

        if (len == n && name[0] == json[0] && memcmp(name, json, n) == 0) {
            *ret_v = val;
            if (!wants_more)
                return;
        } else if (wants_more && len == n + 1 && name[0] == '_' && memcmp(name + 1, json, n) == 0) {
            *ret_more = val;
        }
        key = unsafe_yyjson_get_next(val);
    }
}

static int walk_member(const struct walk *w, yyjson_val *obj, const char *json, size_t n,
                       const struct def_type *type, const struct def_type *only)
{
    bool wants_more = !w->env->values_only && (!type || type->kind == DEF_PRIMITIVE);
    yyjson_val *v, *more;

    if (!n)
        return 0;
    find_pair(obj, json, n, wants_more, &v, &more);
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

/* The members that are element `e` of an object that has it. */
static int walk_element(struct walk *w, yyjson_val *obj, const struct def_element *e,
                        const struct def_type *only)
{
    w->element = e;
    return e->is_choice ? walk_choice(w, obj, e, only)
                        : walk_member(w, obj, e->name.p, e->name.n, e->types[0], only);
}

/* The members `name` of an item whose type was not known when compiling. */
static int walk_named(struct walk *w, const struct path_item *item, struct str name,
                      const struct def_type *only)
{
    const struct def_element *e;

    if (item->kind != PATH_ELEMENT)
        return 0;
    if (!yyjson_is_obj(item->v)) {
        /* id and extension of a primitive */
        struct path_item more = {.kind = PATH_ELEMENT, .v = item->more, .type = item->type};
        return yyjson_is_obj(item->more) ? walk_named(w, &more, name, only) : 0;
    }
    e = find_element(item->type, name);
    if (e)
        return walk_element(w, item->v, e, only);
    w->element = NULL;
    return item->type ? 0 : walk_member(w, item->v, name.p, name.n, NULL, only);
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

/* Down through elements that have no values of their own: what they are is known beforehand, so
 * that no items are made of them. `obj` is of the first step's type. */
static int run_steps(struct path_env *env, const struct path_step *s, size_t n, yyjson_val *obj,
                     struct path_items *out, struct err *err)
{
    struct path_item item = {.kind = PATH_ELEMENT, .v = obj, .type = s->in};
    struct walk w = {env, s, n, NULL, out, err};
    yyjson_val *v, *more, *e;
    int r = 0;

    if (n == 1 && s->json) {
        w = (struct walk){env, NULL, 0, s->element, out, err};
        return walk_member(&w, obj, s->json, s->json_n, s->type, NULL);
    }
    if (n == 1 || !s->json || s->is_resource || s->type->kind == DEF_PRIMITIVE ||
        s[1].in != s->type)
        return walk_on(&w, &item);
    if (++env->steps > PATH_STEPS_MAX)
        return path_costly(err);
    find_pair(obj, s->json, s->json_n, false, &v, &more);
    if (yyjson_is_obj(v))
        return run_steps(env, s + 1, n - 1, v, out, err);
    e = yyjson_arr_get_first(v);
    for (size_t left = yyjson_arr_size(v); left && r >= 0; left--) {
        if (yyjson_is_obj(e))
            r = run_steps(env, s + 1, n - 1, e, out, err);
        e = unsafe_yyjson_get_next(e);
    }
    return r;
}

int path_run_chain(struct path_env *env, const struct path_node *node, const struct path_item *item,
                   struct path_items *out, struct err *err)
{
    struct walk w = {env, node->steps, node->n_steps, NULL, out, err};

    if (item->type == node->steps->in && yyjson_is_obj(item->v))
        return run_steps(env, node->steps, node->n_steps, item->v, out, err);
    return walk_on(&w, item);
}

int path_member(struct path_env *env, const struct path_item *item, struct str name,
                struct path_items *out, struct err *err)
{
    struct walk w = {.env = env, .out = out, .err = err};
    return walk_named(&w, item, name, NULL);
}

/* A member of an object whose type is known; a sibling counts only where there is no value. */
static int walk_child(struct walk *w, const struct path_item *item, struct str json, yyjson_val *v,
                      bool has_siblings)
{
    bool alone = json.n && json.p[0] == '_';
    const struct def_type *type;

    json = str_from(json, alone);
    w->element = def_member(item->type, json, &type);
    if (!w->element || (alone && yyjson_obj_getn(item->v, json.p, json.n)))
        return 0;
    if (alone)
        return walk_values(w, NULL, v, type, NULL);
    if (has_siblings && type->kind == DEF_PRIMITIVE)
        return walk_member(w, item->v, json.p, json.n, type, NULL);
    return walk_values(w, v, NULL, type, NULL);
}

int path_children(struct path_env *env, const struct path_item *item, struct path_items *out,
                  struct err *err)
{
    struct walk w = {.env = env, .out = out, .err = err};
    bool has_siblings = false;
    size_t i, max;
    yyjson_val *key, *val;
    int r = 0;

    if (item->kind != PATH_ELEMENT)
        return 0;
    if (!yyjson_is_obj(item->v)) {
        struct path_item more = {.kind = PATH_ELEMENT, .v = item->more, .type = item->type};
        return yyjson_is_obj(item->more) ? path_children(env, &more, out, err) : 0;
    }
    yyjson_obj_foreach(item->v, i, max, key, val) {
        has_siblings |= js_str(key).n && js_str(key).p[0] == '_';
    }
    yyjson_obj_foreach(item->v, i, max, key, val) {
        if (r >= 0)
            r = item->type ? walk_child(&w, item, js_str(key), val, has_siblings)
                           : walk_member(&w, item->v, js_str(key).p, js_str(key).n, NULL, NULL);
    }
    return r;
}

/* ---- nodes ---- */

static int eval_at(const struct path *p, struct path_env *env, uint16_t i,
                   const struct path_item *focus, struct path_items *out, struct err *err);

static int eval_is(const struct path_node *n, struct path_env *env, const struct path_items *left,
                   struct path_items *out, struct err *err)
{
    if (left->n > 1)
        return path_wrong(n, err, "\"is\" does not take several items");
    return left->n ? path_push_bool(env, out, path_item_is(&left->p[0], n, false), err) : 0;
}

static int eval_as(const struct path_node *n, struct path_env *env, const struct path_items *left,
                   struct path_items *out, struct err *err)
{
    if (n->strict && n->op == AS_ONE && left->n > 1)
        return path_wrong(n, err, "\"as\" does not take several items");
    for (size_t i = 0; i < left->n; i++) {
        int r = path_item_is(&left->p[i], n, true) ? path_push(env, out, &left->p[i], err) : 0;
        if (r < 0)
            return r;
    }
    return 0;
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

/* Whether a name is that of the item's type, or of the resource type that R4 does not know. */
static bool names_type(const struct path_item *item, struct str name)
{
    if (!isupper((unsigned char)name.p[0]) || item->kind != PATH_ELEMENT)
        return false;
    return item->type ? path_type_is(item->type, name)
                      : str_eq(js_get_str(item->v, "resourceType"), name);
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

static int eval_member(const struct path *p, const struct path_node *n, struct path_env *env,
                       const struct path_item *focus, const struct path_items *left,
                       struct path_items *out, struct err *err)
{
    /* A path may begin with the type of its focus. */
    if (p->nodes[n->left].kind == NODE_FOCUS && n->text.n && focus && names_type(focus, n->text))
        return path_push(env, out, focus, err);
    for (size_t i = 0; i < left->n; i++) {
        const struct path_item *item = &left->p[i];
        int r = item->kind == PATH_TYPE       ? type_member(env, item, n->text, out, err)
                : item->kind == PATH_QUANTITY ? quantity_member(env, item, n->text, out, err)
                : n->n_steps                  ? path_run_chain(env, n, item, out, err)
                                              : path_member(env, item, n->text, out, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int eval_index(const struct path_node *n, struct path_env *env,
                      const struct path_items *left, const struct path_items *right,
                      struct path_items *out, struct err *err)
{
    uint64_t i;

    if (!right->n)
        return 0;
    if (right->n > 1 || path_item_kind(&right->p[0]) != PATH_INTEGER)
        return path_wrong(n, err, "an index is not one integer");
    if (!str_to_u64(path_item_text(&right->p[0]), INT32_MAX, &i) || i >= left->n)
        return 0;
    return path_push(env, out, &left->p[i], err);
}

static int eval_plus(const struct path_node *n, struct path_env *env, const struct path_items *in,
                     struct path_items *out, struct err *err)
{
    struct path_quantity q;

    if (!in->n)
        return 0;
    if (in->n > 1 ||
        (!path_is_number(path_item_kind(&in->p[0])) && !path_to_quantity(&in->p[0], &q)))
        return path_wrong(n, err, "\"+\" is in front of what is not one number");
    return path_push(env, out, &in->p[0], err);
}

/* Nodes of a path: what `left` defines holds for the right side too. */
static int eval_path(const struct path *p, struct path_env *env, const struct path_node *n,
                     const struct path_item *focus, struct path_items *out, struct err *err)
{
    struct path_item left_room[LEFT_ROOM], right_room[RIGHT_ROOM];
    struct path_items left = {left_room, 0, LEFT_ROOM}, right = {right_room, 0, RIGHT_ROOM};
    int r = eval_at(p, env, n->left, focus, &left, err);

    if (r < 0)
        return r;
    switch (n->kind) {
    case NODE_MEMBER: return eval_member(p, n, env, focus, &left, out, err);
    case NODE_IS: return eval_is(n, env, &left, out, err);
    case NODE_AS: return eval_as(n, env, &left, out, err);
    case NODE_CALL: {
        struct path_call call = {p, env, focus, n, &left, err};
        return n->function->run(&call, out);
    }
    default: break;
    }
    r = path_eval_node(p, env, n->right, focus, &right, err);
    return r < 0 ? r : eval_index(n, env, &left, &right, out, err);
}

/* Whether the left side alone decides; *ret is what it decides. */
static bool is_decided(enum path_op op, int left, bool *ret)
{
    *ret = op != OP_AND;
    switch (op) {
    case OP_AND: return left == 0;
    case OP_OR: return left == 1;
    case OP_IMPLIES: return left == 0;
    default: return false;
    }
}

static int eval_binary(const struct path *p, struct path_env *env, const struct path_node *n,
                       const struct path_item *focus, struct path_items *out, struct err *err)
{
    struct path_item left_room[LEFT_ROOM], right_room[RIGHT_ROOM];
    struct path_items left = {left_room, 0, LEFT_ROOM}, right = {right_room, 0, RIGHT_ROOM};
    int r = path_eval_node(p, env, n->left, focus, &left, err);
    bool decided;

    if (r < 0)
        return r;
    if (n->op <= OP_AND) {
        r = path_truth(&left, err);
        if (r < -1)
            return path_wrong(n, err, "\"%.*s\" does not take several items",
                              STR_ARG(path_op_text(n->op)));
        if (is_decided(n->op, r, &decided))
            return path_push_bool(env, out, decided, err);
    }
    r = 0;
    if (p->nodes[n->right].kind == NODE_LITERAL)
        right = (struct path_items){(struct path_item *)&p->nodes[n->right].literal, 1, 1};
    else
        r = path_eval_node(p, env, n->right, focus, &right, err);
    return r < 0 ? r : path_operator(env, n, &left, &right, out, err);
}

static int eval_unary(const struct path *p, struct path_env *env, const struct path_node *n,
                      const struct path_item *focus, struct path_items *out, struct err *err)
{
    struct path_item room[RIGHT_ROOM];
    struct path_items in = {room, 0, RIGHT_ROOM};
    int r = path_eval_node(p, env, n->right, focus, &in, err);

    if (r < 0)
        return r;
    return n->kind == NODE_NEGATE ? path_negate(env, n, &in, out, err)
                                  : eval_plus(n, env, &in, out, err);
}

static int push_all(struct path_env *env, const struct path_items *items, struct path_items *out,
                    struct err *err)
{
    int r = 0;

    for (size_t i = 0; items && i < items->n && r >= 0; i++)
        r = path_push(env, out, &items->p[i], err);
    return r;
}

const struct path_items *path_variable(const struct path_env *env, struct str name)
{
    for (const struct path_scope *s = env->scope; s; s = s->outer)
        if (str_eq(s->variable.name, name))
            return &s->variable.items;
    for (size_t i = 0; i < env->n_variables; i++)
        if (str_eq(env->variables[i].name, name))
            return &env->variables[i].items;
    return NULL;
}

static int eval_variable(const struct path_node *n, struct path_env *env, struct path_items *out,
                         struct err *err)
{
    const struct path_items *items = path_variable(env, n->text);

    if (!items)
        return path_wrong(n, err, "%%%.*s is not defined", (int)MIN(n->text.n, 64u), n->text.p);
    return push_all(env, items, out, err);
}

static int eval_resource(struct path_env *env, yyjson_val *v, struct path_items *out,
                         struct err *err)
{
    if (!v)
        return 0;
    if (env->root.v != v)
        env->root = path_root(v);
    return path_push(env, out, &env->root, err);
}

const struct path_item path_many = {.kind = PATH_ELEMENT};

static int eval_focus(struct path_env *env, const struct path_item *focus, struct path_items *out,
                      struct err *err)
{
    if (focus == &path_many)
        return push_all(env, env->many, out, err);
    return focus ? path_push(env, out, focus, err) : 0;
}

static int eval_chain(const struct path_node *n, struct path_env *env,
                      const struct path_item *focus, struct path_items *out, struct err *err)
{
    int r = 0;

    if (focus != &path_many)
        return focus ? path_run_chain(env, n, focus, out, err) : 0;
    for (size_t i = 0; i < env->many->n && r >= 0; i++)
        r = path_run_chain(env, n, &env->many->p[i], out, err);
    return r;
}

/* What a node gives; variables that it defines stay defined. */
static int eval_at(const struct path *p, struct path_env *env, uint16_t i,
                   const struct path_item *focus, struct path_items *out, struct err *err)
{
    const struct path_node *n = &p->nodes[i];

    if (++env->steps > PATH_STEPS_MAX)
        return path_costly(err);
    switch ((enum path_node_kind)n->kind) {
    case NODE_FOCUS: return eval_focus(env, focus, out, err);
    case NODE_RESOURCE: return eval_resource(env, env->resource, out, err);
    case NODE_ROOT:
        return eval_resource(env, env->root_resource ? env->root_resource : env->resource, out,
                             err);
    case NODE_CONTEXT: return env->context ? path_push(env, out, env->context, err) : 0;
    case NODE_VARIABLE: return eval_variable(n, env, out, err);
    case NODE_INDEX_OF: return path_push_integer(env, out, (int64_t)env->index, err);
    case NODE_TOTAL: return push_all(env, env->total, out, err);
    case NODE_EMPTY: return 0;
    case NODE_LITERAL: return path_push(env, out, &n->literal, err);
    case NODE_CHAIN: return eval_chain(n, env, focus, out, err);
    case NODE_MEMBER:
    case NODE_CALL:
    case NODE_INDEX:
    case NODE_IS:
    case NODE_AS: return eval_path(p, env, n, focus, out, err);
    case NODE_BINARY: return eval_binary(p, env, n, focus, out, err);
    case NODE_NEGATE:
    case NODE_PLUS: return eval_unary(p, env, n, focus, out, err);
    }
    return err_set(err, ERR_INTERNAL, "a FHIRPath node of no kind");
}

int path_eval_node(const struct path *p, struct path_env *env, uint16_t i,
                   const struct path_item *focus, struct path_items *out, struct err *err)
{
    const struct path_scope *outer = env->scope;
    int r = eval_at(p, env, i, focus, out, err);

    env->scope = outer;
    return r;
}

int path_eval(const struct path *p, struct path_env *env, const struct path_item *focus,
              struct path_items *out, struct err *err)
{
    env->context = focus;
    return path_eval_node(p, env, p->root, focus, out, err);
}
