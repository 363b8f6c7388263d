#include "client.h"

static void answers(void **state)
{
    struct http_config c = {0};
    struct http_server *s = serve(&c);
    _cleanup_(reply_done) struct reply r = reply_make();

    (void)state;
    assert_int_equal(
        ask(http_server_port(s), "GET /a%20b?x=1&y=%2B HTTP/1.1\r\nHost: t\r\n\r\n", &r), 200);
    assert_str(reply_body(&r), STR("GET /a%20b ?x=1&y=%2B 0\n"));
    assert_int_equal(
        ask(http_server_port(s), "POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc", &r),
        200);
    assert_str(reply_body(&r), STR("POST /a ? 3\nabc"));
    http_server_stop(s, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
