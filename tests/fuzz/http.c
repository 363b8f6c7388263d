/* http.c - any bytes from a client: the server answers or hangs up, and serves the next one.
 *
 * The server runs in this process behind a Unix socket. A client that has sent all and closed its
 * side must see the end of the connection: no input may leave it open.
 */
#include "fuzz.h"
#include "http/http.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WAIT_MS 8000
#define YIELDS_MAX 1000

static struct http_server *server;
static char path[] = "/tmp/carnet-fuzz-http-XXXXXX/s";

static void answer(_unused_ void *ctx, struct http_exchange *x)
{
    const struct http_request *q = http_request(x);
    struct sb b = sb_make(MIB(80));

    FUZZ_HOLDS(q->path.p && q->query.p && q->body.p && q->method_name.n > 0);
    FUZZ_HOLDS(str_find(q->path, '?') < 0 && q->is_local);
    sb_str(&b, q->method_name);
    sb_str(&b, q->path);
    sb_str(&b, q->query);
    sb_str(&b, q->body);
    http_reply_header(x, "ETag", http_header(x, "If-None-Match"));
    http_reply(x, 200, "text/plain", &b);
}

static void handle(_unused_ void *ctx, struct http_exchange *x)
{
    if (http_request(x)->method != HTTP_PUT || !http_work(x, answer, NULL))
        answer(NULL, x);
}

static void stop(void)
{
    http_server_stop(server, 1000);
    *strrchr(path, '/') = '\0';
    rmdir(path);
}

static void start(void)
{
    struct http_config c = {.threads = 1, .workers = 1, .body_max = KIB(64), .handle = handle};
    struct err err;
    char *slash = strrchr(path, '/');

    *slash = '\0';
    FUZZ_HOLDS(mkdtemp(path));
    *slash = '/';
    c.socket_path = path;
    FUZZ_HOLDS(http_server_start(&c, &server, &err) == 0);
    atexit(stop);
}

/* Sends, closes that side, reads to the end. The reply's first bytes go to `ret`. */
static size_t talk(const void *p, size_t n, char *ret, size_t max)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char rest[4096];
    size_t got = 0;

    memcpy(a.sun_path, path, sizeof path);
    FUZZ_HOLDS(fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0);
    for (size_t at = 0; at < n;) {
        ssize_t did = send(fd, (const char *)p + at, n - at, MSG_NOSIGNAL);
        if (did < 0 && errno == EINTR)
            continue;
        if (did <= 0)
            break; /* it may have hung up already */
        at += (size_t)did;
    }
    /* An end that comes alone is noticed at once; one that comes with bytes, by a slow clock. */
    for (int i = 0, left = 1; i < YIELDS_MAX && ioctl(fd, SIOCOUTQ, &left) == 0 && left > 0; i++)
        sched_yield();
    shutdown(fd, SHUT_WR);
    for (;;) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        int events = poll(&poll_fd, 1, WAIT_MS);
        bool fits = got < max;
        ssize_t did;

        if (events < 0 && errno == EINTR)
            continue; /* libFuzzer's clock */
        FUZZ_HOLDS(events > 0);
        did = fits ? read(fd, ret + got, max - got) : read(fd, rest, sizeof rest);
        if (did <= 0)
            break;
        got += fits ? (size_t)did : 0;
    }
    close(fd);
    return got;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char good[] = "GET /good HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";
    static unsigned inputs;
    char reply[16];
    size_t got;

    if (!server)
        start();
    got = talk(data, n, reply, sizeof reply);
    FUZZ_HOLDS(got < 9 || memcmp(reply, "HTTP/1.", 7) == 0);
    if (inputs++ % 16 == 0) {
        got = talk(good, sizeof good - 1, reply, sizeof reply);
        FUZZ_HOLDS(got >= 12 && memcmp(reply, "HTTP/1.1 200", 12) == 0);
    }
    return 0;
}
