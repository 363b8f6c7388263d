#include "surveillance/cases.h"

#include <stdlib.h>

/* The day by which evidence is put in order: when it began, was seen, was told. */
static int32_t day_of(const struct evidence *e)
{
    return e->onset != DAY_UNKNOWN ? e->onset : e->seen != DAY_UNKNOWN ? e->seen : e->reported;
}

static int compare(const void *a, const void *b)
{
    const struct evidence *x = a, *y = b;
    int32_t dx = day_of(x), dy = day_of(y);

    if (x->person != y->person)
        return x->person < y->person ? -1 : 1;
    if (x->disease != y->disease)
        return x->disease < y->disease ? -1 : 1;
    if (dx != dy)
        return dx < dy ? -1 : 1;
    /* What is left is told apart too, so that the order of the records does not show. */
    if (x->says != y->says)
        return x->says < y->says ? -1 : 1;
    return x->visit < y->visit ? -1 : x->visit > y->visit;
}

static int32_t earlier(int32_t a, int32_t b)
{
    if (a == DAY_UNKNOWN || b == DAY_UNKNOWN)
        return a == DAY_UNKNOWN ? b : a;
    return MIN(a, b);
}

static void add(const struct records *r, struct found_case *c, const struct evidence *e)
{
    c->class = MAX(c->class, e->says);
    c->onset = earlier(c->onset, e->onset);
    c->seen = earlier(c->seen, e->seen);
    c->reported = earlier(c->reported, e->reported);
    if (c->place == NOT_THERE && e->visit != NOT_THERE)
        c->place = r->visits[e->visit].place;
}

/* One case of evidence that belongs together: v[0] is its first. False where nobody suspects. */
static bool make(const struct records *r, const struct evidence *v, size_t n,
                 struct found_case *ret)
{
    int32_t first = day_of(v), died = r->people[v->person].died;
    bool is_suspected = false;

    *ret = (struct found_case){.person = v->person,
                               .place = NOT_THERE,
                               .disease = v->disease,
                               .onset = DAY_UNKNOWN,
                               .seen = DAY_UNKNOWN,
                               .reported = DAY_UNKNOWN};
    for (size_t i = 0; i < n; i++) {
        add(r, ret, &v[i]);
        is_suspected |= v[i].says != CASE_DISCARDED;
    }
    ret->is_fatal = died != DAY_UNKNOWN && died >= first && died <= first + CASE_FATAL_DAYS;
    return is_suspected;
}

/* The day of a visit is when a finding was seen, where that says no day of its own. */
static void date_by_visits(struct records *r)
{
    for (size_t i = 0; i < r->n_evidence; i++) {
        struct evidence *e = &r->evidence[i];
        if (e->seen == DAY_UNKNOWN && e->visit != NOT_THERE)
            e->seen = r->visits[e->visit].day;
    }
}

int cases_make(struct records *r, struct cases *ret, struct err *err)
{
    struct cases all = {.v = ARENA_ARRAY(r->a, struct found_case, r->n_evidence)};
    const struct evidence *v = r->evidence;
    size_t at = 0;

    if (!all.v)
        return err_no_memory(err);
    date_by_visits(r);
    if (r->n_evidence)
        qsort(r->evidence, r->n_evidence, sizeof *r->evidence, compare);
    while (at < r->n_evidence) {
        int32_t first = day_of(&v[at]);
        size_t n = 1;

        if (first == DAY_UNKNOWN) {
            all.undated++;
            at++;
            continue;
        }
        while (at + n < r->n_evidence && v[at + n].person == v[at].person &&
               v[at + n].disease == v[at].disease &&
               day_of(&v[at + n]) - first <= r->definitions->v[v[at].disease].episode_days)
            n++;
        all.n += make(r, &v[at], n, &all.v[all.n]);
        at += n;
    }
    *ret = all;
    return 0;
}

int32_t case_day(const struct found_case *c, enum case_date by, bool *ret_other)
{
    const int32_t days[] = {c->onset, c->seen, c->reported};
    const size_t n = ARRAY_LEN(days);

    *ret_other = days[by] == DAY_UNKNOWN;
    for (size_t i = 0; i < n; i++) {
        int32_t day = days[((size_t)by + i) % n];
        if (day != DAY_UNKNOWN)
            return day;
    }
    return DAY_UNKNOWN;
}
