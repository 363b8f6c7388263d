#include "server/outside.h"

#include "http/client.h"

#include <string.h>

#define HEADER_MAX KIB(64)

/* ---- how another server is asked ---- */

static int ask(void *ctx, const struct trust_ask *ask, int *ret_status, struct sb *ret_body,
               struct err *err)
{
    _cleanup_(sb_done) struct sb authorization = sb_make(HEADER_MAX);
    const char *headers[3] = {"Accept: application/json"};
    struct http_client_request req = {.url = ask->url,
                                      .content_type =
                                          ask->form.p ? "application/x-www-form-urlencoded" : NULL,
                                      .body = ask->form,
                                      .headers = headers,
                                      .seconds = ask->seconds,
                                      .ca_file = ask->ca_file,
                                      .public_only = !ask->may_be_private};
    int r;

    (void)ctx;
    if (ask->authorization) {
        sb_lit(&authorization, "Authorization: ");
        sb_str(&authorization, str_c(ask->authorization));
        sb_char(&authorization, '\0');
        if ((r = sb_ok(&authorization, err)) < 0)
            return r;
        headers[1] = authorization.p;
    }
    r = http_client(&req, ret_status, ret_body, err);
    if (authorization.n)
        explicit_bzero(authorization.p, authorization.n);
    return r;
}

/* ---- who waits for it ---- */

static void *work(void *ctx)
{
    struct outside *out = ctx;

    pthread_mutex_lock(&out->lock);
    while (out->n || !out->stop) {
        struct outside_turn turn;

        if (!out->n) {
            pthread_cond_wait(&out->wake, &out->lock);
            continue;
        }
        turn = out->queue[out->first];
        out->first = (out->first + 1) % OUTSIDE_QUEUE_MAX;
        out->n--;
        pthread_mutex_unlock(&out->lock);
        turn.fn(turn.ctx, turn.x);
        pthread_mutex_lock(&out->lock);
    }
    pthread_mutex_unlock(&out->lock);
    return NULL;
}

int outside_start(struct outside *out, struct err *err)
{
    *out = (struct outside){.wire = {.ask = ask}};
    pthread_mutex_init(&out->lock, NULL);
    pthread_cond_init(&out->wake, NULL);
    while (out->n_threads < OUTSIDE_THREADS &&
           pthread_create(&out->thread[out->n_threads], NULL, work, out) == 0)
        out->n_threads++;
    return out->n_threads ? 0 : err_set(err, ERR_NO_MEMORY, "a thread could not be started");
}

void outside_stop(struct outside *out)
{
    if (!out->wire.ask)
        return;
    pthread_mutex_lock(&out->lock);
    out->stop = true;
    pthread_cond_broadcast(&out->wake);
    pthread_mutex_unlock(&out->lock);
    for (unsigned i = 0; i < out->n_threads; i++)
        pthread_join(out->thread[i], NULL);
    pthread_cond_destroy(&out->wake);
    pthread_mutex_destroy(&out->lock);
    out->wire.ask = NULL;
}

bool outside_work(struct outside *out, struct http_exchange *x, http_handler *fn, void *ctx)
{
    bool fits;

    pthread_mutex_lock(&out->lock);
    fits = out->n < OUTSIDE_QUEUE_MAX;
    if (fits) {
        http_defer(x);
        out->queue[(out->first + out->n++) % OUTSIDE_QUEUE_MAX] = (struct outside_turn){x, fn, ctx};
        pthread_cond_signal(&out->wake);
    }
    pthread_mutex_unlock(&out->lock);
    return fits;
}
