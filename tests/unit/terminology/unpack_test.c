/* Archives laid out by hand after POSIX.1-1988 (ustar), GNU tar's 'L' members and pax. */
#include "../test.h"

#include "terminology/unpack.h"

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
    *m = (struct made){.bytes = sb_make(MIB(96)), .fd = -1};
}

static void made_done(struct made *m)
{
    sb_done(&m->bytes);
    if (m->fd >= 0)
        close(m->fd);
}

static struct unpack *open_made(struct made *m)
{
    struct unpack *u;
    struct err err;
    gzFile gz;

    m->fd = memfd_create("archive", MFD_CLOEXEC);
    gz = gzdopen(dup(m->fd), "wb9");
    assert_non_null(gz);
    assert_int_equal(gzwrite(gz, m->bytes.p, (unsigned)m->bytes.n), (int)m->bytes.n);
    gzclose(gz);
    snprintf(m->path, sizeof m->path, "/proc/self/fd/%d", m->fd);
    if (unpack_open(m->path, &u, &err) < 0)
        fail_msg("%s", err.text);
    return u;
}

static void files_come_in_order(void **state)
{
    _cleanup_(made_done) struct made m;
    _cleanup_(unpack_closep) struct unpack *u = NULL;
    _cleanup_(sb_done) struct sb text = sb_make(KIB(64));
    struct str name;

    (void)state;
    made_init(&m);
    put_member(&m, "package/", '5', STR(""));
    put_member(&m, "package/a.json", '0', STR("{\"a\":1}"));
    put_member(&m, "package/link", '2', STR(""));
    put_member(&m, "package/b.json", 0, STR(""));
    u = open_made(&m);
    assert_int_equal(unpack_next(u, &name, NULL), 1);
    assert_true(str_eq(name, STR("package/a.json")));
    assert_int_equal(unpack_rest(u, KIB(32), &text, NULL), 0);
    assert_true(str_eq(sb_view(&text), STR("{\"a\":1}")));
    assert_int_equal(unpack_next(u, &name, NULL), 1);
    assert_true(str_eq(name, STR("package/b.json")));
    assert_int_equal(unpack_next(u, &name, NULL), 0);
}

static void long_names_are_whole(void **state)
{
    _cleanup_(made_done) struct made m;
    _cleanup_(unpack_closep) struct unpack *u = NULL;
    char gnu[200], pax[260];
    struct str name;

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
    u = open_made(&m);
    assert_int_equal(unpack_next(u, &name, NULL), 1);
    assert_true(str_eq(name, str_n(gnu, sizeof gnu)));
    assert_int_equal(unpack_next(u, &name, NULL), 1);
    assert_int_equal(name.n, 205);
    assert_int_equal(name.p[204], 'p');
    assert_int_equal(unpack_next(u, &name, NULL), 1);
    assert_true(str_eq(name, STR("short")));
}

static void damage_is_told(void **state)
{
    static const struct {
        size_t at, cut;
    } cases[] = {{1034, 0}, {1154, 0}, {0, 700}, {0, 1100}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        _cleanup_(made_done) struct made m;
        _cleanup_(unpack_closep) struct unpack *u = NULL;
        struct str name;
        struct err err;
        int r;
        made_init(&m);
        put_member(&m, "package/a.json", '0', STR("{\"a\":1}"));
        put_member(&m, "package/b.json", '0', STR("{\"a\":1}"));
        if (cases[i].at)
            m.bytes.p[cases[i].at] ^= 1;
        if (cases[i].cut)
            m.bytes.n = cases[i].cut;
        u = open_made(&m);
        while ((r = unpack_next(u, &name, &err)) == 1)
            ;
        assert_int_equal(r, ERR_SYNTAX);
        assert_non_null(strstr(err.text, "cannot be unpacked"));
    }
}

static void a_bomb_ends_at_its_limit(void **state)
{
    _cleanup_(made_done) struct made m;
    _cleanup_(unpack_closep) struct unpack *u = NULL;
    char *zeros = calloc(1, MIB(80));
    struct str name;
    struct err err;

    (void)state;
    made_init(&m);
    put_member(&m, "package/a.json", '0', str_n(zeros, MIB(80)));
    free(zeros);
    u = open_made(&m);
    assert_int_equal(unpack_next(u, &name, &err), 1);
    assert_int_equal(unpack_next(u, &name, &err), ERR_COSTLY);
    assert_non_null(strstr(err.text, "250 times"));
}

static void what_is_no_archive_is_refused(void **state)
{
    struct unpack *u;
    struct err err;

    (void)state;
    assert_int_equal(unpack_open("/nowhere/x.tgz", &u, &err), ERR_NOT_FOUND);
    assert_int_equal(unpack_open("/", &u, &err), ERR_NOT_FOUND);
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
