#include "client.h"

#define HOST "Host: t\r\n"
#define GET "GET / HTTP/1.1\r\n" HOST "\r\n"

static void finish(struct http_exchange *x, const char *text)
{
    struct sb b = sb_make(KIB(1));

    sb_str(&b, str_c(text));
    http_reply(x, 200, "text/plain", &b);
}

/* Keeps exchanges until somebody lets them go. */
struct shelf {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct http_exchange *x[256];
    unsigned n;
};

static struct shelf shelf = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};

static void put_on_shelf(_unused_ void *ctx, struct http_exchange *x)
{
    http_defer(x);
    pthread_mutex_lock(&shelf.lock);
    shelf.x[shelf.n++] = x;
    pthread_cond_signal(&shelf.more);
    pthread_mutex_unlock(&shelf.lock);
}

static struct http_exchange *take_from_shelf(void)
{
    struct http_exchange *x;

    pthread_mutex_lock(&shelf.lock);
    while (shelf.n == 0)
        pthread_cond_wait(&shelf.more, &shelf.lock);
    x = shelf.x[--shelf.n];
    pthread_mutex_unlock(&shelf.lock);
    return x;
}

static void wait_on_shelf(unsigned n)
{
    for (int i = 0; i < 1000; i++) {
        bool there;

        pthread_mutex_lock(&shelf.lock);
        there = shelf.n >= n;
        pthread_mutex_unlock(&shelf.lock);
        if (there)
            return;
        sleep_ms(5);
    }
    fail_msg("%u exchanges did not arrive", n);
}

/* 200 connections wait at once, and are answered from one foreign thread in another order. */
static void many_replies_come_later(void **state)
{
    enum { N = 200 };
    struct http_config c = {.handle = put_on_shelf};
    struct http_server *s = serve(&c);
    _cleanup_(reply_done) struct reply r = reply_make();
    int fd[N];

    (void)state;
    for (int i = 0; i < N; i++) {
        char head[128];

        fd[i] = connect_port(http_server_port(s));
        snprintf(head, sizeof head, "GET /n/%d HTTP/1.1\r\n" HOST "X-N: %d\r\n\r\n", i, i);
        send_text(fd[i], head);
    }
    wait_on_shelf(N);
    for (int i = 0; i < N; i++) {
        struct http_exchange *x = take_from_shelf();
        char text[64];

        snprintf(text, sizeof text, "%.*s %.*s", STR_ARG(http_request(x)->path),
                 STR_ARG(http_header(x, "X-N")));
        finish(x, text);
    }
    for (int i = 0; i < N; i++) {
        char want[64];

        r.next = r.bytes.n = 0;
        assert_true(receive(fd[i], &r, false));
        snprintf(want, sizeof want, "/n/%d %d", i, i);
        assert_str(reply_body(&r), str_c(want));
    }
    /* The connections are as good as before. */
    for (int i = 0; i < N; i++) {
        send_text(fd[i], GET);
        finish(take_from_shelf(), "again");
        r.next = r.bytes.n = 0;
        assert_true(receive(fd[i], &r, false));
        assert_str(reply_body(&r), STR("again"));
        close(fd[i]);
    }
    http_server_stop(s, 1000);
}

static void half(_unused_ void *ctx, struct http_exchange *x)
{
    http_set_user(x, (void *)((uintptr_t)http_user(x) + 1));
    if ((uintptr_t)http_user(x) == 3)
        finish(x, "three turns");
    else
        http_work(x, half, NULL);
}

static void to_worker(_unused_ void *ctx, struct http_exchange *x)
{
    assert_true(http_work(x, half, NULL));
}

static void workers_take_turns(void **state)
{
    struct http_config c = {.handle = to_worker, .workers = 3};
    struct http_server *s = serve(&c);
    _cleanup_(reply_done) struct reply r = reply_make();
    int fd[40];

    (void)state;
    for (int i = 0; i < 40; i++)
        fd[i] = connect_port(http_server_port(s));
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 40; i++)
            send_text(fd[i], GET);
        for (int i = 0; i < 40; i++) {
            r.next = r.bytes.n = 0;
            assert_true(receive(fd[i], &r, false));
            assert_str(reply_body(&r), STR("three turns"));
        }
    }
    for (int i = 0; i < 40; i++)
        close(fd[i]);
    http_server_stop(s, 1000);
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void through_gate(_unused_ void *ctx, struct http_exchange *x)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    finish(x, "through");
}

static void queue_or_busy(_unused_ void *ctx, struct http_exchange *x)
{
    struct err err;

    if (http_work(x, through_gate, NULL))
        return;
    err_set(&err, ERR_BUSY, "the queue is full");
    http_reply_err(x, &err);
}

/* One worker, two places: the fourth and later are told to come back. */
static void full_queue_says_busy(void **state)
{
    struct http_config c = {.handle = queue_or_busy, .workers = 1, .work_queue_max = 2};
    struct http_server *s = serve(&c);
    _cleanup_(reply_done) struct reply r = reply_make();
    int fd[3];

    (void)state;
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 3; i++) {
        fd[i] = connect_port(http_server_port(s));
        send_text(fd[i], GET);
        sleep_ms(50);
    }
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ask(http_server_port(s), GET, &r), 503);
        assert_non_null(reply_get(&r, "Retry-After").p);
    }
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < 3; i++) {
        r.next = r.bytes.n = 0;
        assert_true(receive(fd[i], &r, false));
        assert_str(reply_body(&r), STR("through"));
        close(fd[i]);
    }
    http_server_stop(s, 1000);
}

/* A client that has sent all may close its side and still read the reply. */
static void half_closed_clients_are_answered(void **state)
{
    struct http_config c = {.handle = put_on_shelf};
    struct http_server *s = serve(&c);
    _cleanup_(reply_done) struct reply r = reply_make();
    int fd = connect_port(http_server_port(s));

    (void)state;
    send_text(fd, GET);
    shutdown(fd, SHUT_WR);
    wait_on_shelf(1);
    sleep_ms(50);
    finish(take_from_shelf(), "late");
    assert_true(receive(fd, &r, false));
    assert_str(reply_body(&r), STR("late"));
    close(fd);
    http_server_stop(s, 1000);
}

/* Clients that went away in the middle cost nothing but their own reply. */
static void gone_clients_are_forgotten(void **state)
{
    struct http_config c = {.handle = put_on_shelf};
    struct http_server *s = serve(&c);
    _cleanup_(reply_done) struct reply r = reply_make();
    struct http_stats st = {0};
    int fd;

    (void)state;
    for (int i = 0; i < 20; i++) {
        struct linger reset = {.l_onoff = i % 2};

        fd = connect_port(http_server_port(s));
        send_text(fd, GET);
        wait_on_shelf((unsigned)i + 1);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fd);
    }
    for (int i = 0; i < 20; i++)
        finish(take_from_shelf(), "nobody there");
    for (int i = 0; i < 500 && st.requests < 20; i++) {
        sleep_ms(5);
        http_server_stats(s, &st);
    }
    assert_int_equal(st.requests, 20);
    fd = connect_port(http_server_port(s));
    send_text(fd, GET);
    finish(take_from_shelf(), "here");
    assert_true(receive(fd, &r, false));
    assert_str(reply_body(&r), STR("here"));
    close(fd);
    http_server_stop(s, 1000);
}

static void *answer_soon(void *ms)
{
    sleep_ms((int)(intptr_t)ms);
    finish(take_from_shelf(), "in time");
    return NULL;
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

/* What is under way finishes; nothing new is accepted. */
static void stop_waits_for_replies(void **state)
{
    struct http_config c = {.handle = put_on_shelf};
    struct http_server *s = serve(&c);
    int port = http_server_port(s), fd = connect_port(port), idle = connect_port(port);
    _cleanup_(reply_done) struct reply r = reply_make();
    pthread_t t;

    (void)state;
    send_text(fd, GET);
    wait_on_shelf(1);
    pthread_create(&t, NULL, answer_soon, (void *)(intptr_t)300);
    http_server_stop(s, 5000);
    pthread_join(t, NULL);
    assert_true(receive(fd, &r, false));
    assert_str(reply_body(&r), STR("in time"));
    assert_str(reply_get(&r, "Connection"), STR("close"));
    assert_true(is_closed(idle, 1000));
    close(fd);
    close(idle);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_not_equal(
        connect(fd,
                (struct sockaddr *)&(struct sockaddr_in){.sin_family = AF_INET,
                                                         .sin_port = htons((uint16_t)port),
                                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
                sizeof(struct sockaddr_in)),
        0);
    close(fd);
}

/* Past the grace an owner of an exchange is still waited for: it holds our memory. */
static void stop_waits_for_owners(void **state)
{
    struct http_config c = {.handle = put_on_shelf};
    struct http_server *s = serve(&c);
    int fd = connect_port(http_server_port(s));
    int64_t start = now_ms();
    pthread_t t;

    (void)state;
    send_text(fd, GET);
    wait_on_shelf(1);
    pthread_create(&t, NULL, answer_soon, (void *)(intptr_t)400);
    http_server_stop(s, 50);
    assert_true(now_ms() - start >= 390);
    pthread_join(t, NULL);
    close(fd);
}

/* Requests that never become whole do not hold up the stop longer than the grace. */
static void stop_cuts_half_requests(void **state)
{
    struct http_config c = {0};
    struct http_server *s = serve(&c);
    int fd = connect_port(http_server_port(s));
    int64_t start;

    (void)state;
    send_text(fd, "POST / HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nhalf");
    sleep_ms(50);
    start = now_ms();
    http_server_stop(s, 200);
    assert_in_range(now_ms() - start, 150, 3000);
    assert_true(is_closed(fd, 1000));
    close(fd);
}

/* Stops while clients are busy on many connections: no reply is torn. */
static void *hammer(void *port)
{
    uintptr_t torn = 0;

    for (bool open = true; open;) {
        struct sockaddr_in a = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)(intptr_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct reply r = reply_make();

        open = connect(fd, (struct sockaddr *)&a, sizeof a) == 0;
        while (open && send_text(fd, GET) && receive(fd, &r, false))
            torn += !str_eq(reply_body(&r), STR("three turns"));
        torn += r.bytes.n != r.next; /* a part of a reply */
        reply_done(&r);
        close(fd);
    }
    return (void *)torn;
}

static void stop_tears_no_reply(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        struct http_config c = {.handle = to_worker};
        struct http_server *s = serve(&c);
        pthread_t t[4];

        for (int i = 0; i < 4; i++)
            pthread_create(&t[i], NULL, hammer, (void *)(intptr_t)http_server_port(s));
        sleep_ms(50 + 20 * round);
        http_server_stop(s, 2000);
        for (int i = 0; i < 4; i++) {
            void *torn;

            pthread_join(t[i], &torn);
            assert_null(torn);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_replies_come_later),
        cmocka_unit_test(workers_take_turns),
        cmocka_unit_test(full_queue_says_busy),
        cmocka_unit_test(half_closed_clients_are_answered),
        cmocka_unit_test(gone_clients_are_forgotten),
        cmocka_unit_test(stop_waits_for_replies),
        cmocka_unit_test(stop_waits_for_owners),
        cmocka_unit_test(stop_cuts_half_requests),
        cmocka_unit_test(stop_tears_no_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
