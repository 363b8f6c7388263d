/* targets.c - where the references of a list lead, kept in memory.
 *
 * A _has that is sorted or counted needs all that its inner search leads to. To learn that from
 * bodies costs an inflated and parsed resource for each match. The reference's own list says the
 * same of all rows at once: its keys are the targets, its rows who refers to them. Read once,
 * beside the list of the type, it becomes two arrays: from a row to a target, and from a target to
 * the row in which it lives. Both are true as of one position of the feed. What is newer is looked
 * at row by row: a new version of a target lives elsewhere, and a new version that refers is asked
 * itself. Expunging moves no position, but a number in the store's own values, which is compared.
 *
 * Kept are the few lists that were asked about last; a search holds what it uses.
 */
#include "store/search/search_int.h"

#include <stdatomic.h>

#define TARGETS_BYTES MIB(64)   /* of one list */
#define TARGETS_NEWS 1000       /* versions that are looked at one by one; more, and all is read */
#define TARGETS_NEWS_AHEAD 4000 /* … while a thread of the store's is there to read it */
#define TARGETS_PAGE 4096       /* rows of one part of the array, which is made when it has any */
#define TARGETS_EXPECTED 50000  /* entries that reading a list is expected to cost, at least */
#define TARGETS_IDS 512         /* ids that are read at once */
#define TARGETS_ENTRIES 8000000 /* of a list that is read */

struct targets {
    atomic_uint refs;
    uint16_t list;
    uint8_t type;
    bool is_too_large; /* the list is: nothing else is known */
    uint64_t position, used;
    struct str expunged;
    struct arena a;
    uint32_t **pages; /* by row: a target's place plus one, or 0 */
    size_t n_pages;
    uint64_t *rows; /* where a target lives; 0: nowhere */
    size_t n, cap;
    uint32_t *ids; /* where in `text` a target's id key begins; one more for the end */
    size_t ids_cap;
    unsigned char *text;
    size_t text_n, text_cap;
};

struct targets_view {
    struct targets *of;
    const uint64_t *rows; /* of->rows, or a copy with what has changed */
    struct targets_view *next;
};

static void unref(struct targets *t)
{
    if (t && atomic_fetch_sub(&t->refs, 1) == 1) {
        arena_done(&t->a);
        free(t);
    }
}

void targets_release(struct exec *top)
{
    for (struct targets_view *v = top->targets; v; v = v->next)
        unref(v->of);
    top->targets = NULL;
}

void targets_clear(struct lists *l)
{
    for (size_t i = 0; i < TARGETS_MAX; i++) {
        unref(l->targets[i]);
        l->targets[i] = NULL;
    }
}

/* ---- the kept ones ---- */

static struct targets *kept(struct lists *l, unsigned list, int type)
{
    struct targets *found = NULL;

    pthread_mutex_lock(&l->kept_lock);
    for (size_t i = 0; i < TARGETS_MAX && !found; i++) {
        struct targets *t = l->targets[i];
        if (t && t->list == list && t->type == type) {
            found = t;
            t->used = ++l->targets_clock;
            atomic_fetch_add(&t->refs, 1);
        }
    }
    pthread_mutex_unlock(&l->kept_lock);
    return found;
}

/* In the place of an older one of the same list, or of the one that was not used for longest. */
static void keep(struct lists *l, struct targets *t)
{
    struct targets *out;
    size_t at = 0;

    pthread_mutex_lock(&l->kept_lock);
    for (size_t i = 0; i < TARGETS_MAX; i++) {
        const struct targets *one = l->targets[i], *least = l->targets[at];
        if (one && one->list == t->list && one->type == t->type) {
            at = i;
            break;
        }
        if (least && (!one || one->used < least->used))
            at = i;
    }
    out = l->targets[at];
    t->used = ++l->targets_clock;
    atomic_fetch_add(&t->refs, 1);
    l->targets[at] = t;
    pthread_mutex_unlock(&l->kept_lock);
    unref(out);
}

/* ---- reading a list ---- */

struct reading {
    struct exec *x;
    struct targets *t;
    struct rowset live; /* rows of the type */
    struct id_row *ids;
    size_t n_ids, at;
    bool ended;
};

static struct str id_of(const struct targets *t, size_t i)
{
    return str_n((char *)t->text + t->ids[i], t->ids[i + 1] - t->ids[i]);
}

static int next_ids(struct reading *r, struct err *err)
{
    struct exec *x = r->x;
    struct id_row last = r->n_ids ? r->ids[r->n_ids - 1] : (struct id_row){.n = 0};
    int n = x->ops->ids(x->t, r->t->type, str_n((char *)last.id, last.n), false, r->ids,
                        TARGETS_IDS, err);

    if (n < 0)
        return n;
    r->n_ids = (size_t)n;
    r->at = 0;
    r->ended = n == 0;
    return exec_charge(x, (size_t)n, err);
}

/* Ids and keys of the list lie in the same order: where this one lives, 0 if nowhere. */
static int find_live(struct reading *r, struct str id, uint64_t *ret, struct err *err)
{
    *ret = 0;
    while (!r->ended) {
        const struct id_row *one = &r->ids[r->at];
        int e = 0, c = r->at < r->n_ids ? str_cmp(str_n((char *)one->id, one->n), id) : -1;

        if (c >= 0) {
            if (c == 0 && rowset_has(&r->live, one->row))
                *ret = one->row;
            return 0;
        }
        if (r->at < r->n_ids)
            r->at++;
        if (r->at == r->n_ids && (e = next_ids(r, err)) < 0)
            return e;
    }
    return 0;
}

/* Room for n items of an array of the arena; false without memory. */
static bool room(struct arena *a, void **p, size_t n, size_t *cap, size_t size)
{
    size_t more = *cap ? *cap : 256;
    void *grown;

    while (more < n)
        more *= 2;
    if (more == *cap)
        return true;
    grown = arena_grow(a, *p, *cap * size, more * size);
    if (!grown)
        return false;
    *p = grown;
    *cap = more;
    return true;
}

/* 0, or 1 where the list takes more memory than it may. */
static int add_target(struct reading *r, struct str id, struct err *err)
{
    struct targets *t = r->t;
    uint64_t row;
    int e = find_live(r, id, &row, err);

    if (e < 0)
        return e;
    if (!room(&t->a, (void **)&t->rows, t->n + 1, &t->cap, sizeof *t->rows) ||
        !room(&t->a, (void **)&t->ids, t->n + 2, &t->ids_cap, sizeof *t->ids) ||
        !room(&t->a, (void **)&t->text, t->text_n + id.n, &t->text_cap, 1))
        return 1;
    memcpy(t->text + t->text_n, id.p, id.n);
    t->rows[t->n] = row;
    t->ids[t->n] = (uint32_t)t->text_n;
    t->text_n += id.n;
    t->ids[++t->n] = (uint32_t)t->text_n;
    return 0;
}

static int add_row(struct targets *t, uint64_t row)
{
    size_t page = row / TARGETS_PAGE;

    if (row > t->position)
        return 0; /* a job's own, which may be undone */
    if (!t->pages[page] && !(t->pages[page] = ARENA_ARRAY(&t->a, uint32_t, TARGETS_PAGE)))
        return 1;
    t->pages[page][row % TARGETS_PAGE] = (uint32_t)t->n;
    return 0;
}

/* One entry: list, type, id key, row. 1: too much. */
static int add_entry(struct reading *r, struct str k, struct err *err)
{
    struct targets *t = r->t;
    struct str id;
    int e = 0;

    if (k.n < 3 + ROW_BYTES)
        return 0;
    id = str_n(k.p + 3, k.n - 3 - ROW_BYTES);
    if (!t->n || !str_eq(id_of(t, t->n - 1), id))
        e = add_target(r, id, err);
    return e ? e : add_row(t, row_get((const unsigned char *)k.p + k.n - ROW_BYTES));
}

static int read_list(struct reading *r, struct err *err)
{
    struct exec *x = r->x;
    char type = (char)r->t->type;
    struct str lo = scan_prefix(x->tmp, r->t->list, str_n(&type, 1));
    struct str hi = lo.p ? scan_after(x->tmp, lo) : STR_NULL, k;
    struct scan s;
    size_t seen = 0;
    int e;

    if (!hi.p)
        return err_no_memory(err);
    e = x->ops->open(&s, x->t, NULL, SCAN_WALK, lo, hi, false, TARGETS_PAGE, err);
    while (e >= 0 && (e = x->ops->next(&s, &k, err)) > 0) {
        if ((e = add_entry(r, k, err)) != 0 || (e = exec_charge(x, 1, err)) < 0)
            break;
        e = ++seen > TARGETS_ENTRIES;
        if (e)
            break;
    }
    x->ops->close(&s);
    return e;
}

/* Reads the list anew; `types` is the list of the type. */
static int make(struct exec *x, unsigned list, int type, struct str as_of, struct targets **ret,
                struct err *err)
{
    struct targets *t = calloc(1, sizeof *t);
    struct reading r = {.x = x, .t = t};
    const struct str *within = x->within;
    size_t n;
    int e;

    if (!t)
        return err_no_memory(err);
    *t = (struct targets){.list = (uint16_t)list, .type = (uint8_t)type, .position = x->newest};
    atomic_init(&t->refs, 1);
    arena_init(&t->a, TARGETS_BYTES);
    t->n_pages = x->newest / TARGETS_PAGE + 1;
    t->pages = ARENA_ARRAY(&t->a, uint32_t *, t->n_pages);
    t->expunged = arena_dup(&t->a, as_of);
    r.ids = ARENA_ARRAY(x->tmp, struct id_row, TARGETS_IDS);
    if (!r.ids) {
        unref(t);
        return err_no_memory(err);
    }
    x->within = NULL; /* what is kept is for all searches */
    e = scan_collect(x, &x->types.ranges[0], SIZE_MAX, &r.live, &n, err);
    x->within = within;
    if (e >= 0) {
        rowset_sort(&r.live);
        e = t->pages && t->expunged.p ? next_ids(&r, err) : 1;
    }
    if (e == 0)
        e = read_list(&r, err);
    if (e < 0) {
        unref(t);
        return e;
    }
    t->is_too_large = e > 0;
    keep(&x->t->st->lists, t);
    *ret = t;
    return 0;
}

/* ---- a search's own view ---- */

static bool find_id(const struct targets *t, struct str id, size_t *ret)
{
    size_t lo = 0, hi = t->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = str_cmp(id_of(t, mid), id);
        if (c == 0) {
            *ret = mid;
            return true;
        }
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}

/* Puts targets that have a newer version where they live now. */
static int catch_up(struct exec *x, struct targets_view *v, struct err *err)
{
    const struct targets *t = v->of;
    uint64_t *rows = NULL;

    for (uint64_t row = t->position + 1; row <= x->newest; row++) {
        unsigned char key[ID_KEY_MAX];
        size_t n = 0, at;
        int type, r = x->ops->identity(x->t, row, &type, key, &n, err);

        if (r < 0 || (r = exec_charge(x, COST_PROBE, err)) < 0)
            return r;
        if (type != t->type || !find_id(t, str_n((char *)key, n), &at))
            continue;
        if (!rows) {
            if (!(rows = ARENA_ARRAY(x->tmp, uint64_t, t->n)))
                return err_no_memory(err);
            memcpy(rows, t->rows, t->n * sizeof *rows);
            v->rows = rows;
        }
        if ((r = x->ops->live_of(x->t, type, str_n((char *)key, n), &rows[at], err)) < 0)
            return r;
    }
    return 0;
}

/* The list of the parameter's references to a type, where no resource has several. */
static unsigned list_of(const struct exec *x, const struct param *param, int type)
{
    for (size_t i = 0; i < param->n_spans; i++) {
        unsigned list = param->spans[i].list;
        if (param_span_has(param, i, type))
            return list < INDEX_PARAM_USER && !list_is_multi(&x->t->st->lists, list) ? list : 0;
    }
    return 0;
}

static bool is_short(const struct exec *x)
{
    const struct exec *top = x->top;

    return top->budget && top->budget - MIN(top->spent, top->budget) < TARGETS_EXPECTED;
}

/* Whether what is kept says nothing of this search any more. */
static bool is_old(const struct exec *x, const struct targets *t, struct str as_of)
{
    size_t news = x->t->st->lists.ahead.is_running ? TARGETS_NEWS_AHEAD : TARGETS_NEWS;

    return x->newest - t->position > news || !str_eq(t->expunged, as_of);
}

int targets_read(struct store_txn *txn, unsigned list, int type, struct err *err)
{
    const struct search s = {.type = type};
    struct targets *t = NULL;
    struct exec x;
    struct str as_of;
    int r = exec_init(&x, NULL, txn, &s, err);

    if (r < 0)
        return r;
    x.newest = txn->st->ops->position(txn);
    x.lo = 1;
    x.hi = x.newest;
    if ((r = clauses_prepare(&x, err)) == 0 && (r = exec_expunged(&x, &as_of, err)) >= 0)
        r = make(&x, list, type, as_of, &t, err);
    unref(t);
    exec_done(&x);
    return MIN(r, 0);
}

int targets_open(struct exec *x, const struct param *param, bool may_wait,
                 const struct targets_view **ret, struct err *err)
{
    struct targets_view *v = ARENA_NEW(x->tmp, struct targets_view);
    unsigned list = list_of(x, param, x->s->type);
    struct targets *t;
    struct str as_of;
    int r;

    *ret = NULL;
    if (!v)
        return err_no_memory(err);
    if (x->t->is_writing || !list || !x->s->type || x->t->st->lists.may_lag)
        return 0;
    if ((r = exec_expunged(x, &as_of, err)) < 0)
        return r;
    t = kept(&x->t->st->lists, list, x->s->type);
    if (t && t->position > x->newest) { /* an older snapshot */
        unref(t);
        return 0;
    }
    if (!t || x->newest - t->position > TARGETS_NEWS / 8)
        may_wait &= targets_want(&x->t->st->lists, list, x->s->type);
    if (t && is_old(x, t, as_of)) {
        unref(t);
        t = NULL;
    }
    if (!t && may_wait)
        return 0;
    /* To read a list takes too long for an event loop; what may spend more has to have enough. */
    if (!t && is_short(x))
        return x->top->budget < TARGETS_EXPECTED ? exec_charge(x, x->top->budget, err) : 0;
    if (!t && (r = make(x, list, x->s->type, as_of, &t, err)) < 0)
        return r;
    *v = (struct targets_view){.of = t, .rows = t->rows, .next = x->top->targets};
    x->top->targets = v;
    if (t->is_too_large)
        return 0;
    if ((r = catch_up(x, v, err)) < 0)
        return r;
    *ret = v;
    return 0;
}

bool targets_know(const struct targets_view *v, uint64_t row)
{
    return row <= v->of->position;
}

void targets_rows(const struct targets_view *v, const uint64_t *rows, size_t n, uint64_t *ret)
{
    const struct targets *t = v->of;

    /* Each step waits for memory, of all rows at once. */
    for (size_t i = 0; i < n; i++)
        if (t->pages[rows[i] / TARGETS_PAGE])
            __builtin_prefetch(&t->pages[rows[i] / TARGETS_PAGE][rows[i] % TARGETS_PAGE]);
    for (size_t i = 0; i < n; i++) {
        const uint32_t *page = t->pages[rows[i] / TARGETS_PAGE];
        ret[i] = page ? page[rows[i] % TARGETS_PAGE] : 0;
        if (ret[i])
            __builtin_prefetch(&v->rows[ret[i] - 1]);
    }
    for (size_t i = 0; i < n; i++)
        ret[i] = ret[i] ? v->rows[ret[i] - 1] : 0;
}
