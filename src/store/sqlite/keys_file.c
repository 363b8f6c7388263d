/* keys_file.c - owners' keys apart from the store: a file that each backup writes anew, and that
 * every older backup can be restored with. What was erased is in it without a key.
 * Bytes: docs/formats/keys.md.
 */
#include "store/owner.h"
#include "store/sqlite/sq_int.h"

#include "base/clock.h"
#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <openssl/crypto.h>
#include <unistd.h>

#define MAGIC "carnet-persons-1"
#define MAGIC_BYTES 16
#define USE "carnet persons apart"
#define RECORDS_BYTES KIB(64) /* of records, before the one that ends a block */
#define RECORD_MAX (8 + 1 + OWNER_MAX + 1 + XAES_KEY_BYTES)
#define RECORDS_MAX (RECORDS_BYTES + RECORD_MAX)
#define BLOCK_HEAD (4 + XAES_MARK_BYTES)

/* A file under way, either way. */
struct keys_file {
    int fd;
    struct xaes *xaes;
    uint64_t blocks;
    struct sb block;
};

static void done(struct keys_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    xaes_free(f->xaes);
    if (f->block.p)
        OPENSSL_cleanse(f->block.p, f->block.cap);
    sb_done(&f->block);
}

static void put_be(unsigned char *to, uint64_t v, int n)
{
    for (int i = 0; i < n; i++)
        to[i] = (unsigned char)(v >> (8 * (n - 1 - i)));
}

static uint64_t get_be(const unsigned char *from, int n)
{
    uint64_t v = 0;

    for (int i = 0; i < n; i++)
        v = v << 8 | from[i];
    return v;
}

/* A block's place, and whether it is the last: none can be left out or put elsewhere. */
static struct str about(const struct keys_file *f, bool is_last, unsigned char to[MAGIC_BYTES + 9])
{
    memcpy(to, MAGIC, MAGIC_BYTES);
    put_be(to + MAGIC_BYTES, f->blocks, 8);
    to[MAGIC_BYTES + 8] = is_last;
    return str_n((char *)to, MAGIC_BYTES + 9);
}

/* ---- writing ---- */

static int write_failed(const char *path, struct err *err)
{
    return err_set(err, errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_NO_STORE,
                   "the file of persons' keys %s cannot be written: %s", path, strerror(errno));
}

static bool write_all(int fd, const void *p, size_t n)
{
    return !fault_point("io") && write(fd, p, n) == (ssize_t)n;
}

static int flush(struct keys_file *f, bool is_last, const char *path, struct err *err)
{
    unsigned char head[BLOCK_HEAD], what[MAGIC_BYTES + 9];
    int r = sb_ok(&f->block, err);

    if (r < 0)
        return r;
    put_be(head, (uint64_t)f->block.n << 1 | is_last, 4);
    r = xaes_seal(f->xaes, about(f, is_last, what), f->block.p, f->block.n, f->block.p, head + 4,
                  err);
    if (r < 0)
        return r;
    f->blocks++;
    errno = EIO;
    if (!write_all(f->fd, head, sizeof head) || !write_all(f->fd, f->block.p, f->block.n))
        return write_failed(path, err);
    sb_reset(&f->block);
    return 0;
}

static void put_bytes(struct sb *to, const void *p, size_t n)
{
    sb_str(to, str_n(p, n));
}

/* A row of SQ_PERSONS. */
static int put_record(struct sq_txn *t, struct keys_file *f, sqlite3_stmt *s, struct err *err)
{
    uint64_t n = (uint64_t)sqlite3_column_int64(s, 0);
    bool has_key = sqlite3_column_type(s, 3) != SQLITE_NULL;
    struct str owner = sq_column(s, 1);
    unsigned char key[XAES_KEY_BYTES], number[8];
    int r = 0;

    put_be(number, n, 8);
    put_bytes(&f->block, number, sizeof number);
    sb_char(&f->block, (char)owner.n);
    sb_str(&f->block, owner);
    sb_char(&f->block, has_key);
    if (!has_key)
        return 0;
    r = sq_key_unseal(t, n, s, 2, key, err);
    if (r >= 0)
        put_bytes(&f->block, key, sizeof key);
    OPENSSL_cleanse(key, sizeof key);
    return r;
}

static int write_records(struct sq_txn *t, struct keys_file *f, const char *path, struct err *err)
{
    unsigned char made[8];
    sqlite3_stmt *s;
    int r = sq_enter(t, err);

    if (r < 0 || (r = sq_stmt(t->conn, SQ_PERSONS, &s, err)) < 0)
        return r;
    put_be(made, (uint64_t)clock_now_ms(), sizeof made);
    put_bytes(&f->block, made, sizeof made);
    sqlite3_bind_int64(s, 1, 0);
    while ((r = sq_step(t->conn, s, err)) > 0) {
        r = put_record(t, f, s, err);
        if (r >= 0 && f->block.n >= RECORDS_BYTES)
            r = flush(f, false, path, err);
        if (r < 0)
            break;
    }
    sqlite3_reset(s);
    return r < 0 ? r : flush(f, true, path, err);
}

static int sync_folder_of(const char *path, struct err *err)
{
    char *copy = strdup(path);
    int r = copy ? sq_sync_dir(dirname(copy), err) : err_no_memory(err);

    free(copy);
    return r;
}

int sq_keys_save(struct sq_txn *t, const char *path, struct err *err)
{
    _cleanup_(done) struct keys_file f = {.fd = -1, .block = sb_make(RECORDS_MAX)};
    char *fresh = NULL;
    int r = vault_sealer(t->conn->st->vault, USE, &f.xaes, err);

    if (r < 0)
        return r;
    if (asprintf(&fresh, "%s.new", path) < 0)
        return err_no_memory(err);
    f.fd = fault_point("io") ? -1 : open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (f.fd < 0 || !write_all(f.fd, MAGIC, MAGIC_BYTES))
        r = write_failed(path, err);
    if (r >= 0)
        r = write_records(t, &f, path, err);
    if (r >= 0 && (fault_point("io") || fsync(f.fd) < 0 || rename(fresh, path) < 0))
        r = write_failed(path, err);
    if (r < 0)
        unlink(fresh);
    free(fresh);
    return r < 0 ? r : sync_folder_of(path, err);
}

/* ---- reading ---- */

static int damaged(const char *path, struct err *err)
{
    return err_set(err, ERR_NO_STORE,
                   "%s is no file of persons' keys of this backup, or it is damaged", path);
}

static bool read_all(int fd, void *to, size_t n)
{
    return !fault_point("io") && read(fd, to, n) == (ssize_t)n;
}

/* The next block, opened: 1, or 0 when it was the last. */
static int next_block(struct keys_file *f, const char *path, struct err *err)
{
    unsigned char head[BLOCK_HEAD], what[MAGIC_BYTES + 9];
    uint64_t n;
    char *to;
    int r;

    if (!read_all(f->fd, head, sizeof head))
        return damaged(path, err);
    n = get_be(head, 4);
    sb_reset(&f->block);
    to = n >> 1 <= RECORDS_MAX ? sb_room(&f->block, (size_t)(n >> 1)) : NULL;
    if (!to || !read_all(f->fd, to, (size_t)(n >> 1)))
        return damaged(path, err);
    r = xaes_open(f->xaes, about(f, n & 1, what), to, (size_t)(n >> 1), to, head + 4, err);
    if (r < 0)
        return r == ERR_INVALID ? damaged(path, err) : r;
    sb_add(&f->block, (size_t)(n >> 1));
    f->blocks++;
    return !(n & 1);
}

/* One record off the front; false when there is none that is whole. */
static bool take_record(struct str *s, uint64_t *n, struct str *owner, struct str *key)
{
    size_t owner_n, key_n;

    if (s->n < 10)
        return false;
    *n = get_be((const unsigned char *)s->p, 8);
    owner_n = (unsigned char)s->p[8];
    if (s->n < 10 + owner_n || owner_n > OWNER_MAX)
        return false;
    *owner = str_n(s->p + 9, owner_n);
    key_n = s->p[9 + owner_n] ? XAES_KEY_BYTES : 0;
    if (s->n < 10 + owner_n + key_n)
        return false;
    *key = str_n(s->p + 10 + owner_n, key_n);
    *s = str_from(*s, 10 + owner_n + key_n);
    return true;
}

/* What the copy knows to be erased stays so, whatever an old file has. */
static int is_erased(struct sq_txn *t, uint64_t n, struct err *err)
{
    sqlite3_stmt *s;
    int r = sq_stmt(t->conn, SQ_PERSON_ERASED, &s, err);

    if (r < 0)
        return r;
    sqlite3_bind_int64(s, 1, (int64_t)n);
    r = sq_step(t->conn, s, err);
    if (r > 0)
        sqlite3_reset(s);
    return r;
}

static int put_erased(struct sq_txn *t, uint64_t n, struct err *err)
{
    sqlite3_stmt *s;
    int r = sq_stmt(t->conn, SQ_PUT_PERSON, &s, err);

    if (r < 0)
        return r;
    sqlite3_bind_int64(s, 1, (int64_t)n);
    sqlite3_bind_null(s, 2);
    sqlite3_bind_null(s, 3);
    sqlite3_bind_null(s, 4);
    return sq_run(t->conn, s, err);
}

static int load_block(struct sq_txn *t, struct str records, const char *path, struct err *err)
{
    struct str owner, key;
    uint64_t n;
    int r = 0;

    while (records.n && r >= 0) {
        if (!take_record(&records, &n, &owner, &key))
            return damaged(path, err);
        r = is_erased(t, n, err);
        if (r == 0)
            r = key.n ? sq_key_put(t, n, owner, (const unsigned char *)key.p, err)
                      : put_erased(t, n, err);
    }
    return MIN(r, 0);
}

static int must_be_complete(struct sq_txn *t, const char *path, struct err *err)
{
    sqlite3_stmt *s;
    long long n = 0;
    int r = sq_stmt(t->conn, SQ_PERSONS_MISSING, &s, err);

    if (r < 0 || (r = sq_step(t->conn, s, err)) < 0)
        return r;
    if (r > 0)
        n = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return n ? err_set(err, ERR_VALUE,
                       "the keys of %lld persons of the backup are not in %s: it is older than the "
                       "backup; the file that was written with it, or a later one, has them",
                       n, path)
             : 0;
}

int sq_keys_load(struct sq_txn *t, const char *path, const struct vault *vault, struct err *err)
{
    _cleanup_(done) struct keys_file f = {.fd = -1, .block = sb_make(RECORDS_MAX)};
    char magic[MAGIC_BYTES];
    int r = vault_sealer(vault, USE, &f.xaes, err), more = 1;

    if (r < 0)
        return r;
    f.fd = fault_point("io") ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (f.fd < 0)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_NO_STORE,
                       "the file of persons' keys %s cannot be opened: %s", path, strerror(errno));
    if (!read_all(f.fd, magic, sizeof magic) || memcmp(magic, MAGIC, MAGIC_BYTES) != 0)
        return damaged(path, err);
    while (more && r >= 0) {
        struct str records;

        more = next_block(&f, path, err);
        if (more < 0)
            return more;
        records = sb_view(&f.block);
        if (f.blocks == 1) {
            if (records.n < 8)
                return damaged(path, err);
            records = str_from(records, 8); /* when it was made */
        }
        r = load_block(t, records, path, err);
    }
    return r < 0 ? r : must_be_complete(t, path, err);
}
