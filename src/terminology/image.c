#include "terminology/image.h"

#include "base/fault.h"

#include <stdlib.h>

#define IMAGE_MAGIC 0x31495443u /* "CTI1" */
#define IMAGE_ALIGN 8
#define SLOTS_FIRST 1024

struct head {
    uint32_t magic, kind, n_sections, reserved;
    uint64_t bytes, sum; /* of all but the sum itself */
    struct {
        uint64_t at, n;
    } sections[IMAGE_SECTIONS_MAX];
};

/* ---- reading ---- */

static uint64_t checksum(const char *p, size_t n)
{
    uint64_t h = 0x9e3779b97f4a7c15u, v;

    for (; n >= sizeof v; p += sizeof v, n -= sizeof v) {
        memcpy(&v, p, sizeof v);
        h = (h ^ v) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    return h ^ str_hash(str_n(p, n));
}

/* Of the head as it is without its sum, and of all behind it. */
static uint64_t sum_of(const char *bytes, size_t n)
{
    struct head head;

    memcpy(&head, bytes, sizeof head);
    head.sum = 0;
    return checksum((const char *)&head, sizeof head) ^
           checksum(bytes + sizeof head, n - sizeof head);
}

static int damaged(struct err *err)
{
    return err_set(err, ERR_NO_STORE, "the compiled terminology is damaged");
}

int image_open(struct image *ret, char *bytes, size_t n, enum image_kind kind, struct err *err)
{
    struct image im = {.bytes = bytes, .n = n};
    const struct head *h = (const void *)bytes;
    bool ok = n >= sizeof *h && h->magic == IMAGE_MAGIC && h->kind == (uint32_t)kind &&
              h->bytes == n && h->n_sections <= IMAGE_SECTIONS_MAX && h->sum == sum_of(bytes, n);

    for (size_t i = 0; ok && i < h->n_sections; i++) {
        ok = h->sections[i].at <= n && h->sections[i].n <= n - h->sections[i].at &&
             h->sections[i].at % IMAGE_ALIGN == 0;
        im.at[i] = bytes + h->sections[i].at;
        im.section_n[i] = h->sections[i].n;
    }
    if (!ok) {
        free(bytes);
        return damaged(err);
    }
    *ret = im;
    return 0;
}

void image_done(struct image *im)
{
    free(im->bytes);
    *im = (struct image){0};
}

/* A text is its length in 7-bit groups, then its bytes. */
static struct str read_text(const char *pool, size_t n, text_at at)
{
    size_t length = 0, i = at;
    unsigned shift = 0;

    if (!at)
        return STR("");
    while (i < n && (unsigned char)pool[i] >= 0x80 && shift < 28) {
        length |= (size_t)(pool[i++] & 0x7f) << shift;
        shift += 7;
    }
    if (i >= n)
        return STR("");
    length |= (size_t)(pool[i++] & 0x7f) << shift;
    return length <= n - i ? str_n(pool + i, length) : STR("");
}

struct str image_text(const struct image *im, int pool, text_at at)
{
    return read_text(im->at[pool], im->section_n[pool], at);
}

/* ---- making ---- */

void *grow_add(struct grow *g, size_t size)
{
    if (g->failed)
        return NULL;
    if (g->n == g->cap) {
        size_t cap = g->cap ? g->cap * 2 : 64;
        char *p =
            fault_point("alloc") || cap > IMAGE_BYTES_MAX / size ? NULL : realloc(g->p, cap * size);
        if (!p) {
            g->failed = true;
            return NULL;
        }
        g->p = p;
        g->cap = cap;
    }
    memset(g->p + g->n * size, 0, size);
    return g->p + g->n++ * size;
}

void grow_done(struct grow *g)
{
    free(g->p);
    *g = (struct grow){0};
}

void text_pool_init(struct text_pool *p)
{
    *p = (struct text_pool){.bytes = sb_make(IMAGE_BYTES_MAX)};
    sb_char(&p->bytes, '\0'); /* place 0: the empty text */
}

void text_pool_done(struct text_pool *p)
{
    sb_done(&p->bytes);
    free(p->slots);
}

struct str text_pool_get(const struct text_pool *p, text_at at)
{
    return read_text(p->bytes.p, p->bytes.n, at);
}

static bool rehash(struct text_pool *p)
{
    size_t n = p->slots ? (p->mask + 1) * 2 : SLOTS_FIRST;
    uint32_t *slots = fault_point("alloc") ? NULL : calloc(n, sizeof *slots);

    if (!slots)
        return false;
    for (size_t i = 0; p->slots && i <= p->mask; i++) {
        size_t at;
        if (!p->slots[i])
            continue;
        at = str_hash(text_pool_get(p, p->slots[i])) & (n - 1);
        while (slots[at])
            at = (at + 1) & (n - 1);
        slots[at] = p->slots[i];
    }
    free(p->slots);
    p->slots = slots;
    p->mask = n - 1;
    return true;
}

text_at text_pool_add(struct text_pool *p, struct str s)
{
    size_t at, length = s.n, probes = 0;

    if (!s.n || p->failed)
        return 0;
    if ((!p->slots || p->used * 2 > p->mask) && !rehash(p)) {
        p->failed = true;
        return 0;
    }
    for (at = str_hash(s) & p->mask; p->slots[at]; at = (at + 1) & p->mask) {
        if (str_eq(text_pool_get(p, p->slots[at]), s))
            return p->slots[at];
        if (++probes > TEXT_PROBES_MAX) {
            p->failed = true;
            return 0;
        }
    }
    p->slots[at] = (uint32_t)p->bytes.n;
    p->used++;
    for (; length >= 0x80; length >>= 7)
        sb_char(&p->bytes, (char)(0x80 | (length & 0x7f)));
    sb_char(&p->bytes, (char)length);
    sb_str(&p->bytes, s);
    p->failed = p->bytes.failed;
    return p->failed ? 0 : p->slots[at];
}

int image_write(enum image_kind kind, const struct image_part *parts, size_t n, char **ret,
                size_t *ret_n, struct err *err)
{
    struct head head = {.magic = IMAGE_MAGIC, .kind = kind, .n_sections = (uint32_t)n};
    size_t at = sizeof head;
    char *bytes;

    assert(n <= IMAGE_SECTIONS_MAX);
    for (size_t i = 0; i < n; i++) {
        at = (at + IMAGE_ALIGN - 1) / IMAGE_ALIGN * IMAGE_ALIGN;
        head.sections[i].at = at;
        head.sections[i].n = parts[i].n;
        at += parts[i].n;
    }
    if (at > IMAGE_BYTES_MAX)
        return err_set(err, ERR_COSTLY, "the compiled terminology is larger than %zu MiB",
                       IMAGE_BYTES_MAX >> 20);
    bytes = fault_point("alloc") ? NULL : calloc(1, at);
    if (!bytes)
        return err_no_memory(err);
    for (size_t i = 0; i < n; i++)
        if (parts[i].n)
            memcpy(bytes + head.sections[i].at, parts[i].p, parts[i].n);
    head.bytes = at;
    memcpy(bytes, &head, sizeof head);
    ((struct head *)(void *)bytes)->sum = sum_of(bytes, at);
    *ret = bytes;
    *ret_n = at;
    return 0;
}
