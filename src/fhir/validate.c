#include "fhir/validate.h"

#include "fhir/validate_int.h"

#include <stdarg.h>
#include <stdio.h>

#define WHERE_MAX 512
#define NAME_SHOWN_MAX 64 /* of a member name that is unknown to us */

/* Elements that an object had. */
struct seen {
    uint64_t bits[DEF_ELEMENTS_MAX / 64];
};

static void check_resource(struct check *c, yyjson_val *v, const struct place *at);
static void check_object(struct check *c, const struct def_type *t, yyjson_val *obj,
                         const struct place *at);

bool fhir_is_id(struct str s)
{
    if (s.n < 1 || s.n > FHIR_ID_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
              c == '-' || c == '.'))
            return false;
    }
    return true;
}

/* ---- saying ---- */

size_t place_text(const struct place *at, char *to, size_t max)
{
    size_t n = at->up ? place_text(at->up, to, max) : 0;
    int more;

    more = snprintf(to + n, max - n, "%s%.*s", at->up ? "." : "",
                    (int)MIN(at->name.n, (size_t)NAME_SHOWN_MAX), at->name.p);
    n = MIN(n + (size_t)MAX(more, 0), max - 1);
    if (at->index >= 0) {
        more = snprintf(to + n, max - n, "[%td]", at->index);
        n = MIN(n + (size_t)MAX(more, 0), max - 1);
    }
    return n;
}

void check_say(struct check *c, const struct place *at, const char *issue_type, const char *fmt,
               ...)
{
    char where[WHERE_MAX] = "", text[ERR_TEXT_MAX];
    size_t n = 0;
    va_list ap;

    if (c->issues->n < ISSUES_MAX) {
        n = place_text(at, where, sizeof where);
        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        issues_add(c->issues, ISSUE_ERROR, issue_type, str_n(where, n), "%s %s", where, text);
    } else {
        issues_add(c->issues, ISSUE_ERROR, issue_type, STR(""), "%s", "");
    }
}

static void say_unknown(struct check *c, struct str name, const struct place *at)
{
    struct place here = {at, name, -1};

    check_say(c, &here, "structure", "is not an element of R4");
}

/* ---- one object's elements ---- */

static bool seen_has(const struct seen *s, size_t i)
{
    return s->bits[i / 64] >> i % 64 & 1;
}

static void seen_add(struct seen *s, size_t i)
{
    s->bits[i / 64] |= (uint64_t)1 << i % 64;
}

static void check_value(struct check *c, const struct def_element *e, const struct def_type *t,
                        yyjson_val *v, const struct place *at)
{
    if (t->kind == DEF_PRIMITIVE) {
        const char *problem = primitive_problem((enum def_which)t->which, v);
        if (problem)
            check_say(c, at, "value", "%s",
                      yyjson_is_arr(v)    ? "is an array, but does not repeat"
                      : yyjson_is_null(v) ? "is null"
                                          : problem);
        else if (e->codes)
            check_codes(c, e, t, v, at);
        return;
    }
    if (!yyjson_is_obj(v)) {
        check_say(c, at, "structure", "%s",
                  yyjson_is_arr(v) ? "is an array, but does not repeat" : "is not an object");
        return;
    }
    if (t->kind == DEF_RESOURCE) {
        check_resource(c, v, at);
        return;
    }
    check_object(c, t, v, at);
    if (t->which == TYPE_REFERENCE)
        check_reference(c, e, v, at);
    else if (e->codes)
        check_codes(c, e, t, v, at);
}

/* The name of a primitive's sibling ("_given" for "given", and back) in an object. Names come from
 * the definitions, so they have a bound. */
static yyjson_val *sibling(yyjson_val *obj, struct str name, bool with_dash)
{
    char buf[128];

    if (!with_dash)
        return yyjson_obj_getn(obj, name.p + 1, name.n - 1);
    if (name.n + 1 > sizeof buf)
        return NULL;
    buf[0] = '_';
    memcpy(buf + 1, name.p, name.n);
    return yyjson_obj_getn(obj, buf, name.n + 1);
}

static bool is_array_here(struct check *c, const struct def_element *e, yyjson_val *v,
                          const struct place *at)
{
    if (!yyjson_is_arr(v))
        check_say(c, at, "structure", "repeats, but is not an array");
    else if (yyjson_arr_size(v) == 0)
        check_say(c, at, "structure", "is an empty array");
    else if (e->max != DEF_MAX_UNBOUNDED && yyjson_arr_size(v) > e->max)
        check_say(c, at, "structure", "stands more than %u times", e->max);
    else
        return true;
    return false;
}

/* `name` as it stands in the JSON, `e` and `t` what it means. */
static void check_member(struct check *c, const struct def_element *e, const struct def_type *t,
                         yyjson_val *obj, struct str name, yyjson_val *v, const struct place *at)
{
    struct place here = {at, e->name, -1};
    yyjson_arr_iter extras = {0};
    yyjson_val *item, *extra = NULL;
    size_t i, n;

    if (e->max == 0) {
        check_say(c, &here, "structure", "is not allowed here");
        return;
    }
    if (e->max == 1) {
        check_value(c, e, t, v, &here);
        return;
    }
    if (!is_array_here(c, e, v, &here))
        return;
    if (t->kind == DEF_PRIMITIVE)
        yyjson_arr_iter_init(sibling(obj, name, true), &extras);
    yyjson_arr_foreach(v, i, n, item) {
        here.index = (ptrdiff_t)i;
        extra = yyjson_arr_iter_next(&extras);
        /* null keeps a place for a value that only its sibling says something of. */
        if (!yyjson_is_null(item) || t->kind != DEF_PRIMITIVE)
            check_value(c, e, t, item, &here);
        else if (!yyjson_is_obj(extra))
            check_say(c, &here, "structure", "is null without an extension in its place");
    }
}

static void check_extra(struct check *c, const struct def_type *t, yyjson_val *v,
                        const struct place *at)
{
    if (!yyjson_is_obj(v))
        check_say(c, at, "structure", "has a '_' member that is not an object");
    else
        check_object(c, t, v, at);
}

/* A member with '_': id and extensions of a primitive. */
static void check_extras(struct check *c, const struct def_element *e, const struct def_type *t,
                         yyjson_val *obj, struct str name, yyjson_val *v, const struct place *at)
{
    struct place here = {at, e->name, -1};
    yyjson_val *values = sibling(obj, name, false), *item;
    size_t i, n;

    if (e->max == 0) {
        check_say(c, &here, "structure", "is not allowed here");
        return;
    }
    if (e->max == 1) {
        check_extra(c, t, v, &here);
        return;
    }
    if (!is_array_here(c, e, v, &here))
        return;
    if (values && yyjson_is_arr(values) && yyjson_arr_size(values) != yyjson_arr_size(v))
        check_say(c, &here, "structure", "has not as many values as '_' members");
    yyjson_arr_foreach(v, i, n, item) {
        here.index = (ptrdiff_t)i;
        if (!yyjson_is_null(item))
            check_extra(c, t, item, &here);
        else if (!values)
            check_say(c, &here, "structure", "is null in place of a value and of an extension");
    }
}

/* Whether a choice has a second type, seen twice as it is: "valueString" goes with "_valueString".
 */
static bool is_chosen_twice(const struct def_type *t, const struct def_element *e, yyjson_val *obj,
                            const struct def_type *type)
{
    yyjson_val *key, *val;
    size_t i, n;

    yyjson_obj_foreach(obj, i, n, key, val) {
        struct str name = js_str(key);
        const struct def_type *other;
        if (name.n && name.p[0] == '_')
            name = str_from(name, 1);
        if (def_member(t, name, &other) == e && other != type)
            return true;
    }
    return false;
}

static void check_any_member(struct check *c, const struct def_type *t, yyjson_val *obj,
                             yyjson_val *key, yyjson_val *v, const struct place *at,
                             struct seen *seen)
{
    struct str name = js_str(key), bare = name;
    bool is_extra = name.n > 1 && name.p[0] == '_';
    const struct def_type *type;
    const struct def_element *e;
    size_t i;

    if (is_extra)
        bare = str_from(name, 1);
    e = def_member(t, bare, &type);
    if (!e || (is_extra && type->kind != DEF_PRIMITIVE)) {
        if (t->kind != DEF_RESOURCE || !str_eq(name, STR("resourceType")))
            say_unknown(c, name, at);
        return;
    }
    i = (size_t)(e - t->elements);
    if (e->is_choice && seen_has(seen, i) && is_chosen_twice(t, e, obj, type)) {
        struct place here = {at, e->name, -1};
        check_say(c, &here, "structure", "has values of two types, but one is allowed");
    }
    seen_add(seen, i);
    if (is_extra)
        check_extras(c, e, type, obj, name, v, at);
    else
        check_member(c, e, type, obj, name, v, at);
}

static void check_required(struct check *c, const struct def_type *t, const struct seen *seen,
                           const struct place *at)
{
    for (size_t w = 0; w < ARRAY_LEN(seen->bits); w++) {
        uint64_t missing = t->required[w] & ~seen->bits[w];
        for (; missing; missing &= missing - 1) {
            const struct def_element *e = &t->elements[w * 64 + (size_t)__builtin_ctzll(missing)];
            struct place here = {at, e->name, -1};
            check_say(c, &here, "required", "is required");
        }
    }
}

/* ext-1, and what is left of ele-1 when empty objects are refused. */
static void check_content(struct check *c, const struct def_type *t, yyjson_val *obj,
                          const struct seen *seen, const struct place *at)
{
    bool has_value = false, has_extension = false;

    if (t->which == TYPE_EXTENSION) {
        for (size_t i = 0; i < t->n_elements; i++) {
            has_value |= seen_has(seen, i) && t->elements[i].is_choice;
            has_extension |= seen_has(seen, i) && str_eq(t->elements[i].name, STR("extension"));
        }
        if (has_value == has_extension)
            check_say(c, at, "structure",
                      has_value ? "has a value and extensions, but only one of "
                                  "them is allowed"
                                : "has neither a value nor extensions");
    } else if (yyjson_obj_size(obj) == 1 && t->kind != DEF_RESOURCE && t->kind != DEF_PRIMITIVE &&
               js_get(obj, "id")) {
        check_say(c, at, "structure", "has nothing but an id");
    }
}

static void check_object(struct check *c, const struct def_type *t, yyjson_val *obj,
                         const struct place *at)
{
    struct seen seen = {{0}};
    yyjson_val *key, *val;
    size_t i, n;

    if (yyjson_obj_size(obj) == 0) {
        check_say(c, at, "structure", "is an empty object");
        return;
    }
    yyjson_obj_foreach(obj, i, n, key, val) {
        if (c->issues->n >= ISSUES_MAX)
            return;
        check_any_member(c, t, obj, key, val, at, &seen);
    }
    check_required(c, t, &seen, at);
    check_content(c, t, obj, &seen, at);
}

/* ---- resources ---- */

/* What dom-2, dom-4 and dom-5 say of a contained resource. */
static void check_contained(struct check *c, yyjson_val *v, const struct place *at)
{
    yyjson_val *meta = js_get(v, "meta");

    if (js_get(v, "contained"))
        check_say(c, at, "invariant", "is contained and contains a resource itself");
    if (js_get(meta, "versionId") || js_get(meta, "lastUpdated"))
        check_say(c, at, "invariant", "is contained and has a meta.versionId or lastUpdated");
    if (js_get(meta, "security"))
        check_say(c, at, "invariant", "is contained and has a security label");
}

/* A resource within another: in `contained`, a Bundle's entry, a parameter. */
static void check_resource(struct check *c, yyjson_val *v, const struct place *at)
{
    int type = def_resource(js_get_str(v, "resourceType"));
    struct check inner = *c;

    if (!type) {
        check_say(c, at, "structure", "has no resourceType of R4");
        return;
    }
    if (str_eq(at->name, STR("contained")))
        check_contained(c, v, at);
    else
        inner.container = v;
    check_object(&inner, def_resource_type(type), v, at);
}

int fhir_validate(yyjson_val *root, struct issues *issues, struct err *err)
{
    size_t lookups = 0;
    struct check c = {.issues = issues, .container = root, .lookups = &lookups};
    struct place at = {NULL, STR_NULL, -1};
    int type = 0;

    if (!yyjson_is_obj(root)) {
        issues_add(issues, ISSUE_ERROR, "structure", STR(""), "a resource is a JSON object");
    } else if (!js_get_str(root, "resourceType").p) {
        issues_add(issues, ISSUE_ERROR, "structure", STR(""), "resourceType is missing");
    } else {
        type = def_resource(js_get_str(root, "resourceType"));
        if (!type)
            issues_add(issues, ISSUE_ERROR, "structure", STR(""),
                       "resourceType does not name a resource of R4");
    }
    if (type) {
        at.name = def_resource_name(type);
        check_object(&c, def_resource_type(type), root, &at);
    }
    return issues->no_memory ? err_no_memory(err) : type;
}
