/* Every ICD-11 code that is used exists in WHO's tabulation, is one to code with, and is titled so.
 */
#include "../test.h"

#include "base/sb.h"
#include "synth/codes.h"

#include <zlib.h>

#define TABULATION "terminology/SimpleTabulation-ICD-11-MMS-en-2024-01.zip"
#define MEMBER "SimpleTabulation-ICD-11-MMS-en.txt"
#define TABULATION_MAX MIB(64)

static uint32_t le(const unsigned char *p, int bytes)
{
    uint32_t v = 0;

    for (int i = bytes - 1; i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

static bool read_file(const char *path, struct sb *to)
{
    FILE *f = fopen(path, "rb");
    char chunk[65536];
    size_t n;

    if (!f)
        return false;
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
        sb_put(to, chunk, n);
    fclose(f);
    return !to->failed;
}

/* One member of a zip file, by its central directory (APPNOTE 4.3.12). */
static bool unzip(struct str zip, struct str member, struct sb *to)
{
    const unsigned char *p = (const unsigned char *)zip.p;

    for (size_t i = 0; i + 46 < zip.n; i++) {
        size_t at;
        z_stream z = {0};
        uint32_t size;

        if (memcmp(p + i, "PK\1\2", 4) != 0 || le(p + i + 28, 2) != member.n ||
            memcmp(p + i + 46, member.p, member.n) != 0)
            continue;
        at = le(p + i + 42, 4);
        size = le(p + i + 24, 4);
        z.next_in =
            (unsigned char *)(uintptr_t)(p + at + 30 + le(p + at + 26, 2) + le(p + at + 28, 2));
        z.avail_in = le(p + i + 20, 4);
        z.next_out = (unsigned char *)sb_room(to, size);
        z.avail_out = size;
        assert_non_null(z.next_out);
        assert_int_equal(inflateInit2(&z, -MAX_WBITS), Z_OK);
        assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
        inflateEnd(&z);
        sb_add(to, size);
        return true;
    }
    return false;
}

/* A field without the quotes and the dashes that show its depth. */
static struct str bare(struct str s)
{
    if (s.n >= 2 && s.p[0] == '"')
        s = str_n(s.p + 1, s.n - 2);
    while (s.n && (s.p[0] == '-' || s.p[0] == ' '))
        s = str_from(s, 1);
    return s;
}

/* The row of a code: its title and whether it has no finer ones below it. */
static bool find_row(struct str table, struct str code, struct str *title, bool *is_leaf)
{
    struct str line, field;

    while (str_split(&table, '\n', &line)) {
        bool match = false;

        for (int i = 0; str_split(&line, '\t', &field); i++) {
            if (i == 2)
                match = str_eq(bare(field), code);
            if (i == 4)
                *title = bare(field);
            if (i == 10)
                *is_leaf = str_eq(field, STR("True"));
        }
        if (match)
            return true;
    }
    return false;
}

static void icd11_codes_are_who_s(void **state)
{
    _cleanup_(sb_done) struct sb zip = sb_make(TABULATION_MAX), text = sb_make(TABULATION_MAX);
    const char *shared = getenv("CARNET_SHARED");
    char path[4096];
    size_t checked = 0;

    (void)state;
    snprintf(path, sizeof path, "%s/" TABULATION, shared ? shared : "");
    if (!shared || !read_file(path, &zip)) {
        print_message("skipped: CARNET_SHARED has no " TABULATION "\n");
        skip();
    }
    assert_true(unzip(sb_view(&zip), STR(MEMBER), &text));
    for (int i = CODE_NONE + 1; i < CODE_COUNT; i++) {
        struct str title = STR_NULL;
        bool is_leaf = false;

        if (!str_eq(codes[i].system, STR(SYS_ICD11)))
            continue;
        if (!find_row(sb_view(&text), codes[i].code, &title, &is_leaf))
            fail_msg("%.*s is no code of the tabulation", STR_ARG(codes[i].code));
        assert_str(codes[i].display, title);
        if (!is_leaf)
            fail_msg("%.*s has finer codes below it", STR_ARG(codes[i].code));
        checked++;
    }
    assert_true(checked > 50);
}

static void codes_are_said_once(void **state)
{
    (void)state;
    for (int i = CODE_NONE + 1; i < CODE_COUNT; i++)
        for (int k = i + 1; k < CODE_COUNT; k++)
            assert_false(str_eq(codes[i].code, codes[k].code) &&
                         str_eq(codes[i].system, codes[k].system));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(icd11_codes_are_who_s),
        cmocka_unit_test(codes_are_said_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
