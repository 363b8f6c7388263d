/* package_install.c - the definitions of packages into the store, and out of it again. */
#include "server/package.h"

#include "base/js.h"
#include "fhir/defs.h"
#include "server/package_table.h"
#include "trust/trust.h"

#include <stdio.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1200
#define CORE STR("hl7.fhir.r4.core") /* what every node has */

/* "4.0.1" is met by itself; "4.0.x" by any of them; "current" and "latest" by whatever there is. */
static bool is_met(struct str wanted, struct str have)
{
    if (str_eq(wanted, have) || str_eq(wanted, STR("current")) || str_eq(wanted, STR("latest")))
        return true;
    return str_ends(wanted, STR(".x")) && str_starts(have, str_head(wanted, wanted.n - 1));
}

/* ---- what is to be installed, in order ---- */

struct plan {
    const struct package_options *options;
    struct arena *a;
    struct package_table *table;
    struct package packages[PACKAGES_MAX]; /* what others depend on comes first */
    size_t n;
    struct package given[PACKAGES_MAX];
    size_t n_given;
    char missing[ERR_TEXT_MAX / 2];
    struct err *err;
};

static int plan_package(struct plan *p, const struct package *package, unsigned depth);

static bool is_planned(const struct plan *p, const struct package_name *id)
{
    for (size_t i = 0; i < p->n; i++)
        if (str_eq(p->packages[i].id.name, id->name) &&
            is_met(id->version, p->packages[i].id.version))
            return true;
    return false;
}

static void note_missing(struct plan *p, const struct package_name *id)
{
    size_t n = strlen(p->missing);

    snprintf(p->missing + n, sizeof p->missing - n, "%s%.*s#%.*s", n ? ", " : "", STR_ARG(id->name),
             STR_ARG(id->version));
}

/* NAME-VERSION.tgz or NAME#VERSION.tgz in the folder. */
static int find_in_folder(struct plan *p, const struct package_name *id, struct package *ret)
{
    static const char between[] = {'-', '#'};

    for (size_t i = 0; p->options->folder && i < ARRAY_LEN(between); i++) {
        struct str path = arena_fmt(p->a, "%s/%.*s%c%.*s.tgz", p->options->folder,
                                    STR_ARG(id->name), between[i], STR_ARG(id->version));
        if (!path.p)
            return err_no_memory(p->err);
        if (access(path.p, R_OK) == 0) {
            int r = package_read(path.p, p->a, ret, p->err);
            return r < 0 ? r : 1;
        }
    }
    return 0;
}

static int plan_dependency(struct plan *p, const struct package_name *id, unsigned depth)
{
    const struct package_row *have = package_table_find(p->table, id->name);
    struct package *found;
    int r;

    if (str_eq(id->name, CORE) || is_planned(p, id) ||
        (have && is_met(id->version, have->id.version)))
        return 0;
    for (size_t i = 0; i < p->n_given; i++)
        if (str_eq(p->given[i].id.name, id->name) && is_met(id->version, p->given[i].id.version))
            return plan_package(p, &p->given[i], depth + 1);
    found = ARENA_NEW(p->a, struct package);
    if (!found)
        return err_no_memory(p->err);
    r = find_in_folder(p, id, found);
    if (r > 0)
        return plan_package(p, found, depth + 1);
    if (r == 0)
        note_missing(p, id);
    return r;
}

static void say_installed(const struct plan *p, const struct package_name *id)
{
    char text[LINE_MAX_BYTES];

    snprintf(text, sizeof text, "%.*s#%.*s is installed already", STR_ARG(id->name),
             STR_ARG(id->version));
    p->options->say(p->options->ctx, text);
}

static int plan_package(struct plan *p, const struct package *package, unsigned depth)
{
    const struct package_row *have = package_table_find(p->table, package->id.name);
    int r;

    if (is_planned(p, &package->id))
        return 0;
    if (have && str_eq(have->id.version, package->id.version)) {
        say_installed(p, &package->id);
        return 0;
    }
    if (have)
        return err_set(
            p->err, ERR_CONFLICT, "%.*s#%.*s is installed; remove it before #%.*s is installed",
            STR_ARG(have->id.name), STR_ARG(have->id.version), STR_ARG(package->id.version));
    if (depth > PACKAGE_DEPENDENCIES_MAX || p->n == PACKAGES_MAX)
        return err_set(p->err, ERR_COSTLY, "packages depend on one another without an end");
    for (size_t i = 0; i < package->n_dependencies; i++)
        if ((r = plan_dependency(p, &package->dependencies[i], depth)) < 0)
            return r;
    if (!is_planned(p, &package->id))
        p->packages[p->n++] = *package;
    return 0;
}

static int pass_over(void *ctx, struct str file, struct str json, struct err *err)
{
    (void)ctx;
    (void)file;
    (void)json;
    (void)err;
    return 0;
}

/* A damaged package changes nothing: each is unpacked to its end before the first is installed. */
static int check_whole(const struct plan *p)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < p->n; i++)
        r = package_each(p->packages[i].path, pass_over, NULL, p->err);
    return r;
}

static int make_plan(struct plan *p)
{
    char text[LINE_MAX_BYTES];
    int r = 0;

    if (p->options->n_paths > PACKAGES_MAX)
        return err_set(p->err, ERR_COSTLY, "more than %d packages are named", PACKAGES_MAX);
    for (; r >= 0 && p->n_given < p->options->n_paths; p->n_given++)
        r = package_read(p->options->paths[p->n_given], p->a, &p->given[p->n_given], p->err);
    for (size_t i = 0; r >= 0 && i < p->n_given; i++)
        r = plan_package(p, &p->given[i], 0);
    if (r < 0)
        return r;
    if (p->missing[0] && !p->options->is_incomplete)
        return err_set(p->err, ERR_NOT_FOUND, "these packages are missing: %s", p->missing);
    if (p->missing[0]) {
        snprintf(text, sizeof text, "these packages are missing: %s", p->missing);
        p->options->say(p->options->ctx, text);
    }
    return check_whole(p);
}

/* ---- one package into the store ---- */

struct installing {
    const struct place *place;
    const struct package_options *options;
    const struct package *package;
    struct arena a; /* of one commit */
    struct api_line lines[PACKAGE_COMMIT_RESOURCES];
    struct str names[PACKAGE_COMMIT_RESOURCES]; /* "Type/id" */
    size_t n;
    struct sb resources; /* those that are in, with blanks between */
    size_t bytes;        /* of the lines that wait */
    size_t n_all, n_left_out;
};

static void say_left_out(struct installing *in, struct str name, const char *why)
{
    char text[LINE_MAX_BYTES];

    in->n_left_out++;
    snprintf(text, sizeof text, "left out %.*s: %s", (int)MIN(name.n, 200u), name.p, why);
    in->options->say(in->options->ctx, text);
}

/* Memory and disk are no fault of the resource: it is not left out, the package is not installed.
 */
static bool is_of_node(int code)
{
    return code < 0 && err_http_status(code) >= 500;
}

static int commit(struct installing *in, const struct place_note *note, struct err *err)
{
    int r = place_put(in->place, &in->a, PLACE_PACKAGE, in->lines, in->n, note, err);

    for (size_t i = 0; r >= 0 && i < in->n; i++) {
        if (is_of_node(in->lines[i].result)) {
            r = in->lines[i].result;
            *err = in->lines[i].err;
            continue;
        }
        if (in->lines[i].result < 0) {
            say_left_out(in, in->names[i], in->lines[i].err.text);
            continue;
        }
        if (in->resources.n)
            sb_char(&in->resources, ' ');
        sb_str(&in->resources, in->names[i]);
        in->n_all++;
    }
    in->n = in->bytes = 0;
    arena_reset(&in->a);
    if (r >= 0 && in->options->progress)
        in->options->progress(in->options->ctx, &in->package->id, in->n_all);
    return r;
}

/* What a server works by: all that has a canonical. */
static bool is_definition(yyjson_val *root)
{
    return js_get_str(root, "url").n > 0 ||
           str_eq(js_get_str(root, "resourceType"), STR("NamingSystem"));
}

/* Without the narrative: of a definition it is the layout of a page on its publisher's site. */
static int keep_text(struct installing *in, yyjson_val *root, struct str *ret, struct err *err)
{
    _cleanup_(sb_done) struct sb out = sb_make(PACKAGE_FILE_MAX);
    yyjson_val *key, *val;
    size_t i, n;

    sb_char(&out, '{');
    yyjson_obj_foreach(root, i, n, key, val) {
        if (str_eq(js_str(key), STR("text")))
            continue;
        if (out.n > 1)
            sb_char(&out, ',');
        sb_json(&out, js_str(key));
        sb_char(&out, ':');
        js_write(&out, val);
    }
    sb_char(&out, '}');
    if (sb_ok(&out, err) < 0)
        return ERR_NO_MEMORY;
    *ret = arena_dup(&in->a, sb_view(&out));
    return ret->p ? 0 : err_no_memory(err);
}

static int take(void *ctx, struct str file, struct str json, struct err *err)
{
    struct installing *in = ctx;
    struct api_line *line = &in->lines[in->n];
    struct str type, id;
    yyjson_val *root;
    struct err why;

    if (js_parse(&in->a, json, &root, &why) < 0) {
        if (is_of_node(why.code)) {
            *err = why;
            return why.code;
        }
        say_left_out(in, file, why.text);
        return 0;
    }
    type = js_get_str(root, "resourceType");
    id = js_get_str(root, "id");
    if (!is_definition(root))
        return 0;
    if (!def_resource(type) || !id.n) {
        say_left_out(in, file, id.n ? "it is no resource of R4" : "it has no id");
        return 0;
    }
    if (in->n_all + in->n_left_out >= PACKAGE_RESOURCES_MAX)
        return err_set(err, ERR_COSTLY, "the package has more than %d resources",
                       PACKAGE_RESOURCES_MAX);
    *line = (struct api_line){.result = 0};
    if (keep_text(in, root, &line->text, err) < 0)
        return err->code;
    in->names[in->n] = arena_fmt(&in->a, "%.*s/%.*s", STR_ARG(type), STR_ARG(id));
    if (!in->names[in->n].p)
        return err_no_memory(err);
    in->bytes += line->text.n;
    return ++in->n == PACKAGE_COMMIT_RESOURCES || in->bytes >= PLACE_LINES_BYTES
               ? commit(in, &(struct place_note){0}, err)
               : 0;
}

/* With the last commit the package is in the table. */
static int finish(struct installing *in, struct err *err)
{
    struct place_note note = {
        .kind = NOTE_PACKAGE, .a = in->package->id.name, .b = in->package->id.version};
    int r = commit(in, &(struct place_note){0}, err);

    if (r < 0 || (r = sb_ok(&in->resources, err)) < 0)
        return r;
    note.c = sb_view(&in->resources);
    note.n = in->n_all;
    return commit(in, &note, err);
}

static int install_one(struct plan *plan, const struct place *place, const struct package *package)
{
    _cleanup_(arena_done) struct arena own;
    struct installing *in;
    char text[LINE_MAX_BYTES];
    int r;

    arena_init(&own, MIB(4));
    in = ARENA_NEW(&own, struct installing);
    if (!in)
        return err_no_memory(plan->err);
    in->place = place;
    in->options = plan->options;
    in->package = package;
    in->resources = sb_make(PLACE_TABLE_MAX);
    arena_init(&in->a, PACKAGE_ARENA_MAX);
    r = package_each(package->path, take, in, plan->err);
    if (r >= 0)
        r = finish(in, plan->err);
    if (r >= 0) {
        snprintf(text, sizeof text, "%.*s#%.*s: %zu resources installed, %zu left out",
                 STR_ARG(package->id.name), STR_ARG(package->id.version), in->n_all,
                 in->n_left_out);
        plan->options->say(plan->options->ctx, text);
    }
    arena_done(&in->a);
    sb_done(&in->resources);
    return r;
}

int package_install(const struct place *place, const struct package_options *options,
                    struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    struct str table;
    struct plan *p;
    int r;

    arena_init(&a, PACKAGE_ARENA_MAX);
    p = ARENA_NEW(&a, struct plan);
    if (!p)
        return err_no_memory(err);
    p->options = options;
    p->a = &a;
    p->err = err;
    r = place_packages(place, &a, &table, err);
    if (r >= 0)
        r = package_table_read(&a, table, &p->table, err);
    if (r >= 0)
        r = make_plan(p);
    for (size_t i = 0; r >= 0 && i < p->n; i++)
        r = install_one(p, place, &p->packages[i]);
    return MIN(r, 0);
}

/* ---- out again, and what is there ---- */

static void put_delete(struct sb *out, struct str name, bool is_first)
{
    sb_str(out, is_first ? STR("{\"request\":{\"method\":\"DELETE\",\"url\":")
                         : STR(",{\"request\":{\"method\":\"DELETE\",\"url\":"));
    sb_json(out, name);
    sb_lit(out, "}}");
}

static int drop_row(void *ctx, struct store_txn *txn, struct err *err)
{
    return package_row_drop(txn, *(const struct str *)ctx, err);
}

/* As many of *rest as one transaction takes. The row goes with the last of them: what was cut off
 * in between is removed again, and to delete what is gone is no error. */
static int remove_some(struct api *api, struct str *rest, struct str name, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    _cleanup_(sb_done) struct sb body = sb_make(PLACE_TABLE_MAX);
    struct str one;
    size_t n = 0, failed;

    arena_init(&a, PACKAGE_ARENA_MAX);
    sb_lit(&body, "{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[");
    for (; n < API_BUNDLE_ENTRIES_MAX && rest->n && str_split(rest, ' ', &one); n++)
        put_delete(&body, one, n == 0);
    sb_lit(&body, "]}");
    if (sb_ok(&body, err) < 0)
        return ERR_NO_MEMORY;
    return api_bundle(api, &a, place_worker_access(PLACE_PACKAGE), sb_view(&body),
                      rest->n ? NULL : drop_row, &name, &failed, NULL, err);
}

int package_remove(struct api *api, struct store *store, struct str which, size_t *ret_n,
                   struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    ptrdiff_t hash = str_find(which, '#');
    struct str name = hash < 0 ? which : str_head(which, (size_t)hash), rest;
    struct package_table *table;
    const struct package_row *row;
    int r;

    arena_init(&a, PACKAGE_ARENA_MAX);
    r = package_table_text(store, &a, &rest, err);
    if (r < 0 || (r = package_table_read(&a, rest, &table, err)) < 0)
        return r;
    row = package_table_find(table, name);
    if (!row || (hash >= 0 && !str_eq(row->id.version, str_from(which, (size_t)hash + 1))))
        return err_set(err, ERR_NOT_FOUND, "the package %.*s is not installed",
                       (int)MIN(which.n, 200u), which.p);
    *ret_n = row->n;
    rest = row->resources;
    do
        r = remove_some(api, &rest, name, err);
    while (r >= 0 && rest.n);
    return r;
}

int package_list(const struct place *place, void (*say)(void *ctx, const char *name, size_t n),
                 void *ctx, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    struct package_table *table;
    struct str text;
    int r;

    arena_init(&a, PACKAGE_ARENA_MAX);
    r = place_packages(place, &a, &text, err);
    if (r >= 0)
        r = package_table_read(&a, text, &table, err);
    for (size_t i = 0; r >= 0 && i < table->n; i++) {
        struct str name = arena_fmt(&a, "%.*s#%.*s", STR_ARG(table->rows[i].id.name),
                                    STR_ARG(table->rows[i].id.version));
        if (!name.p)
            return err_no_memory(err);
        say(ctx, name.p, table->rows[i].n);
    }
    return r;
}
