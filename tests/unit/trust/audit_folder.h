/* audit_folder.h - logs in folders of their own, for the tests of the audit log. */
#ifndef UNIT_TRUST_AUDIT_FOLDER_H
#define UNIT_TRUST_AUDIT_FOLDER_H

#include "../test.h"

#include "trust/audit/audit.h"

#define FOLDER_BYTES 128

/* A new empty data folder, in memory where the machine has /dev/shm: the true disk would only make
 * the tests slow. */
void folder_new(char ret[FOLDER_BYTES]);
/* With the log in it. */
void folder_remove(const char *dir);
/* The log of `from` as it is on the disk now, into the data folder `to`. */
void folder_copy(const char *from, const char *to);
/* A file of the log: its bytes and back. */
void folder_read(const char *dir, const char *name, struct sb *out);
void folder_write(const char *dir, const char *name, struct str bytes);

struct audit_log *log_open(const char *dir);
/* One event, shown of these patients; returns its first entry's number. */
uint64_t log_event_of(struct audit_log *log, const char *user, const struct str *patients,
                      size_t n);
/* Waits until a signed head covers `size` entries; *ret is it. */
void log_wait_head(struct audit_log *log, uint64_t size, struct sb *ret);

#endif
