/* restore.h - a data folder made from a backup.
 */
#ifndef SERVER_RESTORE_H
#define SERVER_RESTORE_H

#include "server/server.h"

struct server_restore {
    const char *from, *from_key_file; /* the backup's folder, and its master key if it has one */
    const char *to, *to_key_file;
    const char *person_keys;                  /* the file that store_backup wrote; NULL: none */
    void (*say)(void *ctx, const char *text); /* what is wrong with a backup */
    store_backup_progress *progress;          /* or NULL */
    void *ctx;
    size_t erased; /* of the result: people who were in the backup and are erased since */
};

/* Checks the backup, copies it, makes it whole (persons' keys, index) and erases who was erased: by
 * the ledgers of the backup and of the folder it goes to. ERR_CONFLICT where `to` has a store.
 * Nothing but what was there before is left of a restore that fails. */
int server_restore(struct server_restore *what, struct err *err);

#endif
