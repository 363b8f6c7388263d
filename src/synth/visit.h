/* visit.h - encounters and what hangs on them. */
#ifndef SYNTH_VISIT_H
#define SYNTH_VISIT_H

#include "synth/sim.h"

enum visit_class { CLASS_AMB, CLASS_IMP, CLASS_EMER, CLASS_FLD };

struct visit_plan {
    int64_t day;
    enum code type; /* VISIT_… */
    enum visit_class class;
    enum level least;          /* nearest facility of at least this level */
    unsigned minutes;          /* stay; 0: a short one */
    const struct uid *episode; /* or NULL */
    enum code reason;          /* or CODE_NONE */
    bool died;                 /* leaves dead */
};

struct visit {
    struct uid id;
    int64_t from, to; /* minutes */
    const struct facility *facility;
    const struct uid *by; /* Practitioner */
};

/* The day somebody is seen who fell ill, or is due, on `day`: not often on a weekend. */
int64_t visit_day(struct rng *r, int64_t day);

/* Writes the Encounter. */
void visit_write(struct sim *s, const struct person *p, const struct visit_plan *plan,
                 struct visit *ret);

enum unit {
    UNIT_KG,
    UNIT_G,
    UNIT_CM,
    UNIT_CELSIUS,
    UNIT_PER_MIN,
    UNIT_PERCENT,
    UNIT_MMHG,
    UNIT_G_DL,
    UNIT_MG_DL,
    UNIT_PER_UL,
    UNIT_COPIES_ML,
    UNIT_SCORE,
};

enum category { CATEGORY_VITAL, CATEGORY_LAB, CATEGORY_EXAM };

struct result {
    enum code code;
    enum category category;
    unsigned delay_minutes; /* from the visit to the report */
    char flag;              /* 'H', 'L', 'N', or 0 */
};

/* value is in 10^-decimals of the unit */
void quantity_write(struct sim *s, const struct person *p, const struct visit *v,
                    const struct result *what, int64_t value, int decimals, enum unit unit);
void finding_write(struct sim *s, const struct person *p, const struct visit *v,
                   const struct result *what, bool positive);
void text_write(struct sim *s, const struct person *p, const struct visit *v,
                const struct result *what, const char *value);
void date_write(struct sim *s, const struct person *p, const struct visit *v,
                const struct result *what, int64_t day);
void pressure_write(struct sim *s, const struct person *p, const struct visit *v, int systolic,
                    int diastolic);
/* A pressure around these means. */
void pressure_draw(struct sim *s, const struct person *p, const struct visit *v, int systolic,
                   int diastolic);
static inline void vital_write(struct sim *s, const struct person *p, const struct visit *v,
                               enum code code, int64_t value, int decimals, enum unit unit)
{
    const struct result what = {.code = code, .category = CATEGORY_VITAL, .delay_minutes = 5};

    quantity_write(s, p, v, &what, value, decimals, unit);
}

struct diagnosis {
    enum code code;
    int64_t onset;  /* day */
    int64_t abated; /* day, or NEVER while it lasts */
    bool on_problem_list;
};

/* A Condition, recorded some time after the visit (v may be NULL: recorded from `onset` on). */
void condition_write(struct sim *s, const struct person *p, const struct visit *v,
                     const struct diagnosis *d, struct uid *ret_id);

/* A MedicationRequest for so many days. */
void medication_write(struct sim *s, const struct person *p, const struct visit *v, enum code drug,
                      const char *dosage, unsigned days);

/* dose 0: no number */
void immunization_write(struct sim *s, const struct person *p, const struct visit *v,
                        enum code vaccine, unsigned dose);

/* An EpisodeOfCare of a programme; to == NEVER: still open. */
void episode_write(struct sim *s, const struct person *p, enum code programme,
                   const struct uid *condition, int64_t from, int64_t to, struct uid *ret_id);

/* Weight and height of a person of that age, drawn around the growth standard by their
 * constitution. */
int64_t body_weight_g(const struct person *p, int64_t day);
int64_t body_height_mm(const struct person *p, int64_t day);

#endif
