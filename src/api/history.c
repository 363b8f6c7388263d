/* history.c - history of an instance, a type, the system (http.html#history). */
#include "api/bundle_out.h"

#include "base/clock.h"
#include "fhir/date.h"

static const char *const methods[] = {
    [METHOD_CREATE] = "POST", [METHOD_UPDATE] = "PUT", [METHOD_DELETE] = "DELETE"};
static const char *const statuses[] = {[METHOD_CREATE] = "201 Created",
                                       [METHOD_UPDATE] = "200 OK",
                                       [METHOD_DELETE] = "204 No Content"};

/* `_since` is an instant, `_at` any date or time: its whole range. */
static int read_time(struct call *c, struct str name, int64_t *ret_from, int64_t *ret_to)
{
    struct str text = call_parameter(c, name);
    struct date date;
    int r;

    if (!text.n)
        return 0;
    r = date_parse(DATE_SEARCH, text, store_index_options(c->api->store)->tz_minutes, &date,
                   &c->err);
    if (r < 0)
        return r;
    *ret_from = date.from_ms;
    *ret_to = date.to_ms;
    return 0;
}

static int read_query(struct call *c, struct history_query *q)
{
    struct str text = call_parameter(c, STR("_count"));
    int64_t ignored = 0;
    uint64_t n = SEARCH_COUNT_DEFAULT;
    int r;

    if (text.p && !str_to_u64(text, UINT32_MAX, &n))
        return err_set(&c->err, ERR_VALUE, "_count is not a whole number");
    *q = (struct history_query){.type = c->type,
                                .id = c->id,
                                .count = MIN(n, SEARCH_COUNT_MAX),
                                .cursor = call_parameter(c, STR("_cursor"))};
    r = read_time(c, STR("_since"), &q->since_ms, &ignored);
    if (r < 0)
        return r;
    return read_time(c, STR("_at"), &q->at_from_ms, &q->at_to_ms);
}

static int write_entry(struct bundle_out *b, const struct row *row)
{
    struct call *c = b->call;
    struct sb *out = &c->out;
    char when[CLOCK_INSTANT_MAX], vid[STORE_VERSION_ID_MAX];
    int r = 0;

    clock_format(hlc_ms(row->version.hlc), when);
    version_format(&row->version, vid);
    bundle_entry(b, row->type, row->id);
    if (row->method != METHOD_DELETE) {
        sb_lit(out, ",\"resource\":");
        r = call_write_row(c, row, SUMMARY_FALSE, NULL, 0);
    }
    sb_fmt(out, ",\"request\":{\"method\":\"%s\",\"url\":\"%.*s", methods[row->method],
           STR_ARG(def_resource_name(row->type)));
    if (row->method != METHOD_CREATE) {
        sb_char(out, '/');
        sb_str(out, row->id);
    }
    sb_fmt(
        out,
        "\"},\"response\":{\"status\":\"%s\",\"etag\":\"W/\\\"%s\\\"\",\"lastModified\":\"%s\"}}",
        statuses[row->method], vid, when);
    return r;
}

static int each_entry(void *ctx, const struct row *row, struct err *err)
{
    (void)err; /* it is the call's */
    return write_entry(ctx, row);
}

/* The query without its cursor, for the links. */
static struct str without_cursor(struct call *c)
{
    struct str rest = c->query, pair, out = STR("");

    while (rest.n && str_split(&rest, '&', &pair))
        if (!str_starts(pair, STR("_cursor=")) && pair.n)
            out = out.n ? arena_fmt(c->a, "%.*s&%.*s", STR_ARG(out), STR_ARG(pair)) : pair;
    return out;
}

static struct str history_path(struct call *c)
{
    struct str type = c->type ? def_resource_name(c->type) : STR("");

    if (c->id.n)
        return arena_fmt(c->a, "%.*s/%.*s/_history", STR_ARG(type), STR_ARG(c->id));
    if (c->type)
        return arena_fmt(c->a, "%.*s/_history", STR_ARG(type));
    return STR("_history");
}

int api_history(struct call *c, struct store_txn *txn)
{
    struct history_query q;
    struct bundle_out b;
    struct page page;
    struct row row;
    int r;

    r = read_query(c, &q);
    if (r < 0)
        return r;
    if (c->id.n) {
        r = store_get(txn, c->type, c->id, &row, &c->err); /* 404 for what never existed */
        if (r < 0)
            return r;
    }
    r = store_history(txn, &q, c->a, &page, &c->err);
    if (r < 0)
        return r;
    bundle_begin(&b, c, "history", page.total);
    bundle_link(&b, "self", history_path(c), without_cursor(c), q.cursor);
    if (page.next.p)
        bundle_link(&b, "next", history_path(c), without_cursor(c), page.next);
    bundle_entries(&b);
    r = store_each_row(txn, page.rows, page.n, each_entry, &b, &c->err);
    if (r < 0)
        return r;
    bundle_end(&b);
    c->status = 200;
    return sb_ok(&c->out, &c->err);
}
