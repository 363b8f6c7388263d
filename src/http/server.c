#include "http/http_int.h"

#include "base/log.h"

#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define STOP_RESUME_MS 1000
#define STOP_POLL_NS 2000000

static unsigned shard(void)
{
    static atomic_uint threads;
    static __thread unsigned mine;

    if (!mine)
        mine = 1 + atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed) % SHARDS;
    return mine - 1;
}

struct counters *server_counters(struct http_server *s)
{
    return &s->counters[shard()];
}

static unsigned cores(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return 1;
    return (unsigned)MAX(CPU_COUNT(&set), 1);
}

static void take_config(struct http_server *s, const struct http_config *config)
{
    struct http_config *c = &s->config;

    *c = *config;
    c->threads = c->threads ? c->threads : cores();
    c->workers = c->workers ? c->workers : MAX(cores(), 2u);
    c->arena_max = c->arena_max ? c->arena_max : HTTP_ARENA_MAX;
    c->large_body = c->large_body ? c->large_body : HTTP_BODY_MEMORY_MAX;
    c->body_max = c->body_max ? c->body_max : HTTP_BODY_MAX_DEFAULT;
    c->bodies_max = c->bodies_max ? c->bodies_max : HTTP_BODIES_MAX;
    c->idle_seconds = c->idle_seconds ? c->idle_seconds : HTTP_IDLE_SECONDS;
    c->request_seconds = c->request_seconds ? c->request_seconds : HTTP_REQUEST_SECONDS;
    c->work_queue_max = c->work_queue_max ? c->work_queue_max : HTTP_WORK_QUEUE_MAX;
    c->spool_dir = c->spool_dir ? c->spool_dir : "/tmp";
}

static int listen_any(struct http_server *s, const struct http_config *c, struct err *err)
{
    int r;

    if (!c->socket_path)
        return listen_tcp(c->listen ? c->listen : "", &s->listen_fd, &s->port, err);
    r = listen_unix(c->socket_path, &s->listen_fd, err);
    if (r < 0)
        return r;
    s->socket_path = strdup(c->socket_path);
    return s->socket_path ? 0 : err_no_memory(err);
}

static void server_free(struct http_server *s)
{
    loops_stop(s);
    workers_stop(&s->workers);
    keeper_stop(&s->keeper);
    if (s->listen_fd >= 0)
        close(s->listen_fd);
    if (s->socket_path)
        unlink(s->socket_path);
    free(s->socket_path);
    tls_free(s);
    free(s);
}

int http_server_start(const struct http_config *config, struct http_server **ret, struct err *err)
{
    struct http_server *s = aligned_alloc(64, (sizeof *s + 63) & ~(size_t)63);
    int r;

    if (!s)
        return err_no_memory(err);
    memset(s, 0, sizeof *s);
    s->listen_fd = s->keeper.event_fd = -1;
    take_config(s, config);
    r = tls_load(s, err);
    if (r >= 0)
        r = listen_any(s, config, err);
    if (r >= 0)
        r = keeper_start(&s->keeper, s->config.request_seconds, err);
    if (r >= 0)
        r = workers_start(&s->workers, &s->config, err);
    if (r >= 0)
        r = loops_start(s, err);
    if (r < 0) {
        server_free(s);
        return r;
    }
    *ret = s;
    return 0;
}

static uint64_t under_way(struct http_server *s)
{
    uint64_t begun = 0, ended = 0;

    for (int i = 0; i < SHARDS; i++)
        ended += atomic_load(&s->counters[i].ended);
    for (int i = 0; i < SHARDS; i++)
        begun += atomic_load(&s->counters[i].begun);
    return begun - ended;
}

static void sleep_a_little(void)
{
    nanosleep(&(struct timespec){.tv_nsec = STOP_POLL_NS}, NULL);
}

void http_server_stop(struct http_server *s, unsigned grace_ms)
{
    int64_t until = keeper_now_ms() + grace_ms;

    if (!s)
        return;
    atomic_store(&s->stopping, true);
    loops_refuse(s);
    while (under_way(s) > 0 && keeper_now_ms() < until)
        sleep_a_little();
    /* From here on no handler is called any more. A request either sees this or is seen below. */
    atomic_store(&s->closing, true);
    if (atomic_load(&s->owned) > 0)
        log_event(LOG_WARN, LOG_STOP, "waiting_for=%u", atomic_load(&s->owned));
    while (atomic_load(&s->owned) > 0)
        sleep_a_little();
    /* A loop must have its last connection back from its owner: MHD stops no suspended one. */
    until = MAX(until, keeper_now_ms() + STOP_RESUME_MS);
    while ((under_way(s) > 0 && keeper_now_ms() < until) || atomic_load(&s->owned) > 0)
        sleep_a_little();
    server_free(s);
}

int http_server_port(const struct http_server *s)
{
    return s->port;
}

void http_server_stats(const struct http_server *s, struct http_stats *ret)
{
    uint64_t closed = 0;

    *ret = (struct http_stats){0};
    for (int i = 0; i < SHARDS; i++) {
        const struct counters *c = &s->counters[i];

        closed += atomic_load_explicit(&c->closed, memory_order_relaxed);
        ret->connections += atomic_load_explicit(&c->connections, memory_order_relaxed);
        ret->requests += atomic_load_explicit(&c->ended, memory_order_relaxed);
        ret->bytes_in += atomic_load_explicit(&c->bytes_in, memory_order_relaxed);
        ret->bytes_out += atomic_load_explicit(&c->bytes_out, memory_order_relaxed);
        ret->refused += atomic_load_explicit(&c->refused, memory_order_relaxed);
    }
    ret->open = ret->connections - MIN(closed, ret->connections);
}
