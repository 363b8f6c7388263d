/* quota.h - how often somebody may do a thing in an hour, counted in memory: each process for
 * itself, and nothing outlives it. What is counted must be costly to be somebody else for. Safe for
 * any threads.
 */
#ifndef TRUST_QUOTA_H
#define TRUST_QUOTA_H

#include "base/err.h"
#include "base/str.h"

#include <pthread.h>

#define QUOTA_SLOTS 4096 /* of those who did something lately; the longest quiet give way */
#define QUOTA_HOUR_MS INT64_C(3600000)

struct quota {
    pthread_mutex_t lock;
    struct quota_slot {
        uint64_t who; /* a hash */
        int64_t from_ms;
        uint32_t n;
    } * v;
};

int quota_init(struct quota *q, struct err *err);
void quota_done(struct quota *q);
/* Counts one more; ERR_THROTTLED past `most` within the hour since the first, with the seconds that
 * are left in its text. */
int quota_take(struct quota *q, struct str who, uint32_t most, int64_t now_ms, struct err *err);

#endif
