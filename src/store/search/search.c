#include "store/search/search_int.h"

#define TURN_TARGET 64 /* what a row costs that a _has leads to: a body, an id, a test */
#define TURN_SHARE 4   /* times that, a page may cost: matches may lead to the same rows */

struct search_limits search_limits = {
    .race_first = 64,
    .race_max = 1024,
    .terms = 4096,
    .ranges = 2000,
    .total_cost = 1000,
    .walk_try = 4096,
    .collect = 65536,
    .sort_rows = 4096,
    .run = 20000,
    .set_array = 65536,
    .turn_after = 500,
    .turn_match = 96,
    .gather = 1000000,
    .keep = 256,
    .bodies = {64, 512, 4096},
    .reads = {4096, 32768, 0},
};

/* Reads the clauses side by side in growing steps until one of them ends. */
static int race(struct exec *x, const struct clause **ret, struct err *err)
{
    for (size_t limit = search_limits.race_first; limit <= search_limits.race_max; limit *= 4) {
        for (size_t i = 0; i < x->n_clauses; i++) {
            struct clause *c = &x->clauses[i];
            int r;

            if (!clause_may_drive(c) || hint_least(x, c) >= search_limits.race_max ||
                (c->is_reach && c->set.n > limit))
                continue;
            r = clause_collect(x, c, limit, err);
            if (r < 0)
                return r;
            if (r > 0) {
                *ret = c;
                return 1;
            }
            if (limit * 4 > search_limits.race_max && (r = hint_learn(x, c, err)) < 0)
                return r;
        }
    }
    return 0;
}

/* A clause that gives rows in order, one that needs no bodies where there is a choice; *ret_n:
 * clauses that may drive. */
static const struct clause *find_points(const struct exec *x, size_t *ret_n)
{
    const struct clause *points = NULL;

    *ret_n = 0;
    for (size_t i = 0; i < x->n_clauses; i++) {
        const struct clause *c = &x->clauses[i];

        if (!clause_may_drive(c))
            continue;
        ++*ret_n;
        if ((c->is_points || c->is_blocks) && (!points || (points->lossy && !c->lossy)))
            points = c;
    }
    return points;
}

int plan_driver(struct exec *x, bool want_small, const struct clause **ret, bool *ret_small,
                struct err *err)
{
    const struct clause *points, *best = NULL;
    const struct clause *reach = x->n_clauses ? &x->clauses[x->n_clauses - 1] : NULL;
    size_t n;
    int r;

    *ret_small = false;
    points = find_points(x, &n);
    if (n && (n > 1 || !points || want_small)) {
        if ((r = race(x, &best, err)) < 0)
            return r;
        *ret_small = r > 0;
        points = find_points(x, &n); /* a chain may have become one */
    } else if (!n && want_small && x->types.n_ranges &&
               hint_least(x, &x->types) < search_limits.race_max) {
        if ((r = clause_collect(x, &x->types, search_limits.race_max, err)) < 0)
            return r;
        *ret_small = r > 0;
        if (r == 0 && (r = hint_learn(x, &x->types, err)) < 0)
            return r;
    }
    if (!best && reach && reach->is_reach)
        best = reach;
    if (!best)
        best = points ? points : x->types.n_ranges ? &x->types : NULL;
    *ret = best;
    return 0;
}

/* One page in row order, or a count. */
struct walk {
    struct exec *x;
    struct source src;
    struct rows rows;
    size_t matched;
    bool has_next, counting;
    uint64_t decided;   /* all rows up to here are refused or in the page */
    struct clause *has; /* not NULL: what it leads to may be asked; see turn() */
    size_t begun;       /* spent before the walk */
    struct mark *mark;  /* rows behind `decided` that were shown */
};

static int walk_next(struct walk *w, uint64_t *ret_row, bool *ret_match, struct err *err)
{
    struct exec *x = w->x;
    uint64_t hint;
    int r = source_next(&w->src, ret_row, err);

    if (r <= 0)
        return r;
    x->better = NULL;
    if ((r = exec_test(x, w->src.driver, *ret_row, ret_match, &hint, err)) < 0)
        return r;
    if (!*ret_match && hint)
        source_skip(&w->src, hint);
    /* A clause that has become a complete set is a better driver than one that never ended. */
    if (x->better && !w->src.set) {
        uint64_t from = w->src.next;
        bool ended = w->src.ended;
        if ((r = source_open(&w->src, x, x->better, from, err)) < 0)
            return r;
        w->src.ended |= ended;
    }
    return 1;
}

int exec_matches(struct exec *x, const struct clause *driver, size_t limit, size_t cost,
                 struct rows *ret, struct err *err)
{
    struct walk w = {.x = x};
    size_t seen = 0, begun = x->top->spent;
    uint64_t row;
    bool match;
    int r = source_open(&w.src, x, driver, x->desc ? x->hi : x->lo, err);

    while (r == 0 && (r = walk_next(&w, &row, &match, err)) > 0) {
        if (++seen > limit || x->top->spent - begun > cost)
            return 0;
        r = match ? rows_add(ret, x->tmp, row, err) : 0;
    }
    return r < 0 ? r : 1;
}

/* Whether every row of the driver is a match that is in sight. */
static bool all_in_sight_match(const struct walk *w)
{
    const struct exec *x = w->x;
    const struct clause *driver = w->src.driver;

    return driver && !driver->lossy &&
           (x->n_clauses == 0 ? driver == &x->types
                              : x->n_clauses == 1 && driver == &x->clauses[0] && x->s->type &&
                                    driver->names_type);
}

/* Whether every row of the driver is a match. */
static bool all_match(const struct walk *w)
{
    return all_in_sight_match(w) && !exec_is_restricted(w->x);
}

/* Whether the matches are known to be too many to count without being asked. */
static bool is_long(const struct walk *w)
{
    if (all_in_sight_match(w) && hint_seen(w->x, w->src.driver) > search_limits.total_cost / 2)
        return true;
    return all_match(w) && hint_least(w->x, w->src.driver) > search_limits.total_cost;
}

/* Whether going on to count would have to begin again on a worker: not for what nobody asked for.
 */
static bool is_short_of_budget(const struct exec *x)
{
    return x->budget && x->spent > x->budget / 2;
}

static bool was_shown(const struct walk *w, uint64_t row)
{
    const struct mark *m = w->mark;

    for (size_t i = 0; i < m->n_shown; i++)
        if (m->shown[i] == row)
            return true;
    return false;
}

/* Takes a match into the page, or knows that there is a next one. */
static int take(struct walk *w, uint64_t row, struct err *err)
{
    const struct search *s = w->x->s;

    w->matched++;
    if (w->rows.n < s->count)
        return rows_add(&w->rows, w->x->a, row, err);
    w->has_next = s->count > 0;
    return 0;
}

/* A row that what a _has finds refers to. */
static int take_target(void *ctx, uint64_t row, struct err *err)
{
    struct walk *w = ctx;
    struct exec *x = w->x;
    bool match;
    int r;

    if (row <= w->decided || row < x->lo || row > x->hi || was_shown(w, row))
        return 0;
    if ((r = exec_test(x, w->has, row, &match, NULL, err)) < 0 || !match)
        return r;
    if (w->rows.n == x->s->count) {
        w->has_next = true;
        return 1;
    }
    w->mark->shown[w->mark->n_shown++] = row;
    return take(w, row, err);
}

/* Whether few candidates pass a _has, so that what it finds leads to a page sooner. */
static bool should_turn(const struct walk *w)
{
    const struct exec *x = w->x;
    size_t spent = x->spent - w->begun;

    if (!w->has || w->has->how != HOW_LINK || w->src.set || w->has_next ||
        (spent < search_limits.turn_after && !link_leads_from_few(w->has)))
        return false;
    return spent > w->rows.n * search_limits.turn_match;
}

/* Fills the page with what the matches of a _has refer to, which is found in no order: the page's
 * mark names it, and the walk goes on where it was. 1: nothing is left. */
static int turn(struct walk *w, struct err *err)
{
    size_t cost = (w->x->s->count + 1) * TURN_TARGET * TURN_SHARE;
    struct clause *has = w->has;
    int r = link_targets(w->x, has, w->decided + 1, cost, take_target, w, err);

    w->has = NULL;
    w->counting &= !w->has_next;
    return r;
}

static int walk_all(struct walk *w, struct err *err)
{
    const struct search *s = w->x->s;
    size_t full_at = 0;
    uint64_t row;
    bool match;
    int r;

    while ((r = walk_next(w, &row, &match, err)) > 0) {
        if (match && !was_shown(w, row)) {
            if ((r = take(w, row, err)) < 0)
                return r;
            if (!w->has_next)
                full_at = w->x->spent;
        }
        if (!w->has_next)
            w->decided = row;
        if (should_turn(w) && (r = turn(w, err)) != 0)
            break;
        if (w->has_next && w->counting && s->total != TOTAL_ACCURATE &&
            (is_long(w) || is_short_of_budget(w->x) ||
             w->x->spent - full_at > search_limits.total_cost)) {
            w->counting = false;
            if (all_match(w) && !is_long(w) && (r = hint_learn(w->x, w->src.driver, err)) < 0)
                return r;
            if (all_in_sight_match(w) && !is_long(w))
                hint_saw(w->x, w->src.driver, w->matched);
        }
        if (w->has_next && !w->counting)
            break;
    }
    return r < 0 ? r : 0;
}

/* Whether every row of the clause stands in it once, so that counting entries counts rows. */
static bool counts_rows(const struct exec *x, const struct clause *c)
{
    const struct range *range = c->ranges;
    unsigned param;

    if (c->lossy || c->is_opaque || c->negate || c->n_ranges != 1 || range->filter || range->head ||
        c->how == HOW_SET)
        return false;
    param = (unsigned char)range->lo.p[0] * 256u + (unsigned char)range->lo.p[1];
    return range->is_point || !list_is_multi(&x->t->st->lists, param);
}

/* Whether all that a search finds stands in the set of its one clause. */
static bool is_set(const struct exec *x, const struct clause *c)
{
    return x->n_clauses == 1 && x->s->type && c->how == HOW_SET && c->names_type && !c->lossy &&
           !c->negate && x->lo <= 1 && x->hi >= x->newest && !exec_is_restricted(x);
}

/* A number is asked for: a _has that no clause made small finds all that it leads to. */
static int gather(struct exec *x, const struct clause **driver, int64_t *ret_total, struct err *err)
{
    struct clause *has = link_gatherable(x);
    int r = has ? link_gather(x, has, false, err) : 0;

    if (r > 0)
        *driver = has;
    if (r > 0 && is_set(x, has)) {
        *ret_total = (int64_t)rowset_count(&has->set);
        r = exec_charge(x, (size_t)x->newest / 64, err);
    }
    return MIN(r, 0);
}

/* The number of rows that ranges hold, each counted once. */
static int count_found(struct exec *x, int64_t *ret, struct err *err)
{
    _cleanup_(found_done) struct found_rows found = {0};
    struct rowset each = {0};
    int r = found_all(x, search_limits.gather, &found, err);

    if (r <= 0)
        return r;
    if (found.rows.bits)
        each = found.rows;
    else
        r = rowset_init_bits(&each, x->tmp, x->newest, err);
    for (size_t i = 0; i < found.rows.n && r >= 0; i++)
        r = rowset_add(&each, x->tmp, found.rows.v[i], x->newest, err);
    if (r < 0 || (r = exec_charge(x, (size_t)x->newest / 64, err)) < 0)
        return r;
    *ret = (int64_t)rowset_count(&each);
    return 1;
}

/* The exact number of matches where the index alone knows it: 1, or 0 if it does not. */
static int count_entries(struct exec *x, int64_t *ret, struct err *err)
{
    const struct clause *c = x->n_clauses ? &x->clauses[0] : &x->types;
    uint64_t sum = 0;

    if (x->n_clauses > 1 || x->lo > 1 || x->hi < x->newest || exec_is_restricted(x))
        return 0;
    if (c == &x->types
            ? !c->n_ranges
            : c->of->kind != CLAUSE_KEYS || !x->s->type || !c->names_type || !counts_rows(x, c))
        return c != &x->types && found_is_ranges(x) ? count_found(x, ret, err) : 0;
    for (size_t i = 0; i < c->n_ranges; i++) {
        uint64_t n;
        int r = scan_count(x, &c->ranges[i], &n, err);

        if (r < 0)
            return r;
        sum += n;
    }
    *ret = (int64_t)sum;
    return 1;
}

/* The _has that a page may be filled from: only where nobody asked for an order or for a number,
 * and a cursor can name what was shown. */
static struct clause *may_turn(struct exec *x, const struct mark *shown)
{
    const struct search *s = x->s;

    if (!s->type || s->n_sort || s->total == TOTAL_ACCURATE || !s->count ||
        s->count > SHOWN_MAX - shown->n_shown)
        return NULL;
    for (size_t i = 0; i < x->n_clauses; i++)
        if (link_leads(&x->clauses[i]))
            return &x->clauses[i];
    return NULL;
}

/* What was shown is named only as long as the walk has not passed it. */
static void mark_move(struct mark *m, uint64_t row)
{
    size_t n = 0;

    for (size_t i = 0; i < m->n_shown; i++)
        if (m->shown[i] > row)
            m->shown[n++] = m->shown[i];
    m->n_shown = n;
    m->row = row;
}

static int rows_page(struct exec *x, const struct mark *from, struct page *ret, struct err *err)
{
    struct walk w = {.x = x};
    const struct search *s = x->s;
    const struct clause *driver;
    struct mark end = {.position = x->position, .total = from ? from->total : -1};
    uint64_t at = x->desc ? x->hi : x->lo;
    bool small;
    int r;

    if (!from && (s->total == TOTAL_ACCURATE || s->count == 0) &&
        (r = count_entries(x, &end.total, err)) < 0)
        return r;
    w.counting = !from && end.total < 0 && (s->total != TOTAL_NONE || s->count == 0);
    if (from) {
        at = x->desc ? from->row - 1 : from->row + 1;
        end.n_shown = from->n_shown;
        memcpy(end.shown, from->shown, from->n_shown * sizeof *from->shown);
    }
    w.mark = &end;
    if (s->count > 0 || w.counting) {
        if ((r = plan_driver(x, false, &driver, &small, err)) < 0)
            return r;
        if (w.counting && !small && (s->total == TOTAL_ACCURATE || s->count == 0) &&
            (r = gather(x, &driver, &end.total, err)) < 0)
            return r;
        w.counting &= end.total < 0;
        if ((r = source_open(&w.src, x, driver, at, err)) < 0)
            return r;
        w.has = may_turn(x, &end);
        w.decided = from ? from->row : 0;
        w.begun = x->spent;
        if ((r = walk_all(&w, err)) < 0)
            return r;
        if (w.counting)
            end.total = (int64_t)w.matched;
    }
    *ret = (struct page){.rows = w.rows.v, .n = w.rows.n, .next = STR_NULL, .total = end.total};
    if (w.has_next) {
        mark_move(&end, w.decided);
        ret->next = mark_format(x->a, &end);
        if (!ret->next.p)
            return err_no_memory(err);
    }
    return 0;
}

static int run(struct exec *x, struct page *ret, struct err *err)
{
    const struct search *s = x->s;
    struct mark from;
    bool has_from = s->cursor.p, by_rows = order_is_rows(s, &x->desc);
    int r;

    if (has_from && (r = mark_parse(x->tmp, s->cursor, &from, err)) < 0)
        return r;
    if (has_from && (from.row == 0 || from.n_keys != (by_rows ? 0 : s->n_sort)))
        return err_set(err, ERR_VALUE, "the page's cursor belongs to another search");
    x->newest = x->t->st->ops->position(x->t);
    x->position = has_from ? from.position : x->newest;
    x->lo = 1;
    x->hi = MIN(x->position, x->newest);
    if ((r = clauses_prepare(x, err)) < 0)
        return r;
    if (x->lo > x->hi || (by_rows && has_from && x->desc && from.row == 1)) {
        *ret = (struct page){.next = STR_NULL, .total = has_from ? from.total : 0};
        return 0;
    }
    if (by_rows || s->count == 0)
        return rows_page(x, has_from ? &from : NULL, ret, err);
    return order_page(x, has_from ? &from : NULL, ret, err);
}

int search_page(struct store_txn *txn, const struct search *s, size_t budget, struct arena *a,
                struct page *ret, struct err *err)
{
    struct exec x;
    int r = exec_init(&x, NULL, txn, s, err);

    if (r < 0)
        return r;
    x.a = a;
    x.budget = budget;
    r = few_page(&x, ret, err);
    if (r == 0 && (r = txn->st->scan->enter(txn, err)) == 0)
        r = run(&x, ret, err);
    exec_done(&x);
    r = MIN(r, 0);
    if (r == 0)
        txn->st->scan->expect(txn, ret->rows, ret->n);
    return r;
}
