/* conform_set.c - whether a ValueSet that is at hand as a resource has a code: one that something
 * contains, which no terminology knows by a name.
 *
 * Source: http://hl7.org/fhir/R4/valueset.html#compositions.
 */
#include "fhir/profile_int.h"

static bool is_listed(yyjson_val *concepts, struct str code)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(concepts, i, n, v) {
        if (str_eq(js_get_str(v, "code"), code))
            return true;
    }
    return false;
}

/* Codes of one system, all or some of them. */
static int in_system(struct conform *c, yyjson_val *include, const struct coding *coding,
                     enum terms_answer *ret)
{
    const struct world *world = c->options->world;

    *ret = TERMS_NO;
    if (!str_eq(js_get_str(include, "system"), coding->system))
        return 0;
    if (js_get(include, "concept")) {
        *ret = is_listed(js_get(include, "concept"), coding->code) ? TERMS_YES : TERMS_NO;
        return 0;
    }
    *ret = TERMS_UNKNOWN;
    return js_get(include, "filter") || !world || !world->has_code
               ? 0
               : world->has_code(world->ctx, c->a, coding, ret, NULL, c->err);
}

static enum terms_answer both(enum terms_answer a, enum terms_answer b)
{
    return a == TERMS_NO || b == TERMS_NO             ? TERMS_NO
           : a == TERMS_UNKNOWN || b == TERMS_UNKNOWN ? TERMS_UNKNOWN
                                                      : TERMS_YES;
}

/* What an include says holds together: the system's codes that are in all of the sets. */
static int in_include(struct conform *c, yyjson_val *include, const struct coding *coding,
                      enum terms_answer *ret)
{
    const struct world *world = c->options->world;
    enum terms_answer one = TERMS_UNKNOWN;
    yyjson_val *v;
    size_t i, n;
    int r = 0;

    *ret = TERMS_YES;
    if (js_get(include, "system"))
        r = in_system(c, include, coding, ret);
    yyjson_arr_foreach(js_get(include, "valueSet"), i, n, v) {
        if (r >= 0 && world && world->member_of)
            r = world->member_of(world->ctx, c->a, js_str(v), coding, &one, c->err);
        *ret = both(*ret, one);
    }
    return r;
}

static int in_any(struct conform *c, yyjson_val *list, const struct coding *coding,
                  enum terms_answer *ret)
{
    enum terms_answer any = TERMS_NO, one;
    yyjson_val *v;
    size_t i, n;
    int r = 0;

    yyjson_arr_foreach(list, i, n, v) {
        if (r < 0 || any == TERMS_YES)
            break;
        r = in_include(c, v, coding, &one);
        if (one != TERMS_NO)
            any = one;
    }
    *ret = any;
    return r;
}

/* JSON's depth bounds how deep an expansion goes. */
static bool is_expanded(yyjson_val *contains, const struct coding *coding)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(contains, i, n, v) {
        if ((str_eq(js_get_str(v, "code"), coding->code) &&
             str_eq(js_get_str(v, "system"), coding->system)) ||
            is_expanded(js_get(v, "contains"), coding))
            return true;
    }
    return false;
}

int set_has(struct conform *c, yyjson_val *set, const struct coding *coding, enum terms_answer *ret)
{
    yyjson_val *compose = js_get(set, "compose"), *expansion = js_get(set, "expansion");
    enum terms_answer out = TERMS_NO;
    int r;

    *ret = TERMS_UNKNOWN;
    if (!compose) {
        if (expansion)
            *ret = is_expanded(js_get(expansion, "contains"), coding) ? TERMS_YES : TERMS_NO;
        return 0;
    }
    r = in_any(c, js_get(compose, "include"), coding, ret);
    if (r >= 0 && *ret != TERMS_NO)
        r = in_any(c, js_get(compose, "exclude"), coding, &out);
    if (out != TERMS_NO)
        *ret = out == TERMS_YES ? TERMS_NO : TERMS_UNKNOWN;
    return MIN(r, 0);
}
