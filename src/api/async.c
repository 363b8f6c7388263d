#include "api/async.h"

#include "api/trail.h"

#include "base/clock.h"
#include "base/rng.h"
#include "fhir/outcome.h"

#include <pthread.h>
#include <stdlib.h>

enum async_state { ASYNC_WAITING, ASYNC_RUNNING, ASYNC_DONE };

struct async_job {
    struct async_job *next; /* in the order they came */
    char id[UUID_TEXT_LEN + 1];
    enum async_state state;
    bool forgotten; /* while it ran */
    struct call call;
    struct arena arena; /* the call's; empty once it is done */
    struct sb answer;
    size_t bytes; /* what it counts for */
    int64_t done_us;
};

struct async {
    struct api *api;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool started, stop;
    struct async_job *jobs;
    size_t n, bytes;
};

struct async *async_new(struct api *api)
{
    struct async *async = calloc(1, sizeof *async);

    if (!async)
        return NULL;
    async->api = api;
    pthread_mutex_init(&async->lock, NULL);
    pthread_cond_init(&async->wake, NULL);
    return async;
}

static void job_free(struct async_job *job)
{
    params_unref(job->call.params);
    identity_unref(job->call.who.identity);
    sb_done(&job->call.out);
    sb_done(&job->answer);
    arena_done(&job->arena);
    free(job);
}

/* Takes the job at *link out of the list. */
static void drop(struct async *async, struct async_job **link)
{
    struct async_job *job = *link;

    *link = job->next;
    async->n--;
    async->bytes -= job->bytes;
    job_free(job);
}

static void drop_old(struct async *async)
{
    int64_t now = clock_mono_us();

    for (struct async_job **link = &async->jobs; *link;) {
        if ((*link)->state == ASYNC_DONE && now - (*link)->done_us > ASYNC_AGE_US)
            drop(async, link);
        else
            link = &(*link)->next;
    }
}

void async_free(struct async *async)
{
    if (!async)
        return;
    pthread_mutex_lock(&async->lock);
    async->stop = true;
    pthread_cond_signal(&async->wake);
    pthread_mutex_unlock(&async->lock);
    if (async->started)
        pthread_join(async->thread, NULL);
    while (async->jobs)
        drop(async, &async->jobs);
    pthread_cond_destroy(&async->wake);
    pthread_mutex_destroy(&async->lock);
    free(async);
}

/* ---- the thread that does the work ---- */

static void write_answer(struct async_job *job)
{
    struct call *c = &job->call;
    struct sb *out = &job->answer;
    char id[UUID_TEXT_LEN + 1];
    bool failed = c->status >= 400;

    uuid7(id);
    sb_fmt(out,
           "{\"resourceType\":\"Bundle\",\"id\":\"%s\",\"type\":\"batch-response\","
           "\"entry\":[{",
           id);
    if (!failed && c->out.n) {
        sb_lit(out, "\"resource\":");
        sb_str(out, sb_view(&c->out));
        sb_char(out, ',');
    }
    sb_fmt(out, "\"response\":{\"status\":\"%d%s\"", c->status, c->status == 200 ? " OK" : "");
    if (failed && c->out.n) {
        sb_lit(out, ",\"outcome\":");
        sb_str(out, sb_view(&c->out));
    }
    sb_lit(out, "}}]}");
    out->failed |= c->out.failed;
}

static void run(struct async_job *job)
{
    struct call *c = &job->call;
    int r = c->row->action == ACT_BUNDLE ? api_bundle_run(c) : call_run_read(c);

    if (r < 0)
        call_fail(c);
    if (c->trail && trail_write(c) < 0)
        call_fail(c);
    write_answer(job);
    sb_done(&c->out);
}

/* The answer is too long to keep: that is said in its place. */
static void replace_answer(struct async_job *job)
{
    struct call *c = &job->call;

    sb_done(&job->answer);
    c->out = sb_make(KIB(16));
    err_set(&c->err, ERR_COSTLY, "the answer is longer than the node keeps for later");
    call_fail(c);
    write_answer(job);
    sb_done(&c->out);
}

static void settle(struct async *async, struct async_job *job)
{
    async->bytes -= job->bytes;
    job->bytes = 0;
    if (job->answer.failed || job->answer.n > ASYNC_BYTES_MAX - async->bytes)
        replace_answer(job);
    arena_done(&job->arena);
    params_unref(job->call.params);
    job->call.params = NULL;
    job->bytes = job->answer.n;
    async->bytes += job->bytes;
    job->state = ASYNC_DONE;
    job->done_us = clock_mono_us();
    if (!job->forgotten)
        return;
    for (struct async_job **link = &async->jobs; *link; link = &(*link)->next)
        if (*link == job) {
            drop(async, link);
            return;
        }
}

static void *work(void *ctx)
{
    struct async *async = ctx;

    pthread_mutex_lock(&async->lock);
    while (!async->stop) {
        struct async_job *job = async->jobs;
        while (job && job->state != ASYNC_WAITING)
            job = job->next;
        if (!job) {
            pthread_cond_wait(&async->wake, &async->lock);
            continue;
        }
        job->state = ASYNC_RUNNING;
        pthread_mutex_unlock(&async->lock);
        run(job);
        pthread_mutex_lock(&async->lock);
        settle(async, job);
    }
    pthread_mutex_unlock(&async->lock);
    return NULL;
}

/* ---- asking ---- */

static struct str keep(struct async_job *job, struct str s, bool *ok)
{
    struct str copy;

    if (!s.p)
        return STR_NULL;
    copy = arena_dup(&job->arena, s);
    *ok &= copy.p != NULL;
    return copy;
}

/* A call of its own with everything that it points to; NULL when memory is short. */
static struct async_job *job_new(const struct call *c)
{
    struct async_job *job = calloc(1, sizeof *job);
    bool ok = true;

    if (!job)
        return NULL;
    arena_init(&job->arena, HTTP_ARENA_MAX);
    job->answer = sb_make(ASYNC_BYTES_MAX);
    job->bytes = c->body.n + c->query.n + sizeof *job;
    job->call = (struct call){.api = c->api,
                              .a = &job->arena,
                              .who = c->who,
                              .row = c->row,
                              .op = c->op,
                              .type = c->type,
                              .prefer = c->prefer,
                              .strict = c->strict,
                              .later = true,
                              .params = params_ref(c->params),
                              .out = sb_make(ASYNC_BYTES_MAX),
                              .base = keep(job, c->base, &ok),
                              .id = keep(job, c->id, &ok),
                              .version_id = keep(job, c->version_id, &ok),
                              .content_type = keep(job, c->content_type, &ok),
                              .query = keep(job, c->query, &ok),
                              .body = keep(job, c->body, &ok)};
    identity_ref(c->who.identity);
    uuid7(job->id);
    if (c->trail) {
        job->call.trail = trail_new(&job->call, c->trail->address, c->trail->request_id);
        ok &= job->call.trail != NULL;
    }
    if (ok)
        return job;
    job_free(job);
    return NULL;
}

static int append(struct async *async, struct async_job *job, struct err *err)
{
    struct async_job **link = &async->jobs;

    drop_old(async);
    if (async->n >= ASYNC_JOBS_MAX || job->bytes > ASYNC_BYTES_MAX - async->bytes)
        return err_set(err, ERR_THROTTLED,
                       "the node holds as many answers for later as it may; fetch or delete some");
    if (!async->started && pthread_create(&async->thread, NULL, work, async) != 0)
        return err_no_memory(err);
    async->started = true;
    while (*link)
        link = &(*link)->next;
    *link = job;
    async->n++;
    async->bytes += job->bytes;
    pthread_cond_signal(&async->wake);
    return 0;
}

int async_submit(struct call *c)
{
    struct async *async = c->api->async;
    struct async_job *job = job_new(c);
    int r;

    if (!job)
        return err_no_memory(&c->err);
    c->location = arena_fmt(c->a, "_async/%s", job->id);
    if (!c->location.p) {
        job_free(job);
        return err_no_memory(&c->err);
    }
    pthread_mutex_lock(&async->lock);
    r = append(async, job, &c->err);
    pthread_mutex_unlock(&async->lock);
    if (r < 0) {
        job_free(job);
        return r;
    }
    http_reply_header(c->x, "Preference-Applied", STR("respond-async"));
    c->status = 202;
    outcome_one(&c->out, ISSUE_INFORMATION, "informational",
                STR("the answer will be at the URL in Content-Location"), STR_NULL, STR_NULL);
    return sb_ok(&c->out, &c->err);
}

/* ---- later ---- */

/* The place of the asker's job with the call's id; NULL with the error. */
static struct async_job **find(struct async *async, struct call *c)
{
    drop_old(async);
    for (struct async_job **link = &async->jobs; *link; link = &(*link)->next) {
        const struct access *who = &(*link)->call.who;
        if (str_eq(str_c((*link)->id), c->id) && !(*link)->forgotten && who->kind == c->who.kind &&
            str_eq(who->agent, c->who.agent))
            return link;
    }
    err_set(&c->err, ERR_NOT_FOUND, "there is no such answer; they are kept for an hour");
    return NULL;
}

static int status(struct call *c, const struct async_job *job)
{
    if (job->state != ASYNC_DONE) {
        http_reply_header(c->x, "X-Progress",
                          job->state == ASYNC_RUNNING ? STR("running") : STR("waiting"));
        http_reply_header(c->x, "Retry-After", STR("1"));
        c->status = 202;
        return 0;
    }
    if (c->budget && job->answer.n > API_INLINE_BODY_MAX)
        return err_set(&c->err, ERR_BUSY, "the answer is too long for an event loop");
    c->status = 200;
    sb_str(&c->out, sb_view(&job->answer));
    return sb_ok(&c->out, &c->err);
}

int async_status(struct call *c)
{
    struct async *async = c->api->async;
    struct async_job **link;
    int r;

    pthread_mutex_lock(&async->lock);
    link = find(async, c);
    r = link ? status(c, *link) : c->err.code;
    pthread_mutex_unlock(&async->lock);
    return r;
}

int async_cancel(struct call *c)
{
    struct async *async = c->api->async;
    struct async_job **link;

    pthread_mutex_lock(&async->lock);
    link = find(async, c);
    if (link && (*link)->state == ASYNC_RUNNING)
        (*link)->forgotten = true;
    else if (link)
        drop(async, link);
    pthread_mutex_unlock(&async->lock);
    c->status = 202;
    return link ? 0 : c->err.code;
}
