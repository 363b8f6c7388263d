#include "cli/cli.h"

#include "server/restore.h"

#include <stdio.h>
#include <unistd.h>

static const struct cli_option options[] = {
    {"data", "DIR", "the data folder to make", CLI_STRING, true, NULL, 0, 0},
    CLI_KEY_OPTION,
    {"backup-key-file", "FILE", "holds the key of the backup, where that is another", CLI_STRING,
     false, NULL, 0, 0},
    {"person-keys", "FILE", "persons' keys, as the backup or a later one wrote them", CLI_STRING,
     false, NULL, 0, 0},
};

static void say(void *ctx, const char *text)
{
    (void)ctx;
    printf("%s\n", text);
}

static bool progress(void *ctx, uint64_t done, uint64_t all)
{
    if (*(const bool *)ctx)
        fprintf(stderr, "\r%3d %% ", (int)(done * 100 / MAX(all, 1u)));
    return true;
}

static int run(const struct cli_args *args, struct err *err)
{
    const char *backup_key = cli_string(args, "backup-key-file");
    bool is_terminal = isatty(STDERR_FILENO) == 1;
    struct server_restore what = {.from = args->operands[0],
                                  .to = cli_string(args, "data"),
                                  .to_key_file = cli_string(args, "key-file"),
                                  .person_keys = cli_string(args, "person-keys"),
                                  .say = say,
                                  .progress = progress,
                                  .ctx = &is_terminal};
    struct server_config config = {.data_dir = what.to, .key_file = what.to_key_file};
    int r;

    what.from_key_file = backup_key ? backup_key : what.to_key_file;
    r = server_restore(&what, err);
    if (is_terminal)
        fputc('\n', stderr);
    if (r < 0)
        return r;
    if (what.erased)
        printf("%zu people of the backup were erased since, and are again\n", what.erased);
    return cli_note(&config, "restore", args->operands, 1, err);
}

const struct cli_command cmd_restore = {
    .name = "restore",
    .summary = "make a data folder from a backup",
    .about = "Checks the backup in the folder FROM, then copies it to the data folder, which must\n"
             "not hold a store yet. A damaged backup is not restored. The backup stays as it is.\n"
             "Its copy of the audit log goes to the folder audit-before, to be read and verified:\n"
             "a log that others have seen more of cannot go on, so the node begins a new one,\n"
             "unless the data folder still has its own. With a key, the backup of a store that is\n"
             "not encrypted becomes one that is.\n\n"
             "The backup of an encrypted store needs the file of persons' keys that was written\n"
             "with it or later; its index is made again. Who was erased is erased again, as the\n"
             "ledgers of the backup and of the data folder say (carnet.erased): copy the newest\n"
             "ledger into the data folder first.",
    .operands = "FROM",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
