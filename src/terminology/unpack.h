/* unpack.h - the files inside a file: zip, tar, gzip, xz, zstd and bzip2 as libarchive knows them;
 * a plain file is one file. Read as a stream; nothing is written to the disk.
 */
#ifndef TERMINOLOGY_UNPACK_H
#define TERMINOLOGY_UNPACK_H

#include "base/sb.h"

#define UNPACK_BYTES_MAX (MIB(8192)) /* of all files in one file, and what stands between them */
#define UNPACK_RATIO_MAX 250 /* bytes that one packed byte may become, past UNPACK_FREE_BYTES */
#define UNPACK_FREE_BYTES MIB(64)
#define UNPACK_FILES_MAX 200000
#define UNPACK_LINE_MAX MIB(4)

struct unpack;

int unpack_open(const char *path, struct unpack **ret, struct err *err);
/* The same of bytes in memory, which must outlive it. */
int unpack_open_memory(const char *name, struct str bytes, struct unpack **ret, struct err *err);
void unpack_close(struct unpack *u);
static inline void unpack_closep(struct unpack **u)
{
    unpack_close(*u);
}

/* The next file: 1 and its name (valid until the next call), 0 at the end. ERR_COSTLY past a bound,
 * ERR_SYNTAX when the packing is damaged. */
int unpack_next(struct unpack *u, struct str *ret_name, struct err *err);
/* The next line of it, without its end: 1, or 0 at the end. `quotes`: a line end inside double
 * quotes belongs to the line. */
int unpack_line(struct unpack *u, bool quotes, struct str *ret, struct err *err);
/* Number of the line that was read last, from 1. */
uint64_t unpack_line_number(const struct unpack *u);
/* The first bytes of the file, at most `max`, without moving on. */
int unpack_peek(struct unpack *u, size_t max, struct str *ret, struct err *err);
/* The next bytes, as many as there are at hand: 1, or 0 at the end. Valid until the next call. */
int unpack_bytes(struct unpack *u, struct str *ret, struct err *err);
/* What is left of the file. */
int unpack_rest(struct unpack *u, size_t max, struct sb *out, struct err *err);
/* Packed bytes read, and their number in all: for progress. */
void unpack_progress(const struct unpack *u, uint64_t *ret_done, uint64_t *ret_all);

#endif
