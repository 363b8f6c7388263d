#include "cli/cli.h"

#include "base/clock.h"
#include "server/migrate.h"

#include <stdio.h>
#include <unistd.h>

#define PROGRESS_EVERY_US 200000
#define SQLITE_PREFIX "sqlite:"

static const struct cli_option options[] = {
    {"from", "STORE", "the store to read: sqlite:DIR or postgresql://…", CLI_STRING, true, NULL, 0,
     0},
    {"to", "STORE", "the store to make, likewise", CLI_STRING, true, NULL, 0, 0},
    {"data", "DIR", "data folder of the side in PostgreSQL: its audit log", CLI_STRING, false, NULL,
     0, 0},
    {"key-file", "FILE",
     "the target is encrypted with its key, as the source is if it is encrypted", CLI_STRING, false,
     NULL, 0, 0},
    {"store-unsafe", NULL, "allow a PostgreSQL with fsync or synchronous_commit off", CLI_FLAG,
     false, NULL, 0, 0},
};

struct shown {
    bool is_terminal;
    int64_t at_us;
};

static void progress(void *ctx, enum migrate_phase phase, uint64_t done, uint64_t all)
{
    static const char *const what[] = {
        [MIGRATE_VERSIONS] = "versions", [MIGRATE_VALUES] = "values", [MIGRATE_CHECK] = "compared"};
    struct shown *s = ctx;
    int64_t now = clock_mono_us();

    if (!s->is_terminal || now - s->at_us < PROGRESS_EVERY_US)
        return;
    s->at_us = now;
    if (all)
        fprintf(stderr, "\r%3d %%  %llu %s ", (int)(done * 100 / all), (unsigned long long)done,
                what[phase]);
    else
        fprintf(stderr, "\r%llu %s ", (unsigned long long)done, what[phase]);
}

/* One side of the move. What is no folder is PostgreSQL's. */
static int side(const struct cli_args *args, const char *option, struct server_config *ret,
                struct err *err)
{
    const char *text = cli_string(args, option);

    *ret = (struct server_config){.store_unsafe = cli_flag(args, "store-unsafe")};
    if (strncmp(text, SQLITE_PREFIX, strlen(SQLITE_PREFIX)) == 0) {
        ret->data_dir = text + strlen(SQLITE_PREFIX);
        return 0;
    }
    if (strncmp(text, "postgres", 8) != 0)
        return err_set(err, ERR_VALUE, "--%s must be sqlite:DIR or postgresql://…, not \"%.100s\"",
                       option, text);
    ret->store_uri = text;
    ret->data_dir = cli_string(args, "data");
    return 0;
}

static int run(const struct cli_args *args, struct err *err)
{
    struct shown shown = {.is_terminal = isatty(STDERR_FILENO) == 1};
    struct migrate_config config = {.key_file = cli_string(args, "key-file")};
    struct migrate_result done;
    int r;

    if ((r = side(args, "from", &config.from, err)) < 0 ||
        (r = side(args, "to", &config.to, err)) < 0)
        return r;
    r = server_migrate(&config, progress, &shown, &done, err);
    if (shown.at_us)
        fputc('\n', stderr);
    if (r < 0)
        return r;
    if (done.resumed)
        printf("%llu versions were there already\n", (unsigned long long)done.resumed);
    printf("%llu versions of %llu resources, %zu values, %zu parts of large values, %zu files of "
           "the audit log\nboth stores have SHA-256 %s\n",
           (unsigned long long)done.versions, (unsigned long long)done.resources, done.values,
           done.pieces, done.audit_files, done.sum);
    return 0;
}

const struct cli_command cmd_migrate = {
    .name = "migrate",
    .summary = "move a store to the other backend",
    .about = "Makes a store of all that another one holds: every version with its place in the\n"
             "feed, its time and its author, accounts, terminology, and the audit log. The\n"
             "source is only read, and no node may serve it meanwhile. Killed, or ended by an\n"
             "error, the command goes on where it was when it is called again. At the end both\n"
             "are read and compared; until then no other command opens the new store.\n\n"
             "An encrypted store stays encrypted, with the same key (carnet key rotate changes\n"
             "it). What is not encrypted becomes so where a key is named and it has no audit log.",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
