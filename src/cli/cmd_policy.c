#include "cli/manage.h"

#include "server/operator.h"
#include "trust/manage.h"
#include "trust/policy_test.h"

#include <stdio.h>
#include <unistd.h>

static const struct cli_option options[] = {
    {"data", "DIR", "the node's data folder: of set and history, and for what is in force there",
     CLI_STRING, false, NULL, 0, 0},
    CLI_STORE_URI_OPTIONS,
    {"number", "N", "of show: the one that was set as this number", CLI_STRING, false, NULL, 0, 0},
};

static void say(void *ctx, const struct policy_outcome *one)
{
    int *n = ctx;
    struct str why = why_text(one->why);

    ++*n;
    printf("%s: %.*s%s%.*s\n", one->is == one->wants ? "holds" : "DOES NOT HOLD",
           STR_ARG(one->name), one->is == one->wants ? "" : ": ",
           one->is == one->wants ? 0 : (int)why.n, why.p);
}

static int test(const struct policy *p, struct err *err)
{
    int n = 0, r = policy_test(p, say, &n, err);

    if (r < 0)
        return r;
    printf("policy %.*s: %d tests, %d of them do not hold\n", STR_ARG(p->version), n, r);
    return r ? err_set(err, ERR_VALUE, "the policy does not say what its tests want") : 0;
}

static int ask(const struct cli_args *args, const char *what, const struct sb *policy,
               struct str version, struct sb *answer, struct err *err)
{
    struct server_config config = {CLI_STORE_CONFIG(args), .version = cli_version()};
    _cleanup_(sb_done) struct sb request = sb_make(MANAGE_REQUEST_MAX);
    char by[40];
    int r;

    if (!config.data_dir)
        return err_set(err, ERR_REQUIRED, "--data says in which node's folder");
    sb_fmt(&request, "{\"do\":\"policy-%s\"", what);
    if (policy) {
        snprintf(by, sizeof by, "uid %u", (unsigned)getuid());
        manage_text(&request, "by", by);
        sb_lit(&request, ",\"id\":");
        sb_json(&request, version);
        sb_lit(&request, ",\"policy\":");
        sb_json(&request, sb_view(policy));
    }
    manage_text(&request, "number", cli_string(args, "number"));
    sb_char(&request, '}');
    r = sb_ok(&request, err);
    return r < 0 ? r : operator_manage(&config, sb_view(&request), answer, err);
}

/* FILE, that of a node's folder, or the one that is built in. */
static int load(const struct cli_args *args, struct sb *text, struct err *err)
{
    if (args->n_operands > 1)
        return sb_load(text, args->operands[1], err);
    if (cli_string(args, "data"))
        return ask(args, "show", NULL, STR(""), text, err);
    sb_str(text, policy_default());
    return sb_ok(text, err);
}

static int set(const struct cli_args *args, const struct sb *text, const struct policy *p,
               struct err *err)
{
    _cleanup_(sb_done) struct sb answer = sb_make(MANAGE_ANSWER_MAX);
    int r = ask(args, "set", text, p->version, &answer, err);

    return r < 0 ? r : cli_write(STDOUT_FILENO, sb_view(&answer), err);
}

static int history(const struct cli_args *args, struct err *err)
{
    _cleanup_(sb_done) struct sb answer = sb_make(MANAGE_ANSWER_MAX);
    int r = ask(args, "history", NULL, STR(""), &answer, err);

    return r < 0 ? r : cli_write(STDOUT_FILENO, sb_view(&answer), err);
}

static int run(const struct cli_args *args, struct err *err)
{
    _cleanup_(policy_freep) struct policy *p = NULL;
    _cleanup_(sb_done) struct sb text = sb_make(POLICY_BYTES_MAX);
    const char *action = args->operands[0];
    bool shows = strcmp(action, "show") == 0, sets = strcmp(action, "set") == 0;
    bool lists = strcmp(action, "history") == 0;
    int r;

    if (!shows && !sets && !lists && strcmp(action, "test") != 0)
        return err_set(err, ERR_VALUE, "\"%s\" is none of show, test, set and history", action);
    if (lists ? args->n_operands != 1 : sets && args->n_operands != 2)
        return err_set(err, ERR_VALUE,
                       lists ? "history takes no file" : "set takes the file of a policy");
    if (lists)
        return history(args, err);
    if ((r = load(args, &text, err)) < 0 || (r = policy_parse(sb_view(&text), &p, err)) < 0)
        return r;
    if (sets)
        return set(args, &text, p, err);
    if (!shows)
        return test(p, err);
    return cli_write(STDOUT_FILENO, p->text, err);
}

const struct cli_command cmd_policy = {
    .name = "policy",
    .summary = "who sees what: show, test and set the policy of a node",
    .about =
        "show prints a policy: FILE, the one in force in a node's folder (--data), or the one\n"
        "that is built in, which holds until another is set. It is where one of your own\n"
        "begins. test runs the tests of a policy and says which do not hold.\n"
        "set puts FILE in force, after its tests: at the next request in every process of\n"
        "the store, without a restart. history lists all that were set, by number. Works\n"
        "beside a running node, through its socket.",
    .operands = "show [FILE] | test [FILE] | set FILE | history",
    .operands_min = 1,
    .operands_max = 2,
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
