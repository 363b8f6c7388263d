#include "synth/sim.h"

#define MOTHER_AGE_MIN 17
#define MOTHER_AGE_MAX 52
#define LEAVE_HOME_AGE 20 /* most children have left by then */

enum age_group age_group(const struct person *p, int64_t day)
{
    int64_t years = age_years(p, day);

    return years < 1    ? AGE_INFANT
           : years < 5  ? AGE_UNDER_5
           : years < 15 ? AGE_CHILD
           : years < 50 ? AGE_ADULT
                        : AGE_OLDER;
}

static int64_t draw_age_days(struct rng *r, int64_t from_years, int64_t to_years)
{
    return draw_range(r, from_years * 1461 / 4, to_years * 1461 / 4 - 1);
}

/* A new member; the family name comes from `relative` where the culture hands one down. */
static struct person *add(struct sim *s, bool female, int64_t birth, size_t culture,
                          const struct name *family)
{
    struct rng *r = &s->rng;
    struct person *p = &s->members[s->n_members++];

    assert(s->n_members <= HOUSEHOLD_MAX);
    memset(p, 0, sizeof *p);
    uid_draw(r, &p->id);
    p->female = female;
    p->birth = birth;
    name_draw(r, culture, female, &p->name);
    if (family)
        p->name.family = family;
    return p;
}

/* Somebody of so many years on `day`, with a name of their own. */
static void add_adult(struct sim *s, unsigned female_permille, int64_t day, int64_t from_years,
                      int64_t to_years, size_t culture)
{
    bool female = draw_permille(&s->rng, female_permille);

    add(s, female, day - draw_age_days(&s->rng, from_years, to_years), culture, NULL);
}

/* Children of a mother, oldest first, until she is old or stops; then perhaps one on the way. */
static void add_children(struct sim *s, struct person *mother, const struct person *father,
                         size_t culture)
{
    struct rng *r = &s->rng;
    const struct name *family = mother->name.family;
    int64_t day = mother->birth + draw_age_days(r, 16, 25);

    if (cultures[culture].rule == FAMILY_PATRONYMIC)
        family = father ? father->name.given : NULL;
    else if (father)
        family = father->name.family;
    while (day < s->end && s->n_members < HOUSEHOLD_MAX) {
        int64_t years = (s->end - day) * 4 / 1461;

        if (age_years(mother, day) >= 44 || draw_permille(r, 110))
            return;
        if (years < LEAVE_HOME_AGE || draw_permille(r, 150)) {
            struct person *child = add(s, draw_permille(r, 488), day, culture, family);

            child->is_child = true;
            child->mother = mother;
        }
        day += draw_range(r, 22 * 30, 66 * 30);
    }
    if (day < s->end + PREGNANCY_DAYS - 40 && age_years(mother, s->end) < 44)
        mother->due = day;
}

static void draw_family(struct sim *s, size_t culture)
{
    struct rng *r = &s->rng;
    int64_t mother_days = draw_age_days(r, MOTHER_AGE_MIN, MOTHER_AGE_MAX);
    const struct culture *c = &cultures[culture];
    struct person *mother, *father = NULL;

    mother = add(s, true, s->end - mother_days, culture, NULL);
    if (draw_permille(r, 780)) {
        int64_t days = at_least(mother_days + draw_range(r, -1000, 4500), 18 * 366);

        /* Where names are not handed down otherwise, husband and wife often share theirs. */
        father =
            add(s, false, s->end - days, culture,
                c->rule != FAMILY_PATRONYMIC && draw_permille(r, 600) ? mother->name.family : NULL);
    }
    if (draw_permille(r, 260))
        add_adult(s, 620, mother->birth, 18, 38, culture);
    if (draw_permille(r, 160))
        add_adult(s, 500, s->end, 18, 45, culture);
    add_children(s, mother, father, culture);
}

static const struct facility *nearest(struct sim *s)
{
    const struct district *d = &s->country.districts[s->district];

    /* One in six lives in the district's town, near the hospital. */
    if (draw_permille(&s->rng, 160))
        return &d->facilities[0];
    return &d->facilities[1 + rng_below(&s->rng, d->n_facilities - 1)];
}

void household_draw(struct sim *s, uint64_t number, uint64_t people_left)
{
    uint64_t seed = s->config->seed ^ (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    struct rng *r = &s->rng;
    const struct facility *home;
    size_t culture;
    uint64_t kind;

    rng_seed(r, seed);
    s->household = number;
    s->n_members = 0;
    s->district = country_draw_district(&s->country, r);
    culture = country_draw_culture(&s->country, s->district, r);
    kind = rng_below(r, 1000);
    if (kind < 760) {
        draw_family(s, culture);
    } else if (kind < 880) {
        add_adult(s, 450, s->end, 18, 60, culture);
    } else {
        struct person *elder = add(s, true, s->end - draw_age_days(r, 55, 90), culture, NULL);

        if (draw_permille(r, 600))
            add(s, false, elder->birth - draw_range(r, -700, 3000), culture, elder->name.family);
    }
    if (s->n_members > people_left)
        s->n_members = (size_t)people_left;
    home = nearest(s);
    for (size_t i = 0; i < s->n_members; i++) {
        s->members[i].home = home;
        s->members[i].number = s->stats.people + i;
        life_draw(s, &s->members[i]);
    }
}
