/* erase.h - a person is erased from a data folder, for good: their records in every version, their
 * keys, their account, their entries of the audit log. Only where no node runs.
 */
#ifndef SERVER_ERASE_H
#define SERVER_ERASE_H

#include "server/erased.h"

struct server_erase {
    struct str person;  /* an id of a Patient, or "system|value" or "|value" of an identifier */
    struct str basis;   /* the legal ground, at most ERASED_BASIS_MAX bytes */
    bool remove_shared; /* what is not theirs alone goes too … */
    bool keep_shared;   /* … or stays; where there is some, one of the two must be said */
    store_backup_progress *progress; /* of making the store's files anew, or NULL */
    void *ctx;
};

struct server_erase_told {
    struct erase_plan plan;
    size_t accounts;
    uint64_t entries; /* of the audit log */
};

/* Texts live in `a`. ERR_CONFLICT where a node runs, where the store has done less than the ledger
 * says, or where `ret` tells of what is shared and nobody said what becomes of it: nothing was done
 * then. ERR_NOT_FOUND when there is no such person, ERR_DUPLICATE when there are several. Of
 * somebody whom another node's command has erased from a store that both share, the folder's log
 * loses its entries. After a stop in the middle the folder's store is not opened until
 * server_erase_again. */
int server_erase(const struct server_config *config, const struct server_erase *what,
                 struct arena *a, struct server_erase_told *ret, struct err *err);
/* Does what the folder's ledger has and the store still holds, of a stopped erasing or an old store
 * that was put there. *ret: how many people. */
int server_erase_again(const struct server_config *config, store_backup_progress *progress,
                       void *ctx, size_t *ret, struct err *err);
/* … in a store that is open, and in the audit log of `config` (NULL: in none): for a restore, which
 * then makes the store's files anew and says so. */
int server_erase_from(const struct server_config *config, struct store *store,
                      const struct erased *ledger, size_t *ret, struct err *err);

#endif
