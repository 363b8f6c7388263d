#include "surveillance/centre.h"

#include "base/clock.h"
#include "base/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#define AFTER_ERROR_MS 5000

struct centre {
    struct store *store;
    struct kept *kept;
    pthread_t thread;
    bool has_thread;
    atomic_bool is_ending;
    pthread_mutex_t lock;
    pthread_cond_t ended;
};

/* Waits, but not for the end. */
static void wait_ms(struct centre *c, int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&c->lock);
    if (!atomic_load(&c->is_ending))
        pthread_cond_timedwait(&c->ended, &c->lock, &until);
    pthread_mutex_unlock(&c->lock);
}

static void *run(void *ctx)
{
    struct centre *c = ctx;
    int64_t wait = store_is_shared(c->store) ? CENTRE_SHARED_WAIT_MS : CENTRE_WAIT_MS;

    while (!atomic_load(&c->is_ending)) {
        struct err err = {0};
        uint64_t n = 0;
        int r = kept_follow(c->kept, &c->is_ending, &n, &err);

        if (r >= 0)
            r = kept_save(c->kept, false, &err);
        if (r < 0)
            log_err(LOG_WARN, LOG_SURVEILLANCE, &err);
        wait_ms(c, r < 0 ? AFTER_ERROR_MS : wait);
    }
    return NULL;
}

int centre_new(struct store *store, const struct access *node, const struct centre_config *config,
               struct centre **ret, struct err *err)
{
    struct centre *c = calloc(1, sizeof *c);
    int r;

    if (!c)
        return err_no_memory(err);
    c->store = store;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->ended, NULL);
    r = kept_new(store, node, config->definitions, &c->kept, err);
    if (r < 0) {
        centre_free(c);
        return r;
    }
    *ret = c;
    return 0;
}

int centre_start(struct centre *c, struct err *err)
{
    if (pthread_create(&c->thread, NULL, run, c) != 0)
        return err_no_memory(err);
    c->has_thread = true;
    return 0;
}

void centre_free(struct centre *c)
{
    struct err err = {0};

    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    atomic_store(&c->is_ending, true);
    pthread_cond_signal(&c->ended);
    pthread_mutex_unlock(&c->lock);
    if (c->has_thread)
        pthread_join(c->thread, NULL);
    if (c->has_thread && kept_save(c->kept, true, &err) < 0)
        log_err(LOG_WARN, LOG_SURVEILLANCE, &err);
    kept_free(c->kept);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->ended);
    free(c);
}

int centre_kept(struct centre *c, struct kept **ret, struct err *err)
{
    uint64_t done, all;

    if (!kept_is_ready(c->kept, &done, &all))
        return err_set(err, ERR_BUSY,
                       "cases are being counted: %" PRIu64 " of %" PRIu64 " versions are", done,
                       all);
    *ret = c->kept;
    return 0;
}
