#include "surveillance/detect.h"

#include <stdio.h>

/* Each sentence takes the note's two numbers; a sentence without use for one leaves it out. */
static const struct {
    enum note_code code;
    bool is_judged;
    const char *format; /* %1$: needs, %2$: has, %3$: what a point is */
} notes[] = {
    {NOTE_NONE, true, ""},
    {NOTE_HISTORY, false, "needs %1$.10g %3$s of history, has %2$.10g"},
    {NOTE_UNKNOWN, false, "the count is not known"},
    {NOTE_BASELINE, false, "a count that the threshold rests on is not known"},
    {NOTE_FEW, true, "fewer than %1$.10g cases in the last %2$.10g %3$s"},
    {NOTE_FLAT, false, "the baseline has no variation: the statistic is not defined"},
    {NOTE_FIT, false, "the model has no finite estimate"},
    {NOTE_ALWAYS, true, "any count would be an alarm"},
    {NOTE_NEVER, true, "no count within maxCases would be an alarm"},
    {NOTE_SUM, true, "compares the cases of the last %1$.10g %3$s, which are %2$.10g"},
};

bool note_is_judged(enum note_code code)
{
    return notes[code].is_judged;
}

static const char *point_word(unsigned points_a_year)
{
    return points_a_year == 52    ? "weeks"
           : points_a_year == 365 ? "days"
           : points_a_year == 12  ? "months"
                                  : "points";
}

void note_text(struct detect_note n, unsigned points_a_year, char ret[DETECT_NOTE_TEXT_MAX])
{
    static_assert(ARRAY_LEN(notes) == NOTE_MAX, "a note has no sentence");
    assert(notes[n.code].code == n.code);
    snprintf(ret, DETECT_NOTE_TEXT_MAX, notes[n.code].format, n.needs, n.has,
             point_word(points_a_year));
}
