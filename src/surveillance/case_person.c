/* case_person.c - what evidence says once the person and the place are known: conditional rules. */
#include "surveillance/records_int.h"

#include "base/clock.h"

/* Completed months; a child of the 31st is a month old on the day after a shorter month's last. */
unsigned records_months(int32_t born, int32_t day)
{
    int y, m, d, by, bm, bd;

    clock_civil(day, &y, &m, &d);
    clock_civil(born, &by, &bm, &bd);
    return (unsigned)MAX((y - by) * 12 + m - bm - (d < bd), 0);
}

static bool is_of_age(const struct case_rule *rule, const struct person *p, int32_t day)
{
    uint32_t age;

    if (day == DAY_UNKNOWN || p->born == DAY_UNKNOWN || p->born > day)
        return false;
    age = rule->age_unit == AGE_DAYS     ? (uint32_t)(day - p->born)
          : rule->age_unit == AGE_MONTHS ? records_months(p->born, day)
                                         : records_months(p->born, day) / 12;
    return age >= rule->age_from && (rule->age_below == UINT32_MAX || age < rule->age_below);
}

/* The latest that speaks of the fact in those days decides; of the same day, the one that says yes.
 */
static bool has_fact(const struct records *r, const struct case_ask *ask, int32_t day,
                     const struct evidence *v, size_t n)
{
    int32_t latest = DAY_UNKNOWN;
    bool is_true = false;

    for (size_t i = 0; i < n && day != DAY_UNKNOWN; i++) {
        int32_t at = evidence_day(&v[i]);
        int64_t before = (int64_t)day - at;

        if (v[i].disease != r->definitions->n + ask->fact || at == DAY_UNKNOWN ||
            before < ask->least || before > ask->most || at < latest)
            continue;
        is_true = v[i].says == FACT_YES || (is_true && at == latest);
        latest = at;
    }
    return is_true;
}

static bool is_declared(const struct records *r, const struct evidence *e)
{
    uint32_t place = e->visit == NOT_THERE ? NOT_THERE : r->visits[e->visit].place;
    int32_t day = evidence_day(e);

    for (size_t i = 0; i < r->outbreak_ids.n && day != DAY_UNKNOWN; i++) {
        const struct outbreak *o = &r->outbreaks[i];

        if (o->disease == e->disease && o->from != DAY_UNKNOWN && day >= o->from &&
            (o->to == DAY_UNKNOWN || day <= o->to) &&
            (o->place == NOT_THERE || records_is_within(r, place, o->place)))
            return true;
    }
    return false;
}

static bool rule_holds(const struct records *r, const struct case_rule *rule, uint32_t person,
                       const struct evidence *e, const struct evidence *v, size_t n)
{
    int32_t day = evidence_day(e);

    if (rule->asks_age && !is_of_age(rule, &r->people[person], day))
        return false;
    for (size_t i = 0; i < rule->n_asks; i++)
        if (has_fact(r, &rule->asks[i], day, v, n) == rule->asks[i].is_not)
            return false;
    return rule->outbreak == OUTBREAK_ANY ||
           is_declared(r, e) == (rule->outbreak == OUTBREAK_DECLARED);
}

static enum case_class all_say(const struct records *r, uint32_t person, const struct evidence *e,
                               const struct evidence *v, size_t n)
{
    const struct case_definition *d = &r->definitions->v[e->disease];
    enum case_class most = e->says;

    for (size_t i = 0; i < d->n_rules; i++)
        if ((d->rules[i].bit & e->maybe) && d->rules[i].says > most &&
            rule_holds(r, &d->rules[i], person, e, v, n))
            most = d->rules[i].says;
    return most;
}

size_t evidence_settle(const struct records *r, uint32_t person, struct evidence *v, size_t n)
{
    size_t left = 0;

    /* What one says does not change what another says: facts say what they say. */
    for (size_t i = 0; i < n; i++)
        if (!is_of_fact(r, &v[i]) && v[i].maybe)
            v[i].says = all_say(r, person, &v[i], v, n);
    for (size_t i = 0; i < n; i++)
        if (!is_of_fact(r, &v[i]) && v[i].says != CASE_NONE)
            v[left++] = v[i];
    return left;
}
