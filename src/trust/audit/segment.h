/* segment.h - the log's files: 65,536 leaves each, in batches, one for each durable append. Bytes:
 * docs/formats/audit.md. Stays inside trust/audit.
 */
#ifndef TRUST_AUDIT_SEGMENT_H
#define TRUST_AUDIT_SEGMENT_H

#include "trust/audit/cipher.h"
#include "trust/audit/entry.h"
#include "trust/audit/merkle.h"

#include <stdatomic.h>

#define SEGMENT_BITS 16
#define SEGMENT_LEAVES (1u << SEGMENT_BITS)
#define TILE_BITS 8
#define TILE_LEAVES (1u << TILE_BITS)
#define SEGMENT_TILES (SEGMENT_LEAVES / TILE_LEAVES)
#define SEGMENT_HEAD_BYTES 64
#define BATCH_HEAD_BYTES 16
#define BATCH_CHECK_BYTES 8
#define BATCH_END_MAX XAES_MARK_BYTES /* in place of the check, where the batch is sealed */
#define BATCH_BYTES_MAX MIB(2)        /* between head and check */
#define BATCH_LEAVES_MAX 8192         /* so that finding one leaf reads a bounded piece */
#define SEGMENT_ROOM_BYTES KIB(256)   /* zeros that are kept behind the last batch */
/* The most that can stand behind the last whole batch: that room and half a batch. */
#define SEGMENT_TAIL_MAX                                                                           \
    (BATCH_HEAD_BYTES + BATCH_BYTES_MAX + BATCH_END_MAX + SEGMENT_ROOM_BYTES)
#define SEGMENT_NAME_BYTES 24

/* One leaf as it is stored: what is left of it when it was erased is its commitment. */
struct stored_leaf {
    bool is_erased;
    struct str salt;       /* AUDIT_SALT_BYTES */
    struct str head, tail; /* together the entry */
    struct str commitment; /* of an erased one */
};

/* The Merkle leaf: that of SHA-256(salt ‖ entry). */
void leaf_hash(const struct stored_leaf *leaf, struct merkle_hash *ret);
/* The number that the index knows a patient by, never 0; `tail` as of audit_entry_tail. */
uint64_t patient_key(struct str tail);
/* A leaf's patient, 0: none. */
uint64_t leaf_patient(const struct stored_leaf *leaf);

/* ---- a batch, written ---- */

void batch_begin(struct sb *out);
/* A record: leaves that begin with the same bytes. Then each of its leaves. */
void batch_record(struct sb *out, size_t n, struct str head);
void batch_leaf(struct sb *out, struct str salt, struct str tail);
void batch_erased(struct sb *out, struct str commitment);
/* Closes it, and seals it where the log is sealed (c may be NULL). */
int batch_end(struct sb *out, uint64_t first, size_t n, struct cipher *c, struct err *err);

/* ---- and read ---- */

struct batch {
    uint64_t first;
    uint32_t n;
    struct str rest;    /* records not read yet */
    struct str head;    /* of the record in hand */
    uint64_t in_record; /* leaves left in it */
};

/* The length of the batch whose first BATCH_HEAD_BYTES these are, 0 if they are of none. */
size_t batch_bytes(struct str head, const struct cipher *c);
/* 1: it is whole; 0: it is not; ERR_NO_MEMORY. What was sealed is opened into `plain`, which *ret
 * then points into. */
int batch_open(struct str bytes, struct cipher *c, struct sb *plain, struct batch *ret,
               struct err *err);
/* The next leaf: 1, 0 at the end, ERR_NO_STORE when the batch's content makes no sense. */
int batch_next(struct batch *b, struct stored_leaf *ret, struct err *err);

/* ---- a segment ---- */

struct tile {
    uint32_t at; /* byte in the segment of the batch that its first leaf is in */
    struct merkle_hash root;
};

/* The segment that is being written, or one that was just filled. */
struct segment {
    uint64_t number;
    int fd;
    uint64_t end;  /* bytes that are durable */
    uint64_t room; /* bytes that the file has, zeros behind `end` */
    atomic_uint n; /* leaves; what is said of them below is there before they are counted */
    struct tile tiles[SEGMENT_TILES];
    struct merkle_tree tile; /* of the tile that is not full yet */
    uint64_t patients[SEGMENT_LEAVES];
};

void segment_name(uint64_t number, const char *ending, char ret[SEGMENT_NAME_BYTES]);
void segment_head(uint64_t number, const struct cipher *c, unsigned char *ret);
bool segment_is_head(struct str bytes, uint64_t number, const struct cipher *c);

/* Counts one more leaf, of the batch at `at`; gives the tile's root when that is full: true. */
bool segment_add(struct segment *s, uint32_t at, const struct merkle_hash *leaf, uint64_t patient,
                 struct merkle_hash *ret_tile);

/* Reads batches from `at` to `end` and calls `visit` for each leaf whose number in the log is in
 * [from, to). A batch that is not whole ends it: *ret_at is its place, `end` if there is none.
 * `visit` returns negative to stop. */
typedef int segment_visit(void *ctx, uint64_t leaf, uint32_t at, const struct stored_leaf *stored,
                          struct err *err);
int segment_walk(int fd, struct cipher *c, uint64_t at, uint64_t end, uint64_t from, uint64_t to,
                 segment_visit *visit, void *ctx, uint64_t *ret_at, struct err *err);

/* ---- what is kept of a full segment beside it, so that a leaf is found without reading ---- */

/* Writes NNNNNNNN.idx. */
int segment_seal(int dir_fd, struct cipher *c, const struct segment *s, struct err *err);
/* Tiles `from` up to `from + n`. */
int sealed_tiles(int dir_fd, struct cipher *c, uint64_t number, unsigned from, unsigned n,
                 struct tile *ret, struct err *err);
/* The leaves of a patient that are below `before`, newest first, at most `max`; places in the
 * segment. */
int sealed_find(int dir_fd, struct cipher *c, uint64_t number, uint64_t patient, uint32_t before,
                uint16_t *ret, size_t max, size_t *ret_n, struct err *err);

#endif
