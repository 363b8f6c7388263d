/* check.c - reads everything: what a backend says of its own structure, every envelope, and the
 * index against what the bodies say, both ways.
 */
#include "store/check_int.h"
#include "store/pends_int.h"

#include <stdarg.h>
#include <stdlib.h>

#define CHECK_SAY_MAX 200 /* problems told one by one; the rest is counted */
#define CHECK_ARENA_BYTES MIB(256)
#define CHECK_BATCH 256

void check_problem(struct check *c, const char *fmt, ...)
{
    char text[300];
    va_list ap;

    if (c->n++ >= CHECK_SAY_MAX)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (c->say)
        c->say(c->ctx, text);
}

/* Terms last, as another list. */
static int by_key(const void *x, const void *y)
{
    const struct check_key *a = x, *b = y;

    return a->is_term != b->is_term ? a->is_term - b->is_term : str_cmp(a->k, b->k);
}

/* Which of so many keys of one list are there. */
static int look_up(struct check *c, enum scan_of of, const struct str *k, size_t n, bool *ret,
                   struct err *err)
{
    const struct scan_ops *ops = c->txn->st->scan;

    if (ops->has_all)
        return n ? ops->has_all(c->txn, of, k, n, ret, err) : 0;
    for (size_t i = 0; i < n; i++) {
        int r = ops->has(c->txn, of, k[i], err);

        if (r < 0)
            return r;
        ret[i] = r > 0;
    }
    return 0;
}

/* Looks for what has gathered. */
static int find_keys(struct check *c, struct err *err)
{
    struct check_key *asked = c->asked;
    bool found[HAS_ALL_MAX] = {0};
    struct str k[HAS_ALL_MAX];
    size_t n = 0, first_term = 0;
    int r;

    qsort(asked, c->n_asked, sizeof *asked, by_key);
    /* A term is many a resource's. */
    for (size_t i = 0; i < c->n_asked; i++) {
        if (i && by_key(&asked[i], &asked[i - 1]) == 0)
            continue;
        asked[n] = asked[i];
        first_term += !asked[n].is_term;
        k[n] = asked[n].k;
        n++;
    }
    r = look_up(c, SCAN_KEYS, k, first_term, found, err);
    if (r == 0)
        r = look_up(c, SCAN_TERMS, k + first_term, n - first_term, found + first_term, err);
    for (size_t i = 0; i < n && r == 0; i++)
        if (!found[i])
            check_problem(c, "version %llu: parameter %u does not find it",
                          (unsigned long long)asked[i].row, asked[i].param);
    c->n_asked = 0;
    arena_reset(&c->asked_a);
    c->has_failed = r < 0;
    return r;
}

static int expect_key(struct check *c, const struct index_entry *e, uint64_t row, struct err *err)
{
    unsigned char k[ENTRY_MAX];
    struct str copy = arena_dup(&c->asked_a, str_n((char *)k, entry_put(e, row, k)));

    if (!copy.p)
        return err_no_memory(err);
    c->asked[c->n_asked++] =
        (struct check_key){.k = copy, .row = row, .param = e->param, .is_term = e->shared};
    return c->n_asked == HAS_ALL_MAX ? find_keys(c, err) : 0;
}

/* Lists of users' parameters that are just being filled or emptied are nobody's fault. */
static bool is_settled(const struct check *c, unsigned list)
{
    const struct param *p;

    if (list < INDEX_PARAM_USER || list >= INDEX_PARAM_TYPE)
        return true;
    if (list >= INDEX_PARAM_USER + INDEX_PARAM_ENDS)
        list -= INDEX_PARAM_ENDS;
    p = param_by_id(c->params, (uint16_t)list);
    return p && p->searchable;
}

static int check_keys(struct check *c, const struct row *row, struct err *err)
{
    struct index index;
    int r;

    arena_reset(&c->a);
    r = row_index(c->txn->st, &c->a, &c->scratch, row, &index, err);
    for (size_t i = 0; i < index.n_entries && r == 0; i++) {
        const struct index_entry *e = &index.entries[i];

        if (!is_settled(c, e->param))
            continue;
        c->keys += !e->shared;
        r = expect_key(c, e, row->row, err);
    }
    return r;
}

static int check_version(struct check *c, const struct row *row, struct err *err)
{
    struct err e;
    int r;

    if (row->method == METHOD_DELETE)
        return 0;
    if (row->is_locked) {
        if (!c->txn->st->is_copy)
            check_problem(c, "version %llu: the key of its owner is not here",
                          (unsigned long long)row->row);
        return 0;
    }
    if (row->is_current && !c->txn->st->is_copy) {
        r = check_keys(c, row, &e);
    } else {
        sb_reset(&c->scratch);
        r = body_open(row->sealed, &c->scratch, &e);
    }
    if (r < 0 && (e.code == ERR_NO_MEMORY || c->has_failed)) {
        *err = e;
        return r;
    }
    if (r < 0)
        check_problem(c, "version %llu: %s (%s)", (unsigned long long)row->row, e.text, e.detail);
    return 0;
}

static int check_versions(struct check *c, struct err *err)
{
    struct page page = {0};
    uint64_t at = 0;
    int r;

    do {
        struct arena rows;

        arena_init(&rows, KIB(64));
        r = store_feed(c->txn, at, CHECK_BATCH, &rows, &page, err);
        if (r == 0)
            c->txn->st->scan->expect(c->txn, page.rows, page.n);
        for (size_t i = 0; i < page.n && r == 0; i++) {
            struct row row;

            r = store_get_row(c->txn, page.rows[i], &row, err);
            if (r == 0)
                r = check_version(c, &row, err);
            at = page.rows[i];
        }
        arena_done(&rows);
    } while (r == 0 && page.n);
    return r < 0 ? r : find_keys(c, err);
}

static int count_keys(struct check *c, unsigned from_list, unsigned to_list, uint64_t *n,
                      struct err *err)
{
    unsigned char from[2] = {(unsigned char)(from_list >> 8), (unsigned char)from_list};
    unsigned char to[3] = {(unsigned char)(to_list >> 8), (unsigned char)to_list};
    struct str end = to_list > 0xffff ? STR("\xff\xff\xff") : str_n((char *)to, 2);
    uint64_t counted;
    int r =
        c->txn->st->scan->count(c->txn, NULL, str_n((char *)from, sizeof from), end, &counted, err);

    if (r == 0)
        *n += counted;
    return r;
}

/* The other way: keys that no body calls for. Their number tells; only then are they looked for. */
static int check_strays(struct check *c, struct err *err)
{
    const struct scan_ops *ops = c->txn->st->scan;
    struct scan s;
    struct str k;
    uint64_t n = 0;
    int r;

    if ((r = count_keys(c, 0, INDEX_PARAM_USER, &n, err)) < 0 ||
        (r = count_keys(c, INDEX_PARAM_TYPE, 0x10000, &n, err)) < 0)
        return r;
    for (unsigned list = INDEX_PARAM_USER; list < INDEX_PARAM_TYPE; list++)
        if (is_settled(c, list) && (r = count_keys(c, list, list + 1, &n, err)) < 0)
            return r;
    if (n == c->keys)
        return 0;
    check_problem(c, "the index has %llu keys, the bodies call for %llu", (unsigned long long)n,
                  (unsigned long long)c->keys);
    r = ops->open(&s, c->txn, NULL, SCAN_WALK, STR(""), STR("\xff\xff\xff"), false, SIZE_MAX, err);
    while (r >= 0 && (r = ops->next(&s, &k, err)) > 0 && c->n < CHECK_SAY_MAX) {
        uint64_t number =
            k.n < 2 + ROW_BYTES ? 0 : row_get((const unsigned char *)k.p + k.n - ROW_BYTES);
        struct row row;
        struct err e;

        if (store_get_row(c->txn, number, &row, &e) < 0)
            check_problem(c, "the index has a key of version %llu, which does not exist",
                          (unsigned long long)number);
        else if (!row.is_current || row.method == METHOD_DELETE)
            check_problem(c, "the index has a key of version %llu, which is not the newest",
                          (unsigned long long)number);
    }
    ops->close(&s);
    return MIN(r, 0);
}

int check_run(struct store *st, int (*structure)(struct check *c, struct err *err),
              void (*say)(void *ctx, const char *text), void *ctx, struct err *err)
{
    static const struct access upkeep = {.kind = ACCESS_SYSTEM, .agent = {"upkeep", 6}};
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct check *c;
    int r = store_begin(st, &upkeep, &txn, err), n;

    if (r < 0)
        return r;
    c = calloc(1, sizeof *c);
    if (!c)
        return err_no_memory(err);
    c->say = say;
    c->ctx = ctx;
    c->txn = txn;
    c->scratch = sb_make(STORE_BODY_MAX + KIB(1));
    c->params = store_params(st);
    arena_init(&c->a, CHECK_ARENA_BYTES);
    arena_init(&c->asked_a, CHECK_ARENA_BYTES);
    r = st->scan->enter(txn, err);
    if (r == 0)
        r = structure(c, err);
    if (r == 0)
        r = check_versions(c, err);
    if (r == 0 && !st->is_copy)
        r = check_strays(c, err);
    n = c->n;
    params_unref(c->params);
    arena_done(&c->a);
    arena_done(&c->asked_a);
    sb_done(&c->scratch);
    free(c);
    return r < 0 ? r : n;
}
