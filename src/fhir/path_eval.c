#include "fhir/path_int.h"

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

static int eval_at(const struct path *p, struct path_env *env, uint16_t i,
                   const struct path_item *focus, struct path_items *out, struct err *err);

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

/* ---- operands ---- */

/* What a node gave the first time, for one that gives the same every time. */
static int remembered(const struct path *p, struct path_env *env, uint16_t i,
                      const struct path_item *focus, const struct path_items **ret, struct err *err)
{
    struct path_memo *memo;
    int r = 0;

    if (!env->memos)
        env->memos = ARENA_ARRAY(env->a, struct path_memo, p->n_memos);
    if (!env->memos)
        return err_no_memory(err);
    memo = &env->memos[p->nodes[i].memo - 1];
    if (!memo->is_there)
        r = eval_at(p, env, i, focus, &memo->items, err);
    memo->is_there = r >= 0;
    *ret = &memo->items;
    return r;
}

/* The items of a node: those that stand somewhere already, or new ones in `room`. Variables that
 * it defines stay defined. */
static int operand(const struct path *p, struct path_env *env, uint16_t i,
                   const struct path_item *focus, struct path_items *room,
                   const struct path_items **ret, struct err *err)
{
    const struct path_node *n = &p->nodes[i];

    *ret = room;
    if (n->kind == NODE_LITERAL) {
        *ret = &n->literals;
        return 0;
    }
    if (n->kind == NODE_FOCUS) {
        if (focus == &path_many)
            *ret = env->many;
        else if (focus)
            *room = (struct path_items){(struct path_item *)(uintptr_t)focus, 1, 1};
        return 0;
    }
    if (n->memo)
        return remembered(p, env, i, focus, ret, err);
    return eval_at(p, env, i, focus, room, err);
}

/* ---- conditions ---- */

/* Whether the left side of an operator of logic decides alone. */
static bool is_decided(enum path_op op, int left)
{
    return left == (op == OP_OR) && op != OP_XOR;
}

static int test_logic(const struct path *p, struct path_env *env, const struct path_node *n,
                      const struct path_item *focus, struct err *err)
{
    int left = path_test_node(p, env, n->left, focus, err), right;

    if (left < PATH_NOTHING)
        return left;
    if (is_decided(n->op, left))
        return n->op != OP_AND;
    right = path_test_node(p, env, n->right, focus, err);
    return right < PATH_NOTHING ? right : path_logic(n->op, left, right);
}

/* Both sides of an operator, with room for few items. */
struct sides {
    struct path_item left_room[LEFT_ROOM], right_room[RIGHT_ROOM];
    struct path_items left_items, right_items;
    const struct path_items *left, *right;
};

static void sides_init(struct sides *s)
{
    s->left_items = (struct path_items){s->left_room, 0, LEFT_ROOM};
    s->right_items = (struct path_items){s->right_room, 0, RIGHT_ROOM};
}

/* What a side defines ends with it. */
static int eval_sides(const struct path *p, struct path_env *env, const struct path_node *n,
                      const struct path_item *focus, struct sides *ret, struct err *err)
{
    const struct path_scope *outer = env->scope;
    int r;

    sides_init(ret);
    r = operand(p, env, n->left, focus, &ret->left_items, &ret->left, err);
    env->scope = outer;
    if (r >= 0)
        r = operand(p, env, n->right, focus, &ret->right_items, &ret->right, err);
    env->scope = outer;
    return r;
}

_apart_ static int test_sides(const struct path *p, struct path_env *env, const struct path_node *n,
                              const struct path_item *focus, struct err *err)
{
    struct sides s;
    int r = eval_sides(p, env, n, focus, &s, err);

    return r < 0 ? r : path_test_operator(env, n, s.left, s.right, err);
}

_apart_ static int test_call(const struct path *p, struct path_env *env, const struct path_node *n,
                             const struct path_item *focus, struct err *err)
{
    struct path_item left_room[LEFT_ROOM];
    struct path_items left = {left_room, 0, LEFT_ROOM};
    struct path_call call = {p, env, focus, n, NULL, err};
    int r = operand(p, env, n->left, focus, &left, &call.in, err);

    return r < 0 ? r : n->function->test(&call);
}

_apart_ static int test_is(const struct path *p, struct path_env *env, const struct path_node *n,
                           const struct path_item *focus, struct err *err)
{
    struct path_item left_room[LEFT_ROOM];
    struct path_items room = {left_room, 0, LEFT_ROOM};
    const struct path_items *left;
    int r = operand(p, env, n->left, focus, &room, &left, err);

    if (r < 0)
        return r;
    if (left->n > 1)
        return path_wrong(n, err, "\"is\" does not take several items");
    return left->n ? path_item_is(&left->p[0], n, false) : PATH_NOTHING;
}

static bool is_test(const struct path_node *n)
{
    return (n->kind == NODE_BINARY && path_is_test(n->op)) ||
           (n->kind == NODE_CALL && n->function->test) || n->kind == NODE_IS;
}

/* A node of which is_test is true. */
static int test_at(const struct path *p, struct path_env *env, const struct path_node *n,
                   const struct path_item *focus, struct err *err)
{
    switch (n->kind) {
    case NODE_BINARY:
        return path_is_logic(n->op) ? test_logic(p, env, n, focus, err)
                                    : test_sides(p, env, n, focus, err);
    case NODE_CALL: return test_call(p, env, n, focus, err);
    default: return test_is(p, env, n, focus, err);
    }
}

/* Any other node, by the items that it gives. */
_apart_ static int test_items(const struct path *p, struct path_env *env, uint16_t i,
                              const struct path_item *focus, struct err *err)
{
    struct path_item item_room[LEFT_ROOM];
    struct path_items room = {item_room, 0, LEFT_ROOM};
    const struct path_items *got;
    int r = operand(p, env, i, focus, &room, &got, err);

    if (r < 0)
        return r;
    return got->n > 1 ? path_wrong(&p->nodes[i], err, "several items stand where a condition does")
                      : path_truth(got, err);
}

int path_test_node(const struct path *p, struct path_env *env, uint16_t i,
                   const struct path_item *focus, struct err *err)
{
    const struct path_scope *outer = env->scope;
    const struct path_node *n = &p->nodes[i];
    int r;

    if (++env->steps > PATH_STEPS_MAX)
        return path_costly(err);
    r = is_test(n) && !n->memo ? test_at(p, env, n, focus, err) : test_items(p, env, i, focus, err);
    env->scope = outer;
    return r;
}

/* ---- nodes ---- */

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

/* Whether a name is that of the item's type, or of the resource type that R4 does not know. */
static bool names_type(const struct path_item *item, struct str name)
{
    if (name.p[0] < 'A' || name.p[0] > 'Z' || item->kind != PATH_ELEMENT)
        return false;
    return item->type ? path_type_is(item->type, name)
                      : str_eq(js_get_str(item->v, "resourceType"), name);
}

static int eval_member(const struct path *p, const struct path_node *n, struct path_env *env,
                       const struct path_item *focus, const struct path_items *left,
                       struct path_items *out, struct err *err)
{
    int r = 0;

    /* A path may begin with the type of its focus. */
    if (p->nodes[n->left].kind == NODE_FOCUS && n->text.n && focus && names_type(focus, n->text))
        return path_push(env, out, focus, err);
    for (size_t i = 0; i < left->n && r >= 0; i++)
        r = path_member(env, &left->p[i], n->text, out, err);
    return r;
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

/* Nodes of a path with something on their left. */
_apart_ static int eval_path(const struct path *p, struct path_env *env, const struct path_node *n,
                             const struct path_item *focus, struct path_items *out, struct err *err)
{
    struct path_item left_room[LEFT_ROOM];
    struct path_items room = {left_room, 0, LEFT_ROOM};
    struct path_call call = {p, env, focus, n, NULL, err};
    int r = operand(p, env, n->left, focus, &room, &call.in, err);

    if (r < 0)
        return r;
    switch (n->kind) {
    case NODE_MEMBER: return eval_member(p, n, env, focus, call.in, out, err);
    case NODE_AS: return eval_as(n, env, call.in, out, err);
    default: return n->function->run(&call, out);
    }
}

_apart_ static int eval_item_at(const struct path *p, struct path_env *env,
                                const struct path_node *n, const struct path_item *focus,
                                struct path_items *out, struct err *err)
{
    const struct path_scope *defined;
    struct sides s;
    int r;

    sides_init(&s);
    r = operand(p, env, n->left, focus, &s.left_items, &s.left, err);
    defined = env->scope;
    if (r >= 0)
        r = operand(p, env, n->right, focus, &s.right_items, &s.right, err);
    env->scope = defined;
    return r < 0 ? r : eval_index(n, env, s.left, s.right, out, err);
}

_apart_ static int eval_chain_from(const struct path *p, struct path_env *env,
                                   const struct path_node *n, const struct path_item *focus,
                                   size_t enough, struct path_items *out, struct err *err)
{
    struct path_item left_room[LEFT_ROOM];
    struct path_items room = {left_room, 0, LEFT_ROOM};
    const struct path_items *left;
    int r = operand(p, env, n->left, focus, &room, &left, err);

    for (size_t i = 0; r == 0 && i < left->n; i++)
        r = n->type && !names_type(&left->p[i], n->type->name)
                ? 0
                : path_run_chain(env, n, &left->p[i], enough, out, err);
    return r;
}

static int eval_chain(const struct path *p, struct path_env *env, const struct path_node *n,
                      const struct path_item *focus, struct path_items *out, struct err *err)
{
    size_t enough = n->enough ? out->n + n->enough : SIZE_MAX;
    int r;

    if (n->is_direct && focus && focus != &path_many)
        r = path_run_chain(env, n, focus, enough, out, err);
    else
        r = eval_chain_from(p, env, n, focus, enough, out, err);
    return MIN(r, 0);
}

_apart_ static int eval_binary(const struct path *p, struct path_env *env,
                               const struct path_node *n, const struct path_item *focus,
                               struct path_items *out, struct err *err)
{
    struct sides s;
    int r = eval_sides(p, env, n, focus, &s, err);

    return r < 0 ? r : path_operator(env, n, s.left, s.right, out, err);
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

_apart_ static int eval_unary(const struct path *p, struct path_env *env, const struct path_node *n,
                              const struct path_item *focus, struct path_items *out,
                              struct err *err)
{
    struct path_item item_room[RIGHT_ROOM];
    struct path_items room = {item_room, 0, RIGHT_ROOM};
    const struct path_items *in;
    int r = operand(p, env, n->right, focus, &room, &in, err);

    if (r < 0)
        return r;
    return n->kind == NODE_NEGATE ? path_negate(env, n, in, out, err)
                                  : eval_plus(n, env, in, out, err);
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

static int eval_test(const struct path *p, struct path_env *env, const struct path_node *n,
                     const struct path_item *focus, struct path_items *out, struct err *err)
{
    int r = test_at(p, env, n, focus, err);

    return r < PATH_NOTHING ? r : r < 0 ? 0 : path_push_bool(env, out, r, err);
}

/* What a node gives; variables that it defines stay defined. */
static int eval_at(const struct path *p, struct path_env *env, uint16_t i,
                   const struct path_item *focus, struct path_items *out, struct err *err)
{
    const struct path_node *n = &p->nodes[i];

    if (++env->steps > PATH_STEPS_MAX)
        return path_costly(err);
    if (is_test(n))
        return eval_test(p, env, n, focus, out, err);
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
    case NODE_CHAIN: return eval_chain(p, env, n, focus, out, err);
    case NODE_MEMBER:
    case NODE_CALL:
    case NODE_IS:
    case NODE_AS: return eval_path(p, env, n, focus, out, err);
    case NODE_INDEX: return eval_item_at(p, env, n, focus, out, err);
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
    const struct path_items *items;
    int r;

    if (p->nodes[i].memo) {
        r = remembered(p, env, i, focus, &items, err);
        if (r >= 0)
            r = push_all(env, items, out, err);
    } else {
        r = eval_at(p, env, i, focus, out, err);
    }
    env->scope = outer;
    return r;
}

int path_eval(const struct path *p, struct path_env *env, const struct path_item *focus,
              struct path_items *out, struct err *err)
{
    env->context = focus;
    env->memos = NULL;
    return path_eval_node(p, env, p->root, focus, out, err);
}
