#include "trust/audit/witness.h"

#include "base/clock.h"
#include "base/fault.h"
#include "trust/audit/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096
#define NAME_BYTES 24

static const char plain[] = "text/plain;charset=utf-8";

struct watched {
    struct note_key key;
    uint64_t size; /* of the last head cosigned; 0: none */
    struct merkle_hash root;
};

struct witness {
    int dir_fd, lock_fd;
    struct note_signer *signer;
    pthread_mutex_t lock; /* from looking at what is remembered until the new head is durable */
    struct watched *logs;
    size_t n;
};

/* ---- what it remembers ---- */

static void log_file(const struct watched *l, char ret[NAME_BYTES])
{
    struct str origin = str_c(l->key.name);
    struct merkle_hash h;

    merkle_digest(&origin, 1, &h);
    snprintf(ret, NAME_BYTES, "%02x%02x%02x%02x%02x%02x%02x%02x.head", h.b[0], h.b[1], h.b[2],
             h.b[3], h.b[4], h.b[5], h.b[6], h.b[7]);
}

static int load_log(struct witness *w, struct watched *l, struct err *err)
{
    _cleanup_(sb_done) struct sb bytes = sb_make(NOTE_BYTES_MAX);
    char name[NAME_BYTES];
    struct head head;
    struct note note;
    int r;

    log_file(l, name);
    r = file_load(w->dir_fd, name, &bytes, err);
    if (r == ERR_NOT_FOUND)
        return 0;
    if (r >= 0)
        r = note_parse(sb_view(&bytes), &note, err);
    if (r >= 0)
        r = note_check(&note, note_signer_key(w->signer), NULL, err);
    if (r >= 0)
        r = r ? head_parse(note.text, &head, err)
              : err_set(err, ERR_NO_STORE, "%s is not cosigned by this witness", name);
    if (r >= 0 && !str_eq(head.origin, str_c(l->key.name)))
        r = err_set(err, ERR_NO_STORE, "%s is of another log", name);
    if (r < 0)
        return r;
    l->size = head.size;
    l->root = head.root;
    return 0;
}

static int remember(struct witness *w, struct watched *l, const struct head *head, struct str note,
                    struct str cosignature, struct err *err)
{
    _cleanup_(sb_done) struct sb bytes = sb_make(NOTE_BYTES_MAX);
    char name[NAME_BYTES];
    int r;

    log_file(l, name);
    sb_str(&bytes, note);
    sb_str(&bytes, cosignature);
    r = sb_ok(&bytes, err);
    if (r >= 0)
        r = file_replace(w->dir_fd, name, sb_view(&bytes), err);
    if (r < 0)
        return r;
    l->size = head->size;
    l->root = head->root;
    return 0;
}

/* ---- one request ---- */

static struct watched *find(struct witness *w, struct str origin)
{
    for (size_t i = 0; i < w->n; i++)
        if (str_eq(origin, str_c(w->logs[i].key.name)))
            return &w->logs[i];
    return NULL;
}

static int refuse(int status, struct err *err, const char *why)
{
    err_set(err, ERR_FORBIDDEN, "%s", why);
    return status;
}

/* With the size that the witness has, so that the log can ask again. */
static int conflict(const struct watched *l, struct sb *out, const char **ret_type, struct err *err)
{
    sb_fmt(out, "%llu\n", (unsigned long long)l->size);
    *ret_type = "text/x.tlog.size";
    return refuse(409, err, "the old size is not that of the last head cosigned");
}

/* In the order that the protocol asks for. */
static int decide(struct witness *w, struct watched *l, const struct submission *s,
                  const struct note *note, const struct head *head, struct sb *out,
                  const char **ret_type, struct err *err)
{
    _cleanup_(sb_done) struct sb line = sb_make(NOTE_BYTES_MAX);

    if (s->old_size > head->size)
        return refuse(400, err, "the old size is greater than the checkpoint's");
    if (s->old_size != l->size)
        return conflict(l, out, ret_type, err);
    if (l->size == head->size && l->size && !merkle_eq(&l->root, &head->root))
        return conflict(l, out, ret_type, err);
    if (l->size ? !merkle_check_consistency(l->size, &l->root, head->size, &head->root, &s->path)
                : s->path.n != 0)
        return refuse(422, err, "the checkpoint is not consistent with the last one cosigned");
    if (note_sign(w->signer, note->text, clock_now_ms() / 1000, &line, err) < 0 ||
        remember(w, l, head, s->checkpoint, sb_view(&line), err) < 0)
        return 500;
    sb_str(out, sb_view(&line));
    *ret_type = plain;
    return out->failed ? 500 : 200;
}

int witness_add(struct witness *w, struct str body, struct sb *out, const char **ret_type,
                struct err *err)
{
    struct submission s;
    struct watched *l;
    struct head head;
    struct note note;
    int status;

    *ret_type = plain;
    if (submission_parse(body, &s, err) < 0 || note_parse(s.checkpoint, &note, err) < 0 ||
        head_parse(note.text, &head, err) < 0)
        return 400;
    l = find(w, head.origin);
    if (!l)
        return refuse(404, err, "the checkpoint's log is not one that this witness knows");
    if (note_check(&note, &l->key, NULL, err) <= 0)
        return refuse(403, err, "the checkpoint is not signed by its log");
    pthread_mutex_lock(&w->lock);
    status = decide(w, l, &s, &note, &head, out, ret_type, err);
    pthread_mutex_unlock(&w->lock);
    return status;
}

/* ---- life ---- */

static int load_signer(struct witness *w, const char *dir, struct str name, struct err *err)
{
    char path[PATH_BYTES];
    int r;

    snprintf(path, sizeof path, "%s/" WITNESS_KEY_NAME, dir);
    if (access(path, F_OK) == 0)
        return note_signer_load(path, NULL, name, NOTE_COSIGNATURE, &w->signer, err);
    r = note_signer_make(name, NOTE_COSIGNATURE, &w->signer, err);
    return r < 0 ? r : note_signer_save(w->signer, path, NULL, err);
}

static int open_all(struct witness *w, const char *dir, struct str name, struct err *err)
{
    int r;

    if (mkdir(dir, S_IRWXU) < 0 && errno != EEXIST)
        return err_set(err, ERR_NO_STORE, "%s cannot be made: %s", dir, strerror(errno));
    w->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (w->dir_fd < 0)
        return err_set(err, ERR_NO_STORE, "%s cannot be opened: %s", dir, strerror(errno));
    r = file_open(w->dir_fd, "lock", true, true, &w->lock_fd, err);
    if (r >= 0 && flock(w->lock_fd, LOCK_EX | LOCK_NB) < 0)
        r = err_set(err, ERR_CONFLICT, "another witness uses %s", dir);
    if (r >= 0)
        r = load_signer(w, dir, name, err);
    for (size_t i = 0; i < w->n && r >= 0; i++)
        r = load_log(w, &w->logs[i], err);
    return r;
}

int witness_open(const char *dir, struct str name, const struct note_key *logs, size_t n,
                 struct witness **ret, struct err *err)
{
    struct witness *w;
    int r;

    if (n > WITNESS_LOGS_MAX)
        return err_set(err, ERR_TOO_LONG, "a witness watches at most %d logs", WITNESS_LOGS_MAX);
    w = fault_point("witness") ? NULL : calloc(1, sizeof *w);
    if (!w)
        return err_no_memory(err);
    w->dir_fd = w->lock_fd = -1;
    pthread_mutex_init(&w->lock, NULL);
    w->logs = calloc(MAX(n, (size_t)1), sizeof *w->logs);
    w->n = w->logs ? n : 0;
    for (size_t i = 0; i < w->n; i++)
        w->logs[i].key = logs[i];
    r = w->logs ? open_all(w, dir, name, err) : err_no_memory(err);
    if (r < 0) {
        witness_close(w);
        return r;
    }
    *ret = w;
    return 0;
}

void witness_close(struct witness *w)
{
    if (!w)
        return;
    note_signer_free(w->signer);
    if (w->lock_fd >= 0)
        close(w->lock_fd);
    if (w->dir_fd >= 0)
        close(w->dir_fd);
    pthread_mutex_destroy(&w->lock);
    free(w->logs);
    free(w);
}

const struct note_key *witness_key(const struct witness *w)
{
    return note_signer_key(w->signer);
}
