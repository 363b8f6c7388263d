/* str.h - bytes that travel with their length.
 *
 * A struct str never owns its memory and is never assumed to end in NUL. The empty string is
 * {anything, 0}; STR_NULL (p == NULL) means "absent" where a function says so.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/util.h"

#include <string.h>

struct str {
    const char *p;
    size_t n;
};

#define STR(lit) ((struct str){"" lit, sizeof(lit) - 1})
#define STR_NULL ((struct str){NULL, 0})
/* For printf: printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) (int)(s).n, (s).p

static inline struct str str_n(const char *p, size_t n)
{
    return (struct str){p, n};
}

/* A C string, NULL giving STR_NULL. */
static inline struct str str_c(const char *p)
{
    return (struct str){p, p ? strlen(p) : 0};
}

/* Whether n bytes are the same, without a call: for names and codes, which are short. */
static inline bool bytes_eq(const char *a, const char *b, size_t n)
{
    uint64_t x, y;
    uint32_t u, v;

    if (n < 4) {
        for (size_t i = 0; i < n; i++)
            if (a[i] != b[i])
                return false;
        return true;
    }
    if (n < 8) {
        memcpy(&u, a, 4);
        memcpy(&v, b, 4);
        if (u != v)
            return false;
        memcpy(&u, a + (n - 4), 4);
        memcpy(&v, b + (n - 4), 4);
        return u == v;
    }
    for (size_t i = 0; i < n - 8; i += 8) {
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
        if (x != y)
            return false;
    }
    memcpy(&x, a + (n - 8), 8);
    memcpy(&y, b + (n - 8), 8);
    return x == y;
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Byte order, shorter first where one is a prefix of the other: <0, 0, >0. */
int str_cmp(struct str a, struct str b);

/* As str_eq, with A-Z equal to a-z. */
bool str_eq_nocase(struct str a, struct str b);

static inline bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n &&
           (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

/* From byte `from` on; empty when `from` is past the end. */
static inline struct str str_from(struct str s, size_t from)
{
    return from >= s.n ? str_n(s.p + s.n, 0) : str_n(s.p + from, s.n - from);
}

static inline struct str str_head(struct str s, size_t n)
{
    return str_n(s.p, n < s.n ? n : s.n);
}

/* Position of the first byte c, or -1. */
static inline ptrdiff_t str_find(struct str s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
    return at ? at - s.p : -1;
}

/* Position of the last byte c, or -1. */
ptrdiff_t str_rfind(struct str s, char c);

/* Without blanks (space, tab, CR, LF) at both ends. */
struct str str_trim(struct str s);

/* Takes the part of *rest up to the first `sep` (or all) into *ret_part and moves *rest past it.
 * Returns false once *rest is used up: an empty *rest gives one empty part first. Start with any
 * non-NULL *rest; at the end rest->p is NULL. */
bool str_split(struct str *rest, char sep, struct str *ret_part);

/* The character of "uXXXX" at the beginning of s, what stands behind the backslash of an escape, or
 * of "uD8XX\uDCXX" that mean one. Its UTF-8 goes to `to`. Returns the bytes of s that it took, or 0
 * where they are no character (NUL and half a pair are none). */
size_t str_unicode_escape(struct str s, char to[4], size_t *ret_n);

/* A whole decimal number without sign or blanks, at most `max`. Returns false if it is not one. */
bool str_to_u64(struct str s, uint64_t max, uint64_t *ret);

/* Whether the bytes are UTF-8 (RFC 3629): no surrogates, no longer forms than needed. */
bool str_is_utf8(struct str s);

/* A quick hash for tables of short names in memory: it sees the length and the first and last eight
 * bytes. Not for keys that a stranger chooses without a bound on the search. */
static inline uint32_t str_mix(struct str s)
{
    uint64_t head = 0, tail = 0, h;

    if (s.n >= 8) {
        memcpy(&head, s.p, 8);
        memcpy(&tail, s.p + s.n - 8, 8);
    } else if (s.n >= 4) {
        memcpy(&head, s.p, 4);
        memcpy(&tail, s.p + s.n - 4, 4);
    } else if (s.n) {
        head = (uint64_t)(unsigned char)s.p[0] | (uint64_t)(unsigned char)s.p[s.n / 2] << 8 |
               (uint64_t)(unsigned char)s.p[s.n - 1] << 16;
    }
    h = (head ^ s.n) * UINT64_C(0x9e3779b97f4a7c15) ^ tail * UINT64_C(0xc2b2ae3d27d4eb4f);
    h ^= h >> 32;
    h *= UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(h >> 32);
}

/* 64-bit FNV-1a, for hash tables of trusted keys and for the index's names of unknown systems. */
uint64_t str_hash(struct str s);

#endif
