/* sim.h - one run: the country, its outbreaks, and the household under way.
 *
 * Each household has a generator of its own, seeded from the run's seed and the household's number.
 * It is planned first (who, births, deaths, infections), then written: children before adults, so
 * that a mother's record can refer to what her child's record holds about her.
 *
 * Days count from 1970-01-01, minutes likewise on the country's clocks.
 */
#ifndef SYNTH_SIM_H
#define SYNTH_SIM_H

#include "synth/chance.h"
#include "synth/country.h"
#include "synth/synth.h"

#define HOUSEHOLD_MAX 14
#define INFECTIONS_MAX 4 /* outbreak infections of one person */
#define OUTBREAKS_MAX 36
#define NEVER INT64_MAX
#define YEAR_DAYS 365 /* plain years: ages are rounded anyway */
#define PREGNANCY_DAYS 280

enum age_group { AGE_INFANT, AGE_UNDER_5, AGE_CHILD, AGE_ADULT, AGE_OLDER, AGE_GROUPS };

struct infection {
    unsigned outbreak;
    int64_t onset, visit; /* days */
    bool secondary, fatal;
};

struct person {
    struct uid id, related; /* related: RelatedPerson that stands for the mother */
    struct person *mother;  /* in the household, or NULL */
    struct person_name name;
    bool female, is_child; /* is_child: lives here as somebody's child */
    bool has_related;
    bool born_in_facility, caesarean;
    bool vaccinated; /* follows the schedule */
    bool hiv, hypertension, diabetes, asthma;
    uint64_t number;           /* of the person in the country, from 0 */
    int64_t birth, death, end; /* end: first day without events */
    int64_t due;               /* of a pregnancy that lasts past the window, 0: none */
    enum code cause;           /* of death */
    int64_t frailty_permille;  /* how often ill, 1000 is average */
    struct infection infections[INFECTIONS_MAX];
    size_t n_infections;
    const struct facility *home; /* the nearest facility */
};

struct outbreak {
    const struct outbreak_kind *kind;
    unsigned district;
    int64_t start;           /* day */
    unsigned weeks;          /* of the curve */
    uint32_t scale_permille; /* of the kind's attack rates */
    uint32_t *by_week;       /* injected cases by week of the window */
    uint32_t *background;    /* other cases of the disease in the district, likewise */
    uint32_t cases, secondary, deaths;
};

struct acute_load; /* acute.c: how often people fall ill, by district and week */

struct sim {
    const struct synth_config *config;
    int64_t start, end; /* window, days: start <= day < end */
    struct arena *arena;
    struct country country;
    struct outbreak outbreaks[OUTBREAKS_MAX];
    size_t n_outbreaks;
    struct acute_load *acute;
    struct out out;
    struct synth_stats stats;

    struct rng rng; /* of the household */
    unsigned district;
    uint64_t household;
    struct person members[HOUSEHOLD_MAX]; /* adults, then children, oldest first */
    size_t n_members;
};

static inline int64_t age_days(const struct person *p, int64_t day)
{
    return day - p->birth;
}

static inline int64_t age_years(const struct person *p, int64_t day)
{
    return age_days(p, day) * 4 / 1461;
}

static inline bool alive(const struct person *p, int64_t day)
{
    return day >= p->birth && day < p->end;
}

enum age_group age_group(const struct person *p, int64_t day);

/* ---- household.c, life.c: who lives here ---- */
void household_draw(struct sim *s, uint64_t number, uint64_t people_left);
void life_draw(struct sim *s, struct person *p);
void person_write(struct sim *s, struct person *p);

/* ---- the programmes: each writes what a person had to do with it ---- */
int acute_init(struct sim *s, struct rng *r, struct err *err);
void acute_write(struct sim *s, const struct person *p);
void epi_write(struct sim *s, const struct person *p);
void anc_write(struct sim *s, const struct person *p);
void hiv_write(struct sim *s, const struct person *p);
void tb_write(struct sim *s, const struct person *p);
void ncd_write(struct sim *s, const struct person *p);
void death_write(struct sim *s, const struct person *p);

/* ---- outbreak.c ---- */
int outbreak_init(struct sim *s, struct rng *r, struct err *err);
void outbreak_draw(struct sim *s); /* infections of the household */
void outbreak_write(struct sim *s, const struct person *p);
/* A case of `disease` in the district that no outbreak injected. */
void outbreak_background(struct sim *s, enum code disease, int64_t onset);
int outbreak_truth(const struct sim *s, const struct synth_sink *sink, struct err *err);

#endif
