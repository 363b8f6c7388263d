#include "http/http_int.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024
#define HOST_MAX 256

/* "host:port" or "[v6]:port" into its parts. */
static int split(const char *spec, char host[HOST_MAX], char port[8], struct err *err)
{
    struct str s = str_c(spec), h, p;
    ptrdiff_t colon = str_rfind(s, ':');
    uint64_t number;

    if (colon <= 0)
        return err_set(err, ERR_INVALID, "\"%s\" is not HOST:PORT", spec);
    h = str_head(s, (size_t)colon);
    p = str_from(s, (size_t)colon + 1);
    if (!str_to_u64(p, 65535, &number))
        return err_set(err, ERR_INVALID, "the port of \"%s\" is not a number from 0 to 65535",
                       spec);
    if (h.n > 2 && h.p[0] == '[' && h.p[h.n - 1] == ']')
        h = str_n(h.p + 1, h.n - 2);
    else if (str_find(h, ':') >= 0)
        return err_set(err, ERR_INVALID, "an IPv6 address needs brackets: \"[%.*s]:%.*s\"",
                       STR_ARG(h), STR_ARG(p));
    if (h.n >= HOST_MAX)
        return err_set(err, ERR_INVALID, "the host of the address is too long");
    snprintf(host, HOST_MAX, "%.*s", STR_ARG(h));
    snprintf(port, 8, "%u", (unsigned)number);
    return 0;
}

static int listen_failed(const char *spec, int why, struct err *err)
{
    switch (why) {
    case EADDRINUSE: return err_set(err, ERR_CONFLICT, "%s is in use by another program", spec);
    case EADDRNOTAVAIL:
        return err_set(err, ERR_INVALID, "%s is not an address of this machine", spec);
    case EACCES: return err_set(err, ERR_FORBIDDEN, "this user may not listen on %s", spec);
    default: return err_set(err, ERR_INTERNAL, "cannot listen on %s: %s", spec, strerror(why));
    }
}

static int bound_port(int fd)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    char port[8];

    if (getsockname(fd, (struct sockaddr *)&a, &n) < 0 ||
        getnameinfo((struct sockaddr *)&a, n, NULL, 0, port, sizeof port, NI_NUMERICSERV) != 0)
        return 0;
    return (int)strtol(port, NULL, 10);
}

int listen_tcp(const char *spec, int *ret_fd, int *ret_port, struct err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *all;
    char host[HOST_MAX], port[8];
    int r, why = EADDRNOTAVAIL, one = 1;

    r = split(spec, host, port, err);
    if (r < 0)
        return r;
    r = getaddrinfo(host, port, &hints, &all);
    if (r != 0)
        return err_set(err, ERR_INVALID, "the host \"%s\" is not known: %s", host, gai_strerror(r));
    for (struct addrinfo *a = all; a; a = a->ai_next) {
        int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0) {
            why = errno;
            continue;
        }
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) {
            freeaddrinfo(all);
            *ret_port = bound_port(fd);
            *ret_fd = fd;
            return 0;
        }
        why = errno;
        close(fd);
    }
    freeaddrinfo(all);
    return listen_failed(spec, why, err);
}

/* Whether a server answers behind the socket file; a file that nobody serves is a leftover. */
static bool is_served(const struct sockaddr_un *a)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool served = fd >= 0 && (connect(fd, (const struct sockaddr *)a, sizeof *a) == 0 ||
                              errno == EAGAIN || errno == EINPROGRESS);

    if (fd >= 0)
        close(fd);
    return served;
}

int listen_unix(const char *path, int *ret_fd, struct err *err)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct stat st;
    int fd;

    if (strlen(path) >= sizeof a.sun_path)
        return err_set(err, ERR_INVALID, "the socket's path is longer than %zu bytes: %s",
                       sizeof a.sun_path - 1, path);
    memcpy(a.sun_path, path, strlen(path));
    if (lstat(path, &st) == 0) {
        if (!S_ISSOCK(st.st_mode))
            return err_set(err, ERR_CONFLICT, "%s exists and is not a socket", path);
        if (is_served(&a))
            return err_set(err, ERR_CONFLICT, "%s is in use by another program", path);
        unlink(path);
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return listen_failed(path, errno, err);
    /* On Linux the mode of the socket before bind is the mode of the file: never open to others,
     * not even for a moment. */
    if (fchmod(fd, 0600) < 0 || bind(fd, (const struct sockaddr *)&a, sizeof a) < 0 ||
        chmod(path, 0600) < 0 || listen(fd, BACKLOG) < 0) {
        int why = errno;
        close(fd);
        return listen_failed(path, why, err);
    }
    *ret_fd = fd;
    return 0;
}
