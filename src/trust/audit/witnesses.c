/* witnesses.c - bringing heads to those who cosign them (c2sp.org/tlog-witness), on a thread of its
 * own: a slow witness delays nothing but its own cosignature.
 */
#include "trust/audit/audit_int.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define URL_MAX 2048
#define ANSWER_MAX KIB(64)
#define RETRY_MS 1000 /* after a witness that could not be asked */

struct known {
    uint64_t size[AUDIT_WITNESSES_MAX]; /* that each witness has, as far as we know */
};

static int make_submission(struct audit_log *log, struct str note, uint64_t old, uint64_t size,
                           struct sb *out, struct err *err)
{
    struct submission s = {.old_size = old, .checkpoint = note};
    int r = old ? audit_consistency(log, old, size, &s.path, err) : 0;

    if (r < 0)
        return r;
    submission_write(out, &s);
    return sb_ok(out, err);
}

/* Adds the witness's lines to `note` if its answer holds. */
static int take_answer(struct str note, struct str answer, const struct note_key *key,
                       struct sb *out, struct err *err)
{
    _cleanup_(sb_done) struct sb both = sb_make(NOTE_BYTES_MAX), lines = sb_make(NOTE_BYTES_MAX);
    struct note parsed;
    int r;

    sb_str(&both, note);
    sb_str(&both, answer);
    r = sb_ok(&both, err);
    if (r >= 0)
        r = note_parse(sb_view(&both), &parsed, err);
    if (r >= 0)
        r = note_check(&parsed, key, NULL, err);
    if (r == 0)
        return err_set(err, ERR_FORBIDDEN, "the answer of the witness %s is not signed by it",
                       key->name);
    if (r < 0)
        return r;
    note_pick(&parsed, key, &lines);
    sb_str(out, sb_view(&lines));
    return sb_ok(out, err);
}

/* One question; 409 tells the size that the witness has: *old. */
static int ask_once(struct audit_log *log, const struct audit_witness *w, struct str note,
                    uint64_t size, uint64_t *old, struct sb *answer, int *ret_status,
                    struct err *err)
{
    _cleanup_(sb_done) struct sb body = sb_make(PROOF_BYTES_MAX), url = sb_make(URL_MAX);
    int r = make_submission(log, note, *old, size, &body, err);

    if (r < 0)
        return r;
    sb_fmt(&url, "%s/add-checkpoint", w->url);
    sb_char(&url, '\0');
    r = sb_ok(&url, err);
    sb_reset(answer);
    if (r >= 0)
        r = log->config->post(log->config->post_ctx, url.p, sb_view(&body), ret_status, answer,
                              err);
    return r;
}

/* The witness's lines for this head, appended to `out`. */
static int ask(struct audit_log *log, const struct audit_witness *w, struct str note, uint64_t size,
               uint64_t *known, struct sb *out, struct err *err)
{
    _cleanup_(sb_done) struct sb answer = sb_make(ANSWER_MAX);
    uint64_t has;
    int status = 0, r = ask_once(log, w, note, size, known, &answer, &status, err);

    if (r >= 0 && status == 409 && str_to_u64(str_trim(sb_view(&answer)), INT64_MAX, &has) &&
        has != *known && has <= size) {
        *known = has;
        r = ask_once(log, w, note, size, known, &answer, &status, err);
    }
    if (r < 0)
        return r;
    if (status != 200)
        return err_set(err, ERR_FORBIDDEN,
                       "the witness %s refused the head of %llu entries with "
                       "status %d",
                       w->key.name, (unsigned long long)size, status);
    r = take_answer(note, sb_view(&answer), &w->key, out, err);
    if (r >= 0)
        *known = size;
    return r;
}

/* A head that every witness cosigned takes the place of the one before. */
static int keep(struct audit_log *log, struct sb *note, uint64_t size, struct err *err)
{
    struct sb old;
    int r = file_replace(log->dir_fd, WITNESSED_NAME, sb_view(note), err);

    if (r < 0)
        return r;
    pthread_mutex_lock(&log->lock);
    old = log->witnessed.note;
    log->witnessed = (struct kept_head){*note, size};
    *note = (struct sb){0};
    pthread_mutex_unlock(&log->lock);
    sb_done(&old);
    return 0;
}

static int ask_all(struct audit_log *log, struct str note, uint64_t size, struct known *known,
                   struct err *err)
{
    struct sb cosigned = sb_make(NOTE_BYTES_MAX);
    int r = 0;

    sb_str(&cosigned, note);
    for (size_t i = 0; i < log->config->n_witnesses; i++) {
        struct err one = {0};
        int q = ask(log, &log->config->witnesses[i], note, size, &known->size[i], &cosigned, &one);

        if (q >= 0)
            continue;
        log_err(LOG_WARN, LOG_WITNESS, &one);
        if (err)
            *err = one;
        r = q;
    }
    if (r >= 0)
        r = sb_ok(&cosigned, err);
    if (r >= 0)
        r = keep(log, &cosigned, size, err);
    sb_done(&cosigned);
    return r;
}

/* Waits for a head that is not witnessed; false at the end. */
static bool next_head(struct audit_log *log, bool failed, struct sb *note, uint64_t *ret_size)
{
    struct timespec until;
    bool go_on;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += RETRY_MS / 1000;
    sb_reset(note);
    pthread_mutex_lock(&log->lock);
    while (failed && !log->stop_signer &&
           pthread_cond_timedwait(&log->signed_one, &log->lock, &until) != ETIMEDOUT)
        ;
    while (log->head.size == log->witnessed.size && !log->stop_signer)
        pthread_cond_wait(&log->signed_one, &log->lock);
    go_on = !log->stop_signer;
    sb_str(note, sb_view(&log->head.note));
    *ret_size = log->head.size;
    pthread_mutex_unlock(&log->lock);
    return go_on;
}

void *witnesses_run(void *ctx)
{
    struct sb note = sb_make(NOTE_BYTES_MAX);
    struct audit_log *log = ctx;
    struct known known;
    bool failed = false;
    uint64_t size;

    for (size_t i = 0; i < AUDIT_WITNESSES_MAX; i++)
        known.size[i] = log->witnessed.size;
    while (next_head(log, failed, &note, &size)) {
        struct err err = {0};

        failed = note.failed || ask_all(log, sb_view(&note), size, &known, &err) < 0;
    }
    sb_done(&note);
    return NULL;
}
