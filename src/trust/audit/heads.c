/* heads.c - signing: a thread makes a head of what is durable, at most AUDIT_HEAD_MS after it is.
 * A head is on disk before anybody sees it, so that a log never comes back below one.
 */
#include "trust/audit/audit_int.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

/* ---- one head ---- */

static int make_note(struct audit_log *log, struct sb *out, uint64_t *ret_size, struct err *err)
{
    struct head head = {.origin = str_c(log->key.name)};
    _cleanup_(sb_done) struct sb text = sb_make(NOTE_BYTES_MAX);
    int r;

    pthread_mutex_lock(&log->lock);
    head.size = log->size;
    log_root(log, &head.root);
    pthread_mutex_unlock(&log->lock);
    head_write(&text, &head);
    r = sb_ok(&text, err);
    if (r < 0)
        return r;
    sb_str(out, sb_view(&text));
    sb_char(out, '\n');
    *ret_size = head.size;
    return note_sign(log->signer, sb_view(&text), clock_now_ms() / 1000, out, err);
}

int heads_sign(struct audit_log *log, struct err *err)
{
    struct sb note = sb_make(NOTE_BYTES_MAX), old;
    uint64_t size;
    int r = make_note(log, &note, &size, err);

    if (r >= 0)
        r = file_replace(log->dir_fd, HEAD_NAME, sb_view(&note), err);
    if (r < 0) {
        sb_done(&note);
        return r;
    }
    pthread_mutex_lock(&log->lock);
    old = log->head.note;
    log->head = (struct kept_head){note, size};
    pthread_cond_signal(&log->signed_one);
    pthread_mutex_unlock(&log->lock);
    sb_done(&old);
    return 0;
}

/* ---- what was signed before ---- */

/* Nothing that was signed may be missing, nor be another. */
static int check_head(struct audit_log *log, const struct head *head, struct err *err)
{
    struct merkle_hash root;
    int r;

    if (!str_eq(head->origin, str_c(log->key.name)))
        return err_set(err, ERR_NO_STORE, "the audit log's head is of another log");
    if (head->size > log->size)
        return err_set(err, ERR_NO_STORE,
                       "the audit log holds %llu entries, and a head was signed for %llu: entries "
                       "are missing",
                       (unsigned long long)log->size, (unsigned long long)head->size);
    r = audit_root(log, head->size, &root, err);
    if (r >= 0 && !merkle_eq(&root, &head->root))
        return err_set(
            err, ERR_NO_STORE,
            "the audit log's first %llu entries are not those that a head was signed for",
            (unsigned long long)head->size);
    return r;
}

static int load_one(struct audit_log *log, const char *name, struct kept_head *ret, struct err *err)
{
    struct head head;
    struct note note;
    int r = file_load(log->dir_fd, name, &ret->note, err);

    if (r >= 0)
        r = note_parse(sb_view(&ret->note), &note, err);
    if (r >= 0)
        r = note_check(&note, &log->key, NULL, err);
    if (r == 0)
        return err_set(err, ERR_NO_STORE, "the audit log's file %s is not signed by it", name);
    if (r >= 0)
        r = head_parse(note.text, &head, err);
    if (r >= 0)
        r = check_head(log, &head, err);
    if (r >= 0)
        ret->size = head.size;
    return r;
}

int heads_load(struct audit_log *log, struct err *err)
{
    int r = load_one(log, HEAD_NAME, &log->head, err);

    if (r == ERR_NOT_FOUND)
        return err_set(err, ERR_NO_STORE, "the audit log's signed head is missing");
    if (r < 0)
        return r;
    r = load_one(log, WITNESSED_NAME, &log->witnessed, err);
    return r == ERR_NOT_FOUND ? 0 : r;
}

int audit_head(struct audit_log *log, bool witnessed, struct sb *out, struct err *err)
{
    pthread_mutex_lock(&log->lock);
    sb_str(out, sb_view(witnessed ? &log->witnessed.note : &log->head.note));
    pthread_mutex_unlock(&log->lock);
    if (sb_ok(out, err) >= 0 && !out->n)
        return err_set(err, ERR_NOT_FOUND, "no head of this log was witnessed yet");
    return sb_ok(out, err);
}

/* ---- the thread ---- */

static bool has_grown(const struct audit_log *log)
{
    return log->size > log->head.size;
}

/* A moment, so that many entries share a head; woken early by the end. */
static void wait_a_moment(struct audit_log *log)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (log->config->head_ms ? log->config->head_ms : AUDIT_HEAD_MS) * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (!log->stop_signer &&
           pthread_cond_timedwait(&log->grown, &log->lock, &until) != ETIMEDOUT)
        ;
}

static void *run(void *ctx)
{
    struct audit_log *log = ctx;
    bool go_on = true;

    while (go_on) {
        struct err err = {0};
        bool grown;

        pthread_mutex_lock(&log->lock);
        while (!has_grown(log) && !log->stop_signer)
            pthread_cond_wait(&log->grown, &log->lock);
        wait_a_moment(log);
        go_on = !log->stop_signer;
        grown = has_grown(log);
        pthread_mutex_unlock(&log->lock);
        if (grown && heads_sign(log, &err) < 0)
            log_err(LOG_ERROR, LOG_AUDIT_FAILED, &err);
    }
    return NULL;
}

static bool begin(pthread_t *thread, void *(*body)(void *), struct audit_log *log)
{
    sigset_t all, before;
    bool ok;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ok = !fault_point("audit-thread") && pthread_create(thread, NULL, body, log) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

int heads_start(struct audit_log *log, struct err *err)
{
    log->has_signer = begin(&log->signer_thread, run, log);
    log->has_submitter =
        log->has_signer && log->config->n_witnesses && begin(&log->submitter, witnesses_run, log);
    return log->has_signer && (log->has_submitter || !log->config->n_witnesses)
               ? 0
               : err_set(err, ERR_NO_MEMORY, "the audit log's thread cannot start");
}

void heads_stop(struct audit_log *log)
{
    pthread_mutex_lock(&log->lock);
    log->stop_signer = true;
    pthread_cond_broadcast(&log->grown);
    pthread_cond_broadcast(&log->signed_one);
    pthread_mutex_unlock(&log->lock);
    if (log->has_signer)
        pthread_join(log->signer_thread, NULL);
    if (log->has_submitter)
        pthread_join(log->submitter, NULL);
    log->has_signer = log->has_submitter = false;
}
