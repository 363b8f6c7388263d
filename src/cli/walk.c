#include "cli/walk.h"

#include "base/clock.h"
#include "trust/trust.h"

#include <stdio.h>
#include <unistd.h>

#define ROWS_AT_ONCE 1000
#define PAGE_ARENA_MAX MIB(4) /* a page of row numbers */
#define PROGRESS_EVERY_US 200000

struct walk {
    uint64_t row, last, resources;
    bool is_terminal;
    int64_t shown_us;
};

static void show(struct walk *w, bool at_end)
{
    int64_t now = clock_mono_us();

    if (!w->is_terminal || (!at_end && now - w->shown_us < PROGRESS_EVERY_US))
        return;
    fprintf(stderr, "\r%3d %%  %llu resources ", (int)(w->row * 100 / MAX(w->last, 1u)),
            (unsigned long long)w->resources);
    if (at_end)
        fputc('\n', stderr);
    w->shown_us = now;
}

static int walk(struct store_txn *txn, walk_take *take, void *ctx, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    struct walk w = {.last = store_position(txn), .is_terminal = isatty(STDERR_FILENO) == 1};
    struct page page;
    int r;

    arena_init(&a, PAGE_ARENA_MAX);
    do {
        arena_reset(&a);
        r = store_feed(txn, w.row, ROWS_AT_ONCE, &a, &page, err);
        for (size_t i = 0; r == 0 && i < page.n; i++) {
            struct row row;
            w.row = page.rows[i];
            r = store_get_row(txn, w.row, &row, err);
            if (r < 0 || !row.is_current || row.method == METHOD_DELETE)
                continue;
            w.resources++;
            r = take(ctx, &row, err);
        }
        show(&w, false);
    } while (r == 0 && page.n);
    if (r == 0)
        show(&w, true);
    return r;
}

int walk_store(struct store *st, const char *job, walk_take *take, void *ctx, struct err *err)
{
    struct access who = trust_job(str_c(job));
    struct store_txn *txn;
    int r = store_begin(st, &who, &txn, err);

    if (r < 0)
        return r;
    r = walk(txn, take, ctx, err);
    store_end(txn);
    return r;
}
