#include "cli/manage.h"

#include "trust/manage.h"

static const struct cli_option options[] = {
    CLI_STORE_OPTIONS,
    {"role", "ROLE",
     "of add: patient, guardian, worker, steward, privacy, epidemiologist, ministry, researcher, "
     "operator",
     CLI_STRING, false, NULL, 0, 0},
    {"name", "TEXT", "of add: what pages call the person", CLI_STRING, false, NULL, 0, 0},
    {"fhir-user", "TYPE/ID", "of add: the resource that stands for the person", CLI_STRING, false,
     NULL, 0, 0},
    {"identifier", "SYSTEM|VALUE",
     "of add and identify: who the person is elsewhere, as you have seen it proved", CLI_STRING,
     false, NULL, 0, 0},
    {"password-stdin", NULL, "of add and password: read the password from standard input", CLI_FLAG,
     false, NULL, 0, 0},
};

static const char *const actions[] = {"add",      "list", "show",     "disable",      "enable",
                                      "password", "totp", "totp-off", "passkeys-off", "identify"};

static int add_password(struct sb *request, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(MANAGE_FILE_MAX);
    int r = manage_read("-", &text, err);
    struct str password = sb_view(&text);

    if (r < 0)
        return r;
    if (password.n && password.p[password.n - 1] == '\n')
        password.n--;
    sb_lit(request, ",\"password\":");
    sb_json(request, password);
    if (text.p)
        explicit_bzero(text.p, text.n);
    return 0;
}

static int run(const struct cli_args *args, struct err *err)
{
    _cleanup_(sb_done) struct sb request = sb_make(MANAGE_REQUEST_MAX);
    const char *action = args->operands[0];
    bool is_known = false, is_list = strcmp(action, "list") == 0;
    int r = 0;

    for (size_t i = 0; i < ARRAY_LEN(actions); i++)
        is_known |= strcmp(action, actions[i]) == 0;
    if (!is_known)
        return err_set(err, ERR_VALUE, "\"%s\" is none of what can be done with users", action);
    if (is_list != (args->n_operands == 1))
        return err_set(err, ERR_VALUE,
                       is_list ? "list takes no login name" : "a login name is missing");
    sb_fmt(&request, "{\"do\":\"user-%s\"", action);
    if (!is_list)
        manage_text(&request, "login", args->operands[1]);
    manage_text(&request, "role", cli_string(args, "role"));
    manage_text(&request, "name", cli_string(args, "name"));
    manage_text(&request, "fhirUser", cli_string(args, "fhir-user"));
    manage_text(&request, "identifier", cli_string(args, "identifier"));
    if (cli_flag(args, "password-stdin"))
        r = add_password(&request, err);
    if (r >= 0)
        r = manage_send(args, &request, err);
    if (request.p)
        explicit_bzero(request.p, request.n);
    return r;
}

const struct cli_command cmd_user = {
    .name = "user",
    .summary = "people who may sign in: add, list, disable, passwords, one-time codes",
    .about = "add LOGIN --role ROLE makes an account and prints a one-time secret, with which the\n"
             "person sets a password on the node's page /auth/setup within 24 hours.\n"
             "password LOGIN prints another such secret; totp LOGIN makes a key for an\n"
             "authenticator app, with recovery codes, and prints both once. totp-off and\n"
             "passkeys-off take such ways of signing in away again. identify LOGIN says\n"
             "who the person is elsewhere (--identifier): a provider of identities that vouches\n"
             "for it signs them in. Works beside a running node, through its socket.",
    .operands = "add LOGIN | list | show LOGIN | disable LOGIN | enable LOGIN | password LOGIN | "
                "totp LOGIN | totp-off LOGIN | passkeys-off LOGIN | identify LOGIN",
    .operands_min = 1,
    .operands_max = 2,
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
