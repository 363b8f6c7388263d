/* cases.h - evidence becomes cases: person, disease, episode.
 *
 * A person's evidence of a disease, in order of time: the first begins a case, and what follows
 * within the definition's episode_days of that first day belongs to it. So a suspicion, its
 * laboratory result and a second visit are one case. The case has the highest class of its
 * evidence; what only a negative result speaks of is no case. Evidence without any day cannot be
 * placed and is counted apart.
 */
#ifndef SURVEILLANCE_CASES_H
#define SURVEILLANCE_CASES_H

#include "surveillance/records.h"

/* Which day a case has. One that is not known is replaced by the next below, which is counted. */
enum case_date { CASE_BY_ONSET, CASE_BY_CONSULTATION, CASE_BY_REPORT };

#define CASE_FATAL_DAYS 30 /* a death within so many days of the first is the case's outcome */

struct found_case {
    uint32_t person, place; /* where the first visit with a place was; NOT_THERE: not known */
    uint16_t disease;
    enum case_class class;
    int32_t onset, seen, reported; /* the earliest of each; DAY_UNKNOWN: none */
    bool is_fatal;
};

struct cases {
    struct found_case *v;
    size_t n;
    size_t undated; /* evidence without a day */
};

/* Sorts the records' evidence. ERR_NO_MEMORY at the limit of the records' arena. */
int cases_make(struct records *r, struct cases *ret, struct err *err);

/* The day that a case has by this date, or by the next that is known; *ret_other says so. */
int32_t case_day(const struct found_case *c, enum case_date by, bool *ret_other);

#endif
