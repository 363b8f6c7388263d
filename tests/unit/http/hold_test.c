/* Replies that are made ready and leave only when they are let go. */
#include "client.h"

#define HOST "Host: t\r\n"
#define GET "GET / HTTP/1.1\r\n" HOST "\r\n"
#define GET_GZIP "GET / HTTP/1.1\r\n" HOST "Accept-Encoding: gzip\r\n\r\n"
#define LONG (HTTP_GZIP_INLINE_MAX * 4)
#define MANY 200

static struct {
    pthread_mutex_t lock;
    struct http_exchange *x[MANY];
    unsigned n;
} held = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void keep(struct http_exchange *x)
{
    pthread_mutex_lock(&held.lock);
    held.x[held.n++] = x;
    pthread_mutex_unlock(&held.lock);
}

static struct http_exchange *take(void)
{
    struct http_exchange *x = NULL;

    for (int i = 0; i < 2000 && !x; i++) {
        pthread_mutex_lock(&held.lock);
        x = held.n ? held.x[--held.n] : NULL;
        pthread_mutex_unlock(&held.lock);
        if (!x)
            sleep_ms(2);
    }
    assert_non_null(x);
    return x;
}

static void finish(struct http_exchange *x, size_t n)
{
    struct sb b = sb_make(MIB(2));

    for (size_t i = 0; i < n; i++)
        sb_char(&b, (char)('a' + i % 7));
    http_reply(x, 200, "text/plain", &b);
}

/* The reply is there first; `ctx` says how long it is. */
static void reply_first(void *ctx, struct http_exchange *x)
{
    http_hold(x);
    finish(x, (size_t)(uintptr_t)ctx);
    keep(x);
}

static void release_first(void *ctx, struct http_exchange *x)
{
    http_hold(x);
    http_release(x, NULL);
    finish(x, (size_t)(uintptr_t)ctx);
}

static void on_worker(void *ctx, struct http_exchange *x)
{
    reply_first(ctx, x);
}

static void to_worker(void *ctx, struct http_exchange *x)
{
    assert_true(http_work(x, on_worker, ctx));
}

static void waits_until_it_is_let_go(void **state)
{
    static http_handler *const handlers[] = {reply_first, to_worker};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(handlers); i++) {
        struct http_config c = {.handle = handlers[i], .ctx = (void *)(uintptr_t)5, .workers = 2};
        struct http_server *s = serve(&c);
        _cleanup_(reply_done) struct reply r = reply_make();
        int fd = connect_port(http_server_port(s));

        send_text(fd, GET);
        sleep_ms(50);
        assert_true(receive_some(fd, &r.bytes, 50) <= 0); /* nothing has left */
        http_release(take(), NULL);
        assert_true(receive(fd, &r, false));
        assert_str(reply_body(&r), STR("abcde"));
        close(fd);
        http_server_stop(s, 1000);
    }
}

static void may_be_let_go_before(void **state)
{
    struct http_config c = {.handle = release_first, .ctx = (void *)(uintptr_t)5};
    struct http_server *s = serve(&c);
    _cleanup_(reply_done) struct reply r = reply_make();

    (void)state;
    for (int i = 0; i < 50; i++) {
        assert_int_equal(ask(http_server_port(s), GET, &r), 200);
        assert_str(reply_body(&r), STR("abcde"));
    }
    http_server_stop(s, 1000);
}

/* Nothing of a reply that is refused leaves, headers neither. */
static void is_replaced_by_an_error(void **state)
{
    static const size_t lengths[] = {0, 5, LONG};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        struct http_config c = {
            .handle = reply_first, .ctx = (void *)(uintptr_t)lengths[i], .workers = 2};
        struct http_server *s = serve(&c);
        _cleanup_(reply_done) struct reply r = reply_make();
        int fd = connect_port(http_server_port(s));
        struct err err;

        send_text(fd, GET_GZIP);
        err_set(&err, ERR_FULL, "the log is full");
        http_release(take(), &err);
        assert_true(receive(fd, &r, false));
        assert_true(str_starts(reply_head(&r), STR("HTTP/1.1 507")));
        assert_null(reply_get(&r, "Content-Encoding").p);
        assert_str(reply_body(&r), STR("{\"error\":\"ERR_FULL\"}"));
        close(fd);
        http_server_stop(s, 1000);
    }
}

/* Long replies are compressed by a worker, whichever comes first. */
static void long_replies_are_compressed(void **state)
{
    static http_handler *const handlers[] = {reply_first, release_first};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(handlers); i++) {
        struct http_config c = {
            .handle = handlers[i], .ctx = (void *)(uintptr_t)LONG, .workers = 2};
        struct http_server *s = serve(&c);
        _cleanup_(reply_done) struct reply r = reply_make();
        int fd = connect_port(http_server_port(s));

        for (int k = 0; k < 20; k++) {
            send_text(fd, GET_GZIP);
            if (handlers[i] == reply_first)
                http_release(take(), NULL);
            r.next = r.bytes.n = 0;
            assert_true(receive(fd, &r, false));
            assert_str(reply_get(&r, "Content-Encoding"), STR("gzip"));
        }
        close(fd);
        http_server_stop(s, 1000);
    }
}

static void many_at_once(void **state)
{
    struct http_config c = {.handle = reply_first, .ctx = (void *)(uintptr_t)5};
    struct http_server *s = serve(&c);
    _cleanup_(reply_done) struct reply r = reply_make();
    int fd[MANY];

    (void)state;
    for (int i = 0; i < MANY; i++) {
        fd[i] = connect_port(http_server_port(s));
        send_text(fd[i], GET);
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < MANY; i++)
            http_release(take(), NULL);
        for (int i = 0; i < MANY; i++) {
            r.next = r.bytes.n = 0;
            assert_true(receive(fd[i], &r, false));
            assert_str(reply_body(&r), STR("abcde"));
            if (round == 0)
                send_text(fd[i], GET); /* the connection is as good as before */
        }
    }
    for (int i = 0; i < MANY; i++)
        close(fd[i]);
    http_server_stop(s, 1000);
}

/* Keeps its loop busy, so that what comes meanwhile is ready all at once. */
static void busy_or_echo(void *ctx, struct http_exchange *x)
{
    if (str_eq(http_request(x)->path, STR("/busy")))
        sleep_ms(300);
    echo(ctx, x);
}

/* libmicrohttpd fetches 128 events in a call, and takes 128 to mean that there are more. */
static void as_many_at_once_as_are_fetched(void **state)
{
    struct http_config c = {.handle = busy_or_echo, .threads = 1};
    struct http_server *s = serve(&c);
    _cleanup_(reply_done) struct reply r = reply_make();
    int fd[128], busy = connect_port(http_server_port(s));

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fd); i++) {
        fd[i] = connect_port(http_server_port(s));
        send_text(fd[i], GET);
        r.next = r.bytes.n = 0;
        assert_true(receive(fd[i], &r, false));
    }
    send_text(busy, "GET /busy HTTP/1.1\r\n" HOST "\r\n");
    sleep_ms(100);
    for (size_t i = 0; i < ARRAY_LEN(fd); i++)
        send_text(fd[i], GET);
    for (size_t i = 0; i < ARRAY_LEN(fd); i++) {
        r.next = r.bytes.n = 0;
        assert_true(receive(fd[i], &r, false));
        close(fd[i]);
    }
    close(busy);
    http_server_stop(s, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_until_it_is_let_go),
        cmocka_unit_test(may_be_let_go_before),
        cmocka_unit_test(is_replaced_by_an_error),
        cmocka_unit_test(long_replies_are_compressed),
        cmocka_unit_test(many_at_once),
        cmocka_unit_test(as_many_at_once_as_are_fetched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
