/* judge.h - the counts of the open week and of the one before, judged.
 *
 * What a week is held against is what was known when a place and disease were first judged in it:
 * that history stays as it is until the week is done, so that thresholds do not move while cases
 * come in. A count that crosses does so at once; one that does not says nothing yet while its week
 * is open. False discoveries are held down among all series of a week together, districts,
 * provinces and the country (Benjamini and Hochberg 1995, at signal_rules.rate); fixed rules are
 * not part of that: they are the ministry's word.
 */
#ifndef SURVEILLANCE_JUDGE_H
#define SURVEILLANCE_JUDGE_H

#include "surveillance/signal_rules.h"
#include "surveillance/weekly.h"

#define JUDGE_WEEKS 2            /* the open one, and the one before */
#define JUDGE_HISTORY_WEEKS 520  /* that a detector sees at most */
#define JUDGE_BYTES_MAX MIB(512) /* histories of the weeks that are judged */

/* A place (NOT_THERE: the country), a disease and a week. */
struct judged {
    uint16_t disease;
    uint32_t place;
    int32_t week;
    uint32_t *history; /* of the weeks before */
    size_t n_history;
    uint32_t count;                 /* cases of the week */
    struct detect_point point;      /* p NAN: no detector, or it could not judge */
    bool is_rare;                   /* judged as a disease that this place hardly knows */
    const struct fixed_rule *fixed; /* the first that is met; NULL: none */
    uint32_t fixed_count;
    bool is_discovered; /* by the detector, false discoveries considered */
};

struct judge {
    const struct case_definitions *definitions;
    const struct signal_rules *rules;
    const struct weekly *weekly;
    struct arena a; /* of all that follows */
    struct judged *v;
    size_t n, room;
    uint32_t *slots;
    size_t n_slots;
    int32_t open;                          /* week */
    size_t n_series[CASE_DEFINITIONS_MAX]; /* with cases in their history, as of the open week */
    size_t n_all;
};

static inline bool judged_crosses(const struct judged *j)
{
    return j->fixed || j->is_discovered;
}

void judge_init(struct judge *j, const struct case_definitions *definitions,
                const struct signal_rules *rules, const struct weekly *weekly);
void judge_done(struct judge *j);

/* Judges what changed (weekly.is_changed) since the last time, all of it where a week begins.
 * `today`: a day of the open week. Afterwards j->v are those places and diseases that had cases in
 * a judged week. */
int judge_run(struct judge *j, const struct records *r, const bool *is_changed, int32_t today,
              struct err *err);

#endif
