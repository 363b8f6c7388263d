/* xml_write.c - JSON to XML. Members come in any order, elements in that of the definitions: each
 * object's members are put into slots, one an element, and written slot by slot.
 */
#include "fhir/xml_int.h"

#include "fhir/xhtml.h"

/* The members of one object that mean one element: names, with their values behind them. */
struct slot {
    yyjson_val *value, *extra; /* "given" and "_given"; NULL: absent */
    const struct def_type *type;
};

struct writer {
    struct sb *out;
    struct arena *a;
    struct slot *slots; /* a stack: those of the objects around the current one lie below */
    size_t n, cap;
    bool pretty;
    int indent;
    struct err *err;
};

/* A member on its way to an element: what its tag needs. */
struct element {
    const struct def_element *e;
    const struct def_type *type;
    struct str name; /* of the tag */
};

static int write_object(struct writer *w, const struct def_type *t, yyjson_val *obj, struct str tag,
                        struct str value, const struct xml_place *at);
static int write_resource(struct writer *w, yyjson_val *v, const struct xml_place *at);

static int fail(struct writer *w, const struct xml_place *at, const char *what)
{
    char where[XML_PLACE_MAX];

    xml_place_text(at, where);
    return err_at(w->err, ERR_INVALID, where, "%s %s", where, what);
}

/* ---- slots ---- */

static int push_slots(struct writer *w, size_t n, size_t *ret_first)
{
    if (w->n + n > w->cap) {
        size_t cap = MAX(w->cap * 2, w->n + n);
        struct slot *slots =
            arena_grow(w->a, w->slots, w->cap * sizeof *slots, cap * sizeof *slots);
        if (!slots)
            return err_no_memory(w->err);
        w->slots = slots;
        w->cap = cap;
    }
    memset(w->slots + w->n, 0, n * sizeof *w->slots);
    *ret_first = w->n;
    w->n += n;
    return 0;
}

static int fill_slot(struct writer *w, const struct def_type *t, yyjson_val *key, size_t first,
                     const struct xml_place *at)
{
    struct str name = js_str(key), bare = name;
    bool is_extra = name.n > 1 && name.p[0] == '_';
    struct xml_place here = {at, name, -1};
    const struct def_type *type;
    const struct def_element *e;
    struct slot *slot;

    if (is_extra)
        bare = str_from(name, 1);
    if (t->kind == DEF_RESOURCE && str_eq(name, STR("resourceType")))
        return 0;
    e = def_member(t, bare, &type);
    if (!e || (is_extra && type->kind != DEF_PRIMITIVE))
        return fail(w, &here, "is not an element of R4");
    if (is_extra && (xml_is_attribute(t, e) || type->which == TYPE_XHTML))
        return fail(w, &here, "has no place in XML: what is an attribute there has no extensions");
    slot = &w->slots[first + (size_t)(e - t->elements)];
    if (slot->type && slot->type != type)
        return fail(w, &here, "is a second value where one type is allowed");
    slot->type = type;
    if (is_extra)
        slot->extra = key;
    else
        slot->value = key;
    return 0;
}

static int fill_slots(struct writer *w, const struct def_type *t, yyjson_val *obj, size_t first,
                      const struct xml_place *at)
{
    yyjson_val *key, *value;
    size_t i, max;

    yyjson_obj_foreach(obj, i, max, key, value) {
        int r = fill_slot(w, t, key, first, at);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- tags ---- */

static void new_line(struct writer *w)
{
    if (!w->pretty)
        return;
    sb_char(w->out, '\n');
    for (int i = 0; i < w->indent; i++)
        sb_lit(w->out, "  ");
}

static int write_attribute(struct writer *w, const char *name, struct str value,
                           const struct xml_place *at)
{
    if (!value.n)
        return fail(w, at, "is empty");
    sb_char(w->out, ' ');
    sb_str(w->out, str_c(name));
    sb_lit(w->out, "=\"");
    if (!xml_escape(w->out, value, true))
        return fail(w, at, "has a character that XML cannot say");
    sb_char(w->out, '"');
    return 0;
}

static void end_tag(struct writer *w, struct str tag, bool has_children)
{
    if (!has_children) {
        sb_lit(w->out, "/>");
        return;
    }
    new_line(w);
    sb_lit(w->out, "</");
    sb_str(w->out, tag);
    sb_char(w->out, '>');
}

/* ---- values ---- */

/* A narrative goes out as it is: it was looked at when it came in, and it is looked at again,
 * because here it becomes markup. */
static int write_xhtml(struct writer *w, yyjson_val *v, const struct xml_place *at)
{
    struct str text = str_trim(js_str(v));
    const char *problem;
    size_t where;

    if (!yyjson_is_str(v))
        return fail(w, at, "is not a JSON string");
    problem = xhtml_problem(text, &where);
    if (problem)
        return fail(w, at, problem);
    new_line(w);
    sb_str(w->out, text);
    return 0;
}

static int write_primitive(struct writer *w, const struct element *el, yyjson_val *v,
                           yyjson_val *extra, const struct xml_place *at)
{
    struct str value = js_primitive(v);

    if (el->type->which == TYPE_XHTML)
        return write_xhtml(w, v, at);
    if (yyjson_is_null(v))
        v = NULL;
    if (yyjson_is_null(extra))
        extra = NULL;
    if (v && !value.p)
        return fail(w, at, "is not a primitive value");
    if (v && !value.n)
        return fail(w, at, "is empty");
    if (extra && !yyjson_is_obj(extra))
        return fail(w, at, "has a '_' member that is not an object");
    if (!v && !extra)
        return fail(w, at, "is null without an extension in its place");
    return write_object(w, el->type, extra, el->name, value, at);
}

static int write_value(struct writer *w, const struct element *el, yyjson_val *v, yyjson_val *extra,
                       const struct xml_place *at)
{
    int r;

    if (el->type->kind == DEF_PRIMITIVE)
        return write_primitive(w, el, v, extra, at);
    if (!yyjson_is_obj(v))
        return fail(w, at, "is not an object");
    if (el->type->kind != DEF_RESOURCE)
        return write_object(w, el->type, v, el->name, STR_NULL, at);
    new_line(w);
    sb_char(w->out, '<');
    sb_str(w->out, el->name);
    sb_char(w->out, '>');
    w->indent++;
    r = write_resource(w, v, at);
    w->indent--;
    end_tag(w, el->name, true);
    return r;
}

/* ---- members ---- */

static int write_array(struct writer *w, const struct element *el, yyjson_val *values,
                       yyjson_val *extras, struct xml_place *here)
{
    size_t n = MAX(yyjson_arr_size(values), yyjson_arr_size(extras));
    yyjson_arr_iter v, x;

    if ((values && !yyjson_is_arr(values)) || (extras && !yyjson_is_arr(extras)))
        return fail(w, here, "repeats, but is not an array");
    if (!n)
        return fail(w, here, "is an empty array");
    yyjson_arr_iter_init(values, &v);
    yyjson_arr_iter_init(extras, &x);
    for (size_t i = 0; i < n; i++) {
        int r;
        here->index = (ptrdiff_t)i;
        r = write_value(w, el, yyjson_arr_iter_next(&v), yyjson_arr_iter_next(&x), here);
        if (r < 0)
            return r;
    }
    return 0;
}

static int write_slot(struct writer *w, const struct def_element *e, const struct slot *slot,
                      const struct xml_place *at)
{
    struct xml_place here = {at, e->name, -1};
    yyjson_val *value = slot->value ? yyjson_obj_iter_get_val(slot->value) : NULL;
    yyjson_val *extra = slot->extra ? yyjson_obj_iter_get_val(slot->extra) : NULL;
    struct element el = {.e = e, .type = slot->type, .name = e->name};

    if (e->is_choice)
        el.name = slot->value ? js_str(slot->value) : str_from(js_str(slot->extra), 1);
    if (e->max > 1)
        return write_array(w, &el, value, extra, &here);
    return write_value(w, &el, value, extra, &here);
}

/* Attributes that stand in the tag: id, and url of an extension. */
static int write_attributes(struct writer *w, const struct def_type *t, size_t first,
                            const struct xml_place *at, bool *ret_children)
{
    for (size_t i = 0; i < t->n_elements; i++) {
        const struct def_element *e = &t->elements[i];
        struct xml_place here = {at, e->name, -1};
        yyjson_val *v;
        int r;

        if (!w->slots[first + i].type)
            continue;
        if (!xml_is_attribute(t, e)) {
            *ret_children = true;
            continue;
        }
        v = yyjson_obj_iter_get_val(w->slots[first + i].value);
        if (!yyjson_is_str(v))
            return fail(w, &here, "is not a JSON string");
        r = write_attribute(w, str_eq(e->name, STR("id")) ? "id" : "url", js_str(v), &here);
        if (r < 0)
            return r;
    }
    return 0;
}

static int write_children(struct writer *w, const struct def_type *t, size_t first,
                          const struct xml_place *at)
{
    for (size_t i = 0; i < t->n_elements; i++) {
        struct slot slot = w->slots[first + i]; /* a copy: what is below may grow the stack */
        int r;

        if (!slot.type || xml_is_attribute(t, &t->elements[i]))
            continue;
        r = write_slot(w, &t->elements[i], &slot, at);
        if (r < 0)
            return r;
    }
    return 0;
}

/* One element with what is in it: `obj` may be NULL for a primitive without extensions. */
static int write_object(struct writer *w, const struct def_type *t, yyjson_val *obj, struct str tag,
                        struct str value, const struct xml_place *at)
{
    bool has_children = false;
    size_t first = 0;
    int r = 0;

    new_line(w);
    sb_char(w->out, '<');
    sb_str(w->out, tag);
    if (t->kind == DEF_RESOURCE)
        sb_lit(w->out, " xmlns=\"" XML_NAMESPACE "\"");
    if (obj) {
        if ((r = push_slots(w, t->n_elements, &first)) < 0 ||
            (r = fill_slots(w, t, obj, first, at)) < 0 ||
            (r = write_attributes(w, t, first, at, &has_children)) < 0)
            return r;
    }
    if (value.p)
        r = write_attribute(w, "value", value, at);
    if (r == 0 && has_children) {
        sb_char(w->out, '>');
        w->indent++;
        r = write_children(w, t, first, at);
        w->indent--;
    }
    if (obj)
        w->n = first;
    end_tag(w, tag, has_children);
    return r;
}

static int write_resource(struct writer *w, yyjson_val *v, const struct xml_place *at)
{
    int type = def_resource(js_get_str(v, "resourceType"));

    if (!type)
        return fail(w, at, "has no resourceType of R4");
    return write_object(w, def_resource_type(type), v, def_resource_name(type), STR_NULL, at);
}

int xml_write(struct sb *out, struct arena *a, yyjson_val *root, bool pretty, struct err *err)
{
    struct writer w = {.out = out, .a = a, .pretty = pretty, .err = err};
    struct xml_place at = {NULL, js_get_str(root, "resourceType"), -1};
    int r;

    if (!yyjson_is_obj(root))
        return err_set(err, ERR_INVALID, "a resource is a JSON object");
    if (!def_resource(at.name))
        return err_set(err, ERR_INVALID, "resourceType does not name a resource of R4");
    sb_lit(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    r = write_resource(&w, root, &at);
    if (pretty)
        sb_char(out, '\n');
    return r < 0 ? r : sb_ok(out, err);
}
