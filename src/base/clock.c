#include "base/clock.h"

#include <stdio.h>

int64_t clock_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t read_us(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

struct timespec clock_mono_after(int64_t ms)
{
    int64_t us = clock_mono_us() + ms * 1000;

    return (struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
}

int64_t clock_spent_us(void)
{
    return read_us(CLOCK_THREAD_CPUTIME_ID);
}

/* Years start in March, so that the leap day is the last; eras of 400 years (146,097 days). */
int64_t clock_days(int year, int month, int day)
{
    int64_t y = year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

    return era * 146097 + doe - 719468;
}

void clock_civil(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int month = (int)(mp < 10 ? mp + 3 : mp - 9);

    *ret_day = (int)(doy - (153 * mp + 2) / 5 + 1);
    *ret_month = month;
    *ret_year = (int)(yoe + era * 400 + (month <= 2));
}

bool clock_is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int clock_month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && clock_is_leap(year) ? 29 : days[month - 1];
}

/* Floor division, so that times before 1970 come out right. */
static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static char *two(char *to, unsigned v)
{
    to[0] = (char)('0' + v / 10);
    to[1] = (char)('0' + v % 10);
    return to + 2;
}

static char *four(char *to, unsigned v)
{
    return two(two(to, v / 100), v % 100);
}

/* In numbers of 32 bits: each resource of a reply is formatted once. */
void clock_format(int64_t ms, char ret[CLOCK_INSTANT_MAX])
{
    int64_t days = floor_div(ms, 86400000);
    unsigned rest = (unsigned)(ms - days * 86400000), s = rest / 1000;
    int y, m, d;
    char *p = ret;

    clock_civil(days, &y, &m, &d);
    p = four(p, (unsigned)y);
    *p++ = '-';
    p = two(p, (unsigned)m);
    *p++ = '-';
    p = two(p, (unsigned)d);
    *p++ = 'T';
    p = two(p, s / 3600);
    *p++ = ':';
    p = two(p, s / 60 % 60);
    *p++ = ':';
    p = two(p, s % 60);
    *p++ = '.';
    *p++ = (char)('0' + rest % 1000 / 100);
    p = two(p, rest % 100);
    *p++ = 'Z';
    *p = '\0';
}

static const char day_names[] = "SunMonTueWedThuFriSat";
static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void clock_format_http(int64_t ms, char ret[CLOCK_INSTANT_MAX])
{
    int64_t days = floor_div(ms, 86400000);
    unsigned s = (unsigned)(ms - days * 86400000) / 1000;
    int64_t weekday = ((days + 4) % 7 + 7) % 7;
    int y, m, d;
    char *p = ret;

    clock_civil(days, &y, &m, &d);
    p = mempcpy(p, day_names + weekday * 3, 3);
    p = mempcpy(p, ", ", 2);
    p = two(p, (unsigned)d);
    *p++ = ' ';
    p = mempcpy(p, month_names + (m - 1) * 3, 3);
    *p++ = ' ';
    p = four(p, (unsigned)y);
    *p++ = ' ';
    p = two(p, s / 3600);
    *p++ = ':';
    p = two(p, s / 60 % 60);
    *p++ = ':';
    p = two(p, s % 60);
    memcpy(p, " GMT", 5);
}

bool clock_parse_http(struct str s, int64_t *ret_ms)
{
    char text[CLOCK_INSTANT_MAX], mon[4];
    int d, y, hh, mm, ss, end = 0, month = 0;

    if (s.n < 20 || s.n >= sizeof text)
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &d, mon, &y, &hh, &mm,
               &ss, &end) != 6 ||
        (size_t)end != s.n)
        return false;
    for (int i = 0; i < 12; i++)
        if (memcmp(mon, month_names + i * 3, 3) == 0)
            month = i + 1;
    if (!month || y < 1 || d < 1 || d > clock_month_days(y, month) || hh > 23 || mm > 59 ||
        ss > 60 || hh < 0 || mm < 0 || ss < 0)
        return false;
    *ret_ms = (clock_days(y, month, d) * 86400 + hh * 3600 + mm * 60 + ss) * 1000;
    return true;
}
