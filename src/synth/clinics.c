/* clinics.c - long-term care: HIV, tuberculosis, hypertension, diabetes, asthma. */
#include "synth/visit.h"

static const struct result lab_later = {.category = CATEGORY_LAB, .delay_minutes = 3 * DAY_MINUTES};

static void lab(struct sim *s, const struct person *p, const struct visit *v, enum code code,
                int64_t value, int decimals, enum unit unit, char flag)
{
    struct result what = lab_later;

    what.code = code;
    what.flag = flag;
    what.delay_minutes += (unsigned)draw_range(&s->rng, 0, 4 * DAY_MINUTES);
    quantity_write(s, p, v, &what, value, decimals, unit);
}

/* Most people with a long illness had it before the window; others are found within it. */
static int64_t draw_found(struct sim *s, const struct person *p, unsigned new_permille)
{
    int64_t from = MAX(s->start, p->birth);

    if (draw_permille(&s->rng, new_permille) && p->end > from + 1)
        return visit_day(&s->rng, draw_range(&s->rng, from, p->end - 1));
    return at_least(s->start - draw_range(&s->rng, 30, 3000), p->birth + 1);
}

void hiv_write(struct sim *s, const struct person *p)
{
    struct rng *r = &s->rng;
    const struct result rapid = {
        .code = LN_HIV_RAPID, .category = CATEGORY_LAB, .delay_minutes = 20};
    int64_t found, cd4, day;
    bool retained = true;
    struct uid condition, episode;
    struct diagnosis d = {.code = ICD_HIV, .abated = NEVER, .on_problem_list = true};

    if (!p->hiv)
        return;
    found = draw_found(s, p, 140);
    if (found >= p->end)
        return;
    cd4 = at_least(draw_normal(r, found >= s->start ? 330 : 540, 170), 20);
    d.onset = found;
    if (cd4 < 200)
        d.code = ICD_HIV_LATE;
    condition_write(s, p, NULL, &d, &condition);
    episode_write(s, p, VISIT_HIV, &condition, found, NEVER, &episode);
    day = found >= s->start ? found : s->start + draw_range(r, 0, 90);
    for (unsigned nth = 0; retained; nth++) {
        struct visit_plan plan = {.day = day,
                                  .type = VISIT_HIV,
                                  .least = LEVEL_CENTRE,
                                  .episode = &episode,
                                  .reason = d.code};
        bool suppressed = draw_permille(r, found >= s->start && nth < 2 ? 300 : 900);
        struct visit v;

        if (!alive(p, day))
            return;
        visit_write(s, p, &plan, &v);
        if (nth == 0 && found >= s->start)
            finding_write(s, p, &v, &rapid, true);
        vital_write(s, p, &v, LN_WEIGHT, body_weight_g(p, day) / 100, 1, UNIT_KG);
        if (nth % 2 == 0)
            lab(s, p, &v, LN_CD4, cd4, 0, UNIT_PER_UL, cd4 < 200 ? 'L' : 0);
        if (nth % 4 == 1)
            lab(s, p, &v, LN_VIRAL_LOAD,
                suppressed ? draw_range(r, 20, 49) : draw_range(r, 1200, 240000), 0, UNIT_COPIES_ML,
                suppressed ? 'N' : 'H');
        medication_write(s, p, &v, ATC_TLD, "one tablet once a day", 90);
        if (cd4 < 350)
            medication_write(s, p, &v, ATC_COTRIMOXAZOLE, "960 mg once a day", 90);
        cd4 = at_most(cd4 + draw_range(r, -10, 45), 1300);
        day = visit_day(r, day + 84 + draw_wait(r, 800, 40));
        retained = draw_permille(r, 975);
    }
}

static void write_tb_visit(struct sim *s, const struct person *p, const struct uid *episode,
                           int64_t day, unsigned month, enum code code)
{
    struct rng *r = &s->rng;
    struct visit_plan plan = {
        .day = day, .type = VISIT_TB, .least = LEVEL_CENTRE, .episode = episode, .reason = code};
    const struct result smear = {
        .code = LN_SMEAR, .category = CATEGORY_LAB, .delay_minutes = DAY_MINUTES};
    struct visit v;

    visit_write(s, p, &plan, &v);
    vital_write(s, p, &v, LN_WEIGHT, body_weight_g(p, day) / 100 - 60 + (int64_t)month * 8, 1,
                UNIT_KG);
    if (month == 0)
        finding_write(s, p, &v, &smear, code == ICD_TB_CONFIRMED);
    else if (month == 2 || month == 5)
        finding_write(s, p, &v, &smear, draw_permille(r, month == 2 ? 150 : 30));
    if (month < 2)
        medication_write(s, p, &v, ATC_RHZE, "by weight once a day, intensive phase", 30);
    else
        medication_write(s, p, &v, ATC_RH, "by weight once a day, continuation phase", 30);
}

void tb_write(struct sim *s, const struct person *p)
{
    struct rng *r = &s->rng;
    int64_t from = MAX(s->start, p->birth) - 150, days = p->end - from, found, day;
    uint64_t yearly_per_100k = p->hiv ? 2200 : age_years(p, s->end) < 15 ? 60 : 230;
    struct diagnosis d = {.code = ICD_TB_CONFIRMED, .on_problem_list = true};
    struct uid condition, episode;

    if (days < 200 ||
        rng_below(r, UINT64_C(100000) * YEAR_DAYS) >= yearly_per_100k * (uint64_t)days)
        return;
    found = at_least(from + draw_range(r, 0, days - 1), p->birth + 30);
    if (draw_permille(r, 350))
        d.code = ICD_TB_CLINICAL;
    d.onset = at_least(found - draw_range(r, 14, 90), p->birth);
    d.abated = found + 180;
    if (d.abated >= p->end)
        d.abated = NEVER;
    condition_write(s, p, NULL, &d, &condition);
    episode_write(s, p, VISIT_TB, &condition, found, d.abated, &episode);
    for (unsigned month = 0; month < 6; month++) {
        day = visit_day(r, found + (int64_t)month * 30 + draw_wait(r, 400, 8));
        /* One in fifty a month is lost to follow-up. */
        if (month && draw_permille(r, 20))
            return;
        if (day >= s->start && alive(p, day))
            write_tb_visit(s, p, &episode, day, month, d.code);
    }
}

/* What a person with chronic illness comes with. */
struct chronic {
    bool hypertension, diabetes, asthma, controlled;
    int base_systolic;
    int64_t hba1c; /* tenths of a percent */
};

static void write_ncd_visit(struct sim *s, const struct person *p, const struct chronic *c,
                            const struct uid *episode, int64_t day, unsigned nth)
{
    struct rng *r = &s->rng;
    struct visit_plan plan = {
        .day = day, .type = VISIT_NCD, .least = LEVEL_POST, .episode = episode};
    int systolic = c->base_systolic - (c->controlled ? (int)MIN(nth, 3) * 6 : 0);
    struct visit v;

    plan.reason = c->hypertension ? ICD_HYPERTENSION : c->diabetes ? ICD_DIABETES : ICD_ASTHMA;
    if (c->diabetes)
        plan.least = LEVEL_CENTRE;
    visit_write(s, p, &plan, &v);
    if (c->hypertension || c->diabetes) {
        systolic = (int)draw_normal(r, systolic, 9);
        pressure_write(s, p, &v, systolic, systolic * 6 / 10 + (int)draw_range(r, -4, 6));
    }
    if (c->diabetes) {
        lab(s, p, &v, LN_GLUCOSE, at_least(draw_normal(r, c->hba1c * 2, 30), 60), 0, UNIT_MG_DL,
            'H');
        if (nth % 2 == 0)
            lab(s, p, &v, LN_HBA1C, c->hba1c + draw_range(r, -4, 4), 1, UNIT_PERCENT,
                c->hba1c > 65 ? 'H' : 'N');
        medication_write(s, p, &v, ATC_METFORMIN, "500 mg twice a day with food", 60);
        if (c->hba1c > 95)
            medication_write(s, p, &v, ATC_INSULIN, "10 units twice a day under the skin", 60);
    }
    if (c->hypertension) {
        medication_write(s, p, &v, c->base_systolic % 2 ? ATC_AMLODIPINE : ATC_THIAZIDE,
                         "once a day", 60);
        if (systolic > 158)
            medication_write(s, p, &v, ATC_ENALAPRIL, "10 mg once a day", 60);
        if (nth % 4 == 0)
            lab(s, p, &v, LN_CREATININE, at_least(draw_normal(r, 95, 22), 45), 2, UNIT_MG_DL, 0);
    }
    if (c->asthma)
        medication_write(s, p, &v, ATC_SALBUTAMOL, "two puffs when breath is short", 60);
}

void ncd_write(struct sim *s, const struct person *p)
{
    struct rng *r = &s->rng;
    struct chronic c = {p->hypertension, p->diabetes, p->asthma, draw_permille(r, 600), 0, 0};
    const struct {
        bool has;
        enum code code;
    } illnesses[] = {
        {c.hypertension, ICD_HYPERTENSION}, {c.diabetes, ICD_DIABETES}, {c.asthma, ICD_ASTHMA}};
    struct uid condition, episode;
    int64_t found, day;
    unsigned nth = 0;

    if (!c.hypertension && !c.diabetes && !c.asthma)
        return;
    found = draw_found(s, p, 180);
    if (found >= p->end)
        return;
    c.base_systolic = (int)draw_normal(r, 154, 13);
    c.hba1c = at_least(draw_normal(r, 82, 15), 60);
    for (size_t i = 0; i < ARRAY_LEN(illnesses); i++) {
        struct diagnosis d = {
            .code = illnesses[i].code, .onset = found, .abated = NEVER, .on_problem_list = true};

        if (illnesses[i].has)
            condition_write(s, p, NULL, &d, &condition);
    }
    episode_write(s, p, VISIT_NCD, &condition, found, NEVER, &episode);
    day = found >= s->start ? found : s->start + draw_range(r, 0, 80);
    while (alive(p, day)) {
        write_ncd_visit(s, p, &c, &episode, day, nth++);
        /* Some come every two months, some now and then, some not again. */
        day = visit_day(r, day + (c.asthma && !c.hypertension && !c.diabetes ? 150 : 60) +
                               draw_wait(r, 950, 120));
        if (draw_permille(r, 30))
            return;
    }
}

void death_write(struct sim *s, const struct person *p)
{
    struct rng *r = &s->rng;
    struct diagnosis d = {.code = p->cause, .onset = p->death, .abated = NEVER};
    struct visit_plan plan = {.day = p->death,
                              .type = VISIT_EMERGENCY,
                              .class = CLASS_EMER,
                              .least = LEVEL_HOSPITAL,
                              .minutes = 90,
                              .died = true};
    struct visit v;
    struct uid id;

    /* Deaths of an outbreak's disease are written with the case. */
    if (p->death == NEVER)
        return;
    for (size_t i = 0; i < p->n_infections; i++)
        if (p->infections[i].fatal)
            return;
    if (draw_permille(r, 450)) {
        visit_write(s, p, &plan, &v);
        condition_write(s, p, &v, &d, &id);
    } else {
        /* Died at home: the cause comes from asking the family. */
        d.on_problem_list = true;
        condition_write(s, p, NULL, &d, &id);
    }
}
