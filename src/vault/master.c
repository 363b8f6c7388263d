#include "vault/master.h"

#include "base/fault.h"
#include "base/rng.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGITS (2 * XAES_KEY_BYTES)

bool master_is_named(const char *key_file)
{
    return key_file ? *key_file : getenv(MASTER_ENV) != NULL;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* `where` for the message: "the file …". */
static int parse(struct str text, const char *where, const char *name,
                 unsigned char ret[XAES_KEY_BYTES], struct err *err)
{
    text = str_trim(text);
    for (size_t i = 0; text.n == DIGITS && i < DIGITS; i++)
        if (digit(text.p[i]) < 0)
            text.n = 0;
    if (text.n != DIGITS)
        return err_set(err, ERR_VALUE, "%s%s holds no key: that is %d hexadecimal digits", where,
                       name, DIGITS);
    for (size_t i = 0; i < XAES_KEY_BYTES; i++)
        ret[i] = (unsigned char)(digit(text.p[2 * i]) << 4 | digit(text.p[2 * i + 1]));
    return 0;
}

static int unusable(const char *path, const char *what, struct err *err)
{
    return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_NO_STORE,
                   "the key file %s cannot be %s: %s", path, what, strerror(errno));
}

static int read_file(const char *path, unsigned char ret[XAES_KEY_BYTES], struct err *err)
{
    char text[MASTER_FILE_MAX];
    struct stat st;
    ssize_t n;
    int fd = fault_point("io") ? -1 : open(path, O_RDONLY | O_CLOEXEC), r;

    if (fd < 0)
        return unusable(path, "opened", err);
    n = fault_point("io") || fstat(fd, &st) < 0 ? -1 : read(fd, text, sizeof text);
    if (n < 0)
        r = unusable(path, "read", err);
    else if (st.st_mode & S_IRWXO)
        r = err_set(err, ERR_FORBIDDEN,
                    "the key file %s is open to everybody on this machine; chmod 600 it", path);
    else
        r = parse(str_n(text, (size_t)n), "the key file ", path, ret, err);
    OPENSSL_cleanse(text, sizeof text);
    close(fd);
    return r;
}

int master_read(const char *key_file, unsigned char ret[XAES_KEY_BYTES], struct err *err)
{
    const char *text = getenv(MASTER_ENV);

    if (key_file && *key_file)
        return read_file(key_file, ret, err);
    if (!text)
        return err_set(err, ERR_REQUIRED, "no key is named");
    return parse(str_c(text), "the environment variable ", MASTER_ENV, ret, err);
}

static bool write_key(int fd)
{
    unsigned char key[XAES_KEY_BYTES];
    char text[DIGITS + 2];
    bool ok;

    rng_secure(key, sizeof key);
    for (size_t i = 0; i < sizeof key; i++)
        snprintf(text + 2 * i, 3, "%02x", key[i]);
    text[DIGITS] = '\n';
    ok = !fault_point("io") && write(fd, text, DIGITS + 1) == DIGITS + 1 && fsync(fd) == 0;
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(text, sizeof text);
    return ok;
}

static bool sync_folder_of(const char *path)
{
    char *copy = strdup(path);
    int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    bool ok = fd >= 0 && !fault_point("io") && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    free(copy);
    return ok;
}

int master_make(const char *key_file, struct err *err)
{
    int fd = fault_point("io")
                 ? -1
                 : open(key_file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    bool ok;

    if (fd < 0 && errno == EEXIST)
        return err_set(err, ERR_CONFLICT, "the key file %s is there already", key_file);
    if (fd < 0)
        return unusable(key_file, "made", err);
    ok = write_key(fd);
    ok = close(fd) == 0 && ok && sync_folder_of(key_file);
    if (!ok) {
        int r = unusable(key_file, "written", err);

        unlink(key_file);
        return r;
    }
    return 0;
}
