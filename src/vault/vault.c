#include "vault/vault.h"

#include "vault/master.h"

#include "base/fault.h"
#include "base/rng.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "carnet-keys-1\n\0"
#define MAGIC_BYTES 16
#define WRAP_USE "carnet data key"

_Static_assert(sizeof MAGIC == MAGIC_BYTES, "the magic with its NULs");

struct vault {
    unsigned char key[XAES_KEY_BYTES]; /* the data key */
};

/* carnet.keys as it is on disk. */
struct keys_file {
    unsigned char magic[MAGIC_BYTES];
    unsigned char mark[XAES_MARK_BYTES];
    unsigned char key[XAES_KEY_BYTES]; /* sealed */
};

_Static_assert(sizeof(struct keys_file) == VAULT_KEYS_BYTES, "no holes");

/* ---- memory that stays in memory ---- */

static struct vault *vault_alloc(void)
{
    void *p = fault_point("memory") ? MAP_FAILED
                                    : mmap(NULL, sizeof(struct vault), PROT_READ | PROT_WRITE,
                                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return NULL;
    /* As far as the system lets us: a limit on locked memory is no reason not to work. */
    mlock(p, sizeof(struct vault));
    madvise(p, sizeof(struct vault), MADV_DONTDUMP);
    return p;
}

void vault_free(struct vault *v)
{
    if (!v)
        return;
    OPENSSL_cleanse(v, sizeof *v);
    munmap(v, sizeof *v);
}

/* ---- the file ---- */

static bool path_of(const char *dir, const char *name, char **ret)
{
    return asprintf(ret, "%s/%s", dir, name) >= 0;
}

bool vault_exists(const char *dir)
{
    char *path;
    bool exists;

    if (!path_of(dir, VAULT_FILE_NAME, &path))
        return false;
    exists = access(path, F_OK) == 0;
    free(path);
    return exists;
}

static int failed(const char *what, struct err *err)
{
    bool is_full = errno == ENOSPC || errno == EDQUOT;

    return err_set(err, is_full ? ERR_FULL : ERR_NO_STORE,
                   "the file " VAULT_FILE_NAME " cannot be %s: %s", what, strerror(errno));
}

/* 1: read, 0: the folder has none. */
static int load(const char *dir, struct keys_file *ret, struct err *err)
{
    ssize_t n = -1;
    char *path;
    int fd;

    if (!path_of(dir, VAULT_FILE_NAME, &path))
        return err_no_memory(err);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    free(path);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd >= 0) {
        n = fault_point("io") ? -1 : read(fd, ret, sizeof *ret);
        close(fd);
    }
    if (n < 0)
        return failed("read", err);
    if (n != sizeof *ret || memcmp(ret->magic, MAGIC, MAGIC_BYTES) != 0)
        return err_set(
            err, ERR_NO_STORE,
            "the file %s/" VAULT_FILE_NAME " is damaged, or of a newer version of carnet", dir);
    return 1;
}

static int write_to(int dir_fd, const char *name, const struct keys_file *file, struct err *err)
{
    int fd = fault_point("io") ? -1
                               : openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                                        S_IRUSR | S_IWUSR);
    bool ok;

    if (fd < 0)
        return failed("written", err);
    ok = !fault_point("io") && write(fd, file, sizeof *file) == sizeof *file && fsync(fd) == 0;
    ok = close(fd) == 0 && ok;
    return ok ? 0 : failed("written", err);
}

/* Whole or not at all, also after a crash. */
static int save(const char *dir, const struct keys_file *file, struct err *err)
{
    static const char fresh[] = VAULT_FILE_NAME ".new";
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

    if (fd < 0)
        return failed("written", err);
    r = write_to(fd, fresh, file, err);
    if (r >= 0 && (fault_point("io") || renameat(fd, fresh, fd, VAULT_FILE_NAME) < 0))
        r = failed("written", err);
    if (r < 0)
        unlinkat(fd, fresh, 0);
    else if (fault_point("io") || fsync(fd) < 0)
        r = failed("written", err);
    close(fd);
    return r;
}

/* ---- sealing the data key ---- */

static int master_sealer(const char *key_file, struct xaes **ret, struct err *err)
{
    unsigned char master[XAES_KEY_BYTES], key[XAES_KEY_BYTES];
    int r = master_read(key_file, master, err);

    if (r >= 0)
        r = xaes_subkey(master, WRAP_USE, key, err);
    if (r >= 0)
        r = xaes_new(key, ret, err);
    OPENSSL_cleanse(master, sizeof master);
    OPENSSL_cleanse(key, sizeof key);
    return r;
}

/* With a key file that is made first where there is none. */
static int seal(const struct vault *v, const char *key_file, struct keys_file *ret, struct err *err)
{
    _cleanup_(xaes_freep) struct xaes *x = NULL;
    int r = key_file && access(key_file, F_OK) < 0 ? master_make(key_file, err) : 0;

    if (r < 0 || (r = master_sealer(key_file, &x, err)) < 0)
        return r;
    memcpy(ret->magic, MAGIC, MAGIC_BYTES);
    return xaes_seal(x, str_n(MAGIC, MAGIC_BYTES), v->key, sizeof v->key, ret->key, ret->mark, err);
}

/* `where` for messages. */
static int unseal(const char *where, const struct keys_file *file, const char *key_file,
                  struct vault **ret, struct err *err)
{
    _cleanup_(xaes_freep) struct xaes *x = NULL;
    _cleanup_(vault_freep) struct vault *v = NULL;
    int r = master_sealer(key_file, &x, err);

    if (r < 0)
        return r;
    if (!(v = vault_alloc()))
        return err_no_memory(err);
    r = xaes_open(x, str_n(MAGIC, MAGIC_BYTES), file->key, sizeof file->key, v->key, file->mark,
                  err);
    if (r == ERR_INVALID)
        return err_set(err, ERR_FORBIDDEN, "the key of %s is not the one of the store in %s",
                       key_file ? key_file : MASTER_ENV, where);
    if (r < 0)
        return r;
    *ret = v;
    v = NULL;
    return 0;
}

/* One at a time: each begins from what the last one left. */
static int lock_folder(const char *dir, int *ret, struct err *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 && flock(fd, LOCK_EX) == 0) {
        *ret = fd;
        return 0;
    }
    if (fd >= 0)
        close(fd);
    return failed("locked", err);
}

int vault_create(const char *dir, const char *key_file, struct err *err)
{
    _cleanup_(vault_freep) struct vault *v = vault_alloc();
    struct keys_file file;
    int lock = -1, r = v ? lock_folder(dir, &lock, err) : err_no_memory(err);

    if (r < 0)
        return r;
    if (vault_exists(dir))
        r = err_set(err, ERR_CONFLICT, "the folder %s has keys already (" VAULT_FILE_NAME ")", dir);
    rng_secure(v->key, sizeof v->key);
    if (r >= 0)
        r = seal(v, key_file, &file, err);
    if (r >= 0)
        r = save(dir, &file, err);
    close(lock);
    return r;
}

/* NULL for `file`: there are no keys. */
static int open_keys(const struct keys_file *file, const char *key_file, const char *where,
                     struct vault **ret, struct err *err)
{
    bool is_named = master_is_named(key_file);

    if (!file && is_named)
        return err_set(err, ERR_VALUE, "a key is named, but the store in %s is not encrypted",
                       where);
    if (!file) {
        *ret = NULL;
        return 0;
    }
    if (!is_named)
        return err_set(err, ERR_REQUIRED,
                       "the store in %s is encrypted; name its key with "
                       "--key-file, or put it into " MASTER_ENV,
                       where);
    return unseal(where, file, key_file, ret, err);
}

int vault_open(const char *dir, const char *key_file, struct vault **ret, struct err *err)
{
    struct keys_file file;
    int r = load(dir, &file, err);

    return r < 0 ? r : open_keys(r ? &file : NULL, key_file, dir, ret, err);
}

/* ---- keys that are kept elsewhere ---- */

int vault_make(const char *key_file, unsigned char ret[VAULT_KEYS_BYTES], struct err *err)
{
    _cleanup_(vault_freep) struct vault *v = vault_alloc();

    if (!v)
        return err_no_memory(err);
    rng_secure(v->key, sizeof v->key);
    return vault_seal(v, key_file, ret, err);
}

int vault_seal(const struct vault *v, const char *key_file, unsigned char ret[VAULT_KEYS_BYTES],
               struct err *err)
{
    struct keys_file file;
    int r = seal(v, key_file, &file, err);

    if (r >= 0)
        memcpy(ret, &file, sizeof file);
    return r;
}

int vault_open_keys(struct str keys, const char *key_file, const char *where, struct vault **ret,
                    struct err *err)
{
    struct keys_file file;

    if (keys.p && (keys.n != sizeof file || memcmp(keys.p, MAGIC, MAGIC_BYTES) != 0))
        return err_set(err, ERR_NO_STORE,
                       "the keys of the store in %s are damaged, or of a newer version of carnet",
                       where);
    if (keys.p)
        memcpy(&file, keys.p, sizeof file);
    return open_keys(keys.p ? &file : NULL, key_file, where, ret, err);
}

/* ---- what a folder's keys are asked for ---- */

int vault_check(const char *dir, const char *key_file, struct err *err)
{
    _cleanup_(vault_freep) struct vault *v = NULL;
    int r = vault_open(dir, key_file, &v, err);

    return r >= 0 && !v ? err_set(err, ERR_VALUE, "the store in %s is not encrypted", dir) : r;
}

int vault_subkey(const struct vault *v, const char *use, unsigned char ret[XAES_KEY_BYTES],
                 struct err *err)
{
    return xaes_subkey(v->key, use, ret, err);
}

int vault_sealer(const struct vault *v, const char *use, struct xaes **ret, struct err *err)
{
    unsigned char key[XAES_KEY_BYTES];
    int r = vault_subkey(v, use, key, err);

    if (r >= 0)
        r = xaes_new(key, ret, err);
    OPENSSL_cleanse(key, sizeof key);
    return r;
}

int vault_rotate(const char *dir, const char *key_file, const char *new_key_file, struct err *err)
{
    _cleanup_(vault_freep) struct vault *v = NULL;
    struct keys_file file;
    int lock = -1, r = lock_folder(dir, &lock, err);

    if (r < 0)
        return r;
    r = vault_open(dir, key_file, &v, err);
    if (r >= 0 && !v)
        r = err_set(err, ERR_VALUE, "the store in %s is not encrypted", dir);
    if (r >= 0)
        r = seal(v, new_key_file, &file, err);
    if (r >= 0)
        r = save(dir, &file, err);
    close(lock);
    return r;
}

int vault_copy(const char *dir, const char *to_dir, struct err *err)
{
    struct keys_file file, there;
    int r = load(dir, &file, err), has;

    if (r <= 0)
        return r;
    has = load(to_dir, &there, err);
    if (has < 0 || (has > 0 && !memcmp(&file, &there, sizeof file)))
        return MIN(has, 0);
    if (has > 0)
        return err_set(err, ERR_CONFLICT, "the folder %s has keys already (" VAULT_FILE_NAME ")",
                       to_dir);
    r = save(to_dir, &file, err);
    return r < 0 ? r : 1;
}

bool vault_differs(const char *dir, const char *other_dir)
{
    struct keys_file a, b;

    return load(dir, &a, NULL) > 0 && load(other_dir, &b, NULL) > 0 &&
           memcmp(&a, &b, sizeof a) != 0;
}

void vault_uncopy(const char *to_dir)
{
    char *path;

    if (path_of(to_dir, VAULT_FILE_NAME, &path)) {
        unlink(path);
        free(path);
    }
}
