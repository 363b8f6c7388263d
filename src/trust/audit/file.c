#include "trust/audit/file.h"

#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_BYTES 64

static int failed(struct err *err, const char *what)
{
    int why = errno;

    err_set(err, why == ENOSPC || why == EDQUOT ? ERR_FULL : ERR_NO_STORE,
            "the audit log cannot be %s", what);
    err_detail(err, "%s", strerror(why));
    return why == ENOSPC || why == EDQUOT ? ERR_FULL : ERR_NO_STORE;
}

/* What a fault point stands for. */
static bool faulty(const char *kind, int why)
{
    if (!fault_point(kind))
        return false;
    errno = why;
    return true;
}

int file_write(int fd, struct str bytes, uint64_t at, struct err *err)
{
    while (bytes.n) {
        ssize_t n = faulty("audit-write", ENOSPC) ? -1 : pwrite(fd, bytes.p, bytes.n, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return failed(err, "written");
        bytes = str_from(bytes, (size_t)n);
        at += (uint64_t)n;
    }
    return 0;
}

int file_sync(int fd, struct err *err)
{
    return faulty("audit-sync", EIO) || fdatasync(fd) < 0 ? failed(err, "made durable") : 0;
}

int file_cut(int fd, uint64_t bytes, struct err *err)
{
    return faulty("audit-cut", EIO) || ftruncate(fd, (off_t)bytes) < 0 ? failed(err, "cut") : 0;
}

int file_read(int fd, void *to, size_t n, uint64_t at, size_t *ret_n, struct err *err)
{
    size_t done = 0;

    while (done < n) {
        ssize_t got = faulty("audit-read", EIO)
                          ? -1
                          : pread(fd, (char *)to + done, n - done, (off_t)(at + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failed(err, "read");
        if (got == 0)
            break;
        done += (size_t)got;
    }
    *ret_n = done;
    return 0;
}

int file_size(int fd, uint64_t *ret, struct err *err)
{
    struct stat st;

    if (faulty("audit-stat", EIO) || fstat(fd, &st) < 0)
        return failed(err, "read");
    *ret = (uint64_t)st.st_size;
    return 0;
}

int file_open(int dir_fd, const char *name, bool write, bool create, int *ret, struct err *err)
{
    int flags = (write ? O_RDWR : O_RDONLY) | (create ? O_CREAT : 0) | O_CLOEXEC;
    int fd = faulty("audit-open", EIO) ? -1 : openat(dir_fd, name, flags, S_IRUSR | S_IWUSR);

    if (fd < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, "the audit log has no file %s", name);
    if (fd < 0)
        return failed(err, "opened");
    *ret = fd;
    return 0;
}

int file_load(int dir_fd, const char *name, struct sb *out, struct err *err)
{
    uint64_t size = 0;
    size_t n = 0;
    char *to = NULL;
    int fd = -1, r = file_open(dir_fd, name, false, false, &fd, err);

    if (r < 0)
        return r;
    r = file_size(fd, &size, err);
    if (r >= 0 && size > out->max - out->n)
        r = err_set(err, ERR_TOO_LONG, "the audit log's file %s is too long", name);
    if (r >= 0 && size && !(to = sb_room(out, (size_t)size)))
        r = err_no_memory(err);
    if (r >= 0)
        r = file_read(fd, to, (size_t)size, 0, &n, err);
    if (r >= 0)
        sb_add(out, n);
    close(fd);
    return r;
}

int file_remove(int dir_fd, const char *name, struct err *err)
{
    if (faulty("audit-remove", EIO) || (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT))
        return failed(err, "written");
    return faulty("audit-sync", EIO) || fsync(dir_fd) < 0 ? failed(err, "made durable") : 0;
}

int file_replace(int dir_fd, const char *name, struct str bytes, struct err *err)
{
    char temporary[NAME_MAX_BYTES];
    int fd, r;

    snprintf(temporary, sizeof temporary, "%s.new", name);
    r = file_open(dir_fd, temporary, true, true, &fd, err);
    if (r < 0)
        return r;
    r = file_cut(fd, 0, err);
    if (r >= 0)
        r = file_write(fd, bytes, 0, err);
    if (r >= 0)
        r = file_sync(fd, err);
    close(fd);
    if (r >= 0 && (faulty("audit-rename", EIO) || renameat(dir_fd, temporary, dir_fd, name) < 0))
        r = failed(err, "written");
    if (r < 0) {
        unlinkat(dir_fd, temporary, 0);
        return r;
    }
    return faulty("audit-sync", EIO) || fsync(dir_fd) < 0 ? failed(err, "made durable") : 0;
}
