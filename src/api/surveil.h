/* surveil.h - what the operations of the surveillance centre share: who may ask, and for what.
 * (Who may ask how far programmes reach is asked here too.)
 *
 * Counts and signals are for roles whose policy says `counts`, under a purpose of the role; who the
 * cases are for those with `lineLists`, the work on signals for those with `signals`. A program
 * shows a token with user/Task.rs for the first, user/Patient.rs besides for the second, and
 * user/Task.rus for the third. How far programmes reach is for roles with `programmes`, and
 * a token with user/MeasureReport.rs.
 */
#ifndef API_SURVEIL_H
#define API_SURVEIL_H

#include "api/op.h"
#include "surveillance/centre.h"
#include "surveillance/tally.h"

#define SURVEIL_PERIODS 53 /* of which counts are shown where no `from` is asked for */

enum surveil_what { SURVEIL_COUNTS, SURVEIL_PEOPLE, SURVEIL_WORK, SURVEIL_PROGRAMMES };

/* Whether the asker may ask; ERR_FORBIDDEN. */
int surveil_may(struct call *c, enum surveil_what what);

/* Whether the asker may ask; ERR_FORBIDDEN, ERR_NOT_SUPPORTED where the node keeps no cases,
 * ERR_BUSY while they are counted for the first time. */
int surveil_begin(struct call *c, enum surveil_what what);

/* The cases, until kept_unlock(*ret_kept); ERR_BUSY as above. */
int surveil_lock(struct call *c, struct kept **ret_kept, struct kept_view *ret);

/* The question in the parameters: those of tally_ask, `from` and `to` filled in, of all diseases
 * where none is named. Parameters that are none of these and none of `others` (blanks between them)
 * are refused, unless `ret_others` takes their places. */
int surveil_question(struct call *c, const struct kept_view *v, const struct op_params *params,
                     const char *others, const struct op_param **ret_others, size_t *ret_n,
                     struct tally_question *ret);

/* Of what and of when: members of a JSON object, without braces. */
void surveil_about(struct call *c, const struct kept_view *v, const struct tally *t);

/* A day as YYYY-MM-DD in quotes; null where it is not known. */
void surveil_day(struct sb *out, int32_t day);

#endif
