/* pends.c - index changes gather here and are applied sorted, once for a group of jobs.
 *
 * Fifteen keys of a resource lie all over the index; the keys of a thousand resources, sorted, lie
 * side by side. A job that fails takes its changes out again; a job that looks at the index makes
 * them apply first. What an earlier job of the group has gathered is kept until the group ends even
 * when it has been applied, because a later job's rollback may undo exactly that.
 */
#include "store/sqlite/sq_int.h"

#include <stdlib.h>

void sq_pends_done(struct pends *p)
{
    free(p->items);
    sb_done(&p->bytes);
    *p = (struct pends){.bytes = sb_make(SQ_PEND_BYTES_LIMIT)};
}

static uint64_t head_of(const unsigned char *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < 8; i++)
        v = v << 8 | (i < n ? p[i] : 0);
    return v;
}

int sq_pends_add(struct pends *p, enum pend_op op, const struct index_entry *e, uint64_t row,
                 struct err *err)
{
    unsigned char k[ENTRY_MAX];
    size_t n = 2 + e->key_n, at = p->bytes.n;

    k[0] = (unsigned char)(e->param >> 8);
    k[1] = (unsigned char)e->param;
    memcpy(k + 2, e->key, e->key_n);
    if (op != PEND_TERM) {
        row_put(k + n, row);
        n += ROW_BYTES;
    }
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
    p->items[p->n++] = (struct pend){
        .head = head_of(k, n), .at = (uint32_t)at, .n = (uint32_t)n, .op = (uint8_t)op};
    return 0;
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
    c = str_cmp(str_n(p->bytes.p + a->at, a->n), str_n(p->bytes.p + b->at, b->n));
    if (c)
        return c;
    /* The same key twice (written and superseded in one group): in the order of writing. */
    return a < b ? -1 : a > b;
}

static int apply(struct sq_conn *c, const struct pends *p, const struct pend *item, struct err *err)
{
    static const enum sq_statement of[] = {
        [PEND_DROP] = SQ_DROP_KEY, [PEND_ADD] = SQ_PUT_KEY, [PEND_TERM] = SQ_PUT_TERM};
    sqlite3_stmt *s;
    int r = sq_stmt(c, of[item->op], &s, err);

    if (r < 0)
        return r;
    sq_bind_blob(s, 1, str_n(p->bytes.p + item->at, item->n));
    return sq_run(c, s, err);
}

/* SQ_PUT_KEYS_ROWS new keys in one statement: most of what a single one costs is its beginning and
 * its end. */
static int apply_many(struct sq_conn *c, const struct pends *p, const uint32_t *order,
                      struct err *err)
{
    sqlite3_stmt *s;
    int r = sq_stmt(c, SQ_PUT_KEYS, &s, err);

    if (r < 0)
        return r;
    for (int i = 0; i < SQ_PUT_KEYS_ROWS; i++) {
        const struct pend *item = p->items + order[i];
        sq_bind_blob(s, i + 1, str_n(p->bytes.p + item->at, item->n));
    }
    return sq_run(c, s, err);
}

/* Whether the next SQ_PUT_KEYS_ROWS are all new keys. */
static bool are_adds(const struct pends *p, const uint32_t *order, size_t n)
{
    if (n < SQ_PUT_KEYS_ROWS)
        return false;
    for (size_t i = 0; i < SQ_PUT_KEYS_ROWS; i++)
        if (p->items[order[i]].op != PEND_ADD)
            return false;
    return true;
}

int sq_pends_flush(struct sq_conn *c, struct pends *p, struct err *err)
{
    size_t n = p->n - p->flushed;
    uint32_t *order;
    int r = 0;

    if (n == 0)
        return 0;
    order = malloc(n * sizeof *order);
    if (!order)
        return err_no_memory(err);
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)(p->flushed + i);
    qsort_r(order, n, sizeof *order, pend_cmp, p);
    for (size_t i = 0; i < n && r == 0; i++) {
        const struct pend *item = p->items + order[i], *last = i ? p->items + order[i - 1] : NULL;

        if (are_adds(p, order + i, n - i)) {
            r = apply_many(c, p, order + i, err);
            i += SQ_PUT_KEYS_ROWS - 1;
            continue;
        }
        /* Terms repeat with every resource that has them. */
        if (last && item->op == PEND_TERM && last->op == PEND_TERM && item->n == last->n &&
            memcmp(p->bytes.p + item->at, p->bytes.p + last->at, item->n) == 0)
            continue;
        r = apply(c, p, item, err);
    }
    free(order);
    if (r == 0)
        p->flushed = p->n;
    return r;
}
