/* waiter.h - waiting until n things that others do are done. */
#ifndef API_WAITER_H
#define API_WAITER_H

#include <pthread.h>
#include <stddef.h>

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t left;
};

static inline void waiter_init(struct waiter *w, size_t n)
{
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    w->left = n;
}

static inline void waiter_finish(struct waiter *w)
{
    pthread_mutex_lock(&w->lock);
    w->left--;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

/* Returns when all are done; the waiter is used up. */
static inline void waiter_wait(struct waiter *w)
{
    pthread_mutex_lock(&w->lock);
    while (w->left)
        pthread_cond_wait(&w->changed, &w->lock);
    pthread_mutex_unlock(&w->lock);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
}

#endif
