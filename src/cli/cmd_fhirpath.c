#include "cli/cli.h"

#include "fhir/path.h"
#include "fhir/profile.h"
#include "fhir/xml.h"
#include "server/server.h"
#include "server/world.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define FILE_MAX MIB(256) /* bytes of the resource's file */
#define READ_BYTES KIB(64)
#define ARENA_MAX MIB(2048)
#define OUTPUT_MAX MIB(1024)

static const struct cli_option options[] = {
    {"context", "EXPR", "evaluate once for each item that EXPR gives", CLI_STRING, false, NULL, 0,
     0},
    {"variables", "JSON", "an object: %NAME is the value of its member NAME", CLI_STRING, false,
     NULL, 0, 0},
    {"lenient", NULL, "take names and types that R4 does not have for empty", CLI_FLAG, false, NULL,
     0, 0},
    {"trace", NULL, "write what trace() hears to standard error", CLI_FLAG, false, NULL, 0, 0},
    {"data", "DIR", "a node's data folder: its terminology, profiles and records answer",
     CLI_STRING, false, NULL, 0, 0},
    CLI_STORE_URI_OPTIONS,
};

static int read_all(const char *name, struct sb *out, struct err *err)
{
    bool is_stdin = strcmp(name, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC), r = 0;
    ssize_t n = 1;

    if (fd < 0)
        return err_set(err, ERR_NOT_FOUND, "%s cannot be opened: %s", name, strerror(errno));
    while (n > 0 && r == 0) {
        char *room = sb_room(out, READ_BYTES);
        if (!room) {
            r = err_set(err, ERR_TOO_LONG, "%s is longer than %zu bytes", name, (size_t)FILE_MAX);
            break;
        }
        n = read(fd, room, READ_BYTES);
        if (n < 0 && errno != EINTR)
            r = err_set(err, ERR_NO_STORE, "%s cannot be read: %s", name, strerror(errno));
        else
            sb_add(out, (size_t)MAX(n, 0));
        n = n < 0 && errno == EINTR ? 1 : n;
    }
    if (!is_stdin)
        close(fd);
    return r;
}

/* The resource in a text: JSON, or XML where it begins as that. */
static int parse(struct arena *a, struct str text, yyjson_val **ret, struct err *err)
{
    _cleanup_(sb_done) struct sb json = sb_make(OUTPUT_MAX);
    struct str kept;
    int r;

    if (!xml_is_likely(text))
        return js_parse(a, text, ret, err);
    r = xml_read(a, text, &json, err);
    if (r < 0)
        return r;
    kept = arena_dup(a, sb_view(&json));
    return kept.p ? js_parse(a, kept, ret, err) : err_no_memory(err);
}

/* One more item, or all of an array's. */
static int add_items(struct path_items *items, struct arena *a, yyjson_val *v, struct err *err)
{
    size_t n = yyjson_is_arr(v) ? yyjson_arr_size(v) : 1, i, max;
    yyjson_val *item;

    items->p = ARENA_ARRAY(a, struct path_item, n + 1);
    if (!items->p)
        return err_no_memory(err);
    items->cap = n + 1;
    if (!yyjson_is_arr(v)) {
        items->p[items->n++] = path_json(v);
        return 0;
    }
    yyjson_arr_foreach(v, i, max, item) {
        items->p[items->n++] = path_json(item);
    }
    return 0;
}

static int add_variables(struct path_env *env, const char *json, struct err *err)
{
    struct path_variable *variables;
    yyjson_val *root, *key, *v;
    size_t i, max;
    int r = js_parse(env->a, str_c(json), &root, err);

    if (r < 0)
        return r;
    if (!yyjson_is_obj(root))
        return err_set(err, ERR_VALUE, "--variables is not a JSON object");
    variables = ARENA_ARRAY(env->a, struct path_variable, yyjson_obj_size(root) + 1);
    if (!variables)
        return err_no_memory(err);
    yyjson_obj_foreach(root, i, max, key, v) {
        variables[i].name = js_str(key);
        r = add_items(&variables[i].items, env->a, v, err);
        if (r < 0)
            return r;
    }
    env->variables = variables;
    env->n_variables = max;
    return 0;
}

static void hear(void *ctx, struct str name, const struct path_items *items)
{
    _cleanup_(sb_done) struct sb line = sb_make(OUTPUT_MAX);
    struct err err;

    (void)ctx;
    sb_str(&line, name);
    sb_lit(&line, ": ");
    path_write(&line, items);
    sb_char(&line, '\n');
    cli_write(STDERR_FILENO, sb_view(&line), &err);
}

static int compile(const struct cli_args *args, struct arena *a, const char *text,
                   const struct def_type *context, const struct path **ret, struct err *err)
{
    return cli_flag(args, "lenient") ? path_compile(a, str_c(text), context, ret, err)
                                     : path_compile_strict(a, str_c(text), context, ret, err);
}

static int evaluate(const struct cli_args *args, struct path_env *env, struct path_items *out,
                    struct err *err)
{
    struct path_item root = path_root(env->resource);
    struct path_items foci = {&root, 1, 1}, found = {0};
    const char *context = cli_string(args, "context");
    const struct path *p;
    int r = 0;

    if (context) {
        r = compile(args, env->a, context, root.type, &p, err);
        if (r >= 0)
            r = path_eval(p, env, &root, &found, err);
        foci = found;
    }
    if (r >= 0)
        r = compile(args, env->a, args->operands[0], context ? NULL : root.type, &p, err);
    for (size_t i = 0; i < foci.n && r >= 0; i++) {
        env->steps = 0;
        r = path_eval(p, env, &foci.p[i], out, err);
    }
    return r;
}

/* The answers of a node's data. */
struct answers {
    struct store *store;
    struct server_world *node;
    struct profiles *profiles;
    struct profile_world world; /* the node's, and profiles */
};

static void answers_done(struct answers *w)
{
    profiles_unref(w->profiles);
    server_world_free(w->node);
    store_close(w->store);
}

/* Opens what --data or --store names; nothing where neither does. */
static int answers_open(const struct cli_args *args, struct answers *w, struct err *err)
{
    struct server_config config = {CLI_STORE_CONFIG(args), .version = cli_version()};
    int r;

    if (!cli_string(args, "data") && !cli_string(args, "store"))
        return 0;
    if ((r = server_open_store(&config, true, &w->store, err)) < 0 ||
        (r = server_world_new(w->store, &w->node, err)) < 0)
        return r;
    w->profiles = profiles_new(server_world_table(w->node));
    if (!w->profiles)
        return err_no_memory(err);
    profile_world(&w->world, w->profiles, server_world_table(w->node));
    return 0;
}

static int run(const struct cli_args *args, struct err *err)
{
    _cleanup_(answers_done) struct answers answers = {0};
    _cleanup_(sb_done) struct sb text = sb_make(FILE_MAX), line = sb_make(OUTPUT_MAX);
    const char *variables = cli_string(args, "variables");
    _cleanup_(arena_done) struct arena a;
    struct path_env env = {.a = &a};
    struct path_items out = {0};
    int r;

    arena_init(&a, ARENA_MAX);
    r = read_all(args->operands[1], &text, err);
    if (r >= 0)
        r = parse(&a, text.n ? sb_view(&text) : STR(""), &env.resource, err);
    if (r >= 0 && variables)
        r = add_variables(&env, variables, err);
    if (cli_flag(args, "trace"))
        env.trace = hear;
    if (r >= 0)
        r = answers_open(args, &answers, err);
    if (answers.node)
        env.world = &answers.world.over.world;
    if (r >= 0)
        r = evaluate(args, &env, &out, err);
    if (r < 0)
        return r;
    path_write(&line, &out);
    sb_char(&line, '\n');
    r = sb_ok(&line, err);
    r = r < 0 ? r : cli_write(STDOUT_FILENO, sb_view(&line), err);
    return r < 0 ? r : 0;
}

const struct cli_command cmd_fhirpath = {
    .name = "fhirpath",
    .summary = "evaluate a FHIRPath expression on a resource",
    .about = "Evaluates EXPR (FHIRPath 2.0) on the resource in FILE (JSON or XML, - is standard\n"
             "input), and prints the result as one JSON array: elements as they stand in the\n"
             "resource, computed numbers with their digits, dates as their text, quantities\n"
             "as FHIRPath writes them.\n"
             "\n"
             "Elements and types that R4 does not have are errors, as is an order asked of\n"
             "items that have none, unless --lenient is given. Nothing is fetched: resolve()\n"
             "finds what is in the resource itself, or in the node's data with --data, which\n"
             "memberOf(), subsumes(), conformsTo() and slice() are answered from, too.",
    .operands = "EXPR FILE",
    .operands_min = 2,
    .operands_max = 2,
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
