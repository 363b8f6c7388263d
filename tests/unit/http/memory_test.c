/* Memory of all requests together: large bodies take turns, unsent replies count. */
#include "client.h"

#define GET "GET / HTTP/1.1\r\nHost: t\r\n\r\n"
#define LARGE (HTTP_BODY_MEMORY_MAX + 1)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int at_gate;
static bool open_gate;

static void wait_at_gate(_unused_ void *ctx, struct http_exchange *x)
{
    pthread_mutex_lock(&lock);
    at_gate++;
    pthread_cond_broadcast(&changed);
    while (!open_gate)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    echo(NULL, x);
}

static void work(_unused_ void *ctx, struct http_exchange *x)
{
    assert_true(http_work(x, http_request(x)->body.n >= LARGE ? wait_at_gate : echo, NULL));
}

static void send_large(int fd)
{
    static const char block[KIB(16)];
    char head[200];

    snprintf(head, sizeof head, "PUT /large HTTP/1.1\r\nHost: t\r\nContent-Length: %zu\r\n\r\n",
             (size_t)LARGE);
    send_text(fd, head);
    for (size_t n = LARGE; n > 0; n -= MIN(n, sizeof block))
        send_n(fd, block, MIN(n, sizeof block));
}

static void large_bodies_take_turns(void **state)
{
    struct arena_budget budget = {.max = MIB(512)};
    struct http_config c = {.handle = work, .workers = 4, .memory = &budget};
    struct http_server *s = serve(&c); /* room for one whole arena */
    _cleanup_(reply_done) struct reply first = reply_make(), second = reply_make(),
                                       small = reply_make();
    int a = connect_port(http_server_port(s)), b = connect_port(http_server_port(s));

    (void)state;
    send_large(a);
    send_large(b);
    pthread_mutex_lock(&lock);
    while (at_gate < 1)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < 50; i++)
        assert_int_equal(ask(http_server_port(s), GET, &small), 200);
    pthread_mutex_lock(&lock);
    assert_int_equal(at_gate, 1);
    open_gate = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    assert_true(receive(a, &first, false));
    assert_true(receive(b, &second, false));
    assert_int_equal(first.status, 200);
    assert_int_equal(second.status, 200);
    assert_int_equal(at_gate, 2);
    close(a);
    close(b);
    http_server_stop(s, 1000);
    assert_int_equal(atomic_load(&budget.used), 0);
}

static void reply_long(_unused_ void *ctx, struct http_exchange *x)
{
    size_t n = MIB(6);
    struct sb b = sb_make(n);

    memset(sb_room(&b, n), 'x', n);
    sb_add(&b, n);
    http_reply(x, 200, "application/octet-stream", &b);
}

static void unsent_replies_count(void **state)
{
    struct arena_budget budget = {.max = MIB(20)}; /* 15 of them for large ones */
    struct http_config c = {.handle = reply_long, .memory = &budget};
    struct http_server *s = serve(&c);
    _cleanup_(reply_done) struct reply r = reply_make();
    int slow[2], port = http_server_port(s);
    char start[12];

    (void)state;
    for (int i = 0; i < 2; i++) {
        slow[i] = connect_port(port);
        send_text(slow[i], GET);
        assert_int_equal(recv(slow[i], start, sizeof start, MSG_WAITALL), sizeof start);
        assert_memory_equal(start, "HTTP/1.1 200", 12);
    }
    assert_int_equal(ask(port, GET, &r), 503);
    assert_true(reply_get(&r, "Retry-After").n > 0);
    assert_str(reply_body(&r), STR("{\"error\":\"ERR_BUSY\"}"));
    close(slow[0]);
    close(slow[1]);
    for (int i = 0; i < 500 && atomic_load(&budget.used) > MIB(1); i++)
        sleep_ms(10);
    assert_int_equal(ask(port, GET, &r), 200);
    http_server_stop(s, 1000);
    assert_int_equal(atomic_load(&budget.used), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_bodies_take_turns),
        cmocka_unit_test(unsent_replies_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
