/* iif(), aggregate(), trace(), the present, type(), defineVariable(). */
#include "fhir/path_int.h"

/* The input as the focus of an argument: nothing, one item, or all of them as they are. */
static const struct path_item *as_focus(const struct path_call *c, const struct path_items **outer)
{
    *outer = c->env->many;
    if (c->in->n <= 1)
        return c->in->n ? c->in->p : NULL;
    c->env->many = c->in;
    return &path_many;
}

static int for_input(const struct path_call *c, uint16_t arg, struct path_items *out)
{
    const struct path_items *outer;
    const struct path_item *focus = as_focus(c, &outer);
    int r = path_eval_node(c->path, c->env, arg, focus, out, c->err);

    c->env->many = outer;
    return r;
}

int path_fn_iif(const struct path_call *c, struct path_items *out)
{
    struct path_item room[2];
    struct path_items got = {room, 0, ARRAY_LEN(room)};
    uint16_t arg;
    int r;

    if (c->in->n > 1)
        return path_wrong(c->node, c->err, "iif() does not take several items");
    r = for_input(c, c->node->right, &got);
    if (r < 0)
        return r;
    if (got.n > 1 || (got.n && path_item_kind(&got.p[0]) != PATH_BOOLEAN &&
                      path_item_kind(&got.p[0]) != PATH_ELEMENT))
        return path_wrong(c->node, c->err, "the condition of iif() is not one boolean");
    r = path_truth(&got, c->err);
    arg = path_arg_node(c, r == 1 ? 1 : 2);
    return arg == NO_NODE ? 0 : for_input(c, arg, out);
}

int path_fn_aggregate(const struct path_call *c, struct path_items *out)
{
    const struct path_items *outer = c->env->total;
    struct path_items total = {0};
    int r = path_arg(c, 1, &total);

    for (size_t i = 0; i < c->in->n && r >= 0; i++) {
        struct path_items next = {0};
        c->env->total = &total;
        r = path_each(c, c->node->right, c->in, i, &next);
        total = next;
    }
    c->env->total = outer;
    for (size_t i = 0; i < total.n && r >= 0; i++)
        r = path_push(c->env, out, &total.p[i], c->err);
    return r;
}

int path_fn_trace(const struct path_call *c, struct path_items *out)
{
    struct path_items heard = {0};
    struct str name = STR("");
    int r = path_arg_string(c, 0, &name);

    if (r >= 0 && c->env->trace) {
        uint16_t projection = path_arg_node(c, 1);
        for (size_t i = 0; projection != NO_NODE && i < c->in->n && r >= 0; i++)
            r = path_each(c, projection, c->in, i, &heard);
        if (r >= 0)
            c->env->trace(c->env->trace_ctx, name, projection == NO_NODE ? c->in : &heard);
    }
    for (size_t i = 0; i < c->in->n && r >= 0; i++)
        r = path_push(c->env, out, &c->in->p[i], c->err);
    return r < 0 ? r : 0;
}

static int push_moment(const struct path_call *c, const struct path_moment *m,
                       struct path_items *out)
{
    return path_push_text(c->env, out, m->kind, path_moment_text(c->env->a, m), c->err);
}

int path_fn_now(const struct path_call *c, struct path_items *out)
{
    struct path_moment m = path_moment_now(c->env);

    return push_moment(c, &m, out);
}

int path_fn_today(const struct path_call *c, struct path_items *out)
{
    struct path_moment m = path_moment_now(c->env);

    m.kind = PATH_DATE;
    m.precision = AT_DAY;
    m.digits = 0;
    m.has_zone = false;
    return push_moment(c, &m, out);
}

int path_fn_time_of_day(const struct path_call *c, struct path_items *out)
{
    struct path_moment m = path_moment_now(c->env);

    m.kind = PATH_TIME;
    m.has_zone = false;
    return push_moment(c, &m, out);
}

int path_fn_type(const struct path_call *c, struct path_items *out)
{
    int r = 0;

    for (size_t i = 0; i < c->in->n && r >= 0; i++)
        r = path_push_text(c->env, out, PATH_TYPE, path_item_type(c->env->a, &c->in->p[i]), c->err);
    return r;
}

static bool is_taken(const struct path_env *env, struct str name)
{
    static const char *const ours[] = {"resource", "rootResource", "context",
                                       "ucum",     "sct",          "loinc"};

    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (str_eq(name, str_c(ours[i])))
            return true;
    return str_starts(name, STR("vs-")) || str_starts(name, STR("ext-")) ||
           path_variable(env, name);
}

/* The scope that this adds to ends with the expression that the call stands in. */
int path_fn_define_variable(const struct path_call *c, struct path_items *out)
{
    struct path_scope *scope = ARENA_NEW(c->env->a, struct path_scope);
    uint16_t projection = path_arg_node(c, 1);
    struct str name;
    int r = path_arg_string(c, 0, &name);

    if (!scope)
        return err_no_memory(c->err);
    if (r < 0)
        return r;
    if (!r || !name.n)
        return path_wrong(c->node, c->err, "defineVariable() lacks a name");
    if (is_taken(c->env, name))
        return path_wrong(c->node, c->err, "%%%.*s is defined already", (int)MIN(name.n, 64u),
                          name.p);
    scope->variable.name = name;
    if (projection != NO_NODE)
        r = for_input(c, projection, &scope->variable.items);
    for (size_t i = 0; i < c->in->n && r >= 0; i++) {
        if (projection == NO_NODE)
            r = path_push(c->env, &scope->variable.items, &c->in->p[i], c->err);
        if (r >= 0)
            r = path_push(c->env, out, &c->in->p[i], c->err);
    }
    scope->outer = c->env->scope;
    c->env->scope = scope;
    return r < 0 ? r : 0;
}
