/* search.c - search at system and type level and in compartments (search.html). */
#include "api/audit_read.h"
#include "api/bundle_out.h"
#include "api/include.h"
#include "fhir/ucum.h"

#define DISTANCE_EXTENSION "http://hl7.org/fhir/StructureDefinition/location-distance"
#define ENTRY_BYTES 1280 /* of a usual entry: room for the bundle is asked for at once */

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

/* The resource of a row, parsed. */
static int parse_row(struct call *c, const struct row *row, yyjson_val **ret)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX + KIB(1));
    int r = call_write_whole(c, row, &text);

    return r < 0 ? r : js_parse_stored(c->a, sb_view(&text), ret, &c->err);
}

/* Metres as kilometres, which `near` means where it names no unit. */
static void write_distance(struct sb *out, double metres)
{
    sb_fmt(out,
           "\"extension\":[{\"url\":\"" DISTANCE_EXTENSION
           "\",\"valueDistance\":{\"value\":%.3f,\"unit\":\"km\",\"system\":\"" UCUM_SYSTEM
           "\",\"code\":\"km\"}}],",
           metres / 1000);
}

/* How a match was found: its mode, and where it is of use how far away and how relevant it is. */
static int write_found(struct call *c, const struct search *s, const struct row *row,
                       struct str mode, bool scored)
{
    yyjson_val *root = NULL;
    double score, metres;
    int r = scored ? parse_row(c, row, &root) : 0;

    sb_lit(&c->out, ",\"search\":{");
    metres = scored && r >= 0 ? search_distance(s, root) : -1;
    if (metres >= 0)
        write_distance(&c->out, metres);
    sb_lit(&c->out, "\"mode\":\"");
    sb_str(&c->out, mode);
    sb_char(&c->out, '"');
    if (scored && r >= 0 && search_has_score(s)) {
        r = search_score(c->a, s, root, &score, &c->err);
        sb_fmt(&c->out, ",\"score\":%.6f", r >= 0 ? score : 0);
    }
    sb_char(&c->out, '}');
    return r;
}

struct alone {
    struct bundle_out *b;
    const struct row *row;
};

/* "_containedType=contained": what is inside, under its container's URL. */
static int write_contained(void *ctx, yyjson_val *one)
{
    const struct alone *to = ctx;
    struct sb *out = &to->b->call->out;

    sb_str(out, to->b->has_entry ? STR(",") : STR(",\"entry\":["));
    to->b->has_entry = true;
    sb_lit(out, "{\"fullUrl\":");
    sb_json(out, arena_fmt(to->b->call->a, "%.*s/%.*s/%.*s#%.*s", STR_ARG(to->b->call->base),
                           STR_ARG(def_resource_name(to->row->type)), STR_ARG(to->row->id),
                           STR_ARG(js_get_str(one, "id"))));
    sb_lit(out, ",\"resource\":");
    js_write(out, one);
    sb_lit(out, ",\"search\":{\"mode\":\"match\"}}");
    return 0;
}

/* 1 where the row is no container but a match itself (_contained=both). */
static int write_alone(struct bundle_out *b, const struct search *s, const struct row *row)
{
    struct call *c = b->call;
    struct row copy = *row;
    struct alone to = {b, &copy};
    yyjson_val *root;
    int r;

    copy.id = arena_dup(c->a, row->id);
    r = copy.id.p ? parse_row(c, row, &root) : err_no_memory(&c->err);
    if (r < 0 || row->type == c->type)
        return r < 0 ? r : 1;
    return search_each_contained(c->a, s, root, write_contained, &to, &c->err);
}

static int write_entry(struct bundle_out *b, const struct search *s, const struct row *row,
                       struct str mode, bool scored)
{
    struct call *c = b->call;
    int r;

    bundle_entry(b, row->type, row->id);
    sb_lit(&c->out, ",\"resource\":");
    r = call_write_row(c, row, s->summary, s->elements, s->n_elements);
    if (r < 0)
        return r;
    r = write_found(c, s, row, mode, scored);
    sb_char(&c->out, '}');
    return r;
}

/* Rows on their way into the bundle. */
struct entries {
    struct bundle_out *b;
    const struct search *s;
    bool scored;
};

static int each_match(void *ctx, const struct row *row, struct err *err)
{
    const struct entries *to = ctx;
    int r = 1;

    (void)err; /* it is the call's */
    if (to->s->contained && to->s->contained_alone)
        r = write_alone(to->b, to->s, row);
    return r <= 0 ? r : write_entry(to->b, to->s, row, STR("match"), to->scored);
}

static int each_included(void *ctx, const struct row *row, struct err *err)
{
    const struct entries *to = ctx;

    (void)err;
    return write_entry(to->b, to->s, row, STR("include"), false);
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
    struct entries to = {&b, s, search_has_score(s) || search_has_distance(s)};
    int r = include_find(c, txn, s, page, &included);

    if (r < 0)
        return r;
    sb_room(&c->out, MIN(page->n, (size_t)64) * ENTRY_BYTES + KIB(1));
    bundle_begin(&b, c, "searchset", page->total);
    bundle_link(&b, "self", path, s->self, s->cursor);
    if (page->next.p)
        bundle_link(&b, "next", path, s->self, page->next);
    bundle_entries(&b);
    r = store_each_row(txn, page->rows, page->n, each_match, &to, &c->err);
    if (r >= 0)
        r = store_each_row(txn, included.rows, included.n, each_included, &to, &c->err);
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
    struct search_options opt = {.index = *store_index_options(c->api->store),
                                 .world = c->api->world,
                                 .quick = c->budget != 0,
                                 .strict = c->strict};
    struct search s;
    struct page page;
    int r;

    if (audit_serves(c))
        return audit_search_events(c);
    r = search_parse(c->a, c->params, &opt, c->type, c->query, &s, &c->err);
    if (r >= 0 && c->owner)
        r = within(c, &s);
    if (r >= 0)
        store_brief(txn);
    if (r >= 0)
        r = store_search(txn, &s, c->budget, c->a, &page, &c->err);
    return r < 0 ? r : write_bundle(c, &s, txn, &page);
}
