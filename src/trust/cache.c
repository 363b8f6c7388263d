#include "trust/trust_int.h"

#include <stdlib.h>

#define WAYS 4 /* places for one hash: the last is the one that gives way */
#define SETS (TRUST_CACHE_TOKENS / WAYS)

int token_cache_init(struct token_cache *c, struct err *err)
{
    c->v = calloc(TRUST_CACHE_TOKENS, sizeof *c->v);
    if (!c->v)
        return err_no_memory(err);
    pthread_rwlock_init(&c->lock, NULL);
    return 0;
}

void token_cache_done(struct token_cache *c)
{
    if (!c->v)
        return;
    token_cache_clear(c);
    pthread_rwlock_destroy(&c->lock);
    free(c->v);
    c->v = NULL;
}

static struct cached *set_of(struct token_cache *c, const unsigned char *hash)
{
    uint32_t at;

    memcpy(&at, hash, sizeof at);
    return &c->v[(size_t)(at % SETS) * WAYS];
}

const struct identity *token_cache_get(struct token_cache *c, const unsigned char *hash,
                                       int64_t now_ms)
{
    const struct identity *found = NULL;
    struct cached *set = set_of(c, hash);

    pthread_rwlock_rdlock(&c->lock);
    for (int i = 0; i < WAYS && !found; i++)
        if (set[i].identity && memcmp(set[i].hash, hash, SHA256_BYTES) == 0 &&
            set[i].until_ms > now_ms)
            found = identity_ref(set[i].identity);
    pthread_rwlock_unlock(&c->lock);
    return found;
}

void token_cache_put(struct token_cache *c, const unsigned char *hash, const struct identity *i,
                     int64_t until_ms, uint64_t age)
{
    struct cached *set = set_of(c, hash);

    pthread_rwlock_wrlock(&c->lock);
    if (atomic_load(&c->age) == age) {
        identity_unref(set[WAYS - 1].identity);
        memmove(set + 1, set, (WAYS - 1) * sizeof *set);
        memcpy(set->hash, hash, SHA256_BYTES);
        set->identity = identity_ref(i);
        set->until_ms = MIN(until_ms, i->until_ms);
    }
    pthread_rwlock_unlock(&c->lock);
}

void token_cache_clear(struct token_cache *c)
{
    pthread_rwlock_wrlock(&c->lock);
    atomic_fetch_add(&c->age, 1);
    for (size_t i = 0; i < TRUST_CACHE_TOKENS; i++) {
        identity_unref(c->v[i].identity);
        c->v[i].identity = NULL;
    }
    pthread_rwlock_unlock(&c->lock);
}
