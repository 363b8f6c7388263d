/* shelf.h - definitions in memory: a world (world.h) without a store.
 *
 * For a command that works on files, and for tests. It holds R4's own definitions and whatever is
 * put on it, and answers for canonicals; it knows codes as far as value sets list them, take whole
 * code systems that are here, or are made of other value sets: what needs a filter or a system that
 * is not here is "not known". Not for a node: codes are looked for one by one.
 */
#ifndef FHIR_SHELF_H
#define FHIR_SHELF_H

#include "fhir/world.h"

#define SHELF_BYTES_MAX (UINT64_C(1) << 30) /* memory of all that is on it */
#define SHELF_NESTING_MAX 16                /* value sets in value sets */

struct shelf;

/* With R4's own definitions on it; or with nothing, to stand before another one. */
int shelf_new(struct shelf **ret, struct err *err);
int shelf_new_bare(struct shelf **ret, struct err *err);
void shelf_free(struct shelf *s);
static inline void shelf_freep(struct shelf **s)
{
    shelf_free(*s);
}

/* Puts a resource on it, as JSON that was not looked at yet; what has no url is passed over. The
 * last one put with the same canonical is the one that is found. */
int shelf_put(struct shelf *s, struct str json, struct err *err);

/* Answers until the shelf goes. What it does not know itself it asks of `behind` (may be NULL). Put
 * nothing on it any more once others ask. */
const struct world *shelf_world(struct shelf *s, const struct world *behind);

#endif
