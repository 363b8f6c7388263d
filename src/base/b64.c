#include "base/b64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decodes into `to`, which has room for 3 bytes for each 4 characters; -1 when it is not base 64.
 */
static ptrdiff_t decode(char *to, struct str text)
{
    uint32_t bits = 0;
    size_t n = 0, chars = 0, pads = 0;

    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        int v;
        if (c == ' ' || c == '\n' || c == '\r' || c == '\t')
            continue;
        if (c == '=') {
            pads++;
            continue;
        }
        v = value(c);
        if (v < 0 || pads)
            return -1;
        bits = bits << 6 | (uint32_t)v;
        if (++chars % 4 == 0) {
            to[n++] = (char)(bits >> 16);
            to[n++] = (char)(bits >> 8);
            to[n++] = (char)bits;
        }
    }
    if (pads > 2 || (chars + pads) % 4 || chars % 4 == 1)
        return -1;
    if (chars % 4 >= 2)
        to[n++] = (char)(chars % 4 == 2 ? bits >> 4 : bits >> 10);
    if (chars % 4 == 3)
        to[n++] = (char)(bits >> 2);
    return (ptrdiff_t)n;
}

struct str b64_decode(struct arena *a, struct str text)
{
    char *to = arena_alloc(a, text.n / 4 * 3 + 3);
    ptrdiff_t n = to ? decode(to, text) : -1;

    return n < 0 ? STR_NULL : str_n(to, (size_t)n);
}

bool b64_decode_to(struct sb *out, struct str text)
{
    char *to = sb_room(out, text.n / 4 * 3 + 3);
    ptrdiff_t n = to ? decode(to, text) : -1;

    if (n < 0)
        return false;
    sb_add(out, (size_t)n);
    return true;
}

void b64_encode(struct sb *out, struct str bytes)
{
    char *to = sb_room(out, (bytes.n + 2) / 3 * 4);
    const unsigned char *p = (const unsigned char *)bytes.p;
    size_t n = 0;

    if (!to)
        return;
    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t left = bytes.n - i;
        uint32_t bits = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
                        (left > 2 ? p[i + 2] : 0u);
        to[n++] = alphabet[bits >> 18];
        to[n++] = alphabet[bits >> 12 & 63];
        to[n++] = left > 1 ? alphabet[bits >> 6 & 63] : '=';
        to[n++] = left > 2 ? alphabet[bits & 63] : '=';
    }
    sb_add(out, n);
}

/* Of the URL alphabet; -1 for anything else. */
static int url_value(char c)
{
    return c == '-' ? 62 : c == '_' ? 63 : c == '+' || c == '/' ? -1 : value(c);
}

struct str b64url_decode(struct arena *a, struct str text)
{
    unsigned char *to = arena_alloc(a, text.n / 4 * 3 + 3);
    uint32_t bits = 0;
    size_t n = 0;

    if (!to || text.n % 4 == 1)
        return STR_NULL;
    for (size_t i = 0; i < text.n; i++) {
        int v = url_value(text.p[i]);

        if (v < 0)
            return STR_NULL;
        bits = bits << 6 | (uint32_t)v;
        if (i % 4 == 0)
            continue;
        to[n++] = (unsigned char)(bits >> (i % 4 == 1 ? 4 : i % 4 == 2 ? 2 : 0));
    }
    /* One text for each value: what hangs over the last byte must be nothing. */
    if ((text.n % 4 == 2 && bits & 15) || (text.n % 4 == 3 && bits & 3))
        return STR_NULL;
    return str_n((const char *)to, n);
}

void b64url_encode(struct sb *out, struct str bytes)
{
    size_t from = out->n;

    b64_encode(out, bytes);
    if (out->failed)
        return;
    while (out->n > from && out->p[out->n - 1] == '=')
        out->n--;
    for (size_t i = from; i < out->n; i++)
        out->p[i] = out->p[i] == '+' ? '-' : out->p[i] == '/' ? '_' : out->p[i];
}
