/* rolled_back.h - a store that is older than its audit log.
 *
 * A write is durable before its entry is: so the newest version that the log tells of is in the
 * store, unless the store was put back to what it was once. (That the log was put back with it, its
 * witnesses and whoever kept a head can tell.)
 */
#ifndef SERVER_ROLLED_BACK_H
#define SERVER_ROLLED_BACK_H

#include "store/store.h"
#include "trust/audit/audit.h"

/* ERR_NO_STORE where the store lacks what the log's newest entries tell of, back to the last entry
 * of a `carnet restore`. Looks at no more than AUDIT_SCAN_MAX entries, and says nothing where none
 * of them is of a write. A store that other processes write to is not looked at. `log` may be
 * NULL. */
int rolled_back_check(struct store *store, struct audit_log *log, struct err *err);

#endif
