#include "surveillance/table.h"

#include "base/clock.h"

#include <inttypes.h>
#include <math.h>

#define YEAR_MIN 1800
#define YEAR_MAX 2200
#define NUMBER_MAX 1000000000 /* of a bare week number */
#define SHOWN_MAX 40          /* bytes of a wrong field that a message repeats */

/* ---- fields ---- */

/* Where the reader is. */
struct reader {
    struct arena *a;
    struct str rest;
    size_t line;
};

/* The next line without its end; CR LF and LF both end one. False at the end of the text. */
static bool next_line(struct reader *r, struct str *ret)
{
    struct str line;
    ptrdiff_t at = str_find(r->rest, '\n');

    if (r->rest.n == 0)
        return false;
    line = at < 0 ? r->rest : str_head(r->rest, (size_t)at);
    r->rest = str_from(r->rest, at < 0 ? r->rest.n : (size_t)at + 1);
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    r->line++;
    *ret = line;
    return true;
}

/* A quoted field at the start of *line: its content, with "" as one quote. */
static int quoted_field(struct reader *r, struct str *line, struct str *ret, struct err *err)
{
    char *to = arena_alloc(r->a, line->n);
    size_t n = 0, i = 1;

    if (!to)
        return err_no_memory(err);
    for (;; i++) {
        if (i >= line->n)
            return err_set(err, ERR_SYNTAX, "line %zu: a quote is not closed", r->line);
        if (line->p[i] == '"' && (i + 1 >= line->n || line->p[i + 1] != '"'))
            break;
        i += line->p[i] == '"';
        to[n++] = line->p[i];
    }
    *line = str_from(*line, i + 1);
    if (line->n && line->p[0] != ',')
        return err_set(err, ERR_SYNTAX, "line %zu: a closing quote is followed by text", r->line);
    *ret = str_n(to, n);
    return 0;
}

/* Splits a line. Returns the number of fields. */
static int split_line(struct reader *r, struct str line, struct str *ret, struct err *err)
{
    size_t n = 0;

    for (;;) {
        int bad = 0;

        if (n == TABLE_COLUMNS_MAX)
            return err_set(err, ERR_TOO_LONG, "line %zu has more than %d columns", r->line,
                           TABLE_COLUMNS_MAX);
        if (line.n && line.p[0] == '"') {
            bad = quoted_field(r, &line, &ret[n], err);
        } else {
            ptrdiff_t comma = str_find(line, ',');

            ret[n] = comma < 0 ? line : str_head(line, (size_t)comma);
            line = str_from(line, ret[n].n);
            if (str_find(ret[n], '"') >= 0)
                return err_set(err, ERR_SYNTAX, "line %zu: a quote in a field that has none around",
                               r->line);
        }
        if (bad < 0)
            return bad;
        for (size_t i = 0; i < ret[n].n; i++)
            if ((unsigned char)ret[n].p[i] < ' ')
                return err_set(err, ERR_SYNTAX, "line %zu has a control character", r->line);
        n++;
        if (line.n == 0)
            return (int)n;
        line = str_from(line, 1);
    }
}

/* ---- periods ---- */

static bool fixed_number(struct str s, size_t at, size_t n, uint64_t *ret)
{
    return s.n >= at + n && str_to_u64(str_n(s.p + at, n), NUMBER_MAX, ret);
}

/* YYYY-MM-DD as a day. */
static bool parse_date(struct str s, int64_t *ret)
{
    uint64_t y, m, d;

    if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-' || !fixed_number(s, 0, 4, &y) ||
        !fixed_number(s, 5, 2, &m) || !fixed_number(s, 8, 2, &d) || y < YEAR_MIN || y > YEAR_MAX ||
        m < 1 || m > 12 || d < 1 || d > (uint64_t)clock_month_days((int)y, (int)m))
        return false;
    *ret = clock_days((int)y, (int)m, (int)d);
    return true;
}

/* The Monday of the ISO week YYYY-Www: week 1 has the 4th of January. */
static bool parse_week(struct str s, int64_t *ret)
{
    uint64_t y, w;
    int64_t fourth, monday;
    int year, month, day;

    if (s.n != 8 || s.p[4] != '-' || s.p[5] != 'W' || !fixed_number(s, 0, 4, &y) ||
        !fixed_number(s, 6, 2, &w) || y < YEAR_MIN || y > YEAR_MAX || w < 1 || w > 53)
        return false;
    fourth = clock_days((int)y, 1, 4);
    /* 1970-01-01 was a Thursday: day 4 is a Monday. */
    monday = fourth - ((fourth - 4) % 7 + 7) % 7 + 7 * ((int64_t)w - 1);
    clock_civil(monday + 3, &year, &month, &day);
    if ((uint64_t)year != y)
        return false;
    *ret = monday;
    return true;
}

static bool parse_number(struct str s, int64_t *ret)
{
    uint64_t v;

    if (!str_to_u64(s, NUMBER_MAX, &v))
        return false;
    *ret = (int64_t)v;
    return true;
}

/* The forms of a period, by the file's first column and its first row. */
static const struct {
    bool (*parse)(struct str s, int64_t *ret);
    const char *what;
} forms[] = {
    [TABLE_DATES] = {parse_date, "a date from 1800 to 2200, such as 2024-01-29"},
    [TABLE_WEEKS] = {parse_week, "an ISO week that exists, such as 2024-W05"},
    [TABLE_NUMBERS] = {parse_number, "a whole number, as in the rows before"},
};

static int parse_count(const struct reader *r, struct str s, double *ret, struct err *err)
{
    uint64_t v;

    if (s.n == 0 || str_eq(s, STR("NA"))) {
        *ret = NAN;
        return 0;
    }
    if (s.p[0] == '-')
        return err_set(err, ERR_VALUE, "line %zu: the count is negative: %.*s", r->line,
                       STR_ARG(str_head(s, SHOWN_MAX)));
    if (!str_to_u64(s, SERIES_COUNT_MAX, &v))
        return err_set(err, ERR_VALUE,
                       "line %zu: the count must be a whole number from 0 to %d, or empty, not "
                       "\"%.*s\"",
                       r->line, SERIES_COUNT_MAX, STR_ARG(str_head(s, SHOWN_MAX)));
    *ret = (double)v;
    return 0;
}

/* ---- strata ---- */

struct strata {
    uint32_t *slots; /* number of the stratum + 1; 0: free */
    size_t n_slots;  /* a power of two */
    struct table *t;
    size_t room;
};

static int strata_grow(struct arena *a, struct strata *s, struct err *err)
{
    size_t n = s->n_slots ? 2 * s->n_slots : 64;
    uint32_t *slots = ARENA_ARRAY(a, uint32_t, n);

    if (!slots)
        return err_no_memory(err);
    for (size_t i = 0; i < s->t->n_strata; i++) {
        size_t at = str_hash(s->t->strata[i].key) & (n - 1);

        while (slots[at])
            at = (at + 1) & (n - 1);
        slots[at] = (uint32_t)i + 1;
    }
    s->slots = slots;
    s->n_slots = n;
    return 0;
}

static int stratum_add(struct reader *r, struct strata *s, struct str key, size_t at,
                       struct err *err)
{
    struct table *t = s->t;

    if (t->n_strata == TABLE_STRATA_MAX)
        return err_set(err, ERR_TOO_LONG, "line %zu: there are more than %d strata", r->line,
                       TABLE_STRATA_MAX);
    if (t->n_strata == s->room) {
        size_t room = s->room ? 2 * s->room : 16;

        t->strata =
            arena_grow(r->a, t->strata, s->room * sizeof *t->strata, room * sizeof *t->strata);
        s->room = room;
    }
    key = arena_dup(r->a, key);
    if (!t->strata || !key.p)
        return err_no_memory(err);
    t->strata[t->n_strata++] =
        (struct table_stratum){.key = key, .first = INT64_MAX, .last = INT64_MIN};
    s->slots[at] = (uint32_t)t->n_strata;
    return 0;
}

/* The number of the stratum with these fields, made where it is new. */
static int stratum_of(struct reader *r, struct strata *s, const struct str *fields, struct sb *key,
                      uint32_t *ret, struct err *err)
{
    size_t at;
    int bad;

    sb_reset(key);
    for (size_t i = s->t->first_stratum; i < s->t->n_columns; i++) {
        if (i > s->t->first_stratum)
            sb_char(key, TABLE_KEY_SEPARATOR);
        sb_str(key, fields[i]);
    }
    bad = sb_ok(key, err);
    if (bad == 0 && (!s->slots || 2 * (s->t->n_strata + 1) > s->n_slots))
        bad = strata_grow(r->a, s, err);
    if (bad != 0)
        return bad;
    at = str_hash(sb_view(key)) & (s->n_slots - 1);
    while (s->slots[at] && !str_eq(s->t->strata[s->slots[at] - 1].key, sb_view(key)))
        at = (at + 1) & (s->n_slots - 1);
    if (!s->slots[at])
        bad = stratum_add(r, s, sb_view(key), at, err);
    if (bad == 0)
        *ret = s->slots[at] - 1;
    return bad;
}

/* ---- rows ---- */

static int read_header(struct reader *r, struct table *t, struct err *err)
{
    int n;

    if (str_starts(r->rest, STR("\xef\xbb\xbf")))
        r->rest = str_from(r->rest, 3);
    if (!next_line(r, &t->header))
        return err_set(err, ERR_SYNTAX, "the file is empty: its first line must name the columns");
    n = split_line(r, t->header, t->names, err);
    if (n < 0)
        return n;
    t->n_columns = (size_t)n;
    if (t->first_stratum == 3 && (n < 3 || !str_eq(t->names[2], STR("reported"))))
        return err_set(err, ERR_SYNTAX,
                       "line 1 must name the columns: date,count,reported or week,count,reported, "
                       "then the strata");
    if (n < 2 || !str_eq(t->names[1], STR("count")) ||
        !(str_eq(t->names[0], STR("date")) || str_eq(t->names[0], STR("week"))))
        return err_set(err, ERR_SYNTAX,
                       "line 1 must name the columns: date,count or week,count, then the strata");
    t->form = str_eq(t->names[0], STR("date")) ? TABLE_DATES : TABLE_WEEKS;
    return 0;
}

static int read_row(struct reader *r, struct strata *s, struct str line, struct sb *key,
                    struct table_row *ret, struct err *err)
{
    struct table *t = s->t;
    struct str fields[TABLE_COLUMNS_MAX];
    int n = split_line(r, line, fields, err), bad;

    if (n < 0)
        return n;
    if ((size_t)n != t->n_columns)
        return err_set(err, ERR_SYNTAX, "line %zu has %d fields, the first line %zu", r->line, n,
                       t->n_columns);
    if (t->n_rows == 0 && t->form == TABLE_WEEKS && str_find(fields[0], '-') < 0)
        t->form = TABLE_NUMBERS;
    *ret = (struct table_row){.text = line, .line = r->line};
    for (int i = 0; i < (t->first_stratum == 3 ? 2 : 1); i++) {
        struct str field = fields[i ? 2 : 0];

        if (!forms[t->form].parse(field, i ? &ret->reported : &ret->period))
            return err_set(err, ERR_VALUE, "line %zu: \"%.*s\" is not %s", r->line,
                           STR_ARG(str_head(field, SHOWN_MAX)), forms[t->form].what);
    }
    bad = parse_count(r, fields[1], &ret->count, err);
    if (bad == 0 && t->first_stratum == 3 && isnan(ret->count))
        bad = err_set(err, ERR_VALUE, "line %zu: a report has no count", r->line);
    if (bad == 0 && t->first_stratum == 3 && ret->reported < ret->period)
        bad = err_set(err, ERR_VALUE, "line %zu: it was reported before it was", r->line);
    if (bad == 0)
        bad = stratum_of(r, s, fields, key, &ret->stratum, err);
    return bad;
}

/* How many rows there can be at most: lines behind the first. */
static size_t count_lines(struct str text)
{
    size_t n = 1;

    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

static int read_rows(struct reader *r, struct table *t, struct err *err)
{
    _cleanup_(sb_done) struct sb key = sb_make(TABLE_FILE_MAX);
    struct strata strata = {.t = t};
    size_t most = count_lines(r->rest);
    struct str line;
    int bad = 0;

    most = MIN(most, (size_t)TABLE_ROWS_MAX);
    t->rows = ARENA_ARRAY(r->a, struct table_row, most);
    if (!t->rows)
        return err_no_memory(err);
    while (bad == 0 && next_line(r, &line)) {
        if (line.n == 0)
            continue;
        if (t->n_rows == most)
            return err_set(err, ERR_TOO_LONG, "there are more than %d rows", TABLE_ROWS_MAX);
        bad = read_row(r, &strata, line, &key, &t->rows[t->n_rows], err);
        t->n_rows += bad == 0;
    }
    if (bad == 0 && t->n_rows == 0)
        bad = err_set(err, ERR_SYNTAX, "there is no row behind the first line");
    return bad;
}

/* ---- from rows to series ---- */

static int64_t divisor(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

/* Months where all dates are the first of one; weeks where they lie whole weeks apart; else days,
 * which must then fill half of their time. */
static int64_t month_of(int64_t day)
{
    int y, m, d;

    clock_civil(day, &y, &m, &d);
    return y * 12 + m - 1;
}

static void find_step(struct table *t)
{
    int64_t apart = 0;
    bool first_days = t->n_rows > 1;
    int y, m, d;

    t->step = t->form == TABLE_WEEKS ? 7 : 1;
    t->points_a_year = t->form == TABLE_NUMBERS && t->first_stratum == 3 ? 0 : 52;
    if (t->form != TABLE_DATES)
        return;
    for (size_t i = 0; i < t->n_rows; i++) {
        int64_t from_first = t->rows[i].period - t->rows[0].period;

        apart = divisor(from_first < 0 ? -from_first : from_first, apart);
        clock_civil(t->rows[i].period, &y, &m, &d);
        first_days = first_days && d == 1;
    }
    if (first_days && apart % 7 != 0) {
        for (size_t i = 0; i < t->n_rows; i++) {
            t->rows[i].period = month_of(t->rows[i].period);
            t->rows[i].reported = month_of(t->rows[i].reported);
        }
        t->points_a_year = 12;
        return;
    }
    if (apart % 7 == 0) {
        t->step = 7;
        return;
    }
    t->points_a_year = 365;
}

static void find_spans(struct table *t)
{
    for (size_t i = 0; i < t->n_rows; i++) {
        struct table_stratum *s = &t->strata[t->rows[i].stratum];

        s->first = MIN(s->first, t->rows[i].period);
        s->last = MAX(s->last, t->rows[i].period);
        s->rows++;
    }
}

static int64_t day_of(const struct table *t, int64_t period)
{
    return t->points_a_year == 12 ? clock_days((int)(period / 12), (int)(period % 12) + 1, 1)
                                  : period;
}

static int make_series(struct arena *a, struct table *t, struct table_stratum *s, size_t *total,
                       struct err *err)
{
    size_t n = (size_t)((s->last - s->first) / t->step) + 1;
    double *count;
    int64_t *day = NULL;

    if (n > SERIES_POINTS_MAX || *total + n > TABLE_POINTS_MAX)
        return err_set(err, ERR_TOO_LONG,
                       "a series of %zu points is too long: the bound is %d, and %d for all", n,
                       SERIES_POINTS_MAX, TABLE_POINTS_MAX);
    if (t->points_a_year == 365 && s->rows < n / 2)
        return err_set(err, ERR_VALUE,
                       "the dates are neither of one weekday nor daily: %zu dates in %zu days",
                       s->rows, n);
    *total += n;
    t->n_missing += n - s->rows;
    count = arena_alloc(a, n * sizeof *count);
    if (t->form != TABLE_NUMBERS)
        day = arena_alloc(a, n * sizeof *day);
    if (!count || (t->form != TABLE_NUMBERS && !day))
        return err_no_memory(err);
    for (size_t i = 0; i < n; i++) {
        count[i] = NAN;
        if (day)
            day[i] = day_of(t, s->first + (int64_t)i * t->step);
    }
    s->series = (struct series){n, count, day, t->points_a_year};
    return 0;
}

/* Puts each row's count at its place; `taken` has the line that took a point. */
static int place_rows(struct arena *a, struct table *t, size_t total, struct err *err)
{
    uint32_t *taken = ARENA_ARRAY(a, uint32_t, total);
    size_t *start = ARENA_ARRAY(a, size_t, t->n_strata);

    if (!taken || !start)
        return err_no_memory(err);
    for (size_t i = 1; i < t->n_strata; i++)
        start[i] = start[i - 1] + t->strata[i - 1].series.n;
    for (size_t i = 0; i < t->n_rows; i++) {
        struct table_row *row = &t->rows[i];
        struct table_stratum *s = &t->strata[row->stratum];
        uint32_t *line = &taken[start[row->stratum]];

        row->point = (uint32_t)((row->period - s->first) / t->step);
        line += row->point;
        if (*line)
            return err_set(err, ERR_DUPLICATE, "line %zu: the period was given in line %u already",
                           row->line, *line);
        *line = (uint32_t)row->line;
        ((double *)s->series.count)[row->point] = row->count;
    }
    return 0;
}

static int read_all(struct reader *r, struct table *t, struct err *err)
{
    int bad;

    if (r->rest.n > TABLE_FILE_MAX)
        return err_set(err, ERR_TOO_LONG, "the file is longer than %zu MiB", TABLE_FILE_MAX >> 20);
    bad = read_header(r, t, err);
    if (bad == 0)
        bad = read_rows(r, t, err);
    if (bad != 0)
        return bad;
    find_step(t);
    find_spans(t);
    return 0;
}

int table_read(struct arena *a, struct str text, struct table *ret, struct err *err)
{
    struct reader r = {.a = a, .rest = text};
    struct table t = {.first_stratum = 2};
    size_t total = 0;
    int bad = read_all(&r, &t, err);

    for (size_t i = 0; bad == 0 && i < t.n_strata; i++)
        bad = make_series(a, &t, &t.strata[i], &total, err);
    if (bad == 0)
        bad = place_rows(a, &t, total, err);
    if (bad == 0)
        *ret = t;
    return bad;
}

int table_read_reports(struct arena *a, struct str text, struct table *ret, struct err *err)
{
    struct reader r = {.a = a, .rest = text};
    struct table t = {.first_stratum = 3};
    int bad = read_all(&r, &t, err);

    if (bad == 0)
        *ret = t;
    return bad;
}

int table_period(const struct table *t, struct str text, int64_t *ret, struct err *err)
{
    int64_t period;

    if (!forms[t->form].parse(text, &period))
        return err_set(err, ERR_VALUE, "\"%.*s\" is not %s", STR_ARG(str_head(text, SHOWN_MAX)),
                       forms[t->form].what);
    *ret = t->points_a_year == 12 ? month_of(period) : period;
    return 0;
}

void table_put_week(int64_t monday, struct sb *to)
{
    int year, month, day;

    /* A week belongs to the year of its Thursday. */
    clock_civil(monday + 3, &year, &month, &day);
    sb_fmt(to, "%04d-W%02d", year, (int)((monday + 3 - clock_days(year, 1, 1)) / 7 + 1));
}

void table_put_period(const struct table *t, int64_t period, struct sb *to)
{
    int year, month, day;

    if (t->form == TABLE_WEEKS) {
        table_put_week(period, to);
    } else if (t->form == TABLE_NUMBERS) {
        sb_fmt(to, "%" PRId64, period);
    } else {
        clock_civil(day_of(t, period), &year, &month, &day);
        sb_fmt(to, "%04d-%02d-%02d", year, month, day);
    }
}

bool table_fields(struct arena *a, const struct table *t, const struct table_row *row,
                  struct str ret[TABLE_COLUMNS_MAX])
{
    struct reader r = {.a = a, .line = row->line};

    return split_line(&r, row->text, ret, NULL) == (int)t->n_columns;
}
