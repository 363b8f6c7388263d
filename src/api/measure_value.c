/* measure_value.c - what a stratifier or a supplemental datum says, so that equal values count
 * together: primitives by their text, codes by system and code, whatever they are displayed as.
 */
#include "api/measure_int.h"

static struct str text_concept(struct arena *a, struct str text)
{
    _cleanup_(sb_done) struct sb out = sb_make(MIB(1));

    sb_lit(&out, "{\"text\":");
    sb_json(&out, text);
    sb_char(&out, '}');
    return out.failed ? STR_NULL : arena_dup(a, sb_view(&out));
}

static struct str coding_concept(struct arena *a, yyjson_val *coding)
{
    _cleanup_(sb_done) struct sb out = sb_make(MIB(1));

    sb_lit(&out, "{\"coding\":[");
    js_write(&out, coding);
    sb_lit(&out, "]}");
    return out.failed ? STR_NULL : arena_dup(a, sb_view(&out));
}

/* An element that is more than a text: a Coding, a CodeableConcept, a Quantity. False for any
 * other; where memory is short the key or the concept is missing. */
static bool read_object(struct arena *a, yyjson_val *v, struct measured *ret)
{
    yyjson_val *coding = js_get(v, "coding") ? yyjson_arr_get_first(js_get(v, "coding")) : v;
    struct str code = js_get_str(coding, "code"), system = js_get_str(coding, "system");
    struct str number = js_str(js_get(v, "value")), text = js_get_str(v, "text");

    if (js_is_number(js_get(v, "value"))) {
        struct str unit = code.n ? code : js_get_str(v, "unit");
        ret->key = arena_fmt(a, "%.*s%s%.*s", STR_ARG(number), unit.n ? " " : "", STR_ARG(unit));
    } else if (code.n) {
        ret->key = arena_fmt(a, "%.*s|%.*s", STR_ARG(system), STR_ARG(code));
        ret->concept = coding_concept(a, coding);
        return true;
    } else if (text.n) {
        ret->key = text;
    } else {
        return false;
    }
    ret->concept = ret->key.p ? text_concept(a, ret->key) : STR_NULL;
    return true;
}

int measure_value(struct measure *m, struct arena *a, const struct criterion *criterion,
                  const struct path_items *items, struct measured *ret)
{
    const struct path_item *item = items->p;
    bool is_known = true;

    if (items->n > 1)
        return err_set(&m->c->err, ERR_PROCESSING, "%.*s gives several values for one subject",
                       STR_ARG(criterion->where));
    *ret = (struct measured){.key = STR("unknown")};
    if (items->n && item->kind == PATH_ELEMENT && yyjson_is_obj(item->v)) {
        is_known = read_object(a, item->v, ret);
    } else {
        struct str text = !items->n                    ? STR_NULL
                          : item->kind == PATH_ELEMENT ? js_primitive(item->v)
                                                       : item->text;
        if (text.n)
            ret->key = text;
        if (items->n && item->kind == PATH_QUANTITY)
            ret->key = arena_fmt(a, "%.*s %.*s", STR_ARG(item->text), STR_ARG(*item->unit));
        ret->concept = ret->key.p ? text_concept(a, ret->key) : STR_NULL;
    }
    if (!is_known)
        return err_set(&m->c->err, ERR_PROCESSING,
                       "%.*s gives what is neither a primitive nor a code nor a quantity",
                       STR_ARG(criterion->where));
    return ret->key.p && ret->concept.p ? 0 : err_no_memory(&m->c->err);
}

int measure_value_keep(struct measure *m, const struct measured *value, struct measured *ret)
{
    ret->key = arena_dup(m->c->a, value->key);
    ret->concept = arena_dup(m->c->a, value->concept);
    return ret->key.p && ret->concept.p ? 0 : err_no_memory(&m->c->err);
}
