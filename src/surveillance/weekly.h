/* weekly.h - counts of cases by disease, place and ISO week, kept as cases come and go: what
 * detectors read. A place is where the case was seen; sums over the places within a place are made
 * when they are asked for, so that it does not matter when places change what they are part of.
 */
#ifndef SURVEILLANCE_WEEKLY_H
#define SURVEILLANCE_WEEKLY_H

#include "surveillance/cases.h"

#define WEEKLY_BYTES_MAX MIB(1024)

/* Of one disease at one place; only weeks with cases, in order. */
struct weekly_line {
    uint32_t place; /* NOT_THERE: not known */
    uint16_t disease;
    uint32_t next; /* of the same disease */
    struct weekly_cell {
        int32_t week; /* since that of 1970-01-01 */
        uint32_t n, confirmed;
    } * cells;
    size_t n, room;
};

struct weekly {
    struct arena a;
    enum case_date by;
    struct weekly_line *lines;
    size_t n, room;
    uint32_t *slots;
    size_t n_slots;
    uint32_t first[CASE_DEFINITIONS_MAX]; /* line of a disease */
    bool is_changed[CASE_DEFINITIONS_MAX];
};

/* `by`: which day of a case counts. */
void weekly_init(struct weekly *w, enum case_date by);
void weekly_done(struct weekly *w);

/* The ISO week of a day, and the Monday that it begins with. */
int32_t weekly_of(int32_t day);
int32_t weekly_monday(int32_t week);

/* A case comes (1) or goes (-1); those that are discarded do not count. `c` NULL: all go. */
int weekly_change(struct weekly *w, const struct found_case *c, int sign, struct err *err);

/* Adds to out[0 … n-1] the cases of a disease in the weeks from `first` on, at `place` and all that
 * is within it; NOT_THERE: everywhere. */
void weekly_sum(const struct weekly *w, const struct records *r, uint16_t disease, uint32_t place,
                bool only_confirmed, int32_t first, uint32_t *out, size_t n);

/* Whether one place is another or within it; everything is within NOT_THERE. */
bool place_is_within(const struct records *r, uint32_t place, uint32_t of);

#endif
