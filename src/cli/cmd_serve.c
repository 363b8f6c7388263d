#include "cli/cli.h"

#include "base/log.h"
#include "server/server.h"

#include <stdio.h>

static const struct cli_option options[] = {
    CLI_STORE_OPTIONS,
    {"listen", "HOST:PORT", "address to answer on", CLI_STRING, false, "127.0.0.1:8080", 0, 0},
    {"open", NULL, "ask nobody: everyone on this machine may read and write", CLI_FLAG, false, NULL,
     0, 0},
    {"demo", NULL, "people of synthetic data are entered by single-use links, on this machine only",
     CLI_FLAG, false, NULL, 0, 0},
    {"base-url", "URL", "public FHIR base URL; default: of the store, or what the client calls",
     CLI_STRING, false, NULL, 0, 0},
    {"trusted-proxy", NULL, "believe X-Forwarded-Proto, -Host and -Prefix", CLI_FLAG, false, NULL,
     0, 0},
    {"threads", "N", "event loops, 0 is one a core", CLI_U64, false, "0", 0, 256},
    {"body-max", "BYTES", "largest request body", CLI_U64, false, "67108864", 1024, 1u << 30},
    {"memory-max", "BYTES", "memory of all requests together, 0 is a quarter of the machine's",
     CLI_U64, false, "0", 0, 0},
    {"tls-cert", "FILE", "PEM certificate chain: answer HTTPS", CLI_STRING, false, NULL, 0, 0},
    {"tls-key", "FILE", "PEM private key of the certificate", CLI_STRING, false, NULL, 0, 0},
    {"tls-client-ca", "FILE", "ask clients for certificates of this PEM authority", CLI_STRING,
     false, NULL, 0, 0},
    {"tls-client-optional", NULL, "… but answer those that show none as well", CLI_FLAG, false,
     NULL, 0, 0},
    {"cors-origin", "ORIGIN", "let pages of this origin (or *) call the node", CLI_STRING, false,
     NULL, 0, 0},
    {"no-update-create", NULL, "refuse a PUT to an id that does not exist", CLI_FLAG, false, NULL,
     0, 0},
    {"no-multiple-delete", NULL, "refuse a conditional delete that matches several", CLI_FLAG,
     false, NULL, 0, 0},
    {"check-references", NULL, "references must exist, and what is referred to stays", CLI_FLAG,
     false, NULL, 0, 0},
    {"audit", "on|off",
     "keep the audit log: nothing is answered that is not in it; default: on, with --open off",
     CLI_STRING, false, NULL, 0, 0},
    {"audit-key", "FILE", "PEM key that signs it; default: made in the log's folder", CLI_STRING,
     false, NULL, 0, 0},
    {"audit-witness", "URL", "who cosigns its heads; may be given several times", CLI_LIST, false,
     NULL, 0, 0},
    {"audit-witness-key", "KEY", "public key of the witness, as many as witnesses, in their order",
     CLI_LIST, false, NULL, 0, 0},
    {"staff-by-role", NULL, "patients see by which role they were looked at, not by whom", CLI_FLAG,
     false, NULL, 0, 0},
    {"notify", "FILE", "what carries notices to people (mail, SMS, webhook); default: nothing",
     CLI_STRING, false, NULL, 0, 0},
    {"eid", "FILE", "providers of identities that people may sign in with; default: none",
     CLI_STRING, false, NULL, 0, 0},
    {"policy", "FILE", "who sees what: set it, unless the store has had it (carnet policy set)",
     CLI_STRING, false, NULL, 0, 0},
    {"profiles", "FILE", "what records are held to on write: type, warn or reject, profile",
     CLI_STRING, false, NULL, 0, 0},
    {"no-surveillance", NULL, "keep no cases: no /carnet/$series and what rests on it", CLI_FLAG,
     false, NULL, 0, 0},
    {"case-definitions", "FILE", "what a case of a disease is; default: the ones that are built in",
     CLI_STRING, false, NULL, 0, 0},
    {"signal-rules", "FILE", "when counts become a signal; default: the rules that are built in",
     CLI_STRING, false, NULL, 0, 0},
    {"no-coverage", NULL, "do not count how far programmes reach: no /carnet/$coverage", CLI_FLAG,
     false, NULL, 0, 0},
    {"coverage", "FILE",
     "how far programmes reach, as indicators; default: those that are built in", CLI_STRING, false,
     NULL, 0, 0},
    {"allow-expunge", NULL, "allow $expunge, which removes a resource with its history", CLI_FLAG,
     false, NULL, 0, 0},
    {"search-seconds", "N", "longest time that one search may take, 0 is no limit", CLI_U64, false,
     "10", 0, 3600},
    {"log-level", "LEVEL", "least important events to log: debug, info, warn or error", CLI_STRING,
     false, "info", 0, 0},
};

static void ready(void *ctx, const struct server_ready *what)
{
    (void)ctx;
    if (*what->first_secret)
        printf("the first account is \"operator\"; within 24 hours, open /auth/setup and set its\n"
               "password with this one-time secret, which is shown once: %s\n",
               what->first_secret);
    printf("%.*s", STR_ARG(what->demo));
    printf("carnet answers on port %d, FHIR R4 below /fhir\n", what->port);
    fflush(stdout);
}

static struct str string_or_empty(const struct cli_args *args, const char *name)
{
    const char *s = cli_string(args, name);

    return s ? str_c(s) : STR("");
}

static int read_witnesses(const struct cli_args *args, struct audit_witness *to, size_t *ret_n,
                          struct err *err)
{
    const char *url, *key;
    size_t n = 0;
    int r;

    for (; (url = cli_list(args, "audit-witness", n)); n++) {
        key = cli_list(args, "audit-witness-key", n);
        if (n == AUDIT_WITNESSES_MAX || !key)
            return err_set(err, ERR_VALUE,
                           "each --audit-witness, at most %d, needs an --audit-witness-key",
                           AUDIT_WITNESSES_MAX);
        to[n].url = url;
        r = note_key_parse(str_c(key), &to[n].key, err);
        if (r >= 0 && to[n].key.kind != NOTE_COSIGNATURE)
            r = err_set(err, ERR_VALUE, "the key of %s is none for cosignatures", url);
        if (r < 0)
            return r;
    }
    if (cli_list(args, "audit-witness-key", n))
        return err_set(err, ERR_VALUE, "there are more --audit-witness-key than --audit-witness");
    *ret_n = n;
    return 0;
}

static int read_audit(const struct cli_args *args, struct server_config *config,
                      struct audit_witness *witnesses, struct err *err)
{
    const char *given = cli_string(args, "audit");
    struct str audit = given ? str_c(given) : config->open ? STR("off") : STR("on");

    config->audit = str_eq(audit, STR("on"));
    if (!config->audit && !str_eq(audit, STR("off")))
        return err_set(err, ERR_VALUE, "--audit must be on or off, not \"%.*s\"", STR_ARG(audit));
    config->audit_key = cli_string(args, "audit-key");
    config->witnesses = witnesses;
    return read_witnesses(args, witnesses, &config->n_witnesses, err);
}

static int run(const struct cli_args *args, struct err *err)
{
    struct audit_witness witnesses[AUDIT_WITNESSES_MAX];
    struct server_config config = {
        CLI_STORE_CONFIG(args),
        .listen = cli_string(args, "listen"),
        .open = cli_flag(args, "open"),
        .demo = cli_flag(args, "demo"),
        .threads = (unsigned)cli_u64(args, "threads"),
        .body_max_bytes = cli_u64(args, "body-max"),
        .memory_max = cli_u64(args, "memory-max"),
        .tls_cert = cli_string(args, "tls-cert"),
        .tls_key = cli_string(args, "tls-key"),
        .tls_client_ca = cli_string(args, "tls-client-ca"),
        .tls_client_optional = cli_flag(args, "tls-client-optional"),
        .surveillance = !cli_flag(args, "no-surveillance"),
        .case_definitions = cli_string(args, "case-definitions"),
        .signal_rules = cli_string(args, "signal-rules"),
        .counts_programmes = !cli_flag(args, "no-coverage"),
        .coverage = cli_string(args, "coverage"),
        .notify = cli_string(args, "notify"),
        .eid = cli_string(args, "eid"),
        .policy = cli_string(args, "policy"),
        .profiles = cli_string(args, "profiles"),
        .version = cli_version(),
        .api =
            {
                .base_url = string_or_empty(args, "base-url"),
                .cors_origin = string_or_empty(args, "cors-origin"),
                .trust_proxy = cli_flag(args, "trusted-proxy"),
                .no_update_create = cli_flag(args, "no-update-create"),
                .no_multiple_delete = cli_flag(args, "no-multiple-delete"),
                .references = cli_flag(args, "check-references") ? API_REFERENCES_EXIST
                                                                 : API_REFERENCES_TYPES,
                .search_seconds = (unsigned)cli_u64(args, "search-seconds"),
                .staff_by_role = cli_flag(args, "staff-by-role"),
                .allow_expunge = cli_flag(args, "allow-expunge"),
                .version = str_c(cli_version()),
            },
    };
    enum log_level level;
    int r = read_audit(args, &config, witnesses, err);

    if (r < 0)
        return r;
    if (!log_level_parse(str_c(cli_string(args, "log-level")), &level))
        return err_set(err, ERR_VALUE, "--log-level must be debug, info, warn or error, not \"%s\"",
                       cli_string(args, "log-level"));
    log_set_level(level);
    if (!config.tls_cert != !config.tls_key)
        return err_set(err, ERR_VALUE, "--tls-cert and --tls-key go together");
    if (config.tls_client_optional && !config.tls_client_ca)
        return err_set(err, ERR_VALUE, "--tls-client-optional goes with --tls-client-ca");
    return server_run(&config, ready, NULL, err);
}

const struct cli_command cmd_serve = {
    .name = "serve",
    .summary = "answer FHIR R4 over HTTP",
    .about = "Serves the node's records below /fhir until SIGINT or SIGTERM, with /livez,\n"
             "/readyz and /metrics beside it. Logs go to standard error, one JSON object a\n"
             "line. Everyone has to say who they are (carnet user, carnet client), and any\n"
             "address but a loopback one needs TLS and a base URL. With --open nobody is\n"
             "asked: then only on a loopback address.",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
