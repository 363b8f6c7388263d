/* master.h - where the master key comes from.
 *
 * 32 bytes, written as 64 hexadecimal digits: in a file that only its owner reads, or in the
 * environment variable CARNET_KEY.
 */
#ifndef VAULT_MASTER_H
#define VAULT_MASTER_H

#include "base/xaes.h"

#define MASTER_ENV "CARNET_KEY"
#define MASTER_FILE_MAX KIB(1)

/* Whether a key is named at all: `key_file` is not empty, or it is NULL and the environment has
 * one. */
bool master_is_named(const char *key_file);
/* Reads it; the environment's where key_file is NULL. ERR_NOT_FOUND when the file does not exist,
 * ERR_VALUE when it holds no key, ERR_FORBIDDEN when everybody may read it. */
int master_read(const char *key_file, unsigned char ret[XAES_KEY_BYTES], struct err *err);
/* Makes a file (mode 0600) with a new key, durable. ERR_CONFLICT when it is there already. */
int master_make(const char *key_file, struct err *err);

#endif
