#include "base/str.h"

int str_cmp(struct str a, struct str b)
{
    size_t n = MIN(a.n, b.n);
    int c = n ? memcmp(a.p, b.p, n) : 0;

    if (c)
        return c;
    return (a.n > b.n) - (a.n < b.n);
}

static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower((unsigned char)a.p[i]) != lower((unsigned char)b.p[i]))
            return false;
    return true;
}

ptrdiff_t str_rfind(struct str s, char c)
{
    const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;
    return at ? at - s.p : -1;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.n && is_blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool str_split(struct str *rest, char sep, struct str *ret_part)
{
    ptrdiff_t at;

    if (!rest->p)
        return false;
    at = str_find(*rest, sep);
    if (at < 0) {
        *ret_part = *rest;
        *rest = STR_NULL;
    } else {
        *ret_part = str_head(*rest, (size_t)at);
        *rest = str_from(*rest, (size_t)at + 1);
    }
    return true;
}

bool str_to_u64(struct str s, uint64_t max, uint64_t *ret)
{
    uint64_t v = 0;

    if (s.n == 0 || s.n > 20)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned d = (unsigned char)s.p[i] - '0';
        if (d > 9 || v > (UINT64_MAX - d) / 10)
            return false;
        v = v * 10 + d;
    }
    if (v > max)
        return false;
    *ret = v;
    return true;
}

uint64_t str_hash(struct str s)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
    return h;
}

/* Bytes of the sequence that begins with c, 0 for none, and the range of its second byte. */
static size_t sequence(unsigned char c, unsigned char *ret_lo, unsigned char *ret_hi)
{
    *ret_lo = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    *ret_hi = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    return c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
}

bool str_is_utf8(struct str s)
{
    for (size_t i = 0, n; i < s.n; i += n) {
        const unsigned char *p = (const unsigned char *)s.p + i;
        unsigned char lo, hi;

        n = sequence(p[0], &lo, &hi);
        if (!n || n > s.n - i || (n > 1 && (p[1] < lo || p[1] > hi)))
            return false;
        for (size_t k = 2; k < n; k++)
            if (p[k] < 0x80 || p[k] > 0xbf)
                return false;
    }
    return true;
}

/* ---- escapes ---- */

/* What four hexadecimal digits say, or -1. */
static int hex4(struct str s)
{
    int v = 0;

    for (size_t i = 0; i < 4; i++) {
        char c = i < s.n ? s.p[i] : ' ';
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        v = v << 4 | digit;
    }
    return v;
}

static size_t put_utf8(char to[4], unsigned c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xc0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xe0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 0x3f));
        to[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 0x3f));
    to[2] = (char)(0x80 | (c >> 6 & 0x3f));
    to[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

static bool is_surrogate(int c, int from)
{
    return c >= from && c < from + 0x400;
}

size_t str_unicode_escape(struct str s, char to[4], size_t *ret_n)
{
    int c = s.n && s.p[0] == 'u' ? hex4(str_from(s, 1)) : -1, low;

    if (c <= 0 || is_surrogate(c, 0xdc00))
        return 0;
    if (!is_surrogate(c, 0xd800)) {
        *ret_n = put_utf8(to, (unsigned)c);
        return 5;
    }
    low = str_starts(str_from(s, 5), STR("\\u")) ? hex4(str_from(s, 7)) : -1;
    if (!is_surrogate(low, 0xdc00))
        return 0;
    *ret_n = put_utf8(to, 0x10000 + ((unsigned)(c - 0xd800) << 10) + (unsigned)(low - 0xdc00));
    return 11;
}
