#include "http/http_int.h"

#include "base/fault.h"

#include <stdlib.h>
#include <sys/socket.h>

#define ERROR_BODY_MAX KIB(16)
#define RETRY_AFTER_SECONDS "2"

void http_reply_header(struct http_exchange *x, const char *name, struct str value)
{
    struct str copy;

    /* Bytes that would end the header line would let `value` write headers of its own. */
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '\r' || value.p[i] == '\n' || value.p[i] == '\0')
            x->reply_failed = true;
    }
    if (value.n == 0)
        return;
    copy = arena_dup(&x->arena, value);
    if (!copy.p || x->reply_headers == HTTP_REPLY_HEADERS_MAX) {
        x->reply_failed = true;
        return;
    }
    x->reply_header[x->reply_headers++] =
        (struct reply_header){.name = name, .value = (char *)copy.p};
}

static bool has_reply_header(const struct http_exchange *x, const char *name)
{
    for (unsigned i = 0; i < x->reply_headers; i++) {
        if (str_eq_nocase(str_c(x->reply_header[i].name), str_c(name)))
            return true;
    }
    return false;
}

static void write_error(struct http_exchange *x, const struct err *err, struct sb *out,
                        const char **ret_type)
{
    const struct http_config *c = &x->server->config;

    *ret_type = NULL;
    if (c->error_body)
        c->error_body(c->ctx, x, err, out, ret_type);
    if (out->failed)
        sb_reset(out);
}

/* The response takes the bytes over. NULL when memory is short: the connection then closes. */
static struct MHD_Response *make_response(struct sb *body)
{
    struct MHD_Response *r;
    size_t n;
    char *p = sb_steal(body, &n);

    if (n == 0) {
        free(p);
        return MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
    }
    r = fault_point("response") ? NULL
                                : MHD_create_response_from_buffer(n, p, MHD_RESPMEM_MUST_FREE);
    if (!r)
        free(p);
    return r;
}

static bool wants_gzip(const struct http_exchange *x, const char *type, const struct sb *body)
{
    return body->n >= HTTP_GZIP_MIN_BYTES && gzip_suits(type) &&
           !has_reply_header(x, MHD_HTTP_HEADER_CONTENT_ENCODING);
}

static void add(struct MHD_Response *r, const char *name, const char *value)
{
    MHD_add_response_header(r, name, value);
}

static void build(struct http_exchange *x, int status, const char *type, struct sb *body)
{
    bool varies = wants_gzip(x, type, body), zipped = false;
    struct MHD_Response *r;

    if (varies && gzip_accepted(http_header(x, MHD_HTTP_HEADER_ACCEPT_ENCODING))) {
        struct sb small;
        zipped = gzip_deflate(sb_view(body), &small);
        if (zipped) {
            sb_done(body);
            *body = small;
        }
    }
    x->status = status;
    x->reply_bytes = body->n;
    r = make_response(body);
    if (!r)
        return;
    if (type)
        add(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    for (unsigned i = 0; i < x->reply_headers; i++)
        add(r, x->reply_header[i].name, x->reply_header[i].value);
    if (zipped)
        add(r, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    if (varies)
        add(r, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING);
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE && !has_reply_header(x, MHD_HTTP_HEADER_RETRY_AFTER))
        add(r, MHD_HTTP_HEADER_RETRY_AFTER, RETRY_AFTER_SECONDS);
    if (x->close || atomic_load_explicit(&x->server->stopping, memory_order_relaxed))
        add(r, MHD_HTTP_HEADER_CONNECTION, "close");
    x->response = r;
}

/* What was made ready, thrown away for x->err. */
static void replace_reply(struct http_exchange *x)
{
    _cleanup_(sb_done) struct sb body = sb_make(ERROR_BODY_MAX);
    const char *type;

    if (x->response)
        MHD_destroy_response(x->response);
    x->response = NULL;
    x->reply_headers = 0;
    write_error(x, &x->err, &body, &type);
    build(x, err_http_status(x->err.code), type, &body);
}

static void send_off(struct http_exchange *x)
{
    if (!x->deferred)
        return; /* the loop is our caller and looks at x->response next */
    if (x->held && atomic_fetch_sub(&x->gates, 1) > 1)
        return; /* whoever passes the last gate sends */
    if (x->refused)
        replace_reply(x);
    loop_return(x);
}

static void reply_later(_unused_ void *ctx, struct http_exchange *x)
{
    build(x, x->status, x->pending_type, &x->pending);
    send_off(x);
}

/* A long reply counts until it is sent: a thousand clients that read slowly hold as many. */
static bool count_reply(struct http_exchange *x, size_t n)
{
    struct arena_budget *b = x->server->config.memory;

    if (!b || n <= HTTP_REPLY_SMALL)
        return true;
    if (!arena_budget_take(b, n, n > ARENA_SMALL_BYTES))
        return false;
    x->counted = n;
    return true;
}

/* What is said in place of a reply that cannot be sent; code 0: it can. */
static int reply_problem(struct http_exchange *x, const struct sb *out, struct err *err)
{
    if (out->failed)
        return err_set(err, ERR_NO_MEMORY, "the reply needs more memory than it may use");
    if (x->reply_failed)
        return err_set(err, ERR_INTERNAL, "the reply has a header that cannot be sent");
    if (!x->counted && !count_reply(x, out->n))
        return err_set(err, ERR_BUSY, "the node's memory for requests is used up; try again later");
    return 0;
}

void http_reply(struct http_exchange *x, int status, const char *type, struct sb *out)
{
    struct err err;
    int code;

    assert(!x->response && !x->pending.p);
    code = reply_problem(x, out, &err);
    if (code < 0) {
        sb_done(out);
        x->reply_failed = false;
        x->reply_headers = 0;
        reply_err(x, err_http_status(code), &err);
        return;
    }
    if ((!x->deferred || x->on_loop) && out->n > HTTP_GZIP_INLINE_MAX && wants_gzip(x, type, out) &&
        gzip_accepted(http_header(x, MHD_HTTP_HEADER_ACCEPT_ENCODING))) {
        struct sb body = *out;

        x->status = status;
        x->pending_type = type;
        x->pending = body;
        *out = sb_make(body.max);
        if (http_work(x, reply_later, NULL))
            return;
        *out = body;
        x->pending = (struct sb){0};
    }
    build(x, status, type, out);
    send_off(x);
}

void http_hold(struct http_exchange *x)
{
    assert(!x->held && !x->response);
    x->on_loop = !x->deferred;
    x->held = true;
    atomic_init(&x->gates, 2);
    http_defer(x);
}

void http_release(struct http_exchange *x, const struct err *err)
{
    if (err) {
        x->err = *err;
        x->refused = true;
    }
    send_off(x);
}

void reply_err(struct http_exchange *x, int status, const struct err *err)
{
    _cleanup_(sb_done) struct sb body = sb_make(ERROR_BODY_MAX);
    const char *type;

    write_error(x, err, &body, &type);
    http_reply(x, status, type, &body);
}

void http_reply_err(struct http_exchange *x, const struct err *err)
{
    reply_err(x, err_http_status(err->code), err);
}

void reply_raw(struct http_exchange *x)
{
    _cleanup_(sb_done) struct sb body = sb_make(ERROR_BODY_MAX);
    _cleanup_(sb_done) struct sb out = sb_make(ERROR_BODY_MAX + KIB(1));
    int status = x->err_status ? x->err_status : err_http_status(x->err.code);
    const char *type;

    if (!x->conn || x->req.is_tls)
        return;
    write_error(x, &x->err, &body, &type);
    sb_fmt(&out, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Length: %zu\r\n", status,
           MHD_get_reason_phrase_for((unsigned)status), body.n);
    if (type)
        sb_fmt(&out, "Content-Type: %s\r\n", type);
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
        sb_lit(&out, "Retry-After: " RETRY_AFTER_SECONDS "\r\n");
    sb_lit(&out, "\r\n");
    sb_str(&out, sb_view(&body));
    if (!out.failed)
        send(x->conn->fd, out.p, out.n, MSG_DONTWAIT | MSG_NOSIGNAL);
}
