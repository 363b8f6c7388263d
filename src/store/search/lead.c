/* lead.c - rows that a _has leads to, from the first matches that the inner search has.
 *
 * A page that few candidates fill is known as soon as some matches have been looked at. The keys of
 * one clause of the inner search are read in growing steps; what they give is tested, and its
 * references are followed. Those who refer to the same target are passed over.
 */
#include "store/search/link_int.h"

#define LINK_LEAD_FIRST 128 /* entries read for the first targets, then times 4 */

bool link_leads(const struct clause *c)
{
    return c->how == HOW_LINK && !c->negate && c->link->is_reverse && c->link->n == 1;
}

bool link_leads_from_few(const struct clause *c)
{
    return c->link->inner[0].is_small;
}

/* The clause whose keys are read for matches: one that gives rows in order, or any range. */
static struct clause *leading(struct inner *in)
{
    struct clause *found = NULL;

    for (size_t i = 0; i < in->x.n_clauses; i++) {
        struct clause *c = &in->x.clauses[i];

        if (!clause_may_drive(c) || c->how == HOW_LINK || c->how == HOW_TREE)
            continue;
        if (c->how == HOW_SET || c->is_points)
            return c;
        if (!found)
            found = c;
    }
    return found;
}

struct leading {
    struct exec *x;
    struct clause *c;
    const struct clause *by;
    link_visit *visit;
    void *ctx;
    size_t most; /* spent at most */
    struct err *err;
};

/* Looks which rows refer to the same target: their bodies need not be read. */
static int pass_others(const struct leading *to, uint64_t row)
{
    struct link *l = to->c->link;
    struct exec *x = &l->inner[0].x;
    struct str keys[SEARCH_TARGET_KEYS_MAX];
    struct clause points = {0};
    uint64_t rows[LINK_AHEAD];
    size_t cap = 0, n;
    int r = search_target_keys(&x->body, l->last.type, l->last.id, NULL, keys, &n, to->err);

    if (r >= 0)
        r = link_points(x, &points, &cap, l->inner[0].param, keys[0], to->err);
    if (r < 0 || points.n_ranges != 1)
        return r;
    r = scan_rows(x, &points.ranges[0], row + 1, x->hi, false, rows, LINK_AHEAD, to->err);
    for (int i = 0; i < r; i++)
        l->ahead.rows[rows[i] % LINK_RING] = rows[i];
    return MIN(r, 0);
}

static int lead_ref(void *ctx, const struct search_ref *ref)
{
    const struct leading *to = ctx;
    const struct follow f = {to->x, to->x->s->type, to->visit, to->ctx, to->err};

    to->c->link->last = *ref;
    return link_follow(&f, ref);
}

static int lead_row(const struct leading *to, uint64_t row)
{
    const struct index_options *opt = store_index_options(to->x->t->st);
    struct link *l = to->c->link;
    struct exec *x = &l->inner[0].x;
    yyjson_val *root;
    bool match;
    int r;

    if (l->ahead.rows[row % LINK_RING] == row)
        return exec_charge(x, 1, to->err);
    if ((r = exec_test(x, to->by, row, &match, NULL, to->err)) < 0 || !match)
        return r;
    l->last = (struct search_ref){0};
    if ((r = exec_body(x, row, &root, to->err)) == 0)
        r = search_refs(&x->body, opt, l->inner[0].param, root, lead_ref, (void *)to, to->err);
    return r || !l->is_single || !l->last.type ? r : pass_others(to, row);
}

/* The rows of a set that are not in another. */
static int lead_rows(const struct leading *to, const struct rowset *set, const struct rowset *but)
{
    uint64_t rows[LINK_BATCH], row = 1;
    size_t n = LINK_BATCH;
    int r = 0;

    while (r == 0 && n == LINK_BATCH) {
        for (n = 0; n < LINK_BATCH && (row = rowset_seek(set, row, false)); row++)
            if (!rowset_has(but, row))
                rows[n++] = row;
        to->x->ops->expect(to->x->t, rows, n);
        for (size_t i = 0; i < n && r == 0; i++) {
            if (to->x->top->spent > to->most)
                return 1;
            r = lead_row(to, rows[i]);
        }
    }
    return r;
}

/* The inner search's rows in lo … hi: 1 when that were all. */
static int lead_within(struct leading *to, uint64_t lo, uint64_t hi)
{
    struct exec *x = &to->c->link->inner[0].x;
    struct clause part = *to->by;
    struct rowset seen = {0};
    uint64_t lo_before = x->lo, hi_before = x->hi;
    int whole = 0, r = 0;

    for (size_t limit = LINK_LEAD_FIRST; r == 0 && !whole; limit *= 4) {
        part.set = (struct rowset){0};
        x->lo = lo;
        x->hi = hi;
        whole = clause_collect(x, &part, limit, to->err);
        x->lo = lo_before;
        x->hi = hi_before;
        if (whole < 0)
            return whole;
        rowset_sort(&part.set);
        r = lead_rows(to, &part.set, &seen);
        seen = part.set;
    }
    return r < 0 ? r : r == 0;
}

int link_targets(struct exec *x, struct clause *c, uint64_t first, size_t cost, link_visit *visit,
                 void *ctx, struct err *err)
{
    struct inner *in = &c->link->inner[0];
    struct leading to = {x, c, leading(in), visit, ctx, x->top->spent + cost, err};
    int r;

    if (!to.by)
        return 0;
    if (to.by->how == HOW_SET)
        return (r = lead_rows(&to, &to.by->set, &(struct rowset){0})) < 0 ? r : r == 0;
    r = lead_within(&to, first, in->x.hi);
    return r > 0 && first > in->x.lo ? lead_within(&to, in->x.lo, first - 1) : r;
}
