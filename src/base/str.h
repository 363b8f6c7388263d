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

/* A whole decimal number without sign or blanks, at most `max`. Returns false if it is not one. */
bool str_to_u64(struct str s, uint64_t max, uint64_t *ret);

/* Whether the bytes are UTF-8 (RFC 3629): no surrogates, no longer forms than needed. */
bool str_is_utf8(struct str s);

/* 64-bit FNV-1a, for hash tables of trusted keys and for the index's names of unknown systems. */
uint64_t str_hash(struct str s);

#endif
