/* Archives laid out by hand after POSIX.1-1988 (ustar), GNU tar's 'L' members and pax. */
#include "../test.h"

#include "base/tar.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#define BLOCK 512

struct made {
    struct sb bytes;
    int fd;
    char path[64];
};

static void put_member(struct made *m, const char *name, char type, struct str content)
{
    unsigned char h[BLOCK] = {0};
    unsigned sum = 0;
    char zeros[BLOCK] = {0};

    memcpy(h, name, MIN(strlen(name), (size_t)100));
    memcpy(h + 100, "0000644", 7);
    snprintf((char *)h + 124, 12, "%011zo", content.n);
    memset(h + 148, ' ', 8);
    h[156] = (unsigned char)type;
    memcpy(h + 257, "ustar\00000", 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += h[i];
    snprintf((char *)h + 148, 8, "%06o", sum);
    sb_put(&m->bytes, h, BLOCK);
    sb_str(&m->bytes, content);
    sb_put(&m->bytes, zeros, (BLOCK - content.n % BLOCK) % BLOCK);
}

static void made_init(struct made *m)
{
    *m = (struct made){.bytes = sb_make(MIB(64)), .fd = -1};
}

static void made_done(struct made *m)
{
    sb_done(&m->bytes);
    if (m->fd >= 0)
        close(m->fd);
}

static struct tar *open_made(struct made *m)
{
    struct tar *tar;
    struct err err;
    gzFile gz;

    m->fd = memfd_create("tar", MFD_CLOEXEC);
    gz = gzdopen(dup(m->fd), "wb9");
    assert_non_null(gz);
    assert_int_equal(gzwrite(gz, m->bytes.p, (unsigned)m->bytes.n), (int)m->bytes.n);
    gzclose(gz);
    snprintf(m->path, sizeof m->path, "/proc/self/fd/%d", m->fd);
    if (tar_open(m->path, &tar, &err) < 0)
        fail_msg("%s", err.text);
    return tar;
}

static void files_come_in_order(void **state)
{
    _cleanup_(made_done) struct made m;
    _cleanup_(tar_closep) struct tar *tar = NULL;
    _cleanup_(sb_done) struct sb text = sb_make(KIB(64));
    struct str name;
    uint64_t size;

    (void)state;
    made_init(&m);
    put_member(&m, "package/", '5', STR(""));
    put_member(&m, "package/a.json", '0', STR("{\"a\":1}"));
    put_member(&m, "package/link", '2', STR(""));
    put_member(&m, "package/b.json", 0, STR(""));
    tar = open_made(&m);
    assert_int_equal(tar_next(tar, &name, &size, NULL), 1);
    assert_true(str_eq(name, STR("package/a.json")));
    assert_int_equal(size, 7);
    assert_int_equal(tar_read(tar, &text, NULL), 0);
    assert_true(str_eq(sb_view(&text), STR("{\"a\":1}")));
    assert_int_equal(tar_next(tar, &name, &size, NULL), 1);
    assert_true(str_eq(name, STR("package/b.json")));
    assert_int_equal(size, 0);
    assert_int_equal(tar_next(tar, &name, &size, NULL), 0);
}

static void long_names_are_whole(void **state)
{
    _cleanup_(made_done) struct made m;
    _cleanup_(tar_closep) struct tar *tar = NULL;
    char gnu[200], pax[260];
    struct str name;
    uint64_t size;

    (void)state;
    made_init(&m);
    memset(gnu, 'g', sizeof gnu);
    snprintf(pax, sizeof pax, "215 path=%.*s\n", 205, "");
    memset(pax + 9, 'p', 205);
    pax[214] = '\n';
    put_member(&m, "././@LongLink", 'L', str_n(gnu, sizeof gnu));
    put_member(&m, "gggg", '0', STR("1"));
    put_member(&m, "PaxHeaders/x", 'x', str_n(pax, 215));
    put_member(&m, "pppp", '0', STR("2"));
    put_member(&m, "short", '0', STR("3"));
    tar = open_made(&m);
    assert_int_equal(tar_next(tar, &name, &size, NULL), 1);
    assert_true(str_eq(name, str_n(gnu, sizeof gnu)));
    assert_int_equal(tar_next(tar, &name, &size, NULL), 1);
    assert_int_equal(name.n, 205);
    assert_int_equal(name.p[204], 'p');
    assert_int_equal(tar_next(tar, &name, &size, NULL), 1);
    assert_true(str_eq(name, STR("short")));
}

static void damage_is_told(void **state)
{
    static const struct {
        size_t at, cut;
    } cases[] = {{10, 0}, {130, 0}, {0, 700}, {0, 100}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        _cleanup_(made_done) struct made m;
        _cleanup_(tar_closep) struct tar *tar = NULL;
        struct str name;
        struct err err;
        uint64_t size;
        int r;
        made_init(&m);
        put_member(&m, "package/a.json", '0', STR("{\"a\":1}"));
        if (cases[i].at)
            m.bytes.p[cases[i].at] ^= 1;
        if (cases[i].cut)
            m.bytes.n = cases[i].cut;
        tar = open_made(&m);
        r = tar_next(tar, &name, &size, &err);
        if (r == 1)
            r = tar_next(tar, &name, &size, &err);
        assert_int_equal(r, ERR_SYNTAX);
        assert_non_null(strstr(err.text, "damaged"));
    }
}

static void a_bomb_ends_at_its_limit(void **state)
{
    _cleanup_(made_done) struct made m;
    _cleanup_(tar_closep) struct tar *tar = NULL;
    _cleanup_(sb_done) struct sb text = sb_make(MIB(64));
    char *zeros = calloc(1, MIB(32));
    struct str name;
    struct err err;
    uint64_t size;

    (void)state;
    made_init(&m);
    put_member(&m, "package/a.json", '0', str_n(zeros, MIB(32)));
    free(zeros);
    tar = open_made(&m);
    assert_int_equal(tar_next(tar, &name, &size, &err), 1);
    assert_int_equal(tar_read(tar, &text, &err), ERR_TOO_LONG);
    assert_non_null(strstr(err.text, "200 times"));
}

static void what_is_no_archive_is_refused(void **state)
{
    struct tar *tar;
    struct err err;

    (void)state;
    assert_int_equal(tar_open("/nowhere/x.tgz", &tar, &err), ERR_NOT_FOUND);
    assert_int_equal(tar_open("/", &tar, &err), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_come_in_order),
        cmocka_unit_test(long_names_are_whole),
        cmocka_unit_test(damage_is_told),
        cmocka_unit_test(a_bomb_ends_at_its_limit),
        cmocka_unit_test(what_is_no_archive_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
