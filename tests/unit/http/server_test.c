#include "client.h"

#include <sys/stat.h>

#define HOST "Host: t\r\n"

static void answers(void **state)
{
    struct http_config c = {0};
    struct http_server *s = serve(&c);
    int port = http_server_port(s);
    _cleanup_(reply_done) struct reply r = reply_make();

    (void)state;
    assert_int_equal(ask(port, "GET /a%20b?x=1&y=%2B?z HTTP/1.1\r\n" HOST "\r\n", &r), 200);
    assert_str(reply_body(&r), STR("GET /a%20b ?x=1&y=%2B?z 0\n"));
    assert_int_equal(ask(port, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", &r),
                     200);
    assert_str(reply_body(&r), STR("POST /a ? 3\nabc"));
    assert_int_equal(ask(port, "GET http://t:80/a/b?c HTTP/1.1\r\n" HOST "\r\n", &r), 200);
    assert_str(reply_body(&r), STR("GET /a/b ?c 0\n"));
    assert_int_equal(ask(port, "GET https://t HTTP/1.1\r\n" HOST "\r\n", &r), 200);
    assert_str(reply_body(&r), STR("GET / ? 0\n"));
    assert_int_equal(ask(port, "BREW /pot HTTP/1.1\r\n" HOST "\r\n", &r), 200);
    assert_str(reply_body(&r), STR("BREW /pot ? 0\n"));
    assert_int_equal(ask(port, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", &r), 200);
    assert_str(reply_body(&r), STR("OPTIONS * ? 0\n"));
    http_server_stop(s, 1000);
}

static void connection_is_kept(void **state)
{
    struct http_config c = {0};
    struct http_server *s = serve(&c);
    int fd = connect_port(http_server_port(s));
    _cleanup_(reply_done) struct reply r = reply_make();

    (void)state;
    for (int i = 0; i < 50; i++) {
        send_text(fd, i % 2 ? "GET /k HTTP/1.1\r\n" HOST "\r\n"
                            : "PUT /k HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody");
        assert_true(receive(fd, &r, false));
        assert_int_equal(r.status, 200);
        assert_str(reply_body(&r), i % 2 ? STR("GET /k ? 0\n") : STR("PUT /k ? 4\nbody"));
    }
    send_text(fd, "GET /k HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    assert_true(receive(fd, &r, false));
    assert_true(is_closed(fd, 2000));
    close(fd);
    http_server_stop(s, 1000);
}

/* Many requests at once, their replies in the same order. */
static void requests_are_pipelined(void **state)
{
    struct http_config c = {0};
    struct http_server *s = serve(&c);
    int fd = connect_port(http_server_port(s));
    _cleanup_(reply_done) struct reply r = reply_make();
    _cleanup_(sb_done) struct sb all = sb_make(MIB(1));

    (void)state;
    for (int i = 0; i < 100; i++)
        sb_fmt(&all, "POST /p%d HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n%02d", i, i);
    assert_true(send_n(fd, all.p, all.n));
    for (int i = 0; i < 100; i++) {
        char want[40];

        assert_true(receive(fd, &r, false));
        snprintf(want, sizeof want, "POST /p%d ? 2\n%02d", i, i);
        assert_str(reply_body(&r), str_c(want));
    }
    close(fd);
    http_server_stop(s, 1000);
}

static void head_has_the_length_only(void **state)
{
    struct http_config c = {0};
    struct http_server *s = serve(&c);
    int fd = connect_port(http_server_port(s));
    _cleanup_(reply_done) struct reply r = reply_make();

    (void)state;
    send_text(fd, "HEAD /h HTTP/1.1\r\n" HOST "\r\nGET /h HTTP/1.1\r\n" HOST "\r\n");
    assert_true(receive(fd, &r, true));
    assert_int_equal(r.status, 200);
    assert_str(reply_get(&r, "Content-Length"), STR("12"));
    assert_true(receive(fd, &r, false));
    assert_str(reply_body(&r), STR("GET /h ? 0\n"));
    close(fd);
    http_server_stop(s, 1000);
}

static void body_is_asked_for(void **state)
{
    struct http_config c = {.body_max = 1000};
    struct http_server *s = serve(&c);
    int fd = connect_port(http_server_port(s));
    _cleanup_(reply_done) struct reply r = reply_make();

    (void)state;
    send_text(fd, "POST /e HTTP/1.1\r\n" HOST "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    assert_true(receive_some(fd, &r.bytes, 2000) > 0);
    assert_true(str_starts(sb_view(&r.bytes), STR("HTTP/1.1 100 ")));
    send_text(fd, "hello");
    assert_true(receive(fd, &r, false));
    assert_int_equal(r.status, 200);
    assert_str(reply_body(&r), STR("POST /e ? 5\nhello"));
    /* What would be refused is not asked for. */
    send_text(fd,
              "POST /e HTTP/1.1\r\n" HOST "Content-Length: 5000\r\nExpect: 100-continue\r\n\r\n");
    assert_true(receive(fd, &r, false));
    assert_int_equal(r.status, 413);
    assert_str(reply_body(&r), STR("{\"error\":\"ERR_TOO_LONG\"}"));
    close(fd);
    http_server_stop(s, 1000);
}

static void show_headers(_unused_ void *ctx, struct http_exchange *x)
{
    struct sb b = sb_make(KIB(4));

    assert_null(http_header(x, "X-Absent").p);
    assert_non_null(http_header(x, "x-empty").p);
    assert_int_equal(http_header(x, "x-empty").n, 0);
    sb_fmt(&b, "%.*s|%.*s", STR_ARG(http_header(x, "x-TWICE")), STR_ARG(http_peer(x)));
    http_reply_header(x, "ETag", STR("W/\"7\""));
    http_reply_header(x, "Location", STR("/x/1"));
    http_reply(x, 201, NULL, &b);
}

static void headers_go_both_ways(void **state)
{
    struct http_config c = {.handle = show_headers};
    struct http_server *s = serve(&c);
    _cleanup_(reply_done) struct reply r = reply_make();

    (void)state;
    assert_int_equal(
        ask(http_server_port(s),
            "GET / HTTP/1.1\r\n" HOST "X-Twice: one\r\nx-twice: two\r\nX-Empty:\r\n\r\n", &r),
        201);
    assert_str(reply_body(&r), STR("one|127.0.0.1"));
    assert_str(reply_get(&r, "ETag"), STR("W/\"7\""));
    assert_str(reply_get(&r, "Location"), STR("/x/1"));
    assert_null(reply_get(&r, "Content-Type").p);
    assert_non_null(reply_get(&r, "Date").p);
    http_server_stop(s, 1000);
}

static void split_reply(_unused_ void *ctx, struct http_exchange *x)
{
    struct sb b = sb_make(KIB(4));

    sb_lit(&b, "fine");
    http_reply_header(x, "Location", STR("/a\r\nSet-Cookie: stolen=1"));
    http_reply(x, 201, NULL, &b);
}

static void headers_cannot_be_split(void **state)
{
    struct http_config c = {.handle = split_reply};
    struct http_server *s = serve(&c);
    _cleanup_(reply_done) struct reply r = reply_make();

    (void)state;
    assert_int_equal(ask(http_server_port(s), "GET / HTTP/1.1\r\n" HOST "\r\n", &r), 500);
    assert_null(reply_get(&r, "Set-Cookie").p);
    http_server_stop(s, 1000);
}

static void too_much(_unused_ void *ctx, struct http_exchange *x)
{
    struct sb b = sb_make(10);

    sb_lit(&b, "more than ten bytes");
    http_reply(x, 200, NULL, &b);
}

static void failed_builder_is_not_sent(void **state)
{
    struct http_config c = {.handle = too_much};
    struct http_server *s = serve(&c);
    _cleanup_(reply_done) struct reply r = reply_make();

    (void)state;
    assert_int_equal(ask(http_server_port(s), "GET / HTTP/1.1\r\n" HOST "\r\n", &r), 503);
    assert_non_null(reply_get(&r, "Retry-After").p);
    assert_str(reply_body(&r), STR("{\"error\":\"ERR_NO_MEMORY\"}"));
    http_server_stop(s, 1000);
}

static void expect_refused(const char *listen, int code, const char *text)
{
    struct http_config c = {.listen = listen, .handle = echo};
    struct http_server *s = NULL;
    struct err err = {0};

    assert_int_equal(http_server_start(&c, &s, &err), code);
    assert_null(s);
    if (!strstr(err.text, text))
        fail_msg("\"%s\" does not say \"%s\"", err.text, text);
}

static void bad_addresses_are_named(void **state)
{
    struct http_config c = {0};
    struct http_server *s = serve(&c);
    char taken[32];

    (void)state;
    expect_refused("", ERR_INVALID, "is not HOST:PORT");
    expect_refused("8080", ERR_INVALID, "is not HOST:PORT");
    expect_refused(":8080", ERR_INVALID, "is not HOST:PORT");
    expect_refused("127.0.0.1:", ERR_INVALID, "port");
    expect_refused("127.0.0.1:http", ERR_INVALID, "port");
    expect_refused("127.0.0.1:65536", ERR_INVALID, "port");
    expect_refused("::1:80", ERR_INVALID, "brackets");
    expect_refused("no-such-host.invalid:80", ERR_INVALID, "is not known");
    expect_refused("192.0.2.1:0", ERR_INVALID, "not an address of this machine");
    snprintf(taken, sizeof taken, "127.0.0.1:%d", http_server_port(s));
    expect_refused(taken, ERR_CONFLICT, "is in use");
    http_server_stop(s, 1000);
}

/* A port can be taken again at once, although old connections still wait for their end. */
static void port_is_reused(void **state)
{
    struct http_config c = {0};
    struct http_server *s = serve(&c);
    _cleanup_(reply_done) struct reply r = reply_make();
    char same[32];

    (void)state;
    assert_int_equal(ask(http_server_port(s), "GET / HTTP/1.1\r\n" HOST "\r\n", &r), 200);
    snprintf(same, sizeof same, "127.0.0.1:%d", http_server_port(s));
    http_server_stop(s, 1000);
    c = (struct http_config){.listen = same};
    s = serve(&c);
    assert_int_equal(ask(http_server_port(s), "GET / HTTP/1.1\r\n" HOST "\r\n", &r), 200);
    http_server_stop(s, 1000);
}

static void say_where(_unused_ void *ctx, struct http_exchange *x)
{
    struct sb b = sb_make(KIB(4));

    sb_fmt(&b, "%d %d %.*s", http_request(x)->is_local, http_request(x)->is_tls,
           STR_ARG(http_peer(x)));
    http_reply(x, 200, "text/plain", &b);
}

static void control_socket(void **state)
{
    char dir[] = "/tmp/carnet-http-XXXXXX", path[64];
    struct http_config c = {.handle = say_where};
    _cleanup_(reply_done) struct reply r = reply_make();
    struct http_server *s, *second;
    struct stat st;
    struct err err;
    int fd;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/control", dir);
    c.socket_path = path;
    s = serve(&c);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    fd = connect_path(path);
    send_text(fd, "GET / HTTP/1.1\r\n" HOST "\r\n");
    assert_true(receive(fd, &r, false));
    assert_str(reply_body(&r), STR("1 0 local"));
    close(fd);
    /* A second node must not take a served socket away. */
    assert_int_equal(http_server_start(&c, &second, &err), ERR_CONFLICT);
    assert_int_equal(stat(path, &st), 0);
    http_server_stop(s, 1000);
    assert_int_equal(stat(path, &st), -1);
    rmdir(dir);
}

static void stale_socket_is_replaced(void **state)
{
    char dir[] = "/tmp/carnet-http-XXXXXX", path[64];
    struct http_config c = {0};
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct http_server *s;
    struct err err;
    FILE *f;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/control", dir);
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    close(fd); /* the file stays, as after a crash */
    c.socket_path = path;
    s = serve(&c);
    http_server_stop(s, 1000);
    /* What is not a socket is somebody's file. */
    f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
    assert_int_equal(http_server_start(&c, &s, &err), ERR_CONFLICT);
    assert_int_equal(unlink(path), 0);
    rmdir(dir);
}

static void things_are_counted(void **state)
{
    struct http_config c = {.body_max = 100};
    struct http_server *s = serve(&c);
    int port = http_server_port(s);
    _cleanup_(reply_done) struct reply r = reply_make();
    struct http_stats st;
    int fd;

    (void)state;
    for (int i = 0; i < 10; i++)
        ask(port, "GET /1 HTTP/1.1\r\n" HOST "\r\n", &r);
    ask(port, "POST / HTTP/1.1\r\n" HOST "Content-Length: 2000000\r\n\r\n", &r);
    for (int i = 0; i < 100; i++) {
        http_server_stats(s, &st);
        if (st.requests == 11)
            break;
        sleep_ms(10);
    }
    assert_int_equal(st.connections, 11);
    for (int i = 0; i < 100 && st.open; i++) {
        sleep_ms(10);
        http_server_stats(s, &st);
    }
    assert_int_equal(st.open, 0);
    fd = connect_port(port);
    for (int i = 0; i < 100 && st.open != 1; i++) {
        sleep_ms(10);
        http_server_stats(s, &st);
    }
    assert_int_equal(st.open, 1);
    close(fd);
    assert_int_equal(st.requests, 11);
    assert_int_equal(st.refused, 1);
    assert_true(st.bytes_in > 10 * 25 && st.bytes_in < 11 * 60);
    assert_true(st.bytes_out >= 10 * 11);
    http_server_stop(s, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(connection_is_kept),
        cmocka_unit_test(requests_are_pipelined),
        cmocka_unit_test(head_has_the_length_only),
        cmocka_unit_test(body_is_asked_for),
        cmocka_unit_test(headers_go_both_ways),
        cmocka_unit_test(headers_cannot_be_split),
        cmocka_unit_test(failed_builder_is_not_sent),
        cmocka_unit_test(bad_addresses_are_named),
        cmocka_unit_test(port_is_reused),
        cmocka_unit_test(control_socket),
        cmocka_unit_test(stale_socket_is_replaced),
        cmocka_unit_test(things_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
