#include "cli/cli.h"

#include "server/audit.h"
#include "vault/master.h"

#include <stdio.h>
#include <unistd.h>

static const struct cli_option options[] = {
    {"data", "DIR", "the data folder to make", CLI_STRING, true, NULL, 0, 0},
    CLI_KEY_OPTION,
    {"backup-key-file", "FILE", "holds the key of the backup, where that is another", CLI_STRING,
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

/* The data folder must be free before the long look at the backup, not only after it. */
static int must_be_free(const char *dir, struct err *err)
{
    char path[4096];

    if (snprintf(path, sizeof path, "%s/carnet.db", dir) >= (int)sizeof path)
        return err_set(err, ERR_VALUE, "the folder's name is too long");
    if (access(path, F_OK) == 0)
        return err_set(err, ERR_CONFLICT,
                       "the data folder \"%s\" already holds a store; move it away first", dir);
    return 0;
}

static int run(const struct cli_args *args, struct err *err)
{
    const char *dir = cli_string(args, "data"), *from = args->operands[0];
    _cleanup_(store_closep) struct store *backup = NULL;
    const char *key_file = cli_string(args, "key-file");
    const char *backup_key = cli_string(args, "backup-key-file");
    struct server_config config = {.data_dir = from,
                                   .key_file = backup_key ? backup_key : key_file,
                                   .seal_copies = master_is_named(key_file),
                                   .copy_key_file = key_file};
    bool is_terminal = isatty(STDERR_FILENO) == 1;
    int r, problems;

    r = must_be_free(dir, err);
    if (r < 0)
        return r;
    r = server_open_store(&config, true, &backup, err);
    if (r < 0)
        return r;
    problems = store_check(backup, say, NULL, err);
    if (problems < 0)
        return problems;
    if (problems)
        return err_set(err, ERR_NO_STORE, "the backup \"%s\" is damaged; nothing was restored",
                       from);
    r = store_backup(backup, dir, progress, &is_terminal, err);
    if (is_terminal)
        fputc('\n', stderr);
    if (r >= 0)
        r = server_audit_restore(&config, dir, err);
    config.data_dir = dir;
    config.key_file = key_file;
    return r < 0 ? r : cli_note(&config, "restore", args->operands, 1, err);
}

const struct cli_command cmd_restore = {
    .name = "restore",
    .summary = "make a data folder from a backup",
    .about = "Checks the backup in the folder FROM, then copies it to the data folder, which must\n"
             "not hold a store yet. A damaged backup is not restored. The backup stays as it is.\n"
             "Its copy of the audit log goes to the folder audit-before, to be read and verified:\n"
             "a log that others have seen more of cannot go on, so the node begins a new one,\n"
             "unless the data folder still has its own. With a key, the backup of a store that is\n"
             "not encrypted becomes one that is.",
    .operands = "FROM",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
