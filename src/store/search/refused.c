/* refused.c - candidates that a _has has refused, kept for when it is asked again.
 *
 * "Has none" is dear to find out: every row that refers to the candidate has to be asked. It stays
 * true of a version until a new version refers to its resource and matches, for a version's keys
 * never change. So the rows that were refused are kept with the position as of which they are; who
 * asks again takes out what newer matches refer to, and goes on. Searches on an older snapshot than
 * that leave it alone.
 */
#include "store/search/search_int.h"

static struct refused *find(struct lists *l, struct str key)
{
    struct refused *oldest = l->refused;

    for (size_t i = 0; i < REFUSED_MAX; i++) {
        struct refused *r = &l->refused[i];

        if (r->used && str_eq(str_n((char *)r->key, r->key_n), key))
            return r;
        if (r->used < oldest->used)
            oldest = r;
    }
    memset(oldest, 0, sizeof *oldest);
    oldest->key_n = (uint8_t)key.n;
    memcpy(oldest->key, key.p, key.n);
    return oldest;
}

bool refused_open(struct exec *x, struct str key, struct refusal *ret)
{
    struct lists *l = &x->t->st->lists;
    struct refused *r;

    /* What a job sees may be undone. */
    if (x->t->is_writing || key.n > REFUSED_KEY_BYTES)
        return false;
    pthread_mutex_lock(&l->kept_lock);
    r = find(l, key);
    if (!r->used) {
        r->made = l->refused_clock + 1;
        r->position = x->newest;
    }
    r->used = ++l->refused_clock;
    *ret = (struct refusal){.of = r, .made = r->made, .position = r->position};
    pthread_mutex_unlock(&l->kept_lock);
    return ret->position <= x->newest;
}

/* Whether what is kept is still that which was opened, as of its position. */
static bool is_mine(const struct refusal *mine)
{
    return mine->of->made == mine->made && mine->of->position == mine->position;
}

bool refused_has(struct exec *x, const struct refusal *mine, uint64_t row)
{
    struct lists *l = &x->t->st->lists;
    bool has;

    pthread_mutex_lock(&l->kept_lock);
    has = is_mine(mine) && mine->of->rows[row % REFUSED_ROWS] == row;
    pthread_mutex_unlock(&l->kept_lock);
    return has;
}

void refused_add(struct exec *x, const struct refusal *mine, uint64_t row)
{
    struct lists *l = &x->t->st->lists;

    pthread_mutex_lock(&l->kept_lock);
    if (is_mine(mine))
        mine->of->rows[row % REFUSED_ROWS] = row;
    pthread_mutex_unlock(&l->kept_lock);
}

void refused_advance(struct exec *x, struct refusal *mine, const struct rows *no_longer)
{
    struct lists *l = &x->t->st->lists;

    pthread_mutex_lock(&l->kept_lock);
    if (is_mine(mine)) {
        uint64_t *rows = mine->of->rows;

        if (!no_longer)
            memset(rows, 0, sizeof mine->of->rows);
        for (size_t i = 0; no_longer && i < no_longer->n; i++)
            if (rows[no_longer->v[i] % REFUSED_ROWS] == no_longer->v[i])
                rows[no_longer->v[i] % REFUSED_ROWS] = 0;
        mine->of->position = x->newest;
    }
    pthread_mutex_unlock(&l->kept_lock);
    mine->position = x->newest;
}
