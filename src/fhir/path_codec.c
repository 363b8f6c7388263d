/* encode(), decode(), escape() and unescape(). */
#include "fhir/path_int.h"

#include "base/b64.h"

#include <utf8proc.h>

/* The input and the name of the format; *ret_b is for the result. */
static int begin(const struct path_call *c, struct str *ret, struct str *ret_format)
{
    int r = path_one_string(c, c->in, ret);

    return r <= 0 ? r : path_arg_string(c, 0, ret_format);
}

static int push(const struct path_call *c, const struct sb *b, struct path_items *out)
{
    int r = sb_ok(b, c->err);

    if (r >= 0)
        r = path_spend(c->env, b->n / 64, c->err);
    return r < 0 ? r
                 : path_push_text(c->env, out, PATH_STRING,
                                  arena_dup(c->env->a, b->n ? sb_view(b) : STR("")), c->err);
}

static void replace_chars(struct sb *b, const char *from, const char *to)
{
    for (size_t i = 0; i < b->n; i++) {
        const char *at = b->p[i] ? strchr(from, b->p[i]) : NULL;
        if (at)
            b->p[i] = to[at - from];
    }
}

int path_fn_encode(const struct path_call *c, struct path_items *out)
{
    _cleanup_(sb_done) struct sb b = sb_make(2 * PATH_STRING_MAX);
    struct str s, format;
    int r = begin(c, &s, &format);

    if (r <= 0)
        return r;
    if (str_eq(format, STR("hex"))) {
        for (size_t i = 0; i < s.n; i++)
            sb_fmt(&b, "%02x", (unsigned char)s.p[i]);
    } else if (str_eq(format, STR("base64")) || str_eq(format, STR("urlbase64"))) {
        b64_encode(&b, s);
        if (format.p[0] == 'u')
            replace_chars(&b, "+/", "-_");
    } else {
        return 0;
    }
    return push(c, &b, out);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool from_hex(struct sb *b, struct str s)
{
    if (s.n % 2)
        return false;
    for (size_t i = 0; i < s.n; i += 2) {
        int high = hex_digit(s.p[i]), low = hex_digit(s.p[i + 1]);
        if (high < 0 || low < 0)
            return false;
        sb_char(b, (char)(high * 16 + low));
    }
    return true;
}

static bool is_utf8(struct str s)
{
    while (s.n) {
        utf8proc_int32_t c;
        utf8proc_ssize_t n =
            utf8proc_iterate((const utf8proc_uint8_t *)s.p, (utf8proc_ssize_t)s.n, &c);
        if (n <= 0)
            return false;
        s = str_from(s, (size_t)n);
    }
    return true;
}

int path_fn_decode(const struct path_call *c, struct path_items *out)
{
    _cleanup_(sb_done) struct sb b = sb_make(PATH_STRING_MAX), plain = sb_make(PATH_STRING_MAX);
    struct str s, format;
    bool ok = false;
    int r = begin(c, &s, &format);

    if (r <= 0)
        return r;
    if (str_eq(format, STR("hex"))) {
        ok = from_hex(&b, s);
    } else if (str_eq(format, STR("base64"))) {
        ok = b64_decode_to(&b, s);
    } else if (str_eq(format, STR("urlbase64"))) {
        sb_str(&plain, s);
        replace_chars(&plain, "-_", "+/");
        ok = b64_decode_to(&b, plain.n ? sb_view(&plain) : STR(""));
    } else {
        return 0;
    }
    if (!ok)
        return path_wrong(c->node, c->err, "decode() met what is not %.*s", STR_ARG(format));
    if (b.n && !is_utf8(sb_view(&b)))
        return path_wrong(c->node, c->err, "decode() gives what is not UTF-8");
    return push(c, &b, out);
}

int path_fn_escape(const struct path_call *c, struct path_items *out)
{
    _cleanup_(sb_done) struct sb b = sb_make(2 * PATH_STRING_MAX);
    struct str s, format;
    int r = begin(c, &s, &format);

    if (r <= 0)
        return r;
    if (str_eq(format, STR("html"))) {
        sb_html(&b, s);
    } else if (str_eq(format, STR("json"))) {
        sb_json(&b, s);
        if (sb_ok(&b, c->err) < 0)
            return c->err->code;
        memmove(b.p, b.p + 1, b.n - 2); /* without the quotes */
        b.n -= 2;
    } else {
        return 0;
    }
    return push(c, &b, out);
}

static void put_char(struct sb *b, utf8proc_int32_t code)
{
    utf8proc_uint8_t text[4];

    if (utf8proc_codepoint_valid(code) && code)
        sb_put(b, text, (size_t)utf8proc_encode_char(code, text));
    else
        sb_lit(b, "\xef\xbf\xbd");
}

/* "#10" or "#xa" */
static bool numeric_entity(struct str name, utf8proc_int32_t *ret)
{
    bool hex = name.n > 2 && (name.p[1] == 'x' || name.p[1] == 'X');
    int32_t code = 0;

    if (name.n < 2 || name.p[0] != '#')
        return false;
    for (size_t i = hex ? 2 : 1; i < name.n; i++) {
        int digit = hex_digit(name.p[i]);
        if (digit < 0 || (!hex && digit > 9))
            return false;
        code = MIN(code * (hex ? 16 : 10) + digit, 0x110000);
    }
    *ret = code;
    return true;
}

#define ENTITY_MAX 10 /* bytes between '&' and ';' */

static void unescape_html(struct sb *b, struct str s)
{
    static const struct {
        struct str name;
        int32_t code;
    } known[] = {
        {{"amp", 3}, '&'},  {{"lt", 2}, '<'},    {{"gt", 2}, '>'},
        {{"quot", 4}, '"'}, {{"apos", 4}, '\''}, {{"nbsp", 4}, 0xa0},
    };

    for (size_t i = 0; i < s.n; i++) {
        ptrdiff_t end =
            s.p[i] == '&' ? str_find(str_head(str_from(s, i), ENTITY_MAX + 2), ';') : -1;
        struct str name = str_n(s.p + i + 1, end > 0 ? (size_t)end - 1 : 0);
        utf8proc_int32_t code = 0;
        for (size_t k = 0; end > 0 && k < ARRAY_LEN(known); k++)
            if (str_eq(known[k].name, name))
                code = known[k].code;
        if (end > 0 && (code || numeric_entity(name, &code))) {
            put_char(b, code);
            i += (size_t)end;
        } else {
            sb_char(b, s.p[i]);
        }
    }
}

static void unescape_json(struct sb *b, struct str s)
{
    static const char from[] = "bfnrt\"\\/", to[] = "\b\f\n\r\t\"\\/";

    for (size_t i = 0; i < s.n; i++) {
        const char *at =
            s.p[i] == '\\' && i + 1 < s.n && s.p[i + 1] ? strchr(from, s.p[i + 1]) : NULL;
        utf8proc_int32_t code = 0;
        if (at) {
            sb_char(b, to[at - from]);
            i++;
        } else if (s.p[i] == '\\' && i + 5 < s.n && s.p[i + 1] == 'u') {
            for (size_t k = i + 2; k < i + 6; k++)
                code = code * 16 + MAX(hex_digit(s.p[k]), 0);
            put_char(b, code);
            i += 5;
        } else {
            sb_char(b, s.p[i]);
        }
    }
}

int path_fn_unescape(const struct path_call *c, struct path_items *out)
{
    _cleanup_(sb_done) struct sb b = sb_make(2 * PATH_STRING_MAX);
    struct str s, format;
    int r = begin(c, &s, &format);

    if (r <= 0)
        return r;
    if (str_eq(format, STR("html")))
        unescape_html(&b, s);
    else if (str_eq(format, STR("json")))
        unescape_json(&b, s);
    else
        return 0;
    return push(c, &b, out);
}
