/* vault.h - the keys of a data folder whose data are unreadable without a key.
 *
 * The folder's file carnet.keys holds the data key, sealed with the master key, which is kept
 * elsewhere (vault/master.h). A folder without carnet.keys is not encrypted.
 * Bytes: docs/formats/keys.md.
 */
#ifndef VAULT_VAULT_H
#define VAULT_VAULT_H

#include "base/xaes.h"

#define VAULT_FILE_NAME "carnet.keys"
#define VAULT_KEYS_BYTES 80 /* of that file */

struct vault;

/* Whether the folder is encrypted. */
bool vault_exists(const char *dir);

/* Makes a data key for a new folder. The key file is made if it is not there. ERR_CONFLICT when the
 * folder has keys already. */
int vault_create(const char *dir, const char *key_file, struct err *err);

#define VAULT_NO_KEY "" /* as a key file: none, not the environment's either */

/* Opens a folder's keys with the master key of that file; NULL: the environment's. *ret is NULL,
 * and the result 0, where folder and caller have none. ERR_REQUIRED when a key is needed and none
 * is named, ERR_VALUE when one is named and the folder is not encrypted, ERR_FORBIDDEN when it is
 * the wrong one, and whatever reading it says. The caller frees. */
int vault_open(const char *dir, const char *key_file, struct vault **ret, struct err *err);
void vault_free(struct vault *v);
static inline void vault_freep(struct vault **v)
{
    vault_free(*v);
}

/* Whether that key opens the folder's keys: as vault_open, ERR_VALUE where it is not encrypted. */
int vault_check(const char *dir, const char *key_file, struct err *err);

/* The same for a store that keeps what carnet.keys would hold by itself (a database). New keys; the
 * key file is made if it is not there. */
int vault_make(const char *key_file, unsigned char ret[VAULT_KEYS_BYTES], struct err *err);
/* As vault_open; keys.p NULL: the store has none. `where` stands for the folder in messages. */
int vault_open_keys(struct str keys, const char *key_file, const char *where, struct vault **ret,
                    struct err *err);
/* These keys under another master key (vault_rotate). */
int vault_seal(const struct vault *v, const char *key_file, unsigned char ret[VAULT_KEYS_BYTES],
               struct err *err);

/* A key for one use: the same use gives the same key for as long as the folder lives. From any
 * thread. */
int vault_subkey(const struct vault *v, const char *use, unsigned char ret[XAES_KEY_BYTES],
                 struct err *err);
/* A sealer for one use. */
int vault_sealer(const struct vault *v, const char *use, struct xaes **ret, struct err *err);

/* From now on another master key opens the folder, and the old one does not; what is sealed stays
 * as it is, and whoever has the folder open goes on. The new key file is made if it is not there.
 * After a crash either the old or the new one opens it. */
int vault_rotate(const char *dir, const char *key_file, const char *new_key_file, struct err *err);

/* The same keys for a copy of the folder's files: 1, or 0 where there are none, or they are there
 * already. ERR_CONFLICT when `to_dir` has other keys. */
int vault_copy(const char *dir, const char *to_dir, struct err *err);
/* Whether both folders have keys, and not the same. */
bool vault_differs(const char *dir, const char *other_dir);
/* Takes back what vault_copy made, when the copy comes to nothing. */
void vault_uncopy(const char *to_dir);

#endif
