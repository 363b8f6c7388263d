/* tally.h - cases as series: counts by disease, place, age and sex, a row for each period.
 *
 * Every place of the level that is asked for has a row for every period, zeros too: a missing row
 * would be a count that is not known. Cases whose place, age or sex is not known have rows of their
 * own, where there are any. Weeks begin on Monday, and are named as ISO weeks, or on another day,
 * and are named by it; those of the MMWR begin on Sunday.
 */
#ifndef SURVEILLANCE_TALLY_H
#define SURVEILLANCE_TALLY_H

#include "surveillance/cases.h"

#define TALLY_ROWS_MAX 2000000 /* of a tally: what `carnet detect` reads at once */
#define TALLY_AGES_MAX 16      /* limits of age groups */

enum tally_period { TALLY_DAYS, TALLY_WEEKS, TALLY_MONTHS };

struct tally_question {
    enum tally_period period;
    unsigned week_start; /* days after Monday */
    enum case_at at;     /* which place of a case counts */
    enum case_date by;
    enum case_class class; /* only cases of this class; CASE_NONE: all but those discarded */
    bool deaths;           /* only fatal ones */
    uint16_t diseases[CASE_DEFINITIONS_MAX];
    size_t n_diseases;
    struct str level;    /* of places; .p NULL: the country as one */
    struct str location; /* id: only cases there or below it; .p NULL: anywhere */
    bool by_age, by_sex;
    unsigned ages[TALLY_AGES_MAX]; /* where a group ends and the next begins, in years */
    size_t n_ages;
    int32_t from, to; /* days; DAY_UNKNOWN: from the first to the last of the records */
};

/* ---- question.c ---- */

/* All cases by week and onset; of no disease yet. */
void tally_question_init(struct tally_question *q);
/* Sets one thing that is asked: disease (again and again), place, location, at, ages ("5,15"), sex
 * and deaths ("true"), period, week-start, date, class, from, to. ERR_VALUE says what it may be,
 * ERR_NOT_SUPPORTED that there is no such thing to ask. Texts must outlive the question. */
int tally_ask(const struct case_definitions *all, struct tally_question *q, struct str name,
              struct str value, struct err *err);
/* Every disease, where none was asked for. */
void tally_ask_all(const struct case_definitions *all, struct tally_question *q);

/* ---- tally.c ---- */

struct tally {
    const struct records *records;
    struct tally_question q;
    uint32_t *places;   /* of the level; NOT_THERE, the last, for those not known */
    uint32_t *place_at; /* of each Location: which of `places` it lies in */
    uint32_t within;    /* the Location asked for; NOT_THERE: anywhere */
    size_t n_places, n_ages, n_sexes, n_periods, n_strata;
    int32_t
        first; /* period: a day, a week from that of 1970-01-01, a month from January of year 0 */
    uint32_t *counts; /* [disease][place][age][sex][period]; a stratum is all but the period */
    size_t n_cases, n_confirmed;   /* counted */
    size_t n_outside, n_placeless; /* not within the days; counted, but at no known place */
    size_t n_other_date;           /* counted by a date other than the one asked for */
};

/* ERR_VALUE: no place has this level or id, there is nothing to count, `to` is before `from`;
 * ERR_TOO_LONG: more than TALLY_ROWS_MAX rows. Its memory is `a`'s; the records must stay as they
 * are until the rows are written. */
int tally_make(const struct records *r, const struct cases *cases, const struct tally_question *q,
               struct arena *a, struct tally *ret, struct err *err);

/* The CSV's first line, and the lines of a stratum, in the form that table.h reads. */
void tally_header(const struct tally *t, struct sb *out);
void tally_rows(const struct tally *t, size_t stratum, struct sb *out);
/* What a stratum is of, as members of a JSON object, without braces; false where the tally has no
 * rows of it: nothing is known of the place, age or sex, and nobody is counted. */
bool tally_stratum(const struct tally *t, size_t stratum, struct sb *out);
/* Its first day, since 1970-01-01. */
int64_t tally_first_day(const struct tally *t, size_t i);
/* "2026-W07", "2026-02-01" (its first day): the i-th period of the tally. */
void tally_period(const struct tally *t, size_t i, struct sb *out);

#endif
