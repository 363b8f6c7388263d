#include "server/import_int.h"

#include "base/js.h"
#include "fhir/xml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- chunks ---- */

struct chunk *chunk_new(const char *file, bool alone)
{
    struct chunk *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->file = file;
    c->alone = alone;
    c->lines = calloc(alone ? 1 : IMPORT_CHUNK_LINES, sizeof *c->lines);
    if (!c->lines) {
        free(c);
        return NULL;
    }
    return c;
}

bool chunk_add(struct chunk *c, struct str line, uint64_t number)
{
    if (c->n + line.n > c->cap) {
        size_t cap = MAX(c->n + line.n, c->alone ? 0 : (size_t)IMPORT_CHUNK_BYTES);
        char *p = realloc(c->text, cap);
        if (!p)
            return false;
        c->text = p;
        c->cap = cap;
    }
    c->lines[c->n_lines++] = (struct chunk_line){c->n, line.n, number};
    memcpy(c->text + c->n, line.p, line.n);
    c->n += line.n;
    return true;
}

void chunk_free(struct chunk *c)
{
    if (!c)
        return;
    free(c->lines);
    free(c->text);
    free(c);
}

/* ---- one chunk ---- */

struct work {
    struct import *im;
    struct chunk *chunk;
    struct arena *a;
    uint64_t resources, bundles, rejected;
};

/* In the same transaction as the chunk's effect, on the writer's thread. */
static int mark(void *ctx, struct store_txn *txn, struct err *err)
{
    struct work *w = ctx;

    return position_mark(&w->im->position, w->chunk->number, txn, err);
}

static void reject(struct work *w, uint64_t line, struct str text, const struct err *why)
{
    _cleanup_(sb_done) struct sb out = sb_make(IMPORT_LINE_MAX * 6);
    struct import *im = w->im;

    w->rejected++;
    sb_lit(&out, "{\"file\":");
    sb_json(&out, str_c(w->chunk->file));
    sb_fmt(&out, ",\"line\":%llu,\"code\":\"%s\",\"expression\":", (unsigned long long)line,
           err_issue_type(why->code));
    sb_json(&out, str_c(why->where));
    sb_lit(&out, ",\"reason\":");
    sb_json(&out, str_c(why->text));
    sb_lit(&out, ",\"text\":");
    sb_json(&out, text);
    sb_lit(&out, "}\n");
    pthread_mutex_lock(&im->lock);
    if (im->stats.rejected++ < IMPORT_REJECTS_TOLD)
        fprintf(stderr, "%s:%llu: %s%s%s\n", w->chunk->file, (unsigned long long)line, why->where,
                why->where[0] ? ": " : "", why->text);
    if (out.failed || write(im->rejects_fd, out.p, out.n) != (ssize_t)out.n) {
        im->failed = true;
        err_set(&im->err, ERR_FULL, "the file of rejects cannot be written: %s", strerror(errno));
    }
    pthread_mutex_unlock(&im->lock);
}

static int put_lines(struct work *w, struct api_line *lines, const uint64_t *numbers, size_t n,
                     struct err *err)
{
    int r = api_put_lines(w->im->api, w->a, trust_job(STR("import")), lines, n, mark, w, err);

    if (r < 0)
        return r;
    for (size_t i = 0; i < n; i++) {
        if (lines[i].result < 0)
            reject(w, numbers[i], lines[i].text, &lines[i].err);
        else
            w->resources++;
    }
    return 0;
}

static int import_lines(struct work *w, struct err *err)
{
    struct chunk *c = w->chunk;
    struct api_line *lines = ARENA_ARRAY(w->a, struct api_line, c->n_lines);
    uint64_t *numbers = ARENA_ARRAY(w->a, uint64_t, c->n_lines);

    if (!lines || !numbers)
        return err_no_memory(err);
    for (size_t i = 0; i < c->n_lines; i++) {
        lines[i].text = str_n(c->text + c->lines[i].at, c->lines[i].n);
        numbers[i] = c->lines[i].number;
    }
    return put_lines(w, lines, numbers, c->n_lines, err);
}

/* The resources of a collection, each as a line of its own. */
static int import_entries(struct work *w, yyjson_val *root, struct err *err)
{
    yyjson_val *entries = js_get(root, "entry"), *entry;
    size_t n = yyjson_arr_size(entries), i, max, at = 0;
    struct api_line *lines = ARENA_ARRAY(w->a, struct api_line, n + 1);
    uint64_t *numbers = ARENA_ARRAY(w->a, uint64_t, n + 1);
    int r = 0;

    if (!lines || !numbers)
        return err_no_memory(err);
    yyjson_arr_foreach(entries, i, max, entry) {
        _cleanup_(sb_done) struct sb text = sb_make(IMPORT_LINE_MAX);
        yyjson_val *resource = js_get(entry, "resource");
        if (!resource)
            continue;
        js_write(&text, resource);
        if ((r = sb_ok(&text, err)) < 0)
            return r;
        lines[at].text = arena_dup(w->a, sb_view(&text));
        if (!lines[at].text.p)
            return err_no_memory(err);
        numbers[at++] = w->chunk->lines[0].number;
    }
    w->bundles++;
    return put_lines(w, lines, numbers, at, err);
}

static int run_bundle(struct work *w, struct str text, size_t n_entries, struct err *err)
{
    struct err why = {0};
    size_t failed;
    int r = api_bundle(w->im->api, w->a, trust_job(STR("import")), text, mark, w, &failed, &why);

    if (r < 0 && err_http_status(r) >= 500) {
        *err = why;
        return r;
    }
    w->bundles++;
    if (r < 0 || failed) {
        reject(w, w->chunk->lines[0].number, text, &why);
        w->rejected += r < 0 ? 0 : failed - 1;
    }
    if (r >= 0)
        w->resources += n_entries - failed;
    return 0;
}

/* A document in XML becomes the JSON that it says. */
static int read_xml(struct work *w, struct err *err)
{
    struct chunk *c = w->chunk;
    _cleanup_(sb_done) struct sb json = sb_make(IMPORT_LINE_MAX);
    int r = xml_read(w->a, str_n(c->text, c->n), &json, err);

    if (r < 0)
        return r;
    free(c->text);
    c->text = sb_steal(&json, &c->n);
    c->cap = c->n;
    c->lines[0].n = c->n;
    return 0;
}

static int import_alone(struct work *w, struct err *err)
{
    struct str text = str_n(w->chunk->text, w->chunk->n), type;
    yyjson_val *root;
    struct err why;
    int r;

    if (xml_is_likely(text) && read_xml(w, &why) < 0) {
        reject(w, w->chunk->lines[0].number, text, &why);
        return 0;
    }
    text = str_n(w->chunk->text, w->chunk->n);
    r = js_parse(w->a, text, &root, &why);
    if (r == ERR_NO_MEMORY || r >= 0) {
        if (r < 0 || !str_eq(js_get_str(root, "resourceType"), STR("Bundle")))
            return import_lines(w, err);
    } else {
        reject(w, w->chunk->lines[0].number, text, &why);
        return 0;
    }
    type = js_get_str(root, "type");
    if (str_eq(type, STR("transaction")) || str_eq(type, STR("batch")))
        return run_bundle(w, text, yyjson_arr_size(js_get(root, "entry")), err);
    if (str_eq(type, STR("document")) || str_eq(type, STR("message")))
        return import_lines(w, err);
    return import_entries(w, root, err);
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

static void finish_chunk(struct import *im, const struct work *w, int r, const struct err *err)
{
    struct import_stats now;

    pthread_mutex_lock(&im->lock);
    im->stats.lines += w->chunk->n_lines;
    im->stats.resources += w->resources;
    im->stats.bundles += w->bundles;
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

static void *worker(void *ctx)
{
    struct import *im = ctx;
    struct chunk *c;
    struct arena a;

    arena_init(&a, IMPORT_ARENA_MAX);
    while ((c = next_chunk(im))) {
        struct work w = {.im = im, .chunk = c, .a = &a};
        struct err err;
        int r = im->failed ? 0 : c->alone ? import_alone(&w, &err) : import_lines(&w, &err);

        finish_chunk(im, &w, r, &err);
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

int import_start(struct import *im, struct err *err)
{
    unsigned n = im->config->threads
                     ? im->config->threads
                     : (unsigned)sysconf(_SC_NPROCESSORS_ONLN) + IMPORT_THREADS_WAITING;

    pthread_mutex_init(&im->lock, NULL);
    pthread_cond_init(&im->changed, NULL);
    im->rejects_fd = open(im->config->rejects, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (im->rejects_fd < 0)
        return err_set(err, ERR_NO_STORE, "%s cannot be opened: %s", im->config->rejects,
                       strerror(errno));
    for (unsigned i = 0; i < MIN(n, (unsigned)IMPORT_THREADS_MAX); i++) {
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
