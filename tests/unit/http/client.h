/* client.h - a raw HTTP client and a small server for the tests of this folder. */
#ifndef UNIT_HTTP_CLIENT_H
#define UNIT_HTTP_CLIENT_H

#include "../test.h"

#include "http/http.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CLIENT_WAIT_MS 10000

/* A growing buffer of what came back. */
struct reply {
    int status;
    struct sb bytes; /* heads and bodies, as received */
    size_t head_n;   /* of this reply, with its empty line */
    size_t at, next; /* where this reply begins and the next one does */
};

static inline struct reply reply_make(void)
{
    return (struct reply){.bytes = sb_make(MIB(128))};
}

static inline void reply_done(struct reply *r)
{
    sb_done(&r->bytes);
}

static inline int connect_port(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static inline int connect_path(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

/* Sends all; false if the server closed first. */
static inline bool send_n(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t did = send(fd, p, n, MSG_NOSIGNAL);
        if (did < 0 && errno == EINTR)
            continue;
        if (did <= 0)
            return false;
        p += did;
        n -= (size_t)did;
    }
    return true;
}

static inline bool send_text(int fd, const char *text)
{
    return send_n(fd, text, strlen(text));
}

/* One more piece: bytes read, 0 at the end, -1 on reset, -2 when nothing came in time. */
static inline ssize_t receive_some(int fd, struct sb *to, int wait_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char *room = sb_room(to, KIB(64));
    ssize_t n;

    assert_non_null(room);
    if (poll(&p, 1, wait_ms) <= 0)
        return -2;
    n = recv(fd, room, KIB(64), 0);
    if (n > 0)
        sb_add(to, (size_t)n);
    return n;
}

static inline struct str reply_text(const struct reply *r)
{
    return r->bytes.p ? str_n(r->bytes.p + r->at, r->bytes.n - r->at) : STR("");
}

static inline struct str reply_head(const struct reply *r)
{
    return str_n(r->bytes.p + r->at, r->head_n);
}

static inline struct str reply_body(const struct reply *r)
{
    return str_n(r->bytes.p + r->at + r->head_n, r->next - r->at - r->head_n);
}

/* Value of a reply header, STR_NULL if absent. */
static inline struct str reply_get(const struct reply *r, const char *name)
{
    struct str rest = reply_head(r), line;

    while (str_split(&rest, '\n', &line)) {
        ptrdiff_t colon = str_find(line, ':');
        if (colon > 0 && str_eq_nocase(str_head(line, (size_t)colon), str_c(name)))
            return str_trim(str_from(line, (size_t)colon + 1));
    }
    return STR_NULL;
}

/* The next final reply on this connection (100s are skipped); `head_only` after a HEAD request.
 * Returns false if the connection ended first. */
static inline bool receive(int fd, struct reply *r, bool head_only)
{
    uint64_t length = 0;

    r->at = r->next;
    r->status = 0;
    for (;;) {
        struct str t = reply_text(r);
        char *end = t.n ? memmem(t.p, t.n, "\r\n\r\n", 4) : NULL;

        if (!end) {
            if (receive_some(fd, &r->bytes, CLIENT_WAIT_MS) <= 0)
                return false;
            continue;
        }
        r->head_n = (size_t)(end + 4 - t.p);
        r->status = (int)strtol(t.p + 9, NULL, 10);
        if (r->status >= 200)
            break;
        r->at += r->head_n;
    }
    if (!head_only && r->status != 204 && r->status != 304)
        str_to_u64(reply_get(r, "Content-Length"), INT64_MAX, &length);
    while (reply_text(r).n < r->head_n + length) {
        if (receive_some(fd, &r->bytes, CLIENT_WAIT_MS) <= 0)
            return false;
    }
    r->next = r->at + r->head_n + length;
    return true;
}

/* Whether the server closes the connection within the time. */
static inline bool is_closed(int fd, int wait_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char c;

    return poll(&p, 1, wait_ms) > 0 && recv(fd, &c, 1, 0) <= 0;
}

/* A request on a connection of its own. */
static inline int ask(int port, const char *request, struct reply *r)
{
    int fd = connect_port(port);

    send_text(fd, request);
    r->next = r->bytes.n = 0;
    receive(fd, r, strncmp(request, "HEAD", 4) == 0);
    close(fd);
    return r->status;
}

static inline void sleep_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

/* Replies with what it was asked: "METHOD path ?query body-length\n" and the first body bytes. */
static inline void echo(_unused_ void *ctx, struct http_exchange *x)
{
    const struct http_request *q = http_request(x);
    struct sb b = sb_make(MIB(80));

    sb_fmt(&b, "%.*s %.*s ?%.*s %zu\n", STR_ARG(q->method_name), STR_ARG(q->path),
           STR_ARG(q->query), q->body.n);
    sb_str(&b, str_head(q->body, 64));
    http_reply(x, 200, "text/plain", &b);
}

static inline void error_body(_unused_ void *ctx, _unused_ const struct http_exchange *x,
                              const struct err *err, struct sb *out, const char **ret_type)
{
    sb_fmt(out, "{\"error\":\"%s\"}", err_name(err->code));
    *ret_type = "application/json";
}

static inline struct http_server *serve(struct http_config *c)
{
    struct http_server *s;
    struct err err;

    if (!c->listen && !c->socket_path)
        c->listen = "127.0.0.1:0";
    c->threads = c->threads ? c->threads : 2;
    if (!c->handle)
        c->handle = echo;
    c->error_body = error_body;
    if (http_server_start(c, &s, &err) < 0)
        fail_msg("%s", err.text);
    return s;
}

#endif
