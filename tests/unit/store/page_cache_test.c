/* The cache of pages, asked as SQLite asks it, against a list of what should be in it. */
#include "../test.h"

#include "base/fault.h"
#include "base/rng.h"
#include "store/sqlite/sq_int.h"

#define KEYS 300u
#define LIMIT 40
#define BYTES 512
#define EXTRA 40
#define STEPS 200000

struct model {
    sqlite3_pcache_methods2 m;
    sqlite3_pcache *cache;
    struct rng rng;
    bool is_purgeable;
    sqlite3_pcache_page *page[KEYS + 1]; /* where it lies, if it may be there */
    bool is_pinned[KEYS + 1];
    unsigned pinned;
};

static void model_new(struct model *t, bool is_purgeable, uint64_t seed)
{
    static bool is_used;

    *t = (struct model){.is_purgeable = is_purgeable};
    if (!is_used)
        assert_int_equal(sq_page_cache_use(), SQLITE_OK);
    is_used = true;
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETPCACHE2, &t->m), SQLITE_OK);
    assert_int_equal(t->m.xInit(NULL), SQLITE_OK);
    t->cache = t->m.xCreate(BYTES, EXTRA, is_purgeable);
    assert_non_null(t->cache);
    t->m.xCachesize(t->cache, LIMIT);
    rng_seed(&t->rng, seed);
}

static unsigned any_key(struct model *t)
{
    return (unsigned)rng_below(&t->rng, KEYS) + 1;
}

static void write_in(sqlite3_pcache_page *p, unsigned key)
{
    memset(p->pBuf, (int)(key % 251), BYTES);
    memset(p->pExtra, (int)(key % 250) + 1, EXTRA);
}

static void check_in(const sqlite3_pcache_page *p, unsigned key)
{
    const unsigned char *bytes = p->pBuf, *extra = p->pExtra;

    for (size_t i = 0; i < BYTES; i++)
        assert_int_equal(bytes[i], key % 251);
    for (size_t i = 0; i < EXTRA; i++)
        assert_int_equal(extra[i], key % 250 + 1);
}

static void gone(struct model *t, unsigned key)
{
    t->pinned -= t->is_pinned[key];
    t->is_pinned[key] = false;
    t->page[key] = NULL;
}

static bool is_new(const sqlite3_pcache_page *p)
{
    void *first;

    memcpy(&first, p->pExtra, sizeof first);
    return !first;
}

static void fetch(struct model *t, unsigned key, int how)
{
    sqlite3_pcache_page *p = t->m.xFetch(t->cache, key, how);

    if (!p) {
        assert_int_not_equal(how, 2);
        /* What is pinned or cannot leave is there; no burden is what most of the pages bear. */
        assert_true(!t->page[key] || (t->is_purgeable && !t->is_pinned[key]));
        assert_true(how == 0 || (t->is_purgeable && t->pinned >= LIMIT * 9 / 10));
        gone(t, key);
        return;
    }
    if (is_new(p)) {
        assert_int_not_equal(how, 0);
        assert_true(!t->page[key] || (t->is_purgeable && !t->is_pinned[key]));
        write_in(p, key);
    } else {
        assert_ptr_equal(p, t->page[key]);
        check_in(p, key);
    }
    t->page[key] = p;
    t->pinned += !t->is_pinned[key];
    t->is_pinned[key] = true;
}

static void unpin(struct model *t, unsigned key, bool is_discarded)
{
    unsigned n = (unsigned)t->m.xPagecount(t->cache);

    if (!t->is_pinned[key])
        return;
    check_in(t->page[key], key);
    t->m.xUnpin(t->cache, t->page[key], is_discarded);
    if (is_discarded || (t->is_purgeable && n > LIMIT))
        gone(t, key);
    t->pinned -= t->is_pinned[key];
    t->is_pinned[key] = false;
}

static void rekey(struct model *t, unsigned key, unsigned to)
{
    sqlite3_pcache_page *p = t->page[key];

    if (!t->is_pinned[key] || t->is_pinned[to])
        return;
    t->m.xRekey(t->cache, p, key, to);
    gone(t, key);
    write_in(p, to);
    t->page[to] = p;
    t->is_pinned[to] = true;
    t->pinned++;
}

static void truncate_from(struct model *t, unsigned least)
{
    t->m.xTruncate(t->cache, least);
    for (unsigned key = least; key <= KEYS; key++) {
        gone(t, key);
        assert_null(t->m.xFetch(t->cache, key, 0));
    }
}

/* Each page that is found counts once; all pinned ones are found. */
static void check_all(struct model *t)
{
    unsigned n = 0;

    for (unsigned key = 1; key <= KEYS; key++) {
        bool was_pinned = t->is_pinned[key];

        fetch(t, key, 0);
        n += t->page[key] != NULL;
        if (!was_pinned && t->page[key]) {
            t->m.xUnpin(t->cache, t->page[key], 0);
            t->is_pinned[key] = false;
            t->pinned--;
        }
    }
    assert_int_equal(t->m.xPagecount(t->cache), n);
    if (t->is_purgeable)
        assert_true(n <= LIMIT || n == t->pinned);
}

static void step(struct model *t)
{
    unsigned key = any_key(t);

    switch (rng_below(&t->rng, 64)) {
    case 0: truncate_from(t, any_key(t)); break;
    case 1: rekey(t, key, any_key(t)); break;
    case 2: unpin(t, key, true); break;
    case 3: t->m.xShrink(t->cache); break;
    case 4: fetch(t, key, 2); break;
    case 5: check_all(t); break;
    default:
        fetch(t, key, (int)rng_below(&t->rng, 2));
        /* SQLite never lets go of a page that cannot be made anew, other than for good. */
        for (unsigned i = 0; i < 8; i++)
            if (t->is_purgeable || rng_below(&t->rng, 4) == 0)
                unpin(t, any_key(t), !t->is_purgeable);
        if (rng_below(&t->rng, 8))
            unpin(t, key, !t->is_purgeable);
    }
}

static void run(bool is_purgeable)
{
    struct model t;

    model_new(&t, is_purgeable, 1976);
    for (unsigned i = 0; i < STEPS; i++)
        step(&t);
    check_all(&t);
    t.m.xDestroy(t.cache);
}

static void what_was_kept_is_found(void **state)
{
    (void)state;
    run(true);
    run(false);
}

static void what_is_used_stays(void **state)
{
    struct model t;
    unsigned missing = 0;

    (void)state;
    model_new(&t, true, 1);
    /* Ten pages asked for now and then, among many that are used once. */
    for (unsigned i = 0; i < 20000; i++) {
        unsigned key = i % 4 ? 11 + i % (KEYS - 10) : 1 + i / 4 % 10;
        sqlite3_pcache_page *p = t.m.xFetch(t.cache, key, 0);

        missing += key <= 10 && !p && i > 1000;
        if (!p && (p = t.m.xFetch(t.cache, key, 1)))
            write_in(p, key);
        assert_non_null(p);
        t.m.xUnpin(t.cache, p, 0);
    }
    assert_int_equal(missing, 0);
    assert_int_equal(t.m.xPagecount(t.cache), LIMIT);
    t.m.xCachesize(t.cache, 5);
    assert_int_equal(t.m.xPagecount(t.cache), 5);
    t.m.xDestroy(t.cache);
}

#ifdef CARNET_FAULT
static void without_memory_there_is_no_page(void **state)
{
    (void)state;
    FAULT_LOOP(false) {
        struct model t;

        model_new(&t, false, 1);
        for (unsigned key = 1; key <= KEYS; key++) {
            sqlite3_pcache_page *p = t.m.xFetch(t.cache, key, 2);

            if (!p) /* nothing has changed: it can be asked for again */
                p = t.m.xFetch(t.cache, key, 2);
            assert_non_null(p);
            write_in(p, key);
        }
        assert_int_equal(t.m.xPagecount(t.cache), KEYS);
        t.m.xDestroy(t.cache);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_kept_is_found),
        cmocka_unit_test(what_is_used_stays),
#ifdef CARNET_FAULT
        cmocka_unit_test(without_memory_there_is_no_page),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
