/* migrate.h - a whole store becomes another one, on the other backend.
 *
 * Every version goes over with its number (its place in the feed), clock, node, author and
 * predecessor; the node's own values, compiled terminology and accounts go over as they are. Keys
 * are made anew from the bodies. The source is only read, and must not be served meanwhile.
 *
 * What is there stays there when the command is killed: called again it goes on behind the last
 * version. Until the end the target says that it is being filled, and no other command opens it.
 * At the end both stores are read once more, side by side, and must be the same.
 *
 * What is encrypted stays so: its target's folder has the same keys, under the same master key, so
 * that the audit log goes on in it. Bodies get other keys of persons.
 */
#ifndef SERVER_MIGRATE_H
#define SERVER_MIGRATE_H

#include "server/server.h"
#include "trust/secret.h"

struct migrate_config {
    struct server_config from, to; /* data_dir, store_uri, store_unsafe */
    const char *key_file; /* of an encrypted source; its target is encrypted, and so is that of
                             another where a key is named. NULL: the environment's, if any */
};

enum migrate_phase { MIGRATE_VERSIONS, MIGRATE_VALUES, MIGRATE_CHECK };

typedef void migrate_progress(void *ctx, enum migrate_phase phase, uint64_t done, uint64_t all);

struct migrate_result {
    uint64_t versions, resources; /* in the target */
    uint64_t resumed;             /* versions that were there already */
    size_t values, pieces;        /* small values; parts of large ones */
    size_t audit_files;
    char sum[2 * SHA256_BYTES + 1]; /* of all this, in order: the same on both sides */
};

/* ERR_CONFLICT when the target holds a store that is not the beginning of this one, ERR_NO_STORE
 * when the two differ at the end. `progress` may be NULL. */
int server_migrate(const struct migrate_config *config, migrate_progress *progress, void *ctx,
                   struct migrate_result *ret, struct err *err);

/* ERR_CONFLICT when a store is still being filled. */
int migrate_check_whole(struct store *store, struct err *err);

#endif
