/* sealed_vfs.h - between SQLite and the disk: what is written is sealed, what is read is opened.
 *
 * A VFS in front of SQLite's own ("unix-excl", or whatever is registered under that name) for the
 * two kinds of files that a store has, its database and its log. Nothing else is opened through it:
 * a journal or a temporary file is SQLITE_CANTOPEN, so that none is ever there in the clear (the
 * store keeps both in memory). Where everything lies on the disk: docs/formats/store.md.
 *
 * SQLite finds its pages where they always are, with SQ_RESERVED_BYTES of zeros at their end; on
 * the disk these hold the page's mark (base/xaes.h). What does not open:
 *   - a page that is read: SQLITE_IOERR_DATA;
 *   - the head of the database, when it is opened: as if the file were empty, because a crash may
 *     have left half of page 1 while the whole one stands in the log, where SQLite looks next;
 *   - the log, when it is recovered: the end of the log, as for SQLite a wrong checksum is.
 */
#ifndef SQLITE_SEALED_VFS_H
#define SQLITE_SEALED_VFS_H

#include "vault/vault.h"

#include <sqlite3.h>

struct sealed_vfs;

/* Registers a VFS of its own for one store's keys. The vault must outlive it. ERR_NO_MEMORY. */
int sealed_vfs_new(const struct vault *vault, struct sealed_vfs **ret, struct err *err);
/* When no connection uses it any more. NULL is allowed. */
void sealed_vfs_free(struct sealed_vfs *v);
/* Its name for sqlite3_open_v2. */
const char *sealed_vfs_name(const struct sealed_vfs *v);

#endif
