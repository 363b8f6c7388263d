#include "base/arena.h"

#include "base/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
    _Alignas(max_align_t) char data[];
};

struct arena_release {
    void (*release)(void *what);
    void *what;
    struct arena_release *next;
};

#define ALIGN (_Alignof(max_align_t))

bool arena_budget_take(struct arena_budget *b, size_t n, bool is_large)
{
    size_t max = is_large ? ARENA_BUDGET_LARGE(b->max) : b->max;
    size_t before = atomic_fetch_add_explicit(&b->used, n, memory_order_relaxed);

    if (before <= max && n <= max - before)
        return true;
    arena_budget_give(b, n);
    return false;
}

void arena_budget_give(struct arena_budget *b, size_t n)
{
    atomic_fetch_sub_explicit(&b->used, n, memory_order_relaxed);
}

static void free_chunk(struct arena *a, struct arena_chunk *c)
{
    if (a->budget)
        arena_budget_give(a->budget, c->size);
    free(c);
}

void arena_init(struct arena *a, size_t limit_bytes)
{
    *a = (struct arena){.limit_bytes = limit_bytes};
}

bool arena_defer(struct arena *a, void (*release)(void *what), void *what)
{
    struct arena_release *d = arena_alloc(a, sizeof *d);

    if (!d)
        return false;
    *d = (struct arena_release){release, what, a->releases};
    a->releases = d;
    return true;
}

static void run_releases(struct arena *a)
{
    for (struct arena_release *d = a->releases; d; d = d->next)
        d->release(d->what);
    a->releases = NULL;
}

void arena_done(struct arena *a)
{
    struct arena_chunk *c = a->head;

    run_releases(a);
    while (c) {
        struct arena_chunk *next = c->next;
        free_chunk(a, c);
        c = next;
    }
    *a = (struct arena){.limit_bytes = a->limit_bytes, .budget = a->budget};
}

void arena_reset(struct arena *a)
{
    struct arena_chunk *first = a->head;

    run_releases(a);
    a->starved = false;
    if (!first)
        return;
    while (first->next) {
        struct arena_chunk *next = first->next;
        free_chunk(a, first);
        first = next;
    }
    a->head = first;
    a->at = first->data;
    a->end = first->data + first->size;
    a->used_bytes = first->size;
    a->block_bytes = 0;
}

static bool add_chunk(struct arena *a, size_t n)
{
    size_t size = MAX(n, ARENA_CHUNK_BYTES);
    struct arena_chunk *c;

    /* Chunks double with use, so that a large request does not make thousands of them. */
    if (size < (a->used_bytes - a->block_bytes) / 2)
        size = (a->used_bytes - a->block_bytes) / 2;
    if (size > a->limit_bytes - a->used_bytes)
        size = n;
    if (n > a->limit_bytes - a->used_bytes || fault_point("arena"))
        return false;
    if (a->budget &&
        !arena_budget_take(a->budget, size, a->used_bytes + size > ARENA_SMALL_BYTES)) {
        a->starved = true;
        return false;
    }
    c = malloc(sizeof *c + size);
    if (!c) {
        if (a->budget)
            arena_budget_give(a->budget, size);
        return false;
    }
    c->size = size;
    c->next = a->head;
    a->head = c;
    a->at = c->data;
    a->end = c->data + size;
    a->used_bytes += size;
    return true;
}

void arena_reserve(struct arena *a, size_t n)
{
    if (n > (size_t)(a->end - a->at) && n <= a->limit_bytes - a->used_bytes)
        add_chunk(a, n);
}

void *arena_alloc(struct arena *a, size_t n)
{
    void *p;

    if (n > SIZE_MAX - ALIGN)
        return NULL;
    n = (n + ALIGN - 1) & ~(ALIGN - 1);
    if (n > (size_t)(a->end - a->at) && !add_chunk(a, n))
        return NULL;
    if (n == 0 && !a->head && !add_chunk(a, ALIGN))
        return NULL;
    p = a->at;
    a->at += n;
    return p;
}

void *arena_calloc(struct arena *a, size_t n, size_t size)
{
    void *p;

    if (size && n > SIZE_MAX / size)
        return NULL;
    p = arena_alloc(a, n * size);
    if (p)
        memset(p, 0, n * size);
    return p;
}

void *arena_grow(struct arena *a, void *old, size_t old_n, size_t new_n)
{
    size_t held = (old_n + ALIGN - 1) & ~(ALIGN - 1);
    void *p;

    assert(new_n >= old_n && (old || !old_n));
    if (old && held && (char *)old + held == a->at && new_n - held <= (size_t)(a->end - a->at) &&
        new_n >= held) {
        arena_alloc(a, new_n - held);
        return old;
    }
    p = arena_alloc(a, new_n);
    if (p && old_n)
        memcpy(p, old, old_n);
    return p;
}

/* ---- blocks that are moved: a chunk each ---- */

static struct arena_chunk *chunk_of(void *block)
{
    return (struct arena_chunk *)(void *)((char *)block - offsetof(struct arena_chunk, data));
}

/* Whether n bytes more may be taken from malloc. */
static bool take(struct arena *a, size_t n)
{
    if (n > a->limit_bytes - a->used_bytes || fault_point("arena"))
        return false;
    if (a->budget && !arena_budget_take(a->budget, n, a->used_bytes + n > ARENA_SMALL_BYTES)) {
        a->starved = true;
        return false;
    }
    a->used_bytes += n;
    a->block_bytes += n;
    return true;
}

static void give_back(struct arena *a, size_t n)
{
    if (a->budget)
        arena_budget_give(a->budget, n);
    a->used_bytes -= n;
    a->block_bytes -= n;
}

/* The pointer to a chunk: those that are moved lie behind the current one. */
static struct arena_chunk **place_of(struct arena *a, const struct arena_chunk *c)
{
    struct arena_chunk **at = &a->head;

    while (*at != c)
        at = &(*at)->next;
    return at;
}

static void *new_block(struct arena *a, const void *old, size_t old_n, size_t n)
{
    struct arena_chunk *c;

    if ((!a->head && !add_chunk(a, ALIGN)) || !take(a, n))
        return NULL;
    c = malloc(sizeof *c + n);
    if (!c) {
        give_back(a, n);
        return NULL;
    }
    c->size = n;
    c->next = a->head->next;
    a->head->next = c;
    if (old_n)
        memcpy(c->data, old, old_n);
    return c->data;
}

void *arena_regrow(struct arena *a, void *old, size_t old_n, size_t new_n)
{
    struct arena_chunk **at, *c;

    assert(new_n >= old_n && (old || !old_n));
    if (new_n < ARENA_BLOCK_BYTES)
        return arena_grow(a, old, old_n, new_n);
    if (old_n < ARENA_BLOCK_BYTES)
        return new_block(a, old, old_n, new_n);
    if (!take(a, new_n - old_n))
        return NULL;
    at = place_of(a, chunk_of(old));
    c = realloc(*at, sizeof *c + new_n);
    if (!c) {
        give_back(a, new_n - old_n);
        return NULL;
    }
    c->size = new_n;
    *at = c;
    return c->data;
}

struct str arena_dup(struct arena *a, struct str s)
{
    char *p = s.n < SIZE_MAX ? arena_alloc(a, s.n + 1) : NULL;

    if (!p)
        return STR_NULL;
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return str_n(p, s.n);
}

struct str arena_fmt(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;
    char *p;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    p = n >= 0 ? arena_alloc(a, (size_t)n + 1) : NULL;
    if (p)
        vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return p ? str_n(p, (size_t)n) : STR_NULL;
}

struct str arena_join(struct arena *a, const struct str *parts, size_t n)
{
    size_t bytes = 0;
    char *p, *at;

    for (size_t i = 0; i < n; i++)
        bytes += parts[i].n;
    p = at = arena_alloc(a, bytes + 1);
    if (!p)
        return STR_NULL;
    for (size_t i = 0; i < n; i++)
        if (parts[i].n)
            at = mempcpy(at, parts[i].p, parts[i].n);
    *at = '\0';
    return str_n(p, bytes);
}
