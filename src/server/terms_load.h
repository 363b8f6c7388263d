/* terms_load.h - terminologies from files into a store: read and put together first, then kept. */
#ifndef SERVER_TERMS_LOAD_H
#define SERVER_TERMS_LOAD_H

#include "server/place.h"

struct terms_load_report {
    void *ctx;
    void (*progress)(void *ctx, const char *path, uint64_t done, uint64_t all); /* may be NULL */
    /* Once for each system or map, and once for all resources ("resources", ""); `n` concepts,
     * mappings or resources. */
    void (*loaded)(void *ctx, const char *type, struct str url, struct str version, uint64_t n);
    /* A resource that this node would refuse from anyone is left out; may be NULL. */
    void (*refused)(void *ctx, struct str json, const struct err *why);
};

/* Reads all files; nothing is stored when one of them is wrong. What is stored is stored whole:
 * each system or map with its resource in one transaction. */
int terms_load(const struct place *place, char *const *paths, size_t n,
               const struct terms_load_report *report, struct err *err);

struct terms_loaded {
    struct str type, url, version;
    uint64_t bytes;
};

/* What was loaded, in the order of its names. Of a store of our own, as terms_remove; a command
 * asks place_terms_list. */
int terms_list(struct store *store, struct arena *a, struct terms_loaded **ret, size_t *ret_n,
               struct err *err);

/* Takes away what is loaded under "url" or "url|version", with its resource; *ret_n: how many. */
int terms_remove(struct store *store, struct str canonical, size_t *ret_n, struct err *err);

#endif
