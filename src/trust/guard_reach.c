/* guard_reach.c - the current rows of all that are in somebody's care: a list by type, made anew
 * from the last one and what came and went since; and the counting of who still looks at it.
 */
#include "trust/guard_int.h"

#include <stdlib.h>

static void block_unref(struct rows_block *b)
{
    if (b && atomic_fetch_sub(&b->refs, 1) == 1)
        free(b);
}

void reach_unref(struct reach *r)
{
    if (!r || atomic_fetch_sub(&r->refs, 1) != 1)
        return;
    for (size_t i = 0; i < ARRAY_LEN(r->blocks); i++)
        block_unref(r->blocks[i]);
    free(r);
}

void care_unref(struct care *c)
{
    if (!c || atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    arena_done(&c->a);
    text_map_done(&c->below, NULL);
    text_map_done(&c->patients, NULL);
    text_map_done(&c->grown, NULL);
    text_map_done(&c->because, NULL);
    reach_unref(c->reach);
    free(c->newer);
    free(c);
}

bool care_has_grown(const struct care *c, struct str patient)
{
    return text_map_get(&c->grown, patient) != NULL;
}

bool care_has(const struct care *c, struct str patient)
{
    return text_map_get(&c->patients, patient) != NULL;
}

static int newer_cmp(const void *x, const void *y)
{
    const struct newer *a = x, *b = y;

    if (a->type != b->type)
        return a->type < b->type ? -1 : 1;
    if (a->row != b->row)
        return a->row < b->row ? -1 : 1;
    return b->is_gone - a->is_gone;
}

/* The rows of one type, with what came and without what is gone: both in order, each row once. */
static struct rows_block *block_with(const struct rows_block *old, const struct newer *more,
                                     size_t n)
{
    size_t had = old ? old->n : 0, at = 0;
    struct rows_block *b = malloc(sizeof *b + (had + n) * sizeof *b->v);

    if (!b)
        return NULL;
    atomic_init(&b->refs, 1);
    b->n = 0;
    for (size_t i = 0; i < n; i++) {
        while (at < had && old->v[at] < more[i].row)
            b->v[b->n++] = old->v[at++];
        at += at < had && old->v[at] == more[i].row;
        /* What came and went stands here twice, that it went first. */
        if (!more[i].is_gone && !(i && more[i - 1].row == more[i].row))
            b->v[b->n++] = more[i].row;
    }
    while (at < had)
        b->v[b->n++] = old->v[at++];
    return b;
}

int reach_with(const struct reach *old, struct newer *more, size_t n, struct reach **ret,
               struct err *err)
{
    struct reach *r = calloc(1, sizeof *r);
    bool ok = true;

    if (!r)
        return err_no_memory(err);
    atomic_store(&r->refs, 1);
    if (n)
        qsort(more, n, sizeof *more, newer_cmp);
    for (size_t type = 0; type < ARRAY_LEN(r->blocks); type++) {
        struct rows_block *was = old ? old->blocks[type] : NULL;
        size_t some = 0;

        while (some < n && more[some].type == (int)type)
            some++;
        if (some) {
            r->blocks[type] = block_with(was, more, some);
            ok &= r->blocks[type] != NULL;
        } else if (was) {
            atomic_fetch_add(&was->refs, 1);
            r->blocks[type] = was;
        }
        if (r->blocks[type])
            r->rows[type] = (struct sight_rows){r->blocks[type]->v, r->blocks[type]->n};
        r->n_rows += r->rows[type].n;
        if (some)
            more += some;
        n -= some;
    }
    if (!ok) {
        reach_unref(r);
        return err_no_memory(err);
    }
    *ret = r;
    return 0;
}
