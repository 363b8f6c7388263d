#include "fhir/fold.h"

#include <utf8proc.h>

/* Letters that Unicode does not decompose, and what people write for them elsewhere. Applied after
 * decomposition and case folding, so only small letters stand here. Sorted. docs/formats/folding.md
 */
static const struct {
    uint16_t cp;
    char to[4];
} letters[] = {
    {0x00e6, "ae"}, {0x00f0, "d"}, {0x00f8, "o"}, {0x00fe, "th"}, {0x0111, "d"},  {0x0127, "h"},
    {0x0131, "i"},  {0x0138, "k"}, {0x0142, "l"}, {0x014b, "n"},  {0x0153, "oe"}, {0x0167, "t"},
    {0x0180, "b"},  {0x0183, "b"}, {0x0188, "c"}, {0x018c, "d"},  {0x0192, "f"},  {0x0199, "k"},
    {0x019a, "l"},  {0x019e, "n"}, {0x01a5, "p"}, {0x01ad, "t"},  {0x01b4, "y"},  {0x01b6, "z"},
    {0x01dd, "e"},  {0x01e5, "g"}, {0x0225, "z"}, {0x023c, "c"},  {0x0247, "e"},  {0x0249, "j"},
    {0x024d, "r"},  {0x024f, "y"}, {0x0253, "b"}, {0x0254, "o"},  {0x0256, "d"},  {0x0257, "d"},
    {0x0259, "e"},  {0x025b, "e"}, {0x0260, "g"}, {0x0263, "g"},  {0x0266, "h"},  {0x0268, "i"},
    {0x0269, "i"},  {0x026b, "l"}, {0x0272, "n"}, {0x0275, "o"},  {0x027d, "r"},  {0x0288, "t"},
    {0x0289, "u"},  {0x028a, "u"}, {0x028b, "v"}, {0x0629, "ه"},  {0x0649, "ي"},  {0x0671, "ا"},
    {0x0672, "ا"},  {0x0673, "ا"}, {0x06a9, "ك"}, {0x06be, "ه"},  {0x06c1, "ه"},  {0x06c3, "ه"},
    {0x06cc, "ي"},  {0x06d2, "ي"}, {0x06d5, "ه"}, {0x2c61, "l"},  {0x2c65, "a"},  {0x2c66, "t"},
};

/* Zeros of the decimal digits that Unicode does not decompose. Sorted. */
static const uint32_t zeros[] = {
    0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66,
    0x0de6, 0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90,
    0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0x1e950,
};

struct out {
    char *p;
    size_t n, max;
    bool blank; /* one is due in front of the next letter */
    bool cut;
};

static void put(struct out *o, const char *p, size_t n)
{
    size_t blank = o->blank && o->n;

    if (o->cut)
        return;
    if (n + blank > o->max - o->n) {
        o->cut = true;
        return;
    }
    if (blank)
        o->p[o->n++] = ' ';
    memcpy(o->p + o->n, p, n);
    o->n += n;
    o->blank = false;
}

static void put_cp(struct out *o, int32_t cp)
{
    char bytes[4];

    put(o, bytes, (size_t)utf8proc_encode_char(cp, (utf8proc_uint8_t *)bytes));
}

/* What stands for a byte below 0x80: itself, a small letter, ' ' for a blank, 0 for nothing. */
static char ascii(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c + 32);
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
        return (char)c;
    switch (c) {
    case '\'':
    case '`':
    case '^': return 0;
    case '$':
    case '+':
    case '<':
    case '=':
    case '>':
    case '|':
    case '~': return (char)c;
    default: return ' ';
    }
}

static void put_ascii(struct out *o, unsigned char c)
{
    char to = ascii(c);

    if (to == ' ')
        o->blank = true;
    else if (to)
        put(o, &to, 1);
}

static const char *letter(int32_t cp)
{
    size_t lo = 0, hi = ARRAY_LEN(letters);

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (letters[mid].cp == cp)
            return letters[mid].to;
        if (letters[mid].cp < cp)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

static int digit(int32_t cp)
{
    for (size_t i = 0; i < ARRAY_LEN(zeros) && (uint32_t)cp >= zeros[i]; i++)
        if ((uint32_t)cp < zeros[i] + 10)
            return cp - (int32_t)zeros[i];
    return -1;
}

/* Marks that are accents: above, below, through and attached ones, nuktas, Hebrew and Arabic
 * points. Vowel signs, viramas and tone marks of Asian scripts are part of the word. */
static bool is_accent(int ccc)
{
    return ccc == 1 || ccc == 7 || (ccc >= 10 && ccc <= 36) || ccc >= 200;
}

/* Variation selectors and the grapheme joiner: marks of class 0 that show nothing. */
static bool is_selector(int32_t cp)
{
    return cp == 0x034f || (cp >= 0x180b && cp <= 0x180f) || (cp >= 0xfe00 && cp <= 0xfe0f) ||
           (cp >= 0xe0100 && cp <= 0xe01ef);
}

/* Letters that are written for an apostrophe (ʹ … ʿ), and the Arabic stretching stroke. */
static bool is_silent(int32_t cp)
{
    return cp == 0x0640 || (cp >= 0x02b9 && cp <= 0x02bf);
}

static bool is_apostrophe(int32_t cp)
{
    return cp == 0x2018 || cp == 0x2019 || cp == 0x201b || cp == 0x2032 || cp == 0x05f3 ||
           cp == 0x05f4;
}

/* A code point above ASCII, decomposed and case-folded already. */
static void put_folded(struct out *o, int32_t cp)
{
    const utf8proc_property_t *prop = utf8proc_get_property(cp);
    const char *to;
    char c;

    switch (prop->category) {
    case UTF8PROC_CATEGORY_ND:
        if (digit(cp) >= 0) {
            c = (char)('0' + digit(cp));
            put(o, &c, 1);
            return;
        }
        break;
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LO:
        to = letter(cp);
        if (to) {
            put(o, to, strlen(to));
            return;
        }
        break;
    case UTF8PROC_CATEGORY_LM:
        if (is_silent(cp))
            return;
        break;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
        if (is_accent(prop->combining_class) || is_selector(cp))
            return;
        break;
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_SK: return;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO: o->blank |= !is_apostrophe(cp); return;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC: o->blank = true; return;
    default: break;
    }
    put_cp(o, cp);
}

#define DECOMPOSED_MAX 32 /* code points of one decomposed; the longest has 18 */
#define ACUTE 0x00b4      /* decomposes to a blank and a mark, but stands for an apostrophe */
#define REPLACEMENT 0xfffd

static void put_wide(struct out *o, int32_t cp)
{
    utf8proc_int32_t parts[DECOMPOSED_MAX];
    utf8proc_ssize_t n;
    int bound = 0;

    if (cp == ACUTE)
        return;
    n = utf8proc_decompose_char(cp, parts, DECOMPOSED_MAX,
                                UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD, &bound);
    if (n < 0 || n > DECOMPOSED_MAX) {
        put_cp(o, cp);
        return;
    }
    for (utf8proc_ssize_t i = 0; i < n; i++) {
        if (parts[i] < 0x80)
            put_ascii(o, (unsigned char)parts[i]);
        else
            put_folded(o, parts[i]);
    }
}

size_t fold_text(struct str s, char *ret, size_t max, bool *ret_cut)
{
    struct out o = {.p = ret, .max = max};
    size_t i = 0;

    while (i < s.n && !o.cut) {
        utf8proc_int32_t cp;
        utf8proc_ssize_t n;

        if ((unsigned char)s.p[i] < 0x80) {
            put_ascii(&o, (unsigned char)s.p[i++]);
            continue;
        }
        n = utf8proc_iterate((const utf8proc_uint8_t *)s.p + i,
                             (utf8proc_ssize_t)MIN(s.n - i, (size_t)4), &cp);
        if (n <= 0) {
            put_cp(&o, REPLACEMENT);
            i++;
            continue;
        }
        put_wide(&o, cp);
        i += (size_t)n;
    }
    if (ret_cut)
        *ret_cut = o.cut;
    return o.n;
}

struct str fold_dup(struct arena *a, struct str s)
{
    size_t max = s.n + 32;
    bool cut = true;
    size_t n = 0;
    char *p = NULL;

    /* Most folds are not longer than their text; one of ligatures may need more than one try. */
    for (; cut; max *= 4) {
        p = arena_alloc(a, max);
        if (!p)
            return STR_NULL;
        n = fold_text(s, p, max, &cut);
    }
    return str_n(p, n);
}
