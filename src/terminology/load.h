/* load.h - terminologies from the files that their owners publish: recognised by what is in them,
 * read as a stream, and put together when all files are read.
 *
 * A malformed line ends the loading with its file, line and reason; nothing was stored by then.
 * The formats are in docs/guides/terminology.md.
 */
#ifndef TERMINOLOGY_LOAD_H
#define TERMINOLOGY_LOAD_H

#include "base/err.h"
#include "base/sb.h"

#define LOAD_RESOURCE_MAX MIB(64) /* bytes of one JSON file */
#define LOAD_CELLS_MAX 64         /* of one line that are looked at */

/* One thing that was put together: an image and the resource that describes it. */
struct load_result {
    const char *type; /* "CodeSystem" or "ConceptMap" */
    struct str url, version;
    struct str resource; /* JSON */
    struct str image;    /* empty: the resource is all there is */
    size_t n;            /* concepts, or mappings */
};

struct load_sink {
    void *ctx;
    int (*take)(void *ctx, const struct load_result *result, struct err *err);
    /* A resource of a FHIR package or a JSON file, as it stands. */
    int (*resource)(void *ctx, struct str json, struct err *err);
    /* Packed bytes done and in all, of one file; may be NULL. */
    void (*progress)(void *ctx, const char *path, uint64_t done, uint64_t all);
};

struct load;

struct load *load_new(const struct load_sink *sink);
void load_free(struct load *l);
static inline void load_freep(struct load **l)
{
    load_free(*l);
}
/* ERR_NOT_SUPPORTED when nothing in the file is known. */
int load_read(struct load *l, const char *path, struct err *err);
/* The same of bytes in memory, called `name`. */
int load_read_memory(struct load *l, const char *name, struct str bytes, struct err *err);
/* Puts together what was read and gives it to the sink. */
int load_finish(struct load *l, struct err *err);

#endif
