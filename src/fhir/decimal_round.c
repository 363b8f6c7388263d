#include "fhir/decimal.h"

/* One up in the last place. */
static void increment(struct decimal *d)
{
    int i = d->n - 1;

    while (i >= 0 && d->digit[i] == 9)
        d->digit[i--] = 0;
    if (i >= 0) {
        d->digit[i]++;
        return;
    }
    memmove(d->digit + 1, d->digit, d->n);
    d->digit[0] = 1;
    d->n++;
}

/* Whether what is cut off behind `keep` digits (perhaps less than none) makes it one more. */
static bool goes_up(const struct decimal *d, int keep, enum decimal_rounding how)
{
    bool rest = false;

    for (int i = MAX(keep, 0); i < d->n; i++)
        rest |= d->digit[i] != 0;
    switch (how) {
    case DECIMAL_DOWN: return false;
    case DECIMAL_FLOOR: return rest && d->negative;
    case DECIMAL_CEILING: return rest && !d->negative;
    case DECIMAL_HALF_UP: return keep >= 0 && d->digit[keep] >= 5;
    }
    return false;
}

int decimal_places(const struct decimal *d, int places, enum decimal_rounding how,
                   struct decimal *ret, struct err *err)
{
    struct decimal v = *d;
    int more = places + d->exponent; /* zeros to add; negative: digits to cut */
    bool up;

    if (more >= 0) {
        if (d->n && d->n + more > DECIMAL_ROUND_DIGITS)
            return err_set(err, ERR_VALUE, "a number would have more than %d digits",
                           DECIMAL_ROUND_DIGITS);
        memset(v.digit + v.n, 0, d->n ? (size_t)more : 0);
        v.n = (uint8_t)(d->n ? d->n + more : 0);
        v.exponent = (int16_t)-places;
        *ret = v;
        return 0;
    }
    up = goes_up(d, d->n + more, how);
    v.n = (uint8_t)MAX(d->n + more, 0);
    v.exponent = (int16_t)-places;
    if (up && v.n) {
        increment(&v);
    } else if (up) {
        v.n = 1;
        v.digit[0] = 1;
    }
    if (!v.n)
        v.negative = false;
    *ret = v;
    return 0;
}

void decimal_trim(struct decimal *d)
{
    while (d->n && d->exponent < 0 && d->digit[d->n - 1] == 0) {
        d->n--;
        d->exponent++;
    }
    if (!d->n)
        d->exponent = 0;
}

bool decimal_to_i64(const struct decimal *d, int64_t *ret)
{
    struct decimal v = *d;
    int64_t n = 0;

    decimal_trim(&v);
    if (v.exponent < 0 || v.n + v.exponent > 18)
        return false;
    for (int i = 0; i < v.n + v.exponent; i++)
        n = n * 10 + (i < v.n ? v.digit[i] : 0);
    *ret = v.negative ? -n : n;
    return true;
}
