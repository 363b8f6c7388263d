#include "cli/cli.h"

#include "trust/policy_test.h"

#include <stdio.h>

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

static int run(const struct cli_args *args, struct err *err)
{
    _cleanup_(policy_freep) struct policy *p = NULL;
    _cleanup_(sb_done) struct sb text = sb_make(POLICY_BYTES_MAX);
    const char *action = args->operands[0];
    bool shows = strcmp(action, "show") == 0;
    int r = 0;

    if (!shows && strcmp(action, "test") != 0)
        return err_set(err, ERR_VALUE, "\"%s\" is neither show nor test", action);
    if (args->n_operands > 1)
        r = sb_load(&text, args->operands[1], err);
    else
        sb_str(&text, policy_default());
    if (r < 0 || (r = policy_parse(sb_view(&text), &p, err)) < 0)
        return r;
    if (!shows)
        return test(p, err);
    fwrite(p->text.p, 1, p->text.n, stdout);
    return 0;
}

const struct cli_command cmd_policy = {
    .name = "policy",
    .summary = "who sees what: show a policy, run the tests that it brings along",
    .about = "show prints a policy after it was read: FILE, or the one that is built in, which\n"
             "holds where serve is given no --policy. It is where one of your own begins.\n"
             "test runs the tests of a policy and says which do not hold.",
    .operands = "show|test [FILE]",
    .operands_min = 1,
    .operands_max = 2,
    .options = NULL,
    .n_options = 0,
    .run = run,
};
