/* arena.h - a request's memory: many small allocations, one release, a byte limit.
 *
 * An arena hands out memory until its limit; at the limit (or when malloc fails) arena_alloc
 * returns NULL, and that is how a hostile request ends instead of the node. Nothing is freed alone.
 * Not safe for use by two threads at once.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

#include <stdatomic.h>

#define ARENA_CHUNK_BYTES KIB(16)
#define ARENA_BLOCK_BYTES KIB(16) /* blocks that arena_regrow moves have so many, at least */
#define ARENA_SMALL_BYTES MIB(1)  /* an arena up to this is a small one of its budget */
#define ARENA_BUDGET_LARGE(max) ((max) / 4 * 3) /* what the large ones may use of it together */

struct arena_chunk;
struct arena_release;

/* Memory that many arenas have together. Large ones leave a quarter of it to small ones, so that
 * a few large requests cannot starve the others. Safe for any threads. */
struct arena_budget {
    atomic_size_t used;
    size_t max;
};

/* Counts n bytes that lie elsewhere; false (and nothing counted) when they do not fit. */
bool arena_budget_take(struct arena_budget *b, size_t n, bool is_large);
void arena_budget_give(struct arena_budget *b, size_t n);

struct arena {
    struct arena_chunk *head; /* current chunk first */
    char *at, *end;           /* free part of the current chunk */
    size_t used_bytes;        /* taken from malloc */
    size_t block_bytes;       /* of them for blocks of arena_regrow */
    size_t limit_bytes;
    struct arena_budget *budget; /* set while empty; NULL: none. Outlives the arena */
    bool starved;                /* the budget said no, not the limit */
    struct arena_release *releases;
};

void arena_init(struct arena *a, size_t limit_bytes);
void arena_done(struct arena *a);
/* Back to empty; keeps the first chunk so that a reused arena does not call malloc. */
void arena_reset(struct arena *a);

/* n bytes aligned for any type, not cleared; NULL at the limit. n == 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t n);
/* Makes room for n bytes in one piece, so that growing within them copies nothing. No promise. */
void arena_reserve(struct arena *a, size_t n);
/* Cleared; NULL at the limit or when n * size overflows. */
void *arena_calloc(struct arena *a, size_t n, size_t size);
/* Grows an array: a new block of new_n bytes with the old bytes (in place where possible). */
void *arena_grow(struct arena *a, void *old, size_t old_n, size_t new_n);
/* The same for what nobody else points to: a large block is moved, and leaves nothing behind. `old`
 * comes from here, or is NULL. */
void *arena_regrow(struct arena *a, void *old, size_t old_n, size_t new_n);
/* A copy, with a NUL behind it; .p is NULL at the limit. */
struct str arena_dup(struct arena *a, struct str s);
/* Formatted text with a NUL behind it; .p is NULL at the limit. */
struct str arena_fmt(struct arena *a, const char *fmt, ...) _printf_(2, 3);

/* Parts put together, with a NUL behind; .p is NULL at the limit. */
struct str arena_join(struct arena *a, const struct str *parts, size_t n);

/* Calls release(what) when the arena is reset or done, what was deferred last first: for references
 * that what lies in the arena needs. False at the limit, with nothing kept. */
bool arena_defer(struct arena *a, void (*release)(void *what), void *what);

#define ARENA_NEW(a, type) ((type *)arena_calloc((a), 1, sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_calloc((a), (n), sizeof(type)))

#endif
