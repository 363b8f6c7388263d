#include "cli/cli.h"

#include "server/erase.h"

#include <stdio.h>
#include <unistd.h>

#define LIST_MAX 200 /* resources that are told one by one */
#define ARENA_MAX MIB(1024)

static const struct cli_option options[] = {
    CLI_STORE_OPTIONS,
    {"basis", "TEXT", "the legal ground, for the ledger and the audit log", CLI_STRING, false, NULL,
     0, 0},
    {"shared", "keep|remove", "what becomes of resources that are not this person's alone",
     CLI_STRING, false, NULL, 0, 0},
    {"again", NULL, "do what the folder's ledger has and its store still holds", CLI_FLAG, false,
     NULL, 0, 0},
};

static bool progress(void *ctx, uint64_t done, uint64_t all)
{
    if (*(const bool *)ctx)
        fprintf(stderr, "\r%3d %% ", (int)(done * 100 / MAX(all, 1u)));
    return true;
}

static void list(const struct erase_plan *plan, enum erase_kind kind, const char *what)
{
    size_t told = 0;

    if (!plan->n_of[kind])
        return;
    printf("%s:\n", what);
    for (size_t i = 0; i < plan->n && told < LIST_MAX; i++) {
        struct str type = def_resource_name(plan->items[i].type);

        if (plan->items[i].kind != kind)
            continue;
        printf("  %.*s/%.*s%s\n", STR_ARG(type), STR_ARG(plan->items[i].id),
               plan->items[i].row ? " (an earlier version)" : "");
        told++;
    }
    if (told < plan->n_of[kind])
        printf("  and %zu more\n", plan->n_of[kind] - told);
}

static void say(const struct server_erase_told *told)
{
    const struct erase_plan *plan = &told->plan;

    printf("erased: %zu resources of the person, %zu shared ones, %zu accounts, "
           "%llu entries of the audit log\n",
           plan->n_of[ERASE_OWN], plan->with_shared ? plan->n_of[ERASE_SHARED] : 0, told->accounts,
           (unsigned long long)told->entries);
    list(plan, ERASE_OTHERS, "of other people, and still naming this one by id");
}

static int again(const struct server_config *config, struct err *err)
{
    bool is_terminal = isatty(STDERR_FILENO) == 1;
    size_t n = 0;
    int r = server_erase_again(config, progress, &is_terminal, &n, err);

    if (r >= 0)
        printf("%zu people were still here, and are erased\n", n);
    return r;
}

static int erase(const struct server_config *config, struct server_erase *what, struct err *err)
{
    struct server_erase_told told;
    struct arena a;
    int r;

    arena_init(&a, ARENA_MAX);
    r = server_erase(config, what, &a, &told, err);
    if (r >= 0)
        say(&told);
    else if (told.plan.n_of[ERASE_SHARED] && !what->keep_shared && !what->remove_shared)
        list(&told.plan, ERASE_SHARED, "not this person's alone");
    arena_done(&a);
    return r;
}

static int run(const struct cli_args *args, struct err *err)
{
    struct server_config config = {CLI_STORE_CONFIG(args), .version = cli_version()};
    const char *shared = cli_string(args, "shared"), *basis = cli_string(args, "basis");
    bool is_terminal = isatty(STDERR_FILENO) == 1;
    struct server_erase what = {.progress = progress, .ctx = &is_terminal};

    if (cli_flag(args, "again") != (args->n_operands == 0))
        return err_set(err, ERR_VALUE, "erase needs a PERSON, or --again");
    if (cli_flag(args, "again"))
        return again(&config, err);
    if (!basis)
        return err_set(err, ERR_VALUE, "erase needs --basis TEXT");
    what.person = str_c(args->operands[0]);
    what.basis = str_c(basis);
    what.keep_shared = shared && strcmp(shared, "keep") == 0;
    what.remove_shared = shared && strcmp(shared, "remove") == 0;
    if (shared && !what.keep_shared && !what.remove_shared)
        return err_set(err, ERR_VALUE, "--shared is keep or remove, not \"%s\"", shared);
    return erase(&config, &what, err);
}

const struct cli_command cmd_erase = {
    .name = "erase",
    .summary = "remove all of a person for good, and remember that it was done",
    .about = "PERSON is the id of a Patient, or an identifier as SYSTEM|VALUE. Every version of\n"
             "what is theirs goes, with their account and their entries of the audit log; in an\n"
             "encrypted store their key is destroyed, so that no backup's body of theirs opens\n"
             "again. The ledger carnet.erased of the data folder keeps when and why, and a hash\n"
             "by which a restore knows them and erases them again. Resources of several\n"
             "patients, and such as name the person and are of none, are listed: --shared says\n"
             "what becomes of them. Those of other people stay, and are listed.\n\n"
             "The node must not run, nor another one on the same database, and the store is\n"
             "written anew, for which it needs room a second time. What PostgreSQL's own logs\n"
             "and backups have: docs/guides/scale-out.md. Each node's folder has an audit log\n"
             "of its own: call the command with each.",
    .operands = "[PERSON]",
    .operands_min = 0,
    .operands_max = 1,
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
