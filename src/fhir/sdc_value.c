/* sdc_value.c - one value on its way between a record and a form: what an element says as an answer
 * to a question, and what an answer says as an element.
 *
 * Source: the tables of types of Questionnaire.item.type and
 * QuestionnaireResponse.item.answer.value (http://hl7.org/fhir/R4/questionnaire.html), and the
 * extension questionnaire-unit.
 */
#include "fhir/sdc_int.h"

#include "fhir/date.h"
#include "fhir/path_int.h"
#include "fhir/validate.h"

#include <ctype.h>

/* ---- as an answer ---- */

static void put_value(struct sb *out, const char *type, yyjson_val *v)
{
    sb_fmt(out, "\"value%s\":", type);
    js_write(out, v);
}

static void put_text(struct sb *out, const char *type, struct str text)
{
    sb_fmt(out, "\"value%s\":", type);
    sb_json(out, text);
}

static bool is_a(const struct path_item *item, enum def_which which)
{
    return item->kind == PATH_ELEMENT && item->type && item->type->which == which;
}

/* The option of a question with a code, or a value set's: a code of a record has no system. */
static yyjson_val *option_with(yyjson_val *question, struct str code)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(question, "answerOption"), i, n, v) {
        yyjson_val *coding = js_get(v, "valueCoding");
        if (str_eq(js_get_str(coding, "code"), code))
            return coding;
    }
    return NULL;
}

static bool put_choice(yyjson_val *question, const struct path_item *item, struct str text,
                       struct sb *out)
{
    bool is_open = str_eq(js_get_str(question, "type"), STR("open-choice"));
    yyjson_val *coding = is_a(item, TYPE_CODING) ? item->v
                         : is_a(item, TYPE_CODEABLECONCEPT)
                             ? yyjson_arr_get_first(js_get(item->v, "coding"))
                             : option_with(question, text);

    if (coding)
        put_value(out, "Coding", coding);
    else if (is_open && is_a(item, TYPE_CODEABLECONCEPT) && js_get(item->v, "text"))
        put_value(out, "String", js_get(item->v, "text"));
    else if (is_open && text.n)
        put_text(out, "String", text);
    else
        return false;
    return true;
}

static yyjson_val *unit_name(yyjson_val *unit)
{
    yyjson_val *display = js_get(unit, "display");

    return display ? display : js_get(unit, "code");
}

static void put_member(struct sb *out, const char *name, yyjson_val *v)
{
    if (!v)
        return;
    sb_fmt(out, ",\"%s\":", name);
    js_write(out, v);
}

static void put_quantity(yyjson_val *question, struct str number, struct sb *out)
{
    yyjson_val *unit = response_extension(question, CORE("questionnaire-unit"));

    sb_lit(out, "\"valueQuantity\":{\"value\":");
    sb_str(out, number);
    put_member(out, "unit", unit_name(unit));
    put_member(out, "system", js_get(unit, "system"));
    put_member(out, "code", js_get(unit, "code"));
    sb_char(out, '}');
}

/* The number of a quantity in the question's unit. */
static struct str measured(yyjson_val *question, const struct path_item *item)
{
    struct str unit = js_get_str(response_extension(question, CORE("questionnaire-unit")), "code");

    if (item->kind != PATH_ELEMENT || !path_is_quantity(item->type) ||
        (unit.n && !str_eq(unit, js_get_str(item->v, "code"))))
        return STR_NULL;
    return js_str(js_get(item->v, "value"));
}

static bool put_number(yyjson_val *question, const struct path_item *item, struct str type,
                       struct str text, struct sb *out)
{
    enum path_kind kind = path_item_kind(item);
    char number[DECIMAL_TEXT_MAX];
    struct path_quantity q;

    if (str_eq(type, STR("quantity")) && item->kind == PATH_ELEMENT && path_is_quantity(item->type))
        put_value(out, "Quantity", item->v);
    else if (str_eq(type, STR("quantity")) && path_is_number(kind))
        put_quantity(question, text, out);
    else if (str_eq(type, STR("quantity")) && item->kind == PATH_QUANTITY &&
             path_to_quantity(item, &q) && !q.is_calendar) {
        sb_lit(out, "\"valueQuantity\":{\"value\":");
        sb_put(out, number, decimal_format(&q.value, number)); /* the text may be "+4" */
        sb_lit(out, ",\"system\":\"http://unitsofmeasure.org\",\"code\":");
        sb_json(out, q.unit);
        sb_char(out, '}');
    } else if (str_eq(type, STR("decimal")) && measured(question, item).n) {
        sb_lit(out, "\"valueDecimal\":");
        sb_str(out, measured(question, item));
    } else if (str_eq(type, STR("integer")) && kind == PATH_INTEGER) {
        sb_lit(out, "\"valueInteger\":");
        sb_str(out, text);
    } else if (str_eq(type, STR("decimal")) && path_is_number(kind)) {
        sb_lit(out, "\"valueDecimal\":");
        sb_str(out, text);
    } else {
        return false;
    }
    return true;
}

/* A Reference, or a resource as one. What is no type of resource is nobody's. */
static bool put_reference(const struct path_item *item, struct sb *out)
{
    struct str type = js_get_str(item->v, "resourceType"), id = js_get_str(item->v, "id");

    if (is_a(item, TYPE_REFERENCE)) {
        put_value(out, "Reference", item->v);
        return true;
    }
    if (item->kind != PATH_ELEMENT || !def_resource(type) || !fhir_is_id(id))
        return false;
    sb_fmt(out, "\"valueReference\":{\"reference\":\"%.*s/%.*s\"}", STR_ARG(type), STR_ARG(id));
    return true;
}

/* Times are whole in FHIR, which FHIRPath's need not be: without seconds, or a zone. */
static bool put_date(enum path_kind kind, struct str type, struct str text, struct sb *out)
{
    int64_t from, to;
    struct date date;
    struct err err;

    text = path_moment_plain(text);
    if (str_eq(type, STR("date")) && path_is_date(kind))
        put_text(out, "Date", str_head(text, 10));
    else if (str_eq(type, STR("dateTime")) && path_is_date(kind) &&
             date_parse(DATE_DATETIME, text, 0, &date, &err) >= 0)
        put_text(out, "DateTime", text);
    else if (str_eq(type, STR("time")) && kind == PATH_TIME &&
             time_parse(text, &from, &to, &err) >= 0)
        put_text(out, "Time", text);
    else
        return false;
    return true;
}

/* 1 written, 0 it does not fit. */
static bool put_answer(yyjson_val *question, const struct path_item *item, struct sb *out)
{
    struct str type = js_get_str(question, "type");
    enum path_kind kind = path_item_kind(item);
    struct str text = path_item_text(item);

    if (str_eq(type, STR("boolean")) && kind == PATH_BOOLEAN) {
        sb_fmt(out, "\"valueBoolean\":%.*s", STR_ARG(text));
        return true;
    }
    if (str_eq(type, STR("choice")) || str_eq(type, STR("open-choice")))
        return put_choice(question, item, text, out);
    if (str_eq(type, STR("reference")))
        return put_reference(item, out);
    if (str_eq(type, STR("attachment")) && is_a(item, TYPE_ATTACHMENT)) {
        put_value(out, "Attachment", item->v);
        return true;
    }
    if ((str_eq(type, STR("string")) || str_eq(type, STR("text"))) && text.n) {
        put_text(out, "String", text);
        return true;
    }
    if (str_eq(type, STR("url")) && kind == PATH_STRING && text.n) {
        put_text(out, "Uri", text);
        return true;
    }
    return put_date(kind, type, text, out) || put_number(question, item, type, text, out);
}

int sdc_answer(struct sdc *s, yyjson_val *question, const struct path_item *item, struct sb *out,
               struct err *err)
{
    int r = sdc_count(s, err);

    if (r < 0)
        return r;
    return put_answer(question, item, out);
}

/* ---- as an element ---- */

static bool is_text(enum def_which which)
{
    switch (which) {
    case TYPE_STRING:
    case TYPE_MARKDOWN:
    case TYPE_CODE:
    case TYPE_URI:
    case TYPE_URL:
    case TYPE_CANONICAL:
    case TYPE_ID:
    case TYPE_OID:
    case TYPE_UUID: return true;
    default: return false;
    }
}

static bool is_number_type(enum def_which which)
{
    return which == TYPE_INTEGER || which == TYPE_POSITIVEINT || which == TYPE_UNSIGNEDINT ||
           which == TYPE_DECIMAL;
}

static yyjson_mut_val *wrap(yyjson_mut_doc *doc, const char *name, yyjson_mut_val *v)
{
    yyjson_mut_val *obj = yyjson_mut_obj(doc);

    return v && yyjson_mut_obj_add_val(doc, obj, name, v) ? obj : NULL;
}

static yyjson_mut_val *list_of(yyjson_mut_doc *doc, yyjson_mut_val *v)
{
    yyjson_mut_val *list = yyjson_mut_arr(doc);

    return v && yyjson_mut_arr_append(list, v) ? list : NULL;
}

static bool copy_member(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *name, yyjson_val *v)
{
    return !v || yyjson_mut_obj_add_val(doc, obj, name, yyjson_val_mut_copy(doc, v));
}

static yyjson_mut_val *quantity(yyjson_mut_doc *doc, yyjson_val *question, yyjson_val *v)
{
    yyjson_val *unit = response_extension(question, CORE("questionnaire-unit"));
    yyjson_mut_val *obj = wrap(doc, "value", yyjson_val_mut_copy(doc, v));

    return obj && copy_member(doc, obj, "unit", unit_name(unit)) &&
                   copy_member(doc, obj, "system", js_get(unit, "system")) &&
                   copy_member(doc, obj, "code", js_get(unit, "code"))
               ? obj
               : NULL;
}

enum fit {
    FIT_NO,
    FIT_COPY,
    FIT_CONCEPT,
    FIT_LABEL,
    FIT_CODE,
    FIT_DISPLAY,
    FIT_NOTE,
    FIT_QUANTITY,
    FIT_DAY
};

static bool derives(const struct def_type *t, const struct def_type *base)
{
    while (t && t != base)
        t = t->base;
    return t != NULL;
}

/* How a value of type `from` becomes one of type `to`. */
static enum fit fit_of(const struct def_type *from, const struct def_type *to)
{
    enum def_which f = (enum def_which)from->which, t = (enum def_which)to->which;

    if (from == to || (is_text(f) && is_text(t)) || (is_number_type(f) && is_number_type(t)) ||
        (f == TYPE_QUANTITY && derives(to, from)) ||
        ((f == TYPE_DATE || f == TYPE_DATETIME) && (t == TYPE_DATETIME || t == TYPE_INSTANT)))
        return FIT_COPY;
    if (f == TYPE_CODING)
        return t == TYPE_CODEABLECONCEPT ? FIT_CONCEPT
               : t == TYPE_CODE          ? FIT_CODE
               : t == TYPE_STRING        ? FIT_DISPLAY
                                         : FIT_NO;
    if (f == TYPE_STRING)
        return t == TYPE_CODEABLECONCEPT ? FIT_LABEL : t == TYPE_ANNOTATION ? FIT_NOTE : FIT_NO;
    if ((f == TYPE_INTEGER || f == TYPE_DECIMAL) && t == TYPE_QUANTITY)
        return FIT_QUANTITY;
    return f == TYPE_DATETIME && t == TYPE_DATE ? FIT_DAY : FIT_NO;
}

static yyjson_mut_val *fitted(yyjson_mut_doc *doc, enum fit fit, yyjson_val *question,
                              yyjson_val *v)
{
    struct str text = str_head(js_primitive(v), 10);

    switch (fit) {
    case FIT_CONCEPT: return wrap(doc, "coding", list_of(doc, yyjson_val_mut_copy(doc, v)));
    case FIT_LABEL:
    case FIT_NOTE: return wrap(doc, "text", yyjson_val_mut_copy(doc, v));
    case FIT_CODE: return yyjson_val_mut_copy(doc, js_get(v, "code"));
    case FIT_DISPLAY: return yyjson_val_mut_copy(doc, js_get(v, "display"));
    case FIT_QUANTITY: return quantity(doc, question, v);
    case FIT_DAY: return yyjson_mut_strncpy(doc, text.p, text.n);
    default: return yyjson_val_mut_copy(doc, v);
    }
}

/* The element's JSON name for a value of the type. */
static struct str json_name(struct arena *a, const struct def_element *e, const struct def_type *t)
{
    return e->is_choice
               ? arena_fmt(a, "%.*s%c%.*s", STR_ARG(e->name), toupper((unsigned char)t->name.p[0]),
                           (int)t->name.n - 1, t->name.p + 1)
               : e->name;
}

int sdc_element(yyjson_mut_doc *doc, struct arena *a, const struct def_element *e,
                yyjson_val *question, yyjson_val *v, struct str type, struct patch_value *ret,
                struct err *err)
{
    const struct def_type *from = response_type(type), *to = NULL;
    enum fit fit = FIT_NO;

    /* A choice takes a value as it is where it can. */
    for (size_t i = 0; from && e->types[i] && to != from; i++) {
        enum fit one = fit_of(from, e->types[i]);
        if (one != FIT_NO && (fit == FIT_NO || e->types[i] == from)) {
            fit = one;
            to = e->types[i];
        }
    }
    if (fit == FIT_NO || (fit == FIT_CODE && !js_get(v, "code")) ||
        (fit == FIT_DISPLAY && !js_get(v, "display")) || (fit == FIT_DAY && !js_primitive(v).n))
        return 0;
    *ret = (struct patch_value){.json = json_name(a, e, to), .v = fitted(doc, fit, question, v)};
    return ret->json.p && ret->v ? 1 : err_no_memory(err);
}

int sdc_element_of(struct sdc *s, yyjson_mut_doc *doc, const struct def_element *e,
                   const struct path_item *item, struct patch_value *ret, struct err *err)
{
    static const struct str names[] = {
        [PATH_BOOLEAN] = STR("boolean"), [PATH_STRING] = STR("string"),
        [PATH_INTEGER] = STR("integer"), [PATH_DECIMAL] = STR("decimal"),
        [PATH_DATE] = STR("date"),       [PATH_DATETIME] = STR("dateTime"),
        [PATH_TIME] = STR("time")};
    _cleanup_(sb_done) struct sb text = sb_make(PATH_STRING_MAX);
    struct path_items one = {.p = (struct path_item *)item, .n = 1, .cap = 1};
    yyjson_val *list;
    int r;

    if (item->kind == PATH_ELEMENT)
        return item->v && item->type
                   ? sdc_element(doc, s->a, e, NULL, item->v, item->type->name, ret, err)
                   : 0;
    if (item->kind >= ARRAY_LEN(names) || !names[item->kind].n)
        return 0;
    path_write(&text, &one);
    r = sb_ok(&text, err);
    if (r < 0 || (r = js_parse_stored(s->a, sb_view(&text), &list, err)) < 0)
        return r;
    return sdc_element(doc, s->a, e, NULL, yyjson_arr_get_first(list), names[item->kind], ret, err);
}
