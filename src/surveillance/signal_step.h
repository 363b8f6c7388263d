/* signal_step.h - what people do with a signal: steps that are checked, and clocks that they stop.
 *
 * Pure: a Task and a step in, the Task's next version out. A step is taken in its order, by
 * somebody, at a time; what it found becomes Task.output, who took it and what they said a
 * Task.note. From the outputs the clocks follow: 7-1-7 (days from emergence to detection, from
 * there to notification, from there to the seven early response actions; 717alliance.org) and the
 * International Health Regulations (48 hours to assess, Annex 1; 24 more to notify WHO, Article 6).
 * Steps, answers, outputs and clocks: docs/formats/signals.md.
 */
#ifndef SURVEILLANCE_SIGNAL_STEP_H
#define SURVEILLANCE_SIGNAL_STEP_H

#include "base/arena.h"
#include "base/js.h"
#include "base/sb.h"

#define SIGNAL_NOTE_MAX KIB(4) /* bytes of what is said beside a step */
#define SIGNAL_NOTES_MAX 500   /* steps that a signal keeps */
#define SIGNAL_ANSWERS_MAX 8   /* of one step */

/* An answer by name, as text: "likelihood" "likely", "serious" "true". */
struct signal_answer {
    struct str name, text;
};

struct signal_step {
    struct str name; /* "verify" */
    const struct signal_answer *answers;
    size_t n_answers;
    struct str note;
    struct str who;   /* "Practitioner/1"; empty: nobody who has a record */
    struct str agent; /* what is written in place of it */
    int64_t now_ms;
};

/* Whether a Task is a signal. */
bool signal_is(yyjson_val *task);

/* The next version of `task`. ERR_VALUE, ERR_REQUIRED, ERR_NOT_SUPPORTED: the step or an answer is
 * none, or is missing; ERR_CONFLICT: not now, with what the signal waits for; ERR_COSTLY: it has
 * SIGNAL_NOTES_MAX notes, and the step only adds to them. */
int signal_step(struct sb *out, yyjson_val *task, const struct signal_step *step, struct err *err);

/* Where it stands at a moment, as members of a JSON object without braces: "state", "owner",
 * "steps" that can be taken now, "risk", "notifiable", "actions" and "clocks". */
void signal_standing(struct sb *out, yyjson_val *task, int64_t now_ms);

#endif
