/* clock.h - time: wall, monotonic, calendar, and the hybrid logical clock of versions.
 *
 * The hybrid logical clock (Kulkarni et al. 2014) is one 64-bit number: milliseconds since 1970 in
 * the upper 48 bits, a counter in the lower 16. It never goes backwards, whatever the machine's
 * clock does, and its upper part is a version's meta.lastUpdated.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/str.h"

#include <time.h>

#define CLOCK_INSTANT_MAX 40

int64_t clock_now_ms(void);   /* since 1970-01-01T00:00:00Z */
int64_t clock_mono_us(void);  /* for durations */
int64_t clock_spent_us(void); /* processor time of this thread; a system call */
/* The end of a wait that begins now, for a condition whose clock is CLOCK_MONOTONIC. */
struct timespec clock_mono_after(int64_t ms);

/* Days since 1970-01-01 of a proleptic Gregorian date, and back. Month 1-12, day 1-31. */
int64_t clock_days(int year, int month, int day);
void clock_civil(int64_t days, int *ret_year, int *ret_month, int *ret_day);
bool clock_is_leap(int year);
int clock_month_days(int year, int month);

/* "2026-11-23T08:15:30.123Z" */
void clock_format(int64_t ms, char ret[CLOCK_INSTANT_MAX]);
/* "Mon, 23 Nov 2026 08:15:30 GMT" (RFC 9110 IMF-fixdate), and back; false if it is not one. */
void clock_format_http(int64_t ms, char ret[CLOCK_INSTANT_MAX]);
bool clock_parse_http(struct str s, int64_t *ret_ms);

/* The next value after `last` for wall time `now_ms`: the greater of now and last + 1. */
static inline uint64_t hlc_next(uint64_t last, int64_t now_ms)
{
    uint64_t now = (uint64_t)now_ms << 16;
    return now > last ? now : last + 1;
}

static inline int64_t hlc_ms(uint64_t hlc)
{
    return (int64_t)(hlc >> 16);
}

#endif
