#include "fhir/path_int.h"

#include "fhir/ucum.h"

/* Calendar durations, the UCUM unit of the same name, and how many of the smallest of its group one
 * is: months, or milliseconds. */
static const struct duration {
    struct str name, ucum;
    bool in_months; /* and so not as long as the UCUM unit of the same name */
    int64_t factor;
} durations[] = {
    {{"year", 4}, {"a", 1}, true, 12},
    {{"month", 5}, {"mo", 2}, true, 1},
    {{"week", 4}, {"wk", 2}, false, INT64_C(604800000)},
    {{"day", 3}, {"d", 1}, false, 86400000},
    {{"hour", 4}, {"h", 1}, false, 3600000},
    {{"minute", 6}, {"min", 3}, false, 60000},
    {{"second", 6}, {"s", 1}, false, 1000},
    {{"millisecond", 11}, {"ms", 2}, false, 1},
};

static const struct duration *duration_of(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(durations); i++)
        if (str_eq(durations[i].name, name))
            return &durations[i];
    return NULL;
}

struct str path_calendar_unit(struct str word)
{
    for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
        struct str name = durations[i].name;
        if (str_starts(word, name) &&
            (word.n == name.n || (word.n == name.n + 1 && word.p[name.n] == 's')))
            return name;
    }
    return STR_NULL;
}

bool path_is_quantity(const struct def_type *t)
{
    switch (t ? t->which : TYPE_NONE) {
    case TYPE_AGE:
    case TYPE_COUNT:
    case TYPE_DISTANCE:
    case TYPE_DURATION:
    case TYPE_QUANTITY: return true;
    default: return false;
    }
}

/* A UCUM code of time is a calendar duration in FHIR, as R4 says. */
static struct str calendar_of(struct str code)
{
    static const struct str calendar[][2] = {
        {{"a", 1}, {"year", 4}}, {{"mo", 2}, {"month", 5}},   {{"d", 1}, {"day", 3}},
        {{"h", 1}, {"hour", 4}}, {{"min", 3}, {"minute", 6}}, {{"s", 1}, {"second", 6}},
    };

    for (size_t i = 0; code.n <= 3 && i < ARRAY_LEN(calendar); i++)
        if (str_eq(code, calendar[i][0]))
            return calendar[i][1];
    return STR_NULL;
}

/* A FHIR Quantity counts where it has a UCUM code and no comparator. */
static bool from_element(const struct path_item *item, struct path_quantity *ret)
{
    struct str value = STR_NULL, code = STR_NULL, system = STR_NULL, word;
    size_t i, max;
    yyjson_val *key, *v;

    yyjson_obj_foreach(item->v, i, max, key, v) {
        struct str name = js_str(key);
        if (str_eq(name, STR("value")))
            value = js_is_number(v) ? js_str(v) : STR_NULL;
        else if (str_eq(name, STR("code")))
            code = js_str(v);
        else if (str_eq(name, STR("system")))
            system = js_str(v);
        else if (str_eq(name, STR("comparator")))
            return false;
    }
    if (!value.p || !code.n || !str_eq(system, STR(UCUM_SYSTEM)) ||
        decimal_parse(value, &ret->value, NULL) < 0)
        return false;
    word = calendar_of(code);
    ret->is_calendar = word.p;
    ret->unit = word.p ? word : code;
    ret->word = STR_NULL;
    return true;
}

bool path_to_quantity(const struct path_item *item, struct path_quantity *ret)
{
    struct str unit;

    if (item->kind == PATH_ELEMENT)
        return (!item->type || path_is_quantity(item->type)) && yyjson_is_obj(item->v) &&
               from_element(item, ret);
    if (item->kind != PATH_QUANTITY || decimal_parse(item->text, &ret->value, NULL) < 0)
        return false;
    unit = *item->unit;
    ret->is_calendar = unit.n < 2 || unit.p[0] != '\'';
    ret->unit = ret->is_calendar ? path_calendar_unit(unit) : str_n(unit.p + 1, unit.n - 2);
    ret->word = ret->is_calendar ? unit : STR_NULL;
    return true;
}

static struct str ucum_of(const struct path_quantity *q)
{
    return q->is_calendar ? duration_of(q->unit)->ucum : q->unit;
}

/* Years and months, of the calendar or as UCUM has them: beside each other they are not of one
 * length. */
static bool is_in_months(const struct path_quantity *q)
{
    return str_eq(ucum_of(q), STR("a")) || str_eq(ucum_of(q), STR("mo"));
}

/* 1 year is 12 months and 365 days, 1 month 30 days. */
static int convert_calendar(const struct decimal *v, const struct duration *from,
                            const struct duration *to, struct decimal *ret)
{
    struct decimal up, down;

    if (from->in_months == to->in_months) {
        up = decimal_i64(from->factor);
        down = decimal_i64(to->factor);
    } else if (from->in_months) {
        up = decimal_i64((from->factor == 12 ? 365 : 30) * INT64_C(86400000));
        down = decimal_i64(to->factor);
    } else {
        up = decimal_i64(from->factor);
        down = decimal_i64((to->factor == 12 ? 365 : 30) * INT64_C(86400000));
    }
    if (decimal_mul(v, &up, &up, NULL) < 0)
        return ERR_VALUE;
    return decimal_div(&up, &down, ret, NULL) < 0 ? ERR_VALUE : 0;
}

int path_quantity_convert(const struct path_quantity *b, const struct path_quantity *a,
                          bool calendar, struct decimal *ret)
{
    if (b->is_calendar == a->is_calendar && str_eq(b->unit, a->unit)) {
        *ret = b->value;
        return 0;
    }
    if (b->is_calendar && a->is_calendar)
        return convert_calendar(&b->value, duration_of(b->unit), duration_of(a->unit), ret);
    if ((a->is_calendar || b->is_calendar) && (is_in_months(a) || is_in_months(b)) &&
        !(calendar && str_eq(ucum_of(a), ucum_of(b))))
        return ERR_VALUE;
    return ucum_convert(&b->value, ucum_of(b), ucum_of(a), ret, NULL) < 0 ? ERR_VALUE : 0;
}

int path_quantity_compare(const struct path_quantity *a, const struct path_quantity *b)
{
    struct decimal v;
    int c;

    if (path_quantity_convert(b, a, false, &v) < 0)
        return PATH_NOT_KNOWN;
    c = decimal_cmp(&a->value, &v);
    return c < 0 ? -1 : c > 0;
}

/* Digits behind the point that are not zeros at the end. */
static int places_of(const struct decimal *v)
{
    struct decimal d = *v;

    decimal_trim(&d);
    return MAX(-d.exponent, 0);
}

static int like_decimals(const struct decimal *a, const struct decimal *b, int places)
{
    struct decimal x, y;

    if (decimal_places(a, places, DECIMAL_HALF_UP, &x, NULL) < 0 ||
        decimal_places(b, places, DECIMAL_HALF_UP, &y, NULL) < 0)
        return decimal_cmp(a, b) == 0;
    return decimal_cmp(&x, &y) == 0;
}

/* Rounded to the precision of the less precise side, in that side's unit. */
int path_quantity_like(const struct path_quantity *a, const struct path_quantity *b)
{
    struct path_quantity step = *a;
    struct decimal v, other;
    int places = places_of(&a->value), cmp;

    if (path_quantity_convert(b, a, true, &v) < 0)
        return 0;
    /* One step of a's last place, in b's unit, against one step of b's. */
    step.value = (struct decimal){.n = 1, .exponent = (int16_t)-places, .digit = {1}};
    if (path_quantity_convert(&step, b, true, &other) < 0)
        return 0;
    step.value = (struct decimal){.n = 1, .exponent = (int16_t)-places_of(&b->value), .digit = {1}};
    cmp = decimal_cmp(&other, &step.value);
    if (cmp >= 0)
        return like_decimals(&a->value, &v, places);
    if (path_quantity_convert(a, b, true, &other) < 0)
        return 0;
    return like_decimals(&other, &b->value, places_of(&b->value));
}

/* (+|-)digits[.digits] blanks ('unit' | word) */
int path_quantity_parse(struct str s, struct path_item *ret, struct arena *a)
{
    struct path_item item = {.kind = PATH_QUANTITY};
    struct str *unit = ARENA_NEW(a, struct str), rest;
    size_t at = s.n && (s.p[0] == '+' || s.p[0] == '-'), from = at;
    struct decimal d;

    if (!unit)
        return ERR_NO_MEMORY;
    if (!s.n)
        return 0;
    while (at < s.n && ((s.p[at] >= '0' && s.p[at] <= '9') || s.p[at] == '.'))
        at++;
    item.text = s.p[0] == '+' ? str_n(s.p + from, at - from) : str_head(s, at);
    while (item.text.n > 1 && item.text.p[0] == '0' && item.text.p[1] != '.')
        item.text = str_from(item.text, 1);
    rest = str_from(s, at);
    while (rest.n && strchr(" \t\r\n", rest.p[0]))
        rest = str_from(rest, 1);
    if (decimal_parse(item.text, &d, NULL) < 0)
        return 0;
    *unit = rest.n ? rest : STR("'1'");
    if (rest.n && rest.p[0] == '\'') {
        if (rest.n < 3 || str_find(str_from(rest, 1), '\'') != (ptrdiff_t)rest.n - 2)
            return 0;
    } else if (rest.n && !path_calendar_unit(rest).p) {
        return 0;
    }
    item.unit = unit;
    *ret = item;
    return 1;
}
