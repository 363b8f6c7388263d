/* Functions that choose, combine and walk: existence, filtering, subsetting, tree navigation. */
#include "fhir/path_int.h"

static int push(const struct path_call *c, struct path_items *out, const struct path_item *item)
{
    return path_push(c->env, out, item, c->err);
}

static int push_range(const struct path_call *c, size_t from, size_t to, struct path_items *out)
{
    int r = 0;

    for (size_t i = from; i < MIN(to, c->in->n) && r >= 0; i++)
        r = push(c, out, &c->in->p[i]);
    return r;
}

int path_fn_where(const struct path_call *c, struct path_items *out)
{
    size_t enough = c->node->enough ? out->n + c->node->enough : SIZE_MAX;

    for (size_t i = 0; i < c->in->n && out->n < enough; i++) {
        int r = path_test_each(c, c->node->right, c->in, i);
        if (r == 1)
            r = push(c, out, &c->in->p[i]);
        if (r < PATH_NOTHING)
            return r;
    }
    return 0;
}

int path_test_exists(const struct path_call *c)
{
    int r = 0;

    if (c->node->right == NO_NODE)
        return c->in->n > 0;
    for (size_t i = 0; i < c->in->n && r != 1 && r >= PATH_NOTHING; i++)
        r = path_test_each(c, c->node->right, c->in, i);
    return r == PATH_NOTHING ? 0 : r;
}

int path_test_all(const struct path_call *c)
{
    int r = 1;

    for (size_t i = 0; i < c->in->n && r == 1; i++)
        r = path_test_each(c, c->node->right, c->in, i);
    return r == PATH_NOTHING ? 0 : r;
}

int path_fn_select(const struct path_call *c, struct path_items *out)
{
    int r = 0;

    for (size_t i = 0; i < c->in->n && r >= 0; i++)
        r = path_each(c, c->node->right, c->in, i, out);
    return r;
}

/* What the projection gives for the input, and for what it gave, and so on. */
static int repeat(const struct path_call *c, bool again, struct path_items *out)
{
    struct path_set seen = {0};
    struct path_items found = {0};
    int r = 0;

    for (size_t i = 0; i < c->in->n && r >= 0; i++)
        r = path_each(c, c->node->right, c->in, i, &found);
    for (size_t i = 0; i < found.n && r >= 0; i++) {
        struct path_item item = found.p[i];
        struct path_items in = {&item, 1, 1};
        r = again ? 1 : path_set_add(c->env, &seen, &item, c->err);
        if (r <= 0)
            continue;
        r = push(c, out, &item);
        if (r >= 0)
            r = path_each(c, c->node->right, &in, 0, &found);
    }
    return r < 0 ? r : 0;
}

int path_fn_repeat(const struct path_call *c, struct path_items *out)
{
    return repeat(c, false, out);
}

int path_fn_repeat_all(const struct path_call *c, struct path_items *out)
{
    return repeat(c, true, out);
}

int path_test_empty(const struct path_call *c)
{
    return !c->in->n;
}

int path_test_not(const struct path_call *c)
{
    int r = path_truth(c->in, c->err);

    if (r < PATH_NOTHING)
        return path_wrong(c->node, c->err, "not() does not take several items");
    return r == PATH_NOTHING ? r : !r;
}

int path_fn_count(const struct path_call *c, struct path_items *out)
{
    return path_push_integer(c->env, out, (int64_t)c->in->n, c->err);
}

/* Whether some item (or every one) is `wanted`. */
static int booleans(const struct path_call *c, bool wanted, bool all)
{
    bool result = all;

    for (size_t i = 0; i < c->in->n; i++) {
        const struct path_item *item = &c->in->p[i];
        bool v;
        if (path_item_kind(item) != PATH_BOOLEAN)
            return path_wrong(c->node, c->err, "%.*s() met what is not a boolean",
                              STR_ARG(c->node->text));
        v = str_eq(path_item_text(item), STR("true"));
        result = all ? result && v == wanted : result || v == wanted;
    }
    return result;
}

int path_test_all_true(const struct path_call *c)
{
    return booleans(c, true, true);
}

int path_test_any_true(const struct path_call *c)
{
    return booleans(c, true, false);
}

int path_test_all_false(const struct path_call *c)
{
    return booleans(c, false, true);
}

int path_test_any_false(const struct path_call *c)
{
    return booleans(c, false, false);
}

/* ---- sets ---- */

static int make_set(const struct path_call *c, const struct path_items *items, struct path_set *ret)
{
    int r = 0;

    for (size_t i = 0; i < items->n && r >= 0; i++)
        r = path_set_add(c->env, ret, &items->p[i], c->err);
    return r < 0 ? r : 0;
}

static int subset(const struct path_call *c, const struct path_items *small,
                  const struct path_items *large)
{
    struct path_set set = {0};
    int r = make_set(c, large, &set);
    bool all = true;

    for (size_t i = 0; i < small->n && r >= 0 && all; i++) {
        r = path_set_has(c->env, &set, &small->p[i], c->err);
        all = r == 1;
    }
    return r < 0 ? r : all;
}

int path_test_subset_of(const struct path_call *c)
{
    struct path_items other = {0};
    int r = path_arg(c, 0, &other);

    return r < 0 ? r : subset(c, c->in, &other);
}

int path_test_superset_of(const struct path_call *c)
{
    struct path_items other = {0};
    int r = path_arg(c, 0, &other);

    return r < 0 ? r : subset(c, &other, c->in);
}

static int push_set(const struct path_call *c, const struct path_set *set, struct path_items *out)
{
    int r = 0;

    for (size_t i = 0; i < set->items.n && r >= 0; i++)
        r = push(c, out, &set->items.p[i]);
    return r;
}

int path_fn_distinct(const struct path_call *c, struct path_items *out)
{
    struct path_set set = {0};
    int r = make_set(c, c->in, &set);

    return r < 0 ? r : push_set(c, &set, out);
}

int path_test_is_distinct(const struct path_call *c)
{
    struct path_set set = {0};
    int r = make_set(c, c->in, &set);

    return r < 0 ? r : set.items.n == c->in->n;
}

int path_fn_intersect(const struct path_call *c, struct path_items *out)
{
    struct path_set others = {0}, both = {0};
    struct path_items other = {0};
    int r = path_arg(c, 0, &other);

    if (r >= 0)
        r = make_set(c, &other, &others);
    for (size_t i = 0; i < c->in->n && r >= 0; i++) {
        r = path_set_has(c->env, &others, &c->in->p[i], c->err);
        if (r == 1)
            r = path_set_add(c->env, &both, &c->in->p[i], c->err);
    }
    return r < 0 ? r : push_set(c, &both, out);
}

int path_fn_exclude(const struct path_call *c, struct path_items *out)
{
    struct path_set others = {0};
    struct path_items other = {0};
    int r = path_arg(c, 0, &other);

    if (r >= 0)
        r = make_set(c, &other, &others);
    for (size_t i = 0; i < c->in->n && r >= 0; i++) {
        r = path_set_has(c->env, &others, &c->in->p[i], c->err);
        if (r == 0)
            r = push(c, out, &c->in->p[i]);
    }
    return r < 0 ? r : 0;
}

int path_fn_union(const struct path_call *c, struct path_items *out)
{
    struct path_set set = {0};
    struct path_items other = {0};
    int r = path_arg(c, 0, &other);

    if (r >= 0)
        r = make_set(c, c->in, &set);
    if (r >= 0)
        r = make_set(c, &other, &set);
    return r < 0 ? r : push_set(c, &set, out);
}

int path_fn_combine(const struct path_call *c, struct path_items *out)
{
    int r = push_range(c, 0, c->in->n, out);

    return r < 0 ? r : path_arg(c, 0, out);
}

/* ---- subsetting ---- */

int path_fn_first(const struct path_call *c, struct path_items *out)
{
    return push_range(c, 0, 1, out);
}

int path_fn_last(const struct path_call *c, struct path_items *out)
{
    return c->in->n ? push(c, out, &c->in->p[c->in->n - 1]) : 0;
}

int path_fn_tail(const struct path_call *c, struct path_items *out)
{
    return push_range(c, 1, c->in->n, out);
}

int path_fn_single(const struct path_call *c, struct path_items *out)
{
    if (c->in->n > 1)
        return path_wrong(c->node, c->err, "single() met several items");
    return push_range(c, 0, 1, out);
}

int path_fn_skip(const struct path_call *c, struct path_items *out)
{
    int64_t n = 0;
    int r = path_arg_integer(c, 0, &n);

    return r < 0 ? r : push_range(c, n < 0 ? 0 : (size_t)n, c->in->n, out);
}

int path_fn_take(const struct path_call *c, struct path_items *out)
{
    int64_t n = 0;
    int r = path_arg_integer(c, 0, &n);

    return r < 0 ? r : push_range(c, 0, n < 0 ? 0 : (size_t)n, out);
}

int path_fn_coalesce(const struct path_call *c, struct path_items *out)
{
    size_t before = out->n;
    int r = 0;

    for (uint16_t arg = c->node->right; arg != NO_NODE && r >= 0 && out->n == before;
         arg = c->path->nodes[arg].next)
        r = path_eval_node(c->path, c->env, arg, c->focus, out, c->err);
    return r;
}

/* ---- tree navigation ---- */

int path_fn_children(const struct path_call *c, struct path_items *out)
{
    int r = 0;

    for (size_t i = 0; i < c->in->n && r >= 0; i++)
        r = path_children(c->env, &c->in->p[i], out, c->err);
    return r;
}

int path_fn_descendants(const struct path_call *c, struct path_items *out)
{
    size_t from = out->n;
    int r = path_fn_children(c, out);

    for (size_t i = from; i < out->n && r >= 0; i++) {
        r = path_spend(c->env, 1, c->err);
        if (r >= 0)
            r = path_children(c->env, &out->p[i], out, c->err);
    }
    return r;
}
