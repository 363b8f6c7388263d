#include "trust/remote.h"

#include "../test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

/* A server that says what it is told to, and counts. */
struct server {
    atomic_int asked;
    int status, result;
    const char *text;
    unsigned wait_us;
};

static int ask(void *ctx, const struct trust_ask *asked, int *ret_status, struct sb *ret_body,
               struct err *err)
{
    struct server *s = ctx;

    assert_int_equal(asked->seconds, REMOTE_SECONDS);
    atomic_fetch_add(&s->asked, 1);
    usleep(s->wait_us);
    if (s->result < 0)
        return err_set(err, s->result, "%s cannot be asked", asked->url);
    sb_str(ret_body, str_c(s->text));
    *ret_status = s->status;
    return 0;
}

static struct arena a;
static struct server server;
static const struct trust_wire wire = {&server, ask};

static int begin(void **state)
{
    arena_init(&a, MIB(8));
    server = (struct server){.status = 200, .text = "{}"};
    assert_int_equal(remote_new(&wire, (struct remote **)state, NULL), 0);
    return 0;
}

static int end(void **state)
{
    remote_free(*state);
    arena_done(&a);
    return 0;
}

static int get(struct remote *m, const char *url, bool newer, struct str *ret)
{
    return remote_get(m, &(struct trust_ask){.url = url}, newer, &a, ret, NULL);
}

static void a_document_is_kept(void **state)
{
    struct str text;

    for (int i = 0; i < 5; i++) {
        assert_int_equal(get(*state, "https://a.example/", i == 3, &text), 0);
        assert_str(text, STR("{}"));
    }
    /* A newer one is not fetched again at once. */
    assert_int_equal(server.asked, 1);
    assert_int_equal(
        remote_get(*state, &(struct trust_ask){.url = "https://a.example/", .may_be_private = true},
                   false, &a, &text, NULL),
        0);
    assert_int_equal(server.asked, 2);
}

static void a_failure_is_kept_a_while(void **state)
{
    struct str text;
    struct err err;

    server.result = ERR_TIMEOUT;
    for (int i = 0; i < 3; i++)
        assert_int_equal(remote_get(*state, &(struct trust_ask){.url = "https://a.example/"}, false,
                                    &a, &text, &err),
                         ERR_TIMEOUT);
    assert_string_equal(err.text, "https://a.example/ cannot be asked");
    assert_int_equal(server.asked, 1);
    server.result = 0;
    server.status = 404;
    assert_int_equal(get(*state, "https://b.example/", false, &text), ERR_BUSY);
    server.status = 302;
    assert_int_equal(get(*state, "https://c.example/", false, &text), ERR_BUSY);
}

static void no_more_are_kept_than_there_is_room(void **state)
{
    struct str text;
    char url[64];

    for (int i = 0; i < 2 * REMOTE_KEPT; i++) {
        snprintf(url, sizeof url, "https://%d.example/", i);
        assert_int_equal(get(*state, url, false, &text), 0);
        usleep(1000); /* so that one was used before the other */
    }
    assert_int_equal(server.asked, 2 * REMOTE_KEPT);
    assert_int_equal(get(*state, url, false, &text), 0);
    assert_int_equal(server.asked, 2 * REMOTE_KEPT);
    assert_int_equal(get(*state, "https://0.example/", false, &text), 0);
    assert_int_equal(server.asked, 2 * REMOTE_KEPT + 1);
}

static void *one_of_many(void *ctx)
{
    struct arena own;
    struct str text;

    arena_init(&own, MIB(1));
    assert_int_equal(
        remote_get(ctx, &(struct trust_ask){.url = "https://a.example/"}, false, &own, &text, NULL),
        0);
    arena_done(&own);
    return NULL;
}

static void many_ask_once(void **state)
{
    pthread_t threads[8];

    server.wait_us = 50000;
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, one_of_many, *state), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(server.asked, 1);
}

static void addresses_are_checked(void **state)
{
    static const char *const good[] = {"https://a.example", "https://a.example:8443/x?y=z"},
                             *const own[] = {"http://127.0.0.1:80/x", "http://localhost",
                                             "http://[::1]:1/"},
                             *const bad[] = {"",
                                             "http://a.example",
                                             "http://127.0.0.1.evil.example/",
                                             "http://localhost.evil.example/",
                                             "http://localhost:80@evil.example/",
                                             "http://[::1]:x@evil.example/",
                                             "https://",
                                             "https:///x",
                                             "https://user@a.example/",
                                             "https://a.example/#x",
                                             "https://a.example/ x",
                                             "https://a.example/\n",
                                             "file:///etc/passwd",
                                             "ftp://a.example/"};

    (void)state;
    assert_int_equal(remote_check_url(STR_NULL, true, NULL), ERR_VALUE);
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(remote_check_url(str_c(good[i]), false, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(own); i++) {
        assert_int_equal(remote_check_url(str_c(own[i]), false, NULL), ERR_VALUE);
        assert_int_equal(remote_check_url(str_c(own[i]), true, NULL), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(remote_check_url(str_c(bad[i]), true, NULL), ERR_VALUE);
}

static void who_asks_nobody_refuses(void **state)
{
    struct remote *m;
    struct str text;

    (void)state;
    assert_int_equal(remote_new(NULL, &m, NULL), 0);
    assert_int_equal(get(m, "https://a.example/", false, &text), ERR_NOT_SUPPORTED);
    remote_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_document_is_kept, begin, end),
        cmocka_unit_test_setup_teardown(a_failure_is_kept_a_while, begin, end),
        cmocka_unit_test_setup_teardown(no_more_are_kept_than_there_is_room, begin, end),
        cmocka_unit_test_setup_teardown(many_ask_once, begin, end),
        cmocka_unit_test_setup_teardown(addresses_are_checked, begin, end),
        cmocka_unit_test_setup_teardown(who_asks_nobody_refuses, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
