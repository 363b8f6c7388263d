/* profile_values.c - fixed values, patterns, and the order of values. */
#include "fhir/profile_int.h"

#include "fhir/date.h"
#include "fhir/decimal.h"
#include "fhir/ucum.h"

/* Nesting is bounded by JS_DEPTH_MAX: both sides come from parsed JSON. */

static bool is_same_primitive(yyjson_val *a, yyjson_val *b)
{
    struct decimal x, y;

    if (yyjson_get_type(a) != yyjson_get_type(b))
        return false;
    if (yyjson_is_bool(a))
        return yyjson_get_bool(a) == yyjson_get_bool(b);
    if (yyjson_is_str(a) || !js_is_number(a))
        return str_eq(js_str(a), js_str(b));
    if (str_eq(js_str(a), js_str(b)))
        return true;
    return decimal_parse(js_str(a), &x, NULL) == 0 && decimal_parse(js_str(b), &y, NULL) == 0 &&
           decimal_cmp(&x, &y) == 0;
}

static bool are_fixed(yyjson_val *v, yyjson_val *fixed)
{
    yyjson_val *a = yyjson_arr_get_first(v), *b;
    size_t i, n;

    if (yyjson_arr_size(v) != yyjson_arr_size(fixed))
        return false;
    yyjson_arr_foreach(fixed, i, n, b) {
        if (!value_is_fixed(a, b))
            return false;
        a = unsafe_yyjson_get_next(a);
    }
    return true;
}

bool value_is_fixed(yyjson_val *v, yyjson_val *fixed)
{
    yyjson_val *key, *val;
    size_t i, n;

    if (yyjson_is_arr(fixed))
        return yyjson_is_arr(v) && are_fixed(v, fixed);
    if (!yyjson_is_obj(fixed))
        return v && is_same_primitive(v, fixed);
    if (!yyjson_is_obj(v) || yyjson_obj_size(v) != yyjson_obj_size(fixed))
        return false;
    yyjson_obj_foreach(fixed, i, n, key, val) {
        if (!value_is_fixed(yyjson_obj_getn(v, js_str(key).p, js_str(key).n), val))
            return false;
    }
    return true;
}

/* Each item of the pattern is met by some item of the value. */
static bool have_pattern(yyjson_val *v, yyjson_val *pattern)
{
    yyjson_val *wanted, *item;
    size_t i, n, j, m;

    yyjson_arr_foreach(pattern, i, n, wanted) {
        bool is_met = false;
        yyjson_arr_foreach(v, j, m, item) {
            is_met = value_has_pattern(item, wanted);
            if (is_met)
                break;
        }
        if (!is_met)
            return false;
    }
    return true;
}

bool value_has_pattern(yyjson_val *v, yyjson_val *pattern)
{
    yyjson_val *key, *val;
    size_t i, n;

    if (yyjson_is_arr(pattern))
        return yyjson_is_arr(v) && have_pattern(v, pattern);
    if (!yyjson_is_obj(pattern))
        return v && is_same_primitive(v, pattern);
    if (!yyjson_is_obj(v))
        return false;
    yyjson_obj_foreach(pattern, i, n, key, val) {
        if (!value_has_pattern(yyjson_obj_getn(v, js_str(key).p, js_str(key).n), val))
            return false;
    }
    return true;
}

static int order_of(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_decimals(struct str a, struct str b)
{
    struct decimal x, y;
    int order;

    if (decimal_parse(a, &x, NULL) < 0 || decimal_parse(b, &y, NULL) < 0)
        return 2;
    order = decimal_cmp(&x, &y);
    return order < 0 ? -1 : order > 0;
}

/* Quantities of one unit, or of units that UCUM can bring together. */
static int compare_quantities(yyjson_val *v, yyjson_val *to)
{
    struct str unit = js_get_str(v, "code"), to_unit = js_get_str(to, "code");
    struct str value = js_str(js_get(v, "value")), to_value = js_str(js_get(to, "value"));
    struct decimal x, y;
    int order;

    if (str_eq(unit, to_unit))
        return compare_decimals(value, to_value);
    if (!str_eq(js_get_str(v, "system"), STR(UCUM_SYSTEM)) ||
        !str_eq(js_get_str(to, "system"), STR(UCUM_SYSTEM)) || decimal_parse(value, &x, NULL) < 0 ||
        decimal_parse(to_value, &y, NULL) < 0 || ucum_convert(&x, unit, to_unit, &x, NULL) < 0)
        return 2;
    order = decimal_cmp(&x, &y);
    return order < 0 ? -1 : order > 0;
}

int value_compare(yyjson_val *v, yyjson_val *to, const struct def_type *type)
{
    struct str a = js_str(v), b = js_str(to);
    struct date x, y;
    int64_t from_a, from_b, end;

    switch (type->which) {
    case TYPE_DECIMAL:
    case TYPE_INTEGER:
    case TYPE_POSITIVEINT:
    case TYPE_UNSIGNEDINT: return compare_decimals(a, b);
    case TYPE_DATE:
    case TYPE_DATETIME:
    case TYPE_INSTANT:
        if (date_parse(DATE_DATETIME, a, 0, &x, NULL) < 0 ||
            date_parse(DATE_DATETIME, b, 0, &y, NULL) < 0)
            return 2;
        return order_of(x.from_ms, y.from_ms);
    case TYPE_TIME:
        if (time_parse(a, &from_a, &end, NULL) < 0 || time_parse(b, &from_b, &end, NULL) < 0)
            return 2;
        return order_of(from_a, from_b);
    default: break;
    }
    return yyjson_is_obj(v) && yyjson_is_obj(to) ? compare_quantities(v, to) : 2;
}

size_t value_length(yyjson_val *v)
{
    struct str s = js_str(v);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}
