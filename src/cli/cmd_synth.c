#include "cli/cli.h"

#include "base/clock.h"
#include "synth/synth.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PROGRESS_EVERY_US 200000

static const struct cli_option options[] = {
    {"people", "N", "how many people live in it", CLI_U64, true, NULL, 1, SYNTH_PEOPLE_MAX},
    {"seed", "S", "the number that everything follows from", CLI_U64, false, "1", 0, 0},
    {"weeks", "W", "simulated weeks", CLI_U64, false, "104", SYNTH_WEEKS_MIN, SYNTH_WEEKS_MAX},
    {"start", "YYYY-MM-DD", "first simulated day", CLI_STRING, false, "2024-01-01", 0, 0},
    {"out", "FILE", "where the resources go, - is standard output", CLI_STRING, false, "-", 0, 0},
    {"truth", "FILE", "where the injected outbreaks are written", CLI_STRING, false, NULL, 0, 0},
    {"bundles", NULL, "one transaction Bundle a person", CLI_FLAG, false, NULL, 0, 0},
};

struct output {
    int fd, truth_fd;
    bool is_terminal;
    uint64_t people;
    int64_t started_us, shown_us;
};

static int write_lines(void *ctx, struct str lines, struct err *err)
{
    return cli_write(((struct output *)ctx)->fd, lines, err);
}

static int write_truth(void *ctx, struct str line, struct err *err)
{
    return cli_write(((struct output *)ctx)->truth_fd, line, err);
}

static void show(struct output *o, const struct synth_stats *s, int64_t now)
{
    double seconds = (double)(now - o->started_us) / 1e6;

    fprintf(stderr, "\r%3d %%  %llu people  %llu resources  %.1f MB  %.0f resources/s ",
            (int)(s->people * 100 / o->people), (unsigned long long)s->people,
            (unsigned long long)s->resources, (double)s->bytes / 1e6,
            seconds > 0 ? (double)s->resources / seconds : 0.0);
    o->shown_us = now;
}

static void progress(void *ctx, const struct synth_stats *s)
{
    struct output *o = ctx;
    int64_t now = clock_mono_us();

    if (o->is_terminal && now - o->shown_us >= PROGRESS_EVERY_US)
        show(o, s, now);
}

/* YYYY-MM-DD as a day number. */
static int parse_day(const char *text, int64_t *ret, struct err *err)
{
    struct str s = str_c(text);
    uint64_t y, m, d;

    if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-' || !str_to_u64(str_head(s, 4), 2200, &y) ||
        !str_to_u64(str_n(s.p + 5, 2), 12, &m) || !str_to_u64(str_n(s.p + 8, 2), 31, &d) ||
        y < 1970 || m < 1 || d < 1 || d > (uint64_t)clock_month_days((int)y, (int)m))
        return err_set(err, ERR_VALUE,
                       "--start must be a date from 1970-01-01 to 2200-12-31, "
                       "not \"%s\"",
                       text);
    *ret = clock_days((int)y, (int)m, (int)d);
    return 0;
}

static int run(const struct cli_args *args, struct err *err)
{
    const char *truth = cli_string(args, "truth");
    struct synth_config config = {
        .people = cli_u64(args, "people"),
        .seed = cli_u64(args, "seed"),
        .weeks = (unsigned)cli_u64(args, "weeks"),
        .bundles = cli_flag(args, "bundles"),
    };
    struct output o = {.fd = -1,
                       .truth_fd = -1,
                       .people = config.people,
                       .is_terminal = isatty(STDERR_FILENO) == 1};
    struct synth_sink sink = {
        .write = write_lines, .truth = truth ? write_truth : NULL, .progress = progress, .ctx = &o};
    struct synth_stats stats;
    int r;

    r = parse_day(cli_string(args, "start"), &config.start_day, err);
    if (r < 0)
        return r;
    r = cli_output_open(cli_string(args, "out"), &o.fd, err);
    if (r < 0)
        return r;
    if (truth)
        r = cli_output_open(truth, &o.truth_fd, err);
    if (r >= 0) {
        o.started_us = clock_mono_us();
        r = synth_run(&config, &sink, &stats, err);
    }
    if (r == 0 && o.is_terminal) {
        show(&o, &stats, clock_mono_us());
        fputc('\n', stderr);
    }
    r = cli_output_close(o.truth_fd, r, err);
    r = cli_output_close(o.fd, r, err);
    return r < 0 ? r : 0;
}

const struct cli_command cmd_synth = {
    .name = "synth",
    .summary = "write a synthetic country as NDJSON",
    .about = "Writes the invented country of Kivandra as FHIR R4 resources, one a line: places,\n"
             "facilities, health workers, and people with their records, with named outbreaks\n"
             "among them. The same options give the same bytes on every machine. A resource\n"
             "refers only to resources that came before it.",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
