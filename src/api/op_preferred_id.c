/* op_preferred_id.c - NamingSystem/$preferred-id: another identifier of the same naming system
 * (namingsystem-operation-preferred-id.html).
 */
#include "api/terms.h"

#define SYSTEMS_MAX 100 /* naming systems with one identifier */

/* OIDs stand in a NamingSystem without "urn:oid:", and are written with it elsewhere. */
static struct str bare(struct str id)
{
    static const struct str prefixes[] = {STR("urn:oid:"), STR("urn:uuid:")};

    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (str_starts(id, prefixes[i]))
            return str_from(id, prefixes[i].n);
    return id;
}

static bool names(yyjson_val *system, struct str id)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(system, "uniqueId"), i, n, v) {
        if (str_eq(bare(js_get_str(v, "value")), bare(id)))
            return true;
    }
    return false;
}

/* The preferred one of a type, else the first. */
static struct str pick(yyjson_val *system, struct str type)
{
    struct str found = STR_NULL;
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(system, "uniqueId"), i, n, v) {
        if (!str_eq(js_get_str(v, "type"), type))
            continue;
        if (yyjson_is_true(js_get(v, "preferred")))
            return js_get_str(v, "value");
        if (!found.p)
            found = js_get_str(v, "value");
    }
    return found;
}

static int search(struct terms_call *t, struct str id, struct page *ret)
{
    struct call *c = t->c;
    struct search_options opt = {.index = *store_index_options(c->api->store)};
    _cleanup_(sb_done) struct sb query = sb_make(KIB(16));
    _cleanup_(sb_done) struct sb escaped = sb_make(KIB(8));
    struct search s;
    int r;

    for (size_t i = 0; i < id.n; i++) {
        if (strchr("\\,$|", id.p[i]))
            sb_char(&escaped, '\\');
        sb_char(&escaped, id.p[i]);
    }
    sb_lit(&query, "value:exact=");
    sb_uri(&query, sb_view(&escaped));
    if (query.failed || escaped.failed)
        return err_set(&c->err, ERR_TOO_LONG, "the id is too long");
    r = search_parse(c->a, c->params, &opt, c->type, sb_view(&query), &s, &c->err);
    s.total = TOTAL_NONE;
    s.count = SYSTEMS_MAX;
    return r < 0 ? r : store_search(t->txn, &s, 0, c->a, ret, &c->err);
}

static int find(struct terms_call *t, const struct page *page, struct str id, struct str type,
                struct str *ret)
{
    struct call *c = t->c;
    int r = 0;

    for (size_t i = 0; r >= 0 && !ret->p && i < page->n; i++) {
        _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX);
        yyjson_val *system;
        struct row row;
        r = store_get_row(t->txn, page->rows[i], &row, &c->err);
        if (r >= 0)
            r = row_json(c->api->store, &row, &text, &c->err);
        if (r >= 0)
            r = js_parse_stored(c->a, sb_view(&text), &system, &c->err);
        if (r >= 0 && names(system, id))
            *ret = pick(system, type);
    }
    return r;
}

int op_preferred_id(struct call *c, struct store_txn *txn)
{
    _cleanup_(terms_call_done) struct terms_call t;
    struct str id, type, found = STR_NULL;
    struct page page = {0};
    int r = terms_call_begin(&t, c, txn);

    if (r < 0)
        return r;
    if (t.s.quick)
        return err_set(&c->err, ERR_BUSY, "naming systems have to be looked for");
    id = op_param_text(&t.p, "id");
    type = op_param_text(&t.p, "type");
    if (!id.n || !type.n)
        return err_at(&c->err, ERR_REQUIRED, "Parameters.parameter",
                      "the parameters \"id\" and \"type\" are needed");
    if ((r = search(&t, id, &page)) < 0 || (r = find(&t, &page, id, type, &found)) < 0)
        return r;
    if (!found.p && !str_eq(bare(id), id) &&
        ((r = search(&t, bare(id), &page)) < 0 || (r = find(&t, &page, id, type, &found)) < 0))
        return r;
    if (!found.p)
        return err_set(&c->err, ERR_NOT_FOUND,
                       "no naming system with the id \"%.*s\" has one of the type \"%.*s\"",
                       (int)MIN(id.n, 200u), id.p, (int)MIN(type.n, 20u), type.p);
    terms_out_begin(&t);
    terms_out_text(&t, "result", "valueString", found);
    return terms_out_end(&t);
}
