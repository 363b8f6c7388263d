#include "cli/cli.h"

#include "base/clock.h"
#include "server/operator.h"
#include "server/profiles_file.h"
#include "server/world.h"
#include "vault/master.h"
#include "vault/vault.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define EXIT_REJECTS 3
#define PROGRESS_EVERY_US 200000

static const struct cli_option options[] = {
    CLI_STORE_OPTIONS,
    {"rejects", "FILE", "where rejected lines go; default: rejects.ndjson in DIR", CLI_STRING,
     false, NULL, 0, 0},
    {"threads", "N", "parts under way at once, 0 is two more than cores", CLI_U64, false, "0", 0,
     64},
    {"profiles", "FILE", "what records are held to; default: what the node was last served with",
     CLI_STRING, false, NULL, 0, 0},
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

static void sum_up(const struct shown *sh, const struct import_stats *s, const char *rejects)
{
    double seconds = (double)(clock_mono_us() - sh->started_us) / 1e6;

    fprintf(stderr,
            "%llu resources stored in %.1f s (%.0f/s), %llu rejected, %llu lines were there\n",
            (unsigned long long)s->resources, seconds, (double)s->resources / MAX(seconds, 0.001),
            (unsigned long long)s->rejected, (unsigned long long)s->skipped);
    if (s->rejected)
        fprintf(stderr, "what was rejected is in %s\n", rejects);
}

static int run_on(const struct import_place *place, const struct cli_args *args,
                  struct import_stats *ret, struct err *err)
{
    struct shown shown = {.is_terminal = isatty(STDERR_FILENO), .started_us = clock_mono_us()};
    struct import_config config = {.files = args->operands,
                                   .n_files = args->n_operands,
                                   .rejects = cli_string(args, "rejects"),
                                   .threads = (unsigned)cli_u64(args, "threads"),
                                   .progress = progress,
                                   .ctx = &shown};
    char path[4096];
    int r;

    snprintf(path, sizeof path, "%s/rejects.ndjson", cli_string(args, "data"));
    if (!config.rejects &&
        (vault_exists(cli_string(args, "data")) || master_is_named(cli_string(args, "key-file"))))
        return err_set(err, ERR_VALUE,
                       "the data folder is encrypted, and what is rejected would lie in it in the "
                       "clear; name a place for it with --rejects FILE");
    if (!config.rejects)
        config.rejects = path;
    r = import_run(place, &config, ret, err);
    if (shown.is_terminal)
        fputc('\n', stderr);
    if (r >= 0)
        sum_up(&shown, ret, config.rejects);
    return r;
}

static void tell_unusable(void *ctx, size_t line, struct str profile, const char *why)
{
    (void)ctx;
    fprintf(stderr, "carnet import: line %zu of the profiles: %.*s %s\n", line, STR_ARG(profile),
            why);
}

static int hold_to_profiles(struct api *api, const char *path, struct err *err)
{
    int r = path ? profiles_file_read(api, path, err) : api_profiles_recall(api, err);

    return r < 0 ? r : api_profiles_unusable(api, tell_unusable, NULL, err);
}

/* Into a store that nobody serves. */
static int run_alone(const struct cli_args *args, struct store *store, struct server_world *world,
                     struct import_stats *ret, struct err *err)
{
    struct api_config config = {.version = str_c(cli_version())};
    struct import_place place = {.api = api_new(&config, store), .store = store};
    int r;

    if (!place.api)
        return err_no_memory(err);
    server_world_follow(world, place.api);
    r = hold_to_profiles(place.api, cli_string(args, "profiles"), err);
    if (r >= 0)
        r = run_on(&place, args, ret, err);
    api_free(place.api);
    return r;
}

static int run(const struct cli_args *args, struct err *err)
{
    struct server_config config = {CLI_STORE_CONFIG(args), .version = cli_version()};
    _cleanup_(server_world_freep) struct server_world *world = NULL;
    _cleanup_(store_closep) struct store *store = NULL; /* closed before its world goes */
    char socket[OPERATOR_SOCKET_MAX];
    struct import_place node = {.socket = socket};
    struct import_stats stats = {0};
    int r = operator_open(&config, false, &store, socket, err);

    if (r < 0)
        return r;
    if (!store && cli_string(args, "profiles"))
        return err_set(err, ERR_CONFLICT,
                       "a node serves this folder, and holds records to its own --profiles");
    r = cli_note(&config, "import", args->operands, args->n_operands, err);
    if (r >= 0 && store)
        r = server_world_new(store, &world, err);
    if (r >= 0)
        r = store ? run_alone(args, store, world, &stats, err) : run_on(&node, args, &stats, err);
    return r < 0 ? r : stats.rejected ? EXIT_REJECTS : 0;
}

const struct cli_command cmd_import = {
    .name = "import",
    .summary = "store resources from files",
    .about = "Stores NDJSON, single resources and Bundles, plain or gzip, the latter two in JSON\n"
             "or XML; - is standard input. Transactions and batches are executed as such. An\n"
             "import that was stopped goes on where it was. Lines that are not valid go to the\n"
             "file of rejects with their line number and reason, and the exit status is then 3;\n"
             "that file is not encrypted, and for an encrypted folder its place has to be named.\n"
             "Records are held to the profiles that the node was last served with, or to those of\n"
             "--profiles, and what fell short is in the node's tally.\n"
             "Beside a running node the files are read here and stored by the node, behind its\n"
             "own clients.",
    .operands = "FILE...",
    .operands_min = 1,
    .operands_max = -1,
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
