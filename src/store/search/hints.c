/* hints.c - which lists are known to be long.
 *
 * Finding out that a list is long means reading a good part of it, and the long ones (final, male,
 * every Observation) are asked for again and again. A hint says: this point (or range) had at least
 * n rows at feed position p. Each later version takes at most one row from a list, so that at
 * position q it has at least n - (q - p): a hint is a bound, never a guess. Expunging moves no
 * position and clears them.
 */
#include "store/search/search_int.h"

#define LEARN_MAX 16384 /* entries read to learn how long a list is */
#define LISTS_MAX 8     /* points of a clause that are looked at: the longest bounds the clause */

static struct hint *slot(struct lists *l, uint64_t hash)
{
    return &l->hints[hash % HINTS_MAX];
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
    struct lists *l = &x->t->st->lists;
    uint64_t least = 0;

    if (!may_have(c))
        return 0;
    pthread_mutex_lock(&l->hints_lock);
    for (size_t i = 0; i < c->n_ranges; i++) {
        uint64_t hash = hash_of(&c->ranges[i]);
        const struct hint *h = slot(l, hash);

        if (h->hash == hash && h->position <= x->newest && x->newest - h->position < h->rows)
            least = MAX(least, h->rows - (x->newest - h->position));
    }
    pthread_mutex_unlock(&l->hints_lock);
    return least;
}

uint64_t hint_rows(struct exec *x, const struct clause *c)
{
    struct lists *l = &x->t->st->lists;
    uint64_t hash = hash_of(&c->ranges[0]), rows;

    pthread_mutex_lock(&l->hints_lock);
    rows = slot(l, hash)->hash == hash ? slot(l, hash)->rows : 0;
    pthread_mutex_unlock(&l->hints_lock);
    return rows;
}

int hint_keep(struct exec *x, const struct clause *c, uint64_t rows)
{
    struct lists *l = &x->t->st->lists;
    uint64_t hash = hash_of(&c->ranges[0]);

    pthread_mutex_lock(&l->hints_lock);
    *slot(l, hash) = (struct hint){.hash = hash, .position = x->newest, .rows = rows};
    pthread_mutex_unlock(&l->hints_lock);
    return 0;
}

int hint_learn(struct exec *x, const struct clause *c, struct err *err)
{
    struct lists *l = &x->t->st->lists;

    /* What a job has written may be undone. */
    if (!may_have(c) || x->t->is_writing)
        return 0;
    for (size_t i = 0; i < c->n_ranges; i++) {
        uint64_t hash = hash_of(&c->ranges[i]), n;
        int r = scan_length(x, &c->ranges[i], LEARN_MAX, &n, err);

        if (r < 0)
            return r;
        pthread_mutex_lock(&l->hints_lock);
        *slot(l, hash) = (struct hint){.hash = hash, .position = x->newest, .rows = n};
        pthread_mutex_unlock(&l->hints_lock);
    }
    return 0;
}

/* What one asker has seen of a list has a place of its own. */
static uint64_t seen_hash(const struct exec *x, const struct clause *c)
{
    return hash_of(&c->ranges[0]) ^ x->t->sight->mark * UINT64_C(0x9e3779b97f4a7c15);
}

static bool may_have_seen(const struct exec *x, const struct clause *c)
{
    const struct sight *sight = x->t->sight;

    return sight && sight->mark && !x->t->is_narrowed && !x->t->is_writing && may_have(c) &&
           c->n_ranges == 1;
}

uint64_t hint_seen(const struct exec *x, const struct clause *c)
{
    struct lists *l = &x->t->st->lists;
    uint64_t least = 0, hash;
    const struct hint *h;

    if (!may_have_seen(x, c))
        return 0;
    hash = seen_hash(x, c);
    h = slot(l, hash);
    pthread_mutex_lock(&l->hints_lock);
    if (h->hash == hash && h->position <= x->newest && x->newest - h->position < h->rows)
        least = h->rows - (x->newest - h->position);
    pthread_mutex_unlock(&l->hints_lock);
    return least;
}

void hint_saw(const struct exec *x, const struct clause *c, uint64_t rows)
{
    struct lists *l = &x->t->st->lists;
    uint64_t hash;

    if (!may_have_seen(x, c))
        return;
    hash = seen_hash(x, c);
    pthread_mutex_lock(&l->hints_lock);
    *slot(l, hash) = (struct hint){.hash = hash, .position = x->newest, .rows = rows};
    pthread_mutex_unlock(&l->hints_lock);
}

void hints_clear(struct lists *l)
{
    pthread_mutex_lock(&l->hints_lock);
    memset(l->hints, 0, sizeof l->hints);
    pthread_mutex_unlock(&l->hints_lock);
}
