#include "base/sb.h"

#include "base/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sb_done(struct sb *b)
{
    free(b->p);
    *b = sb_make(b->max);
}

char *sb_room(struct sb *b, size_t n)
{
    size_t cap;
    char *p;

    if (b->failed)
        return NULL;
    if (b->p && n <= b->cap - b->n)
        return b->p + b->n;
    if (n > b->max - b->n || fault_point("sb")) {
        b->failed = true;
        return NULL;
    }
    cap = MAX(b->cap * 2, MAX(b->n + n, (size_t)256));
    if (cap > b->max)
        cap = b->max;
    p = realloc(b->p, cap);
    if (!p) {
        b->failed = true;
        return NULL;
    }
    b->p = p;
    b->cap = cap;
    return p + b->n;
}

void sb_grow_put(struct sb *b, const void *p, size_t n)
{
    char *to = sb_room(b, n);

    if (!to)
        return;
    memcpy(to, p, n);
    b->n += n;
}

void sb_fmt(struct sb *b, const char *fmt, ...)
{
    va_list ap;
    char small[128], *to;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n < 0) {
        b->failed = true;
        return;
    }
    if ((size_t)n < sizeof small) {
        sb_put(b, small, (size_t)n);
        return;
    }
    to = sb_room(b, (size_t)n + 1);
    if (!to)
        return;
    va_start(ap, fmt);
    vsnprintf(to, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->n += (size_t)n;
}

void sb_i64(struct sb *b, int64_t v)
{
    char digits[24], *at = digits + sizeof digits;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

    do {
        *--at = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    if (v < 0)
        *--at = '-';
    sb_put(b, at, (size_t)(digits + sizeof digits - at));
}

/* Behind the bytes from i on that need no escape, eight at a time: bytes below 0x20, '"' and '\\'
 * end it, or the last seven of the text. */
static size_t skip_plain(struct str s, size_t i)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;

    for (; i + 8 <= s.n; i += 8) {
        uint64_t x, quote, slash;
        memcpy(&x, s.p + i, 8);
        quote = x ^ ones * '"';
        slash = x ^ ones * '\\';
        if (((x - ones * ' ') & ~x & high) || ((quote - ones) & ~quote & high) ||
            ((slash - ones) & ~slash & high))
            break;
    }
    return i;
}

void sb_json(struct sb *b, struct str s)
{
    static const char hex[] = "0123456789abcdef";
    size_t from = 0;

    sb_char(b, '"');
    for (size_t i = skip_plain(s, 0); i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        char esc[6] = {'\\', 0, '0', '0', 0, 0};
        size_t n = 2;

        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        switch (c) {
        case '"':
        case '\\': esc[1] = (char)c; break;
        case '\n': esc[1] = 'n'; break;
        case '\r': esc[1] = 'r'; break;
        case '\t': esc[1] = 't'; break;
        default:
            esc[1] = 'u';
            esc[4] = hex[c >> 4];
            esc[5] = hex[c & 15];
            n = 6;
        }
        sb_put(b, s.p + from, i - from);
        sb_put(b, esc, n);
        from = i + 1;
        i = skip_plain(s, from) - 1;
    }
    if (from < s.n)
        sb_put(b, s.p + from, s.n - from);
    sb_char(b, '"');
}

static bool is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static bool stays(char c, const char *keep)
{
    return is_unreserved((unsigned char)c) || (c && strchr(keep, c));
}

void sb_uri_but(struct sb *b, struct str s, const char *keep)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t n = 0;
    char *to;

    for (size_t i = 0; i < s.n; i++)
        n += stays(s.p[i], keep) ? 1 : 3;
    to = sb_room(b, n);
    for (size_t i = 0; to && i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (stays(s.p[i], keep)) {
            *to++ = s.p[i];
        } else {
            *to++ = '%';
            *to++ = digits[c >> 4];
            *to++ = digits[c & 15];
        }
    }
    if (to)
        sb_add(b, n);
}

void sb_uri(struct sb *b, struct str s)
{
    sb_uri_but(b, s, "");
}

void sb_html(struct sb *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '&': sb_lit(b, "&amp;"); break;
        case '<': sb_lit(b, "&lt;"); break;
        case '>': sb_lit(b, "&gt;"); break;
        case '"': sb_lit(b, "&quot;"); break;
        case '\'': sb_lit(b, "&#39;"); break;
        default: sb_char(b, s.p[i]);
        }
    }
}

int sb_ok(const struct sb *b, struct err *err)
{
    return b->failed ? err_no_memory(err) : 0;
}

char *sb_steal(struct sb *b, size_t *ret_n)
{
    char *p = b->p;

    *ret_n = b->n;
    *b = sb_make(b->max);
    return p;
}

int sb_load(struct sb *b, const char *path, struct err *err)
{
    FILE *f = fopen(path, "re");
    bool is_bad;
    char *to;
    size_t n;

    if (!f)
        return err_set(err, ERR_VALUE, "\"%s\" cannot be read: %s", path, strerror(errno));
    while ((to = sb_room(b, KIB(4))) && (n = fread(to, 1, KIB(4), f)) > 0)
        sb_add(b, n);
    is_bad = ferror(f) != 0;
    fclose(f);
    if (is_bad)
        return err_set(err, ERR_VALUE, "\"%s\" cannot be read", path);
    return b->failed ? err_set(err, ERR_VALUE, "\"%s\" is longer than %zu bytes", path, b->max) : 0;
}
