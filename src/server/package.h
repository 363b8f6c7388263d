/* package.h - FHIR packages: npm-style .tgz files of definitions, read and installed.
 *
 * Source: https://hl7.org/fhir/packages.html. An archive is read as it comes, within the bounds of
 * terminology/unpack.h; its files are told by name and nothing is unpacked to disk. What is
 * installed becomes resources of the store like any other; which ones came with which package is
 * kept beside them (docs/formats/packages.md), so that they can go again.
 */
#ifndef SERVER_PACKAGE_H
#define SERVER_PACKAGE_H

#include "server/place.h"

#define PACKAGE_FILE_MAX MIB(64)     /* one file of a package */
#define PACKAGE_NAME_MAX 128         /* a package's name or version */
#define PACKAGE_DEPENDENCIES_MAX 100 /* of one package */
#define PACKAGES_MAX 1000            /* installed, or given together */
#define PACKAGE_RESOURCES_MAX 50000  /* of one package */
#define PACKAGE_COMMIT_RESOURCES 500 /* stored in one commit */
#define PACKAGE_ARENA_MAX MIB(512)   /* memory of one commit */

struct package_name {
    struct str name, version;
};

struct package {
    struct package_name id;
    const char *path;
    struct package_name dependencies[PACKAGE_DEPENDENCIES_MAX];
    size_t n_dependencies;
};

/* What package/package.json says; strings in `a`. ERR_VALUE where it has no name or version, or is
 * for another FHIR version than R4. */
int package_read(const char *path, struct arena *a, struct package *ret, struct err *err);

/* Calls `take` with each resource of the package: package/NAME.json. The text is valid during the
 * call. */
int package_each(const char *path,
                 int (*take)(void *ctx, struct str file, struct str json, struct err *err),
                 void *ctx, struct err *err);

struct package_options {
    const char *const *paths;
    size_t n_paths;
    const char *folder; /* where dependencies are looked for as NAME-VERSION.tgz; may be NULL */
    bool is_incomplete; /* missing dependencies are told, not refused */
    /* What happens, one line each. */
    void (*say)(void *ctx, const char *text);
    /* So many resources of it are stored; may be NULL. */
    void (*progress)(void *ctx, const struct package_name *id, size_t n);
    void *ctx;
};

/* Installs packages with what they depend on. One that is installed already is passed over; another
 * version of it is ERR_CONFLICT, missing dependencies are ERR_NOT_FOUND with their names. Resources
 * that are not valid R4 are left out, and told. */
int package_install(const struct place *place, const struct package_options *options,
                    struct err *err);
/* "name" or "name#version": its resources are deleted. Of a store of our own; a command asks
 * place_package_remove. */
int package_remove(struct api *api, struct store *store, struct str which, size_t *ret_n,
                   struct err *err);
/* Calls `say` with "name#version" and the number of its resources. */
int package_list(const struct place *place, void (*say)(void *ctx, const char *name, size_t n),
                 void *ctx, struct err *err);

#endif
