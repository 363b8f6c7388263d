/* audit_int.h - what the files of the audit log share. Stays inside trust/audit. */
#ifndef TRUST_AUDIT_AUDIT_INT_H
#define TRUST_AUDIT_AUDIT_INT_H

#include "trust/audit/audit.h"
#include "trust/audit/file.h"
#include "trust/audit/segment.h"

#include <fcntl.h>
#include <pthread.h>

#define ROOTS_NAME "roots"
#define HEAD_NAME "head"
#define WITNESSED_NAME "head.witnessed"
#define KEY_NAME "key.pub" /* the log's public key, as a vkey */
#define LOCK_NAME "lock"

/* A note in memory with the size it is of. */
struct kept_head {
    struct sb note; /* empty: none */
    uint64_t size;
};

struct audit_log {
    int dir_fd, lock_fd;
    bool read_only;
    struct note_key key;
    struct note_signer *signer;
    struct merkle_hash id; /* SHA-256 of the origin: what binds files to this log */
    const struct audit_config *config;
    unsigned char data_key[XAES_KEY_BYTES]; /* of a sealed log */
    char pass[2 * XAES_KEY_BYTES + 1];      /* its signing key's passphrase */
    bool is_sealed;
    struct cipher cipher; /* of who opens the log, then of who appends */

    /* The tree; written by the appending thread alone, read by all under `lock`. */
    pthread_mutex_t lock;
    struct merkle_hash *roots; /* of sealed segments */
    size_t n_roots, cap_roots;
    struct segment *current; /* its arrays are read without the lock, below its n */
    struct merkle_tree tree; /* whole tiles; the rest is current->tile */
    uint64_t size;           /* leaves that are durable */
    struct kept_head head, witnessed;

    /* append.c */
    pthread_mutex_t queue_lock;
    pthread_cond_t queued; /* there is something, or as much as is awaited */
    struct audit_append *first, *last;
    size_t n_queued, awaited;
    int64_t sync_us; /* what making a batch durable takes, smoothed */
    bool stop;
    atomic_bool broken;
    struct sb batch;
    pthread_t appender;
    bool has_appender;

    /* sign.c and witnesses */
    pthread_cond_t grown, signed_one; /* with `lock` */
    bool stop_signer;
    pthread_t signer_thread, submitter;
    bool has_signer, has_submitter;
};

/* ---- open.c ---- */

int segment_make(struct audit_log *log, uint64_t number, struct segment **ret, struct err *err);
void segment_free(struct segment *s);
/* For a thread's own use; the caller ends it. */
int log_cipher(const struct audit_log *log, struct cipher *ret, struct err *err);
/* Adds one leaf to the segment in hand and to the tree. */
void log_add(struct audit_log *log, uint32_t at, const struct merkle_hash *leaf, uint64_t patient);
/* Closes a full segment and begins the next one. */
int log_roll(struct audit_log *log, struct err *err);
/* The tree's root as it is, `lock` held (or by the appending thread). */
void log_root(const struct audit_log *log, struct merkle_hash *ret);

/* ---- read.c ---- */

/* Nodes of the first `size` leaves. */
struct log_nodes {
    struct audit_log *log;
    uint64_t tile; /* whose leaves are at hand; UINT64_MAX: none */
    size_t n;
    struct merkle_hash leaves[TILE_LEAVES];
};

/* Visits leaves [from, to), all of one tile. */
int log_walk(struct audit_log *log, uint64_t from, uint64_t to, segment_visit *visit, void *ctx,
             struct err *err);
struct merkle_nodes log_nodes_of(struct audit_log *log, struct log_nodes *state);

/* ---- erase.c ---- */

/* Writes the index of a full segment from what the segment holds. */
int segment_reindex(struct audit_log *log, uint64_t number, struct err *err);

/* ---- append.c ---- */

int appender_start(struct audit_log *log, struct err *err);
void appender_stop(struct audit_log *log);

/* ---- heads.c ---- */

/* Makes, writes and keeps a head of what is durable now. */
int heads_sign(struct audit_log *log, struct err *err);
/* Reads the heads that were written and holds the log against them. */
int heads_load(struct audit_log *log, struct err *err);
int heads_start(struct audit_log *log, struct err *err);
void heads_stop(struct audit_log *log);
/* witnesses.c: the thread that brings heads to witnesses. */
void *witnesses_run(void *ctx);

#endif
