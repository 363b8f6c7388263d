#include "http/http_int.h"

#include "base/fault.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#define CACHE_MAX 128          /* exchanges that a thread keeps for reuse */
#define ARENA_KEEP_MAX KIB(64) /* a cached exchange keeps no more than this */

/* Each event loop keeps the exchanges it is done with, so that a request needs no malloc and an
 * idle connection holds no arena. */
static __thread struct {
    struct http_exchange *head;
    unsigned n;
    bool live;
} cache;
static pthread_key_t cache_key;
static pthread_once_t cache_once = PTHREAD_ONCE_INIT;

static void exchange_free(struct http_exchange *x)
{
    arena_done(&x->arena);
    free(x);
}

static void cache_free(_unused_ void *p)
{
    while (cache.head) {
        struct http_exchange *x = cache.head;
        cache.head = x->next;
        exchange_free(x);
    }
    cache.n = 0;
    cache.live = false;
}

static void cache_make_key(void)
{
    pthread_key_create(&cache_key, cache_free);
}

static struct http_exchange *exchange_take(void)
{
    struct http_exchange *x = cache.head;

    if (x) {
        cache.head = x->next;
        cache.n--;
        return x;
    }
    if (!cache.live) {
        pthread_once(&cache_once, cache_make_key);
        cache.live = pthread_setspecific(cache_key, &cache) == 0;
    }
    x = fault_point("exchange") ? NULL : calloc(1, sizeof *x);
    if (x)
        arena_init(&x->arena, HTTP_ARENA_MAX);
    return x;
}

static void exchange_give(struct http_exchange *x)
{
    if (!cache.live || cache.n >= CACHE_MAX) {
        exchange_free(x);
        return;
    }
    arena_reset(&x->arena);
    if (x->arena.used_bytes > ARENA_KEEP_MAX)
        arena_done(&x->arena);
    x->next = cache.head;
    cache.head = x;
    cache.n++;
}

void *exchange_begin(void *server, const char *uri, struct MHD_Connection *mhd)
{
    struct http_server *s = server;
    struct http_exchange *x = exchange_take();
    const union MHD_ConnectionInfo *info;

    count(&server_counters(s)->begun, 1);
    if (!x) {
        count(&server_counters(s)->ended, 1);
        return NULL;
    }
    info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    x->server = s;
    x->mhd = mhd;
    x->loop = loop_current();
    x->conn = info ? info->socket_context : NULL;
    x->req = (struct http_request){.is_tls = s->config.tls_cert, .is_local = s->socket_path};
    x->arena.limit_bytes = s->config.arena_max;
    x->arena.budget = s->config.memory;
    x->counted = 0;
    x->has_turn = false;
    x->stage = X_HEAD;
    x->deferred = x->close = x->linger = x->reply_failed = false;
    x->held = x->on_loop = x->refused = false;
    x->user = NULL;
    x->response = NULL;
    x->status = 0;
    x->reply_headers = 0;
    x->reply_bytes = 0;
    x->pending = (struct sb){0};
    x->peer[0] = '\0';
    x->err.code = 0;
    x->err_status = 0;
    if (x->conn)
        atomic_store_explicit(&x->conn->deadline_ms,
                              keeper_now_ms() + s->config.request_seconds * INT64_C(1000),
                              memory_order_relaxed);
    /* The text is libmicrohttpd's own buffer, which it is about to cut up as well. */
    head_uri(x, (char *)uri);
    return x;
}

/* The keeper may end a connection only while we read from it or write to it. */
static bool leave_reading(struct http_exchange *x)
{
    int reading = CONN_READING;

    if (!x->conn)
        return true;
    atomic_store_explicit(&x->conn->deadline_ms, 0, memory_order_relaxed);
    return atomic_compare_exchange_strong(&x->conn->stage, &reading, CONN_WORKING);
}

static enum MHD_Result queue(struct http_exchange *x)
{
    enum MHD_Result r;

    if (!x->response)
        return MHD_NO; /* no memory for a reply: close */
    if (x->conn) {
        int64_t seconds = x->server->config.request_seconds +
                          (int64_t)(x->reply_bytes / HTTP_REPLY_BYTES_A_SECOND);

        atomic_store_explicit(&x->conn->deadline_ms, keeper_now_ms() + seconds * 1000,
                              memory_order_relaxed);
        atomic_store_explicit(&x->conn->stage, CONN_WRITING, memory_order_release);
    }
    r = MHD_queue_response(x->mhd, (unsigned)x->status, x->response);
    MHD_destroy_response(x->response);
    x->response = NULL;
    return r;
}

static enum MHD_Result refuse(struct http_exchange *x)
{
    int status = x->err_status ? x->err_status : err_http_status(x->err.code);

    count(&server_counters(x->server)->refused, 1);
    if (!leave_reading(x))
        return MHD_NO;
    x->stage = X_HANDLED;
    reply_err(x, status, &x->err);
    return queue(x);
}

static enum MHD_Result whole(struct http_exchange *x)
{
    body_end(x);
    if (x->err.code)
        return refuse(x);
    if (!leave_reading(x))
        return MHD_NO;
    if (atomic_load(&x->server->closing))
        return MHD_NO;
    x->stage = X_HANDLED;
    x->server->config.handle(x->server->config.ctx, x);
    return x->deferred ? MHD_YES : queue(x);
}

const struct http_certificate *http_certificate(const struct http_exchange *x)
{
    return x->conn && x->conn->has_certificate ? &x->conn->certificate : NULL;
}

static void check_client(struct http_exchange *x)
{
    if (!x->server->config.tls_client_ca || (x->conn && x->conn->verified))
        return;
    if (x->conn && !x->conn->is_looked_at) {
        x->conn->is_looked_at = true;
        x->conn->has_certificate = tls_client_certificate(x->mhd, &x->conn->certificate);
    }
    if (x->server->config.tls_client_optional)
        return;
    if (tls_client_ok(x->mhd)) {
        if (x->conn)
            x->conn->verified = true;
        return;
    }
    err_set(&x->err, ERR_FORBIDDEN, "a client certificate of this node's authority is required");
    x->close = true;
}

static enum MHD_Result head_arrived(struct http_exchange *x, const char *method,
                                    const char *version)
{
    struct head head = {0};

    x->stage = X_BODY;
    head_read(x, method, version, &head);
    check_client(x);
    if (!x->err.code)
        body_begin(x, &head);
    if (!x->err.code)
        return MHD_YES;
    /* A short body that comes anyway is read and forgotten, to keep the connection. */
    x->body.discard = true;
    if (!x->close && !head.expects && !head.chunked && head.length <= HTTP_DISCARD_MAX)
        return MHD_YES;
    x->linger = true;
    return refuse(x);
}

static enum MHD_Result body_arrived(struct http_exchange *x, const char *data, size_t n)
{
    bool before = x->body.discard;

    body_take(x, data, n);
    if (x->body.discard && !before)
        x->body.wire = 0; /* from here on it counts what is thrown away */
    if (!x->body.discard || x->body.wire <= HTTP_DISCARD_MAX)
        return MHD_YES;
    count(&server_counters(x->server)->refused, 1);
    if (leave_reading(x)) {
        reply_raw(x);
        x->linger = true;
    }
    return MHD_NO;
}

enum MHD_Result exchange_run(_unused_ void *server, _unused_ struct MHD_Connection *mhd,
                             _unused_ const char *url, const char *method, const char *version,
                             const char *data, size_t *data_n, void **exchange)
{
    struct http_exchange *x = *exchange;
    size_t n = *data_n;

    if (!x)
        return MHD_NO;
    switch (x->stage) {
    case X_HEAD: return head_arrived(x, method, version);
    case X_BODY:
        if (n == 0)
            return whole(x);
        *data_n = 0;
        count(&server_counters(x->server)->bytes_in, n);
        return body_arrived(x, data, n);
    case X_HANDLED: return queue(x); /* resumed */
    }
    return MHD_NO;
}

void exchange_end(void *server, _unused_ struct MHD_Connection *mhd, void **exchange,
                  enum MHD_RequestTerminationCode why)
{
    struct http_server *s = server;
    struct http_exchange *x = *exchange;
    struct counters *c = server_counters(s);
    bool had_turn;

    if (!x)
        return;
    *exchange = NULL;
    if (x->response)
        MHD_destroy_response(x->response);
    if (x->counted)
        arena_budget_give(s->config.memory, x->counted);
    sb_done(&x->pending);
    body_done(x);
    if (x->linger && x->conn)
        keeper_linger(&s->keeper, x->conn->fd);
    if (x->conn) {
        int64_t seconds = (int64_t)s->config.idle_seconds + s->config.request_seconds;

        atomic_store_explicit(&x->conn->deadline_ms, keeper_now_ms() + seconds * 1000,
                              memory_order_relaxed);
        atomic_store_explicit(&x->conn->stage, CONN_READING, memory_order_release);
    }
    if (why == MHD_REQUEST_TERMINATED_COMPLETED_OK && x->req.method != HTTP_HEAD)
        count(&c->bytes_out, x->reply_bytes);
    had_turn = x->has_turn;
    exchange_give(x);
    if (had_turn)
        workers_end_turn(&s->workers);
    count(&c->ended, 1);
}

void exchange_connection(void *server, struct MHD_Connection *mhd, void **conn,
                         enum MHD_ConnectionNotificationCode what)
{
    struct http_server *s = server;
    struct conn *c = *conn;
    const union MHD_ConnectionInfo *info;

    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        count(&server_counters(s)->closed, 1);
        if (c) {
            keeper_remove(&s->keeper, c);
            free(c);
        }
        return;
    }
    count(&server_counters(s)->connections, 1);
    info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    c = info && !fault_point("conn") ? calloc(1, sizeof *c) : NULL;
    if (!c)
        return;
    c->fd = info->connect_fd;
    c->is_tls = s->config.tls_cert;
    atomic_init(&c->stage, CONN_READING);
    atomic_init(&c->deadline_ms, keeper_now_ms() + s->config.request_seconds * INT64_C(1000));
    *conn = c;
    keeper_add(&s->keeper, c);
}

const struct http_request *http_request(const struct http_exchange *x)
{
    return &x->req;
}

struct str http_header(const struct http_exchange *x, const char *name)
{
    const char *value;
    size_t n;

    if (MHD_lookup_connection_value_n(x->mhd, MHD_HEADER_KIND, name, strlen(name), &value, &n) ==
            MHD_NO ||
        !value)
        return STR_NULL;
    return str_n(value, n);
}

struct str http_peer(struct http_exchange *x)
{
    const union MHD_ConnectionInfo *info;

    if (x->req.is_local)
        return STR("local");
    info = MHD_get_connection_info(x->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (!x->peer[0] && info && info->client_addr)
        getnameinfo(info->client_addr,
                    info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                             : sizeof(struct sockaddr_in),
                    x->peer, sizeof x->peer, NULL, 0, NI_NUMERICHOST);
    return str_c(x->peer);
}

struct arena *http_arena(struct http_exchange *x)
{
    return &x->arena;
}

void http_set_user(struct http_exchange *x, void *user)
{
    x->user = user;
}

void *http_user(const struct http_exchange *x)
{
    return x->user;
}

void http_defer(struct http_exchange *x)
{
    if (x->deferred)
        return;
    x->deferred = true;
    atomic_fetch_add(&x->server->owned, 1);
    MHD_suspend_connection(x->mhd);
}

bool http_work(struct http_exchange *x, http_handler *fn, void *ctx)
{
    struct workers *w = &x->server->workers;

    if (!workers_reserve(w))
        return false;
    x->work = fn;
    x->work_ctx = ctx;
    http_defer(x);
    workers_push(w, x);
    return true;
}
