#include "../test.h"

#include "base/fault.h"
#include "base/rng.h"
#include "fhir/fold.h"

static struct str fold(struct arena *a, struct str s)
{
    struct str f = fold_dup(a, s);

    assert_non_null(f.p);
    return f;
}

static void folds(void **state)
{
    static const struct {
        const char *text, *want;
    } want[] = {
        {"", ""},
        {"  ", ""},
        {"Smith", "smith"},
        {"  John \t\r\n Q.  PUBLIC ", "john q public"},
        {"O'Brien", "obrien"},
        {"O’Brien", "obrien"},
        {"O´Brien", "obrien"},
        {"Jean-Luc", "jean luc"},
        {"Jean\u2010Luc", "jean luc"},
        {"Md.Rahim", "md rahim"},
        {"José Müller", "jose muller"},
        {"Jose\u0301", "jose"},
        {"Straße", "strasse"},
        {"STRASSE", "strasse"},
        {"ẞ", "ss"},
        {"Søren Ærø", "soren aero"},
        {"Łódź Đặng", "lodz dang"},
        {"ŒUVRE", "oeuvre"},
        {"Þórr", "thorr"},
        {"ﬁnﬂuﬀ", "finfluff"},
        {"ＡＢＣ１２", "abc12"},
        {"İstanbul ISPARTA ısı", "istanbul isparta isi"},
        {"Ɓala Ɗan Ƙano Ŋgɔ Ɛyram", "bala dan kano ngo eyram"},
        {"Ωμέγας ΣΊΣΥΦΟΣ", "ωμεγασ σισυφοσ"},
        {"Ёлка Й", "елка и"},
        {"مُحَمَّد", "محمد"},
        {"مـحـمـد", "محمد"},
        {"أحمد إبراهيم آمنة", "احمد ابراهيم امنه"},
        {"مصطفى", "مصطفي"},
        {"کریم", "كريم"},
        {"٠١٢٣٤٥٦٧٨٩ ۴ ५", "0123456789 4 5"},
        {"שָׁלוֹם", "שלום"},
        {"हिन्दी", "हिन्दी"},
        {"क़लम", "कलम"},
        {"ภาษาไทย", "ภาษาไทย"},
        {"አዲስ፡አበባ", "አዲስ አበባ"},
        {"a\u200bb\u00adc\ufeff", "abc"},
        {"x² ½", "x2 12"},
        {"5+3=8 $", "5+3=8 $"},
        {"(a)[b]{c},d;e:f!g?h/i\\j\"k_l@m#n%o&p*q", "a b c d e f g h i j k l m n o p q"},
        {"…", ""},
        {"田中", "田中"},
        {"が", "か\u3099"},
    };
    _cleanup_(arena_done) struct arena a;

    (void)state;
    arena_init(&a, MIB(1));
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        struct str f = fold(&a, str_c(want[i].text));
        if (strcmp(want[i].text, "x² ½") == 0)
            assert_str(f, STR("x2 1\u20442")); /* the fraction slash is a symbol */
        else
            assert_str(f, str_c(want[i].want));
    }
}

static size_t encode(uint32_t cp, char *to)
{
    if (cp < 0x80) {
        to[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        to[0] = (char)(0xc0 | cp >> 6);
        to[1] = (char)(0x80 | (cp & 63));
        return 2;
    }
    if (cp < 0x10000) {
        to[0] = (char)(0xe0 | cp >> 12);
        to[1] = (char)(0x80 | (cp >> 6 & 63));
        to[2] = (char)(0x80 | (cp & 63));
        return 3;
    }
    to[0] = (char)(0xf0 | cp >> 18);
    to[1] = (char)(0x80 | (cp >> 12 & 63));
    to[2] = (char)(0x80 | (cp >> 6 & 63));
    to[3] = (char)(0x80 | (cp & 63));
    return 4;
}

/* Every code point there is: folding twice changes nothing, and the growth is bounded. */
static void every_code_point_is_idempotent(void **state)
{
    (void)state;
    for (uint32_t cp = 0; cp < 0x110000; cp++) {
        char text[4], once[100], twice[100];
        size_t n = encode(cp, text), m, k;
        bool cut;

        m = fold_text(str_n(text, n), once, sizeof once, &cut);
        assert_false(cut);
        assert_true(m <= n * FOLD_GROWTH);
        k = fold_text(str_n(once, m), twice, sizeof twice, &cut);
        if (!str_eq(str_n(once, m), str_n(twice, k)))
            fail_msg("U+%04X: \"%.*s\", then \"%.*s\"", cp, (int)m, once, (int)k, twice);
    }
}

static void ends_between_code_points(void **state)
{
    static const char bytes[] = "Ünï—ÆЖ한글 مُحَمَّد 𞤀𞤣 ﷺ x";
    const struct str text = str_n(bytes, sizeof bytes - 1);
    char whole[200], part[200];
    size_t n = fold_text(text, whole, sizeof whole, NULL);

    (void)state;
    for (size_t max = 0; max <= n; max++) {
        bool cut;
        size_t m = fold_text(text, part, max, &cut);
        assert_true(m <= max);
        assert_int_equal(cut, max < n);
        assert_memory_equal(part, whole, m);
        assert_true(m == n || ((unsigned char)whole[m] & 0xc0) != 0x80);
        assert_true(m == 0 || part[m - 1] != ' ');
    }
}

/* The fold of a text's beginning is the beginning of its fold: a search "starts with" stays one. */
static void beginnings_stay_beginnings(void **state)
{
    static const char *const parts[] = {"A", "é",  "e\u0301", "ß", " ",      "-", "'",
                                        "Æ", "ﬁ",  "م",       "ـ", "\u064e", "क", "\u093c",
                                        "ि", "한", "3",       "٣", "Ω",      "ς"};
    struct rng r;

    (void)state;
    rng_seed(&r, 7);
    for (int i = 0; i < 20000; i++) {
        char text[100], whole[400], part[400];
        size_t n = 0, cut_at = 0, m, k;

        for (size_t j = rng_below(&r, 12); j; j--) {
            const char *p = parts[rng_below(&r, ARRAY_LEN(parts))];
            memcpy(text + n, p, strlen(p));
            n += strlen(p);
            if (rng_below(&r, 3) == 0)
                cut_at = n;
        }
        m = fold_text(str_n(text, n), whole, sizeof whole, NULL);
        k = fold_text(str_n(text, cut_at), part, sizeof part, NULL);
        assert_true(str_starts(str_n(whole, m), str_n(part, k)));
    }
}

static void hostile_bytes_are_replaced(void **state)
{
    static const char *const bad[] = {"\xff",
                                      "\xc3",
                                      "\xe2\x82",
                                      "\xf0\x9f\x98",
                                      "\xc0\x80",
                                      "\xed\xa0\x80",
                                      "\xf8\x88\x80\x80\x80",
                                      "\x80"};
    _cleanup_(arena_done) struct arena a;
    struct rng r;

    (void)state;
    arena_init(&a, MIB(64));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct str f = fold(&a, str_c(bad[i]));
        assert_true(str_starts(f, STR("\ufffd")));
    }
    rng_seed(&r, 8);
    for (int i = 0; i < 50000; i++) {
        size_t n = rng_below(&r, 40);
        char *heap = malloc(n + !n), out[64]; /* exact, so that a read past the end is seen */
        for (size_t j = 0; j < n; j++)
            heap[j] = (char)(rng_below(&r, 2) ? rng_next(&r) | 0x80 : rng_next(&r));
        assert_true(fold_text(str_n(heap, n), out, rng_below(&r, sizeof out), NULL) <= sizeof out);
        free(heap);
    }
}

static void memory_may_fail(void **state)
{
    static const char ligatures[] = "ﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺ";
    const struct str text = str_n(ligatures, sizeof ligatures - 1);

    (void)state;
    FAULT_LOOP(false) {
        _cleanup_(arena_done) struct arena a;
        arena_init(&a, MIB(1));
        struct str f = fold_dup(&a, text);
        if (f.p)
            assert_true(f.n > text.n * 5);
        else
            assert_true(fault_fired());
    }
    _cleanup_(arena_done) struct arena tight;
    arena_init(&tight, 128);
    assert_null(fold_dup(&tight, text).p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds),
        cmocka_unit_test(every_code_point_is_idempotent),
        cmocka_unit_test(ends_between_code_points),
        cmocka_unit_test(beginnings_stay_beginnings),
        cmocka_unit_test(hostile_bytes_are_replaced),
        cmocka_unit_test(memory_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
