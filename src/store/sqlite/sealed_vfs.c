#include "store/sqlite/sealed_vfs.h"

#include "store/sqlite/sq_int.h"

#define BELOW "unix-excl"
#define USE "carnet pages"
#define DATA_BYTES (SQ_PAGE_BYTES - SQ_RESERVED_BYTES) /* of a page: sealed */
#define WAL_HEAD_BYTES 32   /* in the clear: page size, salts, a checksum of these */
#define FRAME_HEAD_BYTES 24 /* page number, size, salts, checksums of the page: sealed with it */
#define FRAME_BYTES (FRAME_HEAD_BYTES + SQ_PAGE_BYTES)
#define DB_HEAD_BYTES 100
#define NOWHERE (-1)

_Static_assert(SQ_RESERVED_BYTES == XAES_MARK_BYTES, "a page has room for its mark");

struct sealed_vfs {
    sqlite3_vfs vfs; /* first: its address is what SQLite holds */
    sqlite3_vfs *below;
    const struct vault *vault;
    char name[40];
};

struct sealed_file {
    sqlite3_file base;
    struct xaes *xaes;
    bool is_wal;
    /* The log: where this connection's next frame goes, NOWHERE before its first; and the head of a
     * frame whose page has not come yet. */
    sqlite3_int64 wal_end, pending_at;
    unsigned char pending[FRAME_HEAD_BYTES];
    unsigned char bytes[FRAME_BYTES]; /* of a page or frame under way */
    /* The file below is behind this structure. */
};

static struct sealed_file *sealed(sqlite3_file *f)
{
    return (struct sealed_file *)f;
}

static sqlite3_file *below(struct sealed_file *f)
{
    return (sqlite3_file *)(f + 1);
}

/* ---- a page, a frame ---- */

/* What a page or frame is, and where: nothing of one opens in another place. */
struct about {
    char bytes[12];
};

static struct about about(const char kind[4], sqlite3_int64 number)
{
    struct about a;

    memcpy(a.bytes, kind, 4);
    for (int i = 0; i < 8; i++)
        a.bytes[4 + i] = (char)((uint64_t)number >> 8 * (7 - i));
    return a;
}

/* Seals n bytes from p into f->bytes, the mark behind them. */
static int seal(struct sealed_file *f, const struct about *a, const void *p, size_t n)
{
    int r =
        xaes_seal(f->xaes, str_n(a->bytes, sizeof a->bytes), p, n, f->bytes, f->bytes + n, NULL);

    return r < 0 ? SQLITE_NOMEM : SQLITE_OK;
}

/* Opens what stands in `bytes` (n, then the mark) where it is; the mark becomes the zeros that
 * SQLite finds there. */
static int open_bytes(struct sealed_file *f, const struct about *a, unsigned char *bytes, size_t n)
{
    int r = xaes_open(f->xaes, str_n(a->bytes, sizeof a->bytes), bytes, n, bytes, bytes + n, NULL);

    memset(bytes + n, 0, XAES_MARK_BYTES);
    return r == 0 ? SQLITE_OK : r == ERR_INVALID ? SQLITE_IOERR_DATA : SQLITE_NOMEM;
}

static struct about about_page(sqlite3_int64 at)
{
    return about("page", at / SQ_PAGE_BYTES + 1);
}

static struct about about_frame(sqlite3_int64 at)
{
    return about("walf", (at - WAL_HEAD_BYTES) / FRAME_BYTES + 1);
}

static int read_below(struct sealed_file *f, void *to, int n, sqlite3_int64 at)
{
    return below(f)->pMethods->xRead(below(f), to, n, at);
}

static int write_below(struct sealed_file *f, const void *p, int n, sqlite3_int64 at)
{
    return below(f)->pMethods->xWrite(below(f), p, n, at);
}

/* ---- the database ---- */

static int db_read(struct sealed_file *f, void *to, int n, sqlite3_int64 at)
{
    sqlite3_int64 first = at - at % SQ_PAGE_BYTES;
    struct about a = about_page(first);
    bool is_whole = n == SQ_PAGE_BYTES && first == at;
    unsigned char *page = is_whole ? to : f->bytes;
    int rc;

    if (at + n > first + SQ_PAGE_BYTES)
        return SQLITE_IOERR_READ;
    rc = read_below(f, page, SQ_PAGE_BYTES, first);
    if (rc == SQLITE_OK)
        rc = open_bytes(f, &a, page, DATA_BYTES);
    if (rc == SQLITE_IOERR_DATA && at == 0 && n == DB_HEAD_BYTES)
        rc = SQLITE_IOERR_SHORT_READ;
    if (rc == SQLITE_IOERR_SHORT_READ)
        memset(to, 0, (size_t)n);
    else if (rc == SQLITE_OK && !is_whole)
        memcpy(to, page + (at - first), (size_t)n);
    return rc;
}

static int db_write(struct sealed_file *f, const void *p, int n, sqlite3_int64 at)
{
    struct about a = about_page(at);
    int rc;

    if (n != SQ_PAGE_BYTES || at % SQ_PAGE_BYTES != 0)
        return SQLITE_IOERR_WRITE;
    rc = seal(f, &a, p, DATA_BYTES);
    return rc == SQLITE_OK ? write_below(f, f->bytes, SQ_PAGE_BYTES, at) : rc;
}

/* ---- the log ----
 *
 * SQLite writes a frame in two pieces, its head and its page. Both are sealed together, under the
 * mark in the page: the head's checksums would tell of the page what nobody should know. So a head
 * waits for its page, and they go out as one. What comes otherwise (heads that are written again
 * because a page before them was, pages that are written again within a transaction) changes the
 * frame that stands there. */

static sqlite3_int64 frame_of(sqlite3_int64 at)
{
    return at - (at - WAL_HEAD_BYTES) % FRAME_BYTES;
}

static bool is_zero(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i])
            return false;
    return true;
}

/* Seals the frame that stands in f->bytes and writes it. */
static int frame_put(struct sealed_file *f, sqlite3_int64 frame)
{
    struct about a = about_frame(frame);
    int rc;

    /* The checksum in the head is over all of the page; what is not zero there would not come back.
     */
    if (!is_zero(f->bytes + FRAME_HEAD_BYTES + DATA_BYTES, SQ_RESERVED_BYTES))
        return SQLITE_IOERR_WRITE;
    rc = seal(f, &a, f->bytes, FRAME_HEAD_BYTES + DATA_BYTES);
    return rc == SQLITE_OK ? write_below(f, f->bytes, FRAME_BYTES, frame) : rc;
}

/* Reads a frame into f->bytes. */
static int frame_get(struct sealed_file *f, sqlite3_int64 frame)
{
    struct about a = about_frame(frame);
    int rc = read_below(f, f->bytes, FRAME_BYTES, frame);

    return rc == SQLITE_OK ? open_bytes(f, &a, f->bytes, FRAME_HEAD_BYTES + DATA_BYTES) : rc;
}

/* Changes a part of a frame; of one that is not there, or an old one's that does not open, the rest
 * becomes zeros. */
static int frame_change(struct sealed_file *f, const void *p, int n, sqlite3_int64 at)
{
    sqlite3_int64 frame = frame_of(at);
    int rc = frame_get(f, frame);

    if (rc == SQLITE_IOERR_SHORT_READ ||
        (rc == SQLITE_IOERR_DATA && (f->wal_end == NOWHERE || frame >= f->wal_end)))
        memset(f->bytes, 0, sizeof f->bytes);
    else if (rc != SQLITE_OK)
        return rc;
    memcpy(f->bytes + (at - frame), p, (size_t)n);
    return frame_put(f, frame);
}

/* A head whose page did not come. */
static int settle(struct sealed_file *f)
{
    sqlite3_int64 at = f->pending_at;

    if (at == NOWHERE)
        return SQLITE_OK;
    f->pending_at = NOWHERE;
    return frame_change(f, f->pending, FRAME_HEAD_BYTES, at);
}

static int wal_write(struct sealed_file *f, const void *p, int n, sqlite3_int64 at)
{
    int rc;

    if (f->pending_at != NOWHERE && at == f->pending_at + FRAME_HEAD_BYTES && n == SQ_PAGE_BYTES) {
        sqlite3_int64 frame = f->pending_at;

        f->pending_at = NOWHERE;
        memcpy(f->bytes, f->pending, FRAME_HEAD_BYTES);
        memcpy(f->bytes + FRAME_HEAD_BYTES, p, SQ_PAGE_BYTES);
        rc = frame_put(f, frame);
        if (rc == SQLITE_OK)
            f->wal_end = frame + FRAME_BYTES;
        return rc;
    }
    rc = settle(f);
    if (rc != SQLITE_OK)
        return rc;
    if (at == 0 && n == WAL_HEAD_BYTES) {
        f->wal_end = WAL_HEAD_BYTES; /* the log begins again */
        return write_below(f, p, n, at);
    }
    if (at < WAL_HEAD_BYTES || at + n > frame_of(at) + FRAME_BYTES)
        return SQLITE_IOERR_WRITE;
    if (at == frame_of(at) && n == FRAME_HEAD_BYTES &&
        (f->wal_end == NOWHERE || at >= f->wal_end)) {
        f->pending_at = at;
        memcpy(f->pending, p, FRAME_HEAD_BYTES);
        return SQLITE_OK;
    }
    return frame_change(f, p, n, at);
}

static int wal_read(struct sealed_file *f, void *to, int n, sqlite3_int64 at)
{
    sqlite3_int64 frame = frame_of(at);
    int rc = settle(f);

    if (rc != SQLITE_OK)
        return rc;
    if (at + n <= WAL_HEAD_BYTES)
        return read_below(f, to, n, at);
    if (at < WAL_HEAD_BYTES || at + n > frame + FRAME_BYTES)
        return SQLITE_IOERR_READ;
    rc = frame_get(f, frame);
    if (rc == SQLITE_IOERR_DATA && n == FRAME_BYTES && f->wal_end == NOWHERE) {
        memset(f->bytes, 0, sizeof f->bytes); /* recovery: its checksum will not hold */
        rc = SQLITE_OK;
    }
    if (rc == SQLITE_OK)
        memcpy(to, f->bytes + (at - frame), (size_t)n);
    else if (rc == SQLITE_IOERR_SHORT_READ)
        memset(to, 0, (size_t)n);
    return rc;
}

/* ---- what SQLite calls ---- */

static int file_close(sqlite3_file *f)
{
    xaes_free(sealed(f)->xaes);
    sealed(f)->xaes = NULL;
    return below(sealed(f))->pMethods->xClose(below(sealed(f)));
}

static int file_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
    return sealed(f)->is_wal ? wal_read(sealed(f), to, n, at) : db_read(sealed(f), to, n, at);
}

static int file_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    return sealed(f)->is_wal ? wal_write(sealed(f), p, n, at) : db_write(sealed(f), p, n, at);
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    int rc = settle(sealed(f));

    return rc == SQLITE_OK ? below(sealed(f))->pMethods->xTruncate(below(sealed(f)), size) : rc;
}

static int file_sync(sqlite3_file *f, int flags)
{
    int rc = settle(sealed(f));

    return rc == SQLITE_OK ? below(sealed(f))->pMethods->xSync(below(sealed(f)), flags) : rc;
}

static int file_size(sqlite3_file *f, sqlite3_int64 *ret)
{
    int rc = settle(sealed(f));

    return rc == SQLITE_OK ? below(sealed(f))->pMethods->xFileSize(below(sealed(f)), ret) : rc;
}

static int file_lock(sqlite3_file *f, int level)
{
    return below(sealed(f))->pMethods->xLock(below(sealed(f)), level);
}

static int file_unlock(sqlite3_file *f, int level)
{
    return below(sealed(f))->pMethods->xUnlock(below(sealed(f)), level);
}

static int file_reserved(sqlite3_file *f, int *ret)
{
    return below(sealed(f))->pMethods->xCheckReservedLock(below(sealed(f)), ret);
}

static int file_control(sqlite3_file *f, int op, void *arg)
{
    return below(sealed(f))->pMethods->xFileControl(below(sealed(f)), op, arg);
}

static int file_sector(sqlite3_file *f)
{
    return below(sealed(f))->pMethods->xSectorSize(below(sealed(f)));
}

static int file_device(sqlite3_file *f)
{
    return below(sealed(f))->pMethods->xDeviceCharacteristics(below(sealed(f)));
}

static int file_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
    return below(sealed(f))->pMethods->xShmMap(below(sealed(f)), page, size, extend, ret);
}

static int file_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
    return below(sealed(f))->pMethods->xShmLock(below(sealed(f)), at, n, flags);
}

static void file_shm_barrier(sqlite3_file *f)
{
    below(sealed(f))->pMethods->xShmBarrier(below(sealed(f)));
}

static int file_shm_unmap(sqlite3_file *f, int del)
{
    return below(sealed(f))->pMethods->xShmUnmap(below(sealed(f)), del);
}

/* Version 2: without mapped pages, which nobody could open. */
static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_device,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *f, int flags, int *ret_flags)
{
    struct sealed_vfs *v = (struct sealed_vfs *)vfs;
    struct sealed_file *s = sealed(f);
    int rc;

    memset(s, 0, sizeof *s);
    if (!path || !(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)))
        return SQLITE_CANTOPEN;
    if (vault_sealer(v->vault, USE, &s->xaes, NULL) < 0)
        return SQLITE_NOMEM;
    s->is_wal = (flags & SQLITE_OPEN_WAL) != 0;
    s->wal_end = s->pending_at = NOWHERE;
    memset(below(s), 0, (size_t)v->below->szOsFile);
    rc = v->below->xOpen(v->below, path, below(s), flags, ret_flags);
    if (below(s)->pMethods) {
        f->pMethods = &methods; /* SQLite closes it, also where opening failed */
        return rc;
    }
    xaes_free(s->xaes);
    return rc;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync_dir)
{
    sqlite3_vfs *b = ((struct sealed_vfs *)vfs)->below;

    return b->xDelete(b, path, sync_dir);
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *ret)
{
    sqlite3_vfs *b = ((struct sealed_vfs *)vfs)->below;

    return b->xAccess(b, path, flags, ret);
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *path, int n, char *ret)
{
    sqlite3_vfs *b = ((struct sealed_vfs *)vfs)->below;

    return b->xFullPathname(b, path, n, ret);
}

int sealed_vfs_new(const struct vault *vault, struct sealed_vfs **ret, struct err *err)
{
    struct sealed_vfs *v = calloc(1, sizeof *v);

    if (!v || !(v->below = sqlite3_vfs_find(BELOW))) {
        free(v);
        return err_no_memory(err);
    }
    v->vault = vault;
    snprintf(v->name, sizeof v->name, "carnet-%p", (void *)v);
    /* What is not about files (time, sleep, random numbers) is the one's below. */
    v->vfs = *v->below;
    v->vfs.pNext = NULL;
    v->vfs.zName = v->name;
    v->vfs.szOsFile = (int)sizeof(struct sealed_file) + v->below->szOsFile;
    v->vfs.xOpen = vfs_open;
    v->vfs.xDelete = vfs_delete;
    v->vfs.xAccess = vfs_access;
    v->vfs.xFullPathname = vfs_full_path;
    if (sqlite3_vfs_register(&v->vfs, 0) != SQLITE_OK) {
        free(v);
        return err_no_memory(err);
    }
    *ret = v;
    return 0;
}

void sealed_vfs_free(struct sealed_vfs *v)
{
    if (!v)
        return;
    sqlite3_vfs_unregister(&v->vfs);
    free(v);
}

const char *sealed_vfs_name(const struct sealed_vfs *v)
{
    return v->name;
}
