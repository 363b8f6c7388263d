#include "store/search/search_int.h"

#include "store/sight.h"

int rows_add(struct rows *rows, struct arena *a, uint64_t row, struct err *err)
{
    if (rows->n == rows->cap) {
        size_t cap = rows->cap ? rows->cap * 2 : 32;
        uint64_t *v = arena_grow(a, rows->v, rows->cap * sizeof *v, cap * sizeof *v);
        if (!v)
            return err_no_memory(err);
        rows->v = v;
        rows->cap = cap;
    }
    rows->v[rows->n++] = row;
    return 0;
}

static int to_bits(struct rowset *s, struct arena *a, uint64_t max, struct err *err)
{
    uint64_t *bits = ARENA_ARRAY(a, uint64_t, max / 64 + 1);

    if (!bits)
        return err_no_memory(err);
    for (size_t i = 0; i < s->n; i++)
        bits[s->v[i] / 64] |= UINT64_C(1) << (s->v[i] % 64);
    s->bits = bits;
    s->max = max;
    s->n = 0;
    return 0;
}

int rowset_init_bits(struct rowset *s, struct arena *a, uint64_t max, struct err *err)
{
    return to_bits(s, a, max, err);
}

uint64_t rowset_count(const struct rowset *s)
{
    uint64_t n = s->n;

    for (uint64_t i = 0; s->bits && i <= s->max / 64; i++)
        n += (unsigned)__builtin_popcountll(s->bits[i]);
    return n;
}

int rowset_add(struct rowset *s, struct arena *a, uint64_t row, uint64_t max, struct err *err)
{
    if (row > max)
        return 0;
    if (s->bits) {
        s->bits[row / 64] |= UINT64_C(1) << (row % 64);
        return 0;
    }
    if (s->n == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 64;
        uint64_t *v;

        if (s->n >= search_limits.set_array) {
            int r = to_bits(s, a, max, err);
            return r < 0 ? r : rowset_add(s, a, row, max, err);
        }
        v = arena_grow(a, s->v, s->cap * sizeof *v, cap * sizeof *v);
        if (!v)
            return err_no_memory(err);
        s->v = v;
        s->cap = cap;
    }
    s->v[s->n++] = row;
    return 0;
}

static int row_cmp(const void *x, const void *y)
{
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

    return a < b ? -1 : a > b;
}

void rowset_sort(struct rowset *s)
{
    size_t kept = 0;
    bool is_sorted = true;

    if (s->bits)
        return;
    for (size_t i = 1; i < s->n && is_sorted; i++)
        is_sorted = s->v[i - 1] < s->v[i];
    if (is_sorted)
        return;
    qsort(s->v, s->n, sizeof *s->v, row_cmp);
    for (size_t i = 0; i < s->n; i++)
        if (kept == 0 || s->v[kept - 1] != s->v[i])
            s->v[kept++] = s->v[i];
    s->n = kept;
}

bool rowset_has(const struct rowset *s, uint64_t row)
{
    size_t at;

    if (s->bits)
        return row <= s->max && (s->bits[row / 64] >> (row % 64) & 1);
    at = rows_from(s->v, s->n, row);
    return at < s->n && s->v[at] == row;
}

static uint64_t bits_seek(const struct rowset *s, uint64_t row, bool desc)
{
    uint64_t word;
    size_t i;

    if (row > s->max) {
        if (!desc)
            return 0;
        row = s->max;
    }
    i = row / 64;
    word = desc ? s->bits[i] & (~UINT64_C(0) >> (63 - row % 64))
                : s->bits[i] & (~UINT64_C(0) << (row % 64));
    while (!word) {
        if (desc ? i == 0 : i == s->max / 64)
            return 0;
        i += desc ? (size_t)-1 : 1;
        word = s->bits[i];
    }
    return i * 64 + (uint64_t)(desc ? 63 - __builtin_clzll(word) : __builtin_ctzll(word));
}

uint64_t rowset_seek(const struct rowset *s, uint64_t row, bool desc)
{
    size_t at;

    if (s->bits)
        return bits_seek(s, row, desc);
    at = rows_from(s->v, s->n, row);
    if (!desc)
        return at < s->n ? s->v[at] : 0;
    if (at < s->n && s->v[at] == row)
        return row;
    return at ? s->v[at - 1] : 0;
}
