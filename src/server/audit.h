/* audit.h - the audit log of a node: opened as configured, its witnesses asked over HTTP; and the
 * service of a witness.
 */
#ifndef SERVER_AUDIT_H
#define SERVER_AUDIT_H

#include "server/server.h"

struct server_audit;

/* ret NULL where the configuration wants none. */
int server_audit_open(const struct server_config *config, struct server_audit **ret,
                      struct err *err);
/* Once nobody appends any more. NULL is allowed. */
void server_audit_close(struct server_audit *a);
struct audit_log *server_audit_log(struct server_audit *a);

/* Beside a backup of a data folder, a copy of its audit log; nothing where it has none. */
int server_audit_backup(const char *data_dir, const char *to_dir, struct err *err);
/* That copy to the restored folder; sealed where backup->seal_copies asks for it. */
int server_audit_restore(const struct server_config *backup, const char *data_dir, struct err *err);

#endif
