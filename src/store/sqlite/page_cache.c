/* page_cache.c - the pages that SQLite keeps in memory, of each connection by itself.
 *
 * SQLite's own cache chains pages in hash buckets and lists them by their last use; looking a page
 * up and letting it go touch the heads of four or five pages, which lie a page apart. In a cache of
 * tens of megabytes each touch is a miss of the processor's caches and of its table of addresses,
 * and a page of search results looks up forty. Here
 *
 *   - the table of keys is one array (open addressing, Knuth 6.4, algorithm R for removals);
 *   - a page's head and what SQLite keeps beside it lie together, apart from the pages' bytes;
 *   - a use sets a number in the head, and a hand that goes round finds what is to leave (GCLOCK,
 *     Smith 1978): nothing is linked or unlinked;
 *   - the bytes lie in blocks that the kernel may map by large pages.
 *
 * A cache is used by one thread at a time. The interface is SQLite's (sqlite3_pcache_methods2,
 * sqlite.org/c3ref/pcache_methods2.html); what each function must do is said there.
 */
#include "store/sqlite/sq_int.h"

#include "base/fault.h"

#include <stdlib.h>
#include <sys/mman.h>

#define FIRST_PAGES 8
#define LARGE_BYTES MIB(2)
#define HEAT_MAX 3        /* rounds of the hand that a page in use survives */
#define SAME_USE_SHARE 16 /* until so many of its pages have come in, it is still the same use */
#define SAME_USE_MAX 32   /* pages */
#define SLOTS_FIRST 32    /* of the table: a power of two */
#define OVERREAD_BYTES 64 /* a damaged page may make SQLite look some bytes past its end */
#define PINNED_SHARE 0.9  /* past this SQLite should write out, not ask for more */

struct sq_page {
    sqlite3_pcache_page base; /* first: its address is what SQLite holds */
    unsigned key;             /* a page number; 0 where nothing is kept */
    unsigned used;            /* how many pages had come in when it was used */
    unsigned char heat;
    bool is_pinned;
    struct sq_page *next_free;
};

struct block {
    struct block *next;
    unsigned n;
    char *heads, *bytes;
};

struct slot {
    unsigned key; /* 0: empty */
    struct sq_page *page;
};

struct cache {
    size_t page_bytes, head_bytes;
    bool is_purgeable;
    unsigned max, n, pinned; /* pages */
    unsigned key_max;        /* no page has a higher number */
    struct slot *slots;
    unsigned slots_n;
    struct block *blocks;
    struct sq_page *free;
    struct block *hand_block;
    unsigned hand;
    unsigned came_in;  /* pages, ever; goes round */
    unsigned same_use; /* pages that come in during what counts as one use */
};

/* ---- the table ---- */

static unsigned home(const struct cache *c, unsigned key)
{
    return (key * 0x9e3779b1u) >> (__builtin_clz(c->slots_n) + 1);
}

/* Where the key is, or the empty slot where it would be. */
static struct slot *find(const struct cache *c, unsigned key)
{
    unsigned i = home(c, key);

    while (c->slots[i].key && c->slots[i].key != key)
        i = (i + 1) & (c->slots_n - 1);
    return &c->slots[i];
}

static void add(struct cache *c, struct sq_page *p, unsigned key)
{
    p->key = key;
    *find(c, key) = (struct slot){key, p};
    c->n++;
    if (key > c->key_max)
        c->key_max = key;
}

/* Those behind it move up, so that no gap is between a key and its home. */
static void take_out(struct cache *c, struct sq_page *p)
{
    unsigned mask = c->slots_n - 1, gap = (unsigned)(find(c, p->key) - c->slots);

    for (unsigned i = (gap + 1) & mask; c->slots[i].key; i = (i + 1) & mask) {
        if (((i - home(c, c->slots[i].key)) & mask) < ((i - gap) & mask))
            continue;
        c->slots[gap] = c->slots[i];
        gap = i;
    }
    c->slots[gap] = (struct slot){0};
    p->key = 0;
    c->n--;
}

/* Room for one more, the table never more than half full. */
static bool make_room(struct cache *c)
{
    struct cache larger = *c;

    if (c->slots && c->n < c->slots_n / 2)
        return true;
    larger.slots_n = c->slots ? c->slots_n * 2 : SLOTS_FIRST;
    if (!(larger.slots = calloc(larger.slots_n, sizeof *larger.slots)))
        return false;
    for (unsigned i = 0; c->slots && i < c->slots_n; i++)
        if (c->slots[i].key)
            *find(&larger, c->slots[i].key) = c->slots[i];
    free(c->slots);
    c->slots = larger.slots;
    c->slots_n = larger.slots_n;
    return true;
}

/* ---- memory ---- */

static struct sq_page *page_at(const struct cache *c, const struct block *b, unsigned i)
{
    return (struct sq_page *)(b->heads + i * c->head_bytes);
}

/* Small blocks first, each twice the one before; then those that large pages fit. */
static char *block_bytes(const struct cache *c, unsigned before, unsigned *ret_n)
{
    unsigned n = before ? before * 2 : FIRST_PAGES;
    void *p = NULL;

    if (n * c->page_bytes < LARGE_BYTES / 2) {
        *ret_n = n;
        return malloc(n * c->page_bytes + OVERREAD_BYTES);
    }
    *ret_n = (unsigned)((LARGE_BYTES - OVERREAD_BYTES) / c->page_bytes);
    if (posix_memalign(&p, LARGE_BYTES, LARGE_BYTES) != 0)
        return NULL;
    madvise(p, LARGE_BYTES, MADV_HUGEPAGE); /* it is only faster */
    return p;
}

static bool more(struct cache *c)
{
    struct block *b = fault_point("page") ? NULL : calloc(1, sizeof *b);

    if (!b)
        return false;
    b->bytes = block_bytes(c, c->blocks ? c->blocks->n : 0, &b->n);
    b->heads = calloc(b->n, c->head_bytes);
    if (!b->bytes || !b->heads) {
        free(b->bytes);
        free(b->heads);
        free(b);
        return false;
    }
    for (unsigned i = b->n; i-- > 0;) {
        struct sq_page *p = page_at(c, b, i);

        p->base.pBuf = b->bytes + i * c->page_bytes;
        p->base.pExtra = p + 1;
        p->next_free = c->free;
        c->free = p;
    }
    b->next = c->blocks;
    c->blocks = b;
    return true;
}

static void drop(struct cache *c, struct sq_page *p)
{
    take_out(c, p);
    c->pinned -= p->is_pinned;
    p->is_pinned = false;
    p->heat = 0;
    p->next_free = c->free;
    c->free = p;
}

/* The hand's next page; it goes round for ever. */
static struct sq_page *next_page(struct cache *c)
{
    if (!c->hand_block || c->hand >= c->hand_block->n) {
        c->hand_block = c->hand_block && c->hand_block->next ? c->hand_block->next : c->blocks;
        c->hand = 0;
    }
    return page_at(c, c->hand_block, c->hand++);
}

/* Lets the page go that was used least, unless all are in use. */
static void evict(struct cache *c)
{
    while (c->n > c->pinned) {
        struct sq_page *p = next_page(c);

        if (!p->key || p->is_pinned)
            continue;
        if (!p->heat) {
            drop(c, p);
            return;
        }
        p->heat--;
    }
}

/* ---- what SQLite calls ---- */

static int init(void *ctx)
{
    (void)ctx;
    return SQLITE_OK;
}

static sqlite3_pcache *create(int page_bytes, int extra_bytes, int is_purgeable)
{
    struct cache *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->page_bytes = (size_t)page_bytes;
    c->head_bytes = (sizeof(struct sq_page) + (size_t)extra_bytes + 15) & ~(size_t)15;
    c->is_purgeable = is_purgeable;
    return (sqlite3_pcache *)c;
}

static void cache_size(sqlite3_pcache *cache, int max)
{
    struct cache *c = (struct cache *)cache;

    c->max = (unsigned)MAX(max, 0);
    c->same_use = MIN(c->max / SAME_USE_SHARE, SAME_USE_MAX);
    while (c->is_purgeable && c->n > c->max && c->n > c->pinned)
        evict(c);
}

static int page_count(sqlite3_pcache *cache)
{
    return (int)((struct cache *)cache)->n;
}

static struct sq_page *pin(struct cache *c, struct sq_page *p)
{
    c->pinned += !p->is_pinned;
    p->is_pinned = true;
    if (c->came_in - p->used > c->same_use) {
        p->used = c->came_in;
        p->heat += p->heat < HEAT_MAX;
    }
    return p;
}

/* how: 0, only what is there; 1, a new page if that is no burden; 2, a new page. */
static sqlite3_pcache_page *fetch(sqlite3_pcache *cache, unsigned key, int how)
{
    struct cache *c = (struct cache *)cache;
    struct slot *s = c->slots ? find(c, key) : NULL;
    struct sq_page *p;

    if (s && s->key)
        return &pin(c, s->page)->base;
    if (!how || (how == 1 && c->is_purgeable && c->pinned >= PINNED_SHARE * c->max) ||
        !make_room(c))
        return NULL;
    if (c->is_purgeable && c->n >= c->max)
        evict(c);
    if (!c->free && !more(c))
        return NULL;
    p = c->free;
    c->free = p->next_free;
    add(c, p, key);
    /* By this SQLite knows that the page is new. */
    *(void **)p->base.pExtra = NULL;
    p->used = ++c->came_in;
    pin(c, p);
    return &p->base;
}

static void unpin(sqlite3_pcache *cache, sqlite3_pcache_page *page, int is_discarded)
{
    struct cache *c = (struct cache *)cache;
    struct sq_page *p = (struct sq_page *)page;

    if (is_discarded || (c->is_purgeable && c->n > c->max)) {
        drop(c, p);
        return;
    }
    c->pinned -= p->is_pinned;
    p->is_pinned = false;
}

static void rekey(sqlite3_pcache *cache, sqlite3_pcache_page *page, unsigned old, unsigned key)
{
    struct cache *c = (struct cache *)cache;
    struct slot *there = find(c, key);

    (void)old;
    if (there->key)
        drop(c, there->page);
    take_out(c, (struct sq_page *)page);
    add(c, (struct sq_page *)page, key);
}

static void truncate_from(sqlite3_pcache *cache, unsigned least)
{
    struct cache *c = (struct cache *)cache;

    if (c->n == 0 || least > c->key_max)
        return;
    for (const struct block *b = c->blocks; b; b = b->next)
        for (unsigned i = 0; i < b->n; i++) {
            struct sq_page *p = page_at(c, b, i);

            if (p->key && p->key >= least)
                drop(c, p);
        }
    c->key_max = least ? least - 1 : 0;
}

static void free_memory(struct cache *c)
{
    while (c->blocks) {
        struct block *b = c->blocks;

        c->blocks = b->next;
        free(b->bytes);
        free(b->heads);
        free(b);
    }
    free(c->slots);
    c->slots = NULL;
    c->slots_n = 0;
    c->free = NULL;
    c->hand_block = NULL;
    c->hand = 0;
}

static void destroy(sqlite3_pcache *cache)
{
    struct cache *c = (struct cache *)cache;

    free_memory(c);
    free(c);
}

/* Blocks go once no page of theirs is in use, which is when no statement runs. */
static void shrink(sqlite3_pcache *cache)
{
    struct cache *c = (struct cache *)cache;

    while (c->is_purgeable && c->n > c->pinned)
        evict(c);
    if (!c->n)
        free_memory(c);
}

int sq_page_cache_use(void)
{
    static const sqlite3_pcache_methods2 methods = {
        .iVersion = 1,
        .xInit = init,
        .xCreate = create,
        .xCachesize = cache_size,
        .xPagecount = page_count,
        .xFetch = fetch,
        .xUnpin = unpin,
        .xRekey = rekey,
        .xTruncate = truncate_from,
        .xDestroy = destroy,
        .xShrink = shrink,
    };

    return sqlite3_config(SQLITE_CONFIG_PCACHE2, &methods);
}
