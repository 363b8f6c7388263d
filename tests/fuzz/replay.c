/* replay.c - runs a fuzz target over a folder of inputs: TARGET_replay FOLDER...
 *
 * So the corpus is a test in every build, with gcc as well as with clang.
 */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_BYTES_MAX 4096

static int replay_file(const char *path)
{
    struct stat st;
    FILE *f = fopen(path, "rb");
    uint8_t *data;
    size_t n;

    if (!f || fstat(fileno(f), &st) < 0) {
        perror(path);
        if (f)
            fclose(f);
        return -1;
    }
    /* Exactly as long as the input, so that a sanitizer sees a read behind it. */
    data = malloc(st.st_size ? (size_t)st.st_size : 1);
    n = data ? fread(data, 1, (size_t)st.st_size, f) : 0;
    fclose(f);
    if (data && n == (size_t)st.st_size)
        LLVMFuzzerTestOneInput(data, n);
    free(data);
    return n == (size_t)st.st_size ? 0 : -1;
}

static int replay_folder(const char *folder, unsigned *count)
{
    char path[PATH_BYTES_MAX];
    struct dirent *entry;
    int r = 0;
    DIR *dir = opendir(folder);

    if (!dir) {
        perror(folder);
        return -1;
    }
    while (r == 0 && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        r = replay_file(path);
        ++*count;
    }
    closedir(dir);
    return r;
}

int main(int argc, char **argv)
{
    unsigned count = 0;

    for (int i = 1; i < argc; i++)
        if (replay_folder(argv[i], &count) < 0)
            return 1;
    printf("%u inputs\n", count);
    return count ? 0 : 1;
}
