/* search.c - search at type and system level (search.html). */
#include "api/bundle_out.h"

#define ENTRY_BYTES 1024 /* of a usual entry: room for the bundle is asked for at once */

/* The outcome entry that names what was not understood: never silence. */
static void write_unknown(struct bundle_out *b, const struct search *s)
{
    struct sb *out = &b->call->out;

    sb_str(out, b->has_entry ? STR(",") : STR(",\"entry\":["));
    b->has_entry = true;
    sb_lit(out, "{\"resource\":{\"resourceType\":\"OperationOutcome\",\"issue\":[");
    for (size_t i = 0; i < s->n_unknown; i++) {
        struct str text = arena_fmt(b->call->a,
                                    "the search parameter \"%.*s\" is not supported here "
                                    "and was left out",
                                    STR_ARG(s->unknown[i]));
        if (i)
            sb_char(out, ',');
        sb_lit(out, "{\"severity\":\"warning\",\"code\":\"not-supported\",\"diagnostics\":");
        sb_json(out, text);
        sb_char(out, '}');
    }
    sb_lit(out, "]},\"search\":{\"mode\":\"outcome\"}}");
}

static int write_entries(struct bundle_out *b, const struct search *s, struct store_txn *txn,
                         const struct page *page)
{
    struct call *c = b->call;
    int r;

    for (size_t i = 0; i < page->n; i++) {
        struct row row;
        r = store_get_row(txn, page->rows[i], &row, &c->err);
        if (r < 0)
            return r;
        bundle_entry(b, row.type, row.id);
        sb_lit(&c->out, ",\"resource\":");
        r = call_write_row(c, &row, s->summary, s->elements, s->n_elements);
        if (r < 0)
            return r;
        sb_lit(&c->out, ",\"search\":{\"mode\":\"match\"}}");
    }
    return 0;
}

static int write_bundle(struct call *c, const struct search *s, struct store_txn *txn,
                        const struct page *page)
{
    struct str path = c->type ? def_resource_name(c->type) : STR("");
    struct bundle_out b;
    int r;

    sb_room(&c->out, MIN(page->n, (size_t)64) * ENTRY_BYTES + KIB(1));
    bundle_begin(&b, c, "searchset", page->total);
    bundle_link(&b, "self", path, s->self, s->cursor);
    if (page->next.p)
        bundle_link(&b, "next", path, s->self, page->next);
    bundle_entries(&b);
    r = write_entries(&b, s, txn, page);
    if (r < 0)
        return r;
    if (s->n_unknown)
        write_unknown(&b, s);
    bundle_end(&b);
    c->status = 200;
    return sb_ok(&c->out, &c->err);
}

int api_search(struct call *c, struct store_txn *txn)
{
    struct search_options opt = {.index = *store_index_options(c->api->store), .strict = c->strict};
    struct search s;
    struct page page;
    int r;

    r = search_parse(c->a, c->params, &opt, c->type, c->query, &s, &c->err);
    if (r < 0)
        return r;
    r = store_search(txn, &s, c->budget, c->a, &page, &c->err);
    if (r < 0)
        return r;
    return write_bundle(c, &s, txn, &page);
}
