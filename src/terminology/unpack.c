#include "terminology/unpack.h"

#include "base/fault.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define READ_BYTES KIB(64)

struct unpack {
    struct archive *a;
    char *path;
    char *buf; /* what was read of the file and not given yet */
    size_t at, n, cap;
    bool at_end;
    uint64_t line, bytes, files, packed_bytes;
};

static int failed(struct unpack *u, struct err *err)
{
    const char *why = archive_error_string(u->a);

    if (archive_errno(u->a) == ENOMEM)
        return err_no_memory(err);
    return err_set(err, ERR_SYNTAX, "\"%s\" cannot be unpacked: %s", u->path,
                   why ? why : "it is damaged");
}

static struct unpack *unpack_new(const char *path)
{
    struct unpack *u = fault_point("malloc") ? NULL : calloc(1, sizeof *u);

    if (!u || fault_point("malloc") || !(u->path = strdup(path)) || !(u->a = archive_read_new())) {
        unpack_close(u);
        return NULL;
    }
    archive_read_support_filter_gzip(u->a);
    archive_read_support_filter_xz(u->a);
    archive_read_support_filter_zstd(u->a);
    archive_read_support_filter_bzip2(u->a);
    archive_read_support_format_zip(u->a);
    archive_read_support_format_tar(u->a);
    archive_read_support_format_raw(u->a);
    archive_read_support_format_empty(u->a);
    return u;
}

int unpack_open(const char *path, struct unpack **ret, struct err *err)
{
    _cleanup_(unpack_closep) struct unpack *u = unpack_new(path);
    struct stat st;

    if (!u)
        return err_no_memory(err);
    if (stat(path, &st) < 0)
        return err_set(err, ERR_NOT_FOUND, "\"%s\" cannot be read: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_NOT_FOUND, "\"%s\" is no file", path);
    u->packed_bytes = (uint64_t)st.st_size;
    if (archive_read_open_filename(u->a, path, READ_BYTES) != ARCHIVE_OK)
        return failed(u, err);
    *ret = u;
    u = NULL;
    return 0;
}

int unpack_open_memory(const char *name, struct str bytes, struct unpack **ret, struct err *err)
{
    _cleanup_(unpack_closep) struct unpack *u = unpack_new(name);

    if (!u)
        return err_no_memory(err);
    u->packed_bytes = bytes.n;
    if (archive_read_open_memory(u->a, bytes.p, bytes.n) != ARCHIVE_OK)
        return failed(u, err);
    *ret = u;
    u = NULL;
    return 0;
}

void unpack_close(struct unpack *u)
{
    if (!u)
        return;
    if (u->a)
        archive_read_free(u->a);
    free(u->path);
    free(u->buf);
    free(u);
}

/* What came out until now, headers with it, has to be in proportion to what went in. */
static int check_bounds(struct unpack *u, struct err *err)
{
    uint64_t packed = (uint64_t)MAX(archive_filter_bytes(u->a, -1), 1);
    uint64_t unpacked = MAX(u->bytes, (uint64_t)MAX(archive_filter_bytes(u->a, 0), 0));

    if (unpacked <= UNPACK_BYTES_MAX &&
        (unpacked <= UNPACK_FREE_BYTES || unpacked / UNPACK_RATIO_MAX <= packed))
        return 0;
    return err_set(err, ERR_COSTLY,
                   "\"%s\" unpacks to more than %zu bytes, or to more than %d times its size",
                   u->path, UNPACK_BYTES_MAX, UNPACK_RATIO_MAX);
}

static int fill(struct unpack *u, struct err *err);

/* To the end of the file, by our own reading, so that the bounds hold for what nobody wants, too.
 */
static int pass_over(struct unpack *u, struct err *err)
{
    int r = 0;

    while (r >= 0 && u->files && !u->at_end) {
        u->at = u->n = 0;
        r = fill(u, err);
    }
    return r;
}

int unpack_next(struct unpack *u, struct str *ret_name, struct err *err)
{
    struct archive_entry *entry;
    const char *name;
    int rc = pass_over(u, err);

    if (rc < 0)
        return rc;
    for (;;) {
        rc = fault_point("read") ? ARCHIVE_FATAL : archive_read_next_header(u->a, &entry);
        if (rc == ARCHIVE_EOF)
            return 0;
        if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
            return failed(u, err);
        if (++u->files > UNPACK_FILES_MAX)
            return err_set(err, ERR_COSTLY, "\"%s\" holds more than %d files", u->path,
                           UNPACK_FILES_MAX);
        if ((rc = check_bounds(u, err)) < 0)
            return rc;
        if (archive_entry_filetype(entry) == AE_IFREG || archive_entry_filetype(entry) == 0)
            break;
    }
    name = archive_entry_pathname(entry);
    /* A file that is no archive is called "data" by libarchive. */
    *ret_name = str_c(archive_format(u->a) == ARCHIVE_FORMAT_RAW || !name ? u->path : name);
    u->at = u->n = 0;
    u->line = 0;
    u->at_end = false;
    return 1;
}

/* More bytes of the file into the buffer. */
static int fill(struct unpack *u, struct err *err)
{
    ssize_t n;

    if (u->at) {
        memmove(u->buf, u->buf + u->at, u->n - u->at);
        u->n -= u->at;
        u->at = 0;
    }
    if (u->cap - u->n < READ_BYTES) {
        size_t cap = MAX(u->cap * 2, 4 * READ_BYTES);
        char *buf = fault_point("malloc") ? NULL : realloc(u->buf, cap);
        if (!buf)
            return err_no_memory(err);
        u->buf = buf;
        u->cap = cap;
    }
    n = fault_point("read") ? -1 : archive_read_data(u->a, u->buf + u->n, READ_BYTES);
    if (n < 0)
        return failed(u, err);
    u->at_end = n == 0;
    u->n += (size_t)n;
    u->bytes += (uint64_t)n;
    return check_bounds(u, err);
}

static int too_long(const struct unpack *u, struct err *err)
{
    return err_set(err, ERR_TOO_LONG, "line %llu is longer than %zu bytes",
                   (unsigned long long)u->line + 1, UNPACK_LINE_MAX);
}

int unpack_line(struct unpack *u, bool quotes, struct str *ret, struct err *err)
{
    size_t i = u->at;
    bool quoted = false;

    for (;;) {
        int r;
        for (; i < u->n && (u->buf[i] != '\n' || quoted); i++)
            if (quotes && u->buf[i] == '"')
                quoted = !quoted;
        if (i < u->n || u->at_end)
            break;
        if (i - u->at > UNPACK_LINE_MAX)
            return too_long(u, err);
        i -= u->at;
        if ((r = fill(u, err)) < 0)
            return r;
    }
    if (i == u->at && i == u->n)
        return 0;
    *ret = str_n(u->buf + u->at, i - u->at);
    u->at = MIN(i + 1, u->n);
    u->line++;
    if (ret->n && ret->p[ret->n - 1] == '\r')
        ret->n--;
    if (u->line == 1 && str_starts(*ret, STR("\xef\xbb\xbf")))
        *ret = str_from(*ret, 3);
    return 1;
}

uint64_t unpack_line_number(const struct unpack *u)
{
    return u->line;
}

int unpack_peek(struct unpack *u, size_t max, struct str *ret, struct err *err)
{
    while (u->n - u->at < max && !u->at_end) {
        int r = fill(u, err);
        if (r < 0)
            return r;
    }
    *ret = str_n(u->buf + u->at, MIN(u->n - u->at, max));
    return 0;
}

int unpack_bytes(struct unpack *u, struct str *ret, struct err *err)
{
    int r = u->at == u->n && !u->at_end ? fill(u, err) : 0;

    if (r < 0)
        return r;
    *ret = str_n(u->buf + u->at, u->n - u->at);
    u->at = u->n;
    return ret->n > 0;
}

int unpack_rest(struct unpack *u, size_t max, struct sb *out, struct err *err)
{
    for (;;) {
        int r;
        if (u->n > u->at)
            sb_put(out, u->buf + u->at, u->n - u->at);
        u->at = u->n;
        if (out->n > max)
            return err_set(err, ERR_TOO_LONG, "the file is longer than %zu bytes", max);
        if (u->at_end)
            return sb_ok(out, err);
        if ((r = fill(u, err)) < 0)
            return r;
    }
}

void unpack_progress(const struct unpack *u, uint64_t *ret_done, uint64_t *ret_all)
{
    *ret_done = (uint64_t)MAX(archive_filter_bytes(u->a, -1), 0);
    *ret_all = u->packed_bytes;
}
