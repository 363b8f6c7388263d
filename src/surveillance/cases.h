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

/* Which place a case has: where it was first seen, where the person lives, where they caught it. */
enum case_at { CASE_AT_FACILITY, CASE_AT_RESIDENCE, CASE_AT_EXPOSURE };

#define CASE_FATAL_DAYS 30 /* a death within so many days of the first is the case's outcome */

struct found_case {
    uint32_t person;              /* whom nobody replaces; NOT_THERE: a hole */
    uint32_t place;               /* where the first visit with a place was; NOT_THERE: not known */
    uint32_t residence, exposure; /* likewise */
    uint16_t disease;
    enum case_class class : 8;
    bool is_fatal;
    int32_t onset, seen, reported; /* the earliest of each; DAY_UNKNOWN: none */
    int32_t first_day;             /* of its evidence */
    uint32_t next;                 /* of the same person, or hole */
};

/* Told of each case that comes (+1) or goes (-1). */
typedef int case_change(void *ctx, const struct found_case *c, int sign, struct err *err);

struct cases {
    struct found_case *v;
    size_t n, room; /* with holes, which are a list */
    uint32_t hole;
    size_t undated;           /* evidence without a day */
    struct evidence *at_hand; /* of one person */
    size_t at_hand_room;
    case_change *changed;
    void *ctx;
};

void cases_init(struct cases *all);

/* Makes the cases of everybody whom the records touched anew: of all, the first time; afterwards
 * those are the cases of the records as they are now. ERR_NO_MEMORY at the limit of the records'
 * arena, and what `changed` returns; what is there is then of no use. */
int cases_remake(struct records *r, struct cases *all, struct err *err);

static inline uint32_t case_place(const struct found_case *c, enum case_at at)
{
    return at == CASE_AT_FACILITY ? c->place : at == CASE_AT_RESIDENCE ? c->residence : c->exposure;
}

/* The day that a case has by this date, or by the next that is known; *ret_other says so. */
int32_t case_day(const struct found_case *c, enum case_date by, bool *ret_other);

#endif
