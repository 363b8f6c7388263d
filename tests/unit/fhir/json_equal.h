/* json_equal.h - whether two JSON values say the same. */
#ifndef UNIT_FHIR_JSON_EQUAL_H
#define UNIT_FHIR_JSON_EQUAL_H

#include "base/js.h"

/* Members in any order, everything else as it stands: a number by its literal. */
static bool json_is_equal(yyjson_val *a, yyjson_val *b)
{
    yyjson_val *key, *value;
    size_t i, max;

    if (yyjson_get_type(a) != yyjson_get_type(b))
        return false;
    if (yyjson_is_obj(a)) {
        yyjson_obj_foreach(a, i, max, key, value) {
            if (!json_is_equal(value, yyjson_obj_getn(b, js_str(key).p, js_str(key).n)))
                return false;
        }
        return yyjson_obj_size(a) == yyjson_obj_size(b);
    }
    if (yyjson_is_arr(a)) {
        yyjson_val *other = yyjson_arr_get_first(b);
        if (yyjson_arr_size(a) != yyjson_arr_size(b))
            return false;
        yyjson_arr_foreach(a, i, max, value) {
            if (!json_is_equal(value, other))
                return false;
            other = unsafe_yyjson_get_next(other);
        }
        return true;
    }
    return yyjson_is_null(a) || str_eq(js_primitive(a), js_primitive(b));
}

#endif
