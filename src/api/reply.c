/* reply.c - from a call's result to status, headers' values and body. */
#include "api/trail.h"

#include "base/log.h"
#include "fhir/outcome.h"
#include "fhir/subset.h"

int call_fail(struct call *c)
{
    int code = c->err.code < 0 ? c->err.code : ERR_INTERNAL;

    c->status = err_http_status(code);
    sb_reset(&c->out);
    if (c->status >= 500)
        log_err(LOG_ERROR, LOG_REQUEST_FAILED, &c->err);
    if (code == ERR_PROCESSING && c->issues.n_errors)
        outcome_issues(&c->out, &c->issues);
    else
        outcome_err(&c->out, &c->err);
    c->location = STR_NULL;
    return 0;
}

int call_write_whole(struct call *c, const struct row *row, struct sb *out)
{
    size_t at = out->n;
    int r = row_json(c->api->store, row, out, &c->err);

    if (r >= 0)
        trail_saw_text(c, row, str_from(sb_view(out), at));
    return r;
}

/* Rows whose text is wanted whole go out as they are stored; only a reduced or indented one is
 * parsed. */
int call_write_row(struct call *c, const struct row *row, enum search_summary summary,
                   const struct str *elements, size_t n_elements)
{
    struct subset subset = {.summary = summary, .elements = elements, .n_elements = n_elements};
    _cleanup_(sb_done) struct sb text = sb_make(API_REPLY_MAX);
    yyjson_val *root;
    int r;

    if (subset_is_all(&subset))
        return call_write_whole(c, row, &c->out);
    r = row_json(c->api->store, row, &text, &c->err);
    if (r < 0)
        return r;
    r = js_parse_stored(c->a, sb_view(&text), &root, &c->err);
    if (r < 0)
        return r;
    trail_saw(c, row->type, row->id, root);
    subset_write(&c->out, &subset, root);
    return sb_ok(&c->out, &c->err);
}

/* _summary and _elements of a read. */
static int read_subset(struct call *c, enum search_summary *ret, struct str **ret_elements,
                       size_t *ret_n)
{
    static const struct {
        struct str name;
        enum search_summary value;
    } names[] = {{STR("true"), SUMMARY_TRUE},
                 {STR("text"), SUMMARY_TEXT},
                 {STR("data"), SUMMARY_DATA},
                 {STR("false"), SUMMARY_FALSE}};
    struct str text = call_parameter(c, STR("_summary")), part;
    size_t i;

    if (text.p) {
        for (i = 0; i < ARRAY_LEN(names) && !str_eq(text, names[i].name); i++)
            ;
        if (i == ARRAY_LEN(names))
            return err_set(&c->err, ERR_VALUE, "_summary of a read is true, text, data or false");
        *ret = names[i].value;
    }
    text = call_parameter(c, STR("_elements"));
    if (!text.n)
        return 0;
    *ret_elements = ARENA_ARRAY(c->a, struct str, SEARCH_CLAUSES_MAX);
    if (!*ret_elements)
        return err_no_memory(&c->err);
    while (str_split(&text, ',', &part)) {
        if (*ret_n == SEARCH_CLAUSES_MAX)
            return err_set(&c->err, ERR_COSTLY, "_elements names more than %d elements",
                           SEARCH_CLAUSES_MAX);
        (*ret_elements)[(*ret_n)++] = part;
    }
    return 0;
}

int call_reply_resource(struct call *c, const struct row *row)
{
    enum search_summary summary = SUMMARY_FALSE;
    struct str *elements = NULL;
    size_t n = 0;
    int r;

    if (!c->query.n)
        return call_write_whole(c, row, &c->out);
    r = read_subset(c, &summary, &elements, &n);
    return r < 0 ? r : call_write_row(c, row, summary, elements, n);
}

static int write_outcome(struct call *c, const struct write *w)
{
    static const char *const said[] = {[WRITE_NOTHING] = "nothing was changed",
                                       [WRITE_CREATED] = "the resource was created",
                                       [WRITE_UPDATED] = "the resource was updated",
                                       [WRITE_DELETED] = "the resource was deleted"};

    static const char expunged[] = "all versions of the resource were removed for good";

    if (c->issues.n)
        outcome_issues(&c->out, &c->issues); /* what it fell short of, and passed with */
    else
        outcome_one(&c->out, ISSUE_INFORMATION, "informational",
                    str_c(w->kind == WRITE_EXPUNGE ? expunged : said[w->result]), STR_NULL,
                    STR_NULL);
    return sb_ok(&c->out, &c->err);
}

int call_reply_write(struct call *c, struct write *w)
{
    static const int statuses[] = {
        [WRITE_NOTHING] = 200, [WRITE_CREATED] = 201, [WRITE_UPDATED] = 200, [WRITE_DELETED] = 204};
    struct row row = {
        .type = w->type, .id = w->id, .version = w->version, .sealed = sb_view(&w->sealed)};

    c->status = statuses[w->result];
    if (w->kind == WRITE_DELETE || w->kind == WRITE_EXPUNGE) {
        c->status = c->prefer == RETURN_OUTCOME || w->kind == WRITE_EXPUNGE ? 200 : 204;
        return c->status == 200 ? write_outcome(c, w) : 0;
    }
    c->version = w->version;
    c->location = call_url(c, w->type, w->id, &w->version);
    if (!c->location.p)
        return err_no_memory(&c->err);
    if (c->prefer == RETURN_MINIMAL)
        return 0;
    if (c->prefer == RETURN_OUTCOME)
        return write_outcome(c, w);
    return row_json(c->api->store, &row, &c->out, &c->err);
}
