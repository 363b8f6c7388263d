/* anc.c - pregnancies: antenatal visits, delivery, and the first weeks after it. */
#include "synth/visit.h"

/* Days before the due date of the visits that are asked for, and how many come. */
static const struct anc_slot {
    int before_days;
    unsigned kept_permille;
} visits[] = {
    {196, 420}, {140, 780}, {98, 860}, {70, 820}, {42, 760}, {14, 560},
};

/* What one pregnancy is about. */
struct pregnancy {
    struct uid episode;
    const struct person *child; /* NULL while it is not born */
    int64_t due;
    bool preeclampsia;
};

static void write_anc_visit(struct sim *s, const struct person *p, const struct pregnancy *g,
                            int64_t day, unsigned nth)
{
    struct rng *r = &s->rng;
    struct visit_plan plan = {.day = day,
                              .type = VISIT_ANC,
                              .least = LEVEL_POST,
                              .episode = &g->episode,
                              .reason = ICD_PREGNANCY};
    const struct result lab = {.code = LN_HB, .category = CATEGORY_LAB, .delay_minutes = 60};
    const struct result rapid = {
        .code = LN_HIV_RAPID, .category = CATEGORY_LAB, .delay_minutes = 20};
    const struct result exam = {.code = LN_FUNDAL, .category = CATEGORY_EXAM, .delay_minutes = 5};
    const struct result due = {.code = LN_DUE_DATE, .category = CATEGORY_EXAM, .delay_minutes = 5};
    int64_t week = 40 - (g->due - day) / 7;
    bool high = g->preeclampsia && week > 28;
    struct visit v;

    visit_write(s, p, &plan, &v);
    pressure_draw(s, p, &v, high ? 152 : 112, high ? 98 : 70);
    vital_write(s, p, &v, LN_WEIGHT, (body_weight_g(p, day) + (week - 8) * 350) / 100, 1, UNIT_KG);
    if (week >= 20)
        quantity_write(s, p, &v, &exam, week + draw_range(r, -2, 2), 0, UNIT_CM);
    if (nth == 0) {
        date_write(s, p, &v, &due, g->due + draw_range(r, -6, 6));
        if (!p->hiv)
            finding_write(s, p, &v, &rapid, false);
    }
    if (nth == 0 || nth == 3)
        quantity_write(s, p, &v, &lab, at_least(draw_normal(r, 112, 14), 60), 1, UNIT_G_DL);
    if (nth < 2)
        immunization_write(s, p, &v, CVX_TETANUS, nth + 1);
    medication_write(s, p, &v, ATC_IRON_FOLATE, "once a day", 30);
    if (week >= 13 && week <= 34 && !p->hiv)
        medication_write(s, p, &v, ATC_SP, "three tablets once, taken at the visit", 1);
}

static void write_delivery(struct sim *s, const struct person *p, const struct pregnancy *g)
{
    struct rng *r = &s->rng;
    struct visit_plan plan = {.day = g->child->birth,
                              .type = VISIT_DELIVERY,
                              .class = CLASS_IMP,
                              .least = g->child->caesarean ? LEVEL_HOSPITAL : LEVEL_CENTRE,
                              .episode = &g->episode};
    struct diagnosis d = {.onset = g->child->birth, .abated = g->child->birth + 1};
    struct visit v;
    struct uid id;

    plan.minutes = (unsigned)draw_range(r, 500, g->child->caesarean ? 5000 : 1900);
    visit_write(s, p, &plan, &v);
    d.code = g->child->caesarean ? ICD_CAESAREAN : ICD_VAGINAL_BIRTH;
    condition_write(s, p, &v, &d, &id);
    medication_write(s, p, &v, ATC_OXYTOCIN, "10 units into the muscle after the birth", 1);
    if (g->preeclampsia) {
        d.code = ICD_PREECLAMPSIA;
        d.onset = g->child->birth - draw_range(r, 3, 60);
        d.abated = g->child->birth + draw_range(r, 5, 40);
        condition_write(s, p, &v, &d, &id);
    }
    if (draw_permille(r, 28)) {
        d.code = ICD_HAEMORRHAGE;
        d.onset = g->child->birth;
        d.abated = d.onset + 3;
        condition_write(s, p, &v, &d, &id);
    }
}

static void write_postnatal(struct sim *s, const struct person *p, const struct pregnancy *g)
{
    static const int after[] = {2, 7, 42};
    struct rng *r = &s->rng;

    for (size_t i = 0; i < ARRAY_LEN(after); i++) {
        struct visit_plan plan = {
            .type = VISIT_POSTNATAL, .least = LEVEL_POST, .episode = &g->episode};
        struct visit v;

        plan.day = visit_day(r, g->child->birth + after[i] + draw_wait(r, 400, 4));
        if (!alive(p, plan.day) || !draw_permille(r, 560))
            continue;
        visit_write(s, p, &plan, &v);
        pressure_draw(s, p, &v, 114, 72);
        vital_write(s, p, &v, LN_TEMPERATURE, draw_normal(r, 367, 3), 1, UNIT_CELSIUS);
    }
}

/* The newborn's own record of the birth: written with the child, who is written first. */
static void write_newborn(struct sim *s, const struct person *p)
{
    struct rng *r = &s->rng;
    const struct result birth = {
        .code = LN_BIRTH_WEIGHT, .category = CATEGORY_EXAM, .delay_minutes = 30};
    const struct result apgar = {.code = LN_APGAR, .category = CATEGORY_EXAM, .delay_minutes = 10};
    struct visit_plan plan = {.day = p->birth,
                              .type = VISIT_DELIVERY,
                              .class = CLASS_IMP,
                              .least = LEVEL_CENTRE,
                              .minutes = 1200};
    struct diagnosis d = {.code = p->caesarean ? ICD_BORN_CAESAREAN : ICD_BORN_HOSPITAL,
                          .onset = p->birth,
                          .abated = p->birth};
    struct visit v;
    struct uid id;

    if (p->caesarean)
        plan.least = LEVEL_HOSPITAL;
    if (!p->born_in_facility) {
        plan.day = visit_day(r, p->birth + draw_wait(r, 700, 10));
        plan.class = CLASS_AMB;
        plan.minutes = 0;
        d.code = ICD_BORN_OUTSIDE;
    }
    if (!alive(p, plan.day))
        return;
    visit_write(s, p, &plan, &v);
    quantity_write(s, p, &v, &birth, at_least(draw_normal(r, 3050, 430), 900) / 10 * 10, 0, UNIT_G);
    if (p->born_in_facility)
        quantity_write(s, p, &v, &apgar, at_most(draw_normal(r, 8, 1), 10), 0, UNIT_SCORE);
    condition_write(s, p, &v, &d, &id);
}

static void write_pregnancy(struct sim *s, const struct person *p, struct pregnancy *g)
{
    struct rng *r = &s->rng;
    struct diagnosis d = {.code = ICD_PREGNANCY,
                          .onset = g->due - PREGNANCY_DAYS,
                          .abated = g->child ? g->child->birth : NEVER,
                          .on_problem_list = true};
    int64_t from = MAX(g->due - 196, s->start);
    unsigned nth = 0;
    struct uid condition;

    if (from >= p->end)
        return;
    condition_write(s, p, NULL, &d, &condition);
    episode_write(s, p, VISIT_ANC, &condition, from, g->child ? g->child->birth + 42 : NEVER,
                  &g->episode);
    for (size_t i = 0; i < ARRAY_LEN(visits); i++) {
        int64_t day = visit_day(r, g->due - visits[i].before_days + draw_range(r, -8, 8));

        if (day < from || !alive(p, day) || (g->child && day >= g->child->birth) ||
            !draw_permille(r, visits[i].kept_permille))
            continue;
        write_anc_visit(s, p, g, day, nth++);
    }
    if (!g->child || !alive(p, g->child->birth))
        return;
    if (g->child->born_in_facility)
        write_delivery(s, p, g);
    write_postnatal(s, p, g);
}

void anc_write(struct sim *s, const struct person *p)
{
    struct rng *r = &s->rng;

    if (p->is_child && p->birth >= s->start)
        write_newborn(s, p);
    for (size_t i = 0; i < s->n_members; i++) {
        const struct person *child = &s->members[i];
        struct pregnancy g = {.child = child};

        if (child->mother != p || child->birth < s->start)
            continue;
        g.due = child->birth + draw_range(r, -14, 18);
        g.preeclampsia = draw_permille(r, 45);
        write_pregnancy(s, p, &g);
    }
    if (p->due) {
        struct pregnancy g = {.due = p->due};

        write_pregnancy(s, p, &g);
    }
}
