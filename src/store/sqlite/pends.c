/* pends.c - applies the index changes that have gathered (store/pends_int.h).
 *
 * A job that looks at the index makes them apply first. What an earlier job of the group has
 * gathered is kept until the group ends even when it has been applied, because a later job's
 * rollback may undo exactly that.
 */
#include "store/sqlite/sq_int.h"

#include <stdlib.h>

static int apply(struct sq_conn *c, const struct pends *p, const struct pend *item, struct err *err)
{
    static const enum sq_statement of[] = {
        [PEND_DROP] = SQ_DROP_KEY, [PEND_ADD] = SQ_PUT_KEY, [PEND_TERM] = SQ_PUT_TERM};
    sqlite3_stmt *s;
    int r = sq_stmt(c, of[item->op], &s, err);

    if (r < 0)
        return r;
    sq_bind_blob(s, 1, pend_key(p, item));
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
        sq_bind_blob(s, i + 1, pend_key(p, item));
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
    if ((r = pends_sorted(p, &order, err)) < 0)
        return r;
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
