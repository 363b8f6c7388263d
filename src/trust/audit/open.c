/* open.c - a log from its folder: what is there is read, held against what was signed, and what a
 * crash left half written is cut off.
 */
#include "trust/audit/audit_int.h"

#include "base/fault.h"
#include "base/rng.h"
#include "vault/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096
#define ROOTS_MAX_BYTES MIB(512) /* 2^24 segments, 2^40 leaves */

/* ---- the tree ---- */

void log_add(struct audit_log *log, uint32_t at, const struct merkle_hash *leaf, uint64_t patient)
{
    struct merkle_hash tile;

    if (segment_add(log->current, at, leaf, patient, &tile))
        merkle_add_node(&log->tree, TILE_BITS, &tile);
    log->size++;
}

void log_root(const struct audit_log *log, struct merkle_hash *ret)
{
    struct merkle_tree t = log->tree;

    for (unsigned level = TILE_BITS; level-- > 0;)
        if (log->current->tile.n >> level & 1)
            merkle_add_node(&t, level, &log->current->tile.peak[level]);
    merkle_root(&t, ret);
}

static int add_root(struct audit_log *log, const struct merkle_hash *root, struct err *err)
{
    if (log->n_roots == log->cap_roots) {
        size_t cap = log->cap_roots ? log->cap_roots * 2 : 64;
        struct merkle_hash *more =
            fault_point("audit-roots") ? NULL : realloc(log->roots, cap * sizeof *more);

        if (!more)
            return err_no_memory(err);
        log->roots = more;
        log->cap_roots = cap;
    }
    log->roots[log->n_roots++] = *root;
    return 0;
}

/* ---- segments ---- */

void segment_free(struct segment *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    free(s);
}

static int write_head(struct audit_log *log, uint64_t number, struct err *err)
{
    unsigned char head[SEGMENT_HEAD_BYTES];
    char name[SEGMENT_NAME_BYTES];

    segment_head(number, &log->cipher, head);
    segment_name(number, "seg", name);
    return file_replace(log->dir_fd, name, str_n((const char *)head, sizeof head), err);
}

/* In a new file its head is all there is: it becomes durable before anything else is. */
static int begin_file(struct audit_log *log, struct segment *s, struct err *err)
{
    char name[SEGMENT_NAME_BYTES];
    int r = write_head(log, s->number, err);

    segment_name(s->number, "seg", name);
    return r < 0 ? r : file_open(log->dir_fd, name, true, false, &s->fd, err);
}

int segment_make(struct audit_log *log, uint64_t number, struct segment **ret, struct err *err)
{
    struct segment *s = fault_point("audit-segment") ? NULL : calloc(1, sizeof *s);
    char name[SEGMENT_NAME_BYTES];
    int r;

    if (!s)
        return err_no_memory(err);
    s->fd = -1;
    s->number = number;
    segment_name(number, "seg", name);
    r = file_open(log->dir_fd, name, !log->read_only, false, &s->fd, err);
    if (r == ERR_NOT_FOUND) /* of a log that was just made or rolled */
        r = log->read_only ? 0 : begin_file(log, s, err);
    s->end = SEGMENT_HEAD_BYTES;
    if (r < 0) {
        segment_free(s);
        return r;
    }
    *ret = s;
    return 0;
}

/* Cuts off the room behind the last batch. */
static int segment_trim(struct segment *s, struct err *err)
{
    int r = s->room > s->end ? file_cut(s->fd, s->end, err) : 0;

    if (r >= 0)
        s->room = s->end;
    return r;
}

static int append_root(struct audit_log *log, const struct merkle_hash *root, struct err *err)
{
    int fd, r = file_open(log->dir_fd, ROOTS_NAME, true, true, &fd, err);

    if (r < 0)
        return r;
    r = file_write(fd, str_n((const char *)root->b, MERKLE_BYTES), log->n_roots * MERKLE_BYTES,
                   err);
    if (r >= 0)
        r = file_sync(fd, err);
    close(fd);
    return r;
}

int log_roll(struct audit_log *log, struct err *err)
{
    struct segment *full = log->current, *next;
    struct merkle_tree t = {.n = 0};
    struct merkle_hash root;
    int r;

    assert(full->n == SEGMENT_LEAVES);
    if (!log->read_only && (r = segment_trim(full, err)) < 0)
        return r;
    for (size_t i = 0; i < SEGMENT_TILES; i++)
        merkle_add(&t, &full->tiles[i].root);
    merkle_root(&t, &root);
    r = log->read_only ? 0 : segment_seal(log->dir_fd, &log->cipher, full, err);
    if (r >= 0 && !log->read_only)
        r = append_root(log, &root, err);
    if (r >= 0)
        r = segment_make(log, full->number + 1, &next, err);
    if (r < 0)
        return r;
    pthread_mutex_lock(&log->lock);
    r = add_root(log, &root, err);
    if (r >= 0)
        log->current = next;
    pthread_mutex_unlock(&log->lock);
    segment_free(r < 0 ? next : full);
    return r;
}

/* ---- what is there ---- */

static int load_roots(struct audit_log *log, struct err *err)
{
    _cleanup_(sb_done) struct sb bytes = sb_make(ROOTS_MAX_BYTES);
    int r = file_load(log->dir_fd, ROOTS_NAME, &bytes, err);

    if (r == ERR_NOT_FOUND)
        return 0; /* the first segment is not full yet */
    for (size_t at = 0; r >= 0 && at + MERKLE_BYTES <= bytes.n; at += MERKLE_BYTES) {
        struct merkle_hash root;

        memcpy(root.b, bytes.p + at, MERKLE_BYTES);
        r = add_root(log, &root, err);
        merkle_add_node(&log->tree, SEGMENT_BITS, &root);
        log->size += SEGMENT_LEAVES;
    }
    return r;
}

static int take_stored(void *ctx, uint64_t leaf, uint32_t at, const struct stored_leaf *stored,
                       struct err *err)
{
    struct audit_log *log = ctx;
    struct merkle_hash hash;

    if (leaf != log->size || log->current->n == SEGMENT_LEAVES)
        return err_set(err, ERR_NO_STORE, "the audit log's entries are out of order at %llu",
                       (unsigned long long)leaf);
    leaf_hash(stored, &hash);
    log_add(log, at, &hash, leaf_patient(stored));
    return 0;
}

/* Only the last batch can be half there: the one before it was durable when it was begun. Behind it
 * stands the room for more. */
static int cut_tail(struct audit_log *log, uint64_t end, struct err *err)
{
    struct segment *s = log->current;

    if (end - s->end > SEGMENT_TAIL_MAX)
        return err_set(err, ERR_NO_STORE,
                       "the audit log is damaged at byte %llu of segment %llu, and more stands "
                       "behind that",
                       (unsigned long long)s->end, (unsigned long long)s->number);
    if (log->read_only || end == s->end)
        return 0;
    return file_cut(s->fd, s->end, err);
}

static int check_segment_head(struct audit_log *log, struct err *err)
{
    char head[SEGMENT_HEAD_BYTES];
    size_t n;
    int r = file_read(log->current->fd, head, sizeof head, 0, &n, err);

    if (r < 0)
        return r;
    if (!segment_is_head(str_n(head, n), log->current->number, &log->cipher))
        return err_set(err, ERR_NO_STORE, "segment %llu of the audit log is not of this log",
                       (unsigned long long)log->current->number);
    return 0;
}

static int load_current(struct audit_log *log, struct err *err)
{
    uint64_t end = 0;
    int r = segment_make(log, log->n_roots, &log->current, err);

    if (r < 0 || log->current->fd < 0)
        return r;
    r = check_segment_head(log, err);
    if (r >= 0)
        r = file_size(log->current->fd, &end, err);
    if (r >= 0)
        r = segment_walk(log->current->fd, &log->cipher, SEGMENT_HEAD_BYTES, end, 0, UINT64_MAX,
                         take_stored, log, &log->current->end, err);
    if (r >= 0)
        r = cut_tail(log, end, err);
    if (r >= 0 && log->current->n == SEGMENT_LEAVES)
        r = log_roll(log, err); /* a crash between filling and sealing */
    return r;
}

/* ---- names and keys ---- */

int log_cipher(const struct audit_log *log, struct cipher *ret, struct err *err)
{
    return cipher_init(ret, log->is_sealed ? log->data_key : NULL, &log->id, err);
}

static const char *log_pass(const struct audit_log *log)
{
    return log->is_sealed ? log->pass : NULL;
}

static int load_vault(struct audit_log *log, struct err *err)
{
    _cleanup_(vault_freep) struct vault *v = NULL;
    unsigned char pass[XAES_KEY_BYTES];
    int r = vault_open(log->config->dir, log->config->key_file, &v, err);

    if (r < 0 || !v)
        return r;
    r = vault_subkey(v, CIPHER_USE, log->data_key, err);
    if (r >= 0)
        r = vault_subkey(v, CIPHER_KEY_USE, pass, err);
    for (size_t i = 0; r >= 0 && i < sizeof pass; i++)
        snprintf(log->pass + 2 * i, 3, "%02x", pass[i]);
    log->is_sealed = r >= 0;
    return r;
}

static int new_key(struct audit_log *log, const char *path, struct err *err)
{
    uint64_t random;
    char name[32];

    rng_secure(&random, sizeof random);
    snprintf(name, sizeof name, "carnet/%016llx", (unsigned long long)random);
    if (access(path, F_OK) == 0)
        return note_signer_load(path, log_pass(log), str_c(name), NOTE_ED25519, &log->signer, err);
    return note_signer_make(str_c(name), NOTE_ED25519, &log->signer, err);
}

/* A new log's key, which names it. */
static int make_key(struct audit_log *log, const char *path, struct err *err)
{
    int r = new_key(log, path, err);

    if (r >= 0 && access(path, F_OK) < 0)
        r = note_signer_save(log->signer, path, log->config->key_path ? NULL : log_pass(log), err);
    if (r >= 0)
        log->key = *note_signer_key(log->signer);
    return r;
}

static int save_name(struct audit_log *log, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(KIB(4));
    int r;

    note_key_write(&text, &log->key);
    sb_char(&text, '\n');
    r = sb_ok(&text, err);
    return r < 0 ? r : file_replace(log->dir_fd, KEY_NAME, sb_view(&text), err);
}

static int load_key(struct audit_log *log, const char *path, struct str vkey, struct err *err)
{
    int r = note_key_parse(str_trim(vkey), &log->key, err);

    if (r < 0 || log->read_only || log->config->keyless)
        return r;
    r = note_signer_load(path, log_pass(log), str_c(log->key.name), NOTE_ED25519, &log->signer,
                         err);
    if (r >= 0 && memcmp(note_signer_key(log->signer)->pub, log->key.pub, NOTE_KEY_BYTES) != 0)
        return err_set(err, ERR_VALUE, "%s is not the key of the audit log %s", path,
                       log->key.name);
    return r;
}

/* Whether a log without a name is none yet: one whose making was stopped early may begin again. */
static bool has_entries(struct audit_log *log)
{
    struct stat st;

    return faccessat(log->dir_fd, ROOTS_NAME, F_OK, 0) == 0 ||
           (fstatat(log->dir_fd, "00000000.seg", &st, 0) == 0 && st.st_size > SEGMENT_HEAD_BYTES);
}

static int load_identity(struct audit_log *log, bool *ret_new, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(KIB(4));
    const struct audit_config *c = log->config;
    char path[PATH_BYTES];
    struct str origin;
    int r;

    snprintf(path, sizeof path, "%s/" AUDIT_FOLDER "/" AUDIT_KEY_NAME, c->dir);
    r = file_load(log->dir_fd, KEY_NAME, &text, err);
    *ret_new = r == ERR_NOT_FOUND && !log->read_only && !has_entries(log);
    if (*ret_new)
        r = make_key(log, c->key_path ? c->key_path : path, err);
    else if (r == ERR_NOT_FOUND && !log->read_only)
        r = err_set(err, ERR_NO_STORE, "the audit log has entries and no " KEY_NAME);
    else if (r >= 0)
        r = load_key(log, c->key_path ? c->key_path : path, sb_view(&text), err);
    origin = str_c(log->key.name);
    merkle_digest(&origin, 1, &log->id);
    return r < 0 ? r : log_cipher(log, &log->cipher, err);
}

/* ---- open and close ---- */

static int open_folder(struct audit_log *log, struct err *err)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof path, "%s/" AUDIT_FOLDER, log->config->dir);
    if (!log->read_only && mkdir(path, S_IRWXU) < 0 && errno != EEXIST)
        return err_set(err, ERR_NO_STORE, "%s cannot be made: %s", path, strerror(errno));
    log->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (log->dir_fd < 0)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_NO_STORE,
                       "there is no audit log in %s: %s", log->config->dir, strerror(errno));
    return 0;
}

static int lock_folder(struct audit_log *log, struct err *err)
{
    int r = file_open(log->dir_fd, LOCK_NAME, true, true, &log->lock_fd, err);

    if (r >= 0 && flock(log->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return err_set(err, ERR_CONFLICT, "another process writes this audit log");
    return r;
}

/* An erasing that was stopped left a segment without one. */
static int make_indexes(struct audit_log *log, struct err *err)
{
    char name[SEGMENT_NAME_BYTES];
    int r = 0;

    for (uint64_t number = 0; number < log->n_roots && r >= 0; number++) {
        segment_name(number, "idx", name);
        if (faccessat(log->dir_fd, name, F_OK, 0) < 0)
            r = segment_reindex(log, number, err);
    }
    return r;
}

static int load(struct audit_log *log, struct err *err)
{
    bool is_new = false;
    int r = open_folder(log, err);

    if (r >= 0)
        r = load_vault(log, err);
    if (r >= 0 && !log->read_only)
        r = lock_folder(log, err);
    if (r >= 0)
        r = load_identity(log, &is_new, err);
    if (r >= 0 && is_new)
        r = write_head(log, 0, err);
    if (r >= 0)
        r = load_roots(log, err);
    if (r >= 0 && !log->read_only)
        r = make_indexes(log, err);
    if (r >= 0)
        r = load_current(log, err);
    if (r >= 0)
        r = is_new ? heads_sign(log, err) : heads_load(log, err);
    if (r >= 0 && is_new)
        r = save_name(log, err); /* which makes it a log */
    return r;
}

static int start(struct audit_log *log, struct err *err)
{
    int r = appender_start(log, err);

    return r < 0 || log->config->keyless ? r : heads_start(log, err);
}

bool audit_exists(const char *dir)
{
    char path[PATH_BYTES];
    int n = snprintf(path, sizeof path, "%s/" AUDIT_FOLDER "/" KEY_NAME, dir);

    return n > 0 && (size_t)n < sizeof path && access(path, F_OK) == 0;
}

int audit_open(const struct audit_config *config, struct audit_log **ret, struct err *err)
{
    struct audit_log *log = fault_point("audit-log") ? NULL : calloc(1, sizeof *log);
    pthread_condattr_t monotonic;
    int r;

    if (!log)
        return err_no_memory(err);
    log->config = config;
    log->read_only = config->read_only;
    log->dir_fd = log->lock_fd = -1;
    log->batch = sb_make(BATCH_HEAD_BYTES + BATCH_BYTES_MAX + BATCH_END_MAX);
    log->head.note = log->witnessed.note = sb_make(NOTE_BYTES_MAX);
    pthread_mutex_init(&log->lock, NULL);
    pthread_mutex_init(&log->queue_lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&log->queued, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_cond_init(&log->grown, NULL);
    pthread_cond_init(&log->signed_one, NULL);
    r = load(log, err);
    if (r >= 0 && !log->read_only)
        r = start(log, err);
    if (r < 0) {
        audit_close(log);
        return r;
    }
    *ret = log;
    return 0;
}

void audit_close(struct audit_log *log)
{
    if (!log)
        return;
    appender_stop(log);
    heads_stop(log);
    if (log->current && !log->read_only && audit_is_well(log))
        segment_trim(log->current, NULL); /* what stays is cut off by the next who opens it */
    segment_free(log->current);
    note_signer_free(log->signer);
    cipher_done(&log->cipher);
    OPENSSL_cleanse(log->data_key, sizeof log->data_key);
    OPENSSL_cleanse(log->pass, sizeof log->pass);
    free(log->roots);
    sb_done(&log->batch);
    sb_done(&log->head.note);
    sb_done(&log->witnessed.note);
    if (log->lock_fd >= 0)
        close(log->lock_fd);
    if (log->dir_fd >= 0)
        close(log->dir_fd);
    pthread_cond_destroy(&log->signed_one);
    pthread_cond_destroy(&log->grown);
    pthread_cond_destroy(&log->queued);
    pthread_mutex_destroy(&log->queue_lock);
    pthread_mutex_destroy(&log->lock);
    free(log);
}

uint64_t audit_size(struct audit_log *log)
{
    uint64_t size;

    pthread_mutex_lock(&log->lock);
    size = log->size;
    pthread_mutex_unlock(&log->lock);
    return size;
}

struct str audit_origin(const struct audit_log *log)
{
    return str_c(log->key.name);
}

const struct note_key *audit_key(const struct audit_log *log)
{
    return &log->key;
}
