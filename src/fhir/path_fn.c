#include "fhir/path_int.h"

static int truth_of(const struct path_call *c, uint16_t arg, const struct path_item *item)
{
    struct path_item room[4];
    struct path_items got = {room, 0, ARRAY_LEN(room)};
    int r = path_eval_node(c->path, c->env, arg, item, &got, c->err);

    return r < 0 ? r : path_truth(&got, c->err);
}

static int fn_where(const struct path_call *c, struct path_items *out)
{
    for (size_t i = 0; i < c->in->n; i++) {
        int r = truth_of(c, c->node->right, &c->in->p[i]);
        if (r == 1)
            r = path_push(c->env, out, &c->in->p[i], c->err);
        if (r < -1)
            return r;
    }
    return 0;
}

static int fn_exists(const struct path_call *c, struct path_items *out)
{
    bool found = c->in->n;

    if (c->node->right != NO_NODE) {
        found = false;
        for (size_t i = 0; i < c->in->n && !found; i++) {
            int r = truth_of(c, c->node->right, &c->in->p[i]);
            if (r < -1)
                return r;
            found = r == 1;
        }
    }
    return path_push_bool(c->env, out, found, c->err);
}

static int fn_all(const struct path_call *c, struct path_items *out)
{
    bool all = true;

    for (size_t i = 0; i < c->in->n && all; i++) {
        int r = truth_of(c, c->node->right, &c->in->p[i]);
        if (r < -1)
            return r;
        all = r == 1;
    }
    return path_push_bool(c->env, out, all, c->err);
}

static int fn_select(const struct path_call *c, struct path_items *out)
{
    for (size_t i = 0; i < c->in->n; i++) {
        int r = path_eval_node(c->path, c->env, c->node->right, &c->in->p[i], out, c->err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int fn_empty(const struct path_call *c, struct path_items *out)
{
    return path_push_bool(c->env, out, !c->in->n, c->err);
}

static int fn_not(const struct path_call *c, struct path_items *out)
{
    int r = path_truth(c->in, c->err);

    if (r < -1)
        return r;
    return r < 0 ? 0 : path_push_bool(c->env, out, !r, c->err);
}

static int fn_count(const struct path_call *c, struct path_items *out)
{
    struct path_item item = {.kind = PATH_INTEGER, .text = arena_fmt(c->env->a, "%zu", c->in->n)};

    return item.text.p ? path_push(c->env, out, &item, c->err) : err_no_memory(c->err);
}

static int fn_first(const struct path_call *c, struct path_items *out)
{
    return c->in->n ? path_push(c->env, out, &c->in->p[0], c->err) : 0;
}

static int fn_last(const struct path_call *c, struct path_items *out)
{
    return c->in->n ? path_push(c->env, out, &c->in->p[c->in->n - 1], c->err) : 0;
}

static int fn_tail(const struct path_call *c, struct path_items *out)
{
    int r = 0;

    for (size_t i = 1; i < c->in->n && r >= 0; i++)
        r = path_push(c->env, out, &c->in->p[i], c->err);
    return r;
}

static int fn_single(const struct path_call *c, struct path_items *out)
{
    if (c->in->n > 1)
        return err_set(c->err, ERR_VALUE, "single() in a FHIRPath expression met several items");
    return fn_first(c, out);
}

static int fn_has_value(const struct path_call *c, struct path_items *out)
{
    return path_push_bool(c->env, out, c->in->n == 1 && path_item_text(&c->in->p[0]).p, c->err);
}

/* The resource type in "[base/]Type/id[/_history/version]", 0 if there is none. */
static int literal_type(struct str ref)
{
    ptrdiff_t at = str_rfind(ref, '/');
    struct str head = str_head(ref, at < 0 ? 0 : (size_t)at);

    if (str_ends(head, STR("/_history"))) {
        head = str_head(head, head.n - 9);
        at = str_rfind(head, '/');
        head = str_head(head, at < 0 ? 0 : (size_t)at);
    }
    at = str_rfind(head, '/');
    return def_resource(str_from(head, (size_t)(at + 1)));
}

static yyjson_val *contained(yyjson_val *resource, struct str id)
{
    size_t i, max;
    yyjson_val *v;

    yyjson_arr_foreach(js_get(resource, "contained"), i, max, v)
        if (str_eq(js_get_str(v, "id"), id))
            return v;
    return NULL;
}

/* Nothing is fetched: what a reference points to is known by its type alone, except for contained
 * resources. */
static int resolve_one(const struct path_call *c, const struct path_item *item,
                       struct path_items *out)
{
    struct path_item target = {.kind = PATH_ELEMENT};
    struct str ref = path_item_text(item);
    int type;

    if (!ref.p)
        ref = js_get_str(item->v, "reference");
    if (ref.n && ref.p[0] == '#') {
        target.v = ref.n == 1 ? c->env->resource : contained(c->env->resource, str_from(ref, 1));
        if (!target.v)
            return 0;
        target = path_root(target.v);
        return path_push(c->env, out, &target, c->err);
    }
    type = ref.p ? literal_type(ref) : 0;
    if (!type)
        type = def_resource(js_get_str(item->v, "type"));
    if (!type)
        return 0;
    target.type = def_resource_type(type);
    return path_push(c->env, out, &target, c->err);
}

static int fn_resolve(const struct path_call *c, struct path_items *out)
{
    int r = 0;

    for (size_t i = 0; i < c->in->n && r >= 0; i++)
        r = resolve_one(c, &c->in->p[i], out);
    return r;
}

static int fn_extension(const struct path_call *c, struct path_items *out)
{
    struct path_items url = {0}, all = {0};
    int r = path_eval_node(c->path, c->env, c->node->right, c->focus, &url, c->err);

    for (size_t i = 0; i < c->in->n && r >= 0; i++)
        r = path_member(c->env, &c->in->p[i], STR("extension"), &all, c->err);
    for (size_t i = 0; i < all.n && r >= 0 && url.n == 1; i++)
        if (str_eq(js_get_str(all.p[i].v, "url"), path_item_text(&url.p[0])))
            r = path_push(c->env, out, &all.p[i], c->err);
    return r;
}

static int children_of(const struct path_call *c, const struct path_item *item,
                       struct path_items *out)
{
    int r = 0;

    for (size_t i = 0; item->type && i < item->type->n_elements && r >= 0; i++)
        r = path_member(c->env, item, item->type->elements[i].name, out, c->err);
    return r;
}

static int fn_children(const struct path_call *c, struct path_items *out)
{
    int r = 0;

    for (size_t i = 0; i < c->in->n && r >= 0; i++)
        r = children_of(c, &c->in->p[i], out);
    return r;
}

static int fn_descendants(const struct path_call *c, struct path_items *out)
{
    int r = fn_children(c, out);

    for (size_t i = 0; i < out->n && r >= 0; i++) {
        struct path_item item = out->p[i];
        r = children_of(c, &item, out);
    }
    return r;
}

#define FUNCTION(name, min, max, run)                                                              \
    {                                                                                              \
        {name, sizeof(name) - 1}, min, max, false, run                                             \
    }
#define LATER(name) FUNCTION(name, 0, 9, NULL)

static const struct path_function functions[] = {
    {{"as", 2}, 1, 1, true, NULL},
    {{"is", 2}, 1, 1, true, NULL},
    {{"ofType", 6}, 1, 1, true, NULL},
    FUNCTION("where", 1, 1, fn_where),
    FUNCTION("exists", 0, 1, fn_exists),
    FUNCTION("all", 1, 1, fn_all),
    FUNCTION("select", 1, 1, fn_select),
    FUNCTION("empty", 0, 0, fn_empty),
    FUNCTION("not", 0, 0, fn_not),
    FUNCTION("count", 0, 0, fn_count),
    FUNCTION("first", 0, 0, fn_first),
    FUNCTION("last", 0, 0, fn_last),
    FUNCTION("tail", 0, 0, fn_tail),
    FUNCTION("single", 0, 0, fn_single),
    FUNCTION("hasValue", 0, 0, fn_has_value),
    FUNCTION("resolve", 0, 0, fn_resolve),
    FUNCTION("extension", 1, 1, fn_extension),
    FUNCTION("children", 0, 0, fn_children),
    FUNCTION("descendants", 0, 0, fn_descendants),
    LATER("abs"),
    LATER("aggregate"),
    LATER("allFalse"),
    LATER("allTrue"),
    LATER("anyFalse"),
    LATER("anyTrue"),
    LATER("ceiling"),
    LATER("checkModifiers"),
    LATER("combine"),
    LATER("conformsTo"),
    LATER("contains"),
    LATER("convertsToBoolean"),
    LATER("convertsToDate"),
    LATER("convertsToDateTime"),
    LATER("convertsToDecimal"),
    LATER("convertsToInteger"),
    LATER("convertsToQuantity"),
    LATER("convertsToString"),
    LATER("convertsToTime"),
    LATER("distinct"),
    LATER("elementDefinition"),
    LATER("endsWith"),
    LATER("exclude"),
    LATER("exp"),
    LATER("floor"),
    LATER("getValue"),
    LATER("htmlChecks"),
    LATER("iif"),
    LATER("indexOf"),
    LATER("intersect"),
    LATER("isDistinct"),
    LATER("length"),
    LATER("ln"),
    LATER("log"),
    LATER("lower"),
    LATER("matches"),
    LATER("memberOf"),
    LATER("now"),
    LATER("power"),
    LATER("repeat"),
    LATER("replace"),
    LATER("replaceMatches"),
    LATER("round"),
    LATER("skip"),
    LATER("slice"),
    LATER("sqrt"),
    LATER("startsWith"),
    LATER("subsetOf"),
    LATER("substring"),
    LATER("subsumedBy"),
    LATER("subsumes"),
    LATER("supersetOf"),
    LATER("take"),
    LATER("timeOfDay"),
    LATER("toBoolean"),
    LATER("toChars"),
    LATER("toDate"),
    LATER("toDateTime"),
    LATER("toDecimal"),
    LATER("toInteger"),
    LATER("toQuantity"),
    LATER("toString"),
    LATER("toTime"),
    LATER("today"),
    LATER("trace"),
    LATER("truncate"),
    LATER("type"),
    LATER("union"),
    LATER("upper"),
};

const struct path_function *path_function_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(functions); i++)
        if (str_eq(functions[i].name, name))
            return &functions[i];
    return NULL;
}
