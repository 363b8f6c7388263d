/* blocks.c - ranges of keys in the order of rows.
 *
 * Keys that are asked for by ranges (index_entry.head_n) lie in blocks: head, block, the rest of
 * the key, row. A block is the rows whose numbers differ in the last BLOCK_BITS alone. A range
 * is one seek and a short walk in each block, the blocks come in the order of rows, and inside one
 * few rows are left to sort: so the first page of a long range costs as little as a short range
 * does.
 */
#include "store/search/search_int.h"

#define BLOCK_WANT 64 /* entries that a range is expected to have in a block */

struct bound {
    unsigned char b[ENTRY_MAX];
    size_t n;
};

static struct str bound(struct bound *to, struct str head, uint64_t block, struct str rest)
{
    assert(head.n + BLOCK_BYTES + rest.n <= sizeof to->b);
    memcpy(to->b, head.p, head.n);
    block_put(to->b + head.n, block);
    to->n = head.n + BLOCK_BYTES;
    if (rest.n)
        memcpy(to->b + to->n, rest.p, rest.n);
    to->n += rest.n;
    return str_n((char *)to->b, to->n);
}

/* A range's bounds behind its head; hi.p == NULL: to the head's end. */
struct inside {
    struct str head, lo, hi;
};

static struct inside inside_of(const struct range *range)
{
    struct str head = str_head(range->lo, range->head);

    return (struct inside){.head = head,
                           .lo = str_from(range->lo, head.n),
                           .hi = str_starts(range->hi, head) ? str_from(range->hi, head.n)
                                                             : STR_NULL};
}

/* An entry taken apart. */
struct entry {
    uint64_t block, row;
    struct str rest;
};

static bool entry_read(struct str k, size_t head, struct entry *ret)
{
    const unsigned char *p = (const unsigned char *)k.p;

    if (k.n < head + BLOCK_BYTES + ROW_BYTES)
        return false;
    ret->block = block_get(p + head);
    ret->row = row_get(p + k.n - ROW_BYTES);
    ret->rest = str_n(k.p + head + BLOCK_BYTES, k.n - head - BLOCK_BYTES - ROW_BYTES);
    return true;
}

static bool is_below(const struct inside *in, struct str rest)
{
    return str_cmp(rest, in->lo) < 0;
}

static bool is_above(const struct inside *in, struct str rest)
{
    return in->hi.p && str_cmp(rest, in->hi) >= 0;
}

static bool passes(struct exec *x, const struct range *range, const struct entry *e)
{
    struct bound key;
    size_t head = range->head - 2u;

    if (!range->filter)
        return true;
    memcpy(key.b, range->lo.p + 2, head);
    memcpy(key.b + head, e->rest.p, e->rest.n);
    return scan_passes(x, range->filter, str_n((char *)key.b, head + e->rest.n));
}

/* The rows of the block that scan `s` stands in. */
static int read_block(struct exec *x, const struct range *range, const struct inside *in,
                      struct scan *s, struct entry e, size_t limit, struct rows *rows, size_t *n,
                      struct err *err)
{
    uint64_t block = e.block;
    struct str k;
    int r = 1;

    do {
        if (passes(x, range, &e)) {
            if (rows && (r = rows_add(rows, x->tmp, e.row, err)) < 0)
                return r;
            if (++*n >= limit)
                return 0;
        }
        r = x->ops->next(s, &k, err);
        if (r <= 0 || !entry_read(k, in->head.n, &e))
            return MIN(r, 0);
    } while (e.block == block && !is_below(in, e.rest) && !is_above(in, e.rest));
    return 0;
}

/* Opens the scan that begins in block `at`, and its first entry: 1, or 0 where there is none. */
static int seek(struct exec *x, const struct inside *in, uint64_t at, uint64_t last, bool desc,
                size_t want, struct bound b[2], struct scan *ret, struct entry *ret_e,
                struct err *err)
{
    struct str lo, hi, k = STR_NULL;
    int r;

    if (desc) {
        lo = bound(&b[0], in->head, last, STR(""));
        hi =
            in->hi.p ? bound(&b[1], in->head, at, in->hi) : bound(&b[1], in->head, at + 1, STR(""));
    } else {
        lo = bound(&b[0], in->head, at, in->lo);
        hi = bound(&b[1], in->head, last + 1, STR(""));
    }
    r = x->ops->open(ret, x->t, x->within, SCAN_KEYS, lo, hi, desc, want, err);
    if (r == 0)
        r = x->ops->next(ret, &k, err);
    return r > 0 ? entry_read(k, in->head.n, ret_e) : r;
}

int block_next(struct exec *x, const struct range *range, uint64_t from, uint64_t last, bool desc,
               size_t limit, struct rows *rows, uint64_t *ret_block, size_t *ret_n, struct err *err)
{
    struct inside in = inside_of(range);

    for (uint64_t at = from;;) {
        size_t n = 0, want = MIN(limit, (size_t)BLOCK_WANT);
        struct bound b[2];
        struct entry e;
        struct scan s;
        bool skip = false;
        int r = seek(x, &in, at, last, desc, want, b, &s, &e, err), charged;

        /* It may stand in another block, on the wrong side of the range there. */
        if (r > 0) {
            skip = e.block != at && (desc ? is_above(&in, e.rest) : is_below(&in, e.rest));
            if (!skip && !(desc ? is_below(&in, e.rest) : is_above(&in, e.rest)) &&
                (charged = read_block(x, range, &in, &s, e, limit, rows, &n, err)) < 0)
                r = charged;
        }
        x->ops->close(&s);
        if (r <= 0)
            return r;
        if ((charged = exec_charge(x, COST_PROBE + n, err)) < 0)
            return charged;
        if (n) {
            *ret_block = e.block;
            *ret_n = n;
            return 1;
        }
        if (!skip && e.block == last)
            return 0;
        at = skip ? e.block : desc ? e.block - 1 : e.block + 1;
    }
}
