#include "base/tar.h"

#include "base/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <zlib.h>

#define BLOCK 512
#define PASS_BYTES KIB(16) /* read at a time while passing over a file */
#define BUFFER_BYTES KIB(128)

/* Fields of a header block: POSIX.1-1988 ustar. */
enum {
    AT_NAME = 0,
    N_NAME = 100,
    AT_SIZE = 124,
    N_SIZE = 12,
    AT_SUM = 148,
    N_SUM = 8,
    AT_TYPE = 156,
    AT_MAGIC = 257,
    AT_PREFIX = 345,
    N_PREFIX = 155,
};

struct tar {
    gzFile gz;
    uint64_t packed;   /* bytes of the archive */
    uint64_t unpacked; /* bytes read so far */
    uint64_t left;     /* of the current file */
    unsigned padding;  /* behind it */
    unsigned n_files;
    char name[TAR_NAME_MAX + 1];
    bool has_long_name; /* `name` came from a member of its own */
};

int tar_open(const char *path, struct tar **ret, struct err *err)
{
    struct tar *t = fault_point("malloc") ? NULL : calloc(1, sizeof *t);
    struct stat st;

    if (!t)
        return err_no_memory(err);
    t->gz = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? gzopen(path, "rbe") : NULL;
    if (!t->gz) {
        int why = errno;
        free(t);
        return err_set(err, ERR_NOT_FOUND, "\"%s\" cannot be read: %s", path,
                       why ? strerror(why) : "it is no file");
    }
    t->packed = (uint64_t)st.st_size;
    gzbuffer(t->gz, BUFFER_BYTES);
    *ret = t;
    return 0;
}

void tar_close(struct tar *t)
{
    if (!t)
        return;
    gzclose_r(t->gz);
    free(t);
}

static int damaged(struct err *err, const char *what)
{
    return err_set(err, ERR_SYNTAX, "the archive is damaged: %s", what);
}

/* Exactly n bytes, or 0 bytes at the end of the stream where `may_end`: 1, 0, negative. */
static int read_bytes(struct tar *t, void *to, size_t n, bool may_end, struct err *err)
{
    int got;

    t->unpacked += n;
    if (t->unpacked > TAR_UNPACKED_MAX)
        return err_set(err, ERR_TOO_LONG, "the archive is longer than %llu bytes when unpacked",
                       (unsigned long long)TAR_UNPACKED_MAX);
    if (t->unpacked > TAR_RATIO_FROM && t->unpacked / TAR_RATIO_MAX > t->packed)
        return err_set(err, ERR_TOO_LONG, "the archive unpacks to more than %d times its size",
                       TAR_RATIO_MAX);
    got = gzread(t->gz, to, (unsigned)n);
    if (got < 0)
        return damaged(err, "it is no gzip, or not whole");
    if ((size_t)got == n)
        return 1;
    return got == 0 && may_end ? 0 : damaged(err, "it ends too early");
}

static int pass_over(struct tar *t, uint64_t n, struct err *err)
{
    char buf[PASS_BYTES];
    int r = 1;

    for (; n && r > 0; n -= MIN(n, sizeof buf))
        r = read_bytes(t, buf, (size_t)MIN(n, sizeof buf), false, err);
    return r;
}

static bool octal(const char *p, size_t n, uint64_t *ret)
{
    uint64_t v = 0;
    size_t i = 0;

    while (i < n && p[i] == ' ')
        i++;
    if (i == n || p[i] < '0' || p[i] > '7')
        return false;
    for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
        v = v * 8 + (uint64_t)(p[i] - '0');
    *ret = v;
    return true;
}

static bool has_sum(const char *block)
{
    uint64_t said, sum = 0;

    for (size_t i = 0; i < BLOCK; i++)
        sum += i >= AT_SUM && i < AT_SUM + N_SUM ? ' ' : (unsigned char)block[i];
    return octal(block + AT_SUM, N_SUM, &said) && said == sum;
}

static bool is_zero(const char *block)
{
    for (size_t i = 0; i < BLOCK; i++)
        if (block[i])
            return false;
    return true;
}

static void take_name(struct tar *t, const char *block)
{
    size_t n_prefix = 0;

    if (t->has_long_name)
        return;
    if (memcmp(block + AT_MAGIC, "ustar", 5) == 0 && block[AT_MAGIC + 5] == 0)
        n_prefix = strnlen(block + AT_PREFIX, N_PREFIX);
    memcpy(t->name, block + AT_PREFIX, n_prefix);
    if (n_prefix)
        t->name[n_prefix++] = '/';
    memcpy(t->name + n_prefix, block + AT_NAME, N_NAME);
    t->name[n_prefix + N_NAME] = 0;
}

/* The `path` of a pax header: records of "length key=value\n". */
static void take_pax(struct tar *t, struct str text)
{
    struct str line;

    while (text.n && str_split(&text, '\n', &line)) {
        ptrdiff_t blank = str_find(line, ' ');
        struct str record = str_from(line, (size_t)(blank + 1));
        if (!str_starts(record, STR("path=")) || record.n - 5 > TAR_NAME_MAX)
            continue;
        memcpy(t->name, record.p + 5, record.n - 5);
        t->name[record.n - 5] = 0;
        t->has_long_name = true;
    }
}

/* A member that only says something of the next one. */
static int take_note(struct tar *t, char type, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(KIB(64));
    int r = tar_read(t, &text, err);

    if (r < 0)
        return r;
    if (type == 'x') {
        take_pax(t, sb_view(&text));
        return 0;
    }
    if (text.n > TAR_NAME_MAX)
        return err_set(err, ERR_TOO_LONG, "a name in the archive is longer than %d bytes",
                       TAR_NAME_MAX);
    memcpy(t->name, text.p, text.n);
    t->name[text.n] = 0;
    t->has_long_name = true;
    return 0;
}

/* 1 a regular file, 2 something else, 0 the end. */
static int next_member(struct tar *t, struct err *err)
{
    char block[BLOCK], type;
    int r = pass_over(t, t->left + t->padding, err);

    t->left = t->padding = 0;
    if (r < 0 || (r = read_bytes(t, block, BLOCK, true, err)) <= 0)
        return r;
    if (is_zero(block))
        return 0;
    if (!has_sum(block) || !octal(block + AT_SIZE, N_SIZE, &t->left))
        return damaged(err, "a header does not have its checksum");
    if (t->left > TAR_UNPACKED_MAX)
        return err_set(err, ERR_TOO_LONG, "a file in the archive is longer than %llu bytes",
                       (unsigned long long)TAR_UNPACKED_MAX);
    t->padding = (unsigned)((BLOCK - t->left % BLOCK) % BLOCK);
    if (++t->n_files > TAR_FILES_MAX)
        return err_set(err, ERR_TOO_LONG, "the archive has more than %d members", TAR_FILES_MAX);
    type = block[AT_TYPE];
    if (type == 'L' || type == 'x') {
        r = take_note(t, type, err);
        return r < 0 ? r : 2;
    }
    take_name(t, block);
    t->has_long_name = false;
    return type == '0' || type == 0 ? 1 : 2;
}

int tar_next(struct tar *t, struct str *ret_name, uint64_t *ret_size, struct err *err)
{
    int r;

    while ((r = next_member(t, err)) == 2)
        ;
    if (r <= 0)
        return r;
    *ret_name = str_c(t->name);
    *ret_size = t->left;
    return 1;
}

int tar_read_some(struct tar *t, void *to, size_t room, size_t *ret_n, struct err *err)
{
    size_t n = (size_t)MIN(t->left, (uint64_t)MIN(room, (size_t)INT32_MAX));
    int r = n ? read_bytes(t, to, n, false, err) : 1;

    if (r < 0)
        return r;
    t->left -= n;
    *ret_n = n;
    return 0;
}

int tar_read(struct tar *t, struct sb *out, struct err *err)
{
    while (t->left) {
        size_t n;
        char *to = sb_room(out, (size_t)MIN(t->left, (uint64_t)PASS_BYTES));
        int r;
        if (!to)
            return err_set(err, ERR_TOO_LONG, "a file in the archive is longer than %zu bytes",
                           out->max);
        r = tar_read_some(t, to, PASS_BYTES, &n, err);
        if (r < 0)
            return r;
        sb_add(out, n);
    }
    return 0;
}
