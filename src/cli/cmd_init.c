#include "cli/cli.h"

#include "server/server.h"

#include <stdio.h>
#include <unistd.h>

static const struct cli_option options[] = {
    CLI_STORE_OPTIONS,
    {"timezone", "OFFSET", "offset of times that have none, for searching", CLI_STRING, false,
     "+00:00", 0, 0},
    {"base-url", "URL", "the node's public FHIR base URL", CLI_STRING, false, NULL, 0, 0},
    {"content-index", NULL, "index every word of every resource, so that _content is quick",
     CLI_FLAG, false, NULL, 0, 0},
};

static void progress(void *ctx, size_t n)
{
    if (*(bool *)ctx)
        fprintf(stderr, "\r%zu definitions ", n);
}

static int run(const struct cli_args *args, struct err *err)
{
    struct server_config config = {CLI_STORE_CONFIG(args), .timezone = cli_string(args, "timezone"),
                                   .content_index = cli_flag(args, "content-index"),
                                   .version = cli_version()};
    bool is_terminal = isatty(STDERR_FILENO), is_made;
    int r;

    if (cli_string(args, "base-url"))
        config.api.base_url = str_c(cli_string(args, "base-url"));
    is_made = config.key_file && access(config.key_file, F_OK) < 0;
    r = server_init(&config, progress, &is_terminal, err);
    if (is_terminal)
        fputc('\n', stderr);
    if (r >= 0 && is_made && config.store_uri)
        fprintf(
            stderr,
            "%s was made: it is the key. Without it no record in the database can be read, nor\n"
            "in any backup of it. Keep a copy of it in another place. What is searched by stays\n"
            "readable: the database's disk has to be encrypted besides.\n",
            config.key_file);
    else if (r >= 0 && is_made)
        fprintf(stderr,
                "%s was made: it is the key. Without it nothing in %s can be read, nor any\n"
                "backup of it. Keep a copy of it in another place.\n",
                config.key_file, config.data_dir);
    return r;
}

const struct cli_command cmd_init = {
    .name = "init",
    .summary = "make a node's data folder",
    .about =
        "Makes the data folder with an empty store and fills it with the FHIR R4 base\n"
        "definitions. The offset and the base URL are part of how records are indexed\n"
        "and are kept with the store.\n\n"
        "With --key-file everything in the folder is encrypted, and the same key is needed\n"
        "whenever it is opened; the file is made if it is not there. Instead of a file, the\n"
        "environment variable CARNET_KEY may hold the key: 64 hexadecimal digits. In PostgreSQL\n"
        "records and secrets are encrypted, and not what records are searched by.",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
