/* import.h - files of resources into the store: parallel parsing, one writer, resumable.
 *
 * A file is NDJSON or one document in JSON or XML, plain or gzip, "-" is standard input. A Bundle
 * of type transaction or batch is executed; of any other type but document and message, its entries
 * are stored one by one. The position in a file is committed with what it stored, so that an import
 * that was killed goes on where it was; standard input always starts at its beginning.
 */
#ifndef SERVER_IMPORT_H
#define SERVER_IMPORT_H

#include "api/api.h"

#define IMPORT_LINE_MAX (MIB(64)) /* one line, or one document that is not NDJSON */
#define IMPORT_CHUNK_LINES 1000   /* plain resources in one commit */
#define IMPORT_CHUNK_BYTES MIB(2)
#define IMPORT_ARENA_MAX MIB(1024) /* memory of one worker */
#define IMPORT_REJECTS_TOLD 3      /* rejects also told on standard error */

struct import_stats {
    uint64_t lines, resources, bundles, rejected, skipped; /* skipped: done in an earlier run */
    uint64_t bytes, bytes_all; /* of the files as they lie on disk; all: 0 if not known */
};

struct import_config {
    char *const *files;
    int n_files;
    const char *rejects; /* file that rejects are appended to, a JSON line each */
    unsigned threads;    /* chunks under way at once, 0: two more than cores */
    void (*progress)(void *ctx, const struct import_stats *s); /* now and then; may be NULL */
    void *ctx;
};

/* Where resources go: a store of our own, or that of the node that serves `socket`. */
struct import_place {
    struct api *api;
    struct store *store;
    const char *socket; /* NULL: api and store */
};

/* Imports all files in order. A rejected line is no failure: ret->rejected counts them. Beside a
 * running node the files are read and the rejects are written here, by this process; ERR_TIMEOUT
 * when the node went away: what it said is stored, and the same import goes on from there. */
int import_run(const struct import_place *place, const struct import_config *config,
               struct import_stats *ret, struct err *err);

/* How many threads work at an import: as many as are asked for; 0: two more than cores, since some
 * wait for a commit while others go on preparing. */
unsigned import_threads(unsigned wanted);

#endif
