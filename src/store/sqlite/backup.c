/* backup.c - a consistent copy while the store is in use.
 *
 * The source connection holds one snapshot from the first page to the last, so that writers do not
 * make the copy start again; the log grows meanwhile. The copy gets its name when it is whole and
 * on the disk. A copy of an encrypted store is encrypted with the same keys, which go with it;
 * one of a store that is not encrypted can be made so (store_config.seal_copies).
 *
 * The copy of an encrypted store has no index, which would tell of a body what its owner's key
 * keeps, and no owners' keys: those go to a file apart (keys_file.c, docs/decisions/0047).
 */
#include "store/sqlite/sq_int.h"

#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKUP_STEP_PAGES 1024

struct copy {
    store_backup_progress *progress;
    void *ctx;
    const char *keys_file; /* where owners' keys go; NULL: nowhere */
    bool by_rows;          /* made anew, not page by page */
    bool is_whole;         /* … with index and owners' keys */
};

static int sync_path(const char *path, int flags, struct err *err)
{
    int fd = fault_point("io") ? -1 : open(path, flags | O_CLOEXEC), rc;

    if (fd < 0)
        return err_set(err, ERR_NO_STORE, "the copy cannot be opened: %s", strerror(errno));
    rc = fsync(fd);
    close(fd);
    return rc < 0 ? err_set(err, ERR_NO_STORE, "the copy cannot be written: %s", strerror(errno))
                  : 0;
}

static int copy_pages(sqlite3 *from, sqlite3 *to, const struct copy *c, struct err *err)
{
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    bool stop = false;
    int rc = SQLITE_OK;

    if (!b)
        return sq_fail(to, sqlite3_errcode(to), err);
    while (rc == SQLITE_OK && !stop) {
        rc = fault_point("io") ? SQLITE_IOERR : sqlite3_backup_step(b, BACKUP_STEP_PAGES);
        if (c->progress && (rc == SQLITE_OK || rc == SQLITE_DONE)) {
            int all = sqlite3_backup_pagecount(b);
            stop =
                !c->progress(c->ctx, (uint64_t)(all - sqlite3_backup_remaining(b)), (uint64_t)all);
        }
    }
    sqlite3_backup_finish(b);
    if (stop && rc == SQLITE_OK)
        return err_set(err, ERR_TIMEOUT, "the copy was stopped");
    return rc == SQLITE_DONE ? 0 : sq_fail(to, rc, err);
}

static int copy_to(struct sq_txn *t, const char *path, const char *vfs, const struct copy *c,
                   struct err *err)
{
    sqlite3 *to = NULL;
    int r, rc;

    rc = sqlite3_open_v2(path, &to,
                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                             SQLITE_OPEN_EXRESCODE,
                         vfs);
    if (rc != SQLITE_OK)
        r = sq_fail(to, rc, err);
    else if (c->by_rows)
        r = sq_copy_rows(t, to, c->is_whole, c->progress, c->ctx, err);
    else if ((r = sq_exec(to, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", err)) == 0)
        r = copy_pages(t->conn->db, to, c, err);
    sqlite3_close_v2(to);
    return r == 0 ? sync_path(path, O_RDWR, err) : r;
}

/* Into a folder with keys of its own, which are made here. */
static int copy_sealed(struct sq_txn *t, const char *dir, const char *path, const struct copy *c,
                       struct err *err)
{
    _cleanup_(vault_freep) struct vault *vault = NULL;
    const char *key_file = t->conn->st->copy_key_file;
    struct sealed_vfs *vfs = NULL;
    int r = vault_exists(dir) ? 0 : vault_create(dir, key_file, err);

    if (r >= 0)
        r = vault_open(dir, key_file, &vault, err);
    if (r >= 0)
        r = sealed_vfs_new(vault, &vfs, err);
    if (r >= 0)
        r = copy_to(t, path, sealed_vfs_name(vfs), c, err);
    sealed_vfs_free(vfs);
    return r;
}

static int copy_named(struct sq_txn *t, const char *dir, const char *fresh, const char *path,
                      const struct copy *c, struct err *err)
{
    const struct sq_store *st = t->conn->st;
    bool is_apart;
    int r, keys;

    if (access(path, F_OK) == 0)
        return err_set(err, ERR_CONFLICT, "the folder \"%s\" already holds a store", dir);
    unlink(fresh);
    is_apart = st->seal_copies && (!st->vault || vault_differs(st->dir, dir));
    keys = r = is_apart ? 0 : vault_copy(st->dir, dir, err);
    if (r >= 0)
        r = is_apart ? copy_sealed(t, dir, fresh, c, err)
                     : copy_to(t, fresh, sq_vfs_name(st), c, err);
    /* Of the same snapshot, so that no body's key is missing. */
    if (r == 0 && c->keys_file)
        r = sq_keys_save(t, c->keys_file, err);
    if (r == 0 && rename(fresh, path) < 0)
        r = err_set(err, ERR_NO_STORE, "the copy cannot be named: %s", strerror(errno));
    if (r == 0 && (r = sync_path(dir, O_RDONLY | O_DIRECTORY, err)) < 0)
        unlink(path);
    if (r < 0)
        unlink(fresh);
    if (r < 0 && keys > 0)
        vault_uncopy(dir);
    return r;
}

static const struct access upkeep = {.kind = ACCESS_SYSTEM, .agent = {"upkeep", 6}};

int sq_copy_into(struct sq_store *st, const char *path, store_backup_progress *progress, void *ctx,
                 struct err *err)
{
    struct copy c = {.progress = progress, .ctx = ctx, .by_rows = true, .is_whole = true};
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    int r = sq_begin(&st->base, &upkeep, &txn, err);

    unlink(path);
    return r < 0 ? r : copy_to(sq_txn(txn), path, sq_vfs_name(st), &c, err);
}

/* Keys and bodies that lie together are as good as no keys. */
static int check_keys_file(const struct sq_store *st, const char *to_dir, const char *keys_file,
                           struct err *err)
{
    size_t n = strlen(to_dir);

    if (!st->vault || st->for_restore)
        return keys_file ? err_set(err, ERR_VALUE,
                                   "a file for persons' keys is named, and this store has none")
                         : 0;
    if (!keys_file)
        return err_set(err, ERR_REQUIRED,
                       "the store is encrypted, with a key for each person: name a file for those "
                       "keys, which lies apart from its backups");
    while (n && to_dir[n - 1] == '/')
        n--;
    if (strncmp(keys_file, to_dir, n) == 0 && keys_file[n] == '/')
        return err_set(err, ERR_VALUE, "persons' keys belong apart from the backup, not into it");
    return 0;
}

int sq_backup(struct store *base, const char *to_dir, const char *keys_file,
              store_backup_progress *progress, void *ctx, struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct sq_store *st = (struct sq_store *)base;
    struct copy c = {.progress = progress,
                     .ctx = ctx,
                     .keys_file = keys_file,
                     .by_rows = st->vault && !st->for_restore};
    char *fresh = NULL, *path = NULL;
    int r = check_keys_file(st, to_dir, keys_file, err);

    if (r < 0)
        return r;

    if (mkdir(to_dir, 0700) < 0 && errno != EEXIST)
        return err_set(err, ERR_NO_STORE, "the folder \"%s\" cannot be made: %s", to_dir,
                       strerror(errno));
    if ((r = sq_begin(base, &upkeep, &txn, err)) < 0 || (r = sq_enter(sq_txn(txn), err)) < 0)
        return r;
    sq_position(txn); /* the first read takes the snapshot */
    if (asprintf(&fresh, "%s/carnet.db.new", to_dir) < 0 ||
        asprintf(&path, "%s/carnet.db", to_dir) < 0) {
        free(fresh);
        return err_no_memory(err);
    }
    atomic_fetch_add(&st->long_readers, 1);
    r = copy_named(sq_txn(txn), to_dir, fresh, path, &c, err);
    atomic_fetch_sub(&st->long_readers, 1);
    free(fresh);
    free(path);
    return r;
}
