#include "cli/cli.h"

#include "server/server.h"

#include <stdio.h>

#define EXIT_PROBLEMS 3

static const struct cli_option options[] = {
    CLI_STORE_OPTIONS,
};

static void say(void *ctx, const char *text)
{
    (void)ctx;
    printf("%s\n", text);
}

static int run(const struct cli_args *args, struct err *err)
{
    _cleanup_(store_closep) struct store *store = NULL;
    struct server_config config = {CLI_STORE_CONFIG(args), .for_restore = true};
    struct store_stats stats;
    int r = server_open_store(&config, true, &store, err), problems;

    if (r < 0)
        return r;
    problems = store_check(store, say, NULL, err);
    if (problems < 0)
        return problems;
    if (store_is_copy(store)) {
        printf("a backup, %d problem%s; what is under persons' keys is read when it is restored\n",
               problems, problems == 1 ? "" : "s");
        return problems ? EXIT_PROBLEMS : 0;
    }
    r = store_stats(store, &stats, err);
    if (r < 0)
        return r;
    printf("%llu versions, %llu resources, %d problem%s\n", (unsigned long long)stats.rows,
           (unsigned long long)stats.current, problems, problems == 1 ? "" : "s");
    return problems ? EXIT_PROBLEMS : 0;
}

const struct cli_command cmd_check = {
    .name = "check",
    .summary = "read everything and say what does not hold",
    .about = "Reads the whole store: its structure, every stored body, and the index against\n"
             "the bodies. Says each problem in a line; the exit status is then 3. Changes\n"
             "nothing.",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
