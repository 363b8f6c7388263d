#include "fhir/ucum_int.h"

#include <math.h>

#define DOUBLE_DIGITS 15 /* what is meant of a double's digits */

/* How a special unit's value x and the linear value y belong together: y = x + offset,
 * y = base^(k x), y = atan(x / 100), y = x². */
enum shape { SHAPE_NONE, SHAPE_OFFSET, SHAPE_POWER, SHAPE_TANGENT, SHAPE_ROOT };

static const struct {
    enum shape shape;
    const char *offset;
    double base, k;
} functions[] = {
    [UCUM_LINEAR] = {SHAPE_NONE, NULL, 0, 0},
    [UCUM_CELSIUS] = {SHAPE_OFFSET, "273.15", 0, 0},
    [UCUM_FAHRENHEIT] = {SHAPE_OFFSET, "459.67", 0, 0},
    [UCUM_REAUMUR] = {SHAPE_OFFSET, "218.52", 0, 0},
    [UCUM_PH] = {SHAPE_POWER, NULL, 10, -1},
    [UCUM_LN] = {SHAPE_POWER, NULL, M_E, 1},
    [UCUM_LG] = {SHAPE_POWER, NULL, 10, 1},
    [UCUM_LG2] = {SHAPE_POWER, NULL, 10, 0.5},
    [UCUM_LD] = {SHAPE_POWER, NULL, 2, 1},
    [UCUM_HP_X] = {SHAPE_POWER, NULL, 10, -1},
    [UCUM_HP_C] = {SHAPE_POWER, NULL, 100, -1},
    [UCUM_HP_M] = {SHAPE_POWER, NULL, 1000, -1},
    [UCUM_HP_Q] = {SHAPE_POWER, NULL, 50000, -1},
    [UCUM_TAN100] = {SHAPE_TANGENT, NULL, 0, 0},
    [UCUM_SQRT] = {SHAPE_ROOT, NULL, 0, 0},
};

static struct decimal offset_of(enum ucum_special s)
{
    struct decimal d;
    int r = decimal_parse(str_c(functions[s].offset), &d, NULL);

    assert(r == 0);
    (void)r;
    return d;
}

int ucum_special_to(enum ucum_special s, const struct decimal *x, struct decimal *ret,
                    struct err *err)
{
    struct decimal offset;
    double v;

    if (functions[s].shape == SHAPE_OFFSET) {
        offset = offset_of(s);
        return decimal_add(x, &offset, ret, err);
    }
    v = decimal_double(x);
    switch (functions[s].shape) {
    case SHAPE_POWER:
        v = functions[s].base == M_E ? exp(v) : pow(functions[s].base, v * functions[s].k);
        if (v == 0)
            return err_set(err, ERR_VALUE, "a logarithmic value is out of range");
        return decimal_from_double(v, DOUBLE_DIGITS, ret, err);
    case SHAPE_TANGENT: return decimal_from_double(atan(v / 100), DOUBLE_DIGITS, ret, err);
    case SHAPE_ROOT: return decimal_mul(x, x, ret, err);
    default: assert(false); return ERR_INTERNAL;
    }
}

static double logarithm(double base, double y)
{
    return base == 10 ? log10(y) : base == 2 ? log2(y) : log(y) / log(base);
}

int ucum_special_from(enum ucum_special s, const struct decimal *y, struct decimal *ret,
                      struct err *err)
{
    struct decimal offset;
    double v;

    if (functions[s].shape == SHAPE_OFFSET) {
        offset = offset_of(s);
        return decimal_sub(y, &offset, ret, err);
    }
    v = decimal_double(y);
    switch (functions[s].shape) {
    case SHAPE_POWER:
        if (!(v > 0))
            return err_set(err, ERR_VALUE, "only a positive value has a logarithm");
        v = logarithm(functions[s].base, v) / functions[s].k;
        return decimal_from_double(v, DOUBLE_DIGITS, ret, err);
    case SHAPE_TANGENT: return decimal_from_double(tan(v) * 100, DOUBLE_DIGITS, ret, err);
    case SHAPE_ROOT:
        if (v < 0)
            return err_set(err, ERR_VALUE, "a negative value has no square root");
        return decimal_from_double(sqrt(v), DOUBLE_DIGITS, ret, err);
    default: assert(false); return ERR_INTERNAL;
    }
}
