/* op_convert.c - $convert: a resource in one format comes back in another
 * (resource-operation-convert.html). What came as XML is JSON by now, and what goes out as XML will
 * be: the formats are the edge's. Whether the resource is valid is not asked. */
#include "api/op.h"

/* What is to be converted: a Parameters resource may carry it, or be it. */
static int find_input(struct call *c, yyjson_val **ret)
{
    static const char *const names[] = {"input", "resource"};
    struct op_params params;
    int r = op_params_read(c, &params);

    if (r < 0)
        return r;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct op_param *found = op_param_find(&params, names[i]);
        if (found && yyjson_is_obj(found->value)) {
            *ret = found->value;
            return 0;
        }
    }
    *ret = c->resource;
    return c->resource ? 0
                       : err_set(&c->err, ERR_REQUIRED, "$convert needs a resource as its body");
}

int op_convert(struct call *c, struct store_txn *txn)
{
    yyjson_val *input;
    int r = find_input(c, &input);

    (void)txn;
    if (r < 0)
        return r;
    if (!def_resource(js_get_str(input, "resourceType")))
        return err_at(&c->err, ERR_INVALID, "resourceType",
                      "resourceType does not name a resource of R4");
    js_write(&c->out, input);
    c->status = 200;
    return sb_ok(&c->out, &c->err);
}
