#include "../test.h"

#include "base/rng.h"
#include "fhir/decimal.h"

#include <math.h>

static struct decimal num(const char *text)
{
    struct decimal d;
    struct err err = {0};

    if (decimal_parse(str_c(text), &d, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    return d;
}

#define assert_decimal(d, want) \
    do { \
        char text_[DECIMAL_TEXT_MAX]; \
        struct decimal d_ = (d); \
        decimal_format(&d_, text_); \
        assert_string_equal(text_, want); \
    } while (0)

static void literals_keep_their_digits(void **state)
{
    static const char *const same[] = {
        "0",       "1",       "-1",
        "1.0",     "0.00",    "0.10",
        "-0.05",   "120",     "1234567890.0123456789",
        "1.5E-30", "1E-7000", "9.99999E100",
    };
    (void)state;
    for (size_t i = 0; i + 2 < ARRAY_LEN(same); i++)
        assert_decimal(num(same[i]), same[i]);
    assert_decimal(num("-0.00"), "0.00");
    assert_decimal(num("1e-7"), "0.0000001");
    assert_decimal(num("1.50E+3"), "1500");
    assert_decimal(num("1e-12"), "1E-12");
    assert_decimal(num("12.5e40"), "125"
                                   "000000000000000000000000000000000000000");
    assert_decimal(num("12.5e41"), "1.25E42");
    assert_int_equal(num("1.0").n, 2);
    assert_int_equal(num("1.0").exponent, -1);
    assert_int_equal(num("0.00").exponent, -2);
}

static void bad_literals_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "-",
        "+1",
        " 1",
        "1 ",
        "01",
        "-01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "1.e1",
        "1e1.5",
        "0x1",
        "NaN",
        "1,5",
        "--1",
        "1e1001",
        "1e-1001",
        "1e99999999999999999999",
        "0e2000",
        "12345678901234567890123456789012345678901",
        "1.0000000000000000000000000000000000000000",
    };
    struct decimal d = {.n = 77};
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (decimal_parse(str_c(bad[i]), &d, &err) != ERR_VALUE)
            fail_msg("\"%s\" was accepted", bad[i]);
    assert_int_equal(d.n, 77);
    assert_int_equal(num("1234567890123456789012345678901234567890").n, 40);
    assert_int_equal(num("1e1000").exponent, 1000);
}

static void search_values_are_ranges(void **state)
{
    static const struct {
        const char *text, *from, *to;
    } want[] = {
        {"100", "99.5", "100.5"},
        {"1.0", "0.95", "1.05"},
        {"0", "-0.5", "0.5"},
        {"100.00", "99.995", "100.005"},
        {"1e2", "95", "105"},
        {"1.0e2", "95", "105"},
        {"1.00e2", "99.5", "100.5"},
        {"-100", "-100.5", "-99.5"},
        {"+5.4", "5.35", "5.45"},
        {" 5.4", "5.35", "5.45"},
        {"007", "6.5", "7.5"},
        {"1e 2", "95", "105"},
        {"-0.0", "-0.05", "0.05"},
        {"1e-2", "0.0095", "0.0105"},
        {"1234567890123456789012345678901234567890", "1234567890123456789012345678901234567889.5",
         "1234567890123456789012345678901234567890.5"},
    };
    struct decimal d, from, to;
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        struct decimal f, t;
        assert_int_equal(decimal_parse_search(str_c(want[i].text), &d, &from, &to, &err), 0);
        assert_decimal(from, want[i].from);
        assert_decimal(to, want[i].to);
        if (decimal_parse(str_c(want[i].from), &f, &err) == 0 &&
            decimal_parse(str_c(want[i].to), &t, &err) == 0)
            assert_true(decimal_cmp(&from, &f) == 0 && decimal_cmp(&to, &t) == 0);
    }
    assert_int_equal(decimal_parse_search(STR("x"), &d, &from, &to, &err), ERR_VALUE);
    assert_int_equal(decimal_parse_search(STR("1e+"), &d, &from, &to, &err), ERR_VALUE);
    assert_int_equal(decimal_parse_search(STR("+-1"), &d, &from, &to, &err), ERR_VALUE);
}

static void arithmetic(void **state)
{
    static const struct {
        char op;
        const char *a, *b, *want;
    } want[] = {
        {'+', "1.0", "0.5", "1.5"},
        {'+', "999", "1", "1000"},
        {'+', "0.1", "-0.10", "0.00"},
        {'-', "1", "1.00", "0.00"},
        {'-', "100", "0.5", "99.5"},
        {'-', "-5", "5", "-10"},
        {'*', "1.5", "-2", "-3.0"},
        {'*', "0", "-2", "0"},
        {'*', "99999999999999999999", "99999999999999999999",
         "9999999999999999999800000000000000000000"},
        {'/', "1", "3", "0.333333333333333333333333333333333333"},
        {'/', "2", "3", "0.666666666666666666666666666666666667"},
        {'/', "1", "8", "0.125"},
        {'/', "100", "4", "25"},
        {'/', "6", "1.2345678901234567890123", "4.86000004374000039803418344167526971"},
        {'+', "1e900", "1e-900", "1E900"},
        {'+', "100000000000000000000000000000000000", "0.5",
         "100000000000000000000000000000000000"},
        {'+', "100000000000000000000000000000000001", "0.5",
         "100000000000000000000000000000000002"},
        {'+', "100000000000000000000000000000000000.5", "1e-500",
         "100000000000000000000000000000000001"},
        {'-', "100000000000000000000000000000000001.5", "1e-500",
         "100000000000000000000000000000000001"},
        {'+', "999999999999999999999999999999999999", "0.5",
         "1000000000000000000000000000000000000"},
    };
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        struct decimal a = num(want[i].a), b = num(want[i].b), c;
        int r = want[i].op == '+'   ? decimal_add(&a, &b, &c, &err)
                : want[i].op == '-' ? decimal_sub(&a, &b, &c, &err)
                : want[i].op == '*' ? decimal_mul(&a, &b, &c, &err)
                                    : decimal_div(&a, &b, &c, &err);
        assert_int_equal(r, 0);
        assert_decimal(c, want[i].want);
    }
}

static void results_have_limits(void **state)
{
    struct decimal a = num("1e1000"), zero = num("0.0"), one = num("1");
    struct err err;
    int r = 0;

    (void)state;
    assert_int_equal(decimal_div(&one, &zero, &a, &err), ERR_VALUE);
    for (int i = 0; i < 10 && r == 0; i++)
        r = decimal_mul(&a, &a, &a, &err);
    assert_int_equal(r, ERR_VALUE);
    assert_int_equal(decimal_from_double(NAN, 15, &a, &err), ERR_VALUE);
    assert_int_equal(decimal_from_double(-1e-300, 15, &a, &err), 0);
    assert_true(decimal_double(&a) == -1e-300);
}

/* ---- properties over random numbers ---- */

static struct decimal random_decimal(struct rng *r)
{
    static const char *const sharp[] = {"0",    "0.0",   "1",     "1.0",   "-1",
                                        "10",   "100",   "99",    "0.99",  "1e62",
                                        "1e63", "1e-62", "1e-63", "-1e63", "-1e-63"};
    char text[80];
    size_t n = 0, digits = 1 + rng_below(r, 40), point = rng_below(r, 42);

    if (rng_below(r, 8) == 0)
        return num(sharp[rng_below(r, ARRAY_LEN(sharp))]);
    if (rng_below(r, 2))
        digits = 1 + rng_below(r, 4);
    if (rng_below(r, 2))
        text[n++] = '-';
    for (size_t i = 0; i < digits; i++) {
        text[n] = (char)('0' + (rng_below(r, 3) ? rng_below(r, 10) : 0));
        if (i == 0 && text[n] == '0')
            text[n] = '1';
        n++;
        if (i == point && i + 1 < digits)
            text[n++] = '.';
    }
    n += (size_t)snprintf(text + n, 16, "e%d", (int)rng_below(r, 200) - 100);
    text[n] = '\0';
    return num(text);
}

static int key_cmp(const struct decimal *a, const struct decimal *b)
{
    unsigned char x[DECIMAL_KEY_MAX], y[DECIMAL_KEY_MAX];
    size_t n = decimal_key(a, x), m = decimal_key(b, y);
    int c = str_cmp(str_n((char *)x, n), str_n((char *)y, m));

    if (n != m)
        assert_memory_not_equal(x, y, MIN(n, m)); /* self-delimiting */
    return (c > 0) - (c < 0);
}

/* The examples of docs/formats/decimal-keys.md. */
static void keys_are_as_documented(void **state)
{
    static const struct {
        const char *text, *key;
    } want[] = {
        {"0", "80"},     {"0.00", "80"},     {"1", "c014"},  {"1.0", "c014"},
        {"120", "c218"}, {"7.45", "c09564"}, {"-1", "3feb"}, {"1e-100", "817f9c14"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        unsigned char key[DECIMAL_KEY_MAX];
        struct decimal d = num(want[i].text);
        size_t n = decimal_key(&d, key);
        char hex[2 * DECIMAL_KEY_MAX + 1] = "";
        for (size_t j = 0; j < n; j++)
            snprintf(hex + 2 * j, 3, "%02x", key[j]);
        assert_string_equal(hex, want[i].key);
    }
}

static void keys_sort_as_values(void **state)
{
    struct rng r;

    (void)state;
    rng_seed(&r, 1);
    for (int i = 0; i < 100000; i++) {
        struct decimal a = random_decimal(&r), b = random_decimal(&r), back, half;
        unsigned char key[DECIMAL_KEY_MAX];
        struct err err;
        size_t n;
        int want = decimal_cmp(&a, &b);

        assert_int_equal(key_cmp(&a, &b), (want > 0) - (want < 0));
        n = decimal_key(&a, key);
        assert_int_equal(decimal_from_key(key, n, &back), n);
        assert_int_equal(decimal_cmp(&a, &back), 0);
        for (size_t cut = 0; cut < n; cut++)
            assert_int_equal(decimal_from_key(key, cut, &back), 0);
        half = num("1e-60");
        if (a.exponent > -40 && a.exponent + a.n < -22) { /* a neighbour that is hard to tell */
            assert_int_equal(decimal_add(&a, &half, &b, &err), 0);
            want = decimal_cmp(&a, &b);
            assert_int_equal(key_cmp(&a, &b), (want > 0) - (want < 0));
        }
    }
}

static void doubles_agree(void **state)
{
    struct rng r;

    (void)state;
    rng_seed(&r, 2);
    for (int i = 0; i < 20000; i++) {
        struct decimal a = random_decimal(&r), b = random_decimal(&r), c;
        double x = decimal_double(&a), y = decimal_double(&b), z;
        struct err err;

        if (decimal_cmp(&a, &b) != 0 && x != y)
            assert_int_equal(decimal_cmp(&a, &b) < 0, x < y);
        assert_int_equal(decimal_add(&a, &b, &c, &err), 0);
        z = decimal_double(&c);
        assert_true(fabs(z - (x + y)) <= 1e-12 * (fabs(x) + fabs(y)));
        assert_int_equal(decimal_mul(&a, &b, &c, &err), 0);
        z = decimal_double(&c);
        assert_true(fabs(z - x * y) <= 1e-12 * fabs(x * y));
        if (b.n == 0)
            continue;
        assert_int_equal(decimal_div(&a, &b, &c, &err), 0);
        z = decimal_double(&c);
        assert_true(fabs(z - x / y) <= 1e-12 * fabs(x / y));
    }
}

/* (a + b) - b == a and (a * b) / b == a while everything is exact. */
static void exact_results_come_back(void **state)
{
    struct rng r;

    (void)state;
    rng_seed(&r, 3);
    for (int i = 0; i < 20000; i++) {
        struct decimal a = decimal_i64((int64_t)rng_next(&r) >> (rng_below(&r, 60) + 4));
        struct decimal b = decimal_i64((int64_t)rng_next(&r) >> (rng_below(&r, 60) + 4)), c;
        struct err err;

        a.exponent = (int16_t)-rng_below(&r, 12);
        assert_int_equal(decimal_add(&a, &b, &c, &err), 0);
        assert_int_equal(decimal_sub(&c, &b, &c, &err), 0);
        assert_int_equal(decimal_cmp(&a, &c), 0);
        if (b.n == 0 || a.n + b.n > DECIMAL_ROUND_DIGITS)
            continue;
        assert_int_equal(decimal_mul(&a, &b, &c, &err), 0);
        assert_int_equal(decimal_div(&c, &b, &c, &err), 0);
        assert_int_equal(decimal_cmp(&a, &c), 0);
    }
}

static void random_bytes_do_no_harm(void **state)
{
    static const char alphabet[] = "0123456789.eE+- 0019";
    struct rng r;

    (void)state;
    rng_seed(&r, 4);
    for (int i = 0; i < 100000; i++) {
        char text[60];
        unsigned char key[DECIMAL_KEY_MAX];
        size_t n = rng_below(&r, sizeof text), k;
        struct decimal d, from, to;
        struct err err;

        for (size_t j = 0; j < n; j++)
            text[j] = alphabet[rng_below(&r, sizeof alphabet - 1)];
        if (decimal_parse_search(str_n(text, n), &d, &from, &to, &err) == 0) {
            assert_true(decimal_cmp(&from, &d) < 0 && decimal_cmp(&d, &to) < 0);
            assert_true(key_cmp(&from, &d) < 0 && key_cmp(&d, &to) < 0);
        }
        for (size_t j = 0; j < sizeof key; j++)
            key[j] = (unsigned char)rng_next(&r);
        k = decimal_from_key(key, rng_below(&r, sizeof key + 1), &d);
        assert_true(k <= sizeof key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_keep_their_digits), cmocka_unit_test(bad_literals_are_refused),
        cmocka_unit_test(search_values_are_ranges),   cmocka_unit_test(arithmetic),
        cmocka_unit_test(results_have_limits),        cmocka_unit_test(keys_are_as_documented),
        cmocka_unit_test(keys_sort_as_values),        cmocka_unit_test(doubles_agree),
        cmocka_unit_test(exact_results_come_back),    cmocka_unit_test(random_bytes_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
