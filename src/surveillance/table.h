/* table.h - series of counts from a stranger's CSV, strictly.
 *
 * The first line names the columns: `date` or `week`, then `count`; any further columns are strata,
 * and each combination of their values is a series of its own. Fields may be quoted (RFC 4180). A
 * week is an ISO week (2024-W05), or a whole number where there is no calendar; all rows have the
 * same form. Dates are daily, weekly (all on one weekday) or monthly (all on the first); which of
 * them, the file shows. Rows come in any order. An empty count, or NA, is one that is not known.
 *
 * A gap is filled with counts that are not known. Refused, with the line: a count that is no whole
 * number from 0 to SERIES_COUNT_MAX, a period given twice for one stratum, a period that does not
 * exist, a wrong number of fields, anything past a bound.
 *
 * Reports have a third column before the strata, `reported`: when so many cases became known, in
 * the form of the period. Rows of one period and one report add up, and gaps are 0.
 */
#ifndef SURVEILLANCE_TABLE_H
#define SURVEILLANCE_TABLE_H

#include "surveillance/detect.h"

#define TABLE_FILE_MAX MIB(64) /* one file */
#define TABLE_COLUMNS_MAX 16   /* with period and count */
#define TABLE_ROWS_MAX 2000000
#define TABLE_STRATA_MAX 100000
#define TABLE_POINTS_MAX 8000000 /* of all series, with their gaps */
#define TABLE_ARENA_MAX MIB(512) /* what reading a file may take */
#define TABLE_KEY_SEPARATOR '\x1f'

struct table_row {
    struct str text;  /* the line as it was, without its end */
    size_t line;      /* from 1 */
    int64_t period;   /* day, month or bare number */
    int64_t reported; /* of reports: day, month or bare number */
    double count;
    uint32_t stratum, point; /* where it lies in its series; point not of reports */
};

struct table_stratum {
    struct str key;      /* values of the stratum's columns, decoded, TABLE_KEY_SEPARATOR between */
    int64_t first, last; /* periods */
    size_t rows;
    struct series series; /* not of reports */
};

enum table_form { TABLE_DATES, TABLE_WEEKS, TABLE_NUMBERS };

struct table {
    struct str header;
    struct str names[TABLE_COLUMNS_MAX];
    size_t n_columns, first_stratum; /* columns, and the first that is of the stratum */
    enum table_form form;
    int64_t step; /* between points, in units of period */
    unsigned points_a_year;
    struct table_row *rows;
    size_t n_rows;
    struct table_stratum *strata;
    size_t n_strata;
    size_t n_missing; /* points without a row */
};

/* `text` must outlive the table. ERR_SYNTAX, ERR_VALUE, ERR_DUPLICATE and ERR_TOO_LONG name the
 * line. */
int table_read(struct arena *a, struct str text, struct table *ret, struct err *err);

int table_read_reports(struct arena *a, struct str text, struct table *ret, struct err *err);

/* A period as the file has them; ERR_VALUE where it is none. And back. */
int table_period(const struct table *t, struct str text, int64_t *ret, struct err *err);
void table_put_period(const struct table *t, int64_t period, struct sb *to);
/* The ISO week that begins on this Monday, "2024-W05". */
void table_put_week(int64_t monday, struct sb *to);

/* The decoded fields of a row that was read, n_columns of them; false at the arena's limit. */
bool table_fields(struct arena *a, const struct table *t, const struct table_row *row,
                  struct str ret[TABLE_COLUMNS_MAX]);

#endif
