/* measure_observe.c - what a measure-observation says of each member of a population, and the one
 * number that the aggregate method makes of all (measure.html, continuous-variable).
 *
 * Values are exact decimals. All are brought to the unit of the first.
 */
#include "api/measure_int.h"

#include "fhir/ucum.h"

int observe_method(struct measure *m, yyjson_val *population, struct str where, enum aggregate *ret)
{
    static const struct {
        struct str name;
        enum aggregate method;
    } methods[] = {
        {STR("count"), AGGREGATE_COUNT},     {STR("sum"), AGGREGATE_SUM},
        {STR("average"), AGGREGATE_AVERAGE}, {STR("median"), AGGREGATE_MEDIAN},
        {STR("minimum"), AGGREGATE_MINIMUM}, {STR("maximum"), AGGREGATE_MAXIMUM},
    };
    yyjson_val *v = measure_extension(population, "aggregateMethod", "valueCode");
    struct str name =
        js_str(v ? v : measure_extension(population, "aggregateMethod", "valueString"));

    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (str_eq(methods[i].name, name)) {
            *ret = methods[i].method;
            return 0;
        }
    err_set(&m->c->err, name.n ? ERR_NOT_SUPPORTED : ERR_PROCESSING,
            "a measure-observation has an aggregateMethod (an extension): count, sum, average, "
            "median, minimum or maximum");
    snprintf(m->c->err.where, sizeof m->c->err.where, "%.*s", STR_ARG(where));
    return m->c->err.code;
}

/* ---- one value ---- */

struct value {
    struct decimal number;
    struct str unit; /* empty: a bare number */
    bool is_ucum;
};

/* A computed quantity has its unit as a literal has: 'mg', or a word of the calendar. */
static void read_unit(struct str unit, struct value *ret)
{
    static const struct {
        struct str word, ucum;
    } words[] = {
        {STR("year"), STR("a")},   {STR("month"), STR("mo")},       {STR("week"), STR("wk")},
        {STR("day"), STR("d")},    {STR("hour"), STR("h")},         {STR("minute"), STR("min")},
        {STR("second"), STR("s")}, {STR("millisecond"), STR("ms")},
    };

    ret->is_ucum = true;
    if (unit.n > 2 && unit.p[0] == '\'') {
        ret->unit = str_n(unit.p + 1, unit.n - 2);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_starts(unit, words[i].word) && unit.n <= words[i].word.n + 1)
            ret->unit = words[i].ucum;
}

static int read_value(struct measure *m, const struct path_item *item, struct value *ret)
{
    struct str text = item->kind == PATH_ELEMENT ? STR_NULL : item->text;

    *ret = (struct value){0};
    if (item->kind == PATH_ELEMENT && js_is_number(item->v)) {
        text = js_str(item->v);
    } else if (item->kind == PATH_ELEMENT && yyjson_is_obj(item->v) &&
               js_is_number(js_get(item->v, "value")) && !js_get(item->v, "comparator")) {
        struct str code = js_get_str(item->v, "code");
        text = js_str(js_get(item->v, "value"));
        ret->unit = code.n ? code : js_get_str(item->v, "unit");
        ret->is_ucum = code.n && str_eq(js_get_str(item->v, "system"), STR(UCUM_SYSTEM));
    } else if (item->kind == PATH_QUANTITY) {
        read_unit(*item->unit, ret);
    } else if (item->kind != PATH_INTEGER && item->kind != PATH_DECIMAL) {
        text = STR_NULL;
    }
    if (!text.n || decimal_parse(text, &ret->number, NULL) < 0)
        return err_set(&m->c->err, ERR_PROCESSING,
                       "a measure-observation is no number and no "
                       "quantity without a comparator");
    return 0;
}

/* ---- all of them ---- */

static int keep_value(struct measure *m, struct observed *o, const struct decimal *v)
{
    if (++*m->n_values > MEASURE_VALUES_MAX)
        return err_set(&m->c->err, ERR_COSTLY,
                       "the medians of the measure are of more than %d "
                       "observations",
                       MEASURE_VALUES_MAX);
    if (o->n_values == o->cap) {
        size_t cap = o->cap ? o->cap * 2 : 16;
        struct decimal *more =
            arena_grow(m->c->a, o->values, o->cap * sizeof *more, cap * sizeof *more);
        if (!more)
            return err_no_memory(&m->c->err);
        o->values = more;
        o->cap = cap;
    }
    o->values[o->n_values++] = *v;
    return 0;
}

/* Brings a value to the unit of those before it. */
static int to_unit(struct measure *m, const struct observed *o, struct value *v)
{
    if (str_eq(o->unit, v->unit) && o->is_ucum == v->is_ucum)
        return 0;
    if (o->is_ucum && v->is_ucum && o->unit.n && v->unit.n &&
        ucum_convert(&v->number, v->unit, o->unit, &v->number, NULL) >= 0)
        return 0;
    return err_set(&m->c->err, ERR_PROCESSING,
                   "observations in \"%.*s\" and in \"%.*s\" cannot be put together",
                   (int)MIN(o->unit.n, (size_t)32), o->unit.n ? o->unit.p : "",
                   (int)MIN(v->unit.n, (size_t)32), v->unit.n ? v->unit.p : "");
}

static int add(struct measure *m, const struct population *p, struct observed *o, struct value *v)
{
    int r;

    if (!o->n) {
        o->is_ucum = v->is_ucum;
        o->unit = v->unit.n ? arena_dup(m->c->a, v->unit) : STR_NULL;
        o->sum = o->min = o->max = v->number;
        if (v->unit.n && !o->unit.p)
            return err_no_memory(&m->c->err);
    } else {
        if ((r = to_unit(m, o, v)) < 0 ||
            (r = decimal_add(&o->sum, &v->number, &o->sum, &m->c->err)) < 0)
            return r;
        if (decimal_cmp(&v->number, &o->min) < 0)
            o->min = v->number;
        if (decimal_cmp(&v->number, &o->max) > 0)
            o->max = v->number;
    }
    return p->aggregate == AGGREGATE_MEDIAN ? keep_value(m, o, &v->number) : 0;
}

int observe_add(struct measure *m, const struct population *p, struct observed *o,
                const struct path_items *items)
{
    struct value v;
    int r = 0;

    if (!items->n)
        return 0;
    if (items->n > 1)
        r = err_set(&m->c->err, ERR_PROCESSING, "%.*s gives several observations for one member",
                    STR_ARG(p->criterion.where));
    if (r >= 0 && p->aggregate != AGGREGATE_COUNT) {
        r = read_value(m, &items->p[0], &v);
        if (r >= 0)
            r = add(m, p, o, &v);
    }
    if (r < 0) {
        snprintf(m->c->err.where, sizeof m->c->err.where, "%.*s", STR_ARG(p->criterion.where));
        return r;
    }
    o->n++;
    return 0;
}

static int decimals_cmp(const void *a, const void *b)
{
    return decimal_cmp(a, b);
}

/* Of an even number, half way between the two in the middle. */
static bool median(const struct observed *o, struct decimal *ret)
{
    struct decimal two = decimal_i64(2), *v = o->values;
    size_t half = o->n_values / 2;

    qsort(v, o->n_values, sizeof *v, decimals_cmp);
    *ret = v[half];
    return o->n_values % 2 || (decimal_add(&v[half - 1], &v[half], ret, NULL) >= 0 &&
                               decimal_div(ret, &two, ret, NULL) >= 0);
}

bool observe_aggregate(const struct population *p, const struct observed *o, struct decimal *ret)
{
    struct decimal n = decimal_i64((int64_t)o->n);

    if (p->aggregate == AGGREGATE_COUNT) {
        *ret = n;
        return true;
    }
    if (!o->n)
        return false;
    switch (p->aggregate) {
    case AGGREGATE_SUM: *ret = o->sum; return true;
    case AGGREGATE_MINIMUM: *ret = o->min; return true;
    case AGGREGATE_MAXIMUM: *ret = o->max; return true;
    case AGGREGATE_AVERAGE: return decimal_div(&o->sum, &n, ret, NULL) >= 0;
    case AGGREGATE_MEDIAN: return median(o, ret);
    case AGGREGATE_COUNT: break;
    }
    return false;
}
