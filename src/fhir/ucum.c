#include "fhir/ucum.h"

#include "fhir/ucum_int.h"

#include <stdio.h>

int ucum_check(struct str code, struct err *err)
{
    struct ucum_unit u;

    return ucum_parse(code, &u, err);
}

/* v × factor ÷ divisor, rounded once as long as the product is exact. */
static int scale(const struct decimal *v, const struct decimal *factor,
                 const struct decimal *divisor, struct decimal *ret, struct err *err)
{
    struct decimal product;
    int r = decimal_mul(v, factor, &product, err);

    return r < 0 ? r : decimal_div(&product, divisor, ret, err);
}

static int to_base(const struct ucum_unit *u, const struct decimal *v, struct decimal *ret,
                   struct err *err)
{
    struct decimal x;
    int r = scale(v, &u->factor, &u->divisor, &x, err);

    if (r >= 0 && u->special) {
        r = ucum_special_to(u->special->special, &x, &x, err);
        if (r >= 0)
            r = scale(&x, &u->special->factor, &u->special->divisor, &x, err);
    }
    if (r >= 0)
        *ret = x;
    return r;
}

static int from_base(const struct ucum_unit *u, const struct decimal *v, struct decimal *ret,
                     struct err *err)
{
    struct decimal x = *v;
    int r = 0;

    if (u->special) {
        r = scale(v, &u->special->divisor, &u->special->factor, &x, err);
        if (r >= 0)
            r = ucum_special_from(u->special->special, &x, &x, err);
    }
    return r < 0 ? r : scale(&x, &u->divisor, &u->factor, ret, err);
}

static int write_dims(const struct ucum_unit *u, char ret[UCUM_UNIT_MAX], struct err *err)
{
    char text[UCUM_UNIT_MAX] = "1";
    size_t n = 0;

    for (size_t i = 0; i < u->n_dims; i++) {
        struct str base = ucum_bases[u->dims[i].base];
        char exponent[8] = "";
        int k;
        if (u->dims[i].exponent != 1)
            snprintf(exponent, sizeof exponent, "%d", u->dims[i].exponent);
        k = snprintf(text + n, sizeof text - n, "%s%.*s%s", n ? "." : "", STR_ARG(base), exponent);
        if (k < 0 || (size_t)k >= sizeof text - n)
            return err_set(err, ERR_VALUE, "a unit's canonical form is longer than %d characters",
                           UCUM_UNIT_MAX - 1);
        n += (size_t)k;
    }
    memcpy(ret, text, sizeof text);
    return 0;
}

int ucum_canonical(struct str code, const struct decimal *value, char ret_unit[UCUM_UNIT_MAX],
                   struct decimal *ret_value, struct err *err)
{
    struct ucum_unit u;
    struct decimal v;
    int r = ucum_parse(code, &u, err);

    if (r >= 0)
        r = to_base(&u, value, &v, err);
    if (r >= 0)
        r = write_dims(&u, ret_unit, err);
    if (r >= 0)
        *ret_value = v;
    return r;
}

static bool same_dims(const struct ucum_unit *a, const struct ucum_unit *b)
{
    if (a->n_dims != b->n_dims)
        return false;
    for (size_t i = 0; i < a->n_dims; i++)
        if (a->dims[i].base != b->dims[i].base || a->dims[i].exponent != b->dims[i].exponent)
            return false;
    return true;
}

/* value × (a.factor × b.divisor) ÷ (a.divisor × b.factor), so that exact steps come before the one
 * that rounds. */
static int convert_linear(const struct decimal *value, const struct ucum_unit *a,
                          const struct ucum_unit *b, struct decimal *ret, struct err *err)
{
    struct decimal factor, divisor;
    int r = decimal_mul(&a->factor, &b->divisor, &factor, err);

    if (r >= 0)
        r = decimal_mul(&a->divisor, &b->factor, &divisor, err);
    return r < 0 ? r : scale(value, &factor, &divisor, ret, err);
}

int ucum_convert(const struct decimal *value, struct str from, struct str to, struct decimal *ret,
                 struct err *err)
{
    struct ucum_unit a, b;
    struct decimal base;
    int r = ucum_parse(from, &a, err);

    if (r >= 0)
        r = ucum_parse(to, &b, err);
    if (r < 0)
        return r;
    if (!same_dims(&a, &b))
        return err_set(err, ERR_VALUE, "\"%.*s\" and \"%.*s\" measure different things",
                       STR_ARG(from), STR_ARG(to));
    if (!a.special && !b.special)
        return convert_linear(value, &a, &b, ret, err);
    r = to_base(&a, value, &base, err);
    return r < 0 ? r : from_base(&b, &base, ret, err);
}

int ucum_mul(const struct decimal *a, struct str a_unit, const struct decimal *b, struct str b_unit,
             bool divide, char ret_unit[UCUM_UNIT_MAX], struct decimal *ret, struct err *err)
{
    char x_unit[UCUM_UNIT_MAX], y_unit[UCUM_UNIT_MAX], product[2 * UCUM_UNIT_MAX + 4];
    struct decimal x, y, one = decimal_i64(1), v;
    int n, r = ucum_canonical(a_unit, a, x_unit, &x, err);

    if (r >= 0)
        r = ucum_canonical(b_unit, b, y_unit, &y, err);
    if (r < 0)
        return r;
    n = snprintf(product, sizeof product, "%s%c(%s)", x_unit, divide ? '/' : '.', y_unit);
    r = ucum_canonical(str_n(product, (size_t)n), &one, x_unit, &v, err);
    if (r >= 0)
        r = divide ? decimal_div(&x, &y, &v, err) : decimal_mul(&x, &y, &v, err);
    if (r < 0)
        return r;
    memcpy(ret_unit, x_unit, UCUM_UNIT_MAX);
    *ret = v;
    return 0;
}
