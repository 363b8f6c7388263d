/* count.h - how far programmes reach, counted: for each indicator by place, month, sex and age; and
 * how much the facilities write down, by week. Made of a roll at one moment, and never changed.
 *
 * A site is a Location where people are registered or visits were; site 0 is everybody and
 * everything else. All days are as of `today`, the newest day of the records; a month is as of its
 * last day, the last one as of today.
 */
#ifndef COVERAGE_COUNT_H
#define COVERAGE_COUNT_H

#include "coverage/roll.h"

#include <stdatomic.h>

#define COUNT_BYTES_MAX MIB(1024) /* of one count */
#define COUNT_SITES_MAX 100000    /* places with people or visits; those of more are nowhere */
#define COUNT_MONTHS 13
#define COUNT_WEEKS 26
#define COUNT_SEXES 3 /* enum roll_sex */
#define COUNT_AGES 6
#define COUNT_DELAYS 5

/* Where an age group ends, in years; the last has no end. */
extern const unsigned count_ages[COUNT_AGES - 1];
/* Until how many days after the day a record still falls in a group; then those that are later, and
 * those that do not say. */
extern const int count_delays[COUNT_DELAYS - 2];

struct count_cell {
    uint32_t of, with;
};

struct count_place {
    struct str id, name, level;
    uint32_t part_of; /* NAMES_NONE */
    uint32_t site;    /* 0: nobody is registered here */
    bool is_there;
    bool is_facility; /* managed by another organisation than what it lies in */
};

/* By sex and age of the people. */
struct count_people {
    struct count_cell at[COUNT_SEXES][COUNT_AGES];
};

struct count {
    struct arena a;
    atomic_uint refs;
    const struct coverage_set *set;
    uint64_t position;
    int32_t today; /* DAY_NONE: there is nothing to count */
    struct count_place *places;
    uint32_t n_places;
    uint32_t *place_of; /* of a site; NAMES_NONE of the first */
    uint32_t n_sites;
    int32_t month_ends[COUNT_MONTHS]; /* days */
    int32_t first_week;               /* its Monday */
    uint32_t *people;                 /* [site][sex][age], registered and alive */
    struct count_people *now;         /* [indicator][site] */
    struct count_cell *months;        /* [indicator][site][month] */
    uint32_t *visits;                 /* [site][week] */
    uint32_t *delays;                 /* [site][delay] of the services of the last year */
};

/* Counts what is there; *ret has one reference. ERR_NO_MEMORY. `set` must outlive it. */
int count_make(const struct roll *r, uint64_t position, struct count **ret, struct err *err);
struct count *count_ref(struct count *c);
void count_unref(struct count *c);
static inline void count_unrefp(struct count **c)
{
    count_unref(*c);
}

/* The place of an id that is there; NAMES_NONE. */
uint32_t count_place(const struct count *c, struct str id);
/* Which part of `place` (one right below it; NAMES_NONE: of the whole, a place that is part of
 * none) a site lies in. 1 and *ret, which is NAMES_NONE where it lies in no part; 0 where it does
 * not lie within `place`. */
int count_part(const struct count *c, uint32_t site, uint32_t place, uint32_t *ret);

#endif
