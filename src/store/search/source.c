#include "store/search/search_int.h"

#define LIVE_BATCH 64

static bool is_before(const struct source *src, uint64_t a, uint64_t b)
{
    return src->x->desc ? a > b : a < b;
}

static uint64_t current(const struct list *l)
{
    return l->rows[l->at];
}

/* The next block of a range that has a row not before src->next: 1, or 0 at the end. */
static int block_seek(struct source *src, struct list *l, struct err *err)
{
    struct exec *x = src->x;
    uint64_t last = block_of(x->desc ? x->lo : x->hi), at = block_of(src->next);

    while (x->desc ? at >= last : at <= last) {
        struct rowset sorted;
        size_t n;
        int r;

        l->block.n = l->at = l->n = 0;
        r = block_next(x, l->range, at, last, x->desc, SIZE_MAX, &l->block, &at, &n, err);
        if (r <= 0) {
            l->ended = r == 0;
            return r;
        }
        sorted = (struct rowset){.v = l->block.v, .n = l->block.n};
        rowset_sort(&sorted);
        l->rows = sorted.v;
        l->n = sorted.n;
        for (size_t i = 0; x->desc && i < l->n / 2; i++) {
            uint64_t row = l->rows[i];
            l->rows[i] = l->rows[l->n - 1 - i];
            l->rows[l->n - 1 - i] = row;
        }
        while (l->at < l->n && is_before(src, current(l), src->next))
            l->at++;
        if (l->at < l->n)
            return 1;
        if (at == last)
            break;
        at += x->desc ? UINT64_MAX : 1;
    }
    l->ended = true;
    return 0;
}

/* Moves a list to its first row not before src->next: 1, or 0 at its end. */
static int list_seek(struct source *src, struct list *l, struct err *err)
{
    struct exec *x = src->x;
    int r;

    while (l->at < l->n && is_before(src, current(l), src->next))
        l->at++;
    if (l->at < l->n)
        return 1;
    if (l->ended)
        return 0;
    if (l->range->head)
        return block_seek(src, l, err);
    r = scan_rows(x, l->range, x->desc ? x->lo : src->next, x->desc ? src->next : x->hi, x->desc,
                  l->rows, l->batch, err);
    if (r < 0)
        return r;
    x->ops->expect(x->t, l->rows, (size_t)r);
    l->ended = (size_t)r < l->batch;
    l->n = (size_t)r;
    l->at = 0;
    l->batch = MIN(l->batch * 4, (size_t)SOURCE_BATCH);
    return r > 0;
}

/* Lets the first list sink to its place. */
static void heap_down(struct source *src, size_t at)
{
    for (;;) {
        size_t least = at, child = 2 * at + 1;
        struct list t;

        for (size_t i = child; i < child + 2 && i < src->n_lists; i++)
            if (is_before(src, current(&src->lists[i]), current(&src->lists[least])))
                least = i;
        if (least == at)
            return;
        t = src->lists[at];
        src->lists[at] = src->lists[least];
        src->lists[least] = t;
        at = least;
    }
}

static int open_lists(struct source *src, const struct clause *c, struct err *err)
{
    struct arena *a = src->x->tmp;

    src->lists = ARENA_ARRAY(a, struct list, c->n_ranges);
    if (!src->lists)
        return err_no_memory(err);
    for (size_t i = 0; i < c->n_ranges; i++) {
        struct list *l = &src->lists[src->n_lists];
        int r;

        *l = (struct list){
            .range = &c->ranges[i], .batch = 16, .rows = ARENA_ARRAY(a, uint64_t, SOURCE_BATCH)};
        if (!l->rows)
            return err_no_memory(err);
        r = list_seek(src, l, err);
        if (r < 0)
            return r;
        if (r > 0)
            src->n_lists++;
    }
    for (size_t i = src->n_lists / 2; i-- > 0;)
        heap_down(src, i);
    return 0;
}

int source_open(struct source *src, struct exec *x, const struct clause *driver, uint64_t from,
                struct err *err)
{
    *src = (struct source){.x = x, .driver = driver, .next = from};
    if (from < x->lo || from > x->hi) {
        if (x->desc ? from < x->lo : from > x->hi)
            src->ended = true;
        src->next = x->desc ? x->hi : x->lo;
    }
    if (src->ended)
        return 0;
    if (!driver) {
        src->live = ARENA_ARRAY(x->tmp, uint64_t, LIVE_BATCH);
        return src->live ? 0 : err_no_memory(err);
    }
    if (driver->how == HOW_SET) {
        src->set = &driver->set;
        /* In this direction the bodies of an array are likely to be asked for. */
        if (!x->desc && !src->set->bits)
            x->ops->expect(x->t, src->set->v, src->set->n);
        return 0;
    }
    return open_lists(src, driver, err);
}

static int next_of_lists(struct source *src, uint64_t *ret, struct err *err)
{
    while (src->n_lists) {
        struct list *l = &src->lists[0];
        int r;

        if (!is_before(src, current(l), src->next)) {
            *ret = current(l);
            return 1;
        }
        r = list_seek(src, l, err);
        if (r < 0)
            return r;
        if (r == 0)
            *l = src->lists[--src->n_lists];
        heap_down(src, 0);
    }
    return 0;
}

static int next_live(struct source *src, uint64_t *ret, struct err *err)
{
    struct exec *x = src->x;
    int r;

    while (src->live_at < src->live_n && is_before(src, src->live[src->live_at], src->next))
        src->live_at++;
    if (src->live_at == src->live_n) {
        r = x->ops->live(x->t, src->next, x->desc, src->live, LIVE_BATCH, err);
        if (r <= 0)
            return r;
        src->live_n = (size_t)r;
        src->live_at = 0;
    }
    *ret = src->live[src->live_at];
    return (r = exec_charge(x, 2, err)) < 0 ? r : 1;
}

int source_next(struct source *src, uint64_t *ret, struct err *err)
{
    struct exec *x = src->x;
    uint64_t row = 0;
    int r = 1;

    if (src->ended)
        return 0;
    if (src->set)
        row = rowset_seek(src->set, src->next, x->desc);
    else if (src->driver)
        r = next_of_lists(src, &row, err);
    else
        r = next_live(src, &row, err);
    if (r < 0)
        return r;
    if (r == 0 || row == 0 || row < x->lo || row > x->hi) {
        src->ended = true;
        return 0;
    }
    if (src->set && (r = exec_charge(x, 1, err)) < 0)
        return r;
    *ret = row;
    if (x->desc ? row == x->lo : row == x->hi)
        src->ended = true;
    src->next = x->desc ? row - 1 : row + 1;
    return 1;
}

void source_skip(struct source *src, uint64_t row)
{
    if (is_before(src, src->next, row))
        src->next = row;
}
