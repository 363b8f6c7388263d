/* manage.h - what `carnet user` and `carnet client` share: a request put together, sent, and its
 * answer printed.
 */
#ifndef CLI_MANAGE_H
#define CLI_MANAGE_H

#include "base/sb.h"
#include "cli/cli.h"

#define MANAGE_FILE_MAX KIB(64) /* a key set, or a password on standard input */

/* A member with its comma; nothing where the value is NULL. */
void manage_text(struct sb *request, const char *name, const char *value);
void manage_flag(struct sb *request, const char *name, bool value);
/* What a file holds, or standard input ("-"). ERR_VALUE when it cannot be read or is too long. */
int manage_read(const char *path, struct sb *ret, struct err *err);
/* Sends `request` (closed here) and prints the answer. */
int manage_send(const struct cli_args *args, struct sb *request, struct err *err);

#endif
