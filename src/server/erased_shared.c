/* erased_shared.c - the ledger of a store that nodes with folders of their own share.
 *
 * Its lines are among the store's own values as well: those that it has done. Every node is stopped
 * while somebody is erased; whichever starts then takes them over into its folder. So an old
 * database that is put back is told by each of the folders, not only by the one that the command
 * was called with.
 */
#include "server/erased.h"

#include "trust/trust.h"
#include "vault/master.h"
#include "vault/vault.h"

#include <sys/stat.h>

static int read_done(struct store_txn *txn, struct arena *a, struct erased *ret, struct err *err)
{
    _cleanup_(sb_done) struct sb lines = sb_make(ERASED_FILE_MAX);
    struct str part = STR("");
    int r = 0;

    for (uint32_t i = 0; r >= 0 && part.p; i++) {
        r = store_blob_get(txn, ERASED_BLOB, i, a, &part, err);
        if (r >= 0 && part.p)
            sb_str(&lines, part);
    }
    if (r < 0 || (r = sb_ok(&lines, err)) < 0)
        return r;
    return erased_parse(a, sb_view(&lines), ret, err);
}

static int write_done(struct store_txn *txn, const struct erased *all, struct err *err)
{
    _cleanup_(sb_done) struct sb lines = sb_make(ERASED_FILE_MAX);
    struct str rest;
    int r;

    for (size_t i = 0; i < all->n; i++) {
        sb_str(&lines, all->entries[i].text);
        sb_char(&lines, '\n');
    }
    rest = sb_view(&lines);
    if ((r = sb_ok(&lines, err)) < 0 || (r = store_blob_drop(txn, ERASED_BLOB, err)) < 0)
        return r;
    for (uint32_t i = 0; rest.n && r >= 0; i++) {
        struct str part = str_head(rest, MIN(rest.n, (size_t)STORE_BLOB_PART_MAX));

        r = store_blob_put(txn, ERASED_BLOB, i, part, err);
        rest = str_from(rest, part.n);
    }
    return r;
}

int erased_share(struct store_txn *txn, const struct erased *ledger, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    struct erased done = {.n = 0}, all = {.n = 0};
    int r;

    arena_init(&a, ERASED_ARENA_MAX);
    if ((r = read_done(txn, &a, &done, err)) < 0 ||
        (r = erased_merge(&a, &done, ledger, &all, err)) < 0)
        return r;
    return write_done(txn, &all, err);
}

static int done_of(struct store *store, struct arena *a, struct erased *ret, struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_system();
    int r = store_begin(store, &who, &txn, err);

    return r < 0 ? r : read_done(txn, a, ret, err);
}

int erased_of(const char *dir, const char *key_file, struct store *store, struct arena *a,
              struct erased *ret, struct err *err)
{
    struct erased ledger = {.n = 0}, done = {.n = 0};
    int r = dir ? erased_read(dir, key_file, a, &ledger, err) : 0;

    if (r >= 0 && store_is_shared(store))
        r = done_of(store, a, &done, err);
    return r < 0 ? r : erased_merge(a, &ledger, &done, ret, err);
}

int erased_meet(const struct server_config *config, struct store *store, size_t *ret_done,
                size_t *ret_all, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    struct erased ledger = {.n = 0}, done = {.n = 0}, all = {.n = 0};
    const char *dir = config->data_dir;
    struct stat st;
    int r;

    arena_init(&a, ERASED_ARENA_MAX);
    *ret_done = *ret_all = 0;
    /* A folder that nobody has used yet, and one that has no keys yet: it has no ledger either. */
    if (!dir || stat(dir, &st) < 0 || (master_is_named(config->key_file) && !vault_exists(dir)))
        return 0;
    if ((r = erased_read(dir, config->key_file, &a, &ledger, err)) < 0 ||
        (r = done_of(store, &a, &done, err)) < 0 ||
        (r = erased_merge(&a, &ledger, &done, &all, err)) < 0)
        return r;
    *ret_done = done.n;
    *ret_all = all.n;
    return all.n > ledger.n ? erased_write(dir, config->key_file, &all, err) : 0;
}
