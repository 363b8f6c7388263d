#include "synth/illness.h"

static void write_test(struct sim *s, const struct person *p, const struct visit *v,
                       const struct illness *i)
{
    struct rng *r = &s->rng;
    struct result what = {.code = i->test, .category = CATEGORY_LAB, .delay_minutes = 20};

    if (!i->test || !draw_permille(r, i->test_permille))
        return;
    if (!i->grown) {
        finding_write(s, p, v, &what, i->code != ICD_FEVER);
        return;
    }
    what.delay_minutes = (unsigned)draw_range(r, 2 * DAY_MINUTES, 5 * DAY_MINUTES);
    text_write(s, p, v, &what, i->grown);
}

static void write_signs(struct sim *s, const struct person *p, const struct visit *v,
                        const struct illness *i)
{
    struct rng *r = &s->rng;
    int64_t day = v->from / DAY_MINUTES;
    enum age_group age = age_group(p, day);

    if (i->fever || draw_permille(r, 400))
        vital_write(s, p, v, LN_TEMPERATURE,
                    i->fever ? draw_normal(r, 386, 6) : draw_normal(r, 367, 3), 1, UNIT_CELSIUS);
    if (age <= AGE_UNDER_5)
        vital_write(s, p, v, LN_WEIGHT, body_weight_g(p, day) / 100, 1, UNIT_KG);
    else if (age >= AGE_ADULT && draw_permille(r, 300))
        pressure_draw(s, p, v, 122, 77);
    if (i->code == ICD_PNEUMONIA || i->code == ICD_BRONCHIOLITIS) {
        vital_write(s, p, v, LN_BREATHS, draw_normal(r, age <= AGE_UNDER_5 ? 52 : 28, 5), 0,
                    UNIT_PER_MIN);
        vital_write(s, p, v, LN_OXYGEN, at_most(draw_normal(r, 93, 3), 100), 0, UNIT_PERCENT);
    }
}

void illness_write(struct sim *s, const struct person *p, const struct illness *i,
                   const struct episode *e)
{
    struct rng *r = &s->rng;
    struct visit_plan plan = {
        .day = e->visit, .type = VISIT_OUTPATIENT, .least = LEVEL_POST, .died = e->died};
    struct diagnosis d = {.code = i->code, .onset = e->onset};
    struct visit v;
    struct uid id;

    if (e->admitted) {
        plan.type = VISIT_ADMISSION;
        plan.class = CLASS_IMP;
        plan.least = LEVEL_HOSPITAL;
        plan.minutes = (unsigned)draw_range(r, 1, 6) * DAY_MINUTES + 300;
        if (e->died)
            plan.minutes = (unsigned)((p->death - e->visit + 1) * DAY_MINUTES);
    }
    visit_write(s, p, &plan, &v);
    write_signs(s, p, &v, i);
    write_test(s, p, &v, i);
    d.abated = e->died ? NEVER : e->visit + draw_range(r, 3, 14);
    condition_write(s, p, &v, &d, &id);
    for (size_t k = 0; k < ARRAY_LEN(i->treatments); k++)
        if (i->treatments[k].drug)
            medication_write(s, p, &v, i->treatments[k].drug, i->treatments[k].dosage,
                             i->treatments[k].days);
}
