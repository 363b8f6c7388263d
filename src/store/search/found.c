/* found.c - all rows of a search that ranges answer alone, kept for when it is asked again.
 *
 * A _has that is sorted or counted begins with all that its inner search finds, and so does a
 * number that somebody asks for. To read a long range is most of what that costs; pages that follow
 * one another, or a screen that is looked at all day, ask for the same one. The keys of a version
 * never change, and it leaves its lists when a newer version of the resource comes: so what was
 * found stays true until a version of the searched type is written. Expunging moves no position,
 * but a number in the store's own values, which is compared.
 *
 * Kept are the few sets that were asked for last; a search holds what it uses.
 */
#include "store/search/search_int.h"

#include "base/fault.h"

#include <stdatomic.h>

#define FOUND_BYTES MIB(1)     /* of one set */
#define FOUND_KEY_BYTES KIB(1) /* of what its ranges are */
#define FOUND_NEWS 250         /* versions whose types are looked at; after more all is read */

struct found {
    atomic_uint refs;
    uint64_t begin, position; /* of the feed: true from one to the other; with kept_lock */
    uint64_t used;
    uint8_t type;
    struct str key, expunged;
    struct rowset rows;
};

static void unref(struct found *f)
{
    if (f && atomic_fetch_sub(&f->refs, 1) == 1)
        free(f);
}

void found_done(struct found_rows *r)
{
    unref(r->kept);
    *r = (struct found_rows){0};
}

void found_clear(struct lists *l)
{
    for (size_t i = 0; i < FOUND_MAX; i++) {
        unref(l->found[i]);
        l->found[i] = NULL;
    }
}

/* ---- which search ---- */

bool found_is_ranges(const struct exec *x)
{
    const struct clause *c = x->clauses;

    return x->n_clauses == 1 && x->s->type && c->names_type && !c->link && !c->subs && !c->negate &&
           !c->is_opaque && !c->lossy && c->how != HOW_SET && c->how != HOW_SPANS && x->lo <= 1 &&
           x->hi >= x->newest && !exec_is_restricted(x);
}

static void add_bytes(struct sb *out, struct str s)
{
    sb_fmt(out, "%zu:", s.n);
    sb_str(out, s);
}

/* All that the ranges are; false where that is too much, not told, or may change by itself. */
static bool question(const struct exec *x, struct sb *out)
{
    const struct clause *c = &x->clauses[0];

    for (size_t i = 0; i < c->n_ranges; i++) {
        const struct range *range = &c->ranges[i];
        const unsigned char *list = (const unsigned char *)range->lo.p;

        if (list[0] * 256u + list[1] >= INDEX_PARAM_USER ||
            (range->filter && !search_key_rule(range->filter, out)))
            return false;
        sb_fmt(out, "%d,%d,", range->is_point, range->head);
        add_bytes(out, range->lo);
        add_bytes(out, range->is_point ? STR("") : range->hi);
    }
    return sb_ok(out, NULL) >= 0;
}

/* ---- the kept ones ---- */

struct held {
    struct found *f;
    uint64_t begin, position; /* when it was taken */
};

static struct held take(struct lists *l, int type, struct str key)
{
    struct held held = {0};

    pthread_mutex_lock(&l->kept_lock);
    for (size_t i = 0; i < FOUND_MAX && !held.f; i++) {
        struct found *f = l->found[i];
        if (!f || f->type != type || !str_eq(f->key, key))
            continue;
        atomic_fetch_add(&f->refs, 1);
        f->used = ++l->found_clock;
        held = (struct held){f, f->begin, f->position};
    }
    pthread_mutex_unlock(&l->kept_lock);
    return held;
}

/* In the place of an older one of the same, or of the one that was not used for longest. */
static void put(struct lists *l, struct found *f)
{
    struct found *out;
    size_t at = 0;

    pthread_mutex_lock(&l->kept_lock);
    for (size_t i = 0; i < FOUND_MAX; i++) {
        const struct found *one = l->found[i], *least = l->found[at];
        if (one && one->type == f->type && str_eq(one->key, f->key)) {
            at = i;
            break;
        }
        if (least && (!one || one->used < least->used))
            at = i;
    }
    out = l->found[at];
    f->used = ++l->found_clock;
    atomic_fetch_add(&f->refs, 1);
    l->found[at] = f;
    pthread_mutex_unlock(&l->kept_lock);
    unref(out);
}

/* Whether no version of the type stands behind the position: 1 or 0. */
static int is_unchanged(struct exec *x, const struct held *held, struct err *err)
{
    int r = 0;

    if (held->begin > x->newest)
        return 0; /* an older snapshot */
    if (held->position >= x->newest)
        return 1;
    if (x->newest - held->position > FOUND_NEWS)
        return 0;
    for (uint64_t row = held->position + 1; row <= x->newest && r >= 0; row++) {
        int type;

        r = x->ops->identity(x->t, row, &type, NULL, NULL, err);
        if (r >= 0 && (r = exec_charge(x, COST_PROBE, err)) >= 0 && type == held->f->type)
            return 0;
    }
    return r < 0 ? r : 1;
}

/* 1 and the rows, where they are kept and true of this search. */
static int find(struct exec *x, struct str key, struct str expunged, struct found_rows *ret,
                struct err *err)
{
    struct lists *l = &x->t->st->lists;
    struct held held = take(l, x->s->type, key);
    int r = held.f && str_eq(held.f->expunged, expunged) ? is_unchanged(x, &held, err) : 0;

    if (r <= 0) {
        unref(held.f);
        return r;
    }
    pthread_mutex_lock(&l->kept_lock);
    if (held.f->position < x->newest)
        held.f->position = x->newest;
    pthread_mutex_unlock(&l->kept_lock);
    *ret = (struct found_rows){.rows = held.f->rows, .kept = held.f};
    return 1;
}

static struct str copy(char **to, struct str s)
{
    char *at = *to;

    memcpy(at, s.p, s.n);
    *to += s.n;
    return str_n(at, s.n);
}

/* Without memory nothing is kept. */
static void keep(struct exec *x, struct str key, struct str expunged, const struct rowset *rows)
{
    size_t n = rows->bits ? rows->max / 64 + 1 : rows->n;
    size_t bytes = n * sizeof(uint64_t);
    struct found *f;
    char *at;

    if (bytes > FOUND_BYTES || fault_point("alloc") ||
        !(f = malloc(sizeof *f + bytes + key.n + expunged.n)))
        return;
    *f = (struct found){
        .begin = x->newest, .position = x->newest, .type = (uint8_t)x->s->type, .rows = *rows};
    atomic_init(&f->refs, 0);
    at = (char *)(f + 1);
    if (bytes)
        memcpy(at, rows->bits ? rows->bits : rows->v, bytes);
    *(rows->bits ? &f->rows.bits : &f->rows.v) = (uint64_t *)(void *)at;
    at += bytes;
    f->key = copy(&at, key);
    f->expunged = copy(&at, expunged);
    put(&x->t->st->lists, f);
}

/* ---- reading ---- */

static int read_ranges(struct exec *x, size_t cost, struct rowset *ret, size_t *ret_n,
                       struct err *err)
{
    struct rowset found = {0};
    size_t seen = 0;

    x->asked = false;
    for (size_t i = 0; i < x->clauses[0].n_ranges; i++) {
        size_t n = 0;
        int r = scan_collect(x, &x->clauses[0].ranges[i], cost - seen, &found, &n, err);

        if (r < 0)
            return r;
        seen += n;
        if (seen >= cost)
            return 0;
    }
    *ret = found;
    *ret_n = seen;
    return !x->asked;
}

/* What a job on the writer sees may be undone; where lists lag, what is kept would lack it long. */
static bool may_keep(const struct exec *x)
{
    return !x->t->is_writing && !x->t->st->lists.may_lag;
}

int found_all(struct exec *x, size_t cost, struct found_rows *ret, struct err *err)
{
    _cleanup_(sb_done) struct sb key = sb_make(FOUND_KEY_BYTES);
    struct str expunged = STR_NULL;
    bool keeps = may_keep(x) && question(x, &key);
    size_t n = 0;
    int r = keeps ? exec_expunged(x, &expunged, err) : 0;

    *ret = (struct found_rows){0};
    if (r >= 0 && keeps)
        r = find(x, sb_view(&key), expunged, ret, err);
    if (r != 0)
        return r;
    r = read_ranges(x, cost, &ret->rows, &n, err);
    if (r > 0 && keeps && n >= search_limits.keep)
        keep(x, sb_view(&key), expunged, &ret->rows);
    return r;
}
