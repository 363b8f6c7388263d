/* What a value's precision says: boundaries, precision(), and the parts of dates and times. */
#include "fhir/path_int.h"

#include "base/clock.h"

#define DECIMAL_PLACES 8      /* of a boundary, where nothing else is said */
#define DECIMAL_PLACES_MAX 28 /* N1: decimals have 28 digits */
#define ZONE_FIRST (14 * 60)  /* where a day begins first, and where it ends last */
#define ZONE_LAST (-12 * 60)

/* Digits of a date or time with that precision. */
static const struct {
    enum path_precision precision;
    int date, time, digits;
} levels[] = {
    {AT_YEAR, 4, 0, 0},    {AT_MONTH, 6, 0, 0},   {AT_DAY, 8, 0, 0},     {AT_HOUR, 10, 2, 0},
    {AT_MINUTE, 12, 4, 0}, {AT_SECOND, 14, 6, 0}, {AT_SECOND, 17, 9, 3},
};

static int moment_of(const struct path_item *item, struct path_moment *ret)
{
    enum path_kind kind = path_item_kind(item);

    return (path_is_date(kind) || kind == PATH_TIME) &&
           path_moment_parse(kind, path_item_text(item), ret);
}

/* Parts that the value does not have become the first or the last possible ones. */
static void fill(struct path_moment *m, bool high)
{
    static const int64_t rest_ns[] = {999000000, 99000000, 9000000, 0};

    if (!high)
        return; /* they are the first ones already */
    if (m->precision < AT_MONTH)
        m->month = 12;
    if (m->precision < AT_DAY)
        m->day = clock_month_days(m->year, m->month);
    if (m->precision < AT_HOUR)
        m->hour = 23;
    /* FHIR's dateTime has no hours without minutes: its hour alone stands for the first minute. */
    if (m->precision < AT_HOUR || (m->precision == AT_HOUR && m->kind == PATH_TIME))
        m->minute = 59;
    if (m->precision < AT_SECOND)
        m->ns = INT64_C(59000000000);
    m->ns += rest_ns[MIN(m->digits, 3)];
}

static int moment_boundary(const struct path_call *c, struct path_moment *m, bool high,
                           int64_t precision, struct path_items *out)
{
    if (!precision)
        precision = m->kind == PATH_DATE ? 8 : m->kind == PATH_DATETIME ? 17 : 9;
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        bool fits = (m->kind == PATH_TIME ? levels[i].time : levels[i].date) == precision;
        if (!fits || (m->kind == PATH_DATE && levels[i].precision > AT_DAY))
            continue;
        fill(m, high);
        m->precision = levels[i].precision;
        m->digits = levels[i].digits;
        if (m->kind == PATH_DATETIME && !m->has_zone) {
            m->has_zone = true;
            m->tz_minutes = high ? ZONE_LAST : ZONE_FIRST;
        }
        m->has_zone &= m->precision >= AT_HOUR;
        return path_push_text(c->env, out, m->kind, path_moment_text(c->env->a, m), c->err);
    }
    return 0;
}

/* Half of the last digit's place to each side. */
static int number_boundary(const struct decimal *v, bool high, int places, struct decimal *ret)
{
    struct decimal half = {.n = 1, .digit = {5}, .negative = !high};
    int r;

    half.exponent = (int16_t)(MIN(v->exponent, 0) - 1);
    r = decimal_add(v, &half, ret, NULL);
    return r < 0 ? r
                 : decimal_places(ret, places, high ? DECIMAL_CEILING : DECIMAL_FLOOR, ret, NULL);
}

static int boundary(const struct path_call *c, bool high, struct path_items *out)
{
    struct path_quantity q;
    struct path_moment m;
    struct path_item item;
    int64_t precision = 0;
    bool given;
    int r = path_one(c, c->in, &item);

    if (r <= 0)
        return r;
    r = path_arg_integer(c, 0, &precision);
    if (r < 0)
        return r;
    given = r > 0;
    if (moment_of(&item, &m))
        return given && precision <= 0 ? 0 : moment_boundary(c, &m, high, precision, out);
    if (path_is_number(path_item_kind(&item)))
        r = decimal_parse(path_item_text(&item), &q.value, c->err);
    else if (!path_to_quantity(&item, &q))
        return path_wrong(c->node, c->err, "%.*s() met what has no boundaries",
                          STR_ARG(c->node->text));
    if (r < 0)
        return r;
    if (!given)
        precision = MAX(DECIMAL_PLACES, 1 - q.value.exponent);
    if (precision < 0 || precision > DECIMAL_PLACES_MAX ||
        number_boundary(&q.value, high, (int)precision, &q.value) < 0)
        return 0;
    return path_is_number(path_item_kind(&item)) ? path_push_decimal(c->env, out, &q.value, c->err)
                                                 : path_push_quantity(c->env, out, &q, c->err);
}

int path_fn_low_boundary(const struct path_call *c, struct path_items *out)
{
    return boundary(c, false, out);
}

int path_fn_high_boundary(const struct path_call *c, struct path_items *out)
{
    return boundary(c, true, out);
}

int path_fn_precision(const struct path_call *c, struct path_items *out)
{
    struct path_item item;
    struct path_moment m;
    struct decimal d;
    int r = path_one(c, c->in, &item), n = 0;

    if (r <= 0)
        return r;
    if (moment_of(&item, &m)) {
        for (size_t i = 0; i < ARRAY_LEN(levels); i++)
            if (levels[i].precision == m.precision && (levels[i].digits > 0) == (m.digits > 0))
                n = (m.kind == PATH_TIME ? levels[i].time : levels[i].date) - levels[i].digits +
                    m.digits;
        return path_push_integer(c->env, out, n, c->err);
    }
    r = path_one_decimal(c, c->in, &d);
    return r < 0 ? r : path_push_integer(c->env, out, MAX(-d.exponent, 0), c->err);
}

/* A number is a quantity without a unit. */
static bool quantity_of(const struct path_item *item, struct path_quantity *ret)
{
    *ret = (struct path_quantity){.unit = STR("1")};
    return path_to_quantity(item, ret) || path_is_number(path_item_kind(item));
}

int path_test_comparable(const struct path_call *c)
{
    struct path_items got = {0};
    struct path_item a = {0}, b = {0};
    struct path_quantity x, y;
    struct decimal v;
    int r = path_one(c, c->in, &a);

    if (r > 0)
        r = path_arg(c, 0, &got);
    if (r >= 0 && c->in->n)
        r = path_one(c, &got, &b);
    if (r <= 0)
        return path_nothing(r);
    if (!quantity_of(&a, &x) || !quantity_of(&b, &y))
        return path_wrong(c->node, c->err, "comparable() met what is not a quantity");
    return path_quantity_convert(&y, &x, false, &v) >= 0;
}

/* ---- parts ---- */

/* 1 where the input is a date or time with that part. */
static int part(const struct path_call *c, enum path_precision precision, struct path_moment *ret)
{
    struct path_item item;
    int r = path_one(c, c->in, &item);

    if (r <= 0)
        return r;
    return moment_of(&item, ret) && precision <= ret->precision &&
           (ret->kind != PATH_TIME || precision >= AT_HOUR);
}

#define PART(name, precision, value)                                                               \
    int path_fn_##name##_of(const struct path_call *c, struct path_items *out)                     \
    {                                                                                              \
        struct path_moment m;                                                                      \
        int r = part(c, precision, &m);                                                            \
        return r <= 0 ? r : path_push_integer(c->env, out, (value), c->err);                       \
    }

PART(year, AT_YEAR, m.year)
PART(month, AT_MONTH, m.month)
PART(day, AT_DAY, m.day)
PART(hour, AT_HOUR, m.hour)
PART(minute, AT_MINUTE, m.minute)
PART(second, AT_SECOND, m.ns / 1000000000)

int path_fn_millisecond_of(const struct path_call *c, struct path_items *out)
{
    struct path_moment m;
    int r = part(c, AT_SECOND, &m);

    if (r <= 0 || !m.digits)
        return r < 0 ? r : 0;
    return path_push_integer(c->env, out, m.ns / 1000000 % 1000, c->err);
}

int path_fn_timezone_offset_of(const struct path_call *c, struct path_items *out)
{
    struct decimal minutes, sixty = decimal_i64(60);
    struct path_moment m;
    int r = part(c, AT_HOUR, &m);

    if (r <= 0 || !m.has_zone)
        return r < 0 ? r : 0;
    minutes = decimal_i64(m.tz_minutes);
    r = decimal_div(&minutes, &sixty, &minutes, c->err);
    return r < 0 ? r : path_push_decimal(c->env, out, &minutes, c->err);
}

int path_fn_date_of(const struct path_call *c, struct path_items *out)
{
    struct path_moment m;
    int r = part(c, AT_YEAR, &m);

    if (r <= 0)
        return r;
    m.precision = MIN(m.precision, AT_DAY);
    m.digits = 0;
    m.has_zone = false;
    return path_push_text(c->env, out, PATH_DATE, path_moment_text(c->env->a, &m), c->err);
}

int path_fn_time_of(const struct path_call *c, struct path_items *out)
{
    struct path_moment m;
    int r = part(c, AT_HOUR, &m);

    if (r <= 0 || m.kind == PATH_TIME)
        return r < 0 ? r : 0;
    m.kind = PATH_TIME;
    m.has_zone = false;
    return path_push_text(c->env, out, PATH_TIME, path_moment_text(c->env->a, &m), c->err);
}
