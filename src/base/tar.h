/* tar.h - the files of a .tgz, one after the other, with limits.
 *
 * A gzip stream is read as it comes: neither the archive nor a file of it is ever in memory whole
 * unless asked for. What a small archive may become is bounded (a decompression bomb ends at its
 * limit), and nothing is ever written to disk, so that names of files can do no harm.
 * Read: POSIX ustar with its prefix, GNU long names, pax `path`; other members are passed over.
 */
#ifndef BASE_TAR_H
#define BASE_TAR_H

#include "base/err.h"
#include "base/sb.h"

#define TAR_UNPACKED_MAX (UINT64_C(2) << 30) /* bytes of one archive, unpacked */
#define TAR_RATIO_MAX 200                    /* unpacked bytes for each byte of the archive … */
#define TAR_RATIO_FROM MIB(16)               /* … counted from so many unpacked bytes on */
#define TAR_FILES_MAX 100000                 /* members of one archive */
#define TAR_NAME_MAX 1024                    /* bytes of a name */

struct tar;

/* Opens the archive. ERR_NOT_FOUND if it cannot be read, ERR_SYNTAX if it is no gzip. */
int tar_open(const char *path, struct tar **ret, struct err *err);
void tar_close(struct tar *t);
static inline void tar_closep(struct tar **t)
{
    tar_close(*t);
}

/* The next regular file: 1 and its name (valid until the next call) and size, 0 at the end.
 * ERR_SYNTAX for a damaged archive, ERR_TOO_LONG past a limit, which is named. */
int tar_next(struct tar *t, struct str *ret_name, uint64_t *ret_size, struct err *err);

/* The whole current file, appended. ERR_TOO_LONG past the builder's own maximum. */
int tar_read(struct tar *t, struct sb *out, struct err *err);

/* Some of the current file: bytes read, 0 at its end. For whoever parses while reading. */
int tar_read_some(struct tar *t, void *to, size_t room, size_t *ret_n, struct err *err);

#endif
