/* few.c - the commonest search, in one question: one key, and a list of few rows.
 *
 * Where the store is far away a question costs more than what it asks for. So the list, the bodies
 * and the feed's position are fetched together; when the list turns out to be longer, the search
 * begins again as any other, and that is remembered.
 */
#include "store/search/search_int.h"

/* Whether it has the shape, before anything is asked. */
static bool has_shape(const struct store_txn *txn, const struct search *s)
{
    const struct search_clause *c = s->clauses;
    bool desc;

    return txn->st->scan->few && txn->is_brief && !txn->is_writing && !txn->is_narrowed &&
           txn->who.kind != ACCESS_NONE && s->type && !s->cursor.p && s->count &&
           s->n_clauses == 1 && c->kind == CLAUSE_KEYS && c->n_ranges == 1 && !c->ranges[0].terms &&
           !c->ranges[0].groups && !c->ranges[0].set && order_is_rows(s, &desc);
}

static bool is_one_list(const struct clause *c)
{
    const struct range *range = c->ranges;

    return c->names_type && c->n_ranges == 1 && range->is_point && !range->filter && !range->head &&
           !c->lossy && !c->is_opaque && !c->negate;
}

int few_page(struct exec *x, struct page *ret, struct err *err)
{
    const struct search *s = x->s;
    const struct clause *c;
    uint64_t position = 0, *rows;
    int n;

    if (!has_shape(x->t, s))
        return 0;
    x->lo = 1;
    x->hi = x->newest = ROW_MAX - 1;
    if ((n = clauses_prepare(x, err)) < 0)
        return n;
    c = &x->clauses[0];
    if (!is_one_list(c) || hint_rows(x, c) > SEARCH_FEW)
        return 0;
    rows = ARENA_ARRAY(x->a, uint64_t, SEARCH_FEW);
    if (!rows)
        return err_no_memory(err);
    n = x->ops->few(x->t, c->ranges[0].lo, rows, SEARCH_FEW, &position, err);
    /* Given up before the position was asked for: nothing to remember. */
    if (n > SEARCH_FEW && position == 0)
        return 0;
    if (n > SEARCH_FEW) {
        x->newest = position;
        return hint_keep(x, c, SEARCH_FEW + 1);
    }
    if (n < 0)
        return n;
    if (order_is_rows(s, &x->desc) && x->desc)
        for (int i = 0; i < n / 2; i++) {
            uint64_t row = rows[i];
            rows[i] = rows[n - 1 - i];
            rows[n - 1 - i] = row;
        }
    *ret = (struct page){.rows = rows,
                         .n = MIN((size_t)n, s->count),
                         .next = STR_NULL,
                         .total = s->total == TOTAL_NONE ? -1 : n};
    if (ret->n < (size_t)n) {
        struct mark end = {.position = position, .total = ret->total, .row = rows[ret->n - 1]};

        ret->next = mark_format(x->a, &end);
        if (!ret->next.p)
            return err_no_memory(err);
    }
    return 1;
}
