/* op_diff.c - $diff, an extension: what makes one version of a resource of another, or one
 * resource of another, as a FHIRPath Patch. Its canonical is our own; names and meaning of the
 * parameters are those that others use for the same.
 */
#include "api/op.h"

#include "fhir/diff.h"

/* A version of a resource; version.p NULL: the newest. */
static int read_version(struct call *c, struct store_txn *txn, int type, struct str id,
                        struct str version, yyjson_val **ret)
{
    struct version v;
    struct row row;
    int r;

    if (!version.p) {
        r = op_row(c, txn, type, id, &row);
    } else {
        if (!version_parse(version, &v))
            return err_set(&c->err, ERR_NOT_FOUND, "there is no such version of %.*s/%.*s",
                           STR_ARG(def_resource_name(type)), STR_ARG(id));
        r = store_get_version(txn, type, id, &v, &row, &c->err);
        if (r >= 0 && row.method == METHOD_DELETE)
            r = err_set(&c->err, ERR_DELETED, "the version is a deletion");
    }
    return r < 0 ? r : op_json(c, &row, ret);
}

/* "Patient/1" or "Patient/1/_history/2" in a parameter. */
static int read_reference(struct call *c, struct store_txn *txn, const struct op_params *params,
                          const char *name, yyjson_val **ret)
{
    struct str text = op_param_text(params, name), id, version = STR_NULL;
    ptrdiff_t slash;
    int type;

    if (!text.n)
        return err_at(&c->err, ERR_REQUIRED, name, "the parameter \"%s\" is missing", name);
    if (!op_local(c, text, &type, &id) || (c->type && type != c->type))
        return err_at(&c->err, ERR_VALUE, name,
                      "the parameter \"%s\" is no reference to a resource that can be here", name);
    slash = str_rfind(text, '/');
    if (str_ends(str_head(text, (size_t)slash), STR("/_history")))
        version = str_from(text, (size_t)slash + 1);
    return read_version(c, txn, type, id, version, ret);
}

/* The version before the newest. */
static int previous(struct call *c, struct store_txn *txn, yyjson_val **ret)
{
    struct history_query q = {.type = c->type, .id = c->id, .count = 2};
    struct page page;
    struct row row;
    int r = store_history(txn, &q, c->a, &page, &c->err);

    if (r < 0)
        return r;
    if (page.n < 2)
        return err_set(&c->err, ERR_PROCESSING, "there is no version before the newest");
    if ((r = store_get_row(txn, page.rows[1], &row, &c->err)) < 0)
        return r;
    if (row.method == METHOD_DELETE)
        return err_set(&c->err, ERR_DELETED, "the version before the newest is a deletion");
    return op_json(c, &row, ret);
}

static int read_versions(struct call *c, struct store_txn *txn, const struct op_params *params,
                         yyjson_val **ret_from, yyjson_val **ret_to)
{
    struct str from = op_param_text(params, "fromVersion");
    struct str to = op_param_text(params, "toVersion");
    int r = read_version(c, txn, c->type, c->id, to, ret_to);

    if (r < 0)
        return r;
    if (from.p)
        return read_version(c, txn, c->type, c->id, from, ret_from);
    if (to.p)
        return err_at(&c->err, ERR_REQUIRED, "fromVersion",
                      "the parameter \"fromVersion\" is missing");
    return previous(c, txn, ret_from);
}

int op_diff(struct call *c, struct store_txn *txn)
{
    yyjson_val *from = NULL, *to = NULL;
    struct op_params params;
    bool with_meta;
    int r;

    if ((r = op_params_read(c, &params)) < 0 ||
        (r = op_params_only(
             c, &params, c->id.n ? "fromVersion toVersion includeMeta" : "from to includeMeta")) <
            0 ||
        (r = op_param_bool(c, &params, "includeMeta", false, &with_meta)) < 0)
        return r;
    if (c->id.n)
        r = read_versions(c, txn, &params, &from, &to);
    else if ((r = read_reference(c, txn, &params, "from", &from)) >= 0)
        r = read_reference(c, txn, &params, "to", &to);
    if (r < 0 || (r = fhir_diff(from, to, with_meta, &c->out, &c->err)) < 0)
        return r;
    c->status = 200;
    return 0;
}
