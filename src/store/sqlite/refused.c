/* refused.c - candidates that a _has has refused, kept for when it is asked again.
 *
 * "Has none" is dear to find out: every row that refers to the candidate has to be asked. It stays
 * true of a version until a new version refers to its resource and matches, for a version's keys
 * never change. So a connection keeps the rows that were refused, and the position up to which that
 * is known; whoever asks again takes out what newer matches refer to, and goes on.
 */
#include "store/sqlite/search_int.h"

#include <stdlib.h>

struct refused *refused_of(struct exec *x, struct str key)
{
    struct sq_conn *c = x->t->conn;
    struct refused *all = c->refused, *oldest;

    /* What a job sees may be undone. */
    if (x->t->base.is_writing || key.n > sizeof all->key)
        return NULL;
    if (!all && !(all = c->refused = calloc(SQ_REFUSED, sizeof *all)))
        return NULL;
    oldest = all;
    for (size_t i = 0; i < SQ_REFUSED; i++) {
        if (all[i].used && str_eq(str_n((char *)all[i].key, all[i].key_n), key)) {
            all[i].used = ++c->refused_clock;
            return &all[i];
        }
        if (all[i].used < oldest->used)
            oldest = &all[i];
    }
    refused_clear(oldest);
    oldest->used = ++c->refused_clock;
    oldest->position = x->newest;
    oldest->key_n = (uint8_t)key.n;
    memcpy(oldest->key, key.p, key.n);
    return oldest;
}

bool refused_has(const struct refused *of, uint64_t row)
{
    return of->rows[row % SQ_REFUSED_ROWS] == row;
}

void refused_add(struct refused *of, uint64_t row)
{
    of->rows[row % SQ_REFUSED_ROWS] = row;
}

void refused_remove(struct refused *of, uint64_t row)
{
    if (refused_has(of, row))
        of->rows[row % SQ_REFUSED_ROWS] = 0;
}

void refused_clear(struct refused *of)
{
    memset(of->rows, 0, sizeof of->rows);
}
