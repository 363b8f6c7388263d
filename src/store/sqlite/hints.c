/* hints.c - which lists are known to be long.
 *
 * Finding out that a list is long means reading a good part of it, and the long ones (final, male,
 * every Observation) are asked for again and again. A hint says: this point (or range) had at least
 * n rows at feed position p. Each later version takes at most one row from a list, so that at
 * position q it has at least n - (q - p): a hint is a bound, never a guess. Expunging moves no
 * position and clears them.
 */
#include "store/sqlite/search_int.h"

#define LEARN_MAX 16384 /* entries read to learn how long a list is */
#define LISTS_MAX 8     /* points of a clause that are looked at: the longest bounds the clause */

static struct sq_hint *slot(struct sq_store *st, uint64_t hash)
{
    return &st->hints[hash % SQ_HINTS];
}

static bool may_have(const struct clause *c)
{
    return (c->is_points || c->is_blocks) && c->n_ranges <= LISTS_MAX;
}

static uint64_t hash_of(const struct range *range)
{
    return str_hash(range->lo) ^ (range->head ? str_hash(range->hi) * 31 : 0);
}

uint64_t hint_least(struct exec *x, const struct clause *c)
{
    struct sq_store *st = sq_store(&x->t->base);
    uint64_t least = 0;

    if (!may_have(c))
        return 0;
    pthread_mutex_lock(&st->hints_lock);
    for (size_t i = 0; i < c->n_ranges; i++) {
        uint64_t hash = hash_of(&c->ranges[i]);
        const struct sq_hint *h = slot(st, hash);

        if (h->hash == hash && h->position <= x->newest && x->newest - h->position < h->rows)
            least = MAX(least, h->rows - (x->newest - h->position));
    }
    pthread_mutex_unlock(&st->hints_lock);
    return least;
}

int hint_learn(struct exec *x, const struct clause *c, struct err *err)
{
    struct sq_store *st = sq_store(&x->t->base);

    /* What a job has written may be undone. */
    if (!may_have(c) || x->t->base.is_writing)
        return 0;
    for (size_t i = 0; i < c->n_ranges; i++) {
        uint64_t hash = hash_of(&c->ranges[i]), n;
        int r = scan_length(x, &c->ranges[i], LEARN_MAX, &n, err);

        if (r < 0)
            return r;
        pthread_mutex_lock(&st->hints_lock);
        *slot(st, hash) = (struct sq_hint){.hash = hash, .position = x->newest, .rows = n};
        pthread_mutex_unlock(&st->hints_lock);
    }
    return 0;
}

void sq_hints_clear(struct sq_store *st)
{
    pthread_mutex_lock(&st->hints_lock);
    memset(st->hints, 0, sizeof st->hints);
    pthread_mutex_unlock(&st->hints_lock);
}
