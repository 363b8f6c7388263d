#include "trust/jose.h"

#include "../test.h"

#include "base/b64.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>

/* RFC 7638, 3.1. */
static const char rsa_jwk[] =
    "{\"kty\":\"RSA\",\"n\":"
    "\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7"
    "aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ"
    "5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-"
    "bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\","
    "\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}";

/* RFC 7515, A.3: ES256. */
static const char ec_jwk[] =
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}";
static const char ec_jws[] =
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"
    "bS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxf"
    "KTUJqPP3-Kg6NU1Q";

/* RFC 7515, A.2: RS256. */
static const char rs_jwk[] =
    "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-"
    "4"
    "qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL"
    "-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9k"
    "G4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\","
    "\"e\":\"AQAB\"}";
static const char rs_jws[] =
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"
    "bS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm"
    "4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6"
    "xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv"
    "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

static struct arena a;

static int begin(void **state)
{
    (void)state;
    arena_init(&a, MIB(4));
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_done(&a);
    return 0;
}

static struct jwk key_of(const char *text)
{
    struct jwk key = {0};
    struct err err = {0};
    yyjson_val *v;

    assert_int_equal(js_parse(&a, str_c(text), &v, &err), 0);
    if (jwk_parse(&a, v, &key, &err) < 0)
        fail_msg("%s", err.text);
    return key;
}

static int parse_key(const char *text)
{
    struct jwk key = {0};
    struct err err;
    yyjson_val *v;
    int r;

    assert_int_equal(js_parse(&a, str_c(text), &v, &err), 0);
    r = jwk_parse(&a, v, &key, &err);
    jwk_done(&key);
    return r;
}

static int verify(const char *token, const char *jwk, unsigned algs)
{
    struct jwk key = key_of(jwk);
    struct jws jws;
    struct err err;
    int r = jws_parse(&a, str_c(token), &jws, &err);

    if (r >= 0)
        r = jws_verify(&jws, &key, algs, &err);
    jwk_done(&key);
    return r;
}

static void thumbprints(void **state)
{
    /* RFC 9449, section 4 and 6.1. */
    static const char dpop[] =
        "{\"kty\":\"EC\",\"x\":\"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs\","
        "\"y\":\"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA\",\"crv\":\"P-256\"}";
    struct jwk rsa = key_of(rsa_jwk), ec = key_of(dpop);
    struct err err;
    char text[44];

    (void)state;
    assert_int_equal(jwk_thumbprint(rsa.key, text, &err), 0);
    assert_string_equal(text, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_int_equal(jwk_thumbprint(ec.key, text, &err), 0);
    assert_string_equal(text, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    jwk_done(&rsa);
    jwk_done(&ec);
}

static void verifies_the_examples(void **state)
{
    (void)state;
    assert_int_equal(verify(ec_jws, ec_jwk, JOSE_ES256), 0);
    assert_int_equal(verify(rs_jws, rs_jwk, JOSE_RS256), 0);
}

static void refuses_what_is_not_allowed(void **state)
{
    (void)state;
    assert_int_equal(verify(ec_jws, ec_jwk, JOSE_SMART), ERR_LOGIN);
    assert_int_equal(verify(rs_jws, rs_jwk, JOSE_SMART), ERR_LOGIN);
    assert_int_equal(verify(ec_jws, rs_jwk, JOSE_DPOP), ERR_LOGIN);
    assert_int_equal(verify(rs_jws, ec_jwk, JOSE_DPOP), ERR_LOGIN);
    assert_int_equal(verify(rs_jws, rsa_jwk, JOSE_DPOP), ERR_LOGIN);
}

static void refuses_every_changed_byte(void **state)
{
    char token[sizeof ec_jws];

    (void)state;
    for (size_t i = 0; i < sizeof ec_jws - 1; i++) {
        memcpy(token, ec_jws, sizeof ec_jws);
        token[i] = token[i] == 'A' ? 'B' : 'A';
        assert_true(verify(token, ec_jwk, JOSE_ES256) < 0);
    }
}

static void refuses_malformed_tokens(void **state)
{
    static const char *const bad[] = {
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "e30.e30.",
        "e30.e30",
        ".e30.AA",
        "e30..AA",
        "W10.e30.AA",
        "e30.W10.AA",
        "e30.e30.AA=",
        "e30.e30.AA.AA",
        "eyJjcml0IjpbXX0.e30.AA",                        /* crit */
        "eyJiNjQiOmZhbHNlfQ.e30.AA",                     /* b64 false */
        "eyJhbGciOiJub25lIiwiYWxnIjoiRVMyNTYifQ.e30.AA", /* alg twice */
    };
    struct jws jws;
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (jws_parse(&a, str_c(bad[i]), &jws, &err) != ERR_VALUE)
            fail_msg("taken: %s", bad[i]);
    assert_int_equal(verify("eyJhbGciOiJub25lIn0.e30.AA", ec_jwk, ~0u), ERR_LOGIN);
}

static void refuses_bad_keys(void **state)
{
    static const char *const bad[] = {
        "{}",
        "{\"kty\":\"oct\",\"k\":\"AA\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AA\",\"y\":\"AA\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}",
        /* not on the curve */
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        "\"y\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}",
        /* private, for encryption, for another algorithm */
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\",\"d\":\"AA\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\",\"use\":\"enc\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\",\"alg\":\"HS256\"}",
        /* RSA of 512 bits, and with an exponent of 1 */
        "{\"kty\":\"RSA\",\"n\":"
        "\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu"
        "1RK7aPFFxuhDR1L6tSocw\",\"e\":\"AQAB\"}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (parse_key(bad[i]) != ERR_VALUE)
            fail_msg("taken: %s", bad[i]);
    assert_int_equal(parse_key(ec_jwk), 0);
}

static void signs_what_it_verifies(void **state)
{
    static const enum jose_alg algs[] = {JOSE_RS256, JOSE_RS384, JOSE_PS256,
                                         JOSE_PS384, JOSE_ES256, JOSE_ES384};
    struct str claims = STR("{\"sub\":\"x\"}");
    EVP_PKEY *rsa = EVP_RSA_gen(2048);
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
        EVP_PKEY *pair = algs[i] == JOSE_ES256   ? EVP_EC_gen("P-256")
                         : algs[i] == JOSE_ES384 ? EVP_EC_gen("P-384")
                                                 : rsa;
        struct sb token = sb_make(KIB(8)), jwk = sb_make(KIB(8)), set = sb_make(KIB(8));
        struct jws jws;

        assert_int_equal(jws_sign(&token, pair, algs[i], STR("k"), STR("JWT"), claims, &err), 0);
        assert_int_equal(jws_parse(&a, sb_view(&token), &jws, &err), 0);
        assert_str(jws.kid, STR("k"));
        assert_int_equal(jwk_write(&jwk, pair, STR("k"), algs[i], &err), 0);
        sb_fmt(&set, "{\"keys\":[%.*s]}", STR_ARG(sb_view(&jwk)));
        assert_int_equal(jws_verify_set(&a, &jws, sb_view(&set), algs[i], &err), 0);
        assert_int_equal(jws_verify_set(&a, &jws, sb_view(&set), JOSE_DPOP & ~algs[i], &err),
                         ERR_LOGIN);
        jws.kid = STR("other");
        assert_int_equal(jws_verify_set(&a, &jws, sb_view(&set), algs[i], &err), ERR_LOGIN);
        if (pair != rsa)
            EVP_PKEY_free(pair);
        sb_done(&token);
        sb_done(&jwk);
        sb_done(&set);
    }
    EVP_PKEY_free(rsa);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thumbprints),
        cmocka_unit_test(verifies_the_examples),
        cmocka_unit_test(refuses_what_is_not_allowed),
        cmocka_unit_test(refuses_every_changed_byte),
        cmocka_unit_test(refuses_malformed_tokens),
        cmocka_unit_test(refuses_bad_keys),
        cmocka_unit_test(signs_what_it_verifies),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
