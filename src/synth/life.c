/* life.c - what is decided about a person before anything is written: chronic disease, death. */
#include "synth/sim.h"

struct hazard {
    int years;         /* from this age on */
    unsigned per_100k; /* a year */
};

static const struct hazard mortality[] = {
    {0, 4200}, {1, 650}, {5, 110}, {15, 260}, {40, 600}, {55, 1500}, {65, 3400}, {75, 8500},
};

/* Causes by age, with weights that add up to 100. */
struct cause {
    enum code code;
    uint16_t weight;
};

static const struct cause infant_causes[] = {
    {ICD_ASPHYXIA, 24},  {ICD_NEONATAL_SEPSIS, 18}, {ICD_PRETERM, 22},
    {ICD_PNEUMONIA, 16}, {ICD_GASTRO, 10},          {ICD_DEATH_UNKNOWN, 10},
};
static const struct cause child_causes[] = {
    {ICD_MALARIA_SEVERE, 26}, {ICD_PNEUMONIA, 22}, {ICD_GASTRO, 16},       {ICD_MALNUTRITION, 12},
    {ICD_INJURY, 10},         {ICD_SEPSIS, 6},     {ICD_DEATH_UNKNOWN, 8},
};
static const struct cause adult_causes[] = {
    {ICD_TRAFFIC, 18},     {ICD_HIV_LATE, 16},     {ICD_TB_CLINICAL, 10},   {ICD_INJURY, 10},
    {ICD_SEPSIS, 8},       {ICD_STROKE, 7},        {ICD_CIRRHOSIS, 6},      {ICD_KIDNEY, 5},
    {ICD_LIVER_CANCER, 5}, {ICD_HEART_FAILURE, 5}, {ICD_DEATH_UNKNOWN, 10},
};
static const struct cause older_causes[] = {
    {ICD_STROKE, 22},      {ICD_INFARCTION, 15}, {ICD_HEART_FAILURE, 15},
    {ICD_COPD, 9},         {ICD_PNEUMONIA, 9},   {ICD_KIDNEY, 6},
    {ICD_LIVER_CANCER, 5}, {ICD_CIRRHOSIS, 4},   {ICD_DEATH_UNKNOWN, 15},
};

static enum code draw_cause(struct rng *r, const struct cause *list, size_t n)
{
    uint64_t at = rng_below(r, 100);

    for (size_t i = 0; i + 1 < n; i++) {
        if (at < list[i].weight)
            return list[i].code;
        at -= list[i].weight;
    }
    return list[n - 1].code;
}

static enum code cause_at(struct rng *r, const struct person *p, int64_t day)
{
    switch (age_group(p, day)) {
    case AGE_INFANT: return draw_cause(r, infant_causes, ARRAY_LEN(infant_causes));
    case AGE_UNDER_5:
    case AGE_CHILD: return draw_cause(r, child_causes, ARRAY_LEN(child_causes));
    case AGE_ADULT: return draw_cause(r, adult_causes, ARRAY_LEN(adult_causes));
    default: return draw_cause(r, older_causes, ARRAY_LEN(older_causes));
    }
}

/* A mother is alive when her children of the window are born. */
static int64_t lives_until(const struct sim *s, const struct person *p)
{
    int64_t day = MAX(p->birth, s->start);

    for (size_t i = 0; i < s->n_members; i++)
        if (s->members[i].mother == p)
            day = MAX(day, s->members[i].birth + 1);
    return day;
}

static unsigned hazard_at(int64_t years)
{
    size_t i = ARRAY_LEN(mortality) - 1;

    while (years < mortality[i].years)
        i--;
    return mortality[i].per_100k;
}

static void draw_death(struct sim *s, struct person *p)
{
    int64_t from = lives_until(s, p), days = s->end - from;
    uint64_t hazard;

    if (days < 1)
        return;
    hazard = hazard_at(age_years(p, from));
    if (rng_below(&s->rng, UINT64_C(100000) * YEAR_DAYS) >= hazard * (uint64_t)days)
        return;
    /* Of those who die in their first year, half do in their first weeks. */
    if (p->birth >= s->start && draw_permille(&s->rng, 500))
        days = MIN(days, 28);
    p->death = from + draw_range(&s->rng, 0, days - 1);
    p->cause = cause_at(&s->rng, p, p->death);
    p->end = p->death;
}

void life_draw(struct sim *s, struct person *p)
{
    struct rng *r = &s->rng;
    int64_t years = age_years(p, s->end), often;

    p->death = NEVER;
    p->end = s->end;
    p->born_in_facility = draw_permille(r, 800);
    p->caesarean = p->born_in_facility && draw_permille(r, 85);
    p->vaccinated = draw_permille(r, 860);
    /* Skewed: many who seldom come, some who come often. */
    often = (int64_t)rng_below(r, 1000);
    p->frailty_permille = 350 + often * (int64_t)rng_below(r, 1000) / 380;
    p->hiv = years >= 15 ? draw_permille(r, years < 50 ? 45 : 25) : draw_permille(r, 3);
    p->hypertension = years >= 30 && draw_permille(r, (uint64_t)MIN((years - 25) * 7, 330));
    p->diabetes = years >= 35 && draw_permille(r, (uint64_t)MIN((years - 25) * 2, 80));
    p->asthma = years >= 4 && draw_permille(r, 22);
    draw_death(s, p);
}
