/* What a browser says of a passkey: for which names there are any, and that nothing but a whole
 * answer is one. Whole ones, signed, are tried over HTTP (tests/http/passkey.py).
 */
#include "../test.h"

#include "base/b64.h"
#include "trust/webauthn.h"

#define CHALLENGE "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void sites_have_names(void **state)
{
    static const struct {
        const char *root, *origin, *rp; /* origin NULL: there are no passkeys */
    } cases[] = {
        {"https://node.example", "https://node.example", "node.example"},
        {"https://node.example:8443/clinic", "https://node.example:8443", "node.example"},
        {"http://localhost:8080", "http://localhost:8080", "localhost"},
        {"http://node.example", NULL, NULL},
        {"http://127.0.0.1:8080", NULL, NULL},
        {"https://10.0.0.1", NULL, NULL},
        {"https://[2001:db8::1]:443", NULL, NULL},
        {"https://", NULL, NULL},
        {"ftp://node.example", NULL, NULL},
        {"", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct webauthn_site site;
        bool has = webauthn_site_of(str_c(cases[i].root), &site);

        assert_int_equal(has, cases[i].origin != NULL);
        if (has) {
            assert_true(str_eq(site.origin, str_c(cases[i].origin)));
            assert_true(str_eq(site.rp, str_c(cases[i].rp)));
        }
    }
}

static const char client_data[] = "{\"type\":\"webauthn.create\",\"challenge\":\"" CHALLENGE
                                  "\",\"origin\":\"http://localhost\"}";

/* Authenticator data of an ES256 key for localhost: the rpIdHash is SHA-256 of "localhost"; the
 * point is the first of P-256's curve (SEC 2, 2.4.2). */
static const char made[] =
    "SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2NFAAAABwAAAAAAAAAAAAAAAAAAAAAABGFiY2SlAQIDJiAB"
    "IVggaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpYiWCBP40Li_hp_m47n60p8D54WK84zV2sxXs7LtkBo"
    "N79R9Q";

static void only_whole_answers_are_taken(void **state)
{
    struct webauthn_site site;
    struct webauthn_key key;
    struct arena a;
    struct err err;
    struct str whole;

    (void)state;
    arena_init(&a, MIB(4));
    assert_true(webauthn_site_of(STR("http://localhost"), &site));
    whole = b64url_decode(&a, str_c(made));
    assert_non_null(whole.p);
    for (size_t n = 0; n <= whole.n; n++) {
        struct webauthn_answer answer = {.challenge = STR(CHALLENGE),
                                         .client_data = str_c(client_data),
                                         .auth_data = str_head(whole, n)};
        int r = webauthn_made(&a, &site, &answer, &key, &err);

        assert_int_equal(r, n == whole.n ? 0 : ERR_LOGIN);
    }
    assert_int_equal(key.alg, -7);
    assert_int_equal(key.count, 7);
    assert_true(str_eq(key.id, STR("abcd")));
    /* No question is answered by an empty challenge. */
    assert_int_equal(webauthn_made(&a, &site,
                                   &(struct webauthn_answer){.challenge = STR(""),
                                                             .client_data = str_c(client_data),
                                                             .auth_data = whole},
                                   &key, &err),
                     ERR_LOGIN);
    arena_done(&a);
}

static void what_is_too_long_is_refused(void **state)
{
    static char long_text[WEBAUTHN_DATA_MAX + 1];
    struct webauthn_site site;
    struct webauthn_key key = {.alg = -7, .key = STR("x")};
    uint32_t count;
    struct arena a;
    struct err err;
    struct webauthn_answer answer = {
        .challenge = STR(CHALLENGE), .client_data = str_c(client_data), .auth_data = STR("x")};

    (void)state;
    arena_init(&a, MIB(4));
    assert_true(webauthn_site_of(STR("http://localhost"), &site));
    answer.auth_data = str_n(long_text, sizeof long_text);
    assert_int_equal(webauthn_made(&a, &site, &answer, &key, &err), ERR_LOGIN);
    answer.client_data = answer.auth_data;
    assert_int_equal(webauthn_used(&a, &site, &answer, &key, &count, &err), ERR_LOGIN);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sites_have_names),
        cmocka_unit_test(only_whole_answers_are_taken),
        cmocka_unit_test(what_is_too_long_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
