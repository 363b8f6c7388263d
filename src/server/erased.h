/* erased.h - the ledger of who was erased: a file of the data folder, beside the store.
 *
 * It says of each erasing when, on what ground and by whom, and of whom only a salted hash: enough
 * to know them again in an old backup. It goes with each backup, and what it has is erased again by
 * each restore. A store that knows of fewer erasings than its ledger (an old file or database that
 * was put there) is not opened. In an encrypted folder its lines are sealed. Format:
 * docs/formats/erased.md.
 */
#ifndef SERVER_ERASED_H
#define SERVER_ERASED_H

#include "server/server.h"

#define ERASED_FILE_NAME "carnet.erased"
#define ERASED_FILE_MAX MIB(64)
#define ERASED_ARENA_MAX MIB(256)
#define ERASED_BASIS_MAX 1000 /* bytes of the legal ground */

struct erased_entry {
    struct str text; /* the line itself */
    struct str who;  /* SHA-256 of salt and id, in hexadecimal */
    struct str salt;
    bool with_shared;
};

struct erased {
    struct erased_entry *entries;
    size_t n;
};

/* A folder's ledger, empty where it has none. Everything lives in `a`. ERR_NO_STORE when it is
 * damaged. */
int erased_read(const char *dir, const char *key_file, struct arena *a, struct erased *ret,
                struct err *err);
bool erased_exists(const char *dir);
/* The same of lines in the clear. */
int erased_parse(struct arena *a, struct str lines, struct erased *ret, struct err *err);
/* One more, durable when this returns. */
int erased_add(const char *dir, const char *key_file, struct arena *a, struct erased *ledger,
               struct str patient, bool with_shared, struct str basis, struct err *err);
/* Writes the ledger anew, durable. */
int erased_write(const char *dir, const char *key_file, const struct erased *ledger,
                 struct err *err);
/* As it is, beside a backup of the folder; nothing where it has none. */
int erased_copy(const char *dir, const char *to_dir, struct err *err);
/* What both have, each once, in the order of `a`, then of `b`. */
int erased_merge(struct arena *arena, const struct erased *a, const struct erased *b,
                 struct erased *ret, struct err *err);
/* The entry of a patient, or NULL. */
const struct erased_entry *erased_find(const struct erased *ledger, struct str patient);

/* The store has done what the entries say; durable when this returns. */
int erased_done(struct store *store, const struct erased *ledger, struct err *err);
/* ERR_CONFLICT when the store has done less than its folder's ledger says. */
int erased_check(const struct server_config *config, struct store *store, struct err *err);

/* ---- erased_shared.c: where several folders share a store, it keeps their lines ---- */

#define ERASED_BLOB STR(STORE_BLOB_OWN "erased")

/* All that a folder (NULL: none) and its store tell of. */
int erased_of(const char *dir, const char *key_file, struct store *store, struct arena *a,
              struct erased *ret, struct err *err);

/* Inside a job: that it has done these. */
int erased_share(struct store_txn *txn, const struct erased *ledger, struct err *err);
/* The folder's ledger takes over what it lacks. How many the store has done, and how many there are
 * on both sides. */
int erased_meet(const struct server_config *config, struct store *store, size_t *ret_done,
                size_t *ret_all, struct err *err);

#endif
