#include "fhir/diff.h"

#include "fhir/defs.h"

#include <ctype.h>

#define PATH_BYTES_MAX KIB(16)

struct diff {
    struct sb *out;
    struct sb path; /* of the object in hand; grows and is cut back */
    bool with_meta;
    size_t n;
    const struct def_element *values; /* Parameters.parameter.value: what value[x] can be */
    struct err *err;
};

/* An element as an object has it. */
struct found {
    const char *json; /* name of the member; a choice with its type */
    size_t json_n;
    const struct def_type *type;
    yyjson_val *v, *more; /* value or values, and the "_name" sibling */
};

static int diff_object(struct diff *d, const struct def_type *t, yyjson_val *a, yyjson_val *b,
                       bool is_root);

/* ---- reading ---- */

static yyjson_val *sibling(yyjson_val *obj, const char *json, size_t n)
{
    char name[130];

    if (n + 1 >= sizeof name)
        return NULL;
    name[0] = '_';
    memcpy(name + 1, json, n);
    return yyjson_obj_getn(obj, name, n + 1);
}

static bool look(yyjson_val *obj, const struct def_element *e, struct found *ret)
{
    size_t i, max;
    yyjson_val *key, *v;

    yyjson_obj_foreach(obj, i, max, key, v) {
        struct str name = js_str(key), json;
        const struct def_type *type;
        bool is_more = name.n && name.p[0] == '_';

        json = str_from(name, is_more);
        if (!str_starts(json, e->name) || (!e->is_choice && json.n != e->name.n))
            continue;
        type = e->types[0];
        if (e->is_choice) {
            for (size_t k = 0; (type = e->types[k]); k++)
                if (json.n == e->name.n + type->name.n &&
                    json.p[e->name.n] == toupper((unsigned char)type->name.p[0]) &&
                    memcmp(json.p + e->name.n + 1, type->name.p + 1, type->name.n - 1) == 0)
                    break;
            if (!type)
                continue;
        }
        *ret = (struct found){.json = json.p,
                              .json_n = json.n,
                              .type = type,
                              .v = yyjson_obj_getn(obj, json.p, json.n),
                              .more = type->kind == DEF_PRIMITIVE ? sibling(obj, json.p, json.n)
                                                                  : NULL};
        return true;
    }
    return false;
}

static bool same(yyjson_val *a, yyjson_val *b)
{
    if (yyjson_is_null(a))
        a = NULL;
    if (yyjson_is_null(b))
        b = NULL;
    return a == b || (a && b && yyjson_equals(a, b));
}

static size_t count(const struct found *f)
{
    return MAX(yyjson_arr_size(f->v), yyjson_arr_size(f->more));
}

/* The item i of a list, or the one value. */
static struct found item(const struct found *f, size_t i)
{
    struct found one = *f;

    if (yyjson_is_arr(f->v) || yyjson_is_arr(f->more)) {
        one.v = yyjson_arr_get(f->v, i);
        one.more = yyjson_arr_get(f->more, i);
    }
    if (yyjson_is_null(one.v))
        one.v = NULL;
    if (yyjson_is_null(one.more))
        one.more = NULL;
    return one;
}

static bool same_item(const struct found *a, size_t i, const struct found *b, size_t k)
{
    struct found x = item(a, i), y = item(b, k);

    return same(x.v, y.v) && same(x.more, y.more);
}

/* ---- writing values ---- */

static bool is_value_type(const struct diff *d, const struct def_type *t)
{
    for (size_t i = 0; d->values->types[i]; i++)
        if (d->values->types[i] == t)
            return true;
    return false;
}

static void write_value(struct diff *d, struct str name, const struct found *f);

/* An element without a name of its own among value[x]: its members as parts. */
static void write_parts(struct diff *d, const struct found *f)
{
    bool first = true;

    sb_lit(d->out, ",\"part\":[");
    for (size_t i = 0; i < f->type->n_elements; i++) {
        const struct def_element *e = &f->type->elements[i];
        struct found member;
        size_t n;
        if (!look(f->v, e, &member))
            continue;
        n = yyjson_is_arr(member.v) || yyjson_is_arr(member.more) ? count(&member) : 1;
        for (size_t k = 0; k < n; k++) {
            struct found one = item(&member, k);
            sb_str(d->out, first ? STR("") : STR(","));
            first = false;
            write_value(d, e->name, &one);
        }
    }
    sb_char(d->out, ']');
}

static void write_typed(struct diff *d, const char *prefix, struct str type, yyjson_val *v)
{
    if (!v)
        return;
    sb_fmt(d->out, ",\"%svalue%c%.*s\":", prefix, toupper((unsigned char)type.p[0]),
           (int)type.n - 1, type.p + 1);
    js_write(d->out, v);
}

static void write_value(struct diff *d, struct str name, const struct found *f)
{
    /* Parameters have no xhtml: it goes as the string that it is. */
    struct str type = f->type->which == TYPE_XHTML ? STR("string") : f->type->name;

    sb_lit(d->out, "{\"name\":");
    sb_json(d->out, name);
    if (f->type->kind == DEF_RESOURCE) {
        sb_lit(d->out, ",\"resource\":");
        js_write(d->out, f->v);
    } else if (f->type->kind == DEF_PRIMITIVE || is_value_type(d, f->type)) {
        write_typed(d, "", type, f->v);
        write_typed(d, "_", type, f->more);
    } else {
        write_parts(d, f);
    }
    sb_char(d->out, '}');
}

/* ---- writing operations ---- */

static int begin(struct diff *d, const char *type)
{
    if (++d->n > DIFF_OPERATIONS_MAX)
        return err_set(d->err, ERR_COSTLY, "the two differ in more than %d places",
                       DIFF_OPERATIONS_MAX);
    sb_str(d->out, d->n == 1 ? STR(",\"parameter\":[") : STR(","));
    sb_fmt(d->out,
           "{\"name\":\"operation\",\"part\":[{\"name\":\"type\",\"valueCode\":\"%s\"},"
           "{\"name\":\"path\",\"valueString\":",
           type);
    sb_json(d->out, sb_view(&d->path));
    sb_char(d->out, '}');
    return 0;
}

static void end(struct diff *d)
{
    sb_lit(d->out, "]}");
}

static int write_add(struct diff *d, const struct def_element *e, const struct found *f)
{
    int r = begin(d, "add");

    if (r < 0)
        return r;
    sb_lit(d->out, ",{\"name\":\"name\",\"valueString\":");
    sb_json(d->out, e->name);
    sb_lit(d->out, "},");
    write_value(d, STR("value"), f);
    end(d);
    return 0;
}

static int write_replace(struct diff *d, const struct found *f)
{
    int r = begin(d, "replace");

    if (r < 0)
        return r;
    sb_char(d->out, ',');
    write_value(d, STR("value"), f);
    end(d);
    return 0;
}

static int write_delete(struct diff *d)
{
    int r = begin(d, "delete");

    if (r >= 0)
        end(d);
    return r;
}

static int write_insert(struct diff *d, size_t index, const struct found *f)
{
    int r = begin(d, "insert");

    if (r < 0)
        return r;
    sb_fmt(d->out, ",{\"name\":\"index\",\"valueInteger\":%zu},", index);
    write_value(d, STR("value"), f);
    end(d);
    return 0;
}

/* ---- comparing ---- */

/* Adds ".name" to the path; returns where to cut it back to. */
static size_t go_to(struct diff *d, struct str name)
{
    size_t was = d->path.n;

    sb_char(&d->path, '.');
    /* the one element that is an operator of FHIRPath */
    sb_fmt(&d->path, str_eq(name, STR("div")) ? "`%.*s`" : "%.*s", STR_ARG(name));
    return was;
}

static bool is_open(const struct def_element *e, const struct found *a, const struct found *b)
{
    return !e->is_choice && (a->type->kind == DEF_COMPLEX || a->type->kind == DEF_BACKBONE) &&
           yyjson_is_obj(a->v) && yyjson_is_obj(b->v);
}

static int diff_one(struct diff *d, const struct def_element *e, const struct found *a,
                    const struct found *b)
{
    if (a->type == b->type && same(a->v, b->v) && same(a->more, b->more))
        return 0;
    return is_open(e, a, b) ? diff_object(d, a->type, a->v, b->v, false) : write_replace(d, b);
}

static int at_item(struct diff *d, const struct def_element *e, size_t i, const struct found *a,
                   const struct found *b)
{
    size_t was = go_to(d, e->name);
    int r;

    sb_fmt(&d->path, "[%zu]", i);
    r = b ? diff_one(d, e, a, b) : write_delete(d);
    d->path.n = was;
    return r;
}

/* Pairs between what is equal at both ends, then what one of the two has more. */
static int diff_list(struct diff *d, const struct def_element *e, const struct found *a,
                     const struct found *b)
{
    size_t na = count(a), nb = count(b), from = 0, tail = 0, length = na, was;
    int r = 0;

    while (from < na && from < nb && same_item(a, from, b, from))
        from++;
    while (tail < na - from && tail < nb - from && same_item(a, na - 1 - tail, b, nb - 1 - tail))
        tail++;
    for (size_t i = from; i < na - tail && i < nb - tail && r >= 0; i++) {
        struct found x = item(a, i), y = item(b, i);
        r = at_item(d, e, i, &x, &y);
    }
    for (size_t i = na - tail; i > MAX(nb - tail, from) && r >= 0; i--)
        r = at_item(d, e, i - 1, NULL, NULL);
    for (size_t i = MAX(na - tail, from); i < nb - tail && r >= 0; i++) {
        struct found y = item(b, i);
        if (i == length++) {
            r = write_add(d, e, &y);
            continue;
        }
        was = go_to(d, e->name);
        r = write_insert(d, i, &y);
        d->path.n = was;
    }
    return r;
}

static int add_element(struct diff *d, const struct def_element *e, const struct found *b)
{
    size_t n = yyjson_is_arr(b->v) || yyjson_is_arr(b->more) ? count(b) : 1;
    int r = 0;

    for (size_t i = 0; i < n && r >= 0; i++) {
        struct found one = item(b, i);
        r = write_add(d, e, &one);
    }
    return r;
}

static int delete_element(struct diff *d, const struct def_element *e, const struct found *a)
{
    bool is_list = yyjson_is_arr(a->v) || yyjson_is_arr(a->more);
    size_t was;
    int r = 0;

    for (size_t i = is_list ? count(a) : 0; i > 0 && r >= 0; i--)
        r = at_item(d, e, i - 1, NULL, NULL);
    if (is_list)
        return r;
    was = go_to(d, e->name);
    r = write_delete(d);
    d->path.n = was;
    return r;
}

static int diff_element(struct diff *d, const struct def_element *e, const struct found *a,
                        const struct found *b)
{
    size_t was;
    int r;

    if (e->max != 1)
        return diff_list(d, e, a, b);
    was = go_to(d, e->name);
    r = diff_one(d, e, a, b);
    d->path.n = was;
    return r;
}

static bool is_passed_over(const struct diff *d, const struct def_type *t,
                           const struct def_element *e, bool is_root)
{
    if (is_root)
        return str_eq(e->name, STR("id")) || (!d->with_meta && str_eq(e->name, STR("meta")));
    return t->which == TYPE_META &&
           (str_eq(e->name, STR("versionId")) || str_eq(e->name, STR("lastUpdated")));
}

/* What comes and changes first, then what goes: an object never is empty in between, for a patch
 * takes away what has nothing left in it. */
static int diff_object(struct diff *d, const struct def_type *t, yyjson_val *a, yyjson_val *b,
                       bool is_root)
{
    struct found x, y;
    int r = 0;

    for (size_t i = 0; i < t->n_elements && r >= 0; i++) {
        const struct def_element *e = &t->elements[i];
        if (is_passed_over(d, t, e, is_root) || !look(b, e, &y))
            continue;
        r = look(a, e, &x) ? diff_element(d, e, &x, &y) : add_element(d, e, &y);
    }
    for (size_t i = 0; i < t->n_elements && r >= 0; i++) {
        const struct def_element *e = &t->elements[i];
        if (!is_passed_over(d, t, e, is_root) && look(a, e, &x) && !look(b, e, &y))
            r = delete_element(d, e, &x);
    }
    return r;
}

int fhir_diff(yyjson_val *from, yyjson_val *to, bool with_meta, struct sb *out, struct err *err)
{
    struct str name = js_get_str(from, "resourceType");
    const struct def_type *type = def_type(name);
    const struct def_type *parameter = def_type(STR("Parameters.parameter"));
    struct diff d = {
        .out = out, .path = sb_make(PATH_BYTES_MAX), .with_meta = with_meta, .err = err};
    int r;

    for (size_t i = 0; i < parameter->n_elements; i++)
        if (parameter->elements[i].is_choice)
            d.values = &parameter->elements[i];
    if (!type || !str_eq(name, js_get_str(to, "resourceType")))
        return err_set(err, ERR_INVALID, "the two resources are not of one type");
    sb_lit(out, "{\"resourceType\":\"Parameters\"");
    sb_str(&d.path, name);
    r = diff_object(&d, type, from, to, true);
    sb_str(out, d.n ? STR("]}") : STR("}"));
    out->failed |= d.path.failed;
    sb_done(&d.path);
    return r < 0 ? r : sb_ok(out, err);
}
