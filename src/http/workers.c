#include "http/http_int.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static bool needs_turn(const struct http_exchange *x)
{
    return !x->has_turn && x->body.kind == BODY_FILE;
}

/* The first that may begin, off the queue; NULL if there is none. Under the lock. */
static struct http_exchange *take(struct workers *w)
{
    struct http_exchange **at = &w->head, *before = NULL, *x;

    while (*at && needs_turn(*at) && w->turns == w->turns_max) {
        before = *at;
        at = &before->next;
    }
    x = *at;
    if (!x)
        return NULL;
    *at = x->next;
    if (w->tail == x)
        w->tail = before;
    w->queued--;
    if (needs_turn(x)) {
        x->has_turn = true;
        w->turns++;
    }
    return x;
}

static void *work(void *ctx)
{
    struct workers *w = ctx;

    /* On Linux a priority is a thread's own. Where it cannot be lowered, nothing is lost. */
    if (w->nice)
        setpriority(PRIO_PROCESS, (id_t)gettid(), w->nice);
    pthread_mutex_lock(&w->lock);
    for (;;) {
        struct http_exchange *x = take(w);

        if (!x) {
            if (w->stop && !w->head)
                break;
            pthread_cond_wait(&w->wake, &w->lock);
            continue;
        }
        pthread_mutex_unlock(&w->lock);
        x->work(x->work_ctx, x);
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

void workers_end_turn(struct workers *w)
{
    pthread_mutex_lock(&w->lock);
    w->turns--;
    pthread_cond_broadcast(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

/* As many whole arenas as the budget lets large requests have, and one worker less than there are.
 */
static unsigned turns_of(const struct http_config *c)
{
    size_t fit = c->memory ? ARENA_BUDGET_LARGE(c->memory->max) / c->arena_max : c->workers;

    return (unsigned)MAX(MIN(fit, (size_t)c->workers - 1), (size_t)1);
}

int workers_start(struct workers *w, const struct http_config *config, struct err *err)
{
    unsigned n = config->workers;
    sigset_t all, before;

    *w = (struct workers){
        .max = config->work_queue_max, .nice = config->workers_nice, .turns_max = turns_of(config)};
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    w->thread = calloc(n, sizeof *w->thread);
    if (!w->thread)
        return err_no_memory(err);
    /* Signals are for the main thread. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (w->n < n && pthread_create(&w->thread[w->n], NULL, work, w) == 0)
        w->n++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (w->n < n) {
        workers_stop(w);
        return err_set(err, ERR_NO_MEMORY, "a worker thread could not be started");
    }
    return 0;
}

void workers_stop(struct workers *w)
{
    if (!w->thread)
        return;
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_broadcast(&w->wake);
    pthread_mutex_unlock(&w->lock);
    for (unsigned i = 0; i < w->n; i++)
        pthread_join(w->thread[i], NULL);
    free(w->thread);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    *w = (struct workers){0};
}

bool workers_reserve(struct workers *w)
{
    bool fits;

    pthread_mutex_lock(&w->lock);
    fits = w->queued < w->max;
    w->queued += fits;
    pthread_mutex_unlock(&w->lock);
    return fits;
}

void workers_push(struct workers *w, struct http_exchange *x)
{
    pthread_mutex_lock(&w->lock);
    x->next = NULL;
    if (w->tail)
        w->tail->next = x;
    else
        w->head = x;
    w->tail = x;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}
