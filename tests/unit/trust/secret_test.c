#include "trust/secret.h"

#include "../test.h"

#include "base/b64.h"

/* RFC 4226, appendix D, and RFC 6238, appendix B (SHA-1, eight digits). */
static void one_time_codes(void **state)
{
    static const uint32_t hotp[] = {755224, 287082, 359152, 969429, 338314,
                                    254676, 287922, 162583, 399871, 520489};
    static const struct {
        uint64_t seconds;
        uint32_t code;
    } timed[] = {{59, 94287082},         {1111111109, 7081804},  {1111111111, 14050471},
                 {1234567890, 89005924}, {2000000000, 69279037}, {20000000000, 65353130}};
    struct str key = STR("12345678901234567890");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hotp); i++)
        assert_int_equal(totp_code(key, i, 6), hotp[i]);
    for (size_t i = 0; i < ARRAY_LEN(timed); i++)
        assert_int_equal(totp_code(key, timed[i].seconds / 30, 8), timed[i].code);
}

static void a_code_is_good_once_and_near_its_time(void **state)
{
    struct str key = STR("12345678901234567890");
    int64_t at = INT64_C(59000);

    (void)state;
    assert_int_equal(totp_match(key, STR("287082"), at, 0), 1);
    assert_int_equal(totp_match(key, STR(" 287 082 "), at, 0), 1);
    assert_int_equal(totp_match(key, STR("287082"), at, 1), 0);
    assert_int_equal(totp_match(key, STR("287082"), at + 30000, 0), 1);
    assert_int_equal(totp_match(key, STR("287082"), at + 90000, 0), 0);
    assert_int_equal(totp_match(key, STR("28708"), at, 0), 0);
    assert_int_equal(totp_match(key, STR("2870820"), at, 0), 0);
    assert_int_equal(totp_match(key, STR("-87082"), at, 0), 0);
    assert_int_equal(totp_match(key, STR(""), at, 0), 0);
}

/* RFC 4648, section 10. */
static void base32(void **state)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "MY"},
                                           {"fo", "MZXQ"},
                                           {"foo", "MZXW6"},
                                           {"foob", "MZXW6YQ"},
                                           {"fooba", "MZXW6YTB"},
                                           {"foobar", "MZXW6YTBOI"}};
    struct arena a;

    (void)state;
    arena_init(&a, KIB(64));
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct sb out = sb_make(64);

        base32_encode(&out, str_c(pairs[i][0]));
        assert_str(sb_view(&out), str_c(pairs[i][1]));
        assert_str(base32_decode(&a, str_c(pairs[i][1])), str_c(pairs[i][0]));
        sb_done(&out);
    }
    assert_null(base32_decode(&a, STR("MZ1=")).p);
    arena_done(&a);
}

static void base64url_is_strict(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, KIB(64));
    assert_str(b64url_decode(&a, STR("-_-_")), STR("\xfb\xff\xbf"));
    assert_str(b64url_decode(&a, STR("Zg")), STR("f"));
    assert_null(b64url_decode(&a, STR("Zg==")).p);
    assert_null(b64url_decode(&a, STR("Zh")).p); /* bits left over */
    assert_null(b64url_decode(&a, STR("Z")).p);
    assert_null(b64url_decode(&a, STR("+/+/")).p);
    assert_null(b64url_decode(&a, STR("Zg ")).p);
    arena_done(&a);
}

/* RFC 7636, appendix B. */
static void challenge_of_a_verifier(void **state)
{
    char challenge[SECRET_TEXT_MAX];

    (void)state;
    sha256_b64url(STR("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), challenge);
    assert_string_equal(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

static void passwords(void **state)
{
    char hash[PASSWORD_HASH_MAX], other[PASSWORD_HASH_MAX];
    struct str password = STR("correct horse battery");
    struct err err;

    (void)state;
    assert_int_equal(password_hash(password, hash, &err), 0);
    assert_int_equal(password_hash(password, other, &err), 0);
    assert_memory_equal(hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31);
    assert_string_not_equal(hash, other);
    assert_true(password_verify(str_c(hash), password));
    assert_false(password_verify(str_c(hash), STR("correct horse batterx")));
    assert_false(password_verify(STR(""), password));
    assert_false(password_verify(STR("$argon2id$broken"), password));
    assert_int_equal(password_check(STR("elf chars.."), &err), ERR_VALUE);
    assert_int_equal(password_check(STR("密码密码密码密码密码密码"), &err), 0);
    assert_int_equal(password_check(STR("密码密码"), &err), ERR_VALUE);
}

static void recovery_codes(void **state)
{
    char code[RECOVERY_CODE_MAX], hash[65], same[65];

    (void)state;
    recovery_code(code);
    assert_int_equal(strlen(code), 14);
    recovery_hash(str_c(code), hash);
    for (size_t i = 0; code[i]; i++)
        code[i] = code[i] == '-' ? ' ' : (char)(code[i] >= 'A' ? code[i] - 'A' + 'a' : code[i]);
    recovery_hash(str_c(code), same);
    assert_string_equal(hash, same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_time_codes),
        cmocka_unit_test(a_code_is_good_once_and_near_its_time),
        cmocka_unit_test(base32),
        cmocka_unit_test(base64url_is_strict),
        cmocka_unit_test(challenge_of_a_verifier),
        cmocka_unit_test(passwords),
        cmocka_unit_test(recovery_codes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
