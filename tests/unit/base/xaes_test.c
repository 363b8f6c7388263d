/* XAES-256-GCM: C2SP's test vectors; what a sealer's epochs and counter promise. */
#include "../test.h"

#include "base/fault.h"
#include "base/xaes.h"

#include <stdio.h>

#define MESSAGES 200

static struct xaes *sealer(const unsigned char key[XAES_KEY_BYTES])
{
    struct xaes *x = NULL;
    struct err err = {0};

    if (xaes_new(key, &x, &err) < 0)
        fail_msg("%s (%s)", err.text, err.detail);
    return x;
}

static void hex(const unsigned char *p, size_t n, char *ret)
{
    for (size_t i = 0; i < n; i++)
        snprintf(ret + 2 * i, 3, "%02x", p[i]);
}

static void vector(unsigned char key_byte, const char *about, const char *sealed, const char *tag)
{
    unsigned char key[XAES_KEY_BYTES], out[12], got_tag[XAES_TAG_BYTES];
    char text[40];
    struct xaes *x;

    memset(key, key_byte, sizeof key);
    x = sealer(key);
    assert_int_equal(xaes_seal_with(x, (const unsigned char *)"ABCDEFGHIJKLMNOPQRSTUVWX",
                                    str_c(about), "XAES-256-GCM", 12, out, got_tag, NULL),
                     0);
    hex(out, sizeof out, text);
    assert_string_equal(text, sealed);
    hex(got_tag, sizeof got_tag, text);
    assert_string_equal(text, tag);
    xaes_free(x);
}

/* https://c2sp.org/XAES-256-GCM: one for each value of the bit that doubling carries out. */
static void test_vectors(void **state)
{
    (void)state;
    vector(1, "", "ce546ef63c9cc60765923609", "b33a9a1974e96e52daf2fcf7075e2271");
    vector(3, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a17943",
           "7fd083bf3fdb41abd740a21f71eb769d");
}

/* RFC 5869; the expected value is computed by Python's hmac. */
static void subkeys(void **state)
{
    unsigned char key[XAES_KEY_BYTES], a[XAES_KEY_BYTES], b[XAES_KEY_BYTES];
    char text[2 * XAES_KEY_BYTES + 1];

    (void)state;
    memset(key, 7, sizeof key);
    assert_int_equal(xaes_subkey(key, "carnet test", a, NULL), 0);
    assert_int_equal(xaes_subkey(key, "carnet tess", b, NULL), 0);
    assert_memory_not_equal(a, b, sizeof a);
    hex(a, sizeof a, text);
    assert_string_equal(text, "1ae8ae2e924ff3d562a5c81c134e8ce938c3ce9b60f9d6dacd84fcddb1b58fc8");
}

static void what_was_sealed_comes_back(void **state)
{
    const unsigned char key[XAES_KEY_BYTES] = {1};
    struct xaes *a = sealer(key), *b = sealer(key);
    unsigned char out[100], back[100], mark[XAES_MARK_BYTES];
    struct err err = {0};

    (void)state;
    memset(out, 'x', sizeof out);
    assert_int_equal(xaes_seal(a, STR("page 1"), out, sizeof out, out, mark, &err), 0);
    assert_null(memmem(out, sizeof out, "xxxx", 4));
    assert_int_equal(xaes_open(b, STR("page 1"), out, sizeof out, back, mark, &err), 0);
    for (size_t i = 0; i < sizeof back; i++)
        assert_int_equal(back[i], 'x');
    /* About something else, or with any bit of bytes and mark changed, it does not. */
    assert_int_equal(xaes_open(b, STR("page 2"), out, sizeof out, back, mark, &err), ERR_INVALID);
    for (size_t i = 0; i < 8 * sizeof out; i++) {
        out[i / 8] ^= (unsigned char)(1 << i % 8);
        assert_int_equal(xaes_open(b, STR("page 1"), out, sizeof out, back, mark, &err),
                         ERR_INVALID);
        out[i / 8] ^= (unsigned char)(1 << i % 8);
    }
    for (size_t i = 0; i < 8 * sizeof mark; i++) {
        mark[i / 8] ^= (unsigned char)(1 << i % 8);
        assert_int_equal(xaes_open(b, STR("page 1"), out, sizeof out, back, mark, &err),
                         ERR_INVALID);
        mark[i / 8] ^= (unsigned char)(1 << i % 8);
    }
    assert_int_equal(xaes_open(b, STR("page 1"), out, sizeof out, back, mark, &err), 0);
    xaes_free(a);
    xaes_free(b);
}

static void another_key_opens_nothing(void **state)
{
    const unsigned char key[XAES_KEY_BYTES] = {1}, other[XAES_KEY_BYTES] = {2};
    struct xaes *a = sealer(key), *b = sealer(other);
    unsigned char out[5], mark[XAES_MARK_BYTES];

    (void)state;
    assert_int_equal(xaes_seal(a, STR(""), "hello", 5, out, mark, NULL), 0);
    assert_int_equal(xaes_open(b, STR(""), out, 5, out, mark, NULL), ERR_INVALID);
    xaes_free(a);
    xaes_free(b);
}

/* Epoch and counter of a mark; the tag is not looked at. */
static bool same_nonce(const unsigned char *a, const unsigned char *b)
{
    return !memcmp(a, b, XAES_MARK_BYTES - XAES_TAG_BYTES);
}

/* Two sealers of one key, as before and after a crash or on a copy, and one of them past the end of
 * its epochs: no nonce comes twice, and all can be opened by one. */
static void no_nonce_comes_twice(void **state)
{
    const unsigned char key[XAES_KEY_BYTES] = {9};
    struct xaes *x[2] = {sealer(key), sealer(key)};
    static unsigned char marks[2 * MESSAGES][XAES_MARK_BYTES];
    unsigned char out[2 * MESSAGES][8], back[8];

    (void)state;
    xaes_renew_after(x[1], 7);
    for (size_t i = 0; i < 2 * MESSAGES; i++)
        assert_int_equal(xaes_seal(x[i % 2], STR("m"), "12345678", 8, out[i], marks[i], NULL), 0);
    for (size_t i = 0; i < 2 * MESSAGES; i++)
        for (size_t j = 0; j < i; j++)
            assert_false(same_nonce(marks[i], marks[j]));
    /* A sealer counts up within an epoch; seven messages, then another. */
    for (size_t i = 3; i < 2 * MESSAGES; i += 2)
        assert_int_equal(!memcmp(marks[i], marks[i - 2], XAES_EPOCH_BYTES), (i - 1) / 2 % 7 != 0);
    for (size_t i = 2; i < 2 * MESSAGES; i += 2)
        assert_memory_equal(marks[i], marks[0], XAES_EPOCH_BYTES);
    for (size_t i = 0; i < 2 * MESSAGES; i++) {
        assert_int_equal(xaes_open(x[0], STR("m"), out[i], 8, back, marks[i], NULL), 0);
        assert_memory_equal(back, "12345678", 8);
    }
    xaes_free(x[0]);
    xaes_free(x[1]);
}

/* What failed leaves a sealer that works, and no nonce that was used before. */
static void without_memory(void **state)
{
    const unsigned char key[XAES_KEY_BYTES] = {4};
    unsigned points = 0;

    (void)state;
    FAULT_LOOP(false) {
        unsigned char sub[XAES_KEY_BYTES], out[3], mark[XAES_MARK_BYTES];
        struct err err = {0};
        struct xaes *x = NULL;
        int r = xaes_subkey(key, "use", sub, &err);

        if (r == 0)
            r = xaes_new(sub, &x, &err);
        if (r == 0)
            r = xaes_seal(x, STR("a"), "abc", 3, out, mark, &err);
        if (r == 0)
            r = xaes_open(x, STR("a"), out, 3, out, mark, &err);
        if (r < 0) {
            assert_true(fault_fired());
            assert_int_equal(r, ERR_NO_MEMORY);
            points++;
        }
        if (r < 0 && x) {
            assert_int_equal(xaes_seal(x, STR("a"), "abc", 3, out, mark, &err), 0);
            assert_int_equal(xaes_open(x, STR("a"), out, 3, out, mark, &err), 0);
        }
        xaes_free(x);
    }
#ifdef CARNET_FAULT
    assert_int_equal(points, 4);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(subkeys),
        cmocka_unit_test(what_was_sealed_comes_back),
        cmocka_unit_test(another_key_opens_nothing),
        cmocka_unit_test(no_nonce_comes_twice),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
