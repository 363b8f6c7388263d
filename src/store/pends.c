#include "store/pends_int.h"

#include <stdlib.h>

void pends_init(struct pends *p)
{
    *p = (struct pends){.bytes = sb_make(PEND_BYTES_LIMIT)};
}

void pends_done(struct pends *p)
{
    free(p->items);
    sb_done(&p->bytes);
    pends_init(p);
}

static uint64_t head_of(const unsigned char *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < 8; i++)
        v = v << 8 | (i < n ? p[i] : 0);
    return v;
}

unsigned block_bits = BLOCK_BITS;

size_t entry_put(const struct index_entry *e, uint64_t row, unsigned char k[ENTRY_MAX])
{
    size_t head = e->head_n ? e->head_n : e->key_n, n = 2 + head;

    k[0] = (unsigned char)(e->param >> 8);
    k[1] = (unsigned char)e->param;
    memcpy(k + 2, e->key, head);
    if (e->head_n) {
        block_put(k + n, block_of(row));
        n += BLOCK_BYTES;
        memcpy(k + n, e->key + head, e->key_n - head);
        n += e->key_n - head;
    }
    if (e->shared)
        return n;
    row_put(k + n, row);
    return n + ROW_BYTES;
}

int pends_add(struct pends *p, enum pend_op op, const struct index_entry *e, uint64_t row,
              struct err *err)
{
    unsigned char k[ENTRY_MAX];
    size_t n = entry_put(e, row, k), at = p->bytes.n;

    if (p->n == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 1024;
        struct pend *items = realloc(p->items, cap * sizeof *items);
        if (!items)
            return err_no_memory(err);
        p->items = items;
        p->cap = cap;
    }
    sb_put(&p->bytes, k, n);
    if (p->bytes.failed) {
        p->bytes.failed = false;
        return err_no_memory(err);
    }
    p->items[p->n++] = (struct pend){.head = head_of(k, n),
                                     .at = (uint32_t)at,
                                     .n = (uint32_t)n,
                                     .home = p->home,
                                     .op = (uint8_t)op};
    return 0;
}

int pends_add_all(struct pends *p, struct lists *lists, const struct index *index, uint64_t row,
                  bool is_drop, bool *ret_multi, struct err *err)
{
    unsigned last = 0;
    int r = 0;

    for (size_t i = 0; i < index->n_entries && r == 0; i++) {
        const struct index_entry *e = &index->entries[i];

        if (e->shared) {
            r = is_drop ? 0 : pends_add(p, PEND_TERM, e, 0, err);
            continue;
        }
        r = pends_add(p, is_drop ? PEND_DROP : PEND_ADD, e, row, err);
        if (!is_drop && last == e->param && list_set_multi(lists, e->param))
            *ret_multi = true;
        last = e->param;
    }
    return r;
}

static int pend_cmp(const void *x, const void *y, void *ctx)
{
    const struct pends *p = ctx;
    const struct pend *a = p->items + *(const uint32_t *)x, *b = p->items + *(const uint32_t *)y;
    int c;

    if ((a->op == PEND_TERM) != (b->op == PEND_TERM))
        return a->op == PEND_TERM ? 1 : -1;
    if (a->head != b->head)
        return a->head < b->head ? -1 : 1;
    c = str_cmp(pend_key(p, a), pend_key(p, b));
    if (c)
        return c;
    /* The same key twice (written and superseded in one group): in the order of writing. */
    return a < b ? -1 : a > b;
}

int pends_sorted(const struct pends *p, uint32_t **ret, struct err *err)
{
    size_t n = p->n - p->flushed;
    uint32_t *order = malloc(MAX(n, (size_t)1) * sizeof *order);

    if (!order)
        return err_no_memory(err);
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)(p->flushed + i);
    qsort_r(order, n, sizeof *order, pend_cmp, (void *)(uintptr_t)p);
    *ret = order;
    return 0;
}
