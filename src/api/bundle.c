/* bundle.c - batch and transaction (http.html#transaction).
 *
 * Both run on a worker. A batch submits each write as a job of its own, all at once, so that they
 * share a commit and none undoes another. A transaction is one job: identities first (new ids,
 * conditions), then links, then everything that a write needs, then the writes in the order of the
 * specification: DELETE, POST, PUT and PATCH, GET.
 */
#include "api/bundle.h"
#include "api/negotiate.h"
#include "api/op.h"
#include "api/trail.h"

#include "base/clock.h"
#include "base/rng.h"
#include "fhir/outcome.h"

#include <stdlib.h>

/* ---- reading the entries ---- */

static enum http_method method_of(struct str s)
{
    static const struct {
        struct str name;
        enum http_method method;
    } table[] = {{STR("GET"), HTTP_GET}, {STR("HEAD"), HTTP_HEAD},   {STR("POST"), HTTP_POST},
                 {STR("PUT"), HTTP_PUT}, {STR("PATCH"), HTTP_PATCH}, {STR("DELETE"), HTTP_DELETE}};

    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (str_eq(s, table[i].name))
            return table[i].method;
    return HTTP_OTHER;
}

static const enum write_kind write_kinds[] = {[ACT_CREATE] = WRITE_CREATE,
                                              [ACT_UPDATE] = WRITE_UPDATE,
                                              [ACT_PATCH] = WRITE_PATCH,
                                              [ACT_DELETE] = WRITE_DELETE};

static bool is_write(enum api_action action)
{
    return action == ACT_CREATE || action == ACT_UPDATE || action == ACT_PATCH ||
           action == ACT_DELETE;
}

static enum entry_order order_of(enum api_action action)
{
    switch (action) {
    case ACT_DELETE: return ORDER_DELETE;
    case ACT_CREATE: return ORDER_POST;
    case ACT_UPDATE:
    case ACT_PATCH: return ORDER_PUT;
    default: return ORDER_GET;
    }
}

/* A FHIRPath Patch stands in a bundle as it is, a JSON Patch as a Binary whose data is the patch in
 * base 64. */
static int unwrap_patch(struct entry *e)
{
    struct call *c = &e->call;
    struct str data = js_get_str(c->resource, "data");

    if (str_eq(js_get_str(c->resource, "resourceType"), STR("Parameters"))) {
        c->content_type = STR("application/fhir+json");
        return 0;
    }
    if (!str_eq(js_get_str(c->resource, "resourceType"), STR("Binary")) || !data.p)
        return err_set(&c->err, ERR_INVALID,
                       "a PATCH in a Bundle needs Parameters, or a Binary with the patch as data");
    c->content_type = js_get_str(c->resource, "contentType");
    if (!media_is_json(c->content_type))
        c->content_type = STR("application/json-patch+json");
    c->resource = NULL;
    c->body = b64_decode(c->a, data);
    return c->body.p ? 0 : err_set(&c->err, ERR_INVALID, "the Binary's data is not base 64");
}

static int read_entry(struct bundle *b, struct entry *e, yyjson_val *v)
{
    struct call *c = &e->call, *parent = b->call;
    yyjson_val *request = js_get(v, "request");
    struct str url = js_get_str(request, "url");
    enum http_method method = method_of(js_get_str(request, "method"));
    ptrdiff_t mark;
    int r;

    *c = (struct call){.api = parent->api,
                       .a = parent->a,
                       .who = parent->who,
                       .params = parent->params,
                       .base = parent->base,
                       .prefer = parent->prefer,
                       .strict = parent->strict,
                       .out = sb_make(API_REPLY_MAX)};
    if (parent->trail)
        c->trail = trail_inner(parent->trail, c);
    e->full_url = js_get_str(v, "fullUrl");
    c->resource = js_get(v, "resource");
    if (!yyjson_is_obj(request) || method == HTTP_OTHER || !url.p)
        return err_set(&c->err, ERR_REQUIRED, "the entry needs a request with method and url");
    if (c->base.n && str_starts(url, c->base))
        url = str_from(url, c->base.n);
    mark = str_find(url, '?');
    if (mark >= 0) {
        c->query = str_from(url, (size_t)mark + 1);
        url = str_head(url, (size_t)mark);
    }
    c->if_match = js_get_str(request, "ifMatch");
    c->if_none_match = js_get_str(request, "ifNoneMatch");
    c->if_none_exist = js_get_str(request, "ifNoneExist");
    r = dispatch(c, method, url);
    if (r < 0)
        return r;
    if (c->row->action >= ACT_BUNDLE || (c->op && c->op->change))
        return err_set(&c->err, ERR_NOT_SUPPORTED, "this request cannot stand in a Bundle");
    e->order = order_of(c->row->action);
    if (!is_write(c->row->action))
        return 0;
    if (c->row->action != ACT_DELETE && !yyjson_is_obj(c->resource))
        return err_set(&c->err, ERR_REQUIRED, "the entry needs a resource");
    if (c->row->action == ACT_PATCH && (r = unwrap_patch(e)) < 0)
        return r;
    r = write_init(&e->write, c, write_kinds[c->row->action]);
    e->is_write = r >= 0;
    return r;
}

static int read_entries(struct bundle *b, yyjson_val *root)
{
    struct call *c = b->call;
    yyjson_val *entries = js_get(root, "entry"), *v;
    size_t i, max;

    b->n = yyjson_arr_size(entries);
    if (b->n > API_BUNDLE_ENTRIES_MAX)
        return err_at(&c->err, ERR_TOO_LONG, "Bundle.entry",
                      "a Bundle may have %d entries, this has %zu", API_BUNDLE_ENTRIES_MAX, b->n);
    b->entries = ARENA_ARRAY(c->a, struct entry, b->n);
    b->in_order = ARENA_ARRAY(c->a, struct entry *, b->n);
    if (!b->entries || !b->in_order)
        return err_no_memory(&c->err);
    yyjson_arr_foreach(entries, i, max, v) {
        struct entry *e = &b->entries[i];
        e->result = read_entry(b, e, v);
        if (e->result < 0 && b->is_transaction)
            return bundle_entry_failed(b, e);
    }
    i = 0;
    for (enum entry_order order = ORDER_DELETE; order <= ORDER_GET; order++)
        for (size_t k = 0; k < b->n; k++)
            if (b->entries[k].order == order)
                b->in_order[i++] = &b->entries[k];
    return 0;
}

int bundle_entry_failed(struct bundle *b, struct entry *e)
{
    struct call *c = b->call;
    struct err inner = e->call.err;
    struct str where = arena_fmt(c->a, "Bundle.entry[%zu]%s%s", (size_t)(e - b->entries),
                                 inner.where[0] ? "." : "", inner.where);
    char text[ERR_WHERE_MAX];

    snprintf(text, sizeof text, "%.*s", STR_ARG(where));
    c->issues = e->call.issues;
    return err_at(&c->err, inner.code, text, "%s", inner.text);
}

/* ---- running a read inside ---- */

int bundle_run_read(struct entry *e, struct store_txn *txn)
{
    switch (e->call.row->action) {
    case ACT_READ: return api_read(&e->call, txn);
    case ACT_VREAD: return api_vread(&e->call, txn);
    case ACT_SEARCH: return api_search(&e->call, txn);
    case ACT_HISTORY: return api_history(&e->call, txn);
    case ACT_CAPABILITIES: return api_capabilities(&e->call, txn);
    case ACT_OPERATION: return e->call.op->run(&e->call, txn);
    default:
        return err_set(&e->call.err, ERR_NOT_SUPPORTED, "this request cannot stand in a Bundle");
    }
}

/* ---- answering ---- */

static const char *reason(int status)
{
    switch (status) {
    case 200: return "200 OK";
    case 201: return "201 Created";
    case 204: return "204 No Content";
    case 304: return "304 Not Modified";
    default: return NULL;
    }
}

static void write_response(struct bundle *b, struct entry *e)
{
    struct call *c = &e->call;
    struct sb *out = &b->call->out;
    bool failed = e->result < 0;
    char text[CLOCK_INSTANT_MAX], vid[STORE_VERSION_ID_MAX];

    sb_char(out, '{');
    if (!failed && c->out.n) {
        sb_lit(out, "\"resource\":");
        sb_str(out, sb_view(&c->out));
        sb_char(out, ',');
    }
    sb_lit(out, "\"response\":{\"status\":\"");
    if (reason(c->status))
        sb_str(out, str_c(reason(c->status)));
    else
        sb_i64(out, c->status);
    sb_char(out, '"');
    if (c->location.n) {
        sb_lit(out, ",\"location\":");
        sb_json(out, c->location);
    }
    if (c->version.hlc && !failed) {
        version_format(&c->version, vid);
        clock_format(hlc_ms(c->version.hlc), text);
        sb_fmt(out, ",\"etag\":\"W/\\\"%s\\\"\",\"lastModified\":\"%s\"", vid, text);
    }
    if (failed && c->out.n) {
        sb_lit(out, ",\"outcome\":");
        sb_str(out, sb_view(&c->out));
    }
    sb_lit(out, "}}");
    out->failed |= c->out.failed;
    sb_done(&c->out);
}

static int write_answer(struct bundle *b)
{
    struct call *c = b->call;
    char id[UUID_TEXT_LEN + 1];

    uuid7(id);
    sb_fmt(&c->out, "{\"resourceType\":\"Bundle\",\"id\":\"%s\",\"type\":\"%s\"", id,
           b->is_transaction ? "transaction-response" : "batch-response");
    for (size_t i = 0; i < b->n; i++) {
        sb_str(&c->out, i ? STR(",") : STR(",\"entry\":["));
        write_response(b, &b->entries[i]);
    }
    sb_str(&c->out, b->n ? STR("]}") : STR("}"));
    c->status = 200;
    return sb_ok(&c->out, &c->err);
}

/* After its work: the entry's own status and body. In a bundle a resource comes back only on
 * Prefer: return=representation. */
void bundle_settle(struct entry *e, int r)
{
    struct call *c = &e->call;

    e->result = r;
    if (r >= 0 && e->is_write) {
        if (c->prefer == RETURN_DEFAULT)
            c->prefer = RETURN_MINIMAL;
        e->result = call_reply_write(c, &e->write);
    }
    if (e->result < 0)
        call_fail(c);
}

/* ---- batch ---- */

struct batch_job {
    struct store_job job;
    struct entry *entry;
    struct waiter *waiter;
};

static int batch_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct entry *e = ((struct batch_job *)job)->entry;
    int r = write_apply(&e->write, txn);

    if (r < 0)
        *err = e->call.err;
    return r;
}

static void batch_done(struct store_job *job, int r, const struct err *err)
{
    struct batch_job *bj = (struct batch_job *)job;

    if (r < 0)
        bj->entry->call.err = *err;
    bj->entry->result = r;
    waiter_finish(bj->waiter);
}

static int run_batch(struct bundle *b)
{
    struct call *c = b->call;
    struct batch_job *jobs = ARENA_ARRAY(c->a, struct batch_job, b->n);
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct waiter waiter;
    size_t n_jobs = 0;
    int r;

    if (!jobs)
        return err_no_memory(&c->err);
    for (size_t i = 0; i < b->n; i++) {
        struct entry *e = b->in_order[i];
        if (e->result >= 0 && e->is_write)
            e->result = write_prepare(&e->write);
        if (e->result >= 0 && e->is_write)
            jobs[n_jobs++] =
                (struct batch_job){.job = {.run = batch_run, .done = batch_done, .who = &c->who},
                                   .entry = e,
                                   .waiter = &waiter};
    }
    waiter_init(&waiter, n_jobs);
    for (size_t i = 0; i < n_jobs; i++)
        store_submit(c->api->store, &jobs[i].job);
    waiter_wait(&waiter);
    r = store_begin(c->api->store, &c->who, &txn, &c->err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < b->n; i++) {
        struct entry *e = b->in_order[i];
        if (e->result >= 0 && !e->is_write)
            e->result = bundle_run_read(e, txn);
        bundle_settle(e, e->result);
    }
    return 0;
}

/* ---- the whole ---- */

void bundle_done(struct bundle *b)
{
    for (size_t i = 0; b->entries && i < b->n; i++) {
        sb_done(&b->entries[i].call.out);
        if (b->entries[i].is_write)
            write_done(&b->entries[i].write);
    }
}

int bundle_run(struct bundle *b)
{
    struct call *c = b->call;
    yyjson_val *root = c->resource;
    struct str type;
    int r;

    if (!root && (r = js_parse(c->a, c->body, &root, &c->err)) < 0)
        return r;
    if (!str_eq(js_get_str(root, "resourceType"), STR("Bundle")))
        return err_at(&c->err, ERR_INVALID, "resourceType", "the base URL takes only a Bundle");
    type = js_get_str(root, "type");
    b->is_transaction = str_eq(type, STR("transaction"));
    if (!b->is_transaction && !str_eq(type, STR("batch")))
        return err_at(&c->err, ERR_INVALID, "Bundle.type",
                      "the base URL takes a Bundle of type batch or transaction");
    if (c->trail)
        c->trail->interaction = b->is_transaction ? AUDIT_TRANSACTION : AUDIT_BATCH;
    r = read_entries(b, root);
    if (r < 0)
        return r;
    return b->is_transaction ? bundle_transaction(b) : run_batch(b);
}

int api_bundle_run(struct call *c)
{
    _cleanup_(bundle_done) struct bundle b = {.call = c};
    int r = bundle_run(&b);

    return r < 0 ? r : write_answer(&b);
}
