#include "server/restore.h"

#include "server/audit.h"
#include "server/erase.h"
#include "server/reindex.h"
#include "trust/trust.h"
#include "vault/master.h"
#include "vault/vault.h"

#include <stdio.h>
#include <unistd.h>

#define PATH_BYTES 4096

/* The data folder must be free before the long look at the backup, not only after it. */
static int must_be_free(const char *dir, struct err *err)
{
    char path[PATH_BYTES];

    if (snprintf(path, sizeof path, "%s/carnet.db", dir) >= (int)sizeof path)
        return err_set(err, ERR_VALUE, "the folder's name is too long");
    if (access(path, F_OK) == 0)
        return err_set(err, ERR_CONFLICT,
                       "the data folder \"%s\" already holds a store; move it away first", dir);
    return 0;
}

static int must_fit(const struct server_restore *what, struct store *backup, struct err *err)
{
    if (store_is_copy(backup) && !what->person_keys)
        return err_set(err, ERR_REQUIRED,
                       "the backup has no keys of persons: name the file that was written with it, "
                       "or with a later one");
    if (!store_is_copy(backup) && what->person_keys)
        return err_set(err, ERR_VALUE,
                       "a file of persons' keys is named, and the backup needs none");
    return 0;
}

/* ---- what the copy lacks ---- */

static int whole_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    (void)job;
    return store_meta_set(txn, STORE_META_COPY, STR_NULL, err);
}

static int make_whole(const struct server_restore *what, struct store *store, struct err *err)
{
    struct access who = trust_system();
    struct store_job whole = {.run = whole_run, .who = &who};
    int r = store_restore_keys(store, what->person_keys, what->from, what->from_key_file, err);

    if (r >= 0)
        r = server_reindex_all(store, err);
    return r < 0 ? r : store_write(store, &whole, err);
}

/* ---- who was erased since ---- */

static int erase_again(struct server_restore *what, struct store *store, struct arena *a,
                       struct err *err)
{
    struct erased backup = {.n = 0}, folder = {.n = 0}, both = {.n = 0};
    int r = erased_read(what->from, what->from_key_file, a, &backup, err);

    if (r >= 0)
        r = erased_read(what->to, what->to_key_file, a, &folder, err);
    if (r >= 0)
        r = erased_merge(a, &folder, &backup, &both, err);
    if (r < 0 || !both.n)
        return r;
    r = erased_write(what->to, what->to_key_file, &both, err);
    if (r >= 0)
        r = server_erase_from(NULL, store, &both, &what->erased, err);
    if (r >= 0)
        r = store_remake(store, what->progress, what->ctx, err);
    return r < 0 ? r : erased_done(store, &both, err);
}

static int finish(struct server_restore *what, struct err *err)
{
    struct server_config config = {
        .data_dir = what->to, .key_file = what->to_key_file, .for_restore = true};
    _cleanup_(store_closep) struct store *store = NULL;
    struct arena a;
    int r = server_open_store(&config, false, &store, err);

    if (r >= 0 && store_is_copy(store))
        r = make_whole(what, store, err);
    else if (r >= 0)
        r = store_wrap(store, what->progress, what->ctx, err);
    if (r < 0)
        return r;
    arena_init(&a, MIB(256));
    r = erase_again(what, store, &a, err);
    arena_done(&a);
    return r;
}

/* What is half is no store. */
static void drop_store(const char *dir)
{
    static const char *const names[] = {"carnet.db", "carnet.db-wal", "carnet.db-shm",
                                        "carnet.db.new"};
    char path[PATH_BYTES];

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (snprintf(path, sizeof path, "%s/%s", dir, names[i]) < (int)sizeof path)
            unlink(path);
}

int server_restore(struct server_restore *what, struct err *err)
{
    _cleanup_(store_closep) struct store *backup = NULL;
    struct server_config config = {.data_dir = what->from,
                                   .key_file = what->from_key_file,
                                   .for_restore = true,
                                   .seal_copies = master_is_named(what->to_key_file),
                                   .copy_key_file = what->to_key_file};
    int r = must_be_free(what->to, err), problems;

    if (r < 0 || (r = server_open_store(&config, true, &backup, err)) < 0 ||
        (r = must_fit(what, backup, err)) < 0)
        return r;
    problems = store_check(backup, what->say, what->ctx, err);
    if (problems < 0)
        return problems;
    if (problems)
        return err_set(err, ERR_NO_STORE, "the backup \"%s\" is damaged; nothing was restored",
                       what->from);
    r = store_backup(backup, what->to, NULL, what->progress, what->ctx, err);
    if (r < 0)
        return r;
    r = finish(what, err);
    if (r < 0) {
        drop_store(what->to);
        return r;
    }
    return server_audit_restore(&config, what->to, err);
}
