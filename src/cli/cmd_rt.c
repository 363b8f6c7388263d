#include "cli/cli.h"

#include "cli/rows.h"
#include "surveillance/rt.h"
#include "surveillance/table.h"

#include <math.h>

#define RT_ARENA_MAX MIB(128) /* what one series may take */
#define PRIOR_MAX 1000

static const struct cli_option options[] = {
    {"si-mean", "MEAN[,SD,MIN,MAX]", "mean of the serial interval in days, and how sure it is",
     CLI_STRING, true, NULL, 0, 0},
    {"si-sd", "SD[,SD,MIN,MAX]", "its standard deviation, and how sure that is", CLI_STRING, true,
     NULL, 0, 0},
    {"window", "DAYS", "days that are judged together", CLI_U64, false, "7", 1, RT_WINDOW_MAX},
    {"prior", "MEAN,SD", "what is thought of R beforehand", CLI_STRING, false, "5,5", 0, 0},
    {"quantiles", "P,...", "which quantiles come out", CLI_STRING, false, "0.025,0.5,0.975", 0, 0},
    {"out", "FILE", "where it goes, - is standard output", CLI_STRING, false, "-", 0, 0},
};

static_assert(ROWS_PROBABILITIES_MAX <= RT_QUANTILES_MAX, "a point has room for all");

struct estimation {
    struct table table;
    struct rt_job job;
    double probabilities[ROWS_PROBABILITIES_MAX];
    struct rt_point **points; /* of each stratum */
    struct rows out;
};

/* ---- the command line ---- */

/* `least` to `most` numbers with commas between. */
static int take_numbers(const char *name, const char *text, size_t few, size_t many, double most,
                        double *ret, struct err *err)
{
    struct str rest = str_c(text), part;
    size_t n = 0;
    int r = 0;

    while (r == 0 && n < many && str_split(&rest, ',', &part))
        r = rows_take_number(name, part, 0, most, &ret[n++], err);
    if (r == 0 && (rest.p || (n != few && n != many)))
        r = err_set(err, ERR_VALUE, "--%s takes %zu or %zu numbers, not \"%.100s\"", name, few,
                    many, text);
    return r;
}

static int take_about(const struct cli_args *args, const char *name, struct rt_about *ret,
                      struct err *err)
{
    double v[4] = {0};
    int r = take_numbers(name, cli_string(args, name), 1, 4, RT_INTERVAL_MAX, v, err);

    *ret = (struct rt_about){v[0], v[1], v[2], v[3]};
    return r;
}

static int take_options(struct estimation *e, const struct cli_args *args, struct err *err)
{
    double prior[2] = {0};
    int r = take_about(args, "si-mean", &e->job.interval_mean, err);

    if (r == 0)
        r = take_about(args, "si-sd", &e->job.interval_sd, err);
    if (r == 0)
        r = take_numbers("prior", cli_string(args, "prior"), 2, 2, PRIOR_MAX, prior, err);
    if (r == 0 && (prior[0] == 0 || prior[1] == 0))
        r = err_set(err, ERR_VALUE, "--prior takes two numbers above 0");
    e->job.prior_mean = prior[0];
    e->job.prior_sd = prior[1];
    e->job.window = cli_u64(args, "window");
    e->job.probabilities = e->probabilities;
    return r < 0 ? r
                 : rows_probabilities("quantiles", cli_string(args, "quantiles"), e->probabilities,
                                      &e->job.n_probabilities, err);
}

/* ---- rows ---- */

static int estimate(struct estimation *e, struct arena *a, struct err *err)
{
    const struct table *t = &e->table;
    int r = 0;

    if (t->form != TABLE_DATES || t->step != 1 || t->points_a_year == 12)
        return err_set(err, ERR_VALUE, "R needs daily counts");
    e->points = ARENA_ARRAY(a, struct rt_point *, t->n_strata);
    if (!e->points)
        return err_no_memory(err);
    for (size_t i = 0; r == 0 && i < t->n_strata; i++) {
        _cleanup_(arena_done) struct arena work;

        arena_init(&work, RT_ARENA_MAX);
        e->job.arena = &work;
        e->job.n = t->strata[i].series.n;
        e->job.count = t->strata[i].series.count;
        e->points[i] = ARENA_ARRAY(a, struct rt_point, e->job.n);
        r = e->points[i] ? rt_run(&e->job, e->points[i], err) : err_no_memory(err);
    }
    return r;
}

/* Why a day has no R. */
static const char *note_of(const struct estimation *e, const struct table_row *row)
{
    if (!isnan(e->points[row->stratum][row->point].mean))
        return "";
    return row->point < e->job.window ? "too few days before"
                                      : "a count that R rests on is not known";
}

static int write_rows(struct estimation *e, struct err *err)
{
    int r = 0;

    sb_fmt(&e->out.text, "%.*s,r,sd", STR_ARG(e->table.header));
    rows_probability_names(&e->out, e->probabilities, e->job.n_probabilities);
    sb_lit(&e->out.text, ",note\n");
    for (size_t i = 0; r == 0 && i < e->table.n_rows; i++) {
        const struct table_row *row = &e->table.rows[i];
        const struct rt_point *p = &e->points[row->stratum][row->point];

        sb_str(&e->out.text, row->text);
        sb_char(&e->out.text, ',');
        rows_number(&e->out, p->mean, "");
        sb_char(&e->out.text, ',');
        rows_number(&e->out, p->sd, "");
        for (size_t k = 0; k < e->job.n_probabilities; k++) {
            sb_char(&e->out.text, ',');
            rows_number(&e->out, p->quantile[k], "");
        }
        sb_fmt(&e->out.text, ",%s\n", note_of(e, row));
        r = rows_flush(&e->out, err);
    }
    return r == 0 ? rows_end(&e->out, err) : r;
}

static int rt(struct estimation *e, const struct cli_args *args, struct err *err)
{
    _cleanup_(sb_done) struct sb file = sb_make(TABLE_FILE_MAX);
    _cleanup_(arena_done) struct arena a;
    int r = take_options(e, args, err);

    arena_init(&a, TABLE_ARENA_MAX);
    if (r == 0)
        r = cli_input(args->operands[0], &file, err);
    if (r == 0)
        r = table_read(&a, sb_view(&file), &e->table, err);
    if (r == 0)
        r = estimate(e, &a, err);
    if (r == 0)
        r = cli_output_open(cli_string(args, "out"), &e->out.fd, err);
    return r == 0 ? cli_output_close(e->out.fd, write_rows(e, err), err) : r;
}

static int run(const struct cli_args *args, struct err *err)
{
    struct estimation e = {.out = {-1, sb_make(ROWS_WAITING_MAX)}};
    int r = rt(&e, args, err);

    sb_done(&e.out.text);
    return r < 0 ? r : 0;
}

const struct cli_command cmd_rt = {
    .name = "rt",
    .summary = "estimate the reproduction number from a CSV file of daily counts",
    .about = "Reads daily counts (date,count, and columns that tell series apart, as for carnet\n"
             "detect) and writes the same rows with the reproduction number R of the days that\n"
             "end with each: its mean, its standard deviation, quantiles, and a note where there\n"
             "is none. What is known of the serial interval must be said; with a deviation and\n"
             "bounds behind it (--si-mean 15.3,2,8,24) it is uncertain, and R more so. Days whose\n"
             "reports are not all in make R too low: carnet nowcast says which.",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
