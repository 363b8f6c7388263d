/* toX() and convertsToX(). */
#include "fhir/path_int.h"

/* (+|-) digits [. digits] */
static bool is_numeral(struct str s, bool *ret_whole)
{
    size_t at = s.n && (s.p[0] == '+' || s.p[0] == '-'), from = at;

    *ret_whole = true;
    while (at < s.n && s.p[at] >= '0' && s.p[at] <= '9')
        at++;
    if (at == from)
        return false;
    if (at < s.n && s.p[at] == '.') {
        *ret_whole = false;
        for (from = ++at; at < s.n && s.p[at] >= '0' && s.p[at] <= '9';)
            at++;
    }
    return at > from && at == s.n;
}

/* Without '+' and zeros in front. */
static struct str normal_numeral(struct arena *a, struct str s)
{
    bool negative = s.p[0] == '-';

    s = str_from(s, negative || s.p[0] == '+');
    while (s.n > 1 && s.p[0] == '0' && s.p[1] != '.')
        s = str_from(s, 1);
    return negative ? arena_fmt(a, "-%.*s", STR_ARG(s)) : s;
}

static bool fits_integer(struct str s)
{
    struct decimal d;
    int64_t v;

    return decimal_parse(s, &d, NULL) == 0 && decimal_to_i64(&d, &v) && v >= INT32_MIN &&
           v <= INT32_MAX;
}

/* Each converter: 1 with the value, 0 where it does not convert, ERR_NO_MEMORY. */
typedef int converter(struct arena *a, const struct path_item *item, struct path_item *ret);

static int set(struct path_item *ret, enum path_kind kind, struct str text)
{
    *ret = (struct path_item){.kind = kind, .text = text};
    return text.p ? 1 : ERR_NO_MEMORY;
}

static int to_boolean(struct arena *a _unused_, const struct path_item *item, struct path_item *ret)
{
    static const struct str words[][2] = {
        {{"true", 4}, {"false", 5}}, {{"t", 1}, {"f", 1}}, {{"yes", 3}, {"no", 2}},
        {{"y", 1}, {"n", 1}},        {{"1", 1}, {"0", 1}}, {{"1.0", 3}, {"0.0", 3}},
    };
    struct str text = path_item_text(item);
    enum path_kind kind = path_item_kind(item);
    struct decimal d, one = decimal_i64(1), zero = decimal_i64(0);

    if (kind == PATH_BOOLEAN)
        return set(ret, kind, text);
    if (path_is_number(kind)) {
        if (decimal_parse(text, &d, NULL) < 0)
            return 0;
        if (decimal_cmp(&d, &one) == 0)
            return set(ret, PATH_BOOLEAN, STR("true"));
        return decimal_cmp(&d, &zero) == 0 ? set(ret, PATH_BOOLEAN, STR("false")) : 0;
    }
    for (size_t i = 0; kind == PATH_STRING && i < ARRAY_LEN(words); i++) {
        if (str_eq_nocase(text, words[i][0]))
            return set(ret, PATH_BOOLEAN, STR("true"));
        if (str_eq_nocase(text, words[i][1]))
            return set(ret, PATH_BOOLEAN, STR("false"));
    }
    return 0;
}

static struct str one_or_zero(struct str boolean, bool decimal)
{
    bool v = str_eq(boolean, STR("true"));

    return decimal ? (v ? STR("1.0") : STR("0.0")) : (v ? STR("1") : STR("0"));
}

static int to_integer(struct arena *a, const struct path_item *item, struct path_item *ret)
{
    struct str text = path_item_text(item);
    bool whole;

    switch (path_item_kind(item)) {
    case PATH_INTEGER: return set(ret, PATH_INTEGER, text);
    case PATH_BOOLEAN: return set(ret, PATH_INTEGER, one_or_zero(text, false));
    case PATH_STRING:
        if (!is_numeral(text, &whole) || !whole)
            return 0;
        text = normal_numeral(a, text);
        return text.p && !fits_integer(text) ? 0 : set(ret, PATH_INTEGER, text);
    default: return 0;
    }
}

static int to_decimal(struct arena *a, const struct path_item *item, struct path_item *ret)
{
    struct str text = path_item_text(item);
    struct decimal d;
    bool whole;

    switch (path_item_kind(item)) {
    case PATH_INTEGER:
    case PATH_DECIMAL: return set(ret, PATH_DECIMAL, text);
    case PATH_BOOLEAN: return set(ret, PATH_DECIMAL, one_or_zero(text, true));
    case PATH_STRING:
        if (!is_numeral(text, &whole))
            return 0;
        text = normal_numeral(a, text);
        return text.p && decimal_parse(text, &d, NULL) < 0 ? 0 : set(ret, PATH_DECIMAL, text);
    default: return 0;
    }
}

static int to_string(struct arena *a, const struct path_item *item, struct path_item *ret)
{
    struct path_quantity q;

    if (item->kind == PATH_QUANTITY)
        return set(ret, PATH_STRING,
                   arena_fmt(a, "%.*s %.*s", STR_ARG(item->text), STR_ARG(*item->unit)));
    if (item->kind == PATH_ELEMENT && path_to_quantity(item, &q))
        return set(ret, PATH_STRING,
                   arena_fmt(a, q.is_calendar ? "%.*s %.*s" : "%.*s '%.*s'",
                             STR_ARG(js_str(js_get(item->v, "value"))), STR_ARG(q.unit)));
    if (item->kind == PATH_TYPE || path_item_kind(item) == PATH_ELEMENT)
        return 0;
    return set(ret, PATH_STRING, path_item_text(item));
}

static int to_moment(struct arena *a, const struct path_item *item, enum path_kind kind,
                     struct path_item *ret)
{
    enum path_kind from = path_item_kind(item);
    struct str text = path_item_text(item);
    struct path_moment m;

    /* "T10:30" is what a time literal looks like. */
    if (kind == PATH_TIME && from == PATH_STRING && text.n && text.p[0] == 'T')
        text = str_from(text, 1);
    if (from != PATH_STRING && from != kind && !(path_is_date(from) && path_is_date(kind)))
        return 0;
    if (!path_moment_parse(from == PATH_STRING ? kind : from, text, &m))
        return 0;
    if (kind == PATH_DATE && m.precision > AT_DAY) {
        m.precision = AT_DAY;
        m.digits = 0;
        m.has_zone = false;
        return set(ret, kind, path_moment_text(a, &m));
    }
    return set(ret, kind, path_moment_plain(text));
}

static int to_date(struct arena *a, const struct path_item *item, struct path_item *ret)
{
    return to_moment(a, item, PATH_DATE, ret);
}

static int to_date_time(struct arena *a, const struct path_item *item, struct path_item *ret)
{
    return to_moment(a, item, PATH_DATETIME, ret);
}

static int to_time(struct arena *a, const struct path_item *item, struct path_item *ret)
{
    return to_moment(a, item, PATH_TIME, ret);
}

static int to_quantity(struct arena *a, const struct path_item *item, struct path_item *ret)
{
    struct str *unit = ARENA_NEW(a, struct str);
    struct str text = path_item_text(item);
    struct path_quantity q;

    if (!unit)
        return ERR_NO_MEMORY;
    *ret = (struct path_item){.kind = PATH_QUANTITY, .text = text, .unit = unit};
    *unit = STR("'1'");
    switch (path_item_kind(item)) {
    case PATH_QUANTITY: *ret = *item; return 1;
    case PATH_INTEGER:
    case PATH_DECIMAL: return 1;
    case PATH_BOOLEAN: ret->text = one_or_zero(text, true); return 1;
    case PATH_STRING: return path_quantity_parse(text, ret, a);
    case PATH_ELEMENT:
        if (!path_to_quantity(item, &q))
            return 0;
        ret->text = js_str(js_get(item->v, "value"));
        *unit = q.is_calendar ? q.unit : arena_fmt(a, "'%.*s'", STR_ARG(q.unit));
        return unit->p ? 1 : ERR_NO_MEMORY;
    default: return 0;
    }
}

/* 1, 0 where the input is empty (*ret_empty) or does not convert, or an error. */
static int convert(const struct path_call *c, converter *to, struct path_item *ret, bool *ret_empty)
{
    struct path_item item;
    int r = path_one(c, c->in, &item);

    *ret_empty = r == 0;
    if (r <= 0)
        return r;
    r = to(c->env->a, &item, ret);
    return r == ERR_NO_MEMORY ? err_no_memory(c->err) : r;
}

static int to(const struct path_call *c, converter *to_kind, struct path_items *out)
{
    struct path_item item;
    bool empty;
    int r = convert(c, to_kind, &item, &empty);

    return r <= 0 ? r : path_push(c->env, out, &item, c->err);
}

static int converts(const struct path_call *c, converter *to_kind)
{
    struct path_item item;
    bool empty;
    int r = convert(c, to_kind, &item, &empty);

    return empty ? path_nothing(r) : r;
}

#define CONVERTER(name)                                                                            \
    int path_fn_to_##name(const struct path_call *c, struct path_items *out)                       \
    {                                                                                              \
        return to(c, to_##name, out);                                                              \
    }                                                                                              \
    int path_test_converts_to_##name(const struct path_call *c)                                    \
    {                                                                                              \
        return converts(c, to_##name);                                                             \
    }

CONVERTER(boolean)
CONVERTER(integer)
CONVERTER(decimal)
CONVERTER(string)
CONVERTER(date)
CONVERTER(date_time)
CONVERTER(time)

/* toQuantity(unit): in that unit, where it can be. 1, 0 or an error; as convert. */
static int quantity_in(const struct path_call *c, struct path_item *ret, bool *ret_empty)
{
    struct path_quantity q, wanted = {.is_calendar = false};
    struct path_items got = {0};
    struct str unit;
    int r = convert(c, to_quantity, ret, ret_empty);

    if (r <= 0 || c->node->right == NO_NODE)
        return r;
    r = path_arg_string(c, 0, &unit);
    if (r <= 0)
        return r;
    wanted.word = unit;
    wanted.unit = path_calendar_unit(unit);
    wanted.is_calendar = wanted.unit.p;
    if (!wanted.is_calendar)
        wanted.unit = unit;
    if (!path_to_quantity(ret, &q) || path_quantity_convert(&q, &wanted, false, &wanted.value) < 0)
        return 0;
    r = path_push_quantity(c->env, &got, &wanted, c->err);
    if (r < 0)
        return r;
    *ret = got.p[0];
    return 1;
}

int path_fn_to_quantity(const struct path_call *c, struct path_items *out)
{
    struct path_item item;
    bool empty;
    int r = quantity_in(c, &item, &empty);

    return r <= 0 ? r : path_push(c->env, out, &item, c->err);
}

int path_test_converts_to_quantity(const struct path_call *c)
{
    struct path_item item;
    bool empty;
    int r = quantity_in(c, &item, &empty);

    return empty ? path_nothing(r) : r;
}
