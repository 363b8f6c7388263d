/* tar.c - any bytes as the content of a gzip archive: its files end, within the bounds. */
#include "base/tar.h"
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#define FILES_MAX 1000

static void read_all(const char *path)
{
    struct tar *tar;
    struct str name;
    uint64_t size;
    size_t n = 0;

    if (tar_open(path, &tar, NULL) < 0)
        return;
    while (n++ < FILES_MAX && tar_next(tar, &name, &size, NULL) > 0) {
        struct sb text = sb_make(MIB(1));
        FUZZ_HOLDS(name.n <= TAR_NAME_MAX);
        if (tar_read(tar, &text, NULL) == 0)
            FUZZ_HOLDS(text.n == size);
        sb_done(&text);
    }
    tar_close(tar);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    int fd = memfd_create("tar", MFD_CLOEXEC);
    gzFile gz = fd < 0 ? NULL : gzdopen(dup(fd), "wb1");
    char path[64];

    if (!gz)
        return 0;
    gzwrite(gz, data, (unsigned)n);
    gzclose(gz);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    read_all(path);
    close(fd);
    return 0;
}
