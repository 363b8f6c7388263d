#include "fhir/validate_int.h"

static void say_codes(struct check *c, const struct def_element *e, const struct place *at,
                      const char *what)
{
    struct str url = def_codes_url(e->codes);

    check_say(c, at, "code-invalid", "%s the required value set %.*s", what, STR_ARG(url));
}

/* A Coding without a system is in no value set. */
static bool has_coding(const struct def_codes *codes, yyjson_val *coding)
{
    struct str system = js_get_str(coding, "system"), code = js_get_str(coding, "code");

    return code.p && def_codes_has(codes, system.p ? system : STR(""), code);
}

static bool has_any_coding(const struct def_codes *codes, yyjson_val *concept)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(concept, "coding"), i, n, v) {
        if (has_coding(codes, v))
            return true;
    }
    return false;
}

/* Nothing but extensions: the reason why the value is not there, for example. */
static bool is_extended_only(yyjson_val *v)
{
    return js_get(v, "extension") && yyjson_obj_size(v) == 1 + (js_get(v, "id") != NULL);
}

void check_codes(struct check *c, const struct def_element *e, const struct def_type *t,
                 yyjson_val *v, const struct place *at)
{
    switch (t->which) {
    case TYPE_CODE:
    case TYPE_STRING:
    case TYPE_URI:
        if (yyjson_is_str(v) && !def_codes_has(e->codes, STR_NULL, js_str(v)))
            say_codes(c, e, at, "is not a code of");
        break;
    case TYPE_CODING:
        if (!is_extended_only(v) && !has_coding(e->codes, v))
            say_codes(c, e, at, "is not a coding of");
        break;
    case TYPE_CODEABLECONCEPT:
        if (!is_extended_only(v) && !has_any_coding(e->codes, v))
            say_codes(c, e, at, "has no coding of");
        break;
    default: break;
    }
}
