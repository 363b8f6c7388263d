#include "fhir/path_int.h"

static int several(const struct path_node *node, struct err *err)
{
    return path_wrong(node, err, "\"%.*s\" does not take several items",
                      STR_ARG(path_op_text(node->op)));
}

static int equal(struct path_env *env, const struct path_node *node, const struct path_items *left,
                 const struct path_items *right, struct err *err)
{
    int all = 1;

    if (!left->n || !right->n)
        return PATH_NOTHING;
    if (left->n != right->n)
        return node->op == OP_NOT_EQUAL;
    for (size_t i = 0; i < left->n && all; i++) {
        int one = path_equal(env, &left->p[i], &right->p[i], err);
        if (one < -1)
            return one;
        all = one == 0 ? 0 : one < 0 ? -1 : all;
    }
    return all < 0 ? PATH_NOTHING : (all != 0) == (node->op == OP_EQUAL);
}

/* Each item of the left has its like on the right, in any order. */
static int all_alike(struct path_env *env, const struct path_items *left,
                     const struct path_items *right, struct err *err)
{
    bool *taken = ARENA_ARRAY(env->a, bool, right->n + 1);

    if (!taken)
        return err_no_memory(err);
    for (size_t i = 0; i < left->n; i++) {
        bool found = false;
        for (size_t j = 0; j < right->n && !found; j++) {
            int r = taken[j] ? 0 : path_like(env, &left->p[i], &right->p[j], err);
            if (r >= 0 && path_spend(env, 1, err) < 0)
                r = ERR_COSTLY;
            if (r < 0)
                return r;
            taken[j] |= found = r;
        }
        if (!found)
            return 0;
    }
    return 1;
}

static int like(struct path_env *env, const struct path_node *node, const struct path_items *left,
                const struct path_items *right, struct err *err)
{
    int r = left->n == right->n ? all_alike(env, left, right, err) : 0;

    return r < 0 ? r : (r != 0) == (node->op == OP_LIKE);
}

static int order(const struct path_node *node, const struct path_items *left,
                 const struct path_items *right, struct err *err)
{
    int c;

    if (!left->n || !right->n)
        return PATH_NOTHING;
    if (left->n > 1 || right->n > 1)
        return several(node, err);
    c = path_compare(&left->p[0], &right->p[0]);
    if (c == PATH_NOT_KNOWN)
        return PATH_NOTHING;
    if (c == PATH_NOT_COMPARABLE)
        return path_wrong(node, err, "\"%.*s\" is between types that have no order",
                          STR_ARG(path_op_text(node->op)));
    return node->op == OP_LESS         ? c < 0
           : node->op == OP_GREATER    ? c > 0
           : node->op == OP_LESS_EQUAL ? c <= 0
                                       : c >= 0;
}

int path_logic(enum path_op op, int left, int right)
{
    switch (op) {
    case OP_AND: return left == 0 || right == 0 ? 0 : left < 0 || right < 0 ? PATH_NOTHING : 1;
    case OP_OR: return left == 1 || right == 1 ? 1 : left < 0 || right < 0 ? PATH_NOTHING : 0;
    case OP_XOR: return left < 0 || right < 0 ? PATH_NOTHING : left != right;
    default: return left == 0 || right == 1 ? 1 : left < 0 || right < 0 ? PATH_NOTHING : 0;
    }
}

/* `out` may hold what was found before: equal items are looked for among these two only. */
static int unite(struct path_env *env, const struct path_items *left,
                 const struct path_items *right, struct path_items *out, struct err *err)
{
    const struct path_items *both[] = {left, right};
    struct path_set set = {0};
    int r = 0;

    for (size_t s = 0; s < 2; s++)
        for (size_t i = 0; i < both[s]->n && r >= 0; i++)
            r = env->keep_repeats ? path_push(env, out, &both[s]->p[i], err)
                                  : path_set_add(env, &set, &both[s]->p[i], err);
    for (size_t i = 0; i < set.items.n && r >= 0; i++)
        r = path_push(env, out, &set.items.p[i], err);
    return r < 0 ? r : 0;
}

static int member(struct path_env *env, const struct path_node *node, const struct path_items *item,
                  const struct path_items *items, struct err *err)
{
    if (!item->n)
        return PATH_NOTHING;
    return item->n > 1 ? several(node, err) : path_has(env, items, &item->p[0], err);
}

/* As text, where an empty collection is the empty text. */
static int text_of(const struct path_node *node, const struct path_items *items, struct str *ret,
                   struct err *err)
{
    *ret = STR("");
    if (items->n > 1)
        return several(node, err);
    if (!items->n || (items->p[0].kind == PATH_ELEMENT && !items->p[0].v))
        return 0;
    *ret = path_item_text(&items->p[0]);
    if (path_item_kind(&items->p[0]) != PATH_STRING)
        return path_wrong(node, err, "\"&\" is between what is no string");
    return 0;
}

static int concat(struct path_env *env, const struct path_node *node, const struct path_items *left,
                  const struct path_items *right, struct path_items *out, struct err *err)
{
    struct str parts[2];
    int r = text_of(node, left, &parts[0], err);

    if (r >= 0)
        r = text_of(node, right, &parts[1], err);
    if (r >= 0)
        r = path_spend(env, (parts[0].n + parts[1].n) / 64, err);
    return r < 0 ? r : path_push_text(env, out, PATH_STRING, arena_join(env->a, parts, 2), err);
}

static bool has_value(const struct path_items *items)
{
    return items->n && !(items->p[0].kind == PATH_ELEMENT && !items->p[0].v);
}

int path_test_operator(struct path_env *env, const struct path_node *node,
                       const struct path_items *left, const struct path_items *right,
                       struct err *err)
{
    switch ((enum path_op)node->op) {
    case OP_EQUAL:
    case OP_NOT_EQUAL: return equal(env, node, left, right, err);
    case OP_LIKE:
    case OP_NOT_LIKE: return like(env, node, left, right, err);
    case OP_IN: return member(env, node, left, right, err);
    case OP_CONTAINS: return member(env, node, right, left, err);
    default: return order(node, left, right, err);
    }
}

int path_operator(struct path_env *env, const struct path_node *node, const struct path_items *left,
                  const struct path_items *right, struct path_items *out, struct err *err)
{
    if (node->op == OP_UNION)
        return unite(env, left, right, out, err);
    if (node->op == OP_CONCAT)
        return concat(env, node, left, right, out, err);
    if (!left->n || !right->n)
        return 0;
    if (left->n > 1 || right->n > 1)
        return several(node, err);
    if (!has_value(left) || !has_value(right))
        return 0;
    return path_arithmetic(env, node, &left->p[0], &right->p[0], out, err);
}
