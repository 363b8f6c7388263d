#include "api/op.h"

#include "api/trail.h"

#include "fhir/validate.h"

int op_row(struct call *c, struct store_txn *txn, int type, struct str id, struct row *ret)
{
    int r = store_get(txn, type, id, ret, &c->err);

    if (r >= 0 && ret->method == METHOD_DELETE)
        return err_set(&c->err, ERR_DELETED, "%.*s/%.*s was deleted",
                       STR_ARG(def_resource_name(type)), STR_ARG(id));
    return r;
}

int op_json_in(struct call *c, struct arena *a, const struct row *row, yyjson_val **ret)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX + KIB(1));
    int r = row_json(c->api->store, row, &text, &c->err);

    if (r >= 0)
        r = js_parse_stored(a, sb_view(&text), ret, &c->err);
    if (r >= 0)
        trail_saw(c, row->type, row->id, *ret);
    return r;
}

int op_json(struct call *c, const struct row *row, yyjson_val **ret)
{
    return op_json_in(c, c->a, row, ret);
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

/* What stands behind our own base URL; the whole of what is relative; STR_NULL for anything else.
 */
static struct str relative(struct call *c, struct str url)
{
    const struct index_options *opt = store_index_options(c->api->store);

    if (str_starts(url, c->base) && url.n > c->base.n && url.p[c->base.n] == '/')
        return str_from(url, c->base.n + 1);
    for (size_t i = 0; i < opt->n_bases; i++) {
        struct str base = opt->bases[i];
        if (base.n && str_starts(url, base) && url.n > base.n && url.p[base.n] == '/')
            return str_from(url, base.n + 1);
    }
    return str_find(url, ':') < 0 ? url : STR_NULL;
}

bool op_local(struct call *c, struct str reference, int *ret_type, struct str *ret_id)
{
    struct str rest = relative(c, reference), type, id = STR_NULL, word = STR_NULL, version;

    if (!rest.p || !str_split(&rest, '/', &type) || !str_split(&rest, '/', &id))
        return false;
    if (rest.p && (!str_split(&rest, '/', &word) || !str_eq(word, STR("_history")) ||
                   !str_split(&rest, '/', &version) || rest.p))
        return false;
    *ret_type = def_resource(type);
    *ret_id = id;
    return *ret_type && fhir_is_id(id);
}

int op_search(struct call *c, struct store_txn *txn, int type, struct str query, size_t share,
              struct page *ret)
{
    struct search_options opt = {.index = *store_index_options(c->api->store), .strict = true};
    struct search s;
    int r = search_parse(c->a, c->params, &opt, type, query, &s, &c->err);

    if (r < 0)
        return r;
    r = store_search(txn, &s, OP_SEARCH_COST / MAX(share, (size_t)1), c->a, ret, &c->err);
    if (r == ERR_BUSY)
        return err_set(&c->err, ERR_COSTLY, "a search of this operation costs too much");
    return r;
}

int op_search_all(struct call *c, struct store_txn *txn, int type, struct str query,
                  int (*each)(void *ctx, uint64_t row), void *ctx)
{
    struct page page = {.next = STR("")};
    int r = 0;

    while (page.next.p && r >= 0) {
        _cleanup_(sb_done) struct sb b = sb_make(KIB(64));
        struct str text;
        sb_str(&b, query);
        if (page.next.n) {
            sb_lit(&b, "&_cursor=");
            sb_uri(&b, page.next);
        }
        text = b.failed ? STR_NULL : arena_dup(c->a, sb_view(&b));
        if (!text.p)
            return err_no_memory(&c->err);
        r = op_search(c, txn, type, text, 1, &page);
        for (size_t i = 0; i < page.n && r >= 0; i++)
            r = each(ctx, page.rows[i]);
    }
    return r;
}

int op_by_url(struct call *c, struct store_txn *txn, int type, struct str url, const char *name,
              yyjson_val **ret)
{
    _cleanup_(sb_done) struct sb query = sb_make(KIB(64));
    ptrdiff_t bar = str_find(url, '|');
    struct page page;
    struct str text;
    int r;

    sb_lit(&query, "_sort=-_lastUpdated&_count=1&url=");
    sb_uri(&query, bar < 0 ? url : str_head(url, (size_t)bar));
    if (bar >= 0) {
        sb_lit(&query, "&version=");
        sb_uri(&query, str_from(url, (size_t)bar + 1));
    }
    text = query.failed ? STR_NULL : arena_dup(c->a, sb_view(&query));
    if (!text.p)
        return err_no_memory(&c->err);
    if ((r = op_search(c, txn, type, text, 1, &page)) < 0)
        return r;
    if (!page.n)
        return err_at(&c->err, ERR_NOT_FOUND, name, "there is no %.*s \"%.*s\" here",
                      STR_ARG(def_resource_name(type)), (int)MIN(url.n, (size_t)200), url.p);
    return op_resource_at(c, txn, page.rows[0], ret);
}

int op_store(struct call *c, struct str text)
{
    struct api_line line = {.text = text};
    int r;

    if (!c->x && !c->later)
        return err_set(&c->err, ERR_NOT_SUPPORTED,
                       "inside a Bundle this operation cannot store what it makes");
    r = api_put_lines(c->api, c->a, c->who, &line, 1, NULL, NULL, &c->err);
    if (r >= 0 && line.result < 0) {
        c->err = line.err;
        r = line.result;
    }
    return r;
}
