#include "crash_vfs.h"

#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILES_MAX 16
#define PATH_BYTES 512

enum event_kind { EVENT_WRITE, EVENT_TRUNCATE, EVENT_SYNC, EVENT_DELETE, EVENT_ACK };

struct event {
    enum event_kind kind;
    int file;
    uint64_t at; /* offset, size after a truncation, or number of the acknowledgement */
    size_t n;
    unsigned char *bytes;
    bool is_durable; /* a deletion whose folder was synced */
};

struct image {
    unsigned char *p;
    size_t n, cap;
    bool exists;
};

static struct {
    pthread_mutex_t lock;
    sqlite3_vfs vfs, *real;
    char dir[PATH_BYTES];
    bool is_on;
    bool may_fail;
    char names[FILES_MAX][PATH_BYTES]; /* below dir */
    struct image first[FILES_MAX];     /* what they held when the recording began */
    int n_files;
    struct event *events;
    size_t n, cap, syncs;
} rec = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct shim_file {
    sqlite3_file base;
    int number;         /* -1: not recorded */
    sqlite3_file *real; /* behind this structure */
};

/* ---- images ---- */

static void image_room(struct image *m, size_t n)
{
    if (n <= m->cap)
        return;
    size_t cap = MAX(n, m->cap * 2);
    unsigned char *p = realloc(m->p, cap);
    if (!p)
        abort();
    memset(p + m->cap, 0, cap - m->cap);
    m->p = p;
    m->cap = cap;
}

static void image_size(struct image *m, size_t n)
{
    image_room(m, n);
    if (n < m->n)
        memset(m->p + n, 0, m->n - n);
    m->n = n;
}

static void image_put(struct image *m, size_t at, const unsigned char *p, size_t n)
{
    if (!n)
        return;
    if (at + n > m->n)
        image_size(m, at + n);
    memcpy(m->p + at, p, n);
    m->exists = true;
}

static void image_copy(struct image *to, const struct image *from)
{
    image_size(to, 0);
    image_put(to, 0, from->p, from->n);
    to->exists = from->exists;
}

static void image_load(struct image *m, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

    *m = (struct image){.exists = fd >= 0};
    if (size > 0) {
        image_size(m, (size_t)size);
        if (pread(fd, m->p, m->n, 0) != size)
            abort();
    }
    if (fd >= 0)
        close(fd);
}

/* ---- the log ---- */

static void event_add(struct event e, const void *bytes)
{
    if (rec.n == rec.cap) {
        rec.cap = rec.cap ? rec.cap * 2 : 1024;
        rec.events = realloc(rec.events, rec.cap * sizeof *rec.events);
        if (!rec.events)
            abort();
    }
    if (bytes && e.n) {
        e.bytes = malloc(e.n);
        if (!e.bytes)
            abort();
        memcpy(e.bytes, bytes, e.n);
    }
    rec.syncs += e.kind == EVENT_SYNC;
    rec.events[rec.n++] = e;
}

/* Number of a recorded file, -1 if it is none. Called with the lock held. */
static int file_number(const char *path)
{
    size_t n = strlen(rec.dir);
    char full[2 * PATH_BYTES + 2];

    if (!rec.is_on || !path || strncmp(path, rec.dir, n) != 0 || path[n] != '/')
        return -1;
    for (int i = 0; i < rec.n_files; i++)
        if (!strcmp(rec.names[i], path + n + 1))
            return i;
    if (rec.n_files == FILES_MAX || strlen(path + n + 1) >= PATH_BYTES)
        abort();
    snprintf(rec.names[rec.n_files], PATH_BYTES, "%s", path + n + 1);
    snprintf(full, sizeof full, "%s", path);
    image_load(&rec.first[rec.n_files], full);
    return rec.n_files++;
}

/* ---- the VFS ---- */

static struct shim_file *shim(sqlite3_file *f)
{
    return (struct shim_file *)f;
}

static int shim_close(sqlite3_file *f)
{
    return shim(f)->real->pMethods ? shim(f)->real->pMethods->xClose(shim(f)->real) : SQLITE_OK;
}

static bool fails(const char *kind)
{
    return rec.may_fail && fault_point(kind);
}

static int shim_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
    if (fails("disk-read"))
        return SQLITE_IOERR_READ;
    return shim(f)->real->pMethods->xRead(shim(f)->real, to, n, at);
}

/* The lock is held over the real call and the record of it, so that the log is in true order. */
static int recorded(struct shim_file *f, int rc, struct event e, const void *bytes)
{
    e.file = f->number;
    if (rc == SQLITE_OK && f->number >= 0 && rec.is_on)
        event_add(e, bytes);
    pthread_mutex_unlock(&rec.lock);
    return rc;
}

static int shim_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    struct event e = {.kind = EVENT_WRITE, .at = (uint64_t)at, .n = (size_t)n};

    if (fails("disk-write"))
        return SQLITE_FULL;
    pthread_mutex_lock(&rec.lock);
    return recorded(shim(f), shim(f)->real->pMethods->xWrite(shim(f)->real, p, n, at), e, p);
}

static int shim_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    struct event e = {.kind = EVENT_TRUNCATE, .at = (uint64_t)size};

    if (fails("disk-truncate"))
        return SQLITE_IOERR_TRUNCATE;
    pthread_mutex_lock(&rec.lock);
    return recorded(shim(f), shim(f)->real->pMethods->xTruncate(shim(f)->real, size), e, NULL);
}

static int shim_sync(sqlite3_file *f, int flags)
{
    struct event e = {.kind = EVENT_SYNC};

    if (fails("disk-sync"))
        return SQLITE_IOERR_FSYNC;
    pthread_mutex_lock(&rec.lock);
    return recorded(shim(f), shim(f)->real->pMethods->xSync(shim(f)->real, flags), e, NULL);
}

static int shim_size(sqlite3_file *f, sqlite3_int64 *ret)
{
    return shim(f)->real->pMethods->xFileSize(shim(f)->real, ret);
}

static int shim_lock(sqlite3_file *f, int level)
{
    return shim(f)->real->pMethods->xLock(shim(f)->real, level);
}

static int shim_unlock(sqlite3_file *f, int level)
{
    return shim(f)->real->pMethods->xUnlock(shim(f)->real, level);
}

static int shim_reserved(sqlite3_file *f, int *ret)
{
    return shim(f)->real->pMethods->xCheckReservedLock(shim(f)->real, ret);
}

static int shim_control(sqlite3_file *f, int op, void *arg)
{
    return shim(f)->real->pMethods->xFileControl(shim(f)->real, op, arg);
}

static int shim_sector(sqlite3_file *f)
{
    return shim(f)->real->pMethods->xSectorSize(shim(f)->real);
}

static int shim_device(sqlite3_file *f)
{
    return shim(f)->real->pMethods->xDeviceCharacteristics(shim(f)->real);
}

static int shim_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
    return shim(f)->real->pMethods->xShmMap(shim(f)->real, page, size, extend, ret);
}

static int shim_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
    return shim(f)->real->pMethods->xShmLock(shim(f)->real, at, n, flags);
}

static void shim_shm_barrier(sqlite3_file *f)
{
    shim(f)->real->pMethods->xShmBarrier(shim(f)->real);
}

static int shim_shm_unmap(sqlite3_file *f, int del)
{
    return shim(f)->real->pMethods->xShmUnmap(shim(f)->real, del);
}

/* Version 2: with shared memory for the log's index, without mapped pages, which nobody would see
 * being written. */
static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = shim_close,
    .xRead = shim_read,
    .xWrite = shim_write,
    .xTruncate = shim_truncate,
    .xSync = shim_sync,
    .xFileSize = shim_size,
    .xLock = shim_lock,
    .xUnlock = shim_unlock,
    .xCheckReservedLock = shim_reserved,
    .xFileControl = shim_control,
    .xSectorSize = shim_sector,
    .xDeviceCharacteristics = shim_device,
    .xShmMap = shim_shm_map,
    .xShmLock = shim_shm_lock,
    .xShmBarrier = shim_shm_barrier,
    .xShmUnmap = shim_shm_unmap,
};

static int shim_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *f, int flags, int *ret_flags)
{
    const int kept = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL;

    (void)vfs;
    shim(f)->real = (sqlite3_file *)(shim(f) + 1);
    shim(f)->real->pMethods = NULL;
    pthread_mutex_lock(&rec.lock);
    shim(f)->number = flags & kept ? file_number(path) : -1;
    int rc = rec.real->xOpen(rec.real, path, shim(f)->real, flags, ret_flags);
    pthread_mutex_unlock(&rec.lock);
    f->pMethods = shim(f)->real->pMethods ? &methods : NULL;
    return rc;
}

static int shim_delete(sqlite3_vfs *vfs, const char *path, int sync_dir)
{
    (void)vfs;
    pthread_mutex_lock(&rec.lock);
    int number = file_number(path);
    int rc = rec.real->xDelete(rec.real, path, sync_dir);
    if (rc == SQLITE_OK && number >= 0)
        event_add((struct event){.kind = EVENT_DELETE, .file = number, .is_durable = sync_dir != 0},
                  NULL);
    pthread_mutex_unlock(&rec.lock);
    return rc;
}

int crash_vfs_register(const char *name)
{
    rec.real = sqlite3_vfs_find(name);
    if (!rec.real)
        return -1;
    /* The other functions of the real one take any sqlite3_vfs; what matters in it is copied. */
    rec.vfs = *rec.real;
    rec.vfs.pNext = NULL;
    rec.vfs.szOsFile = (int)sizeof(struct shim_file) + rec.real->szOsFile;
    rec.vfs.xOpen = shim_open;
    rec.vfs.xDelete = shim_delete;
    return sqlite3_vfs_register(&rec.vfs, 1) == SQLITE_OK ? 0 : -1;
}

void crash_vfs_record(const char *dir)
{
    pthread_mutex_lock(&rec.lock);
    for (size_t i = 0; i < rec.n; i++)
        free(rec.events[i].bytes);
    for (int i = 0; i < rec.n_files; i++)
        free(rec.first[i].p);
    rec.n = rec.syncs = 0;
    rec.n_files = 0;
    snprintf(rec.dir, sizeof rec.dir, "%s", dir);
    rec.is_on = true;
    pthread_mutex_unlock(&rec.lock);
}

void crash_vfs_stop(void)
{
    pthread_mutex_lock(&rec.lock);
    rec.is_on = false;
    pthread_mutex_unlock(&rec.lock);
}

void crash_vfs_may_fail(bool on)
{
    rec.may_fail = on;
}

void crash_vfs_ack(uint64_t n)
{
    pthread_mutex_lock(&rec.lock);
    if (rec.is_on)
        event_add((struct event){.kind = EVENT_ACK, .file = -1, .at = n}, NULL);
    pthread_mutex_unlock(&rec.lock);
}

size_t crash_vfs_events(void)
{
    return rec.n;
}

size_t crash_vfs_syncs(void)
{
    return rec.syncs;
}

/* ---- replay ---- */

struct crash_replay {
    struct image durable[FILES_MAX];
    size_t *pending[FILES_MAX]; /* events since the file's last sync */
    size_t n_pending[FILES_MAX], cap_pending[FILES_MAX];
    size_t at;
};

struct crash_replay *crash_replay_new(void)
{
    struct crash_replay *r = calloc(1, sizeof *r);

    for (int i = 0; r && i < rec.n_files; i++)
        image_copy(&r->durable[i], &rec.first[i]);
    return r;
}

void crash_replay_free(struct crash_replay *r)
{
    for (int i = 0; r && i < FILES_MAX; i++) {
        free(r->durable[i].p);
        free(r->pending[i]);
    }
    free(r);
}

/* Applies an event whole. */
static void apply(struct image *m, const struct event *e)
{
    switch (e->kind) {
    case EVENT_WRITE: image_put(m, e->at, e->bytes, e->n); break;
    case EVENT_TRUNCATE: image_size(m, e->at); break;
    case EVENT_DELETE:
        image_size(m, 0);
        m->exists = false;
        break;
    case EVENT_SYNC:
    case EVENT_ACK: break;
    }
}

static void settle(struct crash_replay *r, int file)
{
    for (size_t i = 0; i < r->n_pending[file]; i++)
        apply(&r->durable[file], &rec.events[r->pending[file][i]]);
    r->n_pending[file] = 0;
}

void crash_replay_to(struct crash_replay *r, size_t to, void (*acked)(void *ctx, uint64_t n),
                     void *ctx)
{
    for (; r->at < to && r->at < rec.n; r->at++) {
        const struct event *e = &rec.events[r->at];
        int f = e->file;
        if (e->kind == EVENT_ACK) {
            acked(ctx, e->at);
            continue;
        }
        if (r->n_pending[f] == r->cap_pending[f]) {
            r->cap_pending[f] = MAX(r->cap_pending[f] * 2, (size_t)64);
            r->pending[f] = realloc(r->pending[f], r->cap_pending[f] * sizeof(size_t));
            if (!r->pending[f])
                abort();
        }
        r->pending[f][r->n_pending[f]++] = r->at;
        if (e->kind == EVENT_SYNC || (e->kind == EVENT_DELETE && e->is_durable))
            settle(r, f);
    }
}

/* Each sector of a write arrives or does not; sizes and deletions likewise. */
static void apply_torn(struct image *m, const struct event *e, struct rng *rng)
{
    if (e->kind != EVENT_WRITE) {
        if (rng_below(rng, 2))
            apply(m, e);
        return;
    }
    for (size_t i = 0; i < e->n;) {
        size_t end = (e->at + i) / CRASH_SECTOR_BYTES * CRASH_SECTOR_BYTES + CRASH_SECTOR_BYTES;
        size_t n = MIN(end - (e->at + i), e->n - i);
        if (rng_below(rng, 2))
            image_put(m, e->at + i, e->bytes + i, n);
        i += n;
    }
}

static int image_save(const struct image *m, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t at = 0;

    if (fd < 0)
        return -1;
    while (at < m->n) {
        ssize_t n = write(fd, m->p + at, m->n - at);
        if (n < 0 && errno != EINTR) {
            close(fd);
            return -1;
        }
        at += n > 0 ? (size_t)n : 0;
    }
    return close(fd);
}

int crash_replay_write(const struct crash_replay *r, const char *dir, enum crash_mode mode,
                       struct rng *rng)
{
    struct image m = {0};
    int rc = 0;

    for (int f = 0; f < rec.n_files && rc == 0; f++) {
        image_copy(&m, &r->durable[f]);
        for (size_t i = 0; i < r->n_pending[f] && mode != CRASH_DROP; i++) {
            const struct event *e = &rec.events[r->pending[f][i]];
            if (mode == CRASH_TEAR || (mode == CRASH_LAST && i + 1 == r->n_pending[f]))
                apply_torn(&m, e, rng);
            else
                apply(&m, e);
        }
        char path[2 * PATH_BYTES + 2];
        snprintf(path, sizeof path, "%s/%s", dir, rec.names[f]);
        if (m.exists)
            rc = image_save(&m, path);
    }
    free(m.p);
    return rc;
}
