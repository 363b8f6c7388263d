/* keys.c - the different keys of a list: from one key the next seek goes behind all its rows. */
#include "store/store_int.h"

#define KEYS_FIRST 16

struct keys {
    struct index_seen *v;
    size_t n, cap;
};

static int keys_add(struct keys *keys, struct arena *a, struct str entry, struct err *err)
{
    struct str key = arena_dup(a, str_n(entry.p + 2, entry.n - 2 - ROW_BYTES));

    if (!key.p)
        return err_no_memory(err);
    if (keys->n == keys->cap) {
        size_t cap = keys->cap ? keys->cap * 2 : KEYS_FIRST;
        struct index_seen *v = arena_grow(a, keys->v, keys->cap * sizeof *v, cap * sizeof *v);
        if (!v)
            return err_no_memory(err);
        keys->v = v;
        keys->cap = cap;
    }
    keys->v[keys->n++] = (struct index_seen){
        .key = key, .row = row_get((const unsigned char *)entry.p + entry.n - ROW_BYTES)};
    return 0;
}

/* Where the keys behind `key` begin: no key is the beginning of another, and no row is all ones. */
static size_t behind(unsigned char to[ENTRY_MAX], uint16_t list, struct str key)
{
    to[0] = (unsigned char)(list >> 8);
    to[1] = (unsigned char)list;
    if (!key.n)
        return 2;
    memcpy(to + 2, key.p, key.n);
    memset(to + 2 + key.n, 0xff, ROW_BYTES);
    return 2 + key.n + ROW_BYTES;
}

int search_index_keys(struct store_txn *txn, uint16_t list, struct str after, size_t max,
                      struct arena *a, struct index_seen **ret, size_t *ret_n, struct err *err)
{
    const struct scan_ops *ops = txn->st->scan;
    unsigned char end[2] = {(unsigned char)((list + 1) >> 8), (unsigned char)(list + 1)};
    unsigned char lo[ENTRY_MAX];
    struct keys keys = {0};
    int r;

    assert(after.n <= INDEX_KEY_MAX && list < UINT16_MAX);
    if ((r = ops->enter(txn, err)) < 0)
        return r;
    while (keys.n < max) {
        struct scan s;
        struct str k;

        r = ops->open(&s, txn, NULL, SCAN_KEYS, str_n((char *)lo, behind(lo, list, after)),
                      str_n((char *)end, sizeof end), false, 1, err);
        if (r >= 0 && (r = ops->next(&s, &k, err)) > 0 && keys_add(&keys, a, k, err) < 0)
            r = ERR_NO_MEMORY;
        ops->close(&s);
        if (r <= 0)
            break;
        after = keys.v[keys.n - 1].key;
    }
    if (r < 0)
        return r;
    *ret = keys.v;
    *ret_n = keys.n;
    return 0;
}
