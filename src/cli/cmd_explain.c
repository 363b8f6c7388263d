#include "cli/manage.h"

#include "trust/manage.h"

static const struct cli_option options[] = {
    CLI_STORE_OPTIONS,
    {"as", "LOGIN", "whose access", CLI_STRING, true, NULL, 0, 0},
    {"to", "TYPE/ID", "to what", CLI_STRING, true, NULL, 0, 0},
    {"purpose", "CODE", "purpose of use, such as TREAT or BTG; default: the role's first",
     CLI_STRING, false, NULL, 0, 0},
};

static int run(const struct cli_args *args, struct err *err)
{
    _cleanup_(sb_done) struct sb request = sb_make(MANAGE_REQUEST_MAX);

    if (strcmp(args->operands[0], "access") != 0)
        return err_set(err, ERR_VALUE, "\"%s\" is not explained: access is", args->operands[0]);
    sb_lit(&request, "{\"do\":\"explain\"");
    manage_text(&request, "login", cli_string(args, "as"));
    manage_text(&request, "resource", cli_string(args, "to"));
    manage_text(&request, "purpose", cli_string(args, "purpose"));
    return manage_send(args, &request, err);
}

const struct cli_command cmd_explain = {
    .name = "explain",
    .summary = "why somebody sees a resource, or does not",
    .about = "explain access says whether an account sees a resource, and what decides that: the\n"
             "role, care, a label, or what the patient said. Scopes of a token narrow that\n"
             "further. The policy in force decides (carnet policy show).",
    .operands = "access",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
