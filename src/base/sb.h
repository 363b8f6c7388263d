/* sb.h - string builder: grows on the heap to a maximum fixed at birth.
 *
 * Appending never reports an error by itself: the first failure (limit, memory) sticks, later
 * appends do nothing, and the caller asks sb_ok once at the end.
 */
#ifndef BASE_SB_H
#define BASE_SB_H

#include "base/err.h"
#include "base/str.h"

struct sb {
    char *p;
    size_t n, cap, max;
    bool failed;
};

static inline struct sb sb_make(size_t max)
{
    return (struct sb){.max = max};
}

void sb_done(struct sb *b);
static inline void sb_reset(struct sb *b)
{
    b->n = 0;
    b->failed = false;
}

/* Room for n more bytes at the end, counted by sb_add afterwards; NULL (and failed) if there is
 * none. */
char *sb_room(struct sb *b, size_t n);
static inline void sb_add(struct sb *b, size_t n)
{
    b->n += n;
}

void sb_grow_put(struct sb *b, const void *p, size_t n);
/* In the header, so that bytes of a known number that fit are a few moves. */
static inline void sb_put(struct sb *b, const void *p, size_t n)
{
    if (n == 0)
        return;
    if (n > b->cap - b->n || b->failed) {
        sb_grow_put(b, p, n);
        return;
    }
    memcpy(b->p + b->n, p, n);
    b->n += n;
}
static inline void sb_str(struct sb *b, struct str s)
{
    sb_put(b, s.p, s.n);
}
#define sb_lit(b, lit) sb_put((b), "" lit, sizeof(lit) - 1)
static inline void sb_char(struct sb *b, char c)
{
    sb_put(b, &c, 1);
}
void sb_fmt(struct sb *b, const char *fmt, ...) _printf_(2, 3);
void sb_i64(struct sb *b, int64_t v);

/* A JSON string with its quotes. Bytes must be UTF-8; controls, '"' and '\\' are escaped. */
void sb_json(struct sb *b, struct str s);
/* Percent-encodes everything but RFC 3986 unreserved characters. */
void sb_uri(struct sb *b, struct str s);
/* The same, and leaves the characters of `keep` as they stand. */
void sb_uri_but(struct sb *b, struct str s, const char *keep);
/* Text for XHTML: & < > " ' become entities. */
void sb_html(struct sb *b, struct str s);

static inline struct str sb_view(const struct sb *b)
{
    return str_n(b->p, b->n);
}

/* Appends a whole file. ERR_VALUE says that it cannot be read, or is longer than the builder's
 * maximum. */
int sb_load(struct sb *b, const char *path, struct err *err);

/* 0, or ERR_NO_MEMORY with err filled when an append failed. */
int sb_ok(const struct sb *b, struct err *err);

/* Gives the bytes away: the caller frees them with free(). The builder is empty after. */
char *sb_steal(struct sb *b, size_t *ret_n);

#endif
