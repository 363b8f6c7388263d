/* outside.h - asking other servers on a request's behalf: threads of their own, because a slow
 * server must not keep those that answer everybody else, and how it is asked.
 */
#ifndef SERVER_OUTSIDE_H
#define SERVER_OUTSIDE_H

#include "http/http.h"
#include "trust/trust.h"

#include <pthread.h>

#define OUTSIDE_THREADS 4
#define OUTSIDE_QUEUE_MAX 64 /* requests that wait for one of them; more are told to come again */

struct outside_turn {
    struct http_exchange *x;
    http_handler *fn;
    void *ctx;
};

struct outside {
    struct trust_wire wire;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread[OUTSIDE_THREADS];
    unsigned n_threads;
    struct outside_turn queue[OUTSIDE_QUEUE_MAX]; /* a ring */
    size_t first, n;
    bool stop;
};

int outside_start(struct outside *out, struct err *err);
/* After the servers whose requests it answers. */
void outside_stop(struct outside *out);
/* As http_work, on a thread from here. False if the queue is full (nothing was done). */
bool outside_work(struct outside *out, struct http_exchange *x, http_handler *fn, void *ctx);

#endif
