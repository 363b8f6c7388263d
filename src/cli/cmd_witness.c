#include "cli/cli.h"

#include "server/witness_run.h"

#include <stdio.h>

#define LOGS_MAX CLI_LIST_MAX

static const struct cli_option options[] = {
    {"data", "DIR", "folder of the witness's key and of what it remembers", CLI_STRING, true, NULL,
     0, 0},
    {"name", "NAME", "of its key: a URL without https://", CLI_STRING, true, NULL, 0, 0},
    {"log", "KEY", "public key of a log that it watches; may be given several times", CLI_LIST,
     true, NULL, 0, 0},
    {"listen", "HOST:PORT", "address to answer on", CLI_STRING, false, "127.0.0.1:8090", 0, 0},
    {"tls-cert", "FILE", "PEM certificate chain: answer HTTPS", CLI_STRING, false, NULL, 0, 0},
    {"tls-key", "FILE", "PEM private key of the certificate", CLI_STRING, false, NULL, 0, 0},
};

static void ready(void *ctx, int port, struct str key)
{
    (void)ctx;
    printf("the witness answers on port %d, and its key is\n%.*s\n", port, STR_ARG(key));
    fflush(stdout);
}

static int run(const struct cli_args *args, struct err *err)
{
    static struct note_key logs[LOGS_MAX];
    struct witness_config config = {.dir = cli_string(args, "data"),
                                    .name = cli_string(args, "name"),
                                    .listen = cli_string(args, "listen"),
                                    .tls_cert = cli_string(args, "tls-cert"),
                                    .tls_key = cli_string(args, "tls-key"),
                                    .logs = logs};
    const char *text;
    int r = 0;

    for (; (text = cli_list(args, "log", config.n_logs)) && r >= 0; config.n_logs++)
        r = note_key_parse(str_c(text), &logs[config.n_logs], err);
    if (r >= 0 && !config.tls_cert != !config.tls_key)
        r = err_set(err, ERR_VALUE, "--tls-cert and --tls-key go together");
    return r < 0 ? r : witness_run(&config, ready, NULL, err);
}

const struct cli_command cmd_witness = {
    .name = "witness",
    .summary = "cosign the audit logs of other nodes",
    .about = "A node's second role, best on a machine and with people that are not the\n"
             "node's own: it cosigns the heads of audit logs, each only if it continues\n"
             "the one that it cosigned before (POST /add-checkpoint, C2SP tlog-witness).\n"
             "It serves until SIGINT or SIGTERM.",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
