/* http.h - the HTTP server: sockets, limits, framing, compression. It knows no FHIR.
 *
 * One event loop a core (libmicrohttpd, epoll). The handler is called on an event loop once a
 * request has arrived whole; it replies at once, or hands the exchange on (http_defer, http_work)
 * and replies later from any thread. An event loop must never block.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "base/arena.h"
#include "base/err.h"
#include "base/sb.h"

#define HTTP_URI_MAX KIB(8)            /* path and query; longer searches use POST _search */
#define HTTP_HEADERS_MAX KIB(16)       /* the whole head: request line and all header lines */
#define HTTP_BODY_MAX_DEFAULT MIB(64)  /* one body, after inflating */
#define HTTP_BODY_MEMORY_MAX MIB(1)    /* larger ones lie in an unlinked file, and take turns */
#define HTTP_BODIES_MAX MIB(256)       /* all bodies in flight; past it 503 with Retry-After */
#define HTTP_DISCARD_MAX MIB(1)        /* of a refused body we read this much, to keep the line */
#define HTTP_ARENA_MAX MIB(256)        /* arena of one request */
#define HTTP_IDLE_SECONDS 30           /* silent connections are closed */
#define HTTP_REQUEST_SECONDS 120       /* a request that is not whole by then is closed */
#define HTTP_REPLY_BYTES_A_SECOND 1024 /* a client that reads slower than this is closed */
#define HTTP_CONNECTIONS_MAX 4096
#define HTTP_WORK_QUEUE_MAX 1024     /* exchanges that wait for a worker */
#define HTTP_GZIP_MIN_BYTES 1024     /* smaller replies are not compressed */
#define HTTP_GZIP_INLINE_MAX KIB(64) /* larger ones are compressed on a worker */
#define HTTP_REPLY_SMALL KIB(64)     /* longer replies count against the budget until sent */
#define HTTP_REPLY_HEADERS_MAX 32
#define HTTP_PEER_MAX 64

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_OTHER,
};

struct http_server;
struct http_exchange;

struct http_request {
    enum http_method method;
    struct str method_name;
    struct str path;       /* as sent, before '?', still percent-encoded */
    struct str query;      /* as sent, behind '?', without it; empty if none */
    struct str body;       /* whole, inflated */
    bool is_tls, is_local; /* is_local: came over the control socket */
};

typedef void http_handler(void *ctx, struct http_exchange *x);

struct http_config {
    const char *listen;          /* "127.0.0.1:8080", "[::1]:8080"; port 0 picks one */
    const char *socket_path;     /* a Unix socket instead, or NULL */
    unsigned threads;            /* event loops, 0: one a core */
    unsigned workers;            /* threads for http_work, 0: one a core, at least 2 */
    int workers_nice;            /* how far they step back behind other threads, 0 to 19 */
    size_t arena_max;            /* memory of one request, 0: HTTP_ARENA_MAX */
    struct arena_budget *memory; /* of all requests' arenas and replies together; NULL: no bound */
    size_t large_body;           /* above it a body is large, 0: HTTP_BODY_MEMORY_MAX */
    size_t body_max;             /* 0: HTTP_BODY_MAX_DEFAULT */
    size_t bodies_max;           /* 0: HTTP_BODIES_MAX */
    unsigned idle_seconds;       /* 0: HTTP_IDLE_SECONDS */
    unsigned request_seconds;    /* 0: HTTP_REQUEST_SECONDS */
    unsigned work_queue_max;     /* 0: HTTP_WORK_QUEUE_MAX */
    const char *tls_cert, *tls_key, *tls_client_ca; /* PEM files or NULL */
    bool tls_client_optional;
    const char *spool_dir; /* for large bodies; NULL: /tmp */
    bool spool_in_memory;  /* … which never touch a disk: bodies_max bounds them */
    http_handler *handle;
    /* Writes a body for an error that ends before the handler (413, 431, 400 …); may be NULL. */
    void (*error_body)(void *ctx, const struct http_exchange *x, const struct err *err,
                       struct sb *out, const char **ret_type);
    void *ctx;
};

/* Listens and serves. ERR_INVALID for an address that makes no sense, ERR_CONFLICT for one in use.
 * With tls_client_ca every client must show a certificate of that authority, or with
 * tls_client_optional may show any. */
int http_server_start(const struct http_config *config, struct http_server **ret, struct err *err);
/* Stops listening, lets requests under way finish (at most grace_ms), closes. Exchanges that a
 * handler deferred are waited for without limit: their owners hold them. */
void http_server_stop(struct http_server *s, unsigned grace_ms);
int http_server_port(const struct http_server *s);

const struct http_request *http_request(const struct http_exchange *x);
/* First value of a request header, STR_NULL if absent. Names are compared without case. */
struct str http_header(const struct http_exchange *x, const char *name);
/* Whether the client takes gzip: for what is kept compressed. Its reply then says so itself, in the
 * headers Content-Encoding and Vary, and is left as it is. */
bool http_accepts_gzip(const struct http_exchange *x);
/* The client's address without port ("192.0.2.1", "::1"), or "local" for the control socket. */
struct str http_peer(struct http_exchange *x);
/* The certificate that the client showed; it has proved that it has the key. */
struct http_certificate {
    unsigned char sha256[32];
    bool is_verified;  /* by tls_client_ca */
    char subject[256]; /* RFC 4514; "" where it is longer */
};
/* NULL: none. Lives as long as the connection. */
const struct http_certificate *http_certificate(const struct http_exchange *x);
/* The request's memory: lives until the reply is sent. Use it on one thread at a time. */
struct arena *http_arena(struct http_exchange *x);
/* A caller's word on the exchange: kept and given back untouched. */
void http_set_user(struct http_exchange *x, void *user);
void *http_user(const struct http_exchange *x);

/* Adds a reply header; call before http_reply. `name` must be static, `value` is copied. */
void http_reply_header(struct http_exchange *x, const char *name, struct str value);
/* Sends. Takes the builder's bytes over (out is empty afterwards). `type` is the Content-Type, NULL
 * for none; must be static. For HEAD only the length is sent. Compresses if the client can take it.
 * Exactly once an exchange; x is invalid afterwards. */
void http_reply(struct http_exchange *x, int status, const char *type, struct sb *out);
/* The same with a body from config.error_body and the status of err->code. */
void http_reply_err(struct http_exchange *x, const struct err *err);

/* From here on a reply is made ready, but leaves only when http_release has been called too, in
 * either order: for what has to be durable first. Defers the exchange. */
void http_hold(struct http_exchange *x);
/* From any thread. With `err` the reply that was made ready is thrown away and the error is sent in
 * its place. */
void http_release(struct http_exchange *x, const struct err *err);

/* Leaves the event loop without a reply: the exchange stays open until someone calls http_reply.
 * Call it in the handler, before x is handed to another thread. */
void http_defer(struct http_exchange *x);
/* http_defer, and fn(ctx, x) on a worker thread. False if the queue is full (nothing was done).
 * A worker may call it again to wait its turn anew. Requests with large bodies take turns, so many
 * at once as the budget has room for whole arenas, and leave a worker to the others. */
bool http_work(struct http_exchange *x, http_handler *fn, void *ctx);

struct http_stats {
    uint64_t connections;         /* accepted since the start */
    uint64_t open;                /* of these, open now */
    uint64_t requests;            /* answered or given up */
    uint64_t bytes_in, bytes_out; /* heads and bodies in, bodies out, as on the wire */
    uint64_t refused;             /* ended here, before the handler */
};
void http_server_stats(const struct http_server *s, struct http_stats *ret);

#endif
