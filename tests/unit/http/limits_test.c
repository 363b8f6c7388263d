#include "client.h"

#include <microhttpd.h>

#define HOST "Host: t\r\n"

static struct str error_of(const struct reply *r)
{
    return reply_body(r);
}

/* "METHOD uri-of-n-bytes" and n bytes of one header. */
static int ask_long(int port, size_t uri, size_t header, struct reply *r)
{
    _cleanup_(sb_done) struct sb b = sb_make(MIB(1));
    int fd = connect_port(port);
    bool whole;

    sb_lit(&b, "GET /");
    for (size_t i = 1; i < uri; i++)
        sb_char(&b, 'u');
    sb_lit(&b, " HTTP/1.1\r\n" HOST "X-Long: ");
    for (size_t i = 0; i < header; i++)
        sb_char(&b, 'h');
    sb_lit(&b, "\r\n\r\n");
    send_n(fd, b.p, b.n);
    r->next = r->bytes.n = 0;
    whole = receive(fd, r, false);
    close(fd);
    return whole ? r->status : 0;
}

static void long_heads_are_refused(void **state)
{
    struct http_config c = {0};
    struct http_server *s = serve(&c);
    int port = http_server_port(s);
    _cleanup_(reply_done) struct reply r = reply_make();

    (void)state;
    assert_int_equal(ask_long(port, HTTP_URI_MAX, 10, &r), 200);
    assert_int_equal(ask_long(port, HTTP_URI_MAX + 1, 10, &r), 414);
    assert_str(error_of(&r), STR("{\"error\":\"ERR_URI_TOO_LONG\"}"));
    assert_int_equal(ask_long(port, 100, HTTP_HEADERS_MAX - 200, &r), 200);
    assert_int_equal(ask_long(port, 100, HTTP_HEADERS_MAX, &r), 431);
    assert_str(error_of(&r), STR("{\"error\":\"ERR_TOO_LONG\"}"));
    /* Past its own memory libmicrohttpd answers itself, with the same status. */
    assert_int_equal(ask_long(port, KIB(100), 10, &r), 414);
    assert_int_equal(ask_long(port, 100, KIB(100), &r), 431);
    assert_int_equal(ask_long(port, 10, 10, &r), 200);
    http_server_stop(s, 1000);
}

static void many_arguments_cost_nothing(void **state)
{
    struct http_config c = {0};
    struct http_server *s = serve(&c);
    _cleanup_(reply_done) struct reply r = reply_make();
    _cleanup_(sb_done) struct sb b = sb_make(MIB(1)), want = sb_make(MIB(1));
    int fd = connect_port(http_server_port(s));

    (void)state;
    sb_lit(&b, "GET /?a");
    for (int i = 0; i < 4000; i++)
        sb_lit(&b, "&a");
    sb_str(&want, str_from(sb_view(&b), 6));
    sb_lit(&b, " HTTP/1.1\r\n" HOST "\r\n");
    send_n(fd, b.p, b.n);
    assert_true(receive(fd, &r, false));
    assert_int_equal(r.status, 200);
    assert_true(str_starts(str_from(reply_body(&r), 7), sb_view(&want)));
    close(fd);
    http_server_stop(s, 1000);
}

/* libmicrohttpd 1.0 refuses more by itself, with its own text, and sends a blank in the path away
 * (301) instead of refusing it. */
static bool library_refuses(void)
{
    return strncmp(MHD_get_version(), "0.", 2) != 0;
}

static void bad_framing_is_refused(void **state)
{
    static const struct {
        const char *request;
        int status;
        bool ours; /* the reply has our body */
    } table[] = {
        {"GET / HTTP/1.1\r\n\r\n", 400, true}, /* no Host */
        {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400, true},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400,
         true},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400, true},
        {"POST / HTTP/1.1\r\n" HOST
         "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
         400, true},
        {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400, true},
        {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400, true},
        {"GET / HTTP/1.1\r\n" HOST "X y: 1\r\n\r\n", 400, true},
        {"GET /a b HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"GET /a\x01z HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"G(T / HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"AVERYLONGMETHODNAMETHATNOBODYEVERDEFINED / HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", 400, false},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 1x\r\n\r\n", 400, false},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999999\r\n\r\n", 413, false},
        {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400, false},
        {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 413,
         false},
        {"GET / HTTP/2.0\r\n" HOST "\r\n", 505, false},
        {"GET / HTTP/0.9\r\n" HOST "\r\n", 505, false},
        {"GET / SMTP/1.1\r\n" HOST "\r\n", 400, false},
        {"GET / HTTP/1.1\r\nHost\r\n\r\n", 400, false},
    };
    struct http_config c = {0};
    struct http_server *s = serve(&c);
    _cleanup_(reply_done) struct reply r = reply_make();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        int fd = connect_port(http_server_port(s));

        r.next = r.bytes.n = 0;
        send_text(fd, table[i].request);
        if (!receive(fd, &r, false) ||
            (r.status != table[i].status && !(r.status == 301 && library_refuses())))
            fail_msg("%d for %s", r.status, table[i].request);
        if (table[i].ours && !library_refuses() &&
            !str_starts(error_of(&r), STR("{\"error\":\"ERR_SYNTAX\"}")))
            fail_msg("%.*s for %s", STR_ARG(error_of(&r)), table[i].request);
        close(fd);
    }
    http_server_stop(s, 1000);
}

/* After a reply to ambiguous framing nothing more is read from that connection. */
static void smuggling_ends_the_connection(void **state)
{
    struct http_config c = {0};
    struct http_server *s = serve(&c);
    int fd = connect_port(http_server_port(s));
    _cleanup_(reply_done) struct reply r = reply_make();

    (void)state;
    send_text(fd,
              "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
              "0\r\n\r\nGET /smuggled HTTP/1.1\r\n" HOST "\r\n");
    assert_true(receive(fd, &r, false));
    assert_int_equal(r.status, 400);
    assert_str(reply_get(&r, "Connection"), STR("close"));
    assert_false(receive(fd, &r, false));
    close(fd);
    http_server_stop(s, 1000);
}

static void large_body_is_refused_before_it_is_read(void **state)
{
    struct http_config c = {.body_max = MIB(2)};
    struct http_server *s = serve(&c);
    int fd = connect_port(http_server_port(s));
    _cleanup_(reply_done) struct reply r = reply_make();

    (void)state;
    send_text(fd, "POST / HTTP/1.1\r\n" HOST "Content-Length: 2097153\r\n\r\n");
    assert_true(receive(fd, &r, false));
    assert_int_equal(r.status, 413);
    assert_str(error_of(&r), STR("{\"error\":\"ERR_TOO_LONG\"}"));
    close(fd);
    http_server_stop(s, 1000);
}

/* The connection survives a body that is a little too long. */
static void short_refused_body_is_skipped(void **state)
{
    struct http_config c = {.body_max = 10};
    struct http_server *s = serve(&c);
    int fd = connect_port(http_server_port(s));
    _cleanup_(reply_done) struct reply r = reply_make();

    (void)state;
    send_text(fd, "POST / HTTP/1.1\r\n" HOST "Content-Length: 11\r\n\r\n01234567890");
    assert_true(receive(fd, &r, false));
    assert_int_equal(r.status, 413);
    send_text(fd, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                  "6\r\n012345\r\n6\r\n012345\r\n0\r\n\r\n");
    assert_true(receive(fd, &r, false));
    assert_int_equal(r.status, 413);
    send_text(fd, "POST / HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n0123456789");
    assert_true(receive(fd, &r, false));
    assert_int_equal(r.status, 200);
    close(fd);
    http_server_stop(s, 1000);
}

/* A client that sends on and on without saying how much still reads why it was cut off. */
static void endless_body_is_cut(void **state)
{
    struct http_config c = {.body_max = KIB(100)};
    struct http_server *s = serve(&c);
    int fd = connect_port(http_server_port(s));
    _cleanup_(reply_done) struct reply r = reply_make();
    static char chunk[KIB(64) + 9];
    size_t sent = 0;

    (void)state;
    memcpy(chunk, "10000\r\n", 7);
    memset(chunk + 7, 'x', KIB(64));
    memcpy(chunk + 7 + KIB(64), "\r\n", 2);
    send_text(fd, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    while (sent < MIB(64) && send_n(fd, chunk, sizeof chunk)) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        sent += sizeof chunk;
        if (poll(&p, 1, 0) > 0)
            break;
    }
    assert_true(sent < MIB(32));
    assert_true(receive(fd, &r, false));
    assert_int_equal(r.status, 413);
    assert_str(error_of(&r), STR("{\"error\":\"ERR_TOO_LONG\"}"));
    close(fd);
    http_server_stop(s, 1000);
}

static void bodies_in_flight_are_bounded(void **state)
{
    struct http_config c = {.bodies_max = KIB(300)};
    struct http_server *s = serve(&c);
    int slow = connect_port(http_server_port(s)), fd = connect_port(http_server_port(s));
    _cleanup_(reply_done) struct reply r = reply_make();
    static char data[KIB(200)];

    (void)state;
    memset(data, 'd', sizeof data);
    /* One client keeps 200 KiB under way … */
    send_text(slow, "POST / HTTP/1.1\r\n" HOST "Content-Length: 204801\r\n\r\n");
    send_n(slow, data, sizeof data);
    sleep_ms(200);
    /* … so that as much again does not fit; small ones do. */
    send_text(fd, "POST / HTTP/1.1\r\n" HOST "Content-Length: 204800\r\n\r\n");
    send_n(fd, data, sizeof data);
    assert_true(receive(fd, &r, false));
    assert_int_equal(r.status, 503);
    assert_non_null(reply_get(&r, "Retry-After").p);
    send_text(fd, "POST / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nabcd");
    assert_true(receive(fd, &r, false));
    assert_int_equal(r.status, 200);
    /* When the first is done there is room again. */
    send_text(slow, "!");
    r.next = r.bytes.n = 0;
    assert_true(receive(slow, &r, false));
    assert_int_equal(r.status, 200);
    sleep_ms(100);
    r.next = r.bytes.n = 0;
    send_text(fd, "POST / HTTP/1.1\r\n" HOST "Content-Length: 204800\r\n\r\n");
    send_n(fd, data, sizeof data);
    assert_true(receive(fd, &r, false));
    assert_int_equal(r.status, 200);
    close(fd);
    close(slow);
    http_server_stop(s, 1000);
}

/* Slow clients hold nothing: others are answered at once while 50 of them drip. */
static void slow_clients_disturb_nobody(void **state)
{
    static const char request[] = "POST /slow HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nabcd";
    struct http_config c = {0};
    struct http_server *s = serve(&c);
    _cleanup_(reply_done) struct reply r = reply_make();
    int slow[50];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(slow); i++)
        slow[i] = connect_port(http_server_port(s));
    for (size_t at = 0; at < sizeof request - 1; at++) {
        for (size_t i = 0; i < ARRAY_LEN(slow); i++)
            assert_true(send_n(slow[i], request + at, 1));
        if (at % 8 == 0) {
            struct timespec a, b;

            clock_gettime(CLOCK_MONOTONIC, &a);
            assert_int_equal(ask(http_server_port(s), "GET /q HTTP/1.1\r\n" HOST "\r\n", &r), 200);
            clock_gettime(CLOCK_MONOTONIC, &b);
            assert_true((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000 < 1000);
        }
        sleep_ms(5);
    }
    for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
        r.next = r.bytes.n = 0;
        assert_true(receive(slow[i], &r, false));
        assert_str(reply_body(&r), STR("POST /slow ? 4\nabcd"));
        close(slow[i]);
    }
    http_server_stop(s, 1000);
}

/* Drips a byte every 50 ms until the server has had enough; the status it says, 0 for none. */
static int drip(int fd, const char *start, int max_ms)
{
    _cleanup_(reply_done) struct reply r = reply_make();

    send_text(fd, start);
    for (int ms = 0; ms < max_ms; ms += 50) {
        struct pollfd p = {.fd = fd, .events = POLLIN};

        if (poll(&p, 1, 50) > 0) {
            receive(fd, &r, false);
            return r.status;
        }
        send_text(fd, "x");
    }
    fail_msg("still open after %d ms", max_ms);
    return 0;
}

static void endless_requests_time_out(void **state)
{
    struct http_config c = {.request_seconds = 1, .idle_seconds = 1};
    struct http_server *s = serve(&c);
    int fd = connect_port(http_server_port(s));

    (void)state;
    assert_int_equal(drip(fd, "POST / HTTP/1.1\r\n" HOST "Content-Length: 1000000\r\n\r\n", 5000),
                     408);
    close(fd);
    fd = connect_port(http_server_port(s));
    assert_int_equal(drip(fd, "GET / HTTP/1.1\r\n" HOST "X-Long: ", 5000), 408);
    close(fd);
    fd = connect_port(http_server_port(s));
    assert_int_equal(drip(fd, "G", 5000), 408);
    close(fd);
    http_server_stop(s, 1000);
}

static void silent_connections_are_closed(void **state)
{
    struct http_config c = {.idle_seconds = 1};
    struct http_server *s = serve(&c);
    int silent = connect_port(http_server_port(s)), kept = connect_port(http_server_port(s));
    int half = connect_port(http_server_port(s));
    _cleanup_(reply_done) struct reply r = reply_make();

    (void)state;
    send_text(kept, "GET / HTTP/1.1\r\n" HOST "\r\n");
    assert_true(receive(kept, &r, false));
    send_text(half, "POST / HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nhalf");
    assert_true(is_closed(silent, 5000));
    assert_true(is_closed(kept, 5000));
    assert_true(is_closed(half, 5000));
    close(silent);
    close(kept);
    close(half);
    http_server_stop(s, 1000);
}

/* Half a request and the end of it: closed long before it would count as silent. */
static void half_requests_end_with_their_client(void **state)
{
    static const char *const table[] = {
        "G",
        "GET / HTTP/1.1\r\n" HOST,
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nhalf",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    };
    struct http_config c = {0};
    struct http_server *s = serve(&c);
    int fd[ARRAY_LEN(table)];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        fd[i] = connect_port(http_server_port(s));
        send_text(fd[i], table[i]);
        shutdown(fd[i], SHUT_WR);
    }
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        assert_true(is_closed(fd[i], 8000));
        close(fd[i]);
    }
    http_server_stop(s, 1000);
}

static void large_reply(_unused_ void *ctx, struct http_exchange *x)
{
    struct sb b = sb_make(MIB(64));

    memset(sb_room(&b, MIB(16)), 'r', MIB(16));
    sb_add(&b, MIB(16));
    http_reply(x, 200, "application/octet-stream", &b);
}

/* A client that asks for much and reads nothing is closed, and its reply freed. */
static void unread_replies_end(void **state)
{
    struct http_config c = {.handle = large_reply, .idle_seconds = 1};
    struct http_server *s = serve(&c);
    int fd = connect_port(http_server_port(s));
    struct http_stats st = {0};

    (void)state;
    send_text(fd, "GET / HTTP/1.1\r\n" HOST "\r\n");
    for (int i = 0; i < 500 && st.requests == 0; i++) {
        sleep_ms(10);
        http_server_stats(s, &st);
    }
    assert_int_equal(st.requests, 1);
    close(fd);
    http_server_stop(s, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_heads_are_refused),
        cmocka_unit_test(many_arguments_cost_nothing),
        cmocka_unit_test(bad_framing_is_refused),
        cmocka_unit_test(smuggling_ends_the_connection),
        cmocka_unit_test(large_body_is_refused_before_it_is_read),
        cmocka_unit_test(short_refused_body_is_skipped),
        cmocka_unit_test(endless_body_is_cut),
        cmocka_unit_test(bodies_in_flight_are_bounded),
        cmocka_unit_test(slow_clients_disturb_nobody),
        cmocka_unit_test(endless_requests_time_out),
        cmocka_unit_test(silent_connections_are_closed),
        cmocka_unit_test(half_requests_end_with_their_client),
        cmocka_unit_test(unread_replies_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
