#include "store/search/search_int.h"

struct str scan_prefix(struct arena *a, uint16_t param, struct str key)
{
    char *p = arena_alloc(a, 2 + key.n);

    if (!p)
        return STR_NULL;
    p[0] = (char)(param >> 8);
    p[1] = (char)param;
    if (key.n)
        memcpy(p + 2, key.p, key.n);
    return str_n(p, 2 + key.n);
}

struct str scan_after(struct arena *a, struct str s)
{
    struct str copy;

    while (s.n && (unsigned char)s.p[s.n - 1] == 0xff)
        s.n--;
    copy = s.n ? arena_dup(a, s) : STR_NULL;
    if (copy.p)
        ((char *)(uintptr_t)copy.p)[copy.n - 1]++;
    return copy;
}

/* A bound of a point's list: its key and a row's number. */
struct bound {
    unsigned char b[ENTRY_MAX + ROW_BYTES];
    size_t n;
};

static struct str bound(struct bound *to, struct str key, uint64_t row)
{
    assert(key.n <= ENTRY_MAX);
    memcpy(to->b, key.p, key.n);
    row_put(to->b + key.n, row);
    return str_n((char *)to->b, key.n + ROW_BYTES);
}

/* Opens a range's entries; a point's within lo … hi. The bounds' bytes must outlive the steps. */
static int open_scan(struct exec *x, const struct range *range, uint64_t lo, uint64_t hi, bool desc,
                     size_t want, struct bound b[2], struct scan *ret, struct err *err)
{
    struct str from = range->lo, to = range->hi;

    if (range->is_point) {
        from = bound(&b[0], range->lo, lo);
        to = bound(&b[1], range->lo, MIN(hi, ROW_MAX - 1) + 1);
    }
    return x->ops->open(ret, x->t, x->within, SCAN_KEYS, from, to, desc, want, err);
}

/* Asks search_key, once for all rows of a key. */
bool scan_passes(struct exec *x, const struct key_range *filter, struct str key)
{
    if (x->key_of != filter || x->key_n != key.n || memcmp(x->key, key.p, key.n) != 0) {
        x->key_answer = search_key(filter, key);
        x->key_of = key.n <= sizeof x->key ? filter : NULL;
        x->key_n = MIN(key.n, sizeof x->key);
        memcpy(x->key, key.p, x->key_n);
    }
    x->asked |= x->key_answer == KEY_ASK;
    return x->key_answer != KEY_NO;
}

/* The row of an entry; 0 if the entry is not in the range (a longer key that begins alike, or one
 * that the filter refuses). */
static uint64_t entry_row(struct exec *x, const struct range *range, struct str k)
{
    if (k.n < 2 + ROW_BYTES || (range->is_point && k.n != range->lo.n + ROW_BYTES))
        return 0;
    if (range->filter && !scan_passes(x, range->filter, str_n(k.p + 2, k.n - 2 - ROW_BYTES)))
        return 0;
    return row_get((const unsigned char *)k.p + k.n - ROW_BYTES);
}

int scan_first(struct exec *x, struct str lo, struct str hi, struct str *ret, struct err *err)
{
    struct scan s;
    struct str k;
    int r = x->ops->open(&s, x->t, x->within, SCAN_KEYS, lo, hi, false, 1, err), charged;

    if (r >= 0)
        r = x->ops->next(&s, &k, err);
    if (r > 0) {
        k = arena_dup(x->tmp, str_head(k, k.n > ROW_BYTES ? k.n - ROW_BYTES : 0));
        if (k.p)
            *ret = k;
        else
            r = err_no_memory(err);
    }
    x->ops->close(&s);
    if (r >= 0 && (charged = exec_charge(x, COST_PROBE, err)) < 0)
        return charged;
    return r;
}

int scan_rows(struct exec *x, const struct range *point, uint64_t lo, uint64_t hi, bool desc,
              uint64_t *ret, size_t max, struct err *err)
{
    struct bound b[2];
    struct scan s;
    struct str k;
    size_t n = 0, seen = 0;
    int r;

    if (lo > hi)
        return 0;
    r = open_scan(x, point, lo, hi, desc, max, b, &s, err);
    while (r >= 0 && n < max && (r = x->ops->next(&s, &k, err)) > 0) {
        uint64_t row = entry_row(x, point, k);
        seen++;
        if (row)
            ret[n++] = row;
    }
    x->ops->close(&s);
    if (r < 0 || (r = exec_charge(x, seen + 1, err)) < 0)
        return r;
    return (int)n;
}

/* The stretch of a point in a direction, or one that may become it. */
static struct stretch *stretch_of(struct exec *x, const struct range *point, bool desc)
{
    struct stretch *w;

    if (!x->stretches && !(x->stretches = ARENA_ARRAY(x->tmp, struct stretch, STRETCHES)))
        return NULL;
    for (size_t i = 0; i < STRETCHES; i++)
        if (x->stretches[i].of == point && x->stretches[i].desc == desc)
            return &x->stretches[i];
    w = &x->stretches[x->next_stretch++ % STRETCHES];
    if (!w->rows && !(w->rows = ARENA_ARRAY(x->tmp, uint64_t, x->ops->ahead)))
        return NULL;
    *w = (struct stretch){.of = point, .desc = desc, .rows = w->rows};
    return w;
}

/* Whether the stretch knows which row comes at or behind this one. */
static bool stretch_knows(const struct stretch *w, uint64_t row)
{
    if (!w->n && !w->ended)
        return false;
    if (w->desc ? row > w->from : row < w->from)
        return false;
    return w->ended || (w->desc ? row >= w->rows[w->n - 1] : row <= w->rows[w->n - 1]);
}

static int seek_ahead(struct exec *x, const struct range *point, uint64_t row, bool desc,
                      uint64_t *ret, struct err *err)
{
    struct stretch *w = stretch_of(x, point, desc);
    size_t i = 0;
    int r;

    if (!w)
        return err_no_memory(err);
    if (!stretch_knows(w, row)) {
        w->n = 0;
        w->ended = false;
        r = scan_rows(x, point, desc ? 0 : row, desc ? row : ROW_MAX, desc, w->rows, x->ops->ahead,
                      err);
        if (r < 0)
            return r;
        w->from = row;
        w->n = (size_t)r;
        w->ended = w->n < x->ops->ahead;
    }
    while (i < w->n && (desc ? w->rows[i] > row : w->rows[i] < row))
        i++;
    *ret = i < w->n ? w->rows[i] : 0;
    return exec_charge(x, 1, err);
}

int scan_seek(struct exec *x, const struct range *point, uint64_t row, bool desc, uint64_t *ret,
              struct err *err)
{
    uint64_t found = 0;
    int r;

    if (x->ops->ahead)
        return seek_ahead(x, point, row, desc, ret, err);
    r = scan_rows(x, point, desc ? 0 : row, desc ? row : ROW_MAX, desc, &found, 1, err);

    if (r < 0)
        return r;
    *ret = found;
    return exec_charge(x, COST_PROBE, err);
}

/* The entries of a range that is kept in blocks; `set` may be NULL. */
static int walk_blocks(struct exec *x, const struct range *range, size_t limit, struct rowset *set,
                       size_t *ret_n, struct err *err)
{
    uint64_t at = block_of(x->lo), last = block_of(x->hi);
    struct rows rows = {0};
    size_t sum = 0, n;
    int r = 1;

    while (sum < limit && at <= last &&
           (r = block_next(x, range, at, last, false, limit - sum, set ? &rows : NULL, &at, &n,
                           err)) > 0) {
        for (size_t i = 0; i < rows.n && r >= 0; i++)
            if (rows.v[i] >= x->lo && rows.v[i] <= x->hi)
                r = rowset_add(set, x->tmp, rows.v[i], x->newest, err);
        if (r < 0)
            break;
        rows.n = 0;
        sum += n;
        at++;
    }
    if (r < 0)
        return r;
    *ret_n = sum;
    return 0;
}

int scan_length(struct exec *x, const struct range *range, size_t max, uint64_t *ret,
                struct err *err)
{
    struct bound b[2];
    struct scan s;
    struct str k;
    size_t n = 0;
    int r;

    if (range->head) {
        if ((r = walk_blocks(x, range, max, NULL, &n, err)) == 0)
            *ret = n;
        return r;
    }
    r = open_scan(x, range, 0, ROW_MAX, false, max, b, &s, err);
    while (r >= 0 && n < max && (r = x->ops->next(&s, &k, err)) > 0)
        n += entry_row(x, range, k) > 0;
    x->ops->close(&s);
    if (r < 0)
        return r;
    *ret = n;
    return exec_charge(x, n, err);
}

int scan_has(struct exec *x, const struct range *point, uint64_t row, struct err *err)
{
    struct bound b;
    int r, charged;

    if (x->ops->ahead) {
        uint64_t found;
        r = seek_ahead(x, point, row, x->desc, &found, err);
        return r < 0 ? r : found == row;
    }
    r = x->ops->has(x->t, SCAN_KEYS, bound(&b, point->lo, row), err);
    if (r >= 0 && (charged = exec_charge(x, COST_PROBE, err)) < 0)
        return charged;
    return r;
}

int scan_count(struct exec *x, const struct range *range, uint64_t *ret, struct err *err)
{
    struct str from = range->lo, to = range->hi;
    struct bound b[2];
    int r;

    if (range->is_point) {
        from = bound(&b[0], range->lo, 0);
        to = bound(&b[1], range->lo, ROW_MAX);
    }
    r = x->ops->count(x->t, x->within, from, to, ret, err);
    return r < 0 ? r : exec_charge(x, *ret / 4, err);
}

int scan_collect(struct exec *x, const struct range *range, size_t limit, struct rowset *set,
                 size_t *ret_n, struct err *err)
{
    struct bound b[2];
    struct scan s;
    struct str k;
    size_t n = 0;
    int r;

    if (range->head)
        return walk_blocks(x, range, limit, set, ret_n, err);
    r = open_scan(x, range, x->lo, x->hi, false, limit, b, &s, err);
    while (r >= 0 && n < limit && (r = x->ops->next(&s, &k, err)) > 0) {
        uint64_t row = entry_row(x, range, k);

        if (row >= x->lo && row <= x->hi && (r = rowset_add(set, x->tmp, row, x->newest, err)) < 0)
            break;
        /* A long walk asks now and then whether it has become too long. */
        if (++n % SOURCE_BATCH == 0 && (r = exec_charge(x, SOURCE_BATCH, err)) < 0)
            break;
    }
    x->ops->close(&s);
    if (r < 0)
        return r;
    *ret_n = n;
    return exec_charge(x, n % SOURCE_BATCH + 1, err);
}
