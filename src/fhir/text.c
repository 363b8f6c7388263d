#include "fhir/text.h"

#include "base/sb.h"
#include "fhir/fold.h"

#include <utf8proc.h>

#define TEXT_MAX MIB(96)
#define ENTITY_MAX 10

/* Scripts without blanks between words: first and last code point. */
static const struct {
    int32_t from, to;
} unbroken[] = {
    {0x0e00, 0x0eff},   /* Thai, Lao */
    {0x0f00, 0x0fff},   /* Tibetan */
    {0x1000, 0x109f},   /* Burmese */
    {0x1780, 0x17ff},   /* Khmer */
    {0x3040, 0x30ff},   /* kana */
    {0x31f0, 0x31ff},   /* kana, small */
    {0x3400, 0x4dbf},   /* Han, extension A */
    {0x4e00, 0x9fff},   /* Han */
    {0xf900, 0xfaff},   /* Han, compatibility */
    {0x20000, 0x323af}, /* Han, the other extensions */
};

static bool is_unbroken(int32_t cp)
{
    for (size_t i = 0; i < ARRAY_LEN(unbroken); i++)
        if (cp >= unbroken[i].from && cp <= unbroken[i].to)
            return true;
    return false;
}

/* The code point at the front and its bytes; folded text is UTF-8. */
static size_t code_point(struct str s, int32_t *ret)
{
    utf8proc_ssize_t n =
        utf8proc_iterate((const utf8proc_uint8_t *)s.p, (utf8proc_ssize_t)s.n, ret);

    if (n > 0)
        return (size_t)n;
    *ret = 0;
    return 1;
}

/* A character of a script without blanks, with the marks that follow it. */
static size_t cluster(struct str s)
{
    int32_t cp;
    size_t n = code_point(s, &cp);

    while (n < s.n) {
        size_t more = code_point(str_from(s, n), &cp);
        utf8proc_category_t c = utf8proc_category(cp);
        if (c != UTF8PROC_CATEGORY_MN && c != UTF8PROC_CATEGORY_MC)
            break;
        n += more;
    }
    return n;
}

static struct str cut(struct str word)
{
    size_t n = MIN(word.n, (size_t)TEXT_TOKEN_BYTES);

    while (n < word.n && n && ((unsigned char)word.p[n] & 0xc0) == 0x80)
        n--;
    return str_head(word, n);
}

int text_tokens(struct str s, text_visit *visit, void *ctx)
{
    int r = 0;

    while (s.n && r == 0) {
        size_t n = 0, more;
        int32_t cp;

        if (s.p[0] == ' ') {
            s = str_from(s, 1);
            continue;
        }
        code_point(s, &cp);
        if (is_unbroken(cp)) {
            n = cluster(s);
            more = n < s.n && s.p[n] != ' ' ? cluster(str_from(s, n)) : 0;
            if (more)
                code_point(str_from(s, n), &cp);
            r = visit(ctx, cut(str_head(s, n + (more && is_unbroken(cp) ? more : 0))));
            s = str_from(s, n);
            continue;
        }
        while (n < s.n && s.p[n] != ' ') {
            more = code_point(str_from(s, n), &cp);
            if (is_unbroken(cp))
                break;
            n += more;
        }
        r = visit(ctx, cut(str_head(s, n)));
        s = str_from(s, n);
    }
    return r;
}

/* ---- the text of a resource ---- */

struct gather {
    struct sb out;
};

/* Folded text grows; it is folded piece by piece. */
static void put(struct gather *g, struct str text)
{
    char *to = text.n ? sb_room(&g->out, text.n * FOLD_GROWTH + 1) : NULL;
    size_t n;

    if (!to)
        return;
    n = fold_text(text, to, text.n * FOLD_GROWTH, NULL);
    if (n)
        to[n++] = ' ';
    sb_add(&g->out, n);
}

/* The character that an entity stands for, as UTF-8 in `to`; what is none gives a blank. */
static size_t entity(struct str name, char *to)
{
    static const struct {
        const char *name;
        char is;
    } named[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    uint64_t cp = 0;

    for (size_t i = 0; i < ARRAY_LEN(named); i++) {
        if (str_eq(name, str_c(named[i].name))) {
            to[0] = named[i].is;
            return 1;
        }
    }
    if (name.n > 2 && name.p[0] == '#' && (name.p[1] | 0x20) == 'x') {
        for (size_t i = 2; i < name.n; i++) {
            char c = (char)(name.p[i] | 0x20);
            unsigned d = name.p[i] >= '0' && name.p[i] <= '9' ? (unsigned)(name.p[i] - '0')
                         : c >= 'a' && c <= 'f'               ? (unsigned)(c - 'a' + 10)
                                                              : 0;
            cp = cp << 4 | d;
        }
    } else if (name.n < 2 || name.p[0] != '#' || !str_to_u64(str_from(name, 1), 0x10ffff, &cp)) {
        cp = ' ';
    }
    if (!utf8proc_codepoint_valid((utf8proc_int32_t)cp))
        cp = ' ';
    return (size_t)utf8proc_encode_char((utf8proc_int32_t)cp, (utf8proc_uint8_t *)to);
}

/* XHTML without its tags: they end a word, as inline tags within a word hardly ever do. */
static void put_markup(struct gather *g, struct str html)
{
    _cleanup_(sb_done) struct sb plain = sb_make(TEXT_MAX);

    for (size_t i = 0; i < html.n; i++) {
        struct str rest = str_from(html, i);
        ptrdiff_t end = html.p[i] == '<'   ? str_find(rest, '>')
                        : html.p[i] == '&' ? str_find(str_head(rest, ENTITY_MAX), ';')
                                           : -1;
        if (end > 0 && html.p[i] == '<') {
            sb_char(&plain, ' ');
            i += (size_t)end;
        } else if (end > 0) {
            char bytes[4];
            sb_put(&plain, bytes, entity(str_n(html.p + i + 1, (size_t)end - 1), bytes));
            i += (size_t)end;
        } else {
            sb_char(&plain, html.p[i]);
        }
    }
    if (plain.failed)
        g->out.failed = true;
    else
        put(g, sb_view(&plain));
}

/* Members whose strings are no words. */
static bool is_wordless(struct str name)
{
    static const char *const names[] = {"id",  "resourceType", "reference", "system",     "data",
                                        "url", "profile",      "versionId", "lastUpdated"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(name, str_c(names[i])))
            return true;
    return false;
}

/* js_parse bounds the depth. */
static void put_all(struct gather *g, struct str name, yyjson_val *v)
{
    size_t i, max;
    yyjson_val *key, *e;

    if (yyjson_is_str(v)) {
        if (str_eq(name, STR("div")))
            put_markup(g, js_str(v));
        else if (!is_wordless(name))
            put(g, js_str(v));
    } else if (yyjson_is_arr(v)) {
        yyjson_arr_foreach(v, i, max, e) {
            put_all(g, name, e);
        }
    } else if (yyjson_is_obj(v)) {
        yyjson_obj_foreach(v, i, max, key, e) {
            put_all(g, js_str(key), e);
        }
    }
}

struct str text_of(struct arena *a, yyjson_val *root, bool all)
{
    struct gather g = {sb_make(TEXT_MAX)};
    struct str text;

    if (all)
        put_all(&g, STR(""), root);
    else
        put_markup(&g, js_get_str(js_get(root, "text"), "div"));
    text = g.out.failed ? STR_NULL : g.out.n ? arena_dup(a, sb_view(&g.out)) : STR("");
    sb_done(&g.out);
    return text;
}
