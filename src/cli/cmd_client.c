#include "cli/manage.h"

#include "trust/manage.h"

static const struct cli_option options[] = {
    CLI_STORE_OPTIONS,
    {"name", "TEXT", "of add: what people are shown", CLI_STRING, false, NULL, 0, 0},
    {"scope", "SCOPES", "of add: the most that it may get (SMART scopes, version 2)", CLI_STRING,
     false, NULL, 0, 0},
    {"redirect", "URI", "of add: where people come back to; may be repeated", CLI_LIST, false, NULL,
     0, 0},
    {"launch", "URL", "of add: where a launch from within a record begins", CLI_STRING, false, NULL,
     0, 0},
    {"jwks", "FILE", "of add: its public keys, a JWK set; - reads standard input", CLI_STRING,
     false, NULL, 0, 0},
    {"jwks-uri", "URL", "of add: where it publishes them, https; in place of --jwks", CLI_STRING,
     false, NULL, 0, 0},
    {"jwks-private", NULL, "of add: that may be an address of your own network, or this machine",
     CLI_FLAG, false, NULL, 0, 0},
    {"tls-subject", "DN", "of add: the subject of its certificate, by the node's --tls-client-ca",
     CLI_STRING, false, NULL, 0, 0},
    {"tls-certificate", "FILE", "of add: the one certificate (PEM) that it shows, whoever made it",
     CLI_STRING, false, NULL, 0, 0},
    {"contact", "TEXT", "of add: who answers for it", CLI_STRING, false, NULL, 0, 0},
    {"backend", NULL, "of add: a service that acts without a person", CLI_FLAG, false, NULL, 0, 0},
    {"secret", NULL, "of add: make a secret, and print it once", CLI_FLAG, false, NULL, 0, 0},
    {"dpop", NULL, "of add: its tokens are always bound to a key", CLI_FLAG, false, NULL, 0, 0},
    {"pushed", NULL, "of add: it has to push its authorisation requests", CLI_FLAG, false, NULL, 0,
     0},
};

static const char *const actions[] = {"add",     "list",   "show",  "approve",
                                      "disable", "enable", "secret"};

static int add_more(const struct cli_args *args, struct sb *request, struct err *err)
{
    _cleanup_(sb_done) struct sb jwks = sb_make(MANAGE_FILE_MAX), pem = sb_make(MANAGE_FILE_MAX);
    const char *path = cli_string(args, "jwks"), *uri;
    const char *certificate = cli_string(args, "tls-certificate");
    int r = path ? manage_read(path, &jwks, err) : 0;

    if (r >= 0 && certificate)
        r = manage_read(certificate, &pem, err);
    if (r < 0)
        return r;
    if (certificate) {
        sb_lit(request, ",\"tlsCertificate\":");
        sb_json(request, sb_view(&pem));
    }
    if (path) {
        sb_lit(request, ",\"jwks\":");
        sb_json(request, sb_view(&jwks));
    }
    sb_lit(request, ",\"redirects\":[");
    for (size_t i = 0; (uri = cli_list(args, "redirect", i)); i++) {
        if (i)
            sb_char(request, ',');
        sb_json(request, str_c(uri));
    }
    sb_char(request, ']');
    return 0;
}

static int run(const struct cli_args *args, struct err *err)
{
    _cleanup_(sb_done) struct sb request = sb_make(MANAGE_REQUEST_MAX);
    const char *action = args->operands[0];
    bool is_known = false, is_list = strcmp(action, "list") == 0;
    int r;

    for (size_t i = 0; i < ARRAY_LEN(actions); i++)
        is_known |= strcmp(action, actions[i]) == 0;
    if (!is_known)
        return err_set(err, ERR_VALUE, "\"%s\" is none of what can be done with clients", action);
    if (is_list != (args->n_operands == 1))
        return err_set(err, ERR_VALUE,
                       is_list ? "list takes no client_id" : "a client_id is missing");
    sb_fmt(&request, "{\"do\":\"client-%s\"", action);
    if (!is_list)
        manage_text(&request, "id", args->operands[1]);
    manage_text(&request, "name", cli_string(args, "name"));
    manage_text(&request, "scope", cli_string(args, "scope"));
    manage_text(&request, "launch", cli_string(args, "launch"));
    manage_text(&request, "jwksUri", cli_string(args, "jwks-uri"));
    manage_flag(&request, "jwksPrivate", cli_flag(args, "jwks-private"));
    manage_text(&request, "tlsSubject", cli_string(args, "tls-subject"));
    manage_text(&request, "contact", cli_string(args, "contact"));
    manage_flag(&request, "backend", cli_flag(args, "backend"));
    manage_flag(&request, "secret", cli_flag(args, "secret"));
    manage_flag(&request, "dpop", cli_flag(args, "dpop"));
    manage_flag(&request, "pushed", cli_flag(args, "pushed"));
    r = add_more(args, &request, err);
    return r < 0 ? r : manage_send(args, &request, err);
}

const struct cli_command cmd_client = {
    .name = "client",
    .summary = "apps and systems that may ask for tokens: add, list, approve, disable",
    .about = "add ID registers a SMART app (--redirect, and --secret or keys unless it is\n"
             "public) or a backend service (--backend; --jwks FILE, --jwks-uri URL or a "
             "certificate). approve ID "
             "lets in a client\n"
             "that registered itself. disable ID ends what it may do at once, its tokens\n"
             "included. Works beside a running node, through its socket.",
    .operands = "add ID | list | show ID | approve ID | disable ID | enable ID | secret ID",
    .operands_min = 1,
    .operands_max = 2,
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
