#include "fhir/validate_int.h"

/* Members of contained resources looked at for the local references of one resource: past it they
 * would cost more than a write is worth, and are let through. */
#define CONTAINED_LOOKUPS_MAX 200000

static bool is_target(const struct def_element *e, int type)
{
    for (const int *t = e->targets; t && *t; t++)
        if (*t == type)
            return true;
    return !e->targets;
}

static void say_target(struct check *c, const struct place *at, int type)
{
    struct str name = def_resource_name(type);

    check_say(c, at, "value", "refers to a %.*s, which is not among the types allowed here",
              STR_ARG(name));
}

/* The resource that "#id" names: contained in the container, or (just "#") the container itself.
 * NULL if there is none; *ret_known is false if that could not be told. */
static yyjson_val *contained_target(const struct check *c, struct str id, bool *ret_known)
{
    yyjson_val *list = js_get(c->container, "contained"), *v;
    size_t i, n;

    *ret_known = true;
    if (!id.n)
        return c->container;
    yyjson_arr_foreach(list, i, n, v) {
        *c->lookups += 1 + yyjson_obj_size(v);
        if (*c->lookups > CONTAINED_LOOKUPS_MAX) {
            *ret_known = false;
            return NULL;
        }
        if (str_eq(js_get_str(v, "id"), id))
            return v;
    }
    return NULL;
}

static int local_type(struct check *c, struct str s, const struct place *at)
{
    bool is_known;
    yyjson_val *v = contained_target(c, str_from(s, 1), &is_known);

    if (!v && is_known)
        check_say(c, at, "value", "refers to a contained resource that is not there");
    return v ? def_resource(js_get_str(v, "resourceType")) : 0;
}

/* The part before the last `sep`, the part behind it to *ret_last; all of s in *ret_last if there
 * is no `sep`. */
static struct str cut_last(struct str s, char sep, struct str *ret_last)
{
    ptrdiff_t at = str_rfind(s, sep);

    *ret_last = str_from(s, (size_t)(at + 1));
    return str_head(s, (size_t)MAX(at, 0));
}

/* The resource type of a literal reference: "Patient/1", "http://host/fhir/Patient/1/_history/2",
 * "Patient?identifier=…". 0 where it names none. A relative one that is malformed is said. */
static int literal_type(struct check *c, struct str s, const struct place *at)
{
    bool is_absolute = str_find(s, ':') >= 0;
    ptrdiff_t query = str_find(s, '?');
    struct str id, type, rest;
    int number;

    if (query >= 0 && !is_absolute)
        return def_resource(str_head(s, (size_t)query));
    rest = cut_last(s, '/', &id);
    if (str_ends(rest, STR("/_history")))
        rest = cut_last(str_head(rest, rest.n - 9), '/', &id);
    cut_last(rest, '/', &type);
    number = def_resource(type);
    if (is_absolute)
        return fhir_is_id(id) ? number : 0;
    if (!number || type.n != rest.n)
        check_say(c, at, "value", "is not a relative reference: a resource type, '/' and an id");
    else if (!fhir_is_id(id))
        check_say(c, at, "value", "refers to something that is not an id");
    return number;
}

void check_reference(struct check *c, const struct def_element *e, yyjson_val *v,
                     const struct place *at)
{
    struct str s = js_get_str(v, "reference"), said = js_get_str(v, "type");
    struct place literal_at = {at, STR("reference"), -1}, type_at = {at, STR("type"), -1};
    int literal = 0, type = 0;

    if (s.n)
        literal = s.p[0] == '#' ? local_type(c, s, &literal_at) : literal_type(c, s, &literal_at);
    if (said.n) {
        type = def_resource(said);
        if (!type && str_find(said, ':') < 0)
            check_say(c, &type_at, "value", "is neither a resource type nor an absolute URI");
    }
    if (literal && !is_target(e, literal))
        say_target(c, &literal_at, literal);
    else if (literal && type && literal != type)
        check_say(c, &type_at, "value", "is not the type of what the reference names");
    else if (type && !is_target(e, type))
        say_target(c, &type_at, type);
}
