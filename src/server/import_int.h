/* import_int.h - inside of the import: reader (import.c) → chunks → workers (import_work.c); the
 * position (import_position.c) is written in the same transaction as a chunk's effect.
 */
#ifndef SERVER_IMPORT_INT_H
#define SERVER_IMPORT_INT_H

#include "server/import.h"

#include <pthread.h>

#define IMPORT_QUEUE 8
#define IMPORT_THREADS_MAX 64
#define IMPORT_THREADS_WAITING 2 /* how many wait for a commit while others go on preparing */

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

/* Which chunks of one file are stored: all below `low`, and those marked above it. Changed only on
 * the store's writer thread once loaded. */
struct position {
    char name[128]; /* of the store's meta value; "" for standard input */
    uint64_t low;
    uint64_t *above;
    size_t n_above, cap_above;
};

int position_load(struct position *p, struct store *store, const char *file, struct err *err);
bool position_is_done(const struct position *p, uint64_t chunk);
int position_mark(struct position *p, uint64_t chunk, struct store_txn *txn, struct err *err);
void position_done(struct position *p);

struct import {
    struct api *api;
    struct store *store;
    const struct import_config *config;
    struct position position;
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
