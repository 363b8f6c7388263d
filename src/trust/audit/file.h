/* file.h - the few ways in which the audit log touches the disk, each a fault point of tests. */
#ifndef TRUST_AUDIT_FILE_H
#define TRUST_AUDIT_FILE_H

#include "base/err.h"
#include "base/sb.h"

/* All of them at `at`; ERR_FULL when the disk is, ERR_NO_STORE for anything else. */
int file_write(int fd, struct str bytes, uint64_t at, struct err *err);
int file_sync(int fd, struct err *err);
int file_cut(int fd, uint64_t bytes, struct err *err);
/* *ret_n is less than n only at the end of the file. */
int file_read(int fd, void *to, size_t n, uint64_t at, size_t *ret_n, struct err *err);
int file_size(int fd, uint64_t *ret, struct err *err);

/* Opens `name` in a folder; with `create` it is made if it is not there. ERR_NOT_FOUND. */
int file_open(int dir_fd, const char *name, bool write, bool create, int *ret, struct err *err);
/* The whole of a file; out's maximum bounds it. ERR_NOT_FOUND when there is none. */
int file_load(int dir_fd, const char *name, struct sb *out, struct err *err);
/* Not an error where it is not there. */
int file_remove(int dir_fd, const char *name, struct err *err);
/* Puts a whole file in the place of another: after a crash it is the old one or the new one. */
int file_replace(int dir_fd, const char *name, struct str bytes, struct err *err);

#endif
