#include "fhir/decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A result before it is rounded: products have 84 digits, sums up to SPAN_MAX. */
#define WIDE_MAX 160
#define SPAN_MAX 120

struct wide {
    bool negative;
    bool inexact; /* something that is not zero lies behind the last digit */
    int n;
    int32_t exponent; /* of the last digit */
    uint8_t digit[WIDE_MAX];
};

/* Power of ten of the first digit; of no use for zero. */
static int32_t adjusted(const struct decimal *d)
{
    return d->exponent + d->n - 1;
}

static void set_zero(struct decimal *ret, int32_t exponent)
{
    *ret = (struct decimal){
        .exponent = (int16_t)MIN(MAX(exponent, -DECIMAL_EXPONENT_MAX), DECIMAL_EXPONENT_MAX)};
}

/* ---- literals ---- */

struct scan {
    struct decimal d;
    int32_t exponent;
    bool has_point, has_exponent, too_long;
    size_t at;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void scan_digits(struct scan *sc, struct str s, bool fraction)
{
    for (; sc->at < s.n && is_digit(s.p[sc->at]); sc->at++) {
        uint8_t digit = (uint8_t)(s.p[sc->at] - '0');
        if (fraction && sc->exponent > -3 * DECIMAL_EXPONENT_MAX)
            sc->exponent--;
        if (sc->d.n == 0 && digit == 0)
            continue;
        if (sc->d.n < DECIMAL_DIGITS_MAX)
            sc->d.digit[sc->d.n++] = digit;
        else
            sc->too_long = true;
    }
}

/* Returns false where no digit follows. */
static bool scan_exponent(struct scan *sc, struct str s, bool search)
{
    bool negative = false;
    int32_t e = 0;

    sc->at++;
    if (sc->at < s.n &&
        (s.p[sc->at] == '-' || s.p[sc->at] == '+' || (search && s.p[sc->at] == ' ')))
        negative = s.p[sc->at++] == '-';
    if (sc->at == s.n)
        return false;
    for (; sc->at < s.n && is_digit(s.p[sc->at]); sc->at++)
        if (e <= 4 * DECIMAL_EXPONENT_MAX)
            e = e * 10 + (s.p[sc->at] - '0');
    if (!is_digit(s.p[sc->at - 1]))
        return false;
    sc->has_exponent = true;
    sc->exponent += negative ? -e : e;
    return true;
}

static bool scan(struct scan *sc, struct str s, bool search)
{
    size_t from;

    if (sc->at < s.n && (s.p[0] == '-' || (search && (s.p[0] == '+' || s.p[0] == ' '))))
        sc->d.negative = s.p[sc->at++] == '-';
    from = sc->at;
    scan_digits(sc, s, false);
    if (sc->at == from || (!search && sc->at > from + 1 && s.p[from] == '0'))
        return false;
    if (sc->at < s.n && s.p[sc->at] == '.') {
        from = ++sc->at;
        sc->has_point = true;
        scan_digits(sc, s, true);
        if (sc->at == from)
            return false;
    }
    if (sc->at < s.n && (s.p[sc->at] == 'e' || s.p[sc->at] == 'E') && !scan_exponent(sc, s, search))
        return false;
    return sc->at == s.n;
}

static int parse(struct str s, bool search, struct scan *sc, struct err *err)
{
    *sc = (struct scan){.at = 0};
    if (!scan(sc, s, search))
        return err_set(err, ERR_VALUE, "\"%.*s\" is not a decimal number", (int)MIN(s.n, 64u), s.p);
    if (sc->too_long)
        return err_set(err, ERR_VALUE, "a decimal has more than %d digits", DECIMAL_DIGITS_MAX);
    if (abs(sc->exponent + MAX(sc->d.n, 1) - 1) > DECIMAL_EXPONENT_MAX)
        return err_set(err, ERR_VALUE, "a decimal's exponent is not within -%d and %d",
                       DECIMAL_EXPONENT_MAX, DECIMAL_EXPONENT_MAX);
    sc->d.exponent = (int16_t)sc->exponent;
    if (sc->d.n == 0)
        sc->d.negative = false;
    return 0;
}

int decimal_parse(struct str literal, struct decimal *ret, struct err *err)
{
    struct scan sc;
    int r = parse(literal, false, &sc, err);

    if (r < 0)
        return r;
    *ret = sc.d;
    return 0;
}

struct decimal decimal_i64(int64_t v)
{
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    struct decimal d = {.negative = v < 0};

    for (uint64_t rest = u; rest; rest /= 10)
        d.n++;
    for (int i = d.n - 1; i >= 0; i--, u /= 10)
        d.digit[i] = (uint8_t)(u % 10);
    return d;
}

/* ---- order ---- */

/* Order of the values without their signs; neither is zero. */
static int cmp_magnitude(const struct decimal *a, const struct decimal *b)
{
    int32_t ea = adjusted(a), eb = adjusted(b);

    if (ea != eb)
        return ea < eb ? -1 : 1;
    for (int i = 0; i < MAX(a->n, b->n); i++) {
        int x = i < a->n ? a->digit[i] : 0, y = i < b->n ? b->digit[i] : 0;
        if (x != y)
            return x - y;
    }
    return 0;
}

static int sign(const struct decimal *d)
{
    return d->n == 0 ? 0 : d->negative ? -1 : 1;
}

int decimal_cmp(const struct decimal *a, const struct decimal *b)
{
    int sa = sign(a), sb = sign(b);

    if (sa != sb || sa == 0)
        return sa - sb;
    return sa * cmp_magnitude(a, b);
}

/* ---- arithmetic ---- */

/* One up in the last place; 999 becomes 1000 with one digit fewer and an exponent more. */
static void increment(struct wide *w)
{
    int i = w->n - 1;

    while (i >= 0 && w->digit[i] == 9)
        w->digit[i--] = 0;
    if (i >= 0) {
        w->digit[i]++;
        return;
    }
    w->digit[0] = 1;
    memset(w->digit + 1, 0, (size_t)w->n - 1);
    w->exponent++;
}

static void round_to(struct wide *w, int digits)
{
    int next = w->digit[digits];
    bool rest = w->inexact;

    for (int i = digits + 1; i < w->n; i++)
        rest |= w->digit[i] != 0;
    w->exponent += w->n - digits;
    w->n = digits;
    w->inexact = false;
    if (next > 5 || (next == 5 && (rest || (w->digit[digits - 1] & 1))))
        increment(w);
}

/* The result in at most `digits` digits. An inexact one must have more than that. */
static int settle(struct wide *w, int digits, struct decimal *ret, struct err *err)
{
    int lead = 0;

    while (lead < w->n && w->digit[lead] == 0)
        lead++;
    memmove(w->digit, w->digit + lead, (size_t)(w->n - lead));
    w->n -= lead;
    if (w->n == 0) {
        set_zero(ret, w->exponent);
        return 0;
    }
    while (w->n > digits && w->digit[w->n - 1] == 0 && !w->inexact) {
        w->n--;
        w->exponent++;
    }
    if (w->n > digits) {
        round_to(w, digits);
        while (w->digit[w->n - 1] == 0) {
            w->n--;
            w->exponent++;
        }
    }
    if (abs(w->exponent + w->n - 1) > DECIMAL_RESULT_EXPONENT_MAX)
        return err_set(err, ERR_VALUE, "a result's exponent is not within -%d and %d",
                       DECIMAL_RESULT_EXPONENT_MAX, DECIMAL_RESULT_EXPONENT_MAX);
    *ret = (struct decimal){
        .negative = w->negative, .n = (uint8_t)w->n, .exponent = (int16_t)w->exponent};
    memcpy(ret->digit, w->digit, (size_t)w->n);
    return 0;
}

/* Adds or subtracts y's digits at their place in w. |w| >= |y| where they are subtracted. */
static void combine(struct wide *w, const struct decimal *y, bool subtract)
{
    int at = w->n - 1 - (y->exponent - w->exponent), carry = 0;

    for (int i = y->n - 1; i >= 0 || carry; i--, at--) {
        int digit = (i >= 0 ? y->digit[i] : 0) + carry;
        int v = subtract ? w->digit[at] - digit : w->digit[at] + digit;
        carry = subtract ? v < 0 : v > 9;
        w->digit[at] = (uint8_t)(carry ? (subtract ? v + 10 : v - 10) : v);
    }
}

static int add(const struct decimal *a, const struct decimal *b, int digits, struct decimal *ret,
               struct err *err)
{
    const struct decimal *x = a, *y = b;
    struct decimal far;
    struct wide w = {.n = 0};

    if (a->n == 0 || b->n == 0) {
        *ret = a->n == 0 ? *b : *a;
        return 0;
    }
    if (cmp_magnitude(a, b) < 0) {
        x = b;
        y = a;
    }
    /* Far below x only the sign of y matters: it decides how the result is rounded. */
    if (adjusted(x) + 1 - MIN(x->exponent, y->exponent) > SPAN_MAX) {
        far = (struct decimal){.negative = y->negative,
                               .n = 1,
                               .exponent = (int16_t)(adjusted(x) - (SPAN_MAX - 2)),
                               .digit = {1}};
        y = &far;
    }
    w.negative = x->negative;
    w.exponent = MIN(x->exponent, y->exponent);
    w.n = adjusted(x) + 2 - w.exponent;
    memcpy(w.digit + 1, x->digit, x->n);
    combine(&w, y, x->negative != y->negative);
    return settle(&w, digits, ret, err);
}

int decimal_add(const struct decimal *a, const struct decimal *b, struct decimal *ret,
                struct err *err)
{
    return add(a, b, DECIMAL_ROUND_DIGITS, ret, err);
}

int decimal_sub(const struct decimal *a, const struct decimal *b, struct decimal *ret,
                struct err *err)
{
    struct decimal minus = *b;

    minus.negative = b->n && !b->negative;
    return add(a, &minus, DECIMAL_ROUND_DIGITS, ret, err);
}

/* A power of ten, 10^k: multiplying by it only moves the point. */
static bool is_shift(const struct decimal *d)
{
    return d->n == 1 && d->digit[0] == 1 && !d->negative;
}

static int shift(const struct decimal *d, int32_t by, struct decimal *ret, struct err *err)
{
    if (abs(adjusted(d) + by) > DECIMAL_RESULT_EXPONENT_MAX)
        return err_set(err, ERR_VALUE, "a result's exponent is not within -%d and %d",
                       DECIMAL_RESULT_EXPONENT_MAX, DECIMAL_RESULT_EXPONENT_MAX);
    *ret = *d;
    ret->exponent = (int16_t)(d->exponent + by);
    return 0;
}

static int multiply(const struct decimal *a, const struct decimal *b, struct decimal *ret,
                    struct err *err)
{
    uint16_t sum[2 * DECIMAL_HELD_MAX] = {0};
    struct wide w = {.negative = a->negative != b->negative,
                     .n = a->n + b->n,
                     .exponent = a->exponent + b->exponent};
    unsigned carry = 0;

    for (int i = 0; i < a->n; i++)
        for (int j = 0; j < b->n; j++)
            sum[i + j + 1] = (uint16_t)(sum[i + j + 1] + a->digit[i] * b->digit[j]);
    for (int i = w.n - 1; i >= 0; i--) {
        carry += sum[i];
        w.digit[i] = (uint8_t)(carry % 10);
        carry /= 10;
    }
    return settle(&w, DECIMAL_ROUND_DIGITS, ret, err);
}

int decimal_mul(const struct decimal *a, const struct decimal *b, struct decimal *ret,
                struct err *err)
{
    if (a->n == 0 || b->n == 0) {
        set_zero(ret, a->exponent + b->exponent);
        return 0;
    }
    if (is_shift(b) && a->n <= DECIMAL_ROUND_DIGITS)
        return shift(a, b->exponent, ret, err);
    if (is_shift(a) && b->n <= DECIMAL_ROUND_DIGITS)
        return shift(b, a->exponent, ret, err);
    return multiply(a, b, ret, err);
}

/* rest - divisor where it is not negative; both have n digits. */
static bool subtract_once(uint8_t *rest, const uint8_t *divisor, int n)
{
    int borrow = 0;

    if (memcmp(rest, divisor, (size_t)n) < 0)
        return false;
    for (int i = n - 1; i >= 0; i--) {
        int v = rest[i] - divisor[i] - borrow;
        borrow = v < 0;
        rest[i] = (uint8_t)(borrow ? v + 10 : v);
    }
    return true;
}

#define SHORT_DIVISOR_DIGITS 18 /* fits 64 bits, and ten times it too */

static void divide_short(struct wide *w, const struct decimal *a, const struct decimal *b)
{
    uint64_t divisor = 0, rest = 0;

    for (int i = 0; i < b->n; i++)
        divisor = divisor * 10 + b->digit[i];
    for (int i = 0; i < w->n; i++) {
        rest = rest * 10 + (i < a->n ? a->digit[i] : 0);
        w->digit[i] = (uint8_t)(rest / divisor);
        rest %= divisor;
    }
    w->inexact = rest != 0;
}

static void divide_long(struct wide *w, const struct decimal *a, const struct decimal *b)
{
    uint8_t rest[DECIMAL_HELD_MAX + 1] = {0}, divisor[DECIMAL_HELD_MAX + 1] = {0};
    int n = b->n + 1;

    memcpy(divisor + 1, b->digit, b->n);
    for (int i = 0; i < w->n; i++) {
        memmove(rest, rest + 1, (size_t)n - 1);
        rest[n - 1] = i < a->n ? a->digit[i] : 0;
        while (subtract_once(rest, divisor, n))
            w->digit[i]++;
    }
    for (int i = 0; i < n; i++)
        w->inexact |= rest[i] != 0;
}

static int divide(const struct decimal *a, const struct decimal *b, struct decimal *ret,
                  struct err *err)
{
    struct wide w = {.negative = a->negative != b->negative};

    /* The first b->n - 1 digits of the quotient may be zero; behind them more than it is rounded
     * to. */
    w.n = MAX(a->n, b->n + DECIMAL_ROUND_DIGITS + 1);
    w.exponent = a->exponent - b->exponent - (w.n - a->n);
    if (b->n <= SHORT_DIVISOR_DIGITS)
        divide_short(&w, a, b);
    else
        divide_long(&w, a, b);
    while (!w.inexact && w.n > a->n && w.digit[w.n - 1] == 0) {
        w.n--;
        w.exponent++;
    }
    return settle(&w, DECIMAL_ROUND_DIGITS, ret, err);
}

int decimal_div(const struct decimal *a, const struct decimal *b, struct decimal *ret,
                struct err *err)
{
    if (b->n == 0)
        return err_set(err, ERR_VALUE, "a number is divided by zero");
    if (a->n == 0) {
        set_zero(ret, a->exponent - b->exponent);
        return 0;
    }
    if (is_shift(b) && a->n <= DECIMAL_ROUND_DIGITS)
        return shift(a, -b->exponent, ret, err);
    return divide(a, b, ret, err);
}

int decimal_parse_search(struct str literal, struct decimal *ret, struct decimal *ret_from,
                         struct decimal *ret_to, struct err *err)
{
    struct decimal half = {.n = 1, .digit = {5}}, from, to;
    struct scan sc;
    int r = parse(literal, true, &sc, err);

    if (r < 0)
        return r;
    half.exponent = (int16_t)(sc.d.exponent - (sc.has_exponent && !sc.has_point ? 2 : 1));
    r = add(&sc.d, &half, DECIMAL_HELD_MAX, &to, err);
    if (r < 0)
        return r;
    half.negative = true;
    r = add(&sc.d, &half, DECIMAL_HELD_MAX, &from, err);
    if (r < 0)
        return r;
    *ret = sc.d;
    *ret_from = from;
    *ret_to = to;
    return 0;
}

/* ---- text and doubles ---- */

static char *put_digits(char *to, const struct decimal *d, int from, int n)
{
    for (int i = from; i < from + n; i++)
        *to++ = (char)('0' + (i >= 0 && i < d->n ? d->digit[i] : 0));
    return to;
}

#define PLAIN_ZEROS_MAX 10 /* behind the point */

size_t decimal_format(const struct decimal *d, char ret[DECIMAL_TEXT_MAX])
{
    int top = d->n ? adjusted(d) : d->exponent;
    char *p = ret;

    if (d->negative)
        *p++ = '-';
    if (d->exponent >= 0 && d->n + d->exponent <= DECIMAL_HELD_MAX) {
        p = put_digits(p, d, 0, d->n ? d->n + d->exponent : 1);
    } else if (d->exponent < 0 && top >= -PLAIN_ZEROS_MAX) {
        int whole = MAX(top + 1, 0);
        p = whole && d->n ? put_digits(p, d, 0, whole) : put_digits(p, d, -1, 1);
        *p++ = '.';
        p = put_digits(p, d, d->n + d->exponent, -d->exponent);
    } else {
        p = put_digits(p, d, 0, 1);
        if (d->n > 1) {
            *p++ = '.';
            p = put_digits(p, d, 1, d->n - 1);
        }
        p += snprintf(p, 8, "E%d", top);
    }
    *p = '\0';
    return (size_t)(p - ret);
}

double decimal_double(const struct decimal *d)
{
    char text[DECIMAL_TEXT_MAX];

    decimal_format(d, text);
    return strtod(text, NULL);
}

int decimal_from_double(double v, int digits, struct decimal *ret, struct err *err)
{
    char text[40];
    int n;

    assert(digits >= 1 && digits <= 17);
    if (!isfinite(v))
        return err_set(err, ERR_VALUE, "a result is not a finite number");
    n = snprintf(text, sizeof text, "%.*e", digits - 1, v);
    return decimal_parse(str_n(text, (size_t)n), ret, err);
}
