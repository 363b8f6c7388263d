/* copy.c - a copy of a log that may be written meanwhile. */
#include "trust/audit/audit_int.h"

#include "vault/vault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_BYTES MIB(1)
#define PATH_BYTES 4096

static int copy_bytes(int from, int to, struct err *err)
{
    char *piece = malloc(PIECE_BYTES);
    uint64_t at = 0;
    size_t n = 0;
    int r = piece ? 0 : err_no_memory(err);

    do {
        if (r >= 0)
            r = file_read(from, piece, PIECE_BYTES, at, &n, err);
        if (r >= 0)
            r = file_write(to, str_n(piece, n), at, err);
        at += n;
    } while (r >= 0 && n == PIECE_BYTES);
    free(piece);
    return r < 0 ? r : file_sync(to, err);
}

static int copy_file(int from_dir, int to_dir, const char *name, struct err *err)
{
    int from, to, r = file_open(from_dir, name, false, false, &from, err);

    if (r < 0)
        return r;
    r = file_open(to_dir, name, true, true, &to, err);
    if (r >= 0) {
        r = copy_bytes(from, to, err);
        close(to);
    }
    close(from);
    return r;
}

/* ---- sealed on the way ---- */

static int seal_batches(struct str segment, struct cipher *c, int to, struct err *err)
{
    _cleanup_(sb_done) struct sb one = sb_make(BATCH_HEAD_BYTES + BATCH_BYTES_MAX + BATCH_END_MAX);
    uint64_t to_at = SEGMENT_HEAD_BYTES;
    struct batch b;
    int r = 0;

    for (size_t at = SEGMENT_HEAD_BYTES;
         r >= 0 && (r = batch_open(str_from(segment, at), NULL, NULL, &b, err)) > 0;
         at += batch_bytes(str_from(segment, at), NULL)) {
        batch_begin(&one);
        sb_str(&one, b.rest);
        r = batch_end(&one, b.first, b.n, c, err);
        if (r >= 0)
            r = file_write(to, sb_view(&one), to_at, err);
        to_at += one.n;
    }
    return r < 0 ? r : file_sync(to, err);
}

static int seal_segment(int from_dir, int to_dir, uint64_t number, struct cipher *c,
                        struct err *err)
{
    _cleanup_(sb_done) struct sb segment = sb_make(UINT32_MAX);
    const struct cipher plain = {.log = c->log};
    unsigned char head[SEGMENT_HEAD_BYTES];
    char name[SEGMENT_NAME_BYTES];
    int to, r;

    segment_name(number, "seg", name);
    r = file_load(from_dir, name, &segment, err);
    if (r < 0)
        return r;
    if (!segment_is_head(sb_view(&segment), number, &plain))
        return err_set(err, ERR_NO_STORE, "the audit log's file %s is damaged", name);
    segment_head(number, c, head);
    r = file_open(to_dir, name, true, true, &to, err);
    if (r < 0)
        return r;
    r = file_write(to, str_n((const char *)head, sizeof head), 0, err);
    if (r >= 0)
        r = seal_batches(sb_view(&segment), c, to, err);
    close(to);
    return r;
}

/* A file that may not be there yet. */
static int copy_if_there(int from_dir, int to_dir, const char *name, struct err *err)
{
    int r = copy_file(from_dir, to_dir, name, err);

    return r == ERR_NOT_FOUND ? 0 : r;
}

/* The heads first: what they cover is in the segments that are copied after them. Sealed with c,
 * where it is given: places in the segments are others then, and their indexes have to be made. */
static int copy_log(int from, int to, struct cipher *c, struct err *err)
{
    char name[SEGMENT_NAME_BYTES];
    uint64_t number = 0;
    int r = copy_file(from, to, HEAD_NAME, err);

    if (r >= 0)
        r = copy_if_there(from, to, WITNESSED_NAME, err);
    if (r >= 0)
        r = copy_if_there(from, to, ROOTS_NAME, err);
    for (; r >= 0; number++) {
        segment_name(number, "idx", name);
        r = c ? 0 : copy_if_there(from, to, name, err);
        segment_name(number, "seg", name);
        if (r >= 0)
            r = c ? seal_segment(from, to, number, c, err) : copy_file(from, to, name, err);
    }
    if (r != ERR_NOT_FOUND)
        return r;
    return number > 1 ? copy_file(from, to, KEY_NAME, err) /* which makes it a log */
                      : err_set(err, ERR_NO_STORE, "the audit log has no segment");
}

static int make_folder(const char *dir, int *ret, struct err *err)
{
    char path[PATH_BYTES];
    int n = snprintf(path, sizeof path, "%s/" AUDIT_FOLDER, dir);

    if (n < 0 || (size_t)n >= sizeof path)
        return err_set(err, ERR_VALUE, "the folder's name is too long");
    if (mkdir(dir, S_IRWXU) < 0 && errno != EEXIST)
        return err_set(err, ERR_NO_STORE, "%s cannot be made: %s", dir, strerror(errno));
    if (mkdir(path, S_IRWXU) < 0)
        return err_set(err, errno == EEXIST ? ERR_CONFLICT : ERR_NO_STORE, "%s cannot be made: %s",
                       path, strerror(errno));
    *ret = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *ret >= 0 ? 0
                     : err_set(err, ERR_NO_STORE, "%s cannot be opened: %s", path, strerror(errno));
}

/* The cipher of the keys that to_dir has, for the log in `from`. */
static int cipher_for(int from, const char *to_dir, const char *key_file, struct cipher *ret,
                      struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(KIB(4));
    _cleanup_(vault_freep) struct vault *vault = NULL;
    struct note_key key;
    struct str origin;
    int r = file_load(from, KEY_NAME, &text, err);

    if (r >= 0)
        r = note_key_parse(str_trim(sb_view(&text)), &key, err);
    if (r >= 0)
        r = vault_open(to_dir, key_file, &vault, err);
    if (r < 0)
        return r;
    origin = str_c(key.name);
    merkle_digest(&origin, 1, &ret->log);
    return vault_sealer(vault, CIPHER_USE, &ret->x, err);
}

static int copy_into(int from, int to, struct cipher *c, struct err *err)
{
    int r = copy_log(from, to, c, err);

    if (r >= 0 && fsync(to) < 0)
        r = err_set(err, ERR_NO_STORE, "the copy of the audit log cannot be made durable");
    return r;
}

static int open_log_folder(const char *dir, int *ret, struct err *err)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof path, "%s/" AUDIT_FOLDER, dir);
    *ret = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *ret >= 0 ? 0
                     : err_set(err, ERR_NO_STORE, "%s cannot be opened: %s", path, strerror(errno));
}

int audit_copy(const char *dir, const char *to_dir, struct err *err)
{
    int from, to = -1, r;

    if (!audit_exists(dir))
        return 0;
    r = open_log_folder(dir, &from, err);
    if (r < 0)
        return r;
    r = make_folder(to_dir, &to, err);
    if (r >= 0)
        r = vault_copy(dir, to_dir, err);
    if (r >= 0)
        r = copy_into(from, to, NULL, err);
    if (to >= 0)
        close(to);
    close(from);
    return r;
}

/* What opening for writing makes again. */
static int make_indexes_of(const char *dir, const char *key_file, struct err *err)
{
    struct audit_config config = {.dir = dir, .key_file = key_file, .keyless = true};
    struct audit_log *log = NULL;
    int r = audit_open(&config, &log, err);

    audit_close(log);
    return r;
}

int audit_copy_sealed(const char *dir, const char *to_dir, const char *key_file, struct err *err)
{
    _cleanup_(cipher_done) struct cipher c = {.x = NULL};
    int from, to = -1, r;

    if (!audit_exists(dir))
        return 0;
    r = open_log_folder(dir, &from, err);
    if (r < 0)
        return r;
    r = make_folder(to_dir, &to, err);
    if (r >= 0)
        r = vault_create(to_dir, key_file, err);
    if (r >= 0)
        r = cipher_for(from, to_dir, key_file, &c, err);
    if (r >= 0)
        r = copy_into(from, to, &c, err);
    if (to >= 0)
        close(to);
    close(from);
    return r < 0 ? r : make_indexes_of(to_dir, key_file, err);
}
