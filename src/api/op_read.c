#include "api/op.h"

int op_row(struct call *c, struct store_txn *txn, int type, struct str id, struct row *ret)
{
    int r = store_get(txn, type, id, ret, &c->err);

    if (r >= 0 && ret->method == METHOD_DELETE)
        return err_set(&c->err, ERR_DELETED, "%.*s/%.*s was deleted",
                       STR_ARG(def_resource_name(type)), STR_ARG(id));
    return r;
}

int op_json(struct call *c, const struct row *row, yyjson_val **ret)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX + KIB(1));
    int r = row_json(c->api->store, row, &text, &c->err);

    return r < 0 ? r : js_parse_stored(c->a, sb_view(&text), ret, &c->err);
}

int op_resource(struct call *c, struct store_txn *txn, int type, struct str id, yyjson_val **ret)
{
    struct row row;
    int r = op_row(c, txn, type, id, &row);

    return r < 0 ? r : op_json(c, &row, ret);
}

int op_resource_at(struct call *c, struct store_txn *txn, uint64_t number, yyjson_val **ret)
{
    struct row row;
    int r = store_get_row(txn, number, &row, &c->err);

    return r < 0 ? r : op_json(c, &row, ret);
}
