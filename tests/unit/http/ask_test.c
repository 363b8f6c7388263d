#include "client.h"

#include "http/ask.h"

#include <stdlib.h>
#include <sys/stat.h>

struct place {
    char dir[64], path[128];
};

static void place_make(struct place *p)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(p->dir, sizeof p->dir, "%.40s/ask-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->path, sizeof p->path, "%s/s", p->dir);
}

static void place_done(struct place *p)
{
    unlink(p->path);
    rmdir(p->dir);
}

static void asks_and_gets(void **state)
{
    _cleanup_(sb_done) struct sb body = sb_make(MIB(1)), large = sb_make(MIB(8));
    struct http_config c = {0};
    struct http_server *s;
    struct place p;
    struct stat st;
    struct err err = {0};
    int status = 0;

    (void)state;
    place_make(&p);
    c.socket_path = p.path;
    s = serve(&c);
    assert_int_equal(stat(p.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(
        http_ask(&(struct http_ask){p.path, "GET", "/a?b=c", STR_NULL}, &status, &body, &err), 0);
    assert_int_equal(status, 200);
    assert_str(sb_view(&body), STR("GET /a ?b=c 0\n"));
    memset(sb_room(&large, MIB(5)), 'x', MIB(5));
    sb_add(&large, MIB(5));
    sb_reset(&body);
    assert_int_equal(
        http_ask(&(struct http_ask){p.path, "POST", "/", sb_view(&large)}, &status, &body, &err),
        0);
    assert_true(str_starts(sb_view(&body), STR("POST / ? 5242880\nxxx")));
    http_server_stop(s, 1000);
    place_done(&p);
}

/* Said before the whole body was read. */
static void a_refusal_is_heard(void **state)
{
    _cleanup_(sb_done) struct sb body = sb_make(MIB(1)), large = sb_make(MIB(8));
    struct http_config c = {.body_max = KIB(64)};
    struct http_server *s;
    struct place p;
    struct err err = {0};
    int status = 0;

    (void)state;
    place_make(&p);
    c.socket_path = p.path;
    s = serve(&c);
    memset(sb_room(&large, MIB(5)), 'x', MIB(5));
    sb_add(&large, MIB(5));
    assert_int_equal(
        http_ask(&(struct http_ask){p.path, "POST", "/", sb_view(&large)}, &status, &body, &err),
        0);
    assert_int_equal(status, 413);
    http_server_stop(s, 1000);
    place_done(&p);
}

static void nobody_answers(void **state)
{
    _cleanup_(sb_done) struct sb body = sb_make(MIB(1));
    struct place p;
    struct err err = {0};
    int status = 0;
    char far[300];

    (void)state;
    place_make(&p);
    assert_int_equal(
        http_ask(&(struct http_ask){p.path, "GET", "/", STR_NULL}, &status, &body, &err),
        ERR_NOT_FOUND);
    memset(far, 'f', sizeof far - 1);
    far[sizeof far - 1] = '\0';
    assert_int_equal(http_ask(&(struct http_ask){far, "GET", "/", STR_NULL}, &status, &body, &err),
                     ERR_NOT_FOUND);
    place_done(&p);
}

/* ---- what is no reply ---- */

struct liar {
    int fd;
    const char *says;
};

static void *lie(void *ctx)
{
    struct liar *l = ctx;
    int fd = accept(l->fd, NULL, NULL);
    char in[4096];

    assert_true(recv(fd, in, sizeof in, 0) > 0);
    send_text(fd, l->says);
    close(fd);
    return NULL;
}

static int ask_liar(const char *says, size_t max)
{
    _cleanup_(sb_done) struct sb body = sb_make(max);
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct liar l = {.fd = socket(AF_UNIX, SOCK_STREAM, 0), .says = says};
    struct place p;
    struct err err = {0};
    pthread_t thread;
    int status = 0, r;

    place_make(&p);
    snprintf(a.sun_path, sizeof a.sun_path, "%.100s", p.path);
    assert_int_equal(bind(l.fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(l.fd, 1), 0);
    pthread_create(&thread, NULL, lie, &l);
    r = http_ask(&(struct http_ask){p.path, "GET", "/", STR_NULL}, &status, &body, &err);
    pthread_join(thread, NULL);
    close(l.fd);
    place_done(&p);
    return r;
}

static void half_replies_are_no_replies(void **state)
{
    (void)state;
    assert_int_equal(ask_liar("", MIB(1)), ERR_TIMEOUT);
    assert_int_equal(ask_liar("HTTP/1.1 200 OK\r\nContent-Len", MIB(1)), ERR_TIMEOUT);
    assert_int_equal(ask_liar("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcd", MIB(1)),
                     ERR_TIMEOUT);
    assert_int_equal(ask_liar("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd", MIB(1)), 0);
    assert_int_equal(ask_liar("HTTP/1.1 200 OK\r\n\r\nabcd", MIB(1)), ERR_INTERNAL);
    assert_int_equal(ask_liar("SSH-2.0-x\r\n\r\n", MIB(1)), ERR_INTERNAL);
    assert_int_equal(ask_liar("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd", KIB(1)),
                     ERR_TOO_LONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_and_gets),
        cmocka_unit_test(a_refusal_is_heard),
        cmocka_unit_test(nobody_answers),
        cmocka_unit_test(half_replies_are_no_replies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
