/* handle.c - between an HTTP exchange and a call: headers in, headers out, and on which thread. */
#include "api/async.h"
#include "api/conformance.h"
#include "api/negotiate.h"
#include "api/op.h"
#include "api/trail.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "fhir/outcome.h"

#include <ctype.h>
#include <stdlib.h>

/* What one exchange needs, in its own arena; a read needs only the first. */
struct exchange_call {
    struct call call;
    struct exchange_write *write;
    struct sb body_json; /* of a body in XML */
    bool on_worker;
    int64_t started_us;
    struct str request_id; /* the client's, or ours where the audit log wants one; or STR_NULL */
    struct trail_end end;
};

struct exchange_write {
    struct store_job job; /* first: the store hands it back */
    struct write write;
    struct exchange_call *ec;
};

#define ERROR_BODY_MAX KIB(64) /* an outcome, and the memory to write it as XML */

static const char json_type[] = "application/fhir+json;charset=utf-8";
static const char xml_type[] = "application/fhir+xml;charset=utf-8";

/* ---- headers out ---- */

static void send_version(struct call *c)
{
    char tag[STORE_VERSION_ID_MAX + 8] = "W/\"", when[CLOCK_INSTANT_MAX];

    version_format(&c->version, tag + 3);
    strncat(tag, "\"", 2);
    http_reply_header(c->x, "ETag", str_c(tag));
    clock_format_http(hlc_ms(c->version.hlc), when);
    http_reply_header(c->x, "Last-Modified", str_c(when));
}

static void send_cors(struct call *c)
{
    struct str origin = c->api->config.cors_origin;

    if (!origin.n || !http_header(c->x, "Origin").n)
        return;
    http_reply_header(c->x, "Access-Control-Allow-Origin", origin);
    http_reply_header(c->x, "Access-Control-Expose-Headers",
                      STR("ETag, Location, Last-Modified, Content-Location, WWW-Authenticate, "
                          "X-Request-Id"));
    if (!str_eq(origin, STR("*")))
        http_reply_header(c->x, "Vary", STR("Origin"));
}

static void send_location(struct call *c)
{
    struct str url = arena_join(c->a, (const struct str[]){c->base, STR("/"), c->location}, 3);
    /* A conditional create that found its resource says where it is, too. */
    bool is_create = c->status == 201 || (c->row && c->row->action == ACT_CREATE);

    if (url.p)
        http_reply_header(c->x, is_create ? "Location" : "Content-Location", url);
}

static void make_pretty(struct call *c)
{
    struct sb pretty = sb_make(API_REPLY_MAX);
    yyjson_val *root;

    if (js_parse_stored(c->a, sb_view(&c->out), &root, NULL) < 0)
        return;
    js_write_pretty(&pretty, root);
    sb_char(&pretty, '\n');
    if (pretty.failed) {
        sb_done(&pretty);
        return;
    }
    sb_done(&c->out);
    c->out = pretty;
}

static void count(struct call *c)
{
    size_t n_rows, at;
    const struct api_row *rows = dispatch_rows(&n_rows);

    at = c->row ? (size_t)(c->row - rows) : n_rows;
    atomic_fetch_add_explicit(&c->api->counts[at * API_CLASSES + (size_t)(c->status / 100)], 1,
                              memory_order_relaxed);
}

/* An id that may stand in a log and a header as it is. */
static bool is_tidy_id(struct str s)
{
    if (!s.n || s.n > API_REQUEST_ID_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!isalnum((unsigned char)s.p[i]) && !strchr("-_.:/+", s.p[i]))
            return false;
    return true;
}

static struct str make_id(struct call *c)
{
    uint64_t random;

    rng_small(&random, sizeof random);
    return arena_fmt(c->a, "%016llx", (unsigned long long)random);
}

/* The client's id of the request comes back; an error has one in any case, to be found in the log,
 * and so has what is audited.
 */
static void send_request_id(struct exchange_call *ec)
{
    struct call *c = &ec->call;
    struct str id = ec->request_id;
    enum log_level level = c->status >= 500 ? LOG_WARN : LOG_DEBUG;

    if (!id.n && c->status >= 400)
        id = make_id(c);
    if (id.n)
        http_reply_header(c->x, "X-Request-Id", id);
    if (!log_is_on(level))
        return;
    log_event(level, LOG_REQUEST, "method=%.*s interaction=%s status=%d ms=%.3f bytes=%zu id=%.*s",
              STR_ARG(http_request(c->x)->method_name), c->row ? c->row->name : "none", c->status,
              (double)(clock_mono_us() - ec->started_us) / 1e3, c->out.n, (int)id.n,
              id.n ? id.p : "");
}

/* The body in its last form, and its type; NULL where the interaction gave it one of its own. */
static const char *shape_body(struct call *c)
{
    if (!c->out.n)
        return NULL;
    if (c->type_out.n) {
        http_reply_header(c->x, "Content-Type", c->type_out);
        return NULL;
    }
    if (c->xml)
        call_out_to_xml(c);
    if (!c->xml && c->pretty)
        make_pretty(c);
    return c->xml ? xml_type : json_type;
}

static void audited(void *x, const struct err *err)
{
    http_release(x, err);
}

/* The reply leaves once what it shows is in the audit log; what cannot be written there is not
 * shown. */
static void hold_for_audit(struct exchange_call *ec)
{
    struct call *c = &ec->call;
    struct err err = {0};
    int r = c->trail ? trail_prepare(c, &err) : 0;

    if (r == 0)
        return;
    http_hold(c->x);
    ec->end.done = audited;
    ec->end.ctx = c->x;
    if (r < 0)
        audited(c->x, &err);
    else
        trail_submit(c, &ec->end);
}

static void send_reply(struct exchange_call *ec)
{
    struct call *c = &ec->call;
    const char *type = shape_body(c);

    if (c->version.hlc && c->status < 400)
        send_version(c);
    if (c->location.n)
        send_location(c);
    if (type)
        http_reply_header(c->x, "Vary", STR("Accept"));
    send_cors(c);
    if (c->status == 503 || c->status == 429)
        http_reply_header(c->x, "Retry-After", STR("1"));
    if (c->status == 507) /* somebody has to make room */
        http_reply_header(c->x, "Retry-After", STR("60"));
    if (c->status == 403 && c->who.kind == ACCESS_GRANTED)
        http_reply_header(c->x, "WWW-Authenticate", STR("Bearer error=\"insufficient_scope\""));
    send_request_id(ec);
    count(c);
    params_unref(c->params);
    hold_for_audit(ec);
    identity_unref(c->who.identity);
    http_reply(c->x, c->status, type, &c->out);
}

static void send_on_worker(void *ctx, struct http_exchange *x)
{
    (void)x;
    send_reply(ctx);
}

static void finish(struct exchange_call *ec, int r)
{
    struct call *c = &ec->call;

    if (r == ERR_NO_MEMORY && c->a->starved)
        err_set(&c->err, ERR_BUSY, "the node's memory for requests is used up; try again later");
    if (r < 0)
        call_fail(c);
    if (c->out.failed) {
        err_no_memory(&c->err);
        call_fail(c);
    }
    if (ec->write)
        write_done(&ec->write->write);
    sb_done(&ec->body_json);
    /* A write ends on the store's thread, which has others to serve. With no room in the queue it
     * is done here: what has been written is answered. */
    if (c->xml && c->out.n && !c->type_out.n && !ec->on_worker &&
        (ec->write || c->out.n > API_INLINE_XML_MAX) && http_work(c->x, send_on_worker, ec))
        return;
    send_reply(ec);
}

/* ---- headers in ---- */

static void read_prefer(struct call *c, struct str prefer)
{
    struct str part;

    while (prefer.n && str_split(&prefer, ',', &part)) {
        struct str rest = part, item;
        while (rest.n && str_split(&rest, ';', &item)) {
            item = str_trim(item);
            if (str_eq(item, STR("return=minimal")))
                c->prefer = RETURN_MINIMAL;
            else if (str_eq(item, STR("return=representation")))
                c->prefer = RETURN_REPRESENTATION;
            else if (str_eq(item, STR("return=OperationOutcome")))
                c->prefer = RETURN_OUTCOME;
            else if (str_eq(item, STR("handling=strict")))
                c->strict = true;
            else if (str_eq(item, STR("respond-async")))
                c->later = true;
        }
    }
}

/* The base URL that links start with: configured, or what the client called. */
static struct str find_base(struct call *c)
{
    const struct api_config *config = &c->api->config;
    struct str host = http_header(c->x, "Host"), proto, forwarded, prefix = STR("");

    if (config->base_url.n)
        return config->base_url;
    proto = http_request(c->x)->is_tls ? STR("https") : STR("http");
    if (config->trust_proxy) {
        forwarded = http_header(c->x, "X-Forwarded-Host");
        host = forwarded.n ? forwarded : host;
        forwarded = http_header(c->x, "X-Forwarded-Proto");
        proto = forwarded.n ? forwarded : proto;
        prefix = http_header(c->x, "X-Forwarded-Prefix");
    }
    for (size_t i = 0; i < host.n; i++)
        if (host.p[i] <= ' ' || strchr("\"<>\\^`{}|/?#", host.p[i]))
            host = STR("localhost");
    if (!host.n)
        host = STR("localhost");
    return arena_join(c->a, (const struct str[]){proto, STR("://"), host, prefix, STR("/fhir")}, 5);
}

struct str api_address(const struct api_config *config, struct http_exchange *x)
{
    struct str forwarded = http_header(x, "X-Forwarded-For");

    if (!config->trust_proxy || !forwarded.n)
        return http_peer(x);
    return str_trim(str_from(forwarded, (size_t)(str_rfind(forwarded, ',') + 1)));
}

/* False when memory is short. */
static bool begin_trail(struct exchange_call *ec)
{
    struct call *c = &ec->call;

    if (!c->api->audit)
        return true;
    if (!ec->request_id.n)
        ec->request_id = make_id(c);
    c->trail = trail_new(c, api_address(&c->api->config, c->x), ec->request_id);
    if (c->trail)
        c->trail->target = http_request(c->x)->path;
    return c->trail;
}

static struct exchange_call *begin(struct api *api, struct http_exchange *x, struct access who)
{
    struct exchange_call *ec = arena_alloc(http_arena(x), sizeof *ec);
    const struct http_request *req = http_request(x);
    struct call *c = &ec->call;

    if (!ec)
        return NULL;
    ec->write = NULL;
    ec->body_json = sb_make(STORE_BODY_MAX);
    ec->on_worker = false;
    *c = (struct call){.api = api,
                       .a = http_arena(x),
                       .who = who,
                       .x = x,
                       .query = req->query,
                       .body = req->body,
                       .out = sb_make(API_REPLY_MAX)};
    ec->started_us = clock_mono_us();
    ec->request_id = http_header(x, "X-Request-Id");
    if (!is_tidy_id(ec->request_id))
        ec->request_id = STR_NULL;
    if (!begin_trail(ec))
        return NULL;
    c->params = store_params(api->store);
    c->base = find_base(c);
    c->budget = API_INLINE_SEARCH_BUDGET;
    read_prefer(c, http_header(x, "Prefer"));
    c->if_none_match = http_header(x, "If-None-Match");
    c->if_modified_since = http_header(x, "If-Modified-Since");
    if (req->method != HTTP_GET) {
        c->content_type = http_header(x, "Content-Type");
        c->if_match = http_header(x, "If-Match");
        c->if_none_exist = http_header(x, "If-None-Exist");
        c->security_context = http_header(x, "X-Security-Context");
    }
    c->pretty = c->query.n && str_eq(call_parameter(c, STR("_pretty")), STR("true"));
    return ec;
}

/* ---- reading interactions ---- */

int call_run_read(struct call *c)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    int r = store_begin(c->api->store, &c->who, &txn, &c->err);

    if (r < 0)
        return r;
    if (c->api->config.search_seconds)
        store_deadline(txn, clock_mono_us() + c->api->config.search_seconds * INT64_C(1000000));
    switch (c->row->action) {
    case ACT_READ: r = api_read(c, txn); break;
    case ACT_VREAD: r = api_vread(c, txn); break;
    case ACT_SEARCH: r = api_search(c, txn); break;
    case ACT_HISTORY: r = api_history(c, txn); break;
    case ACT_OPERATION: r = c->op->run(c, txn); break;
    default: r = api_capabilities(c, txn);
    }
    if (r >= 0 && c->raw_accept && c->out.n && c->status == 200)
        r = binary_unwrap(c);
    return r;
}

static void submit_here(void *ctx, struct http_exchange *x)
{
    struct exchange_call *ec = ctx;

    (void)x;
    finish(ec, async_submit(&ec->call));
}

/* Prefer: respond-async. A long body is copied by a worker. */
static void handle_later(struct exchange_call *ec)
{
    struct call *c = &ec->call;

    if (c->body.n <= API_INLINE_BODY_MAX)
        submit_here(ec, c->x);
    else if (!http_work(c->x, submit_here, ec))
        finish(ec, err_set(&c->err, ERR_BUSY, "the node has more work queued than it can take"));
}

static bool may_be_later(const struct call *c)
{
    enum api_action action = c->row->action;

    return c->later && !c->head &&
           (action == ACT_SEARCH || action == ACT_HISTORY || action == ACT_BUNDLE ||
            action == ACT_OPERATION);
}

/* The parameters of a POST _search stand in its body, and in the URL as well. */
static int read_form(struct call *c)
{
    if (c->body.n && !media_is_form(c->content_type))
        return err_set(&c->err, ERR_MEDIA_TYPE,
                       "_search takes its parameters as application/x-www-form-urlencoded");
    c->query = c->query.n && c->body.n
                   ? arena_fmt(c->a, "%.*s&%.*s", STR_ARG(c->query), STR_ARG(c->body))
               : c->body.n ? c->body
                           : c->query;
    if (!c->query.p && c->body.n)
        return err_no_memory(&c->err);
    c->pretty = c->query.n && str_eq(call_parameter(c, STR("_pretty")), STR("true"));
    return negotiate_reply(c, http_header(c->x, "Accept"));
}

static int run_here(struct call *c)
{
    switch (c->row->action) {
    case ACT_ASYNC_STATUS: return async_status(c);
    case ACT_ASYNC_CANCEL: return async_cancel(c);
    default: return call_run_read(c);
    }
}

static void read_on_worker(void *ctx, struct http_exchange *x)
{
    struct exchange_call *ec = ctx;

    (void)x;
    ec->on_worker = true;
    ec->call.budget = 0;
    finish(ec, run_here(&ec->call));
}

/* More work than an event loop may do: (again) on a worker, without a budget. */
static void run_on_worker(struct exchange_call *ec)
{
    struct call *c = &ec->call;

    sb_reset(&c->out);
    c->err.code = 0;
    if (!http_work(c->x, read_on_worker, ec))
        finish(ec, err_set(&c->err, ERR_BUSY, "the node has more work queued than it can take"));
}

/* Those that are quick run here, unless they find that they are not (ERR_BUSY). */
static void handle_operation(struct exchange_call *ec)
{
    struct call *c = &ec->call;
    int r = ERR_BUSY;

    if (c->body.n && !media_is_json(c->content_type) && !media_is(c->content_type, c->op->media)) {
        finish(ec, err_set(&c->err, ERR_MEDIA_TYPE,
                           "an operation takes its parameters as application/fhir+json or "
                           "application/fhir+xml"));
        return;
    }
    if (may_be_later(c)) {
        handle_later(ec);
        return;
    }
    if (c->op->quick && c->body.n <= API_INLINE_BODY_MAX)
        r = call_run_read(c);
    if (r == ERR_BUSY) {
        run_on_worker(ec);
        return;
    }
    finish(ec, r);
}

static void handle_read(struct exchange_call *ec)
{
    struct call *c = &ec->call;
    int r = c->row->action == ACT_SEARCH && c->row->method == HTTP_POST ? read_form(c) : 0;

    if (r < 0) {
        finish(ec, r);
        return;
    }
    if (may_be_later(c)) {
        handle_later(ec);
        return;
    }
    r = run_here(c);
    if (r == ERR_BUSY && c->budget)
        run_on_worker(ec);
    else
        finish(ec, r);
}

/* ---- writing interactions ---- */

static int job_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct exchange_write *ew = (struct exchange_write *)job;
    int r = write_apply(&ew->write, txn);

    if (r < 0)
        *err = ew->ec->call.err;
    return r;
}

static void job_done(struct store_job *job, int r, const struct err *err)
{
    struct exchange_call *ec = ((struct exchange_write *)job)->ec;

    if (r < 0)
        ec->call.err = *err;
    else
        r = ec->call.op && ec->call.op->reply ? ec->call.op->reply(&ec->call, &ec->write->write)
                                              : call_reply_write(&ec->call, &ec->write->write);
    finish(ec, r);
}

/* Prepares on this thread and hands over to the writer. The exchange is deferred already. */
static void write_here(void *ctx, struct http_exchange *x)
{
    struct exchange_call *ec = ctx;
    int r = write_prepare(&ec->write->write);

    (void)x;
    if (r < 0) {
        finish(ec, r);
        return;
    }
    ec->write->job = (struct store_job){.run = job_run, .done = job_done, .who = &ec->call.who};
    store_submit(ec->call.api->store, &ec->write->job);
}

static int check_media(struct call *c, enum write_kind kind)
{
    bool is_binary = str_eq(def_resource_name(c->type), STR("Binary"));

    if (kind == WRITE_DELETE || kind == WRITE_EXPUNGE)
        return 0;
    if (kind == WRITE_PATCH && !c->op)
        return media_is_json_patch(c->content_type) || media_is_json(c->content_type)
                   ? 0
                   : err_set(&c->err, ERR_MEDIA_TYPE,
                             "PATCH takes application/json-patch+json, or Parameters as "
                             "application/fhir+json or application/fhir+xml");
    if (media_is_json(c->content_type))
        return 0;
    if (is_binary)
        return binary_wrap(c);
    return err_set(&c->err, ERR_MEDIA_TYPE,
                   "the Content-Type is \"%.*s\" where application/fhir+json or "
                   "application/fhir+xml is expected",
                   (int)MIN(c->content_type.n, 64u), c->content_type.n ? c->content_type.p : "");
}

static int begin_write(struct exchange_call *ec, enum write_kind kind)
{
    struct exchange_write *ew = ARENA_NEW(ec->call.a, struct exchange_write);

    if (!ew)
        return err_no_memory(&ec->call.err);
    ew->ec = ec;
    ec->write = ew;
    return write_init(&ew->write, &ec->call, kind);
}

static void handle_write(struct exchange_call *ec)
{
    static const enum write_kind kinds[] = {
        [ACT_CREATE] = WRITE_CREATE, [ACT_UPDATE] = WRITE_UPDATE,   [ACT_PATCH] = WRITE_PATCH,
        [ACT_DELETE] = WRITE_DELETE, [ACT_OPERATION] = WRITE_PATCH, [ACT_EXPUNGE] = WRITE_EXPUNGE};
    struct call *c = &ec->call;
    enum write_kind kind = kinds[c->row->action];
    int r = check_media(c, kind);

    if (r >= 0 && kind == WRITE_EXPUNGE && !c->api->config.allow_expunge)
        r = err_set(&c->err, ERR_FORBIDDEN, "$expunge is switched off on this node");
    if (r >= 0)
        r = begin_write(ec, kind);
    if (r < 0) {
        finish(ec, r);
        return;
    }
    /* Profiles take longer than an event loop may be held up. */
    if (c->body.n + c->raw.n > API_INLINE_BODY_MAX ||
        conformance_mode_of(c->api->conformance, c->type) != CONFORMANCE_OFF) {
        if (!http_work(c->x, write_here, ec))
            finish(ec,
                   err_set(&c->err, ERR_BUSY, "the node has more work queued than it can take"));
        return;
    }
    http_defer(c->x);
    write_here(ec, c->x);
}

static void bundle_on_worker(void *ctx, struct http_exchange *x)
{
    struct exchange_call *ec = ctx;

    (void)x;
    ec->on_worker = true;
    finish(ec, api_bundle_run(&ec->call));
}

static void handle_bundle(struct exchange_call *ec)
{
    struct call *c = &ec->call;

    if (!media_is_json(c->content_type))
        finish(ec, err_set(&c->err, ERR_MEDIA_TYPE,
                           "the base URL takes application/fhir+json or "
                           "application/fhir+xml"));
    else if (may_be_later(c))
        handle_later(ec);
    else if (!http_work(c->x, bundle_on_worker, ec))
        finish(ec, err_set(&c->err, ERR_BUSY, "the node has more work queued than it can take"));
}

/* ---- the entrance ---- */

static void handle_options(struct exchange_call *ec)
{
    struct call *c = &ec->call;

    http_reply_header(c->x, "Allow", STR("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
    if (c->api->config.cors_origin.n) {
        http_reply_header(c->x, "Access-Control-Allow-Methods",
                          STR("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
        http_reply_header(
            c->x, "Access-Control-Allow-Headers",
            STR("Accept, Authorization, Content-Type, DPoP, If-Match, If-Modified-Since, "
                "If-None-Exist, If-None-Match, Prefer, X-Request-Id"));
        http_reply_header(c->x, "Access-Control-Max-Age", STR("86400"));
    }
    c->status = 204;
    finish(ec, 0);
}

static void route(struct exchange_call *ec)
{
    switch (ec->call.row->action) {
    case ACT_BUNDLE: handle_bundle(ec); break;
    case ACT_CREATE:
    case ACT_UPDATE:
    case ACT_PATCH:
    case ACT_DELETE:
    case ACT_EXPUNGE: handle_write(ec); break;
    case ACT_OPERATION:
        if (ec->call.op->change)
            handle_write(ec);
        else
            handle_operation(ec);
        break;
    default: handle_read(ec);
    }
}

static bool is_of_binary(const struct call *c)
{
    return c->type && str_eq(def_resource_name(c->type), STR("Binary"));
}

/* XML of any name is FHIR's, but where a Binary or a patch in XML may be meant: there it has to say
 * so. */
static bool has_xml_body(const struct call *c)
{
    if (!c->body.n)
        return false;
    switch (c->row->action) {
    case ACT_CREATE:
    case ACT_UPDATE:
        return is_of_binary(c) ? media_is_fhir_xml(c->content_type) : media_is_xml(c->content_type);
    case ACT_PATCH: return media_is_fhir_xml(c->content_type);
    case ACT_BUNDLE:
    case ACT_OPERATION: return media_is_xml(c->content_type);
    default: return false;
    }
}

static void read_xml(struct exchange_call *ec)
{
    int r = call_body_from_xml(&ec->call, &ec->body_json);

    if (r < 0)
        finish(ec, r);
    else
        route(ec);
}

static void read_xml_on_worker(void *ctx, struct http_exchange *x)
{
    (void)x;
    read_xml(ctx);
}

/* A body of FHIR is JSON from here on. */
static void take_body(struct exchange_call *ec)
{
    struct call *c = &ec->call;
    bool is_xml = has_xml_body(c);
    int r = c->body.n && (is_xml || media_is_json(c->content_type))
                ? media_check(c->content_type, &c->err)
                : 0;

    if (r < 0)
        finish(ec, r);
    else if (!is_xml)
        route(ec);
    else if (c->body.n <= API_INLINE_XML_MAX)
        read_xml(ec);
    else if (!http_work(c->x, read_xml_on_worker, ec))
        finish(ec, err_set(&c->err, ERR_BUSY, "the node has more work queued than it can take"));
}

void api_handle(struct api *api, struct http_exchange *x, struct str path, bool is_own,
                struct access who)
{
    const struct http_request *req = http_request(x);
    struct exchange_call *ec = begin(api, x, who);
    struct str accept = http_header(x, "Accept");
    struct call *c;
    int r, acceptable;

    if (!ec) {
        struct sb none = sb_make(1);

        identity_unref(who.identity);
        http_reply(x, 503, NULL, &none);
        return;
    }
    c = &ec->call;
    c->is_own = is_own;
    if (req->method == HTTP_OPTIONS) {
        handle_options(ec);
        return;
    }
    /* First of all: errors, too, are told in the format that is asked for. */
    acceptable = negotiate_reply(c, accept);
    r = dispatch(c, req->method, path);
    if (r >= 0) {
        c->raw_accept = is_of_binary(c) &&
                        (c->row->action == ACT_READ || c->row->action == ACT_VREAD) &&
                        negotiate_raw(c, accept);
        r = c->raw_accept || (c->op && c->op->answers && negotiate_names(accept, c->op->answers))
                ? 0
                : acceptable;
    }
    if (r >= 0 && api->audit && !audit_is_well(api->audit))
        r = err_set(&c->err, ERR_NO_STORE, "the audit log cannot be written, so nothing is served");
    if (r < 0)
        finish(ec, r);
    else
        take_body(ec);
}

void api_error_body(void *ctx, const struct http_exchange *x, const struct err *err, struct sb *out,
                    const char **ret_type)
{
    _cleanup_(arena_done) struct arena a;
    struct call c = {.a = &a, .query = http_request(x)->query, .out = sb_make(ERROR_BODY_MAX)};

    (void)ctx;
    arena_init(&a, ERROR_BODY_MAX);
    negotiate_reply(&c, http_header(x, "Accept"));
    outcome_err(&c.out, err);
    if (c.xml && !c.out.failed)
        call_out_to_xml(&c);
    sb_str(out, sb_view(&c.out));
    out->failed |= c.out.failed;
    sb_done(&c.out);
    *ret_type = c.xml ? xml_type : json_type;
}
