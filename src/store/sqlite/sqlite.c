#include "store/sqlite/sq_int.h"

#include "base/fault.h"
#include "base/log.h"
#include "vault/master.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static void sq_close(struct store *base);

static const struct store_ops ops = {
    .close = sq_close,
    .begin = sq_begin,
    .end = sq_end,
    .get = sq_get,
    .get_version = sq_get_version,
    .get_row = sq_get_row,
    .each_row = sq_each_row,
    .search = search_page,
    .referrers = search_referrers,
    .index_keys = search_index_keys,
    .history = sq_history,
    .feed = sq_feed,
    .position = sq_position,
    .submit = sq_submit,
    .put = sq_put,
    .claim = sq_claim,
    .expunge = sq_expunge,
    .expunge_old = sq_expunge_old,
    .forget = sq_forget,
    .drop_term = sq_drop_term,
    .index_add = sq_index_add,
    .index_drop = sq_index_drop,
    .meta_get = sq_meta_get,
    .meta_set = sq_meta_set,
    .blob_get = sq_blob_get,
    .blob_put = sq_blob_put,
    .blob_drop = sq_blob_drop,
    .blob_next = sq_blob_next,
    .lineage = sq_lineage,
    .adopt = sq_adopt,
    .adopt_position = sq_adopt_position,
    .origins = sq_origins,
    .adopt_origins = sq_adopt_origins,
    .meta_next = sq_meta_next,
    .stats = sq_stats,
    .check = sq_check,
    .backup = sq_backup,
    .restore_keys = sq_restore_keys,
    .wrap = sq_wrap,
    .remake = sq_remake,
};

static char *path_of(const char *dir, const char *name)
{
    char *p;

    return asprintf(&p, "%s/%s", dir, name) < 0 ? NULL : p;
}

int sq_sync_dir(const char *dir, struct err *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

    if (fd < 0)
        return err_set(err, ERR_NO_STORE, "the data folder cannot be opened: %s", strerror(errno));
    rc = fsync(fd);
    close(fd);
    return rc < 0 ? err_set(err, ERR_NO_STORE, "the data folder cannot be written") : 0;
}

static int take_lock(struct sq_store *st, struct err *err)
{
    char *path = path_of(st->dir, "carnet.lock");

    if (!path)
        return err_no_memory(err);
    st->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    free(path);
    if (st->lock_fd < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND,
                       "the data folder \"%s\" does not exist (carnet init makes one)", st->dir);
    if (st->lock_fd < 0)
        return err_set(err, ERR_NO_STORE, "the data folder \"%s\" cannot be used: %s", st->dir,
                       strerror(errno));
    if (flock(st->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return err_set(err, ERR_CONFLICT, "the data folder \"%s\" is in use by another process",
                       st->dir);
    return 0;
}

void sq_conns_free(struct sq_store *st)
{
    while (st->free_conns) {
        struct sq_conn *c = st->free_conns;
        st->free_conns = c->next;
        sq_conn_free(c);
    }
}

static void sq_close(struct store *base)
{
    struct sq_store *st = (struct sq_store *)base;
    struct sq_writer *w = &st->writer;

    sq_writer_stop(st);
    sq_conns_free(st);
    if (w->conn && !st->read_only)
        sqlite3_wal_checkpoint_v2(w->conn->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sq_conn_free(w->conn);
    pends_done(&w->pends);
    arena_done(&w->arena);
    sb_done(&w->scratch);
    sb_done(&w->agent_text);
    queue_done(&w->queue);
    pthread_mutex_destroy(&st->conns_lock);
    if (st->base.params)
        store_base_done(&st->base);
    sealed_vfs_free(st->vfs);
    vault_free(st->vault);
    if (st->lock_fd >= 0)
        close(st->lock_fd);
    free(st->copy_key_file);
    free(st->path);
    free(st->dir);
    free(st);
}

static void sq_closep(struct sq_store **st)
{
    if (*st)
        sq_close(&(*st)->base);
}

static struct sq_store *alloc(const struct store_config *config)
{
    struct sq_store *st = calloc(1, sizeof *st);

    if (!st)
        return NULL;
    st->lock_fd = -1;
    st->dir = strdup(config->dir);
    st->path = path_of(config->dir, "carnet.db");
    st->read_only = config->read_only;
    st->cache_bytes = config->cache_bytes ? config->cache_bytes : SQ_READ_CACHE_BYTES;
    st->hot_max = (unsigned)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1L);
    st->hot_cache_bytes = config->cache_bytes
                              ? config->cache_bytes
                              : MAX(SQ_READ_CACHE_BYTES, SQ_HOT_CACHE_BYTES / st->hot_max);
    st->group_max = config->group_max ? config->group_max : GROUP_MAX;
    st->wal_bytes = config->wal_bytes ? config->wal_bytes : SQ_WAL_BYTES;
    pthread_mutex_init(&st->conns_lock, NULL);
    queue_init(&st->writer.queue);
    pends_init(&st->writer.pends);
    st->writer.scratch = sb_make(STORE_BODY_MAX + KIB(1));
    st->writer.agent_text = sb_make(KIB(64));
    arena_init(&st->writer.arena, SQ_PUT_ARENA_BYTES);
    return st;
}

/* All of the log into the database: what is renamed must be whole without it. */
static int fold(struct sq_conn *c, struct err *err)
{
    int rc = fault_point("sql")
                 ? SQLITE_IOERR
                 : sqlite3_wal_checkpoint_v2(c->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

    return rc == SQLITE_OK ? 0 : sq_fail(c->db, rc, err);
}

/* A new database is made under another name and renamed when it is whole: a folder never holds half
 * of one. */
static int create(struct sq_store *st, const struct store_config *config, struct err *err)
{
    char *path = st->path, *fresh = path_of(st->dir, "carnet.db.new");
    struct sq_conn *c = NULL;
    int r;

    if (!fresh)
        return err_no_memory(err);
    unlink(fresh);
    st->path = fresh;
    r = sq_conn_new(st, SQ_READ_CACHE_BYTES, &c, err);
    st->path = path;
    if (r == 0)
        r = sq_schema_create(c, config, err);
    if (r == 0)
        r = fold(c, err);
    sq_conn_free(c);
    if (r == 0 && rename(fresh, path) < 0)
        r = err_set(err, ERR_NO_STORE, "the store cannot be created: %s", strerror(errno));
    if (r == 0)
        r = sq_sync_dir(st->dir, err);
    else
        unlink(fresh);
    free(fresh);
    return r;
}

static int find_or_create(struct sq_store *st, const struct store_config *config, struct err *err)
{
    bool exists = access(st->path, F_OK) == 0;

    if (exists && config->create)
        return err_set(err, ERR_CONFLICT, "the data folder \"%s\" already holds a store", st->dir);
    if (exists)
        return 0;
    if (!config->create)
        return err_set(err, ERR_NOT_FOUND,
                       "the data folder \"%s\" holds no store (carnet init makes one)", st->dir);
    return create(st, config, err);
}

/* A folder with keys is encrypted. A new one gets keys where a key is named; where making the store
 * stopped half-way before, it has them already. */
static int open_vault(struct sq_store *st, const struct store_config *config, struct err *err)
{
    bool exists = access(st->path, F_OK) == 0;
    int r = 0;

    st->seal_copies = config->seal_copies;
    st->for_restore = config->for_restore;
    st->copy_key_file = config->copy_key_file ? strdup(config->copy_key_file) : NULL;
    if (config->copy_key_file && !st->copy_key_file)
        return err_no_memory(err);
    if (st->seal_copies && !vault_exists(st->dir))
        return 0; /* the key that is named is that of the copy */
    if (!exists && !config->create)
        return 0; /* find_or_create says so: a making that stopped half-way is no store yet */
    if (!exists && master_is_named(config->key_file) && !vault_exists(st->dir))
        r = vault_create(st->dir, config->key_file, err);
    if (r >= 0)
        r = vault_open(st->dir, config->key_file, &st->vault, err);
    return r < 0 || !st->vault ? r : sealed_vfs_new(st->vault, &st->vfs, err);
}

int store_sqlite_open(const struct store_config *config, struct store **ret, struct err *err)
{
    _cleanup_(sq_closep) struct sq_store *st = alloc(config);
    int r;

    if (!st || !st->dir || !st->path)
        return err_no_memory(err);
    if (config->create && mkdir(config->dir, 0700) < 0 && errno != EEXIST)
        return err_set(err, ERR_NO_STORE, "the data folder \"%s\" cannot be made: %s", config->dir,
                       strerror(errno));
    sq_configure();
    st->base.scan = &sq_scan_ops;
    if ((r = take_lock(st, err)) < 0 ||
        (r = store_base_init(&st->base, &ops, &config->index, NULL, err)) < 0 ||
        (r = open_vault(st, config, err)) < 0 || (r = find_or_create(st, config, err)) < 0 ||
        (r = sq_conn_new(st, SQ_WRITE_CACHE_BYTES, &st->writer.conn, err)) < 0 ||
        (r = sq_schema_open(st, st->writer.conn, err)) < 0)
        return r;
    if (!st->read_only && (r = sq_writer_start(st, err)) < 0)
        return r;
    log_event(LOG_DEBUG, LOG_STORE, "state=open row=%llu", (unsigned long long)st->writer.last_row);
    *ret = &st->base;
    st = NULL;
    return 0;
}
