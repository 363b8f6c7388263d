/* operator_backup.c - a backup that a running node makes for `carnet backup`.
 *
 * It runs on a thread of its own and lives only while somebody asks about it: a command that was
 * killed leaves no copy behind that goes on for an hour.
 */
#include "server/erased.h"
#include "server/operator.h"
#include "server/server_int.h"

#include "base/clock.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdlib.h>

void backup_init(struct backup *b, struct store *store, const char *data_dir)
{
    *b = (struct backup){.store = store, .data_dir = data_dir};
    pthread_mutex_init(&b->lock, NULL);
}

static bool go_on(void *ctx, uint64_t done, uint64_t all)
{
    struct backup *b = ctx;
    bool stop;

    pthread_mutex_lock(&b->lock);
    b->done = done;
    b->all = all;
    stop =
        b->stop || clock_mono_us() - b->asked_us > OPERATOR_BACKUP_LEASE_SECONDS * INT64_C(1000000);
    pthread_mutex_unlock(&b->lock);
    return !stop;
}

static void *copy(void *ctx)
{
    struct backup *b = ctx;
    struct err err = {0};
    int r = store_backup(b->store, b->to, b->person_keys, go_on, b, &err);

    if (r >= 0)
        r = server_audit_backup(b->data_dir, b->to, &err);
    if (r >= 0)
        r = erased_copy(b->data_dir, b->to, &err);
    if (r < 0)
        log_err(LOG_WARN, LOG_JOB_FAILED, &err);
    else
        log_event(LOG_INFO, LOG_JOB, "job=backup state=done");
    pthread_mutex_lock(&b->lock);
    b->err = err;
    b->err.code = r < 0 ? r : 0;
    b->is_running = false;
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

/* The thread of the last backup; it has ended, or is about to. */
static void join_last(struct backup *b)
{
    if (b->has_thread)
        pthread_join(b->thread, NULL);
    b->has_thread = false;
    free(b->to);
    b->to = NULL;
}

void backup_done(struct backup *b)
{
    if (!b->store)
        return;
    pthread_mutex_lock(&b->lock);
    b->stop = true;
    pthread_mutex_unlock(&b->lock);
    join_last(b);
    pthread_mutex_destroy(&b->lock);
}

/* Under b->lock. */
static int begin(struct backup *b, struct str to, struct err *err)
{
    if (b->is_running)
        return err_set(err, ERR_CONFLICT, "another backup of this node is under way");
    join_last(b);
    b->to = malloc(to.n + 1);
    if (!b->to)
        return err_no_memory(err);
    memcpy(b->to, to.p, to.n);
    b->to[to.n] = '\0';
    b->person_keys = strlen(b->to) < to.n ? b->to + strlen(b->to) + 1 : NULL;
    b->id++;
    b->done = b->all = 0;
    b->err.code = 0;
    b->stop = false;
    b->asked_us = clock_mono_us();
    if (pthread_create(&b->thread, NULL, copy, b) != 0)
        return err_set(err, ERR_BUSY, "no thread can be started for the backup");
    b->has_thread = b->is_running = true;
    return 0;
}

int backup_begin(struct backup *b, struct str to, struct err *err)
{
    int r;

    const char *nul = to.n ? memchr(to.p, '\0', to.n) : NULL;
    struct str keys = nul ? str_from(to, (size_t)(nul - to.p) + 1) : STR("/");

    if (!to.n || to.p[0] != '/' || !keys.n || keys.p[0] != '/' || memchr(keys.p, '\0', keys.n))
        return err_set(err, ERR_VALUE, "a backup's folder, and the file, are absolute paths");
    pthread_mutex_lock(&b->lock);
    r = begin(b, to, err);
    pthread_mutex_unlock(&b->lock);
    return r;
}

/* Under b->lock. */
static int must_be(const struct backup *b, uint64_t id, struct err *err)
{
    return b->id && (!id || id == b->id)
               ? 0
               : err_set(err, ERR_NOT_FOUND, "there is no such backup under way");
}

int backup_ask(struct backup *b, uint64_t id, struct sb *out, struct err *err)
{
    int r;

    pthread_mutex_lock(&b->lock);
    r = must_be(b, id, err);
    if (r >= 0) {
        b->asked_us = clock_mono_us();
        sb_fmt(out, "{\"id\":%" PRIu64 ",\"state\":\"%s\",\"done\":%" PRIu64 ",\"all\":%" PRIu64,
               b->id,
               b->is_running ? "running"
               : b->err.code ? "failed"
                             : "done",
               b->done, b->all);
        if (!b->is_running && b->err.code) {
            sb_lit(out, ",\"reason\":");
            sb_json(out, str_c(b->err.text));
        }
        sb_lit(out, "}\n");
    }
    pthread_mutex_unlock(&b->lock);
    return r;
}

int backup_stop(struct backup *b, uint64_t id, struct err *err)
{
    int r;

    pthread_mutex_lock(&b->lock);
    r = must_be(b, id, err);
    if (r >= 0)
        b->stop = true;
    pthread_mutex_unlock(&b->lock);
    return r;
}
