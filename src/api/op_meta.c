/* op_meta.c - $meta: profiles, security labels and tags of a resource
 * (resource-operation-meta.html). */
#include "api/op.h"

static void reply_meta(struct call *c, yyjson_val *meta)
{
    sb_lit(&c->out, "{\"resourceType\":\"Parameters\",\"parameter\":[{\"name\":\"return\","
                    "\"valueMeta\":");
    if (meta)
        js_write(&c->out, meta);
    else
        sb_lit(&c->out, "{}");
    sb_lit(&c->out, "}]}");
    c->status = 200;
}

static int read_row(struct call *c, const struct row *row, yyjson_val **ret)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX + KIB(1));
    int r = row_json(c->api->store, row, &text, &c->err);

    return r < 0 ? r : js_parse_stored(c->a, sb_view(&text), ret, &c->err);
}

int op_meta(struct call *c, struct store_txn *txn)
{
    yyjson_val *root;
    struct row row;
    int r;

    r = store_get(txn, c->type, c->id, &row, &c->err);
    if (r < 0)
        return r;
    if (row.method == METHOD_DELETE)
        return err_set(&c->err, ERR_DELETED, "%.*s/%.*s was deleted",
                       STR_ARG(def_resource_name(c->type)), STR_ARG(c->id));
    if ((r = read_row(c, &row, &root)) < 0)
        return r;
    reply_meta(c, js_get(root, "meta"));
    return sb_ok(&c->out, &c->err);
}
