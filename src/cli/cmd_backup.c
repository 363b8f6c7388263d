#include "cli/cli.h"

#include "server/audit.h"
#include "server/erased.h"
#include "server/operator.h"

#include <stdio.h>
#include <unistd.h>

static const struct cli_option options[] = {
    CLI_STORE_OPTIONS,
    {"person-keys", "FILE", "of an encrypted store: where persons' keys go, apart from TO",
     CLI_STRING, false, NULL, 0, 0},
};

static bool progress(void *ctx, uint64_t done, uint64_t all)
{
    if (*(const bool *)ctx)
        fprintf(stderr, "\r%3d %% ", (int)(done * 100 / MAX(all, 1u)));
    return true;
}

static int run(const struct cli_args *args, struct err *err)
{
    _cleanup_(store_closep) struct store *store = NULL;
    struct server_config config = {CLI_STORE_CONFIG(args)};
    const char *keys = cli_string(args, "person-keys");
    bool is_terminal = isatty(STDERR_FILENO) == 1;
    char socket[OPERATOR_SOCKET_MAX];
    int r = operator_open(&config, true, &store, socket, err);

    if (r >= 0)
        r = cli_note(&config, "backup", args->operands, 1, err);
    if (r < 0)
        return r;
    r = store ? store_backup(store, args->operands[0], keys, progress, &is_terminal, err)
              : operator_backup(socket, args->operands[0], keys, progress, &is_terminal, err);
    if (is_terminal)
        fputc('\n', stderr);
    if (r >= 0 && store)
        r = server_audit_backup(config.data_dir, args->operands[0], err);
    return r < 0 || !store ? r : erased_copy(config.data_dir, args->operands[0], err);
}

const struct cli_command cmd_backup = {
    .name = "backup",
    .summary = "copy the store to a new folder",
    .about =
        "Writes a consistent copy of the store to the folder TO, which it makes, and beside it\n"
        "one of the audit log, for reading and verifying (audit-copy). TO must not hold a\n"
        "store yet. The copy is complete once the command has ended well:\n"
        "until then it has another name. Beside a running node the node makes the copy,\n"
        "so TO must be a place that its user may write.\n\n"
        "The copy of an encrypted store is encrypted with the same key. It has no index,\n"
        "and no keys of persons: those go to the file that --person-keys names, which is\n"
        "written anew. Keep it in another place than the backups, and only the newest: it\n"
        "restores every older backup, but for the people who were erased since.",
    .operands = "TO",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
