/* import_work.c - the threads that chunks wait for, and what becomes of the lines that are refused.
 */
#include "server/import_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Told on standard error as well, the first few. Under im->lock. */
static void keep_reject(struct import *im, const struct chunk *c, const struct reject *rj)
{
    _cleanup_(sb_done) struct sb out = sb_make(IMPORT_LINE_MAX * 6);

    sb_lit(&out, "{\"file\":");
    sb_json(&out, str_c(c->file));
    sb_fmt(&out, ",\"line\":%llu,\"code\":", (unsigned long long)rj->line);
    sb_json(&out, rj->code);
    sb_lit(&out, ",\"expression\":");
    sb_json(&out, rj->where);
    sb_lit(&out, ",\"reason\":");
    sb_json(&out, rj->reason);
    sb_lit(&out, ",\"profile\":");
    sb_json(&out, rj->broken.profile);
    sb_lit(&out, ",\"rule\":");
    sb_json(&out, rj->broken.rule);
    sb_lit(&out, ",\"text\":");
    sb_json(&out, rj->text);
    sb_lit(&out, "}\n");
    if (im->stats.rejected++ < IMPORT_REJECTS_TOLD)
        fprintf(stderr, "%s:%llu: %.*s%s%.*s\n", c->file, (unsigned long long)rj->line,
                STR_ARG(rj->where), rj->where.n ? ": " : "", STR_ARG(rj->reason));
    if (out.failed || write(im->rejects_fd, out.p, out.n) != (ssize_t)out.n) {
        im->failed = true;
        err_set(&im->err, ERR_FULL, "the file of rejects cannot be written: %s", strerror(errno));
    }
}

/* ---- workers ---- */

static struct chunk *next_chunk(struct import *im)
{
    struct chunk *c = NULL;

    pthread_mutex_lock(&im->lock);
    while (!im->n_queued && !im->stopping)
        pthread_cond_wait(&im->changed, &im->lock);
    if (im->n_queued) {
        c = im->queue[0];
        memmove(im->queue, im->queue + 1, --im->n_queued * sizeof *im->queue);
        im->n_busy++;
        pthread_cond_broadcast(&im->changed);
    }
    pthread_mutex_unlock(&im->lock);
    return c;
}

static void finish_chunk(struct import *im, const struct chunk *c, const struct chunk_result *res,
                         int r, const struct err *err)
{
    struct import_stats now;

    pthread_mutex_lock(&im->lock);
    im->stats.lines += c->n_lines;
    im->stats.resources += res->resources;
    im->stats.bundles += res->bundles;
    im->stats.skipped += res->was_done ? c->n_lines : 0;
    for (size_t i = 0; i < res->n_rejects; i++)
        keep_reject(im, c, &res->rejects[i]);
    if (r < 0 && !im->failed) {
        im->failed = true;
        im->err = *err;
    }
    im->n_busy--;
    now = im->stats;
    pthread_cond_broadcast(&im->changed);
    if (im->config->progress)
        im->config->progress(im->config->ctx, &now);
    pthread_mutex_unlock(&im->lock);
}

static int put_chunk(struct import *im, struct arena *a, const struct chunk *c,
                     struct chunk_result *ret, struct err *err)
{
    const struct import_place *at = im->place;

    return at->socket ? node_chunk_run(at->socket, a, c, im->position_name, ret, err)
                      : chunk_run(at->api, a, c, im->position_name, ret, err);
}

static bool has_failed(struct import *im)
{
    bool failed;

    pthread_mutex_lock(&im->lock);
    failed = im->failed;
    pthread_mutex_unlock(&im->lock);
    return failed;
}

static void *worker(void *ctx)
{
    struct import *im = ctx;
    struct chunk *c;
    struct arena a;

    arena_init(&a, IMPORT_ARENA_MAX);
    while ((c = next_chunk(im))) {
        struct chunk_result res = {0};
        struct err err;
        int r = has_failed(im) ? 0 : put_chunk(im, &a, c, &res, &err);

        finish_chunk(im, c, &res, r, &err);
        chunk_free(c);
        arena_reset(&a);
    }
    arena_done(&a);
    return NULL;
}

int import_queue(struct import *im, struct chunk *c)
{
    bool failed;

    pthread_mutex_lock(&im->lock);
    while (im->n_queued == IMPORT_QUEUE && !im->failed)
        pthread_cond_wait(&im->changed, &im->lock);
    failed = im->failed;
    if (!failed)
        im->queue[im->n_queued++] = c;
    pthread_cond_broadcast(&im->changed);
    pthread_mutex_unlock(&im->lock);
    if (failed)
        chunk_free(c);
    return failed ? ERR_NO_STORE : 0;
}

void import_drain(struct import *im)
{
    pthread_mutex_lock(&im->lock);
    while (im->n_queued || im->n_busy)
        pthread_cond_wait(&im->changed, &im->lock);
    pthread_mutex_unlock(&im->lock);
}

unsigned import_threads(unsigned wanted)
{
    unsigned n = wanted ? wanted : (unsigned)sysconf(_SC_NPROCESSORS_ONLN) + IMPORT_THREADS_WAITING;

    return MIN(n, (unsigned)IMPORT_THREADS_MAX);
}

int import_start(struct import *im, struct err *err)
{
    unsigned n = import_threads(im->config->threads);

    pthread_mutex_init(&im->lock, NULL);
    pthread_cond_init(&im->changed, NULL);
    im->rejects_fd = open(im->config->rejects, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (im->rejects_fd < 0)
        return err_set(err, ERR_NO_STORE, "%s cannot be opened: %s", im->config->rejects,
                       strerror(errno));
    for (unsigned i = 0; i < n; i++) {
        if (pthread_create(&im->threads[i], NULL, worker, im) != 0)
            return err_no_memory(err);
        im->n_threads++;
    }
    return 0;
}

void import_stop(struct import *im)
{
    pthread_mutex_lock(&im->lock);
    im->stopping = true;
    pthread_cond_broadcast(&im->changed);
    pthread_mutex_unlock(&im->lock);
    for (unsigned i = 0; i < im->n_threads; i++)
        pthread_join(im->threads[i], NULL);
    if (im->rejects_fd >= 0)
        close(im->rejects_fd);
    pthread_cond_destroy(&im->changed);
    pthread_mutex_destroy(&im->lock);
}
