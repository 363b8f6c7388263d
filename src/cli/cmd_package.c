#include "cli/cli.h"

#include "server/package.h"
#include "server/server.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct cli_option options[] = {
    CLI_STORE_OPTIONS,
    {"folder", "DIR", "where dependencies are, as NAME-VERSION.tgz", CLI_STRING, false, NULL, 0, 0},
    {"incomplete", NULL, "install even when dependencies are missing", CLI_FLAG, false, NULL, 0, 0},
};

static void say(void *ctx, const char *text)
{
    (void)ctx;
    if (text)
        printf("%s\n", text);
}

static void say_installed(void *ctx, const char *name, size_t n)
{
    (void)ctx;
    printf("%s %zu\n", name, n);
}

static void progress(void *ctx, const struct package_name *id, size_t n)
{
    (void)ctx;
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%.*s: %zu resources ", STR_ARG(id->name), n);
}

static int install(const struct cli_args *args, const struct place *place, struct err *err)
{
    struct package_options what = {.paths = (const char *const *)args->operands + 1,
                                   .n_paths = (size_t)args->n_operands - 1,
                                   .folder = cli_string(args, "folder"),
                                   .is_incomplete = cli_flag(args, "incomplete"),
                                   .say = say,
                                   .progress = progress};

    if (!what.n_paths)
        return err_set(err, ERR_VALUE, "no package is named");
    return package_install(place, &what, err);
}

static int list(const struct cli_args *args, const struct place *place, struct err *err)
{
    (void)args;
    return package_list(place, say_installed, NULL, err);
}

static int remove_all(const struct cli_args *args, const struct place *place, struct err *err)
{
    int r = args->n_operands > 1 ? 0 : err_set(err, ERR_VALUE, "no package is named");

    for (int i = 1; r >= 0 && i < args->n_operands; i++) {
        size_t n;
        r = place_package_remove(place, str_c(args->operands[i]), &n, err);
        if (r >= 0)
            printf("%s: %zu resources removed\n", args->operands[i], n);
    }
    return r;
}

static int run(const struct cli_args *args, struct err *err)
{
    static const struct {
        const char *word;
        bool reads;
        int (*run)(const struct cli_args *args, const struct place *place, struct err *err);
    } actions[] = {
        {"install", false, install}, {"list", true, list}, {"remove", false, remove_all}};
    struct server_config config = {CLI_STORE_CONFIG(args), .version = cli_version()};
    struct place place;

    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        int r;
        if (strcmp(args->operands[0], actions[i].word) != 0)
            continue;
        r = place_open(&config, actions[i].reads, &place, err);
        if (r < 0)
            return r;
        r = actions[i].run(args, &place, err);
        place_done(&place);
        return r;
    }
    return err_set(err, ERR_VALUE, "\"%.60s\" is not install, list or remove", args->operands[0]);
}

const struct cli_command cmd_package = {
    .name = "package",
    .summary = "install FHIR packages, list or remove them",
    .about = "install FILE... reads FHIR packages (.tgz) and stores their definitions: profiles,\n"
             "value sets, code systems, search parameters and whatever else has a canonical.\n"
             "What a package depends on has to be installed, among the files, or in --folder.\n"
             "A package that is there already changes nothing.\n"
             "list shows names with versions and how many resources came with them;\n"
             "remove NAME or NAME#VERSION deletes those.\n"
             "Beside a running node the files are read here and stored by the node.",
    .operands = "install FILE... | list | remove NAME...",
    .operands_min = 1,
    .operands_max = -1,
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
