#include "trust/quota.h"

#include "base/util.h"

#include <stdlib.h>

#define WAYS 8 /* places for one hash */

int quota_init(struct quota *q, struct err *err)
{
    q->v = calloc(QUOTA_SLOTS, sizeof *q->v);
    if (!q->v)
        return err_no_memory(err);
    pthread_mutex_init(&q->lock, NULL);
    return 0;
}

void quota_done(struct quota *q)
{
    if (!q->v)
        return;
    pthread_mutex_destroy(&q->lock);
    free(q->v);
    q->v = NULL;
}

/* Theirs, or that of who has been quiet for longest. */
static struct quota_slot *slot_of(struct quota *q, uint64_t who, int64_t now_ms)
{
    struct quota_slot *set = &q->v[who % (QUOTA_SLOTS / WAYS) * WAYS], *oldest = set;

    for (int i = 0; i < WAYS; i++) {
        if (set[i].who == who && set[i].n)
            return &set[i];
        if (set[i].from_ms < oldest->from_ms)
            oldest = &set[i];
    }
    *oldest = (struct quota_slot){.who = who, .from_ms = now_ms};
    return oldest;
}

int quota_take(struct quota *q, struct str who, uint32_t most, int64_t now_ms, struct err *err)
{
    struct quota_slot *s;
    int64_t left_ms = 0;

    pthread_mutex_lock(&q->lock);
    s = slot_of(q, str_hash(who), now_ms);
    if (now_ms >= s->from_ms + QUOTA_HOUR_MS)
        *s = (struct quota_slot){.who = s->who, .from_ms = now_ms};
    if (s->n < most)
        s->n++;
    else
        left_ms = s->from_ms + QUOTA_HOUR_MS - now_ms;
    pthread_mutex_unlock(&q->lock);
    if (left_ms)
        return err_set(err, ERR_THROTTLED, "not more than %u an hour; try again in %lld seconds",
                       most, (long long)(left_ms / 1000 + 1));
    return 0;
}
