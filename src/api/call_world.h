/* call_world.h - the world as a request may ask it.
 *
 * Expressions see terminology and profiles, which are everybody's, but no records (call_world);
 * what validates follows references, too, as far as whoever asks may see (call_sight). The node's
 * own look at records knows no asker.
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

/* The node's world, in which a reference leads only to what the caller may see: what they may not
 * is not there. */
struct call_sight {
    struct world_over over;
    struct call *c;
    struct store_txn *txn, *own; /* `own`: begun for this, at the first reference */
    bool is_shown;               /* what it says of a resource comes out: the trail has it */
};

/* `s` stays where it is until call_sight_done. `txn`: the call's, or NULL. */
void call_sight_init(struct call_sight *s, struct call *c, struct store_txn *txn);
void call_sight_done(struct call_sight *s);

#endif
