/* decimal.h - FHIR decimals as exact numbers, from and to their literal.
 *
 * A decimal is sign × digits × 10^exponent. Digits keep the zeros at the end, because they say how
 * precise the literal is (1.0 is not 1); comparing and index keys look at the value only.
 * Source: http://hl7.org/fhir/R4/datatypes.html#decimal, http://hl7.org/fhir/R4/search.html#number.
 */
#ifndef FHIR_DECIMAL_H
#define FHIR_DECIMAL_H

#include "base/err.h"

#define DECIMAL_DIGITS_MAX 40            /* digits of a literal, without the zeros in front */
#define DECIMAL_HELD_MAX 42              /* room for the two more that the end of a range has */
#define DECIMAL_ROUND_DIGITS 36          /* longer results are rounded to so many, half to even */
#define DECIMAL_EXPONENT_MAX 1000        /* of a literal: 1e-1000 <= |v| < 1e1001 */
#define DECIMAL_RESULT_EXPONENT_MAX 8000 /* of a result */
#define DECIMAL_KEY_MAX 24               /* bytes of a key */
#define DECIMAL_TEXT_MAX 64              /* bytes of decimal_format, with the NUL */

struct decimal {
    bool negative;    /* false for zero */
    uint8_t n;        /* digits in use; 0: the value is zero */
    int16_t exponent; /* power of ten of the last digit ("1.0": digits 10, then -1) */
    uint8_t digit[DECIMAL_HELD_MAX]; /* 0 … 9, the first one is not 0 */
};

/* The grammar of a JSON number, which is that of a FHIR decimal. ERR_VALUE says what does not hold
 * or which limit is passed. */
int decimal_parse(struct str literal, struct decimal *ret, struct err *err);

/* A search value with the range [from, to) that its digits imply: half of the last digit's place to
 * each side. "100" gives [99.5, 100.5), "1.0" [0.95, 1.05). A literal with an exponent and without
 * a decimal point counts as having one decimal place, so that "1e2" gives [95, 105) as R4 says.
 * Accepted besides: zeros in front, and a '+' (or the blank that a query makes of it) in front of
 * the number and of the exponent. */
int decimal_parse_search(struct str literal, struct decimal *ret, struct decimal *ret_from,
                         struct decimal *ret_to, struct err *err);

struct decimal decimal_i64(int64_t v);

/* Order of the values: <0, 0, >0. 1 and 1.0 are equal. */
int decimal_cmp(const struct decimal *a, const struct decimal *b);

/* Exact while the result has at most DECIMAL_ROUND_DIGITS digits (zeros at the end left out),
 * otherwise correctly rounded to that many, half to even. ERR_VALUE when the result's exponent is
 * past DECIMAL_RESULT_EXPONENT_MAX or when dividing by zero. `ret` may be `a` or `b`. */
int decimal_add(const struct decimal *a, const struct decimal *b, struct decimal *ret,
                struct err *err);
int decimal_sub(const struct decimal *a, const struct decimal *b, struct decimal *ret,
                struct err *err);
int decimal_mul(const struct decimal *a, const struct decimal *b, struct decimal *ret,
                struct err *err);
int decimal_div(const struct decimal *a, const struct decimal *b, struct decimal *ret,
                struct err *err);

enum decimal_rounding {
    DECIMAL_DOWN, /* towards zero */
    DECIMAL_FLOOR,
    DECIMAL_CEILING,
    DECIMAL_HALF_UP, /* a half away from zero */
};

/* The number with exactly `places` digits behind the point (0 or more). ERR_VALUE where it would
 * have more than DECIMAL_ROUND_DIGITS digits. */
int decimal_places(const struct decimal *d, int places, enum decimal_rounding how,
                   struct decimal *ret, struct err *err);
/* Without zeros at the end behind the point: 1.50 becomes 1.5, 10 stays. */
void decimal_trim(struct decimal *d);
/* Whether it is whole and fits; *ret is its value. */
bool decimal_to_i64(const struct decimal *d, int64_t *ret);

/* The nearest double, and a double as a decimal of `digits` (1 … 17) digits; a double that is not
 * finite is ERR_VALUE. Only for functions that have no exact result (logarithms). */
double decimal_double(const struct decimal *d);
int decimal_from_double(double v, int digits, struct decimal *ret, struct err *err);

/* Index key: memcmp order is the order of the values, equal values have equal bytes, and no key is
 * the beginning of another. Writes 1 … DECIMAL_KEY_MAX bytes, returns how many.
 * The format is in docs/formats/decimal-keys.md. */
size_t decimal_key(const struct decimal *d, unsigned char ret[DECIMAL_KEY_MAX]);
/* The value of a key (without zeros at the end) and the key's length; 0 if it is none. */
size_t decimal_from_key(const unsigned char *key, size_t n, struct decimal *ret);

/* Text of the value: plain where it is neither very small nor very large, otherwise with an
 * exponent
 * ("0.00", "1200", "1.5E-30"). Returns the length; a NUL stands behind it. */
size_t decimal_format(const struct decimal *d, char ret[DECIMAL_TEXT_MAX]);

#endif
