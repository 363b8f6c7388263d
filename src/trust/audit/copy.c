/* copy.c - a copy of a log that may be written meanwhile. */
#include "trust/audit/audit_int.h"

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

/* A file that may not be there yet. */
static int copy_if_there(int from_dir, int to_dir, const char *name, struct err *err)
{
    int r = copy_file(from_dir, to_dir, name, err);

    return r == ERR_NOT_FOUND ? 0 : r;
}

/* The heads first: what they cover is in the segments that are copied after them. */
static int copy_log(int from, int to, struct err *err)
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
        r = copy_if_there(from, to, name, err);
        segment_name(number, "seg", name);
        if (r >= 0)
            r = copy_file(from, to, name, err);
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

int audit_copy(const char *dir, const char *to_dir, struct err *err)
{
    char path[PATH_BYTES];
    int from, to = -1, r;

    if (!audit_exists(dir))
        return 0;
    snprintf(path, sizeof path, "%s/" AUDIT_FOLDER, dir);
    from = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (from < 0)
        return err_set(err, ERR_NO_STORE, "%s cannot be opened: %s", path, strerror(errno));
    r = make_folder(to_dir, &to, err);
    if (r >= 0) {
        r = copy_log(from, to, err);
        if (r >= 0 && fsync(to) < 0)
            r = err_set(err, ERR_NO_STORE, "the copy of the audit log cannot be made durable");
        close(to);
    }
    close(from);
    return r;
}
