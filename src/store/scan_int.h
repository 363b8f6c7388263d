/* scan_int.h - what the search executor asks of a backend: ordered lists, and little else.
 *
 * The index is one ordered list of entries: list number (2 bytes, big endian), key, row number;
 * where a key has a head, the row's block stands behind that (docs/formats/index-keys.md). A
 * backend gives ranges of it in order; everything else about a search is the executor's
 * (search/search_int.h), so that two stores cannot answer differently.
 */
#ifndef STORE_SCAN_INT_H
#define STORE_SCAN_INT_H

#include "base/arena.h"
#include "base/err.h"
#include "fhir/index.h"
#include "fhir/validate.h"

#include <pthread.h>
#include <stdatomic.h>

#define ID_KEY_MAX (64 + 2)
#define ROW_BYTES 5 /* a row's number in an index key, big endian */
#define ROW_MAX ((UINT64_C(1) << 40) - 1)
#define BLOCK_BITS 14 /* rows whose numbers differ in these alone are a block (search/blocks.c) */
#define BLOCK_BYTES 4
#define ENTRY_MAX (2 + INDEX_KEY_MAX + 127 + BLOCK_BYTES + ROW_BYTES)

struct store_txn;

static inline void row_put(unsigned char *to, uint64_t row)
{
    for (int i = ROW_BYTES - 1; i >= 0; i--, row >>= 8)
        to[i] = (unsigned char)row;
}

static inline uint64_t row_get(const unsigned char *p)
{
    uint64_t row = 0;

    for (int i = 0; i < ROW_BYTES; i++)
        row = row << 8 | p[i];
    return row;
}

/* BLOCK_BITS, which is part of the format. Tests lower it before they make a store, to have many
 * blocks with little data. */
extern unsigned block_bits;

static inline uint64_t block_of(uint64_t row)
{
    return row >> block_bits;
}

static inline void block_put(unsigned char *to, uint64_t block)
{
    for (int i = BLOCK_BYTES - 1; i >= 0; i--, block >>= 8)
        to[i] = (unsigned char)block;
}

static inline uint64_t block_get(const unsigned char *p)
{
    uint64_t block = 0;

    for (int i = 0; i < BLOCK_BYTES; i++)
        block = block << 8 | p[i];
    return block;
}

/* Rows found so far; grows in an arena. */
struct rows {
    uint64_t *v;
    size_t n, cap;
};

int rows_add(struct rows *rows, struct arena *a, uint64_t row, struct err *err);

/* ---- what a process knows about lists ---- */

/* A list of rows was at least so long (hints.c). */
struct hint {
    uint64_t hash, position, rows;
};

#define HINTS_MAX 1024
#define LIST_WORDS (65536 / 64)

/* Type and id of a version, which never change (exec.c). */
#define IDENTITIES_MAX 4096
#define IDENTITY_BYTES 22 /* of an id's key; longer ones are not kept */
struct identity {
    uint64_t row; /* 0: none */
    uint8_t type, n;
    unsigned char id[IDENTITY_BYTES];
};

/* Rows that a _has has refused (refused.c): so many questions, so many rows of each. */
#define REFUSED_MAX 16
#define REFUSED_ROWS 4096
#define REFUSED_KEY_BYTES 110
struct refused {
    uint64_t used;     /* when last; 0: never */
    uint64_t made;     /* which question it is, among all that ever stood here */
    uint64_t position; /* of the feed, as of which the rows are refused */
    uint8_t key_n;
    unsigned char key[REFUSED_KEY_BYTES];
    uint64_t rows[REFUSED_ROWS]; /* each in the place of its number */
};

/* Lists of references that are kept by where they lead (targets.c). */
#define TARGETS_MAX 8
struct targets;

/* A thread that reads them before they are asked for again (targets_ahead.c). */
struct targets_ahead {
    pthread_t thread;
    pthread_cond_t wake; /* with kept_lock */
    bool is_running, has_to_end;
    struct {
        uint16_t list; /* 0: nothing is wanted here */
        uint8_t type;
    } wanted[TARGETS_MAX];
};

/* All that searches of ranges found (found.c). */
#define FOUND_MAX 16
struct found;

struct lists {
    /* Lists that hold some resource more than once: a walk in key order meets such a resource
     * several times. Only ever set. */
    atomic_uint_fast64_t multi[LIST_WORDS];
    pthread_mutex_t hints_lock;
    struct hint hints[HINTS_MAX];
    pthread_mutex_t kept_lock;                  /* of what follows */
    struct identity identities[IDENTITIES_MAX]; /* each in the place of its row */
    struct refused refused[REFUSED_MAX];
    uint64_t refused_clock;
    bool may_lag; /* lists may lack, for a moment, a resource that is being updated */
    struct targets *targets[TARGETS_MAX]; /* targets.c; NULL: none yet */
    uint64_t targets_clock;
    struct found *found[FOUND_MAX]; /* found.c; NULL: none yet */
    uint64_t found_clock;
    struct targets_ahead ahead;
};

/* At the end: nothing searches any more. */
void targets_clear(struct lists *l);
void found_clear(struct lists *l);
/* Ends the thread that reads ahead, if there is one: before the backend closes. */
void targets_ahead_stop(struct lists *l);

static inline bool list_is_multi(const struct lists *l, unsigned list)
{
    return atomic_load(&l->multi[list / 64]) >> (list % 64) & 1;
}

/* Whether this was news. */
static inline bool list_set_multi(struct lists *l, unsigned list)
{
    uint64_t bit = UINT64_C(1) << (list % 64);

    return !(atomic_load(&l->multi[list / 64]) & bit) &&
           !(atomic_fetch_or(&l->multi[list / 64], bit) & bit);
}

void hints_clear(struct lists *l);

/* ---- what a backend gives ---- */

/* Scans of different names may be open side by side, one of each. */
enum scan_of {
    SCAN_KEYS,
    SCAN_WALK,
    SCAN_MERGE,
    SCAN_TERMS, /* the shared terms: entries without a row */
};

/* A range under way. Its members are the backend's. */
struct scan {
    struct store_txn *txn;
    enum scan_of of;
    bool desc, ended;
    void *at; /* where the backend stands */
    size_t i, n, want;
    int place;    /* where the backend looks, if it has several places … */
    int32_t home; /* … and in which */
    struct str lo, hi;
    unsigned char last[ENTRY_MAX + 1]; /* the entry behind which the next batch begins */
};

struct id_row {
    unsigned char id[ID_KEY_MAX];
    size_t n;
    uint64_t row;
};

#define HAS_ALL_MAX 4096 /* keys of one question */

struct scan_ops {
    /* Entries that a seek reads ahead, where one question costs as much as many; 0: just one. */
    size_t ahead;
    /* First, by every search: takes the snapshot; makes what the job wrote so far visible. */
    int (*enter)(struct store_txn *txn, struct err *err);
    /* The rows of a point's list (parameter and key) in their order, and their bodies for those who
     * ask next, in one question and outside of the snapshot; how many, more than `max` if there are
     * more. *ret_position is the feed's then; 0: it cannot be told so this time, and neither can
     * how many. NULL where a question costs little, or one is not enough. */
    int (*few)(struct store_txn *txn, struct str point, uint64_t *ret, size_t max,
               uint64_t *ret_position, struct err *err);
    /* Entries k with lo <= k < hi in order. The bounds' bytes must outlive the scan. `want`: how
     * many are likely to be read; only a matter of speed. `within`: not NULL where only rows count
     * that stand in the list of this key (with its number, without a row) as well: a backend of
     * several places may leave out others. */
    int (*open)(struct scan *s, struct store_txn *txn, const struct str *within, enum scan_of of,
                struct str lo, struct str hi, bool desc, size_t want, struct err *err);
    /* 1 and the next entry, valid until the next call; 0 at the end; negative on failure. */
    int (*next)(struct scan *s, struct str *ret, struct err *err);
    void (*close)(struct scan *s); /* any number of times, also after a failed open */
    /* Whether an entry is there: 1 or 0. */
    int (*has)(struct store_txn *txn, enum scan_of of, struct str k, struct err *err);
    /* The same of many, different and in order, in one question. NULL where a question costs
     * little. */
    int (*has_all)(struct store_txn *txn, enum scan_of of, const struct str *k, size_t n, bool *ret,
                   struct err *err);
    int (*count)(struct store_txn *txn, const struct str *within, struct str lo, struct str hi,
                 uint64_t *ret, struct err *err);
    /* The newest version of an id; *ret_row 0: none, or it is a deletion. */
    int (*live_of)(struct store_txn *txn, int type, struct str id_key, uint64_t *ret_row,
                   struct err *err);
    /* Type (0: there is no such row) and id key of a row; `ret` may be NULL. */
    int (*identity)(struct store_txn *txn, uint64_t row, int *ret_type,
                    unsigned char ret[ID_KEY_MAX], size_t *ret_n, struct err *err);
    /* Live rows from `from` on (desc: downwards), at most max: how many. */
    int (*live)(struct store_txn *txn, uint64_t from, bool desc, uint64_t *ret, size_t max,
                struct err *err);
    /* Ids of a type behind `after` in order, with their newest versions, even deletions: how many.
     */
    int (*ids)(struct store_txn *txn, int type, struct str after, bool desc, struct id_row *ret,
               size_t max, struct err *err);
    /* Number of the first version with hlc_ms >= ms (one past the newest if there is none). */
    int (*row_at)(struct store_txn *txn, int64_t ms, uint64_t *ret, struct err *err);
    /* Bodies of these rows may be asked for next, in this order. Only a matter of speed. */
    void (*expect)(struct store_txn *txn, const uint64_t *rows, size_t n);
};

#endif
