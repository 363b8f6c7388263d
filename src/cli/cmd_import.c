#include "cli/cli.h"

#include "base/clock.h"
#include "server/import.h"
#include "server/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define EXIT_REJECTS 3
#define PROGRESS_EVERY_US 200000

static const struct cli_option options[] = {
    {"data", "DIR", "the node's data folder", CLI_STRING, true, NULL, 0, 0},
    {"rejects", "FILE", "where rejected lines go; default: rejects.ndjson in DIR", CLI_STRING,
     false, NULL, 0, 0},
    {"threads", "N", "parsing threads, 0 is two more than cores", CLI_U64, false, "0", 0, 64},
};

struct shown {
    bool is_terminal;
    int64_t started_us, shown_us;
};

static void show(const struct shown *sh, const struct import_stats *s)
{
    double seconds = (double)(clock_mono_us() - sh->started_us) / 1e6;

    fprintf(stderr, "\r%llu resources  %.0f/s", (unsigned long long)s->resources,
            (double)s->resources / MAX(seconds, 0.001));
    if (s->bytes_all && s->bytes)
        fprintf(stderr, "  %llu %%  %.0f s left ",
                (unsigned long long)(s->bytes * 100 / s->bytes_all),
                seconds * (double)(s->bytes_all - MIN(s->bytes, s->bytes_all)) / (double)s->bytes);
}

static void progress(void *ctx, const struct import_stats *s)
{
    struct shown *sh = ctx;
    int64_t now = clock_mono_us();

    if (!sh->is_terminal || now - sh->shown_us < PROGRESS_EVERY_US)
        return;
    show(sh, s);
    sh->shown_us = now;
}

static int run_on(struct store *store, const struct cli_args *args, struct import_stats *ret,
                  struct err *err)
{
    const char *rejects = cli_string(args, "rejects");
    struct shown shown = {.is_terminal = isatty(STDERR_FILENO), .started_us = clock_mono_us()};
    struct api_config config = {.version = str_c(cli_version())};
    struct api *api = api_new(&config, store);
    char path[4096];
    int r;

    if (!api)
        return err_no_memory(err);
    snprintf(path, sizeof path, "%s/rejects.ndjson", cli_string(args, "data"));
    r = import_run(api, store,
                   &(struct import_config){.files = args->operands,
                                           .n_files = args->n_operands,
                                           .rejects = rejects ? rejects : path,
                                           .threads = (unsigned)cli_u64(args, "threads"),
                                           .progress = progress,
                                           .ctx = &shown},
                   ret, err);
    if (shown.is_terminal)
        fputc('\n', stderr);
    if (r >= 0) {
        double seconds = (double)(clock_mono_us() - shown.started_us) / 1e6;
        fprintf(stderr,
                "%llu resources stored in %.1f s (%.0f/s), %llu rejected, %llu lines were there\n",
                (unsigned long long)ret->resources, seconds,
                (double)ret->resources / MAX(seconds, 0.001), (unsigned long long)ret->rejected,
                (unsigned long long)ret->skipped);
        if (ret->rejected)
            fprintf(stderr, "what was rejected is in %s\n", rejects ? rejects : path);
    }
    api_free(api);
    return r;
}

static int run(const struct cli_args *args, struct err *err)
{
    struct server_config config = {.data_dir = cli_string(args, "data"), .version = cli_version()};
    _cleanup_(store_closep) struct store *store = NULL;
    struct import_stats stats = {0};
    int r = server_open_store(&config, false, &store, err);

    if (r < 0)
        return r;
    r = run_on(store, args, &stats, err);
    return r < 0 ? r : stats.rejected ? EXIT_REJECTS : 0;
}

const struct cli_command cmd_import = {
    .name = "import",
    .summary = "store resources from files",
    .about = "Stores NDJSON, single resources and Bundles, plain or gzip, the latter two in JSON\n"
             "or XML; - is standard input. Transactions and batches are executed as such. An\n"
             "import that was stopped goes on where it was. Lines that are not valid go to the\n"
             "file of rejects with their line number and reason, and the exit status is then 3.",
    .operands = "FILE...",
    .operands_min = 1,
    .operands_max = -1,
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
