#include "cli/cli.h"

#include "cli/rows.h"
#include "surveillance/table.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#define METHOD_ARENA_MAX MIB(64) /* what one series may take */
#define YEAR_POINTS 52 /* asked for by default where a method learns from what was before */

static const struct cli_option options[] = {
    {"method", "NAME", "how to judge; --methods lists the names", CLI_STRING, false, NULL, 0, 0},
    {"alpha", "A", "chance of an alarm without an outbreak; the same as --set alpha=A", CLI_STRING,
     false, NULL, 0, 0},
    {"set", "NAME=VALUE,...", "other parameters of the method", CLI_STRING, false, NULL, 0, 0},
    {"last", "N", "judge only the last N points of the file", CLI_U64, false, NULL, 1,
     SERIES_POINTS_MAX},
    {"range", "FIRST:LAST", "judge only these points of each series, from 1", CLI_STRING, false,
     NULL, 0, 0},
    {"format", "csv|json", "what comes out", CLI_STRING, false, "csv", 0, 0},
    {"out", "FILE", "where it goes, - is standard output", CLI_STRING, false, "-", 0, 0},
    {"methods", NULL, "list the methods and their parameters, and stop", CLI_FLAG, false, NULL, 0,
     0},
};

struct detection {
    const struct method *method;
    double param[DETECT_PARAMS_MAX];
    struct table table;
    struct detect_point **points; /* of each stratum, from its `from` on */
    size_t *from, *end;           /* of each stratum: the judged points */
    bool is_json;
    struct rows out;
};

/* ---- the command line ---- */

static int take_settings(struct detection *d, const char *list, struct err *err)
{
    struct str rest = str_c(list), part;

    while (str_split(&rest, ',', &part)) {
        ptrdiff_t eq = str_find(part, '=');
        int r;

        if (eq < 0)
            return err_set(err, ERR_VALUE, "--set takes NAME=VALUE, not \"%.*s\"", STR_ARG(part));
        r = detect_set(d->method, str_head(part, (size_t)eq), str_from(part, (size_t)eq + 1),
                       d->param, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int take_options(struct detection *d, const struct cli_args *args, struct err *err)
{
    const char *name = cli_string(args, "method"), *alpha = cli_string(args, "alpha");
    const char *set = cli_string(args, "set"), *format = cli_string(args, "format");
    int r = 0;

    if (!name)
        return err_set(err, ERR_VALUE,
                       "--method NAME is missing; carnet detect --methods lists "
                       "the names");
    d->method = detect_method(str_c(name));
    if (!d->method)
        return err_set(err, ERR_VALUE,
                       "there is no method \"%s\"; carnet detect --methods lists "
                       "the names",
                       name);
    d->is_json = strcmp(format, "json") == 0;
    if (!d->is_json && strcmp(format, "csv") != 0)
        return err_set(err, ERR_VALUE, "--format must be csv or json, not \"%s\"", format);
    if (cli_string(args, "range") && cli_u64(args, "last"))
        return err_set(err, ERR_VALUE, "--last and --range exclude each other");
    detect_defaults(d->method, d->param);
    if (alpha)
        r = detect_set(d->method, STR("alpha"), str_c(alpha), d->param, err);
    return r == 0 && set ? take_settings(d, set, err) : r;
}

/* "FIRST:LAST" as points from 0 and the end behind them. */
static int take_range(const char *text, size_t *ret_from, size_t *ret_end, struct err *err)
{
    struct str s = str_c(text);
    ptrdiff_t colon = str_find(s, ':');
    uint64_t first, last;

    if (colon < 0 || !str_to_u64(str_head(s, (size_t)colon), SERIES_POINTS_MAX, &first) ||
        !str_to_u64(str_from(s, (size_t)colon + 1), SERIES_POINTS_MAX, &last) || first < 1 ||
        last < first)
        return err_set(err, ERR_VALUE,
                       "--range must be FIRST:LAST, two numbers from 1 to %d, not \"%s\"",
                       SERIES_POINTS_MAX, text);
    *ret_from = first - 1;
    *ret_end = last;
    return 0;
}

/* ---- judging ---- */

static int64_t last_period(const struct table *t)
{
    int64_t last = INT64_MIN;

    for (size_t i = 0; i < t->n_strata; i++)
        last = MAX(last, t->strata[i].last);
    return last;
}

/* Which points of a stratum are asked for. */
static int asked_points(const struct detection *d, const struct cli_args *args,
                        const struct table_stratum *s, size_t *ret_from, size_t *ret_end,
                        struct err *err)
{
    const char *range = cli_string(args, "range");
    uint64_t last = cli_u64(args, "last");
    size_t from = 0, end = s->series.n;

    if (range) {
        int r = take_range(range, &from, &end, err);
        if (r < 0)
            return r;
    } else if (last || d->method->learns_before) {
        int64_t back = (last_period(&d->table) - s->first) / d->table.step + 1 -
                       (int64_t)(last ? last : YEAR_POINTS);
        from = back > 0 ? (size_t)back : 0;
    }
    *ret_end = MIN(end, s->series.n);
    *ret_from = MIN(from, *ret_end);
    return 0;
}

static int judge(struct detection *d, const struct cli_args *args, struct arena *a, struct err *err)
{
    struct table *t = &d->table;
    int r = 0;

    d->points = ARENA_ARRAY(a, struct detect_point *, t->n_strata);
    d->from = ARENA_ARRAY(a, size_t, 2 * t->n_strata);
    d->end = d->from ? d->from + t->n_strata : NULL;
    if (!d->points || !d->from)
        return err_no_memory(err);
    for (size_t i = 0; r == 0 && i < t->n_strata; i++) {
        _cleanup_(arena_done) struct arena work;
        struct series s = t->strata[i].series;

        arena_init(&work, METHOD_ARENA_MAX);
        r = asked_points(d, args, &t->strata[i], &d->from[i], &d->end[i], err);
        if (r < 0)
            break;
        s.n = d->end[i];
        d->points[i] = ARENA_ARRAY(a, struct detect_point, s.n - d->from[i]);
        r = d->points[i] ? detect_run(d->method, d->param, &s, d->from[i], &work, d->points[i], err)
                         : err_no_memory(err);
    }
    return r;
}

/* ---- writing ---- */

/* The judgement of a row, NULL where it was not asked for. */
static const struct detect_point *point_of(const struct detection *d, const struct table_row *row)
{
    size_t i = row->stratum;

    if (row->point < d->from[i] || row->point >= d->end[i])
        return NULL;
    return &d->points[i][row->point - d->from[i]];
}

static void put_csv(struct detection *d, const struct table_row *row)
{
    const struct detect_point *p = point_of(d, row);
    char note[DETECT_NOTE_TEXT_MAX] = "outside the range";

    sb_str(&d->out.text, row->text);
    sb_char(&d->out.text, ',');
    if (p) {
        rows_number(&d->out, p->threshold, "");
        note_text(p->note, d->table.strata[row->stratum].series.points_a_year, note);
    }
    sb_char(&d->out.text, ',');
    if (p && note_is_judged(p->note.code))
        sb_char(&d->out.text, p->alarm ? '1' : '0');
    sb_fmt(&d->out.text, strchr(note, ',') ? ",\"%s\"\n" : ",%s\n", note);
}

static bool put_json(struct detection *d, struct arena *a, const struct table_row *row,
                     bool is_first)
{
    const struct detect_point *p = point_of(d, row);
    char note[DETECT_NOTE_TEXT_MAX] = "outside the range";
    struct str fields[TABLE_COLUMNS_MAX];

    if (!table_fields(a, &d->table, row, fields))
        return false;
    sb_str(&d->out.text, is_first ? STR("\n{") : STR(",\n{"));
    for (size_t i = 0; i < d->table.n_columns; i++) {
        sb_json(&d->out.text, d->table.names[i]);
        sb_char(&d->out.text, ':');
        if (i == 1)
            rows_number(&d->out, row->count, "null");
        else
            sb_json(&d->out.text, fields[i]);
        sb_char(&d->out.text, ',');
    }
    sb_lit(&d->out.text, "\"threshold\":");
    rows_number(&d->out, p ? p->threshold : NAN, "null");
    sb_lit(&d->out.text, ",\"expected\":");
    rows_number(&d->out, p ? p->expected : NAN, "null");
    sb_lit(&d->out.text, ",\"p\":");
    rows_number(&d->out, p ? p->p : NAN, "null");
    sb_lit(&d->out.text, ",\"alarm\":");
    sb_str(&d->out.text, !p || !note_is_judged(p->note.code) ? STR("null")
                         : p->alarm                          ? STR("true")
                                                             : STR("false"));
    sb_lit(&d->out.text, ",\"note\":");
    if (p)
        note_text(p->note, d->table.strata[row->stratum].series.points_a_year, note);
    sb_json(&d->out.text, str_c(note));
    sb_char(&d->out.text, '}');
    return true;
}

static int write_rows(struct detection *d, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    int r = 0;

    arena_init(&a, MIB(1));
    if (d->is_json)
        sb_fmt(&d->out.text, "{\"method\":\"%s\",\"rows\":[", d->method->name);
    else
        sb_fmt(&d->out.text, "%.*s,threshold,alarm,note\n", STR_ARG(d->table.header));
    for (size_t i = 0; r == 0 && i < d->table.n_rows; i++) {
        arena_reset(&a);
        if (!d->is_json)
            put_csv(d, &d->table.rows[i]);
        else if (!put_json(d, &a, &d->table.rows[i], i == 0))
            return err_no_memory(err);
        r = rows_flush(&d->out, err);
    }
    if (d->is_json)
        sb_lit(&d->out.text, "\n]}\n");
    return r == 0 ? rows_end(&d->out, err) : r;
}

static int list_methods(struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(ROWS_WAITING_MAX);
    int r;

    detect_describe(&text);
    r = sb_ok(&text, err);
    return r < 0 ? r : cli_write(STDOUT_FILENO, sb_view(&text), err);
}

static int detect(struct detection *d, const struct cli_args *args, struct arena *a,
                  struct sb *file, struct err *err)
{
    int r = take_options(d, args, err);

    if (r == 0)
        r = cli_input(args->operands[0], file, err);
    if (r == 0)
        r = table_read(a, sb_view(file), &d->table, err);
    if (r == 0)
        r = judge(d, args, a, err);
    if (r < 0)
        return r;
    if (d->table.n_missing)
        fprintf(stderr, "carnet detect: %zu %s: taken as not known\n", d->table.n_missing,
                d->table.n_missing == 1 ? "point has no row" : "points have no row");
    r = cli_output_open(cli_string(args, "out"), &d->out.fd, err);
    if (r == 0)
        r = cli_output_close(d->out.fd, write_rows(d, err), err);
    return r;
}

static int run(const struct cli_args *args, struct err *err)
{
    _cleanup_(sb_done) struct sb file = sb_make(TABLE_FILE_MAX);
    _cleanup_(arena_done) struct arena a;
    struct detection d = {.out = {-1, sb_make(ROWS_WAITING_MAX)}};
    int r;

    arena_init(&a, TABLE_ARENA_MAX);
    if (cli_flag(args, "methods"))
        return list_methods(err);
    if (args->n_operands == 0)
        return err_set(err, ERR_VALUE, "FILE is missing; - is standard input");
    r = detect(&d, args, &a, &file, err);
    sb_done(&d.out.text);
    return r < 0 ? r : 0;
}

const struct cli_command cmd_detect = {
    .name = "detect",
    .summary = "find outbreaks in a CSV file of counts",
    .about = "Reads series of counts and writes the same rows with a threshold, whether the count\n"
             "is an alarm, and a note where there is something to say. The columns are\n"
             "date,count or week,count (ISO weeks such as 2024-W05, or bare numbers); each\n"
             "combination of further columns is a series of its own. Rows come in any order; an\n"
             "empty count and a missing row are not known. A method that learns from the points\n"
             "before (cusum, glr-...) judges the last 52 unless told otherwise.",
    .operands = "FILE",
    .operands_min = 0,
    .operands_max = 1,
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
