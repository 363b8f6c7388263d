#include "cli/cli.h"

#include "base/js.h"
#include "fhir/outcome.h"
#include "fhir/profile.h"
#include "fhir/shelf.h"
#include "fhir/validate.h"
#include "fhir/xml.h"
#include "server/package.h"
#include "server/server.h"
#include "server/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_BYTES_MAX MIB(256)  /* one file to validate */
#define ARENA_BYTES_MAX MIB(512) /* memory of one check */
#define FOUND_ERRORS 3           /* exit status */

static const struct cli_option options[] = {
    {"profile", "URL", "hold the resources against this profile; may be repeated", CLI_LIST, false,
     NULL, 0, 0},
    {"package", "FILE",
     "definitions: a FHIR package (.tgz), a resource or a Bundle of them; may be repeated",
     CLI_LIST, false, NULL, 0, 0},
    {"data", "DIR", "a node's data folder: its definitions, terminology and records count too",
     CLI_STRING, false, NULL, 0, 0},
    CLI_STORE_URI_OPTIONS,
    {"unknown-profiles", "LEVEL",
     "what it is when a profile that is claimed is not known: warning or error", CLI_STRING, false,
     "warning", 0, 0},
    {"format", "FORMAT", "text, or json: one OperationOutcome a line", CLI_STRING, false, "text", 0,
     0},
    {"quiet", NULL, "say only what is an error", CLI_FLAG, false, NULL, 0, 0},
};

struct run {
    struct store *store; /* with --data or --store */
    struct server_world *world;
    struct shelf *shelf;
    struct profiles *profiles;
    struct str asked[CONFORM_PROFILES_MAX];
    size_t n_asked;
    bool as_json, is_quiet, must_know;
    size_t n_wrong;
};

static void run_done(struct run *r)
{
    profiles_unref(r->profiles);
    shelf_free(r->shelf);
    server_world_free(r->world);
    store_close(r->store);
}

/* What is on the shelf comes first, so that a package may be tried before it is installed. */
static const struct world *world_of(struct run *run)
{
    return shelf_world(run->shelf, run->world ? server_world_table(run->world) : NULL);
}

static int open_data(struct run *run, const struct cli_args *args, struct err *err)
{
    struct server_config config = {CLI_STORE_CONFIG(args), .version = cli_version()};
    int r = server_open_store(&config, true, &run->store, err);

    return r < 0 ? r : server_world_new(run->store, &run->world, err);
}

/* ---- what it is held against ---- */

static int read_file(const char *path, struct sb *out, struct err *err)
{
    FILE *f = fopen(path, "re");
    int r = 0;

    if (!f)
        return err_set(err, ERR_NOT_FOUND, "\"%s\" cannot be read: %s", path, strerror(errno));
    for (;;) {
        char *to = sb_room(out, KIB(64));
        size_t n = to ? fread(to, 1, KIB(64), f) : 0;
        if (!to)
            r = err_set(err, ERR_TOO_LONG, "\"%s\" is longer than %zu bytes", path, out->max);
        sb_add(out, n);
        if (!n)
            break;
    }
    if (r >= 0 && ferror(f))
        r = err_set(err, ERR_NOT_FOUND, "\"%s\" cannot be read", path);
    fclose(f);
    return r;
}

/* A file in XML becomes the JSON that it says; *ret is in `a` then, else `text`. */
static int as_json(struct arena *a, struct str text, struct str *ret, struct err *err)
{
    _cleanup_(sb_done) struct sb json = sb_make(XML_BYTES_MAX);
    int r;

    *ret = text;
    if (!xml_is_likely(text))
        return 0;
    if ((r = xml_read(a, text, &json, err)) < 0)
        return r;
    *ret = arena_dup(a, sb_view(&json));
    return ret->p ? 0 : err_no_memory(err);
}

static int put_resource(void *ctx, struct str file, struct str json, struct err *err)
{
    struct run *run = ctx;
    struct err why;

    if (shelf_put(run->shelf, json, &why) < 0)
        return err_set(err, why.code, "%.*s: %s", STR_ARG(file), why.text);
    return 0;
}

/* A resource, or those in a Bundle. */
static int put_text(struct run *run, struct arena *a, struct str text, struct err *err)
{
    _cleanup_(sb_done) struct sb one = sb_make(FILE_BYTES_MAX);
    yyjson_val *root, *entry;
    size_t i, n;
    int r = as_json(a, text, &text, err);

    if (r < 0 || (r = js_parse(a, text, &root, err)) < 0)
        return r;
    if (!str_eq(js_get_str(root, "resourceType"), STR("Bundle")))
        return shelf_put(run->shelf, text, err);
    yyjson_arr_foreach(js_get(root, "entry"), i, n, entry) {
        sb_reset(&one);
        js_write(&one, js_get(entry, "resource"));
        if (r >= 0 && (r = sb_ok(&one, err)) >= 0)
            r = shelf_put(run->shelf, sb_view(&one), err);
    }
    return r;
}

static int take_definitions(struct run *run, const char *path, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(FILE_BYTES_MAX);
    _cleanup_(arena_done) struct arena a;
    struct err why;
    int r;

    arena_init(&a, ARENA_BYTES_MAX);
    if (!str_ends(str_c(path), STR(".json")) && !str_ends(str_c(path), STR(".xml")))
        return package_each(path, put_resource, run, err);
    r = read_file(path, &text, err);
    if (r >= 0 && put_text(run, &a, sb_view(&text), &why) < 0)
        r = err_set(err, why.code, "\"%s\": %s", path, why.text);
    return r;
}

/* ---- what is found ---- */

static void print_text(const struct run *run, const char *path, const struct issues *issues)
{
    static const char *const names[] = {
        [ISSUE_FATAL] = "fatal",
        [ISSUE_ERROR] = "error",
        [ISSUE_WARNING] = "warning",
        [ISSUE_INFORMATION] = "information",
    };

    for (const struct issue *i = issues->first; i; i = i->next)
        if (!run->is_quiet || i->severity <= ISSUE_ERROR)
            printf("%s: %s: %.*s\n", path, names[i->severity], STR_ARG(i->text));
    if (!issues->n_errors && !run->is_quiet)
        printf("%s: valid\n", path);
}

static int print_json(const struct issues *issues, struct err *err)
{
    _cleanup_(sb_done) struct sb out = sb_make(MIB(64));

    outcome_issues(&out, issues);
    sb_char(&out, '\n');
    if (sb_ok(&out, err) < 0)
        return ERR_NO_MEMORY;
    fwrite(out.p, 1, out.n, stdout);
    return 0;
}

static int check(struct run *run, struct arena *a, struct str text, struct issues *issues,
                 struct err *err)
{
    struct conform_options what = {.world = world_of(run),
                                   .profiles = run->profiles,
                                   .asked = run->asked,
                                   .n_asked = run->n_asked,
                                   .must_know = run->must_know};
    yyjson_val *root;
    struct err why;
    int r = as_json(a, text, &text, &why);

    if (r >= 0)
        r = js_parse(a, text, &root, &why);
    if (r < 0) {
        issues_add(issues, ISSUE_FATAL, err_issue_type(r), STR(""), "%s", why.text);
        return 0;
    }
    r = fhir_validate(root, issues, err);
    return r <= 0 ? r : conform_check(root, &what, issues, err);
}

static int check_file(struct run *run, const char *path, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(FILE_BYTES_MAX);
    _cleanup_(arena_done) struct arena a;
    struct issues issues;
    int r;

    arena_init(&a, ARENA_BYTES_MAX);
    issues_init(&issues, &a);
    r = read_file(path, &text, err);
    if (r >= 0)
        r = check(run, &a, sb_view(&text), &issues, err);
    if (r < 0)
        return r;
    run->n_wrong += issues.n_errors > 0;
    if (run->as_json)
        return print_json(&issues, err);
    print_text(run, path, &issues);
    return 0;
}

static int prepare(struct run *run, const struct cli_args *args, struct err *err)
{
    const char *format = cli_string(args, "format"), *one;
    const char *unknown = cli_string(args, "unknown-profiles");
    int r;

    run->as_json = strcmp(format, "json") == 0;
    run->is_quiet = cli_flag(args, "quiet");
    if (!run->as_json && strcmp(format, "text") != 0)
        return err_set(err, ERR_VALUE, "--format must be text or json, not \"%s\"", format);
    run->must_know = strcmp(unknown, "error") == 0;
    if (!run->must_know && strcmp(unknown, "warning") != 0)
        return err_set(err, ERR_VALUE, "--unknown-profiles must be warning or error, not \"%s\"",
                       unknown);
    while ((one = cli_list(args, "profile", run->n_asked))) {
        if (run->n_asked == CONFORM_PROFILES_MAX)
            return err_set(err, ERR_COSTLY, "--profile names more than %d profiles",
                           CONFORM_PROFILES_MAX);
        run->asked[run->n_asked++] = str_c(one);
    }
    r = shelf_new(&run->shelf, err);
    if (r >= 0 && (cli_string(args, "data") || cli_string(args, "store")))
        r = open_data(run, args, err);
    for (size_t i = 0; r >= 0 && (one = cli_list(args, "package", i)); i++)
        r = take_definitions(run, one, err);
    if (r < 0)
        return r;
    run->profiles = profiles_new(world_of(run));
    return run->profiles ? 0 : err_no_memory(err);
}

static int run(const struct cli_args *args, struct err *err)
{
    _cleanup_(run_done) struct run state = {0};
    int r = prepare(&state, args, err);

    for (int i = 0; r >= 0 && i < args->n_operands; i++)
        r = check_file(&state, args->operands[i], err);
    return r < 0 ? r : state.n_wrong ? FOUND_ERRORS : 0;
}

const struct cli_command cmd_validate = {
    .name = "validate",
    .summary = "hold resources against R4 and profiles",
    .about = "Checks each FILE, a resource as JSON or XML: R4's structure, invariants and "
             "bindings, the\n"
             "profiles that it claims, and those of --profile. Definitions beyond R4's own come\n"
             "from --package. Exit status: 0 no errors, 3 errors were found, 1 it could not be\n"
             "done.",
    .operands = "FILE...",
    .operands_min = 1,
    .operands_max = -1,
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
