#include "fhir/date.h"

#include "base/clock.h"

#define SECOND_MS 1000
#define MINUTE_MS 60000
#define DAY_MS 86400000

struct scan {
    struct str s;
    size_t at;
};

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

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Exactly `width` digits whose value is within min and max. */
static bool number(struct scan *sc, int width, int min, int max, int *ret)
{
    int v = 0;

    if (sc->s.n - sc->at < (size_t)width)
        return false;
    for (int i = 0; i < width; i++, sc->at++) {
        if (!is_digit(sc->s.p[sc->at]))
            return false;
        v = v * 10 + (sc->s.p[sc->at] - '0');
    }
    *ret = v;
    return v >= min && v <= max;
}

/* ".25" gives 250 and a span of 10 ms; digits behind the third are looked at and left out. */
static bool fraction(struct scan *sc, int64_t *ret_ms, int64_t *ret_span_ms)
{
    int64_t ms = 0, span = SECOND_MS;
    size_t from = sc->at;

    for (; sc->at < sc->s.n && is_digit(sc->s.p[sc->at]); sc->at++) {
        if (span == 1)
            continue;
        span /= 10;
        ms += (sc->s.p[sc->at] - '0') * span;
    }
    *ret_ms = ms;
    *ret_span_ms = span;
    return sc->at > from;
}

/* hh:mm[:ss[.f]]; seconds may be missing where `short_form`. */
static bool clock_time(struct scan *sc, bool short_form, enum date_precision *ret_precision,
                       int64_t *ret_ms, int64_t *ret_span_ms)
{
    int hour, minute, second = 0;
    int64_t ms = 0, span = MINUTE_MS;

    *ret_precision = DATE_MINUTE;
    if (!number(sc, 2, 0, 23, &hour) || !take(sc, ':') || !number(sc, 2, 0, 59, &minute))
        return false;
    if (take(sc, ':')) {
        if (!number(sc, 2, 0, 60, &second))
            return false;
        *ret_precision = DATE_SECOND;
        span = SECOND_MS;
        if (take(sc, '.')) {
            *ret_precision = DATE_FRACTION;
            if (!fraction(sc, &ms, &span))
                return false;
        }
    } else if (!short_form) {
        return false;
    }
    *ret_ms = ((int64_t)hour * 60 + minute) * MINUTE_MS + (int64_t)second * SECOND_MS + ms;
    *ret_span_ms = span;
    return true;
}

/* Z, +hh:mm or -hh:mm; a blank is read as '+' where `from_query`. False if there is none. */
static bool zone(struct scan *sc, bool from_query, int *ret_minutes)
{
    bool negative;
    int hour, minute;

    if (take(sc, 'Z')) {
        *ret_minutes = 0;
        return true;
    }
    negative = take(sc, '-');
    if (!negative && !take(sc, '+') && !(from_query && take(sc, ' ')))
        return false;
    if (!number(sc, 2, 0, 14, &hour) || !take(sc, ':') || !number(sc, 2, 0, 59, &minute) ||
        hour * 60 + minute > DATE_TZ_MINUTES_MAX)
        return false;
    *ret_minutes = negative ? -(hour * 60 + minute) : hour * 60 + minute;
    return true;
}

/* The part behind the 'T'; `ret` holds the day. */
static bool time_of_day(struct scan *sc, bool search, struct date *ret)
{
    int64_t ms, span;

    if (!clock_time(sc, search, &ret->precision, &ms, &span))
        return false;
    ret->has_zone = zone(sc, search, &ret->tz_minutes);
    if (!at_end(sc) || (!ret->has_zone && !search))
        return false;
    ret->from_ms += ms;
    ret->to_ms = ret->from_ms + span;
    return true;
}

static void set_days(struct date *ret, enum date_precision precision, int64_t from, int64_t to)
{
    ret->precision = precision;
    ret->from_ms = from * DAY_MS;
    ret->to_ms = to * DAY_MS;
}

/* Local time; the offset is taken off by the caller. */
static bool date_local(struct scan *sc, enum date_kind kind, struct date *ret)
{
    int year, month, day;

    if (!number(sc, 4, 1, 9999, &year))
        return false;
    if (at_end(sc) && kind != DATE_INSTANT) {
        set_days(ret, DATE_YEAR, clock_days(year, 1, 1), clock_days(year + 1, 1, 1));
        return true;
    }
    if (!take(sc, '-') || !number(sc, 2, 1, 12, &month))
        return false;
    if (at_end(sc) && kind != DATE_INSTANT) {
        set_days(ret, DATE_MONTH, clock_days(year, month, 1),
                 clock_days(year, month, 1) + clock_month_days(year, month));
        return true;
    }
    if (!take(sc, '-') || !number(sc, 2, 1, clock_month_days(year, month), &day))
        return false;
    set_days(ret, DATE_DAY, clock_days(year, month, day), clock_days(year, month, day) + 1);
    if (at_end(sc))
        return kind != DATE_INSTANT;
    return kind != DATE_DATE && take(sc, 'T') && time_of_day(sc, kind == DATE_SEARCH, ret);
}

static const char *const shapes[] = {
    [DATE_DATE] = "a date (yyyy, yyyy-mm or yyyy-mm-dd)",
    [DATE_DATETIME] = "a dateTime (a date, or yyyy-mm-ddThh:mm:ss with a zone)",
    [DATE_INSTANT] = "an instant (yyyy-mm-ddThh:mm:ss with a zone)",
    [DATE_SEARCH] = "a date or a part of one (yyyy-mm-ddThh:mm:ss with a zone)",
};

int date_parse(enum date_kind kind, struct str s, int tz_minutes, struct date *ret, struct err *err)
{
    struct date d = {.tz_minutes = tz_minutes};
    struct scan sc = {.s = s};

    if (s.n > DATE_TEXT_MAX || !date_local(&sc, kind, &d))
        return err_set(err, ERR_VALUE, "\"%.*s\" is not %s", (int)MIN(s.n, (size_t)DATE_TEXT_MAX),
                       s.n ? s.p : "", shapes[kind]);
    d.from_ms -= (int64_t)d.tz_minutes * MINUTE_MS;
    d.to_ms -= (int64_t)d.tz_minutes * MINUTE_MS;
    *ret = d;
    return 0;
}

int time_parse(struct str s, int64_t *ret_from_ms, int64_t *ret_to_ms, struct err *err)
{
    struct scan sc = {.s = s};
    enum date_precision precision;
    int64_t ms, span;

    if (s.n > DATE_TEXT_MAX || !clock_time(&sc, false, &precision, &ms, &span) || !at_end(&sc))
        return err_set(err, ERR_VALUE, "\"%.*s\" is not a time (hh:mm:ss)",
                       (int)MIN(s.n, (size_t)DATE_TEXT_MAX), s.n ? s.p : "");
    *ret_from_ms = ms;
    *ret_to_ms = ms + span;
    return 0;
}

int tz_parse(struct str s, int *ret_minutes, struct err *err)
{
    struct scan sc = {.s = s};
    int minutes = 0;

    if (!str_eq(s, STR("UTC")) && (!zone(&sc, false, &minutes) || !at_end(&sc)))
        return err_set(
            err, ERR_VALUE,
            "\"%.*s\" is not an offset from UTC such as +03:00; names of time zones are "
            "not accepted, because stored index keys must not change with a zone's rules",
            (int)MIN(s.n, 32u), s.n ? s.p : "");
    *ret_minutes = minutes;
    return 0;
}
