#include "http/ask.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RECEIVE_BYTES KIB(64)

static int open_socket(const char *path, int *ret, struct err *err)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd, why;

    if (strlen(path) >= sizeof a.sun_path)
        return err_set(err, ERR_NOT_FOUND, "the socket's path is longer than %zu bytes: %s",
                       sizeof a.sun_path - 1, path);
    memcpy(a.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(err, ERR_INTERNAL, "no socket can be made: %s", strerror(errno));
    if (connect(fd, (const struct sockaddr *)&a, sizeof a) == 0) {
        *ret = fd;
        return 0;
    }
    why = errno;
    close(fd);
    if (why == EACCES || why == EPERM)
        return err_set(err, ERR_FORBIDDEN, "the node's socket %s is its owner's only", path);
    return err_set(err, ERR_NOT_FOUND, "no node answers at %s", path);
}

/* What the node says before it has read all (413, 503) is still worth reading. */
static void send_all(int fd, struct str s)
{
    while (s.n) {
        ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        s = str_from(s, (size_t)n);
    }
}

static void send_request(int fd, const struct http_ask *ask)
{
    _cleanup_(sb_done) struct sb head = sb_make(HTTP_ASK_HEAD_MAX);

    sb_fmt(&head, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", ask->method,
           ask->target);
    if (ask->body.p)
        sb_fmt(&head, "Content-Length: %zu\r\n", ask->body.n);
    sb_lit(&head, "\r\n");
    if (head.failed)
        return;
    send_all(fd, sb_view(&head));
    send_all(fd, ask->body.p ? ask->body : STR(""));
}

/* The value of a header of the reply, trimmed; STR_NULL if it is not there. */
static struct str header(struct str head, struct str name)
{
    struct str line;

    while (head.n && str_split(&head, '\n', &line)) {
        ptrdiff_t colon = str_find(line, ':');
        if (colon > 0 && str_eq_nocase(str_head(line, (size_t)colon), name))
            return str_trim(str_from(line, (size_t)colon + 1));
    }
    return STR_NULL;
}

static int gone(struct err *err)
{
    return err_set(err, ERR_TIMEOUT, "the node stopped before it had answered");
}

/* Cuts the head off what has arrived; 0 while it is not whole. */
static int read_head(struct sb *in, int *ret_status, uint64_t *ret_length, struct err *err)
{
    char *end = in->n ? memmem(in->p, in->n, "\r\n\r\n", 4) : NULL;
    struct str head;
    uint64_t status, length;

    if (!end)
        return in->n > HTTP_ASK_HEAD_MAX ? gone(err) : 0;
    head = str_n(in->p, (size_t)(end - in->p));
    if (head.n < 12 || !str_starts(head, STR("HTTP/1.")) ||
        !str_to_u64(str_n(head.p + 9, 3), 599, &status) ||
        !str_to_u64(header(head, STR("Content-Length")), SIZE_MAX, &length))
        return err_set(err, ERR_INTERNAL, "what answers at the socket is no node");
    in->n -= head.n + 4;
    memmove(in->p, end + 4, in->n);
    *ret_status = (int)status;
    *ret_length = length;
    return 1;
}

static int receive(int fd, int *ret_status, struct sb *in, struct err *err)
{
    uint64_t length = 0;
    bool has_head = false;
    int r;

    for (;;) {
        char *room = sb_room(in, RECEIVE_BYTES);
        ssize_t n;

        if (!room)
            return err_set(err, ERR_TOO_LONG, "the node's answer is longer than %zu bytes",
                           in->max);
        n = recv(fd, room, RECEIVE_BYTES, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return gone(err);
        sb_add(in, (size_t)n);
        if (!has_head) {
            r = read_head(in, ret_status, &length, err);
            if (r < 0)
                return r;
            has_head = r > 0;
        }
        if (has_head && in->n >= length)
            return 0;
    }
}

int http_ask(const struct http_ask *ask, int *ret_status, struct sb *ret_body, struct err *err)
{
    int fd = -1, r = open_socket(ask->socket_path, &fd, err);

    if (r < 0)
        return r;
    send_request(fd, ask);
    r = receive(fd, ret_status, ret_body, err);
    close(fd);
    return r;
}
