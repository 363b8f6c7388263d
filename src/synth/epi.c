/* epi.c - the childhood immunisation schedule, growth measured at the same visits, and HPV. */
#include "synth/visit.h"

#define HPV_AGE_YEARS 9

/* One visit of the schedule; vaccines with their dose number (0: none). */
static const struct slot {
    int age_days;
    unsigned kept_permille; /* how many of those who follow the schedule come */
    struct {
        enum code vaccine;
        unsigned dose;
    } given[4];
} schedule[] = {
    {0, 900, {{CVX_BCG, 1}, {CVX_OPV, 0}, {CVX_HEPB, 1}}},
    {42, 960, {{CVX_OPV, 1}, {CVX_PENTA, 1}, {CVX_PCV, 1}, {CVX_ROTA, 1}}},
    {70, 940, {{CVX_OPV, 2}, {CVX_PENTA, 2}, {CVX_PCV, 2}, {CVX_ROTA, 2}}},
    {98, 910, {{CVX_OPV, 3}, {CVX_PENTA, 3}, {CVX_PCV, 3}, {CVX_IPV, 1}}},
    {274, 860, {{CVX_MR, 1}, {CVX_YELLOW_FEVER, 1}, {CVX_IPV, 2}}},
    {457, 740, {{CVX_MR, 2}}},
};

/* Growth visits without a vaccine. */
static const int growth_days[] = {183, 365, 548, 730, 913, 1096, 1278, 1461, 1643, 1826};

static void write_growth(struct sim *s, const struct person *p, const struct visit *v)
{
    int64_t day = v->from / DAY_MINUTES;

    /* Scales tell 50 g, measuring boards 5 mm; both err a little. */
    vital_write(s, p, v, LN_WEIGHT,
                (body_weight_g(p, day) + draw_range(&s->rng, -150, 150)) / 50 * 5, 2, UNIT_KG);
    vital_write(s, p, v, LN_HEIGHT, (body_height_mm(p, day) + draw_range(&s->rng, -6, 6)) / 5 * 5,
                1, UNIT_CM);
}

static void write_slot(struct sim *s, const struct person *p, const struct slot *slot)
{
    struct rng *r = &s->rng;
    int64_t day = p->birth + slot->age_days;
    struct visit_plan plan = {.type = VISIT_VACCINATION, .least = LEVEL_POST};
    struct visit v;

    day = visit_day(r, day + (slot->age_days ? draw_wait(r, 880, 60) : draw_wait(r, 500, 6)));
    if (!draw_permille(r, slot->kept_permille) || day < s->start || !alive(p, day))
        return;
    if (draw_permille(r, 150)) {
        plan.type = VISIT_OUTREACH;
        plan.class = CLASS_FLD;
    }
    plan.day = day;
    visit_write(s, p, &plan, &v);
    for (size_t i = 0; i < ARRAY_LEN(slot->given) && slot->given[i].vaccine; i++)
        immunization_write(s, p, &v, slot->given[i].vaccine, slot->given[i].dose);
    if (slot->age_days)
        write_growth(s, p, &v);
}

static void write_hpv(struct sim *s, const struct person *p)
{
    struct rng *r = &s->rng;
    int64_t day = visit_day(r, p->birth + HPV_AGE_YEARS * 1461 / 4 + draw_range(r, 20, 300));
    struct visit_plan plan = {
        .day = day, .type = VISIT_OUTREACH, .class = CLASS_FLD, .least = LEVEL_POST};
    struct visit v;

    if (day < s->start || !alive(p, day) || !draw_permille(r, 700))
        return;
    visit_write(s, p, &plan, &v);
    immunization_write(s, p, &v, CVX_HPV, 1);
}

void epi_write(struct sim *s, const struct person *p)
{
    struct rng *r = &s->rng;
    struct visit_plan plan = {.type = VISIT_VACCINATION, .least = LEVEL_POST};
    struct visit v;

    if (age_years(p, s->start) > HPV_AGE_YEARS + 1)
        return;
    if (p->vaccinated)
        for (size_t i = 0; i < ARRAY_LEN(schedule); i++)
            write_slot(s, p, &schedule[i]);
    for (size_t i = 0; i < ARRAY_LEN(growth_days); i++) {
        plan.day = visit_day(r, p->birth + growth_days[i] + draw_range(r, -20, 20));
        if (plan.day < s->start || !alive(p, plan.day) || !draw_permille(r, 520))
            continue;
        visit_write(s, p, &plan, &v);
        write_growth(s, p, &v);
        if (i % 2 == 1 && draw_permille(r, 700))
            medication_write(s, p, &v, ATC_VITAMIN_A, "one dose for the age", 1);
    }
    if (p->female && p->vaccinated)
        write_hpv(s, p);
}
