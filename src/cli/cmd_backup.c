#include "cli/cli.h"

#include "server/audit.h"
#include "server/operator.h"

#include <stdio.h>
#include <unistd.h>

static const struct cli_option options[] = {
    CLI_STORE_OPTIONS,
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
    bool is_terminal = isatty(STDERR_FILENO) == 1;
    char socket[OPERATOR_SOCKET_MAX];
    int r = operator_open(&config, true, &store, socket, err);

    if (r >= 0)
        r = cli_note(&config, "backup", args->operands, 1, err);
    if (r < 0)
        return r;
    r = store ? store_backup(store, args->operands[0], progress, &is_terminal, err)
              : operator_backup(socket, args->operands[0], progress, &is_terminal, err);
    if (is_terminal)
        fputc('\n', stderr);
    return r < 0 || !store ? r : server_audit_backup(config.data_dir, args->operands[0], err);
}

const struct cli_command cmd_backup = {
    .name = "backup",
    .summary = "copy the store to a new folder",
    .about =
        "Writes a consistent copy of the store to the folder TO, which it makes, and beside it\n"
        "one of the audit log, for reading and verifying (audit-copy). TO must not hold a\n"
        "store yet. The copy is complete once the command has ended well:\n"
        "until then it has another name. Beside a running node the node makes the copy,\n"
        "so TO must be a place that its user may write. The copy of an encrypted store is\n"
        "encrypted with the same key.",
    .operands = "TO",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
