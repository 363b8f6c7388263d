#include "surveillance/cases.h"

#include "surveillance/records_int.h"

#include <stdlib.h>

void cases_init(struct cases *all)
{
    *all = (struct cases){.hole = NOT_THERE};
}

/* What is left is told apart by what the records say, so that their order does not show. */
static int compare(const void *a, const void *b, void *ctx)
{
    const struct evidence *x = a, *y = b;
    const struct records *r = ctx;
    char tx[NAMES_TEXT_MAX], ty[NAMES_TEXT_MAX];
    int32_t dx = evidence_day(x), dy = evidence_day(y);

    if (x->disease != y->disease)
        return x->disease < y->disease ? -1 : 1;
    if (dx != dy)
        return dx < dy ? -1 : 1;
    if (x->says != y->says)
        return x->says < y->says ? -1 : 1;
    if (x->visit != y->visit)
        return x->visit == NOT_THERE   ? 1
               : y->visit == NOT_THERE ? -1
                                       : str_cmp(names_text(&r->visit_ids, x->visit, tx),
                                                 names_text(&r->visit_ids, y->visit, ty));
    if (x->exposure == y->exposure)
        return 0;
    return x->exposure == NOT_THERE ? 1
           : y->exposure == NOT_THERE
               ? -1
               : str_cmp(r->places[x->exposure].id, r->places[y->exposure].id);
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
    if (c->exposure == NOT_THERE)
        c->exposure = e->exposure;
}

/* One case of evidence that belongs together: v[0] is its first. False where nobody suspects. */
static bool make(const struct records *r, uint32_t person, const struct evidence *v, size_t n,
                 struct found_case *ret)
{
    int32_t first = evidence_day(v), died = r->people[person].died;
    bool is_suspected = false;

    *ret = (struct found_case){.person = person,
                               .first_day = first,
                               .place = NOT_THERE,
                               .residence = r->people[person].residence,
                               .exposure = NOT_THERE,
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

/* ---- whose they are ---- */

/* The evidence of a person and of those whom they replace into all->at_hand, from `n` on. The day
 * of a visit is when a finding was seen, where that says no day of its own. */
static int gather(struct records *r, struct cases *all, uint32_t person, int depth, size_t *n,
                  struct err *err)
{
    int wrong = 0;

    for (uint32_t i = r->people[person].evidence; i != NOT_THERE;
         i = r->evidence[i].next_of_person) {
        struct evidence *v =
            names_room(r->a, all->at_hand, *n, &all->at_hand_room, sizeof *all->at_hand);
        if (!v)
            return err_no_memory(err);
        all->at_hand = v;
        v[*n] = r->evidence[i];
        if (v[*n].seen == DAY_UNKNOWN && v[*n].visit != NOT_THERE)
            v[*n].seen = r->visits[v[*n].visit].day;
        ++*n;
    }
    for (uint32_t i = r->people[person].first_merged;
         i != NOT_THERE && depth + 1 < MERGE_DEPTH_MAX && wrong == 0; i = r->people[i].next_merged)
        if (records_root(r, i) != i)
            wrong = gather(r, all, i, depth + 1, n, err);
    return wrong;
}

static int tell(const struct cases *all, const struct found_case *c, int sign, struct err *err)
{
    return all->changed ? all->changed(all->ctx, c, sign, err) : 0;
}

static int drop_cases(struct records *r, struct cases *all, uint32_t person, struct err *err)
{
    struct person *p = &r->people[person];
    int wrong = 0;

    while (p->cases != NOT_THERE && wrong == 0) {
        uint32_t n = p->cases;
        wrong = tell(all, &all->v[n], -1, err);
        p->cases = all->v[n].next;
        all->v[n].person = NOT_THERE;
        all->v[n].next = all->hole;
        all->hole = n;
    }
    all->undated -= p->undated;
    p->undated = 0;
    return wrong;
}

static int add_case(struct records *r, struct cases *all, const struct found_case *c,
                    struct err *err)
{
    uint32_t n = all->hole;
    struct found_case *v = all->v;

    if (n != NOT_THERE) {
        all->hole = v[n].next;
    } else {
        v = names_room(r->a, v, all->n, &all->room, sizeof *v);
        if (!v)
            return err_no_memory(err);
        all->v = v;
        n = (uint32_t)all->n++;
    }
    v[n] = *c;
    v[n].next = r->people[c->person].cases;
    r->people[c->person].cases = n;
    return tell(all, &v[n], 1, err);
}

/* How many of the first pieces of evidence belong together. */
static size_t episode(const struct records *r, const struct evidence *v, size_t n)
{
    int32_t first = evidence_day(v);
    size_t k = 1;

    while (k < n && v[k].disease == v->disease &&
           evidence_day(&v[k]) - first <= r->definitions->v[v->disease].episode_days)
        k++;
    return k;
}

static int remake(struct records *r, struct cases *all, uint32_t person, struct err *err)
{
    size_t n = 0, at = 0;
    int wrong = drop_cases(r, all, person, err);

    if (wrong == 0 && records_root(r, person) == person)
        wrong = gather(r, all, person, 0, &n, err);
    if (n)
        qsort_r(all->at_hand, n, sizeof *all->at_hand, compare, r);
    n = n ? evidence_settle(r, person, all->at_hand, n) : 0;
    if (n)
        qsort_r(all->at_hand, n, sizeof *all->at_hand, compare, r);
    while (at < n && wrong == 0) {
        struct found_case found;
        size_t k = 1;

        if (evidence_day(&all->at_hand[at]) == DAY_UNKNOWN) {
            r->people[person].undated++;
            all->undated++;
        } else {
            k = episode(r, &all->at_hand[at], n - at);
            if (make(r, person, &all->at_hand[at], k, &found))
                wrong = add_case(r, all, &found, err);
        }
        at += k;
    }
    return wrong;
}

int cases_remake(struct records *r, struct cases *all, struct err *err)
{
    int wrong = r->is_outbreak_changed ? records_touch_outbreaks(r, err) : 0;

    /* Whoever they are by now is touched too: the list grows meanwhile. */
    for (size_t i = 0; i < r->n_touched && wrong == 0; i++) {
        wrong = records_touch(r, records_root(r, r->touched[i]), err);
        if (wrong == 0)
            wrong = remake(r, all, r->touched[i], err);
    }
    for (size_t i = 0; i < r->n_touched; i++)
        r->people[r->touched[i]].is_touched = false;
    r->n_touched = 0;
    return wrong;
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
