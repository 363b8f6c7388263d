/* image.h - compiled terminology as one piece of bytes: the same in memory and in the store.
 *
 * An image has sections, each an array of fixed records or a pool of text; records refer to text by
 * its place in the pool and to each other by number, so that nothing is relocated when an image is
 * read back. Little-endian, as every machine that we run on. Format: docs/formats/terminology.md.
 * Only our own bytes come here: a checksum says whether they are still the ones that were written.
 */
#ifndef TERMINOLOGY_IMAGE_H
#define TERMINOLOGY_IMAGE_H

#include "base/err.h"
#include "base/sb.h"

#define IMAGE_SECTIONS_MAX 16
#define TEXT_PROBES_MAX 1000      /* texts that may lie in each other's way: more are made to */
#define IMAGE_BYTES_MAX MIB(1024) /* of one image; and of each of its sections */

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "images are little-endian");

enum image_kind { IMAGE_CODE_SYSTEM = 1, IMAGE_CONCEPT_MAP = 2 };

/* A place in the pool; 0 is the empty text. */
typedef uint32_t text_at;

struct image {
    char *bytes;
    size_t n;
    const void *at[IMAGE_SECTIONS_MAX];
    size_t section_n[IMAGE_SECTIONS_MAX]; /* bytes */
};

/* Takes `bytes` (of malloc), also when it fails. ERR_NO_STORE when they are not an image of this
 * kind, or damaged. */
int image_open(struct image *ret, char *bytes, size_t n, enum image_kind kind, struct err *err);
void image_done(struct image *im);

/* A text of section `pool`. */
struct str image_text(const struct image *im, int pool, text_at at);

/* ---- making one ---- */

/* An array that grows on the heap; after the first failure it stays as it is and `failed`. */
struct grow {
    char *p;
    size_t n, cap; /* elements */
    bool failed;
};

/* Room for one more element of this size, cleared; NULL when there is none. */
void *grow_add(struct grow *g, size_t size);
void grow_done(struct grow *g);
#define GROW_AT(g, type, i) (&((type *)(void *)(g)->p)[i])

/* Texts, each kept once. */
struct text_pool {
    struct sb bytes;
    uint32_t *slots; /* hash table of places */
    size_t mask, used;
    bool failed;
};

void text_pool_init(struct text_pool *p);
void text_pool_done(struct text_pool *p);
/* The place of a text, put in if it is new; 0 for the empty text and after a failure. */
text_at text_pool_add(struct text_pool *p, struct str s);
struct str text_pool_get(const struct text_pool *p, text_at at);

struct image_part {
    const void *p;
    size_t n; /* bytes */
};

/* Puts sections together; the caller frees *ret. */
int image_write(enum image_kind kind, const struct image_part *parts, size_t n, char **ret,
                size_t *ret_n, struct err *err);

#endif
