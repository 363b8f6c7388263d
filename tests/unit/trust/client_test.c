#include "trust/client.h"

#include "../test.h"

static void takes_redirects(void **state)
{
    static const char *const good[] = {
        "https://app.example/back", "https://app.example",       "http://127.0.0.1:8000/back",
        "http://127.0.0.1/back",    "http://[::1]:9/",           "http://localhost:3000/cb",
        "org.example.app:/back",    "org.example.app://back?x=1"};
    static const char *const bad[] = {"",
                                      "app.example",
                                      "http://app.example/back",
                                      "http://127.0.0.1.evil.example/",
                                      "http://127.0.0.1@evil.example/",
                                      "http://127.0.0.1:80@evil.example/",
                                      "https://user@app.example/",
                                      "https:///back",
                                      "https://app.example/#x",
                                      "https://app.example/ x",
                                      "https://app.example/\\x",
                                      "https://app.example/é",
                                      "javascript:alert(1)",
                                      "data:text/html,x",
                                      "file:///etc/passwd",
                                      "custom:/back"};
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (client_check_redirect(str_c(good[i]), &err) < 0)
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (client_check_redirect(str_c(bad[i]), &err) >= 0)
            fail_msg("taken: %s", bad[i]);
}

static void compares_redirects(void **state)
{
    struct str own[] = {STR("https://app.example/back"), STR("http://127.0.0.1/cb"),
                        STR("http://[::1]:7/cb?a=1")};
    const struct client c = {.redirects = {own, ARRAY_LEN(own)}};
    static const char *const same[] = {"https://app.example/back", "http://127.0.0.1/cb",
                                       "http://127.0.0.1:51234/cb", "http://[::1]:9/cb?a=1"};
    static const char *const other[] = {
        "https://app.example/back/",    "https://app.example/back?x",
        "https://app.example:443/back", "https://APP.example/back",
        "http://app.example/back",      "http://127.0.0.1:51234/cb/more",
        "http://127.0.0.1:x/cb",        "http://127.0.0.1:1@evil.example/cb",
        "http://127.0.0.1.evil/cb",     "http://[::1]/cb",
        "https://127.0.0.1/cb",         ""};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(same); i++)
        if (!client_redirects_to(&c, str_c(same[i])))
            fail_msg("refused: %s", same[i]);
    for (size_t i = 0; i < ARRAY_LEN(other); i++)
        if (client_redirects_to(&c, str_c(other[i])))
            fail_msg("taken: %s", other[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_redirects),
        cmocka_unit_test(compares_redirects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
