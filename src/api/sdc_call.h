/* sdc_call.h - a form's expressions as a call may ask them: what they query and follow is what
 * whoever asks may see, and the audit log has it.
 */
#ifndef API_SDC_CALL_H
#define API_SDC_CALL_H

#include "api/call_world.h"
#include "api/op.h"
#include "fhir/sdc.h"

struct sdc_call {
    struct sdc sdc;
    struct call_sight sight;
    struct call *c;
    struct store_txn *txn;
};

/* `s` stays where it is until sdc_call_done; issues go to the call's. */
void sdc_call_init(struct sdc_call *s, struct call *c, struct store_txn *txn);
void sdc_call_done(struct sdc_call *s);

/* The Questionnaire of a canonical or a literal reference. `name`: the parameter, for errors. */
int sdc_call_form(struct call *c, struct store_txn *txn, struct str of, const char *name,
                  yyjson_val **ret);
/* Writes Parameters with the one resource, and the call's issues where there are any. */
int sdc_call_reply(struct call *c, const char *name, struct str resource);

#endif
