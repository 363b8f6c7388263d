/* import_int.h - inside of the import: reader (import.c) → chunks → workers (import_work.c) → a
 * store of our own (import_chunk.c), or a running node's (import_node.c, whose other end is
 * operator.c). The position (import_position.c) is written in the same transaction as a chunk's
 * effect.
 */
#ifndef SERVER_IMPORT_INT_H
#define SERVER_IMPORT_INT_H

#include "server/import.h"

#include <pthread.h>

#define IMPORT_QUEUE 8
#define IMPORT_THREADS_MAX 64
#define IMPORT_THREADS_WAITING 2 /* how many wait for a commit */

struct chunk_line {
    size_t at, n;
    uint64_t number;
};

/* Some lines of a file, stored in one commit; a Bundle is a chunk alone. */
struct chunk {
    const char *file;
    uint64_t number;
    bool alone;
    char *text;
    size_t n, cap;
    struct chunk_line *lines;
    size_t n_lines;
};

struct chunk *chunk_new(const char *file, bool alone);
bool chunk_add(struct chunk *c, struct str line, uint64_t number);
void chunk_free(struct chunk *c);

/* What does not go in, with the line's number and text as they stand in the chunk. */
struct reject {
    uint64_t line;
    struct str text, code, where, reason;
    struct api_rule broken;
};

struct chunk_result {
    uint64_t resources, bundles;
    bool was_done;          /* by another import of the same file: nothing was stored now */
    struct reject *rejects; /* in the arena */
    size_t n_rejects;
};

#define IMPORT_POSITION_NAME_MAX 128
#define IMPORT_POSITION_PREFIX "import:"

/* Stores a chunk, and in the same transaction that it is stored, where `position` is not "". The
 * result's memory is the arena's. < 0 only when the chunk as a whole could not be stored. */
int chunk_run(struct api *api, struct arena *a, const struct chunk *c, const char *position,
              struct chunk_result *ret, struct err *err);

/* Which chunks of one file are stored: all below `low`, and those marked above it. */
struct position {
    uint64_t low;
    uint64_t *above;
    size_t n_above, cap_above;
};

/* The name of a file's position: a meta value of the store; "" for what is no regular file. */
void position_name(const char *file, char ret[IMPORT_POSITION_NAME_MAX]);
/* The text is what the store holds: "low a b c". */
int position_parse(struct position *p, struct str text, struct err *err);
bool position_is_done(const struct position *p, uint64_t chunk);
/* Inside a job. ERR_DUPLICATE when the chunk is marked already. */
int position_mark(const char *name, uint64_t chunk, struct store_txn *txn, struct err *err);
int position_read(struct store *store, const char *name, struct arena *a, struct str *ret,
                  struct err *err);
void position_done(struct position *p);

/* import_node.c: the same two, in a running node. */
int node_position_read(const char *socket, const char *name, struct arena *a, struct str *ret,
                       struct err *err);
int node_chunk_run(const char *socket, struct arena *a, const struct chunk *c, const char *position,
                   struct chunk_result *ret, struct err *err);

struct import {
    const struct import_place *place;
    const struct import_config *config;
    char position_name[IMPORT_POSITION_NAME_MAX];
    struct position position;  /* as it was when the file was begun */
    struct import_stats stats; /* under `lock`, but for bytes, which only the reader writes */
    uint64_t bytes_before;     /* of the files before this one */
    int rejects_fd;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct chunk *queue[IMPORT_QUEUE];
    size_t n_queued, n_busy;
    bool stopping, failed;
    struct err err;
    pthread_t threads[IMPORT_THREADS_MAX];
    unsigned n_threads;
};

int import_start(struct import *im, struct err *err);
void import_stop(struct import *im);
/* Hands a chunk to the workers, waiting for room; negative when the import has failed. */
int import_queue(struct import *im, struct chunk *c);
/* Waits until nothing is queued or under way. */
void import_drain(struct import *im);

#endif
