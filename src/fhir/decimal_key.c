#include "fhir/decimal.h"

/* Positive numbers; the bytes of negative ones are the complement. docs/formats/decimal-keys.md */
#define KEY_ZERO 0x80
#define KEY_SMALL 0x81 /* exponent below -KEY_NEAR_MAX, in the next two bytes */
#define KEY_NEAR 0xc0  /* + exponent within KEY_NEAR_MAX */
#define KEY_LARGE 0xff /* exponent above KEY_NEAR_MAX, in the next two bytes */
#define KEY_NEAR_MAX 62
#define KEY_BIAS 0x8000

size_t decimal_key(const struct decimal *d, unsigned char ret[DECIMAL_KEY_MAX])
{
    int digits = d->n, exponent = d->exponent + d->n - 1;
    size_t n = 1;

    while (digits && d->digit[digits - 1] == 0)
        digits--;
    if (digits == 0) {
        ret[0] = KEY_ZERO;
        return 1;
    }
    if (exponent >= -KEY_NEAR_MAX && exponent <= KEY_NEAR_MAX) {
        ret[0] = (unsigned char)(KEY_NEAR + exponent);
    } else {
        ret[0] = exponent < 0 ? KEY_SMALL : KEY_LARGE;
        ret[n++] = (unsigned char)((exponent + KEY_BIAS) >> 8);
        ret[n++] = (unsigned char)(exponent + KEY_BIAS);
    }
    for (int i = 0; i < digits; i += 2) {
        int pair = d->digit[i] * 10 + (i + 1 < digits ? d->digit[i + 1] : 0);
        ret[n++] = (unsigned char)(pair * 2 + (i + 2 < digits));
    }
    if (d->negative)
        for (size_t i = 0; i < n; i++)
            ret[i] = (unsigned char)~ret[i];
    return n;
}

size_t decimal_from_key(const unsigned char *key, size_t n, struct decimal *ret)
{
    struct decimal d = {.n = 0};
    unsigned char flip;
    size_t at = 1;
    int exponent, b;

    if (n == 0)
        return 0;
    if (key[0] == KEY_ZERO) {
        *ret = d;
        return 1;
    }
    d.negative = key[0] < KEY_ZERO;
    flip = d.negative ? 0xff : 0;
    b = key[0] ^ flip;
    exponent = b - KEY_NEAR;
    if (b == KEY_SMALL || b == KEY_LARGE) {
        if (n < 3)
            return 0;
        exponent = (((key[1] ^ flip) << 8) | (key[2] ^ flip)) - KEY_BIAS;
        at = 3;
    }
    do {
        if (at == n || d.n + 2 > DECIMAL_HELD_MAX)
            return 0;
        b = key[at++] ^ flip;
        if (b / 2 > 99)
            return 0;
        d.digit[d.n++] = (uint8_t)(b / 2 / 10);
        d.digit[d.n++] = (uint8_t)(b / 2 % 10);
    } while (b & 1);
    if (d.digit[0] == 0 || (d.digit[d.n - 1] == 0 && d.digit[d.n - 2] == 0))
        return 0;
    if (d.digit[d.n - 1] == 0)
        d.n--;
    if (exponent < -DECIMAL_RESULT_EXPONENT_MAX || exponent > DECIMAL_RESULT_EXPONENT_MAX)
        return 0;
    d.exponent = (int16_t)(exponent - d.n + 1);
    *ret = d;
    return at;
}
