/* The event loops are threads of ours around libmicrohttpd's public pieces, not its own: those stop
 * serving when exactly 128 events are ready at once. It fetches that many in one call, and then
 * asks for more with the time that it was willing to wait for the first (MHD_epoll, 0.9.75): what
 * is ready lies there until something else happens. Here all waiting is poll's, and libmicrohttpd
 * is only called not to wait. */
#include "http/http_int.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define FILES_FOR_OTHERS 128 /* descriptors that the rest of the process may need */

static __thread struct loop *current;

/* Of one loop: its share of as many as named, or as the process may open files for. */
static unsigned connections_max(unsigned threads)
{
    struct rlimit files;
    unsigned max = HTTP_CONNECTIONS_MAX, share;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < max + FILES_FOR_OTHERS)
        max = files.rlim_cur > 2 * FILES_FOR_OTHERS ? (unsigned)files.rlim_cur - FILES_FOR_OTHERS
                                                    : FILES_FOR_OTHERS;
    share = max / MAX(threads, 1u);
    return MAX(share, 1u);
}

/* We percent-decode ourselves, from the text as sent. */
static size_t leave_escaped(_unused_ void *ctx, _unused_ struct MHD_Connection *mhd, char *text)
{
    return strlen(text);
}

static struct MHD_Daemon *make_daemon(struct http_server *s, int listen_fd)
{
    const struct http_config *c = &s->config;
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
    struct MHD_OptionItem options[8];
    size_t n = 0;

    if (c->tls_cert) {
        flags |= MHD_USE_TLS;
        options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, s->tls[0]};
        options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, s->tls[1]};
        options[n++] = (struct MHD_OptionItem){
            MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"};
    }
    if (c->tls_client_ca)
        options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, s->tls[2]};
    options[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};

    return MHD_start_daemon(
        flags, 0, NULL, NULL, exchange_run, s, MHD_OPTION_LISTEN_SOCKET, listen_fd,
        MHD_OPTION_URI_LOG_CALLBACK, exchange_begin, s, MHD_OPTION_NOTIFY_COMPLETED, exchange_end,
        s, MHD_OPTION_NOTIFY_CONNECTION, exchange_connection, s, MHD_OPTION_UNESCAPE_CALLBACK,
        leave_escaped, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT, POOL_BYTES,
        MHD_OPTION_CONNECTION_LIMIT, connections_max(c->threads), MHD_OPTION_CONNECTION_TIMEOUT,
        c->idle_seconds, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

/* How long the loop may sleep if nothing comes; -1: for ever. */
static int wait_ms(struct MHD_Daemon *mhd)
{
    MHD_UNSIGNED_LONG_LONG ms;

    if (MHD_get_timeout(mhd, &ms) == MHD_NO)
        return -1;
    return (int)MIN(ms, (MHD_UNSIGNED_LONG_LONG)INT_MAX);
}

struct loop *loop_current(void)
{
    return current;
}

static void wake(struct loop *l)
{
    eventfd_write(l->wake_fd, 1); /* fails when it is full: then it is awake */
}

/* Whoever finds the list empty wakes the loop, which takes all that are there by then: replies that
 * become ready together cost one wake-up. */
void loop_return(struct http_exchange *x)
{
    struct loop *l = x->loop;
    struct http_server *s = x->server;
    struct http_exchange *first = atomic_load_explicit(&l->returned, memory_order_relaxed);

    do {
        x->next = first;
    } while (!atomic_compare_exchange_weak(&l->returned, &first, x));
    if (!first)
        wake(l); /* x may be gone by now; the loop waits for us to leave */
    atomic_fetch_sub(&s->owned, 1);
}

static void go_on(struct loop *l)
{
    struct http_exchange *x;

    if (!atomic_load_explicit(&l->returned, memory_order_relaxed))
        return;
    x = atomic_exchange(&l->returned, NULL);
    while (x) {
        struct http_exchange *next = x->next;

        MHD_resume_connection(x->mhd);
        x = next;
    }
}

static void *run(void *ctx)
{
    struct loop *l = ctx;

    current = l;
    while (!atomic_load(&l->stop)) {
        struct pollfd on[] = {{.fd = l->epoll_fd, .events = POLLIN},
                              {.fd = l->wake_fd, .events = POLLIN}};
        eventfd_t n;

        go_on(l);
        MHD_run(l->mhd); /* the first one puts the listening socket into the set */
        poll(on, ARRAY_LEN(on), wait_ms(l->mhd));
        if (on[1].revents)
            eventfd_read(l->wake_fd, &n);
    }
    go_on(l); /* libmicrohttpd stops with no connection suspended */
    return NULL;
}

static int loop_start(struct http_server *s, struct loop *l, struct err *err)
{
    const union MHD_DaemonInfo *info;

    l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->listen_fd = fcntl(s->listen_fd, F_DUPFD_CLOEXEC, 0);
    if (l->listen_fd < 0 || l->wake_fd < 0)
        return err_set(err, ERR_NO_MEMORY, "no file descriptor is left for the server");
    l->mhd = make_daemon(s, l->listen_fd); /* closes the socket when it ends */
    info = l->mhd ? MHD_get_daemon_info(l->mhd, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info)
        return err_set(err, ERR_INTERNAL, "the server's event loops do not start");
    l->epoll_fd = info->epoll_fd;
    l->running = pthread_create(&l->thread, NULL, run, l) == 0;
    return l->running ? 0 : err_set(err, ERR_NO_MEMORY, "an event loop could not be started");
}

int loops_start(struct http_server *s, struct err *err)
{
    unsigned n = s->config.threads;
    sigset_t all, before;
    int r = 0;

    s->loops = aligned_alloc(_Alignof(struct loop), n * sizeof *s->loops);
    if (!s->loops)
        return err_no_memory(err);
    memset(s->loops, 0, n * sizeof *s->loops);
    for (unsigned i = 0; i < n; i++)
        s->loops[i].listen_fd = s->loops[i].wake_fd = -1;
    /* Signals are for the main thread. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (unsigned i = 0; i < n && r >= 0; i++)
        r = loop_start(s, &s->loops[i], err);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(s->listen_fd);
    s->listen_fd = -1;
    return r;
}

/* Puts /dev/null in the listening socket's place: the kernel refuses clients at once and takes the
 * socket out of every epoll set, and the numbers stay valid for libmicrohttpd, which closes them
 * when it stops. (MHD_quiesce_daemon in 0.9.75 takes the socket out of the loop's set both from the
 * caller's thread and from the loop's own, and aborts when the two meet.) */
void loops_refuse(struct http_server *s)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0)
        return;
    for (unsigned i = 0; i < s->config.threads; i++)
        dup2(null, s->loops[i].listen_fd);
    close(null);
}

static void loop_stop(struct loop *l)
{
    if (l->running) {
        atomic_store(&l->stop, true);
        wake(l);
        pthread_join(l->thread, NULL);
    }
    if (l->mhd)
        MHD_stop_daemon(l->mhd);
    else if (l->listen_fd >= 0)
        close(l->listen_fd);
    if (l->wake_fd >= 0)
        close(l->wake_fd);
}

void loops_stop(struct http_server *s)
{
    for (unsigned i = 0; s->loops && i < s->config.threads; i++)
        loop_stop(&s->loops[i]);
    free(s->loops);
}
