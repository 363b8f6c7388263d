/* http_int.h - what the files of this folder share. */
#ifndef HTTP_HTTP_INT_H
#define HTTP_HTTP_INT_H

#include "http/http.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

/* libmicrohttpd's memory of a connection: head, read buffer and reply head. It is cleared for every
 * request, so it costs time as well. */
#define POOL_BYTES KIB(32)
#define BODY_ARENA_MAX KIB(8) /* bodies of a known length up to this live in the arena */
#define METHOD_MAX 32
#define SHARDS 16 /* counters are spread, so that loops do not share a line */

struct z_stream_s;

/* body.c: a request's body while it arrives. */
struct body {
    enum { BODY_NONE, BODY_ARENA, BODY_HEAP, BODY_FILE } kind;
    char *p; /* bytes, or the map of the file once whole */
    size_t n, cap;
    size_t reserved; /* of the server's budget for bodies in flight */
    uint64_t wire;   /* as received */
    int fd;
    struct z_stream_s *inflate;
    bool inflate_ended; /* at the end of a gzip member */
    bool discard;       /* refused: read and forget */
};

/* One connection, for its deadlines (keeper.c). */
struct conn {
    struct conn *prev, *next;
    int fd;
    bool is_tls, verified;
    bool is_looked_at;                   /* whether it showed a certificate, is known */
    struct http_certificate certificate; /* subject and hash; of one that has `has_certificate` */
    bool has_certificate;
    bool gone;                   /* the keeper saw the client's end of file */
    _Atomic int64_t deadline_ms; /* 0: none */
    atomic_int stage;            /* enum conn_stage */
};

enum conn_stage { CONN_READING, CONN_WORKING, CONN_WRITING, CONN_ENDED };

struct reply_header {
    const char *name;
    char *value;
};

struct http_exchange {
    struct http_exchange *next; /* in a queue or a cache */
    struct loop *loop;
    struct http_server *server;
    struct MHD_Connection *mhd;
    struct conn *conn;
    struct http_request req;
    struct str uri_host; /* of an address that names one */
    const char *uri_end; /* in libmicrohttpd's buffer, until the head is read */
    struct arena arena;
    struct body body;
    enum { X_HEAD, X_BODY, X_HANDLED } stage;
    bool deferred;
    bool close;    /* framing is lost or the node stops: no keep-alive */
    bool has_turn; /* of those with large bodies */
    bool linger;   /* the client may still be sending when we close */
    bool held;     /* leaves when `gates` are passed: reply made, http_release */
    bool on_loop;  /* it was held on an event loop, which must not compress long replies */
    bool refused;  /* by http_release: `err` is sent in the reply's place */
    atomic_int gates;
    void *user;
    http_handler *work;
    void *work_ctx;

    struct MHD_Response *response;
    int status;
    size_t reply_bytes;
    size_t counted; /* bytes of the reply in the budget */
    unsigned reply_headers;
    bool reply_failed; /* a header did not fit */
    struct reply_header reply_header[HTTP_REPLY_HEADERS_MAX];
    struct sb pending; /* reply that a worker compresses */
    const char *pending_type;
    char peer[HTTP_PEER_MAX];
    struct err err; /* code 0: none so far */
    int err_status; /* where it is not err_http_status(err.code) */
};

struct counters {
    _Alignas(64) _Atomic uint64_t connections, closed;
    _Atomic uint64_t begun, ended, bytes_in, bytes_out, refused;
};

/* workers.c */
struct workers {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct http_exchange *head, *tail;
    unsigned queued, max;
    unsigned turns, turns_max; /* requests with large bodies under way */
    bool stop;
    unsigned n;
    int nice;
    pthread_t *thread;
};
int workers_start(struct workers *w, const struct http_config *config, struct err *err);
/* Runs what is queued, then ends the threads. */
void workers_stop(struct workers *w);
/* Takes a place in the queue, false if it is full; then the push that fills it cannot fail. The two
 * are apart because a connection must be suspended between them. */
bool workers_reserve(struct workers *w);
void workers_push(struct workers *w, struct http_exchange *x);
/* An exchange that had a turn has given its memory back. */
void workers_end_turn(struct workers *w);

/* loops.c: the event loops, a libmicrohttpd each, on one listening socket. */
struct loop {
    _Alignas(64) _Atomic(struct http_exchange *) returned; /* by others, to be gone on with */
    struct MHD_Daemon *mhd;
    int listen_fd; /* its own number for the socket */
    int epoll_fd, wake_fd;
    atomic_bool stop;
    bool running;
    pthread_t thread;
};

/* Takes the server's listening socket over. */
int loops_start(struct http_server *s, struct err *err);
/* No new connection from here on. */
void loops_refuse(struct http_server *s);
/* Ends the threads and closes all connections; none may be suspended. */
void loops_stop(struct http_server *s);
/* The calling thread's. */
struct loop *loop_current(void);
/* Gives back an exchange that was deferred, from any thread: its loop owns it from here on. */
void loop_return(struct http_exchange *x);

/* keeper.c: one thread that ends slow connections and closes lingering ones. */
#define LINGER_MAX 64
#define LINGER_MS 2000
#define LINGER_BYTES_MAX MIB(16)

struct lingering {
    int fd;
    int64_t until_ms;
    size_t read_bytes;
};

struct keeper {
    pthread_mutex_t lock;
    struct conn *conns;
    struct lingering linger[LINGER_MAX];
    unsigned lingers;
    int event_fd;
    int tick_ms;
    bool stop, running;
    pthread_t thread;
};
int keeper_start(struct keeper *k, unsigned request_seconds, struct err *err);
void keeper_stop(struct keeper *k);
void keeper_add(struct keeper *k, struct conn *c);
void keeper_remove(struct keeper *k, struct conn *c);
/* Takes over `fd`: reads what the client still sends for a moment, so that closing does not reset
 * the connection before the client has read our reply. */
void keeper_linger(struct keeper *k, int fd);
int64_t keeper_now_ms(void);

struct http_server {
    struct http_config config;
    struct loop *loops;  /* config.threads of them */
    int listen_fd, port; /* the loops have the socket, once they run */
    char *socket_path;
    char *tls[3]; /* contents of the PEM files */
    struct workers workers;
    struct keeper keeper;
    atomic_size_t bodies; /* bytes of bodies in flight */
    atomic_uint owned;    /* deferred exchanges that are not answered yet */
    atomic_bool stopping; /* replies close their connection */
    atomic_bool closing;  /* new requests are not handled any more */
    struct counters counters[SHARDS];
};

/* The calling thread's. */
struct counters *server_counters(struct http_server *s);
static inline void count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* listen.c */
int listen_tcp(const char *spec, int *ret_fd, int *ret_port, struct err *err);
int listen_unix(const char *path, int *ret_fd, struct err *err);

/* tls.c */
int tls_load(struct http_server *s, struct err *err);
void tls_free(struct http_server *s);
/* Whether the client showed a certificate that the configured authority signed. */
bool tls_client_ok(struct MHD_Connection *mhd);
/* What the client showed; false: nothing. */
bool tls_client_certificate(struct MHD_Connection *mhd, struct http_certificate *ret);

/* head.c: what a request's first lines say. Fills x->req; a refusal goes to x->err. */
struct head {
    bool has_length, chunked, gzip, expects;
    uint64_t length;
};
void head_uri(struct http_exchange *x, char *uri);
void head_read(struct http_exchange *x, const char *method, const char *version, struct head *ret);

/* body.c: failures go to x->err, and the rest of the body is read and forgotten. */
void body_begin(struct http_exchange *x, const struct head *head);
void body_take(struct http_exchange *x, const char *p, size_t n);
void body_end(struct http_exchange *x);
void body_done(struct http_exchange *x);

/* exchange.c: libmicrohttpd's callbacks. */
void *exchange_begin(void *server, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result exchange_run(void *server, struct MHD_Connection *mhd, const char *url,
                             const char *method, const char *version, const char *data,
                             size_t *data_n, void **exchange);
void exchange_end(void *server, struct MHD_Connection *mhd, void **exchange,
                  enum MHD_RequestTerminationCode why);
void exchange_connection(void *server, struct MHD_Connection *mhd, void **conn,
                         enum MHD_ConnectionNotificationCode what);

/* reply.c */
void reply_err(struct http_exchange *x, int status, const struct err *err);
/* For what cannot wait until the body is read: straight to a plain socket, best effort. */
void reply_raw(struct http_exchange *x);

/* gzip.c */
bool gzip_accepted(struct str accept_encoding);
bool gzip_suits(const char *type);
/* Compresses at a fast level; false if that failed or did not make it smaller (out is empty). */
bool gzip_deflate(struct str in, struct sb *out);

#endif
