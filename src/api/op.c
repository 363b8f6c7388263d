/* op.c - how the parameters of an operation are read, from the URL and from the body. */
#include "api/op.h"

int op_alone(struct call *c)
{
    return c->x ? 0
                : err_set(&c->err, ERR_NOT_SUPPORTED,
                          "this answer is no resource: it is asked for alone, and at once");
}

static int no_room(struct call *c)
{
    return err_set(&c->err, ERR_COSTLY, "a call may have %d parameters", OP_PARAMS_MAX);
}

/* Those that say how the answer is written belong to the call, not to the operation. */
static bool is_of_the_call(struct str name)
{
    static const struct str names[] = {STR("_format"), STR("_pretty"), STR("_summary"),
                                       STR("_elements")};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(name, names[i]))
            return true;
    return false;
}

static int read_url(struct call *c, struct op_params *ret)
{
    struct str rest = c->query, pair;

    while (rest.n && str_split(&rest, '&', &pair)) {
        ptrdiff_t eq = str_find(pair, '=');
        struct str name = url_decode(c->a, eq < 0 ? pair : str_head(pair, (size_t)eq), true);
        struct str text = eq < 0 ? STR("") : url_decode(c->a, str_from(pair, (size_t)eq + 1), true);

        if (!name.p || !text.p)
            return err_set(&c->err, ERR_INVALID, "the query has a malformed percent escape");
        if (!name.n || is_of_the_call(name))
            continue;
        ret->v[ret->n++] = (struct op_param){.name = name, .text = text};
    }
    return 0;
}

/* {"name": …, "valueX": … | "resource": … | "part": […]} */
static int read_one(struct call *c, yyjson_val *v, struct op_param *ret)
{
    size_t i, max;
    yyjson_val *key, *value;

    *ret = (struct op_param){.name = js_get_str(v, "name")};
    if (!ret->name.n)
        return err_at(&c->err, ERR_REQUIRED, "Parameters.parameter.name",
                      "a parameter needs a name");
    yyjson_obj_foreach(v, i, max, key, value) {
        struct str name = js_str(key);
        if (str_eq(name, STR("resource"))) {
            ret->value = value;
        } else if (str_eq(name, STR("part"))) {
            ret->parts = value;
        } else if (str_starts(name, STR("value"))) {
            ret->value = value;
            ret->type = str_from(name, 5);
            ret->text = js_primitive(value);
        }
    }
    return 0;
}

static int read_array(struct call *c, yyjson_val *array, struct op_params *ret)
{
    size_t i, max;
    yyjson_val *v;

    yyjson_arr_foreach(array, i, max, v) {
        int r = read_one(c, v, &ret->v[ret->n]);
        if (r < 0)
            return r;
        ret->n++;
    }
    return 0;
}

static size_t count_pairs(struct str query)
{
    size_t n = 1;

    for (size_t i = 0; i < query.n; i++)
        n += query.p[i] == '&';
    return n;
}

int op_params_read(struct call *c, struct op_params *ret)
{
    struct op_params p = {0};
    yyjson_val *array = NULL;
    bool is_parameters;
    size_t n;
    int r;

    if (!c->resource && c->body.n && (r = js_parse(c->a, c->body, &c->resource, &c->err)) < 0)
        return r;
    is_parameters = str_eq(js_get_str(c->resource, "resourceType"), STR("Parameters"));
    if (c->resource && !js_get_str(c->resource, "resourceType").n)
        return err_at(&c->err, ERR_REQUIRED, "resourceType", "the body is not a FHIR resource");
    if (is_parameters)
        array = js_get(c->resource, "parameter");
    n = count_pairs(c->query) + yyjson_arr_size(array) + 1;
    if (n > OP_PARAMS_MAX)
        return no_room(c);
    p.v = ARENA_ARRAY(c->a, struct op_param, n);
    if (!p.v)
        return err_no_memory(&c->err);
    r = read_url(c, &p);
    if (r >= 0 && is_parameters)
        r = read_array(c, array, &p);
    else if (r >= 0 && c->resource)
        p.v[p.n++] = (struct op_param){.name = STR("resource"), .value = c->resource};
    if (r >= 0)
        *ret = p;
    return r;
}

int op_parts_read(struct call *c, const struct op_param *of, struct op_params *ret)
{
    struct op_params p = {0};
    int r;

    if (yyjson_arr_size(of->parts) > OP_PARAMS_MAX)
        return no_room(c);
    p.v = ARENA_ARRAY(c->a, struct op_param, yyjson_arr_size(of->parts));
    if (!p.v)
        return err_no_memory(&c->err);
    r = read_array(c, of->parts, &p);
    if (r >= 0)
        *ret = p;
    return r;
}

const struct op_param *op_param_find(const struct op_params *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++)
        if (str_eq(p->v[i].name, str_c(name)))
            return &p->v[i];
    return NULL;
}

struct str op_param_text(const struct op_params *p, const char *name)
{
    const struct op_param *found = op_param_find(p, name);

    return found ? found->text : STR_NULL;
}

int op_param_bool(struct call *c, const struct op_params *p, const char *name, bool fallback,
                  bool *ret)
{
    const struct op_param *found = op_param_find(p, name);

    if (found && !str_eq(found->text, STR("true")) && !str_eq(found->text, STR("false")))
        return err_at(&c->err, ERR_VALUE, name, "the parameter \"%s\" is neither true nor false",
                      name);
    *ret = found ? str_eq(found->text, STR("true")) : fallback;
    return 0;
}

int op_param_u64(struct call *c, const struct op_params *p, const char *name, uint64_t max,
                 uint64_t fallback, uint64_t *ret)
{
    const struct op_param *found = op_param_find(p, name);

    *ret = fallback;
    if (found && !str_to_u64(found->text, max, ret))
        return err_at(&c->err, ERR_VALUE, name,
                      "the parameter \"%s\" is not a whole number up to %llu", name,
                      (unsigned long long)max);
    return 0;
}

int op_params_only(struct call *c, const struct op_params *p, const char *names)
{
    for (size_t i = 0; i < p->n; i++) {
        struct str rest = str_c(names), name;
        bool known = false;

        while (!known && rest.p && str_split(&rest, ' ', &name))
            known = str_eq(name, p->v[i].name);
        if (!known)
            return err_set(&c->err, ERR_NOT_SUPPORTED, "$%.*s has no parameter \"%.*s\"",
                           STR_ARG(c->op->name), (int)MIN(p->v[i].name.n, (size_t)64),
                           p->v[i].name.p);
    }
    return 0;
}
