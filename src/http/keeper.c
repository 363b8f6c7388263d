#include "http/http_int.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TICK_MAX_MS 1000

int64_t keeper_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

/* The loop notices the shutdown as the client's end of file, and cleans up. */
static void end_late(struct conn *c, int64_t now)
{
    static const char timeout[] = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n"
                                  "Content-Length: 0\r\n\r\n";
    int64_t deadline = atomic_load_explicit(&c->deadline_ms, memory_order_relaxed);
    int stage = atomic_load_explicit(&c->stage, memory_order_acquire);

    if (deadline == 0 || now < deadline || (stage != CONN_READING && stage != CONN_WRITING))
        return;
    if (!atomic_compare_exchange_strong(&c->stage, &stage, CONN_ENDED))
        return;
    if (stage == CONN_READING && !c->is_tls)
        send(c->fd, timeout, sizeof timeout - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(c->fd, SHUT_RDWR);
}

/* libmicrohttpd misses a client's end of file that arrives together with the last bytes (its epoll
 * events are edges), and would keep the half request until it is idle for too long. Twice in a row,
 * so that a loop that has just read a whole request has long begun to work on it. */
static void end_gone(struct conn *c)
{
    int reading = CONN_READING;
    char byte;

    if (atomic_load_explicit(&c->stage, memory_order_acquire) != CONN_READING ||
        recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0) {
        c->gone = false;
        return;
    }
    if (c->gone && atomic_compare_exchange_strong(&c->stage, &reading, CONN_ENDED))
        shutdown(c->fd, SHUT_RDWR);
    c->gone = true;
}

/* Reads what has arrived; false once there is nothing more to wait for. */
static bool linger_on(struct lingering *l, int64_t now)
{
    char sink[KIB(16)];

    for (;;) {
        ssize_t n = recv(l->fd, sink, sizeof sink, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return (errno == EAGAIN || errno == EWOULDBLOCK) && now < l->until_ms;
        l->read_bytes += (size_t)n;
        if (n == 0 || l->read_bytes > LINGER_BYTES_MAX)
            return false;
    }
}

static void *keep(void *ctx)
{
    struct keeper *k = ctx;
    int64_t next = 0;

    pthread_mutex_lock(&k->lock);
    while (!k->stop) {
        struct pollfd fds[1 + LINGER_MAX] = {{.fd = k->event_fd, .events = POLLIN}};
        unsigned n = k->lingers;
        int64_t now;
        uint64_t drained;

        for (unsigned i = 0; i < n; i++)
            fds[1 + i] = (struct pollfd){.fd = k->linger[i].fd, .events = POLLIN};
        pthread_mutex_unlock(&k->lock);
        poll(fds, 1 + n, n ? MIN(k->tick_ms, 200) : k->tick_ms);
        if (read(k->event_fd, &drained, sizeof drained) < 0)
            drained = 0;
        pthread_mutex_lock(&k->lock);

        now = keeper_now_ms();
        for (unsigned i = k->lingers; i-- > 0;) {
            if (!linger_on(&k->linger[i], now)) {
                close(k->linger[i].fd);
                k->linger[i] = k->linger[--k->lingers];
            }
        }
        if (now < next)
            continue;
        next = now + k->tick_ms;
        for (struct conn *c = k->conns; c; c = c->next) {
            end_late(c, now);
            end_gone(c);
        }
    }
    pthread_mutex_unlock(&k->lock);
    return NULL;
}

static void wake(struct keeper *k)
{
    uint64_t one = 1;

    if (write(k->event_fd, &one, sizeof one) < 0)
        return; /* full: it is awake already */
}

int keeper_start(struct keeper *k, unsigned request_seconds, struct err *err)
{
    sigset_t all, before;
    int r;

    pthread_mutex_init(&k->lock, NULL);
    k->tick_ms = (int)MIN((unsigned)TICK_MAX_MS, request_seconds * 1000 / 4 + 1);
    k->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (k->event_fd < 0)
        return err_set(err, ERR_NO_MEMORY, "no file descriptor is left for the server");
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_create(&k->thread, NULL, keep, k);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    k->running = r == 0;
    return r == 0 ? 0 : err_set(err, ERR_NO_MEMORY, "the keeper thread could not be started");
}

void keeper_stop(struct keeper *k)
{
    if (k->running) {
        pthread_mutex_lock(&k->lock);
        k->stop = true;
        pthread_mutex_unlock(&k->lock);
        wake(k);
        pthread_join(k->thread, NULL);
        pthread_mutex_destroy(&k->lock);
    }
    for (unsigned i = 0; i < k->lingers; i++)
        close(k->linger[i].fd);
    if (k->event_fd >= 0)
        close(k->event_fd);
    k->event_fd = -1;
    k->running = false;
}

void keeper_add(struct keeper *k, struct conn *c)
{
    pthread_mutex_lock(&k->lock);
    c->next = k->conns;
    if (c->next)
        c->next->prev = c;
    k->conns = c;
    pthread_mutex_unlock(&k->lock);
}

void keeper_remove(struct keeper *k, struct conn *c)
{
    pthread_mutex_lock(&k->lock);
    if (c->next)
        c->next->prev = c->prev;
    if (c->prev)
        c->prev->next = c->next;
    else
        k->conns = c->next;
    pthread_mutex_unlock(&k->lock);
}

void keeper_linger(struct keeper *k, int fd)
{
    int mine = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    if (mine < 0)
        return;
    shutdown(mine, SHUT_WR);
    pthread_mutex_lock(&k->lock);
    if (k->lingers < LINGER_MAX) {
        k->linger[k->lingers++] =
            (struct lingering){.fd = mine, .until_ms = keeper_now_ms() + LINGER_MS};
        mine = -1;
    }
    pthread_mutex_unlock(&k->lock);
    if (mine >= 0)
        close(mine);
    else
        wake(k);
}
