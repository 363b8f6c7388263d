#include "fhir/subset.h"

#include "fhir/defs.h"

#define TAG_SYSTEM "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
#define TAG_CODE "SUBSETTED"

/* A JSON name without the '_' of a primitive's sibling. */
static struct str bare(struct str name)
{
    return name.n && name.p[0] == '_' ? str_from(name, 1) : name;
}

static void write_name(struct sb *out, struct str name, bool *first)
{
    if (!*first)
        sb_char(out, ',');
    *first = false;
    sb_json(out, name);
    sb_char(out, ':');
}

/* What must not be left out: mandatory elements, and extensions that change the meaning of others.
 */
static bool is_kept(const struct def_element *e)
{
    return e->min > 0 || str_eq(e->name, STR("modifierExtension"));
}

/* ---- the summary ---- */

/* The type of an element's JSON object: a resource says it itself. */
static const struct def_type *type_of(const struct def_type *t, yyjson_val *v)
{
    struct str name = js_get_str(v, "resourceType");
    const struct def_type *own = name.p ? def_type(name) : NULL;

    return own && own->kind == DEF_RESOURCE ? own : t;
}

static bool has_null(yyjson_val *v)
{
    size_t i, max;
    yyjson_val *item;

    yyjson_arr_foreach(v, i, max, item)
        if (yyjson_is_null(item))
            return true;
    return false;
}

/* Ids and extensions of a primitive ("_birthDate") are no part of the summary, but a value that is
 * missing, or an array with holes, would not be right without them. */
static bool needs_sibling(yyjson_val *parent, struct str name)
{
    yyjson_val *value = yyjson_obj_getn(parent, name.p, name.n);

    return !value || has_null(value);
}

static bool write_summary(struct sb *out, const struct def_type *t, yyjson_val *v);

/* Returns false, and writes nothing, where nothing of the value is in the summary. */
static bool write_value(struct sb *out, const struct def_type *t, yyjson_val *v)
{
    size_t i, max, start = out->n;
    yyjson_val *item;
    bool some = false;

    if (yyjson_is_obj(v) && !str_eq(t->name, STR("Extension")))
        return write_summary(out, type_of(t, v), v);
    if (!yyjson_is_arr(v)) {
        js_write(out, v);
        return true;
    }
    sb_char(out, '[');
    yyjson_arr_foreach(v, i, max, item) {
        size_t before = out->n;
        if (some)
            sb_char(out, ',');
        if (write_value(out, t, item))
            some = true;
        else
            out->n = before;
    }
    sb_char(out, ']');
    if (!some)
        out->n = start;
    return some;
}

static void write_element(struct sb *out, const struct def_element *e, const struct def_type *t,
                          struct str name, yyjson_val *val, bool *first)
{
    size_t start = out->n;
    bool was_first = *first;

    write_name(out, name, first);
    if (write_value(out, t, val))
        return;
    if (is_kept(e)) { /* mandatory, and all it has is outside the summary */
        js_write(out, val);
        return;
    }
    out->n = start;
    *first = was_first;
}

static bool write_summary(struct sb *out, const struct def_type *t, yyjson_val *v)
{
    size_t i, max, start = out->n;
    yyjson_val *key, *val;
    bool first = true;

    sb_char(out, '{');
    yyjson_obj_foreach(v, i, max, key, val) {
        struct str name = js_str(key), plain = bare(name);
        const struct def_type *mt;
        const struct def_element *e = def_member(t, plain, &mt);

        if (str_eq(name, STR("resourceType"))) {
            write_name(out, name, &first);
            js_write(out, val);
        } else if (e && (e->is_summary || is_kept(e))) {
            if (plain.n == name.n) {
                write_element(out, e, mt, name, val, &first);
            } else if (needs_sibling(v, plain)) {
                write_name(out, name, &first);
                js_write(out, val);
            }
        }
    }
    sb_char(out, '}');
    if (first)
        out->n = start;
    return !first;
}

/* ---- the resource ---- */

static bool has_tag(yyjson_val *tags)
{
    size_t i, max;
    yyjson_val *tag;

    yyjson_arr_foreach(tags, i, max, tag)
        if (str_eq(js_get_str(tag, "code"), STR(TAG_CODE)) &&
            str_eq(js_get_str(tag, "system"), STR(TAG_SYSTEM)))
            return true;
    return false;
}

/* The resource's meta, or none, with the tag. */
static void write_meta(struct sb *out, yyjson_val *meta)
{
    yyjson_val *tags = js_get(meta, "tag"), *key, *val;
    bool first = true;
    size_t i, max;

    sb_char(out, '{');
    if (yyjson_is_obj(meta)) {
        yyjson_obj_foreach(meta, i, max, key, val) {
            if (str_eq(js_str(key), STR("tag")))
                continue;
            write_name(out, js_str(key), &first);
            js_write(out, val);
        }
    }
    write_name(out, STR("tag"), &first);
    sb_char(out, '[');
    yyjson_arr_foreach(tags, i, max, val) {
        if (i)
            sb_char(out, ',');
        js_write(out, val);
    }
    if (!has_tag(tags)) {
        if (yyjson_arr_size(tags))
            sb_char(out, ',');
        sb_lit(out, "{\"system\":\"" TAG_SYSTEM "\",\"code\":\"" TAG_CODE "\"}");
    }
    sb_lit(out, "]}");
}

/* Whether an asked name ("name", "Patient.name", "value[x]", "valueQuantity") is this element. */
static bool names(struct str asked, const struct def_type *t, const struct def_element *e,
                  struct str json_name)
{
    if (asked.n > t->name.n && str_starts(asked, t->name) && asked.p[t->name.n] == '.')
        asked = str_from(asked, t->name.n + 1);
    if (e->is_choice && str_ends(asked, STR("[x]")))
        asked = str_head(asked, asked.n - 3);
    return str_eq(asked, e->name) || str_eq(asked, json_name);
}

static bool is_asked(const struct subset *s, const struct def_type *t, const struct def_element *e,
                     struct str json_name)
{
    if (is_kept(e))
        return true;
    if (s->n_elements == 0)
        return s->summary == SUMMARY_TRUE
                   ? e->is_summary
                   : str_eq(e->name, STR("text")) == (s->summary == SUMMARY_TEXT);
    for (size_t i = 0; i < s->n_elements; i++)
        if (names(s->elements[i], t, e, json_name))
            return true;
    return false;
}

static void write_member(struct sb *out, const struct subset *s, const struct def_type *t,
                         yyjson_val *root, struct str name, yyjson_val *val, bool *first)
{
    struct str plain = bare(name);
    const struct def_type *mt;
    const struct def_element *e = def_member(t, plain, &mt);
    bool is_summary = s->summary == SUMMARY_TRUE && s->n_elements == 0;

    if (!e || !is_asked(s, t, e, plain))
        return;
    if (is_summary && plain.n == name.n) {
        write_element(out, e, mt, name, val, first);
    } else if (!is_summary || needs_sibling(root, plain)) {
        write_name(out, name, first);
        js_write(out, val);
    }
}

void subset_write(struct sb *out, const struct subset *s, yyjson_val *root)
{
    struct str type_name = js_get_str(root, "resourceType");
    const struct def_type *t = type_name.p ? def_type(type_name) : NULL;
    yyjson_val *id = js_get(root, "id"), *key, *val;
    bool first = true;
    size_t i, max;

    if (subset_is_all(s) || !t || t->kind != DEF_RESOURCE) {
        js_write(out, root);
        return;
    }
    sb_char(out, '{');
    write_name(out, STR("resourceType"), &first);
    sb_json(out, type_name);
    if (id) {
        write_name(out, STR("id"), &first);
        js_write(out, id);
    }
    write_name(out, STR("meta"), &first);
    write_meta(out, js_get(root, "meta"));
    yyjson_obj_foreach(root, i, max, key, val) {
        struct str name = js_str(key);
        if (!str_eq(name, STR("resourceType")) && !str_eq(name, STR("id")) &&
            !str_eq(name, STR("meta")))
            write_member(out, s, t, root, name, val, &first);
    }
    sb_char(out, '}');
}
