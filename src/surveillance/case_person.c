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

/* All that speaks of facts, by fact, day and what it says. */
struct facts {
    const struct evidence *v;
    size_t n;
};

/* The latest that speaks of the fact in those days decides; of the same day, the one that says yes,
 * which is behind the others. */
static bool has_fact(const struct records *r, const struct case_ask *ask, int32_t day,
                     const struct facts *facts)
{
    size_t which = r->definitions->n + ask->fact, lo = 0, hi = facts->n;
    const struct evidence *latest;

    if (day == DAY_UNKNOWN)
        return false;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct evidence *e = &facts->v[mid];

        if (e->disease < which ||
            (e->disease == which && evidence_day(e) <= (int64_t)day - ask->least))
            lo = mid + 1;
        else
            hi = mid;
    }
    latest = lo ? &facts->v[lo - 1] : NULL;
    return latest && latest->disease == which && latest->says == FACT_YES &&
           evidence_day(latest) != DAY_UNKNOWN && evidence_day(latest) >= (int64_t)day - ask->most;
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
                       const struct evidence *e, const struct facts *facts)
{
    int32_t day = evidence_day(e);

    if (rule->asks_age && !is_of_age(rule, &r->people[person], day))
        return false;
    for (size_t i = 0; i < rule->n_asks; i++)
        if (has_fact(r, &rule->asks[i], day, facts) == rule->asks[i].is_not)
            return false;
    return rule->outbreak == OUTBREAK_ANY ||
           is_declared(r, e) == (rule->outbreak == OUTBREAK_DECLARED);
}

static enum case_class all_say(const struct records *r, uint32_t person, const struct evidence *e,
                               const struct facts *facts)
{
    const struct case_definition *d = &r->definitions->v[e->disease];
    enum case_class most = e->says;

    for (size_t i = 0; i < d->n_rules; i++)
        if ((d->rules[i].bit & e->maybe) && d->rules[i].says > most &&
            rule_holds(r, &d->rules[i], person, e, facts))
            most = d->rules[i].says;
    return most;
}

size_t evidence_settle(const struct records *r, uint32_t person, struct evidence *v, size_t n)
{
    struct facts facts = {.n = 0};
    size_t left = 0;

    while (facts.n < n && is_of_fact(r, &v[n - 1 - facts.n]))
        facts.n++;
    n -= facts.n;
    facts.v = v + n;
    for (size_t i = 0; i < n; i++) {
        if (v[i].maybe)
            v[i].says = all_say(r, person, &v[i], &facts);
        if (v[i].says != CASE_NONE)
            v[left++] = v[i];
    }
    return left;
}
