/* date.h - FHIR date, dateTime, instant and time texts as ranges of milliseconds.
 *
 * "2024-03" is not a point but a month: every text gives the range [from, to) that it covers, in
 * milliseconds since 1970-01-01T00:00:00Z. Years are 0001 to 9999, 24:00 is not a time, second 60
 * is accepted (it covers the first second of the next minute), digits past milliseconds are checked
 * and then cut off. Source: http://hl7.org/fhir/R4/datatypes.html#date and following.
 */
#ifndef FHIR_DATE_H
#define FHIR_DATE_H

#include "base/err.h"

#define DATE_TEXT_MAX 64 /* bytes of a text */
#define DATE_TZ_MINUTES_MAX (14 * 60)

enum date_kind {
    DATE_DATE,     /* yyyy, yyyy-mm, yyyy-mm-dd */
    DATE_DATETIME, /* those, and yyyy-mm-ddThh:mm:ss[.fff]zone */
    DATE_INSTANT,  /* only the last */
    DATE_SEARCH,   /* all of them; seconds, zone may be missing, a '+' may have become a blank */
};

enum date_precision { DATE_YEAR, DATE_MONTH, DATE_DAY, DATE_MINUTE, DATE_SECOND, DATE_FRACTION };

struct date {
    enum date_precision precision;
    bool has_zone;
    int tz_minutes;         /* the text's own offset, or the one that was assumed */
    int64_t from_ms, to_ms; /* from <= t < to */
};

/* `tz_minutes` is assumed where the text has no zone. ERR_VALUE says what does not hold. */
int date_parse(enum date_kind kind, struct str s, int tz_minutes, struct date *ret,
               struct err *err);

/* A FHIR time, "hh:mm:ss" with a fraction or without: milliseconds since midnight, [from, to). */
int time_parse(struct str s, int64_t *ret_from_ms, int64_t *ret_to_ms, struct err *err);

/* An offset for --timezone: "Z", "UTC", "+03:00", "-09:30". Names of places are refused: index keys
 * must not change when a country changes its clocks. */
int tz_parse(struct str s, int *ret_minutes, struct err *err);

#endif
