/* links.c - who is whom, and which evidence belongs to what: lists inside of arrays, by number. */
#include "surveillance/records_int.h"

/* ---- people ---- */

int records_touch(struct records *r, uint32_t person, struct err *err)
{
    uint32_t *v;

    if (r->people[person].is_touched)
        return 0;
    v = names_room(r->a, r->touched, r->n_touched, &r->touched_room, sizeof *v);
    if (!v)
        return err_no_memory(err);
    r->touched = v;
    v[r->n_touched++] = person;
    r->people[person].is_touched = true;
    return 0;
}

int records_touch_visit(struct records *r, uint32_t visit, struct err *err)
{
    int wrong = 0;

    for (uint32_t i = r->visits[visit].evidence; i != NOT_THERE && wrong == 0;
         i = r->evidence[i].next_of_visit)
        wrong = records_touch(r, r->evidence[i].person, err);
    return wrong;
}

int records_touch_outbreaks(struct records *r, struct err *err)
{
    int wrong = 0;

    for (size_t i = 0; i < r->n_evidence && wrong == 0; i++) {
        const struct evidence *e = &r->evidence[i];

        if (e->person != NOT_THERE && !is_of_fact(r, e) &&
            (e->maybe & r->definitions->v[e->disease].asks_outbreak))
            wrong = records_touch(r, e->person, err);
    }
    r->is_outbreak_changed = wrong < 0;
    return wrong;
}

uint32_t records_root(const struct records *r, uint32_t person)
{
    uint32_t at = person;

    for (int depth = 0; depth < MERGE_DEPTH_MAX; depth++) {
        if (r->people[at].replaced_by == NOT_THERE)
            return at;
        at = r->people[at].replaced_by;
    }
    return person;
}

/* Everybody who is somebody else once a link of this person's changes: those whom it replaces, and
 * those whom they replace. */
static int touch_merged(struct records *r, uint32_t person, int depth, struct err *err)
{
    int wrong = records_touch(r, person, err);

    for (uint32_t i = r->people[person].first_merged;
         i != NOT_THERE && wrong == 0 && depth < MERGE_DEPTH_MAX; i = r->people[i].next_merged)
        wrong = touch_merged(r, i, depth + 1, err);
    return wrong;
}

/* This person, and whoever they are by now. */
static int touch_all(struct records *r, uint32_t person, struct err *err)
{
    int wrong = touch_merged(r, person, 0, err);
    uint32_t at = person;

    for (int depth = 0; depth < MERGE_DEPTH_MAX && wrong == 0; depth++) {
        at = r->people[at].replaced_by;
        if (at == NOT_THERE)
            break;
        wrong = records_touch(r, at, err);
    }
    return wrong;
}

static void unlink_merged(struct records *r, uint32_t person)
{
    uint32_t *at = &r->people[r->people[person].replaced_by].first_merged;

    while (*at != person)
        at = &r->people[*at].next_merged;
    *at = r->people[person].next_merged;
    r->people[person].next_merged = NOT_THERE;
}

int records_replace(struct records *r, uint32_t person, uint32_t by, struct err *err)
{
    struct person *p = &r->people[person];
    int wrong = touch_all(r, person, err);

    if (wrong < 0 || p->replaced_by == by)
        return wrong;
    if (p->replaced_by != NOT_THERE)
        unlink_merged(r, person);
    p->replaced_by = by;
    if (by != NOT_THERE) {
        p->next_merged = r->people[by].first_merged;
        r->people[by].first_merged = person;
    }
    return touch_all(r, person, err);
}

/* ---- evidence ---- */

int evidence_add(struct records *r, const struct evidence *e, struct err *err)
{
    uint32_t n = r->hole;
    struct evidence *v = r->evidence;

    if (n != NOT_THERE) {
        r->hole = v[n].next_of_source;
    } else {
        v = names_room(r->a, v, r->n_evidence, &r->evidence_room, sizeof *v);
        if (!v)
            return err_no_memory(err);
        r->evidence = v;
        n = (uint32_t)r->n_evidence++;
    }
    v[n] = *e;
    v[n].next_of_source = r->findings[e->source];
    r->findings[e->source] = n;
    v[n].next_of_person = r->people[e->person].evidence;
    r->people[e->person].evidence = n;
    v[n].next_of_visit = NOT_THERE;
    if (e->visit != NOT_THERE) {
        v[n].next_of_visit = r->visits[e->visit].evidence;
        r->visits[e->visit].evidence = n;
    }
    return records_touch(r, e->person, err);
}

static void unlink_evidence(struct records *r, uint32_t n)
{
    struct evidence *v = r->evidence;
    uint32_t *at = &r->people[v[n].person].evidence;

    while (*at != n)
        at = &v[*at].next_of_person;
    *at = v[n].next_of_person;
    if (v[n].visit == NOT_THERE)
        return;
    at = &r->visits[v[n].visit].evidence;
    while (*at != n)
        at = &v[*at].next_of_visit;
    *at = v[n].next_of_visit;
}

int evidence_drop(struct records *r, uint32_t finding, struct err *err)
{
    int wrong = 0;

    while (r->findings[finding] != NOT_THERE && wrong == 0) {
        uint32_t n = r->findings[finding];
        struct evidence *e = &r->evidence[n];

        wrong = records_touch(r, e->person, err);
        unlink_evidence(r, n);
        r->findings[finding] = e->next_of_source;
        e->person = NOT_THERE;
        e->next_of_source = r->hole;
        r->hole = n;
    }
    return wrong;
}
