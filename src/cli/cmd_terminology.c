#include "cli/cli.h"

#include "server/terms_load.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static const struct cli_option options[] = {
    CLI_STORE_OPTIONS,
};

static void progress(void *ctx, const char *path, uint64_t done, uint64_t all)
{
    if (*(bool *)ctx)
        fprintf(stderr, "\r%s: %3" PRIu64 " %% ", path, all ? MIN(done * 100 / all, 100) : 100);
}

static void loaded(void *ctx, const char *type, struct str url, struct str version, uint64_t n)
{
    if (*(bool *)ctx)
        fputc('\n', stderr);
    if (url.n)
        printf("%s %.*s|%.*s: %" PRIu64 " %s\n", type, STR_ARG(url), STR_ARG(version), n,
               str_eq(str_c(type), STR("ConceptMap")) ? "mappings" : "concepts");
    else
        printf("%" PRIu64 " %s\n", n, type);
}

static void refused(void *ctx, struct str json, const struct err *why)
{
    (void)ctx;
    fprintf(stderr, "carnet terminology: left out, because %s: %.*s...\n", why->text,
            (int)MIN(json.n, 120u), json.p);
}

static int load(const struct place *place, char *const *files, size_t n, struct err *err)
{
    bool is_terminal = isatty(STDERR_FILENO);
    struct terms_load_report report = {
        .ctx = &is_terminal, .progress = progress, .loaded = loaded, .refused = refused};

    if (!n)
        return err_set(err, ERR_VALUE, "no file to load is named");
    return terms_load(place, files, n, &report, err);
}

static int list(const struct place *place, char *const *words, size_t n, struct err *err)
{
    struct terms_loaded *found;
    struct arena a;
    size_t n_found;
    int r;

    (void)words;
    if (n)
        return err_set(err, ERR_VALUE, "list takes no operand");
    arena_init(&a, MIB(16));
    r = place_terms_list(place, &a, &found, &n_found, err);
    for (size_t i = 0; r >= 0 && i < n_found; i++)
        printf("%.*s %.*s|%.*s %" PRIu64 " bytes\n", STR_ARG(found[i].type), STR_ARG(found[i].url),
               STR_ARG(found[i].version), found[i].bytes);
    arena_done(&a);
    return r;
}

static int remove_all(const struct place *place, char *const *words, size_t n, struct err *err)
{
    int r = n ? 0 : err_set(err, ERR_VALUE, "nothing to remove is named");

    for (size_t i = 0; r >= 0 && i < n; i++) {
        size_t removed;
        r = place_terms_remove(place, str_c(words[i]), &removed, err);
        if (r >= 0)
            printf("%s: %zu removed\n", words[i], removed);
    }
    return r;
}

static int run(const struct cli_args *args, struct err *err)
{
    static const struct {
        struct str word;
        bool reads;
        int (*run)(const struct place *place, char *const *words, size_t n, struct err *err);
    } actions[] = {
        {STR("load"), false, load}, {STR("list"), true, list}, {STR("remove"), false, remove_all}};
    struct server_config config = {CLI_STORE_CONFIG(args), .version = cli_version()};
    struct str word = str_c(args->operands[0]);
    struct place place;

    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        int r;
        if (!str_eq(word, actions[i].word))
            continue;
        r = place_open(&config, actions[i].reads, &place, err);
        if (r < 0)
            return r;
        r = actions[i].run(&place, args->operands + 1, (size_t)args->n_operands - 1, err);
        place_done(&place);
        return r;
    }
    return err_set(err, ERR_VALUE, "\"%.*s\" is not load, list or remove", (int)MIN(word.n, 60u),
                   word.p);
}

const struct cli_command cmd_terminology = {
    .name = "terminology",
    .summary = "load code systems and maps, list or remove them",
    .about = "load FILE... reads terminologies as their owners publish them and keeps them in the\n"
             "store: ICD-11 tabulations, WHO's maps between ICD-10 and ICD-11, LOINC's table,\n"
             "SNOMED CT snapshots (RF2), ATC lists, iso-codes, and FHIR packages or files with\n"
             "code systems, value sets and concept maps. A file may be packed (zip, tar, gzip,\n"
             "xz, zstd, bzip2). When a line is wrong nothing is changed.\n"
             "list shows what was loaded; remove URL or URL|VERSION takes it away.\n"
             "Beside a running node the files are read here and stored by the node.",
    .operands = "load FILE... | list | remove URL...",
    .operands_min = 1,
    .operands_max = -1,
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
