/* Dates and times with their precision. Unlike fhir/date.h, which asks what range of time a text
 * covers, this keeps the parts: "2024-01" + 1 month is "2024-02", "2024" < "2024-03" is not known.
 */
#include "fhir/path_int.h"

#include "base/clock.h"

#define SECOND_NS INT64_C(1000000000)
#define MS_NS 1000000
#define MINUTE_NS (60 * SECOND_NS)
#define MINUTE_MS 60000
#define HOUR_MS 3600000
#define DAY_MS INT64_C(86400000)
#define TZ_MINUTES_MAX (14 * 60)

struct scan {
    struct str s;
    size_t at;
};

static bool number(struct scan *sc, size_t width, int min, int max, int *ret)
{
    const char *p = sc->s.p + sc->at;
    int v = 0;

    if (sc->s.n - sc->at < width)
        return false;
    for (size_t i = 0; i < width; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        v = v * 10 + (p[i] - '0');
    }
    sc->at += width;
    *ret = v;
    return v >= min && v <= max;
}

static bool take(struct scan *sc, char c)
{
    if (sc->at >= sc->s.n || sc->s.p[sc->at] != c)
        return false;
    sc->at++;
    return true;
}

static bool at_end(const struct scan *sc)
{
    return sc->at == sc->s.n;
}

/* Digits past nanoseconds are passed over. */
static bool fraction(struct scan *sc, struct path_moment *m)
{
    size_t from = sc->at;
    int scale = SECOND_NS / 10;

    for (; sc->at < sc->s.n && sc->s.p[sc->at] >= '0' && sc->s.p[sc->at] <= '9'; sc->at++) {
        m->ns += (int64_t)(sc->s.p[sc->at] - '0') * scale;
        if (scale)
            m->digits++;
        scale /= 10;
    }
    return sc->at > from;
}

static bool time_part(struct scan *sc, struct path_moment *m)
{
    int second;

    if (!number(sc, 2, 0, 23, &m->hour))
        return false;
    m->precision = AT_HOUR;
    if (!take(sc, ':'))
        return true;
    if (!number(sc, 2, 0, 59, &m->minute))
        return false;
    m->precision = AT_MINUTE;
    if (!take(sc, ':'))
        return true;
    if (!number(sc, 2, 0, 60, &second))
        return false;
    m->precision = AT_SECOND;
    m->ns = second * SECOND_NS;
    return !take(sc, '.') || fraction(sc, m);
}

static bool zone_part(struct scan *sc, struct path_moment *m)
{
    int hour, minute;
    bool negative = sc->at < sc->s.n && sc->s.p[sc->at] == '-';

    m->has_zone = true;
    if (take(sc, 'Z'))
        return true;
    if (!take(sc, '-') && !take(sc, '+')) {
        m->has_zone = false;
        return true;
    }
    if (!number(sc, 2, 0, 14, &hour) || !take(sc, ':') || !number(sc, 2, 0, 59, &minute))
        return false;
    m->tz_minutes = (hour * 60 + minute) * (negative ? -1 : 1);
    return hour * 60 + minute <= TZ_MINUTES_MAX;
}

static bool date_part(struct scan *sc, struct path_moment *m)
{
    m->precision = AT_YEAR;
    m->month = m->day = 1;
    if (!number(sc, 4, 1, 9999, &m->year))
        return false;
    if (!take(sc, '-'))
        return true;
    if (!number(sc, 2, 1, 12, &m->month))
        return false;
    m->precision = AT_MONTH;
    if (!take(sc, '-'))
        return true;
    m->precision = AT_DAY;
    return number(sc, 2, 1, clock_month_days(m->year, m->month), &m->day);
}

bool path_moment_parse(enum path_kind kind, struct str s, struct path_moment *ret)
{
    struct path_moment m = {.kind = kind, .month = 1, .day = 1};
    struct scan sc = {.s = s};

    if (kind == PATH_TIME) {
        if (!time_part(&sc, &m) || !at_end(&sc))
            return false;
    } else {
        if (!date_part(&sc, &m))
            return false;
        if (kind == PATH_DATETIME && take(&sc, 'T') && !at_end(&sc) &&
            (m.precision != AT_DAY || !time_part(&sc, &m) || !zone_part(&sc, &m)))
            return false;
        if (!at_end(&sc))
            return false;
    }
    *ret = m;
    return true;
}

/* `before`, then v with `width` digits. */
static char *put(char *to, char before, int v, int width)
{
    if (before)
        *to++ = before;
    for (int i = width - 1; i >= 0; i--, v /= 10)
        to[i] = (char)('0' + v % 10);
    return to + width;
}

struct str path_moment_text(struct arena *a, const struct path_moment *m)
{
    char text[64], *to = text;
    int zone = m->tz_minutes < 0 ? -m->tz_minutes : m->tz_minutes;
    bool is_time = m->kind == PATH_TIME;

    if (!is_time) {
        to = put(to, 0, m->year, 4);
        to = m->precision >= AT_MONTH ? put(to, '-', m->month, 2) : to;
        to = m->precision >= AT_DAY ? put(to, '-', m->day, 2) : to;
    }
    if (m->precision >= AT_HOUR)
        to = put(to, is_time ? 0 : 'T', m->hour, 2);
    if (m->precision >= AT_MINUTE)
        to = put(to, ':', m->minute, 2);
    if (m->precision >= AT_SECOND)
        to = put(to, ':', (int)(m->ns / SECOND_NS), 2);
    if (m->digits)
        to = put(to, '.', (int)(m->ns % SECOND_NS), 9) - (9 - m->digits);
    if (m->has_zone && !zone) {
        *to++ = 'Z';
    } else if (m->has_zone) {
        to = put(to, m->tz_minutes < 0 ? '-' : '+', zone / 60, 2);
        to = put(to, ':', zone % 60, 2);
    }
    return arena_dup(a, str_n(text, (size_t)(to - text)));
}

/* ---- comparing ---- */

static int64_t minutes_of(const struct path_moment *m)
{
    int64_t days = m->kind == PATH_TIME ? 0 : clock_days(m->year, m->month, m->day);

    return days * 1440 + m->hour * 60 + m->minute;
}

static struct path_moment shifted(const struct path_moment *m, int64_t minutes)
{
    struct path_moment to = *m;
    int64_t all = minutes_of(m) + minutes, day = all % 1440;

    if (day < 0)
        day += 1440;
    clock_civil((all - day) / 1440, &to.year, &to.month, &to.day);
    to.hour = (int)(day / 60);
    to.minute = (int)(day % 60);
    return to;
}

/* By each precision in turn; the first one that only one side has leaves it open. */
static int compare_parts(const struct path_moment *a, const struct path_moment *b)
{
    const int64_t x[] = {a->year, a->month, a->day, a->hour, a->minute, a->ns};
    const int64_t y[] = {b->year, b->month, b->day, b->hour, b->minute, b->ns};

    for (int i = a->kind == PATH_TIME ? AT_HOUR : AT_YEAR; i <= AT_SECOND; i++) {
        bool has_a = i <= (int)a->precision, has_b = i <= (int)b->precision;
        if (!has_a && !has_b)
            return 0;
        if (has_a != has_b)
            return PATH_NOT_KNOWN;
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    }
    return 0;
}

int path_moment_compare(const struct path_moment *a, const struct path_moment *b)
{
    struct path_moment x, y;
    int early, late;

    if ((a->kind == PATH_TIME) != (b->kind == PATH_TIME))
        return PATH_NOT_COMPARABLE;
    if (a->precision < AT_HOUR || b->precision < AT_HOUR || a->kind == PATH_TIME ||
        (!a->has_zone && !b->has_zone))
        return compare_parts(a, b);
    if (a->has_zone && b->has_zone) {
        x = shifted(a, -a->tz_minutes);
        y = shifted(b, -b->tz_minutes);
        return compare_parts(&x, &y);
    }
    /* One side may be in any zone: known only where all of them say the same. */
    if (!a->has_zone) {
        early = path_moment_compare(b, a);
        return early == -1 || early == 1 ? -early : early;
    }
    x = shifted(a, -a->tz_minutes);
    y = shifted(b, -TZ_MINUTES_MAX);
    early = compare_parts(&x, &y);
    y = shifted(b, TZ_MINUTES_MAX);
    late = compare_parts(&x, &y);
    return early == late && early != 0 ? early : PATH_NOT_KNOWN;
}

/* ---- arithmetic ---- */

static const struct unit {
    struct str name, ucum;
    enum path_precision precision;
    int64_t ms;   /* of the definite ones */
    bool by_code; /* the UCUM unit may be added too */
} units[] = {
    {{"year", 4}, {"a", 1}, AT_YEAR, 0, false},
    {{"month", 5}, {"mo", 2}, AT_MONTH, 0, false},
    {{"week", 4}, {"wk", 2}, AT_DAY, 7 * DAY_MS, true},
    {{"day", 3}, {"d", 1}, AT_DAY, DAY_MS, true},
    {{"hour", 4}, {"h", 1}, AT_HOUR, HOUR_MS, true},
    {{"minute", 6}, {"min", 3}, AT_MINUTE, MINUTE_MS, true},
    {{"second", 6}, {"s", 1}, AT_SECOND, 1000, true},
    {{"millisecond", 11}, {"ms", 2}, AT_SECOND, 1, true},
};

static const struct unit *unit_of(const struct path_quantity *q)
{
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (q->is_calendar ? str_eq(q->unit, units[i].name)
                           : units[i].by_code && str_eq(q->unit, units[i].ucum))
            return &units[i];
        /* 1 'month' is taken for what it can only mean. */
        if (!q->is_calendar && str_eq(path_calendar_unit(q->unit), units[i].name))
            return &units[i];
    }
    return NULL;
}

#define AMOUNT_MAX INT64_C(400000000000000) /* milliseconds in more than 10,000 years */

/* The whole part; false where it is past every date. */
static bool whole(const struct decimal *d, int64_t *ret)
{
    int64_t v = 0;

    for (int i = 0; i < d->n + d->exponent; i++) {
        v = v * 10 + (i < d->n ? d->digit[i] : 0);
        if (v > AMOUNT_MAX)
            return false;
    }
    *ret = d->negative ? -v : v;
    return true;
}

static bool add_months(struct path_moment *m, int64_t months)
{
    int64_t all = (int64_t)m->year * 12 + m->month - 1 + months;

    if (all < 12 || all >= INT64_C(10000) * 12)
        return false;
    m->year = (int)(all / 12);
    m->month = (int)(all % 12) + 1;
    m->day = MIN(m->day, clock_month_days(m->year, m->month));
    return true;
}

static bool add_ms(struct path_moment *m, int64_t ms)
{
    int64_t minutes = ms / MINUTE_MS, ns = m->ns + ms % MINUTE_MS * MS_NS, carry, days;
    struct path_moment to;

    carry = ns < 0 ? -1 : ns / MINUTE_NS;
    to = shifted(m, minutes + carry);
    days = (minutes_of(m) + minutes + carry) / 1440;
    if (m->kind == PATH_TIME) {
        to.year = m->year;
        to.month = m->month;
        to.day = m->day;
    } else if (days < clock_days(1, 1, 1) || days > clock_days(9999, 12, 31)) {
        return false;
    }
    to.ns = ns - carry * MINUTE_NS;
    *m = to;
    return true;
}

/* An amount of a finer unit than the value has is first made whole units of the value's. */
static int64_t coarsen(const struct path_moment *m, int64_t ms)
{
    static const int64_t span[] = {
        [AT_YEAR] = 365 * DAY_MS, [AT_MONTH] = 30 * DAY_MS, [AT_DAY] = DAY_MS,
        [AT_HOUR] = HOUR_MS,      [AT_MINUTE] = MINUTE_MS,  [AT_SECOND] = 1,
    };
    return ms / span[m->precision];
}

int path_moment_add(struct path_moment *m, const struct path_quantity *q, int sign, struct err *err)
{
    const struct unit *u = unit_of(q);
    struct decimal amount = q->value, thousand = decimal_i64(1000);
    int64_t n;
    bool ok;

    if (!u || (m->kind == PATH_DATE && u->precision > AT_DAY) ||
        (m->kind == PATH_TIME && u->precision < AT_HOUR))
        return err_set(err, ERR_VALUE, "\"%.*s\" cannot be added to a %s", (int)MIN(q->unit.n, 64u),
                       q->unit.p,
                       m->kind == PATH_DATE   ? "date"
                       : m->kind == PATH_TIME ? "time"
                                              : "dateTime");
    /* Only seconds count with their fraction. */
    if (u->precision == AT_SECOND && u->ms == 1000) {
        int r = decimal_mul(&amount, &thousand, &amount, err);
        if (r < 0)
            return r;
    }
    if (!whole(&amount, &n) || n > AMOUNT_MAX || n < -AMOUNT_MAX)
        return 1;
    n *= sign;
    if (u->precision == AT_SECOND && u->ms == 1000)
        u = &units[ARRAY_LEN(units) - 1];
    if (u->precision <= AT_MONTH) {
        n = u->precision == AT_YEAR ? n * 12 : n;
        if (m->precision == AT_YEAR)
            n = n / 12 * 12;
        return n > AMOUNT_MAX / 12 || n < -AMOUNT_MAX / 12 || !add_months(m, n);
    }
    if (n > AMOUNT_MAX / u->ms || n < -AMOUNT_MAX / u->ms)
        return 1;
    n *= u->ms;
    if (m->precision <= AT_MONTH)
        ok = add_months(m, coarsen(m, n) * (m->precision == AT_YEAR ? 12 : 1));
    else if (m->precision == AT_SECOND)
        ok = add_ms(m, n);
    else
        ok = add_ms(m, coarsen(m, n) * (m->precision == AT_DAY    ? DAY_MS
                                        : m->precision == AT_HOUR ? HOUR_MS
                                                                  : MINUTE_MS));
    if (ok && m->precision == AT_SECOND && m->ns % SECOND_NS && m->digits < 3)
        m->digits = 3;
    return !ok;
}

struct path_moment path_moment_now(struct path_env *env)
{
    struct path_moment m = {.kind = PATH_DATETIME,
                            .precision = AT_SECOND,
                            .digits = 3,
                            .has_zone = true,
                            .tz_minutes = env->tz_minutes};
    int64_t ms, day;

    if (!env->now_ms)
        env->now_ms = clock_now_ms();
    ms = env->now_ms + (int64_t)env->tz_minutes * MINUTE_MS;
    day = ms % DAY_MS;
    clock_civil((ms - day) / DAY_MS, &m.year, &m.month, &m.day);
    m.hour = (int)(day / HOUR_MS);
    m.minute = (int)(day / MINUTE_MS % 60);
    m.ns = day % MINUTE_MS * MS_NS;
    return m;
}
