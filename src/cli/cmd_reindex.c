#include "cli/cli.h"

#include "server/operator.h"
#include "server/reindex.h"
#include "server/search_params.h"

#include <stdio.h>
#include <unistd.h>

static const struct cli_option options[] = {
    CLI_STORE_OPTIONS,
    {"content-index", NULL, "also index every word of every resource, for _content", CLI_FLAG,
     false, NULL, 0, 0},
};

static void progress(void *ctx, uint64_t done, uint64_t all)
{
    if (*(bool *)ctx)
        fprintf(stderr, "\r%llu of %llu versions ", (unsigned long long)done,
                (unsigned long long)all);
}

static int run(const struct cli_args *args, struct err *err)
{
    struct server_config config = {CLI_STORE_CONFIG(args), .version = cli_version()};
    _cleanup_(store_closep) struct store *store = NULL;
    bool is_terminal = isatty(STDERR_FILENO);
    char socket[OPERATOR_SOCKET_MAX];
    int r = operator_open(&config, false, &store, socket, err);

    if (r < 0)
        return r;
    if (!store && cli_flag(args, "content-index"))
        return err_set(err, ERR_CONFLICT,
                       "--content-index needs the folder for itself: a node serves it");
    r = cli_note(&config, "reindex", NULL, 0, err);
    if (r < 0)
        return r;
    r = store ? server_reindex(store, cli_flag(args, "content-index"), progress, &is_terminal, err)
              : operator_reindex(socket, progress, &is_terminal, err);
    if (r >= 0 && store)
        r = search_params_run(store, progress, &is_terminal, err);
    if (is_terminal)
        fputc('\n', stderr);
    return r;
}

const struct cli_command cmd_reindex = {
    .name = "reindex",
    .summary = "index what user-defined search parameters ask for",
    .about = "Gives each user-defined SearchParameter its lists and indexes the records that\n"
             "were there before it; a running node does the same in the background. The\n"
             "position is kept: a run that was stopped goes on where it was. Beside a running\n"
             "node the command has it look, and waits until nothing is left to do. A store of\n"
             "an earlier version gets the keys that are new (words, contained resources,\n"
             "positions, composites), which no node may serve meanwhile; until then what they\n"
             "find is found by looking at resources.",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
