/* search.c - search at system and type level and in compartments (search.html). */
#include "api/bundle_out.h"
#include "api/include.h"

#define ENTRY_BYTES 1024 /* of a usual entry: room for the bundle is asked for at once */

static void write_issue(struct sb *out, bool *first, struct str text)
{
    if (!*first)
        sb_char(out, ',');
    *first = false;
    sb_lit(out, "{\"severity\":\"warning\",\"code\":\"not-supported\",\"diagnostics\":");
    sb_json(out, text);
    sb_char(out, '}');
}

/* The outcome entry that names what was not understood and what was cut: never silence. */
static void write_outcome(struct bundle_out *b, const struct search *s, bool cut)
{
    struct sb *out = &b->call->out;
    bool first = true;

    sb_str(out, b->has_entry ? STR(",") : STR(",\"entry\":["));
    b->has_entry = true;
    sb_lit(out, "{\"resource\":{\"resourceType\":\"OperationOutcome\",\"issue\":[");
    for (size_t i = 0; i < s->n_unknown; i++)
        write_issue(out, &first,
                    arena_fmt(b->call->a,
                              "the search parameter \"%.*s\" is not supported here "
                              "and was left out",
                              STR_ARG(s->unknown[i])));
    if (cut)
        write_issue(out, &first,
                    arena_fmt(b->call->a,
                              "more resources were to be included than one page takes (%d); the "
                              "others were left out",
                              API_INCLUDED_MAX));
    sb_lit(out, "]},\"search\":{\"mode\":\"outcome\"}}");
}

static int write_entries(struct bundle_out *b, const struct search *s, struct store_txn *txn,
                         const uint64_t *rows, size_t n, const char *mode)
{
    struct call *c = b->call;

    for (size_t i = 0; i < n; i++) {
        struct row row;
        int r = store_get_row(txn, rows[i], &row, &c->err);

        if (r < 0)
            return r;
        bundle_entry(b, row.type, row.id);
        sb_lit(&c->out, ",\"resource\":");
        r = call_write_row(c, &row, s->summary, s->elements, s->n_elements);
        if (r < 0)
            return r;
        sb_fmt(&c->out, ",\"search\":{\"mode\":\"%s\"}}", mode);
    }
    return 0;
}

/* What stands between the base URL and the query. */
static struct str path_of(struct call *c)
{
    struct str type = c->type ? def_resource_name(c->type) : STR("");

    if (!c->owner)
        return type;
    return arena_fmt(c->a, "%.*s/%.*s/%.*s", STR_ARG(def_resource_name(c->owner)), STR_ARG(c->id),
                     STR_ARG(type.n ? type : STR("*")));
}

static int write_bundle(struct call *c, const struct search *s, struct store_txn *txn,
                        const struct page *page)
{
    struct str path = path_of(c);
    struct included included;
    struct bundle_out b;
    int r = include_find(c, txn, s, page, &included);

    if (r < 0)
        return r;
    sb_room(&c->out, MIN(page->n, (size_t)64) * ENTRY_BYTES + KIB(1));
    bundle_begin(&b, c, "searchset", page->total);
    bundle_link(&b, "self", path, s->self, s->cursor);
    if (page->next.p)
        bundle_link(&b, "next", path, s->self, page->next);
    bundle_entries(&b);
    r = write_entries(&b, s, txn, page->rows, page->n, "match");
    if (r >= 0)
        r = write_entries(&b, s, txn, included.rows, included.n, "include");
    if (r < 0)
        return r;
    if (s->n_unknown || included.cut)
        write_outcome(&b, s, included.cut);
    bundle_end(&b);
    c->status = 200;
    return sb_ok(&c->out, &c->err);
}

static int within(struct call *c, struct search *s)
{
    for (int i = 0; i < COMPARTMENT_COUNT; i++)
        if (def_compartment_type((enum def_compartment)i) == c->owner)
            return search_within(c->a, s, (enum def_compartment)i, c->id, &c->err);
    return err_set(&c->err, ERR_INTERNAL, "a compartment is not known");
}

int api_search(struct call *c, struct store_txn *txn)
{
    struct search_options opt = {
        .index = *store_index_options(c->api->store), .world = c->api->world, .strict = c->strict};
    struct search s;
    struct page page;
    int r;

    r = search_parse(c->a, c->params, &opt, c->type, c->query, &s, &c->err);
    if (r >= 0 && c->owner)
        r = within(c, &s);
    if (r >= 0)
        r = store_search(txn, &s, c->budget, c->a, &page, &c->err);
    return r < 0 ? r : write_bundle(c, &s, txn, &page);
}
