/* op_document.c - $document: a Composition and what it refers to, as a document Bundle
 * (composition-operation-document.html, documents.html).
 *
 * The Composition comes first, then what it refers to in the order of its references, then what
 * those refer to, so that a reader needs nothing else. A reference of the Composition that leads to
 * nothing here is an error, because the document would not be whole; further away it is left as it
 * is. What lies on other servers is not fetched. With `graph`, a GraphDefinition says what is in
 * it.
 */
#include "api/document_int.h"

#include "api/refs.h"
#include "base/clock.h"
#include "base/rng.h"

int document_add(struct document *d, int type, struct str id)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->v[i].type == type && str_eq(d->v[i].id, id))
            return 0;
    if (d->n == DOCUMENT_ENTRIES_MAX)
        return err_set(&d->c->err, ERR_COSTLY, "the document would have more than %d entries",
                       DOCUMENT_ENTRIES_MAX);
    d->v[d->n].type = type;
    d->v[d->n].id = arena_dup(d->c->a, id);
    return d->v[d->n++].id.p ? 1 : err_no_memory(&d->c->err);
}

static int follow(void *ctx, enum link_kind kind, yyjson_val *value)
{
    struct document *d = ctx;
    struct str id;
    int type;

    if (kind == LINK_NARRATIVE || !op_local(d->c, js_str(value), &type, &id))
        return 0;
    return MIN(document_add(d, type, id), 0);
}

static void write_entry(struct document *d, const struct row *row, bool first)
{
    struct sb *out = &d->out;

    sb_str(out, first ? STR("{\"fullUrl\":\"") : STR(",{\"fullUrl\":\""));
    sb_str(out, d->c->base);
    sb_fmt(out, "/%.*s/%.*s\",\"resource\":", STR_ARG(def_resource_name(row->type)),
           STR_ARG(row->id));
    call_write_whole(d->c, row, out);
    sb_char(out, '}');
}

/* Entry i: 1 with its resource, 0 when it is not here (and need not be). */
static int add_entry(struct document *d, size_t i, bool must_be, yyjson_val **ret)
{
    struct call *c = d->c;
    struct row row;
    int r = store_get(d->txn, d->v[i].type, d->v[i].id, &row, &c->err);

    if (r == ERR_NOT_FOUND || (r >= 0 && row.method == METHOD_DELETE)) {
        if (!must_be)
            return 0;
        return err_set(&c->err, ERR_PROCESSING,
                       "the document is not whole: %.*s/%.*s, which the Composition refers to, "
                       "does not exist",
                       STR_ARG(def_resource_name(d->v[i].type)), STR_ARG(d->v[i].id));
    }
    if (r < 0)
        return r;
    write_entry(d, &row, i == 0);
    r = op_json(c, &row, ret);
    return r < 0 ? r : 1;
}

static int add_entries(struct document *d)
{
    size_t level_end = 1;
    int r = 0, level = 0;

    for (size_t i = 0; i < d->n && r >= 0; i++) {
        yyjson_val *root;
        if (i == level_end) {
            level++;
            level_end = d->n;
        }
        r = add_entry(d, i, level <= 1, &root);
        if (r > 0 && !d->is_given && level < DOCUMENT_LEVELS_MAX)
            r = links_each(root, follow, d);
    }
    return r < 0 ? r : 0;
}

static int write_document(struct document *d, struct str *ret_id)
{
    char id[UUID_TEXT_LEN + 1], own[UUID_TEXT_LEN + 1], now[CLOCK_INSTANT_MAX];
    int r;

    uuid7(id);
    uuid7(own);
    clock_format(clock_now_ms(), now);
    sb_fmt(&d->out,
           "{\"resourceType\":\"Bundle\",\"id\":\"%s\",\"identifier\":{\"system\":"
           "\"urn:ietf:rfc:3986\",\"value\":\"urn:uuid:%s\"},\"type\":\"document\","
           "\"timestamp\":\"%s\",\"entry\":[",
           id, own, now);
    if ((r = add_entries(d)) < 0)
        return r;
    sb_lit(&d->out, "]}");
    *ret_id = arena_dup(d->c->a, str_c(id));
    return ret_id->p ? sb_ok(&d->out, &d->c->err) : err_no_memory(&d->c->err);
}

/* Which Composition: that of the path, or the parameter's. */
static int read_params(struct call *c, bool *ret_persist, struct str *ret_id, struct str *ret_graph)
{
    const char *names = c->id.n ? "persist graph" : "id persist graph";
    struct op_params params;
    struct str text;
    int type, r = op_params_read(c, &params);

    if (r < 0 || (r = op_params_only(c, &params, names)) < 0)
        return r;
    *ret_graph = op_param_text(&params, "graph");
    if ((r = op_param_bool(c, &params, "persist", false, ret_persist)) < 0)
        return r;
    *ret_id = c->id;
    if (c->id.n)
        return 0;
    text = op_param_text(&params, "id");
    if (!text.n)
        return err_at(&c->err, ERR_REQUIRED, "id", "the parameter \"id\" is missing");
    if (str_find(text, '/') < 0) {
        *ret_id = text;
        return 0;
    }
    if (!op_local(c, text, &type, ret_id) || type != c->type)
        return err_at(&c->err, ERR_NOT_SUPPORTED, "id",
                      "\"%.*s\" is not a Composition of this node", (int)MIN(text.n, (size_t)200),
                      text.p);
    return 0;
}

static int run(struct document *d)
{
    struct call *c = d->c;
    struct str composition, id, graph;
    struct row row;
    bool persist;
    int r;

    if ((r = read_params(c, &persist, &composition, &graph)) < 0 ||
        (r = op_row(c, d->txn, c->type, composition, &row)) < 0)
        return r;
    d->v[0].type = c->type;
    d->v[0].id = composition;
    d->n = 1;
    if (graph.n && (r = document_graph(d, graph)) < 0)
        return r;
    if ((r = write_document(d, &id)) < 0)
        return r;
    if (persist) {
        if ((r = op_store(c, sb_view(&d->out))) < 0)
            return r;
        c->location = arena_fmt(c->a, "Bundle/%.*s", STR_ARG(id));
        if (!c->location.p)
            return err_no_memory(&c->err);
    }
    sb_str(&c->out, sb_view(&d->out));
    c->status = persist ? 201 : 200;
    return sb_ok(&c->out, &c->err);
}

int op_document(struct call *c, struct store_txn *txn)
{
    struct document *d = ARENA_NEW(c->a, struct document);
    int r;

    if (!d)
        return err_no_memory(&c->err);
    d->c = c;
    d->txn = txn;
    d->out = sb_make(API_REPLY_MAX);
    r = run(d);
    sb_done(&d->out);
    return r;
}
