/* call_world.h - the world as expressions of a request may ask it: terminology and profiles, which
 * are everybody's, but no records: the node's own look at those knows no asker.
 */
#ifndef API_CALL_WORLD_H
#define API_CALL_WORLD_H

#include "api/call.h"
#include "fhir/profile.h"

struct call_world {
    struct world_over terminology;
    struct profile_world all;
    struct profiles *profiles;
};

/* `w` stays where it is until call_world_done. ERR_NO_MEMORY. */
int call_world_init(struct call_world *w, struct call *c);
/* To give path_eval, patch_fhirpath … */
static inline const struct world *call_world_table(const struct call_world *w)
{
    return w->profiles ? &w->all.over.world : NULL;
}
/* Also of one that is all zero. */
void call_world_done(struct call_world *w);

#endif
