#include "audit_folder.h"

#include "vault/master.h"
#include "vault/vault.h"

#include <dirent.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 20000
#define FILE_MAX MIB(256)

void folder_new(char ret[FOLDER_BYTES])
{
    const char *tmp = getenv("TMPDIR");
    bool in_memory = access("/dev/shm", W_OK) == 0;

    snprintf(ret, FOLDER_BYTES, "%s/carnet-audit-XXXXXX",
             in_memory ? "/dev/shm"
             : tmp     ? tmp
                       : "/tmp");
    assert_non_null(mkdtemp(ret));
    if (getenv(MASTER_ENV)) /* with a key in the environment, a sealed log */
        assert_int_equal(vault_create(ret, NULL, NULL), 0);
}

static void path_of(const char *dir, const char *name, char ret[512])
{
    snprintf(ret, 512, "%s/" AUDIT_FOLDER "/%s", dir, name);
}

static void each_file(const char *dir, void (*fn)(void *ctx, const char *dir, const char *name),
                      void *ctx)
{
    char path[512];
    struct dirent *e;
    DIR *d;

    path_of(dir, "", path);
    d = opendir(path);
    while (d && (e = readdir(d)))
        if (e->d_name[0] != '.')
            fn(ctx, dir, e->d_name);
    if (d)
        closedir(d);
}

static void unlink_one(void *ctx, const char *dir, const char *name)
{
    char path[512];

    (void)ctx;
    path_of(dir, name, path);
    unlink(path);
}

void folder_remove(const char *dir)
{
    char path[512];

    each_file(dir, unlink_one, NULL);
    path_of(dir, "", path);
    rmdir(path);
    vault_uncopy(dir);
    rmdir(dir);
}

void folder_read(const char *dir, const char *name, struct sb *out)
{
    char path[512], *to;
    FILE *f;
    size_t n;

    path_of(dir, name, path);
    f = fopen(path, "re");
    assert_non_null(f);
    sb_reset(out);
    while ((to = sb_room(out, KIB(64))) && (n = fread(to, 1, KIB(64), f)) > 0)
        sb_add(out, n);
    fclose(f);
    assert_false(out->failed);
}

void folder_write(const char *dir, const char *name, struct str bytes)
{
    char path[512];
    FILE *f;

    path_of(dir, name, path);
    f = fopen(path, "we");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes.p, 1, bytes.n, f), bytes.n);
    assert_int_equal(fclose(f), 0);
}

static void copy_one(void *ctx, const char *dir, const char *name)
{
    _cleanup_(sb_done) struct sb bytes = sb_make(FILE_MAX);

    folder_read(dir, name, &bytes);
    folder_write(ctx, name, sb_view(&bytes));
}

void folder_copy(const char *from, const char *to)
{
    char path[512];

    path_of(to, "", path);
    mkdir(path, 0700);
    each_file(to, unlink_one, NULL);
    each_file(from, copy_one, (void *)to);
    vault_uncopy(to);
    assert_true(vault_copy(from, to, NULL) >= 0);
}

struct audit_log *log_open(const char *dir)
{
    static struct audit_config config;
    struct audit_log *log = NULL;
    struct err err = {0};

    config = (struct audit_config){.dir = dir, .head_ms = 20};
    if (audit_open(&config, &log, &err) < 0)
        fail_msg("open: %s (%s)", err.text, err.detail);
    return log;
}

uint64_t log_event_of(struct audit_log *log, const char *user, const struct str *patients, size_t n)
{
    _cleanup_(arena_done) struct arena a;
    struct audit_event event = {.when_ms = 1764000000000,
                                .interaction = AUDIT_SEARCH_TYPE,
                                .status = 200,
                                .user = str_c(user),
                                .address = STR("192.0.2.7"),
                                .type = STR("Observation"),
                                .query = STR("Observation?code=1234-5")};
    struct audit_append append;
    struct err err = {0};

    arena_init(&a, MIB(16));
    assert_int_equal(audit_prepare(&a, &event, patients, n, &append, &err), 0);
    if (audit_write(log, &append, &err) < 0)
        fail_msg("append: %s (%s)", err.text, err.detail);
    return append.first;
}

void log_wait_head(struct audit_log *log, uint64_t size, struct sb *ret)
{
    struct err err = {0};
    struct note note;
    struct head head;

    for (int ms = 0; ms < WAIT_MS; ms += 5) {
        sb_reset(ret);
        assert_int_equal(audit_head(log, false, ret, &err), 0);
        assert_int_equal(note_parse(sb_view(ret), &note, &err), 0);
        assert_int_equal(head_parse(note.text, &head, &err), 0);
        if (head.size >= size)
            return;
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    fail_msg("no head for %llu entries came", (unsigned long long)size);
}
