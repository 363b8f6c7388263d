#include "server/package.h"

#include "base/js.h"
#include "terminology/unpack.h"

#include <stdio.h>

#define MANIFEST STR("package/package.json")

static bool is_resource_file(struct str name)
{
    if (str_eq(name, MANIFEST) || str_eq(name, STR("package/.index.json")))
        return false;
    return str_starts(name, STR("package/")) && str_ends(name, STR(".json")) &&
           str_find(str_from(name, 8), '/') < 0;
}

static int no_package(const char *path, struct err *err)
{
    return err_set(err, ERR_VALUE, "\"%s\" is no FHIR package: it has no package/package.json",
                   path);
}

int package_each(const char *path,
                 int (*take)(void *ctx, struct str file, struct str json, struct err *err),
                 void *ctx, struct err *err)
{
    _cleanup_(unpack_closep) struct unpack *u = NULL;
    _cleanup_(sb_done) struct sb text = sb_make(PACKAGE_FILE_MAX + KIB(1));
    bool has_manifest = false;
    struct str name;
    int r = unpack_open(path, &u, err);

    while (r >= 0 && (r = unpack_next(u, &name, err)) > 0) {
        has_manifest |= str_eq(name, MANIFEST);
        if (!is_resource_file(name))
            continue;
        sb_reset(&text);
        r = unpack_rest(u, PACKAGE_FILE_MAX, &text, err);
        if (r >= 0)
            r = take(ctx, str_from(name, 8), sb_view(&text), err);
    }
    return r < 0 ? r : has_manifest ? 0 : no_package(path, err);
}

/* ---- the manifest ---- */

/* Names and versions end up in a table and in file names: only what npm allows. */
static bool is_tidy(struct str s)
{
    if (!s.n || s.n > PACKAGE_NAME_MAX || s.p[0] == '.')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '-' || c == '_' || c == '+'))
            return false;
    }
    return true;
}

/* "fhirVersions": ["4.0.1"], or "fhir-version-list"; a package of names alone may have none. */
static bool is_for_r4(yyjson_val *root)
{
    yyjson_val *list = js_get(root, "fhirVersions"), *v;
    size_t i, n;

    if (!list)
        list = js_get(root, "fhir-version-list");
    yyjson_arr_foreach(list, i, n, v) {
        if (str_starts(js_str(v), STR("4.0")))
            return true;
    }
    return yyjson_arr_size(list) == 0;
}

static int read_dependencies(yyjson_val *root, struct arena *a, struct package *p, struct err *err)
{
    yyjson_val *list = js_get(root, "dependencies"), *key, *val;
    size_t i, n;

    if (!yyjson_is_obj(list))
        return 0;
    yyjson_obj_foreach(list, i, n, key, val) {
        struct package_name *to = &p->dependencies[p->n_dependencies];
        if (p->n_dependencies == PACKAGE_DEPENDENCIES_MAX)
            return err_set(err, ERR_COSTLY, "\"%s\" depends on more than %d packages", p->path,
                           PACKAGE_DEPENDENCIES_MAX);
        if (!is_tidy(js_str(key)) || !is_tidy(js_str(val)))
            return err_set(err, ERR_VALUE, "\"%s\" depends on something that is no package",
                           p->path);
        to->name = arena_dup(a, js_str(key));
        to->version = arena_dup(a, js_str(val));
        if (!to->name.p || !to->version.p)
            return err_no_memory(err);
        p->n_dependencies++;
    }
    return 0;
}

static int read_manifest(const char *path, struct arena *a, struct str text, struct package *ret,
                         struct err *err)
{
    struct package p = {.path = path};
    yyjson_val *root;
    struct err why;

    if (js_parse(a, text, &root, &why) < 0)
        return err_set(err, ERR_SYNTAX, "package/package.json in \"%s\": %s", path, why.text);
    if (!is_tidy(js_get_str(root, "name")) || !is_tidy(js_get_str(root, "version")))
        return err_set(err, ERR_VALUE, "\"%s\" has no name and version of a package", path);
    if (!is_for_r4(root))
        return err_set(err, ERR_VALUE, "\"%s\" is not for FHIR R4", path);
    p.id.name = arena_dup(a, js_get_str(root, "name"));
    p.id.version = arena_dup(a, js_get_str(root, "version"));
    if (!p.id.name.p || !p.id.version.p)
        return err_no_memory(err);
    *ret = p;
    return read_dependencies(root, a, ret, err);
}

int package_read(const char *path, struct arena *a, struct package *ret, struct err *err)
{
    _cleanup_(unpack_closep) struct unpack *u = NULL;
    _cleanup_(sb_done) struct sb text = sb_make(PACKAGE_FILE_MAX + KIB(1));
    struct str name;
    int r = unpack_open(path, &u, err);

    while (r >= 0 && (r = unpack_next(u, &name, err)) > 0)
        if (str_eq(name, MANIFEST)) {
            r = unpack_rest(u, PACKAGE_FILE_MAX, &text, err);
            return r < 0 ? r : read_manifest(path, a, sb_view(&text), ret, err);
        }
    return r < 0 ? r : no_package(path, err);
}
