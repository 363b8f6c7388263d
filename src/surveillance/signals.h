/* signals.h - what crosses becomes a Task: one for each event, a place and a disease.
 *
 * An event lasts while it crosses again within the rules' quiet days; meanwhile its Task is brought
 * up to date and nobody is told again. Of places within each other the innermost is named: no Task
 * of a district's province, or of the country, where the district has one. What crosses no more
 * while its first week is still judged is withdrawn: the Task stays, cancelled, and says why.
 * What people wrote into a Task (owner, state, notes, output) stays as they wrote it; one that they
 * ended is not touched. The Task's form: docs/formats/signals.md.
 */
#ifndef SURVEILLANCE_SIGNALS_H
#define SURVEILLANCE_SIGNALS_H

#include "notify/notify.h"
#include "store/store.h"
#include "surveillance/judge.h"

#define SIGNAL_SYSTEM "urn:carnet:surveillance" /* of Task.code "signal" and of its inputs */
#define SIGNAL_DISEASE_SYSTEM "urn:carnet:disease"
#define SIGNAL_STATE_SYSTEM "urn:carnet:signal-state"
#define SIGNALS_MAX 100000 /* events that are remembered */

struct signals;

/* All but `notify` (NULL: nobody is told) must outlive it. */
int signals_new(struct store *store, const struct access *node,
                const struct case_definitions *definitions, const struct signal_rules *rules,
                struct signals **ret, struct err *err);
void signals_free(struct signals *s);
void signals_tell_by(struct signals *s, struct notify *notify);

/* Places have other numbers from here on: what is remembered is read again. */
void signals_forget(struct signals *s);

/* Writes what judge_run found; `today` as there. How many Tasks were written, or negative: what was
 * written is remembered, and the rest comes at the next call. */
int signals_write(struct signals *s, const struct judge *j, const struct records *r, int32_t today,
                  struct err *err);

#endif
