#include "fhir/value_int.h"

#include "fhir/date.h"
#include "fhir/ucum.h"
#include "fhir/validate.h"

struct sink {
    const struct index_options *opt;
    value_visit *visit;
    void *ctx;
};

static int give(const struct sink *s, const struct value *v)
{
    return s->visit(s->ctx, v);
}

static int give_text(const struct sink *s, enum value_kind kind, struct str text)
{
    struct value v = {.kind = kind, .text = text};
    return text.n ? give(s, &v) : 0;
}

/* A member that is one text or an array of texts. */
static int give_texts(const struct sink *s, enum value_kind kind, yyjson_val *v)
{
    size_t i, max;
    yyjson_val *one;
    int r = 0;

    if (yyjson_is_str(v))
        return give_text(s, kind, js_str(v));
    yyjson_arr_foreach(v, i, max, one) {
        r = yyjson_is_str(one) ? give_text(s, kind, js_str(one)) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- tokens ---- */

static int coding(const struct sink *s, yyjson_val *o, struct str concept)
{
    struct value v = {.kind = VALUE_TOKEN, .concept = concept};

    v.system = js_get_str(o, "system");
    v.code = js_get_str(o, "code");
    v.text = js_get_str(o, "display");
    if (!v.system.n && !v.code.n)
        return give_text(s, VALUE_LABEL, v.text);
    return give(s, &v);
}

static bool has_code(yyjson_val *o)
{
    return js_get_str(o, "system").n || js_get_str(o, "code").n;
}

static int concept(const struct sink *s, yyjson_val *o)
{
    struct str text = js_get_str(o, "text");
    bool coded = false;
    size_t i, max;
    yyjson_val *c;

    yyjson_arr_foreach(js_get(o, "coding"), i, max, c) {
        int r = coding(s, c, text);
        if (r < 0)
            return r;
        coded = coded || has_code(c);
    }
    return coded ? 0 : give_text(s, VALUE_LABEL, text);
}

static int identifier(const struct sink *s, enum value_kind kind, yyjson_val *o)
{
    struct value v = {.kind = kind};

    v.system = js_get_str(o, "system");
    v.code = js_get_str(o, "value");
    return v.system.n || v.code.n ? give(s, &v) : 0;
}

static int token(const struct sink *s, const struct path_item *item, enum def_which which)
{
    struct value v = {.kind = VALUE_TOKEN};
    int r;

    switch (which) {
    case TYPE_CODING: return coding(s, item->v, STR_NULL);
    case TYPE_CODEABLECONCEPT: return concept (s, item->v);
    case TYPE_IDENTIFIER:
        r = identifier(s, VALUE_TOKEN, item->v);
        if (r < 0)
            return r;
        return give_text(s, VALUE_LABEL, js_get_str(js_get(item->v, "type"), "text"));
    case TYPE_CONTACTPOINT: v.code = js_get_str(item->v, "value"); break;
    default:
        v.code = item->kind == PATH_ELEMENT ? js_primitive(item->v) : item->text;
        if (which == TYPE_CODE && item->kind == PATH_ELEMENT && item->element)
            v.codes = item->element->codes;
        break;
    }
    return v.code.n ? give(s, &v) : 0;
}

/* ---- strings ---- */

static int members(const struct sink *s, yyjson_val *o, const char *const *names, size_t n)
{
    int r = 0;

    for (size_t i = 0; i < n && r >= 0; i++)
        r = give_texts(s, VALUE_STRING, js_get(o, names[i]));
    return r;
}

static int string(const struct sink *s, const struct path_item *item, enum def_which which)
{
    static const char *const name[] = {"text", "family", "given", "prefix", "suffix"};
    static const char *const address[] = {"text",  "line",       "city",   "district",
                                          "state", "postalCode", "country"};
    size_t i, max;
    yyjson_val *c;
    int r = 0;

    switch (which) {
    case TYPE_HUMANNAME: return members(s, item->v, name, ARRAY_LEN(name));
    case TYPE_ADDRESS: return members(s, item->v, address, ARRAY_LEN(address));
    case TYPE_CODEABLECONCEPT:
        yyjson_arr_foreach(js_get(item->v, "coding"), i, max, c) {
            r = give_text(s, VALUE_STRING, js_get_str(c, "display"));
            if (r < 0)
                return r;
        }
        return give_text(s, VALUE_STRING, js_get_str(item->v, "text"));
    case TYPE_CODING: return give_text(s, VALUE_STRING, js_get_str(item->v, "display"));
    case TYPE_CONTACTPOINT:
    case TYPE_IDENTIFIER: return give_text(s, VALUE_STRING, js_get_str(item->v, "value"));
    case TYPE_ANNOTATION: return give_text(s, VALUE_STRING, js_get_str(item->v, "text"));
    default:
        return give_text(s, VALUE_STRING,
                         item->kind == PATH_ELEMENT ? js_primitive(item->v) : item->text);
    }
}

/* ---- references ---- */

/* "Type/id" or "Type/id/_history/version". */
static bool local(struct str ref, struct value *v)
{
    ptrdiff_t slash = str_find(ref, '/');
    struct str rest;

    if (slash <= 0)
        return false;
    v->type = def_resource(str_head(ref, (size_t)slash));
    if (!v->type)
        return false;
    rest = str_from(ref, (size_t)slash + 1);
    slash = str_find(rest, '/');
    v->id = slash < 0 ? rest : str_head(rest, (size_t)slash);
    if (slash >= 0) {
        rest = str_from(rest, (size_t)slash);
        if (!str_starts(rest, STR("/_history/")))
            return false;
        v->version = str_from(rest, 10);
        if (!fhir_is_id(v->version))
            return false;
    }
    v->kind = VALUE_LOCAL;
    return fhir_is_id(v->id);
}

void value_canonical(struct str text, struct value *ret)
{
    ptrdiff_t bar = str_rfind(text, '|');

    *ret = (struct value){.kind = VALUE_URL, .text = text};
    if (bar >= 0) {
        ret->version = str_from(text, (size_t)bar + 1);
        ret->text = str_head(text, (size_t)bar);
    }
}

void value_reference(const struct index_options *opt, struct str ref, struct value *ret)
{
    *ret = (struct value){.kind = VALUE_ELSEWHERE};
    if (local(ref, ret))
        return;
    for (size_t i = 0; i < opt->n_bases; i++) {
        struct str base = opt->bases[i];
        *ret = (struct value){.kind = VALUE_ELSEWHERE};
        if (str_starts(ref, base) && ref.n > base.n && ref.p[base.n] == '/' &&
            local(str_from(ref, base.n + 1), ret))
            return;
    }
    *ret = (struct value){.kind = VALUE_ELSEWHERE};
    if (ref.n && ref.p[0] != '#')
        value_canonical(ref, ret);
}

static int reference(const struct sink *s, const struct path_item *item, enum def_which which)
{
    struct value v = {.kind = VALUE_ELSEWHERE};
    yyjson_val *o = item->v;
    int r;

    if (item->type && item->type->number) {
        /* The resource itself stands there: Bundle.entry.resource. */
        v.kind = VALUE_LOCAL;
        v.type = item->type->number;
        v.id = js_get_str(o, "id");
        if (!v.id.n)
            v.kind = VALUE_ELSEWHERE;
        return give(s, &v);
    }
    if (which != TYPE_REFERENCE) {
        struct str text = js_primitive(o);
        if (!text.n)
            return 0;
        value_reference(s->opt, text, &v);
        return give(s, &v);
    }
    if (js_get_str(o, "reference").n) {
        value_reference(s->opt, js_get_str(o, "reference"), &v);
        r = give(s, &v);
    } else {
        r = js_get(o, "identifier") ? 0 : give(s, &v);
    }
    return r < 0 ? r : identifier(s, VALUE_IDENTIFIER, js_get(o, "identifier"));
}

/* ---- numbers and quantities ---- */

static bool decimal_of(yyjson_val *v, struct decimal *ret)
{
    return v && js_is_number(v) && decimal_parse(js_str(v), ret, NULL) == 0;
}

static void unit_of(yyjson_val *o, struct value *v)
{
    v->system = js_get_str(o, "system");
    v->code = js_get_str(o, "code");
    v->text = js_get_str(o, "unit");
}

/* "< 5" is everything below 5. */
static void apply_comparator(struct str comparator, struct value *v)
{
    if (!comparator.n)
        return;
    v->is_range = true;
    v->high = v->low;
    v->no_low = comparator.p[0] == '<';
    v->no_high = !v->no_low;
}

static int range(const struct sink *s, yyjson_val *o, enum value_kind kind)
{
    struct value v = {.kind = kind, .is_range = true};
    yyjson_val *low = js_get(o, "low"), *high = js_get(o, "high");

    v.no_low = !decimal_of(js_get(low, "value"), &v.low);
    v.no_high = !decimal_of(js_get(high, "value"), &v.high);
    unit_of(v.no_low ? high : low, &v);
    return v.no_low && v.no_high ? 0 : give(s, &v);
}

static int number(const struct sink *s, const struct path_item *item, enum def_which which)
{
    struct value v = {.kind = VALUE_NUMBER};

    if (which == TYPE_RANGE)
        return range(s, item->v, VALUE_NUMBER);
    return decimal_of(item->v, &v.low) ? give(s, &v) : 0;
}

static int sampled(const struct sink *s, yyjson_val *o)
{
    struct value v = {.kind = VALUE_QUANTITY, .is_range = true};

    v.no_low = !decimal_of(js_get(o, "lowerLimit"), &v.low);
    v.no_high = !decimal_of(js_get(o, "upperLimit"), &v.high);
    unit_of(js_get(o, "origin"), &v);
    return v.no_low && v.no_high ? 0 : give(s, &v);
}

static int quantity(const struct sink *s, const struct path_item *item, enum def_which which)
{
    struct value v = {.kind = VALUE_QUANTITY};

    switch (which) {
    case TYPE_RANGE: return range(s, item->v, VALUE_QUANTITY);
    case TYPE_SAMPLEDDATA: return sampled(s, item->v);
    case TYPE_MONEY:
        v.system = STR("urn:iso:std:iso:4217");
        v.code = js_get_str(item->v, "currency");
        break;
    default: unit_of(item->v, &v); break;
    }
    if (!decimal_of(js_get(item->v, "value"), &v.low))
        return 0;
    apply_comparator(js_get_str(item->v, "comparator"), &v);
    return give(s, &v);
}

/* ---- dates ---- */

static bool date_of(const struct sink *s, struct str text, struct date *ret)
{
    return text.n && date_parse(DATE_DATETIME, text, s->opt->tz_minutes, ret, NULL) == 0;
}

/* Widens v to hold what the text covers. */
static bool widen(const struct sink *s, struct str text, struct value *v)
{
    struct date d;

    if (!date_of(s, text, &d))
        return false;
    v->from_ms = MIN(v->from_ms, d.from_ms);
    v->to_ms = MAX(v->to_ms, d.to_ms);
    return true;
}

static bool period(const struct sink *s, yyjson_val *o, struct value *v)
{
    struct date start, end;
    bool has_start = date_of(s, js_get_str(o, "start"), &start);
    bool has_end = date_of(s, js_get_str(o, "end"), &end);

    v->from_ms = MIN(v->from_ms, has_start ? start.from_ms : VALUE_TIME_MIN);
    v->to_ms = MAX(v->to_ms, has_end ? end.to_ms : VALUE_TIME_MAX);
    return (has_start || has_end) && v->from_ms < v->to_ms;
}

/* Only the outer limits of a Timing matter (R4 search, date). */
static bool timing(const struct sink *s, yyjson_val *o, struct value *v)
{
    yyjson_val *bounds = js_get(js_get(o, "repeat"), "boundsPeriod"), *event;
    bool found = false;
    size_t i, max;

    yyjson_arr_foreach(js_get(o, "event"), i, max, event)
        found = widen(s, js_str(event), v) || found;
    return (bounds && period(s, bounds, v)) || found;
}

static int date(const struct sink *s, const struct path_item *item, enum def_which which)
{
    struct value v = {.kind = VALUE_DATE, .from_ms = INT64_MAX, .to_ms = INT64_MIN};
    bool found;

    switch (which) {
    case TYPE_PERIOD: found = period(s, item->v, &v); break;
    case TYPE_TIMING: found = timing(s, item->v, &v); break;
    default: found = widen(s, item->kind == PATH_ELEMENT ? js_str(item->v) : item->text, &v); break;
    }
    return found ? give(s, &v) : 0;
}

int value_each(const struct index_options *opt, enum def_param_kind kind,
               const struct path_item *item, value_visit *visit, void *ctx)
{
    struct sink s = {opt, visit, ctx};
    enum def_which which = item->type ? item->type->which : TYPE_NONE;

    if (item->kind == PATH_ELEMENT && !item->v)
        return 0;
    switch (kind) {
    case PARAM_TOKEN: return token(&s, item, which);
    case PARAM_STRING: return string(&s, item, which);
    case PARAM_REFERENCE: return reference(&s, item, which);
    case PARAM_URI: return give_text(&s, VALUE_URI, js_primitive(item->v));
    case PARAM_NUMBER: return number(&s, item, which);
    case PARAM_QUANTITY: return quantity(&s, item, which);
    case PARAM_DATE: return date(&s, item, which);
    default: return 0;
    }
}
