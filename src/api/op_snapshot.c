/* op_snapshot.c - $snapshot: a StructureDefinition with its snapshot made anew from its
 * differential (structuredefinition-operation-snapshot.html).
 */
#include "api/op.h"
#include "fhir/snapshot.h"

static int from_row(struct call *c, const struct row *row, yyjson_val **ret)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX + KIB(1));
    int r;

    if (row->method == METHOD_DELETE)
        return err_set(&c->err, ERR_DELETED, "StructureDefinition/%.*s was deleted",
                       STR_ARG(c->id));
    r = row_json(c->api->store, row, &text, &c->err);
    return r < 0 ? r : js_parse_stored(c->a, sb_view(&text), ret, &c->err);
}

/* The definition sent, named by its url, or the instance. */
static int find_definition(struct call *c, struct store_txn *txn, yyjson_val **ret)
{
    const struct op_param *sent;
    struct op_params params;
    struct str url;
    struct row row;
    int r = op_params_read(c, &params);

    if (r < 0)
        return r;
    if (c->id.n)
        return (r = store_get(txn, c->type, c->id, &row, &c->err)) < 0 ? r : from_row(c, &row, ret);
    sent = op_param_find(&params, "definition");
    if (!sent)
        sent = op_param_find(&params, "resource");
    url = op_param_text(&params, "url");
    if (sent && sent->value)
        *ret = sent->value;
    else if (!url.n)
        return err_at(&c->err, ERR_REQUIRED, "definition", "$snapshot needs a definition or a url");
    else if ((r = c->api->world->canonical(c->api->world->ctx, c->a, c->type, url, ret, &c->err)) <
             0)
        return r;
    return *ret ? 0
                : err_set(&c->err, ERR_NOT_FOUND, "the StructureDefinition %.*s is not known here",
                          (int)MIN(url.n, 300u), url.p);
}

static void put_members(struct sb *out, yyjson_val *definition, yyjson_val *elements)
{
    yyjson_val *key, *val;
    bool is_first = true;
    size_t i, n;

    sb_char(out, '{');
    yyjson_obj_foreach(definition, i, n, key, val) {
        if (str_eq(js_str(key), STR("snapshot")))
            continue;
        if (!is_first)
            sb_char(out, ',');
        is_first = false;
        sb_json(out, js_str(key));
        sb_char(out, ':');
        js_write(out, val);
    }
    sb_lit(out, ",\"snapshot\":{\"element\":");
    js_write(out, elements);
    sb_lit(out, "}}");
}

int op_snapshot(struct call *c, struct store_txn *txn)
{
    yyjson_val *definition = NULL, *elements;
    int r = find_definition(c, txn, &definition);

    if (r < 0)
        return r;
    if (!str_eq(js_get_str(definition, "resourceType"), STR("StructureDefinition")))
        return err_at(&c->err, ERR_INVALID, "resourceType",
                      "$snapshot is for a StructureDefinition");
    r = snapshot_generate(c->a, c->api->world, definition, &elements, &c->err);
    if (r < 0)
        return r;
    put_members(&c->out, definition, elements);
    c->status = 200;
    return sb_ok(&c->out, &c->err);
}
