#include "cli/cli.h"

#include "cli/rows.h"
#include "surveillance/nowcast.h"
#include "surveillance/reports.h"

#include <stdio.h>

#define NOWCAST_ARENA_MAX MIB(64) /* what one series may take */

static const struct cli_option options[] = {
    {"method", "bayes|lawless", "how to judge what is missing", CLI_STRING, false, "bayes", 0, 0},
    {"longest", "N", "the longest delay, in periods (8 weeks, 28 days or 3 months)", CLI_U64, false,
     NULL, 1, DELAYS_MAX},
    {"window", "N", "learn delays from the last N periods only", CLI_U64, false, "52", 0,
     NOWCAST_PERIODS_MAX},
    {"last", "N", "the last N periods until now (those whose reports may be missing)", CLI_U64,
     false, NULL, 1, NOWCAST_PERIODS_MAX},
    {"ahead", "N", "and the next N periods", CLI_U64, false, NULL, 0, NOWCAST_AHEAD_MAX},
    {"as-of", "PERIOD", "what was known then: leave out later reports", CLI_STRING, false, NULL, 0,
     0},
    {"quantiles", "P,...", "which quantiles come out", CLI_STRING, false, "0.05,0.25,0.5,0.75,0.95",
     0, 0},
    {"out", "FILE", "where it goes, - is standard output", CLI_STRING, false, "-", 0, 0},
};

static_assert(ROWS_PROBABILITIES_MAX <= NOWCAST_QUANTILES_MAX, "a point has room for all");

struct nowcasting {
    struct reports reports;
    struct nowcast_job job;
    size_t last;
    double probabilities[ROWS_PROBABILITIES_MAX];
    struct rows out;
};

static int take_options(struct nowcasting *n, const struct cli_args *args, struct err *err)
{
    const char *method = cli_string(args, "method");

    if (strcmp(method, "bayes") != 0 && strcmp(method, "lawless") != 0)
        return err_set(err, ERR_VALUE, "--method must be bayes or lawless, not \"%.40s\"", method);
    n->job.method = method[0] == 'b' ? NOWCAST_BAYES : NOWCAST_LAWLESS;
    n->job.window = cli_u64(args, "window");
    n->job.ahead = cli_u64(args, "ahead");
    if (n->job.method == NOWCAST_LAWLESS && n->job.ahead)
        return err_set(err, ERR_VALUE, "--method lawless has no --ahead");
    n->last = cli_u64(args, "last");
    n->job.probabilities = n->probabilities;
    return rows_probabilities("quantiles", cli_string(args, "quantiles"), n->probabilities,
                              &n->job.n_probabilities, err);
}

/* ---- rows ---- */

static void put_header(struct nowcasting *n)
{
    const struct table *t = &n->reports.table;

    sb_str(&n->out.text, t->names[0]);
    sb_lit(&n->out.text, ",count");
    for (size_t i = t->first_stratum; i < t->n_columns; i++)
        rows_field(&n->out, t->names[i]);
    sb_lit(&n->out.text, ",expected");
    rows_probability_names(&n->out, n->probabilities, n->job.n_probabilities);
    sb_char(&n->out.text, '\n');
}

static void put_point(struct nowcasting *n, size_t stratum, size_t i, const struct nowcast_point *p)
{
    const struct table *t = &n->reports.table;
    const struct table_stratum *s = &t->strata[stratum];
    struct str rest = s->key, part;

    table_put_period(t, s->first + (int64_t)i * t->step, &n->out.text);
    sb_char(&n->out.text, ',');
    if (i < n->job.triangle.n)
        rows_number(&n->out, p->known, "");
    for (size_t k = t->first_stratum; k < t->n_columns; k++)
        rows_field(&n->out, str_split(&rest, TABLE_KEY_SEPARATOR, &part) ? part : STR(""));
    sb_char(&n->out.text, ',');
    rows_number(&n->out, p->expected, "");
    for (size_t k = 0; k < n->job.n_probabilities; k++) {
        sb_char(&n->out.text, ',');
        rows_number(&n->out, p->quantile[k], "");
    }
    sb_char(&n->out.text, '\n');
}

static int write_series(struct nowcasting *n, size_t stratum, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    struct nowcast_job *job = &n->job;
    size_t last = n->last ? n->last : n->reports.longest;
    struct nowcast_point *points;
    int r;

    arena_init(&a, NOWCAST_ARENA_MAX);
    job->triangle = n->reports.triangles[stratum];
    if (!job->triangle.n)
        return 0;
    job->arena = &a;
    job->from = job->triangle.n - MIN(last, job->triangle.n);
    points = ARENA_ARRAY(&a, struct nowcast_point, job->triangle.n + job->ahead - job->from);
    r = points ? nowcast_run(job, points, err) : err_no_memory(err);
    for (size_t i = job->from; r == 0 && i < job->triangle.n + job->ahead; i++) {
        put_point(n, stratum, i, &points[i - job->from]);
        r = rows_flush(&n->out, err);
    }
    return r;
}

static int write_rows(struct nowcasting *n, struct err *err)
{
    int r = 0;

    put_header(n);
    for (size_t i = 0; r == 0 && i < n->reports.table.n_strata; i++)
        r = write_series(n, i, err);
    return r == 0 ? rows_end(&n->out, err) : r;
}

static int nowcast(struct nowcasting *n, const struct cli_args *args, struct err *err)
{
    _cleanup_(sb_done) struct sb file = sb_make(TABLE_FILE_MAX);
    _cleanup_(arena_done) struct arena a;
    int r = take_options(n, args, err);

    arena_init(&a, TABLE_ARENA_MAX);
    if (r == 0)
        r = cli_input(args->operands[0], &file, err);
    if (r == 0)
        r = reports_read(&a, sb_view(&file), cli_u64(args, "longest"), cli_string(args, "as-of"),
                         &n->reports, err);
    if (r < 0)
        return r;
    if (n->reports.n_late)
        fprintf(stderr, "carnet nowcast: %zu %s reported later than --longest %zu\n",
                n->reports.n_late, n->reports.n_late == 1 ? "case was" : "cases were",
                n->reports.longest);
    r = cli_output_open(cli_string(args, "out"), &n->out.fd, err);
    return r == 0 ? cli_output_close(n->out.fd, write_rows(n, err), err) : r;
}

static int run(const struct cli_args *args, struct err *err)
{
    struct nowcasting n = {.out = {-1, sb_make(ROWS_WAITING_MAX)}};
    int r = nowcast(&n, args, err);

    sb_done(&n.out.text);
    return r < 0 ? r : 0;
}

const struct cli_command cmd_nowcast = {
    .name = "nowcast",
    .summary = "say what counts will be once all reports are in",
    .about = "Reads counts by when the cases were and when they were reported, and writes for the\n"
             "last periods what is known, what is expected once all reports are in, and quantiles\n"
             "of that; for the next ones a forecast. The columns are date,count,reported or\n"
             "week,count,reported (dates, ISO weeks such as 2024-W05, or bare numbers); each\n"
             "combination of further columns is a series of its own. Rows come in any order, and\n"
             "those of the same periods add up.",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
