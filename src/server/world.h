/* world.h - the answers of a store and its terminology for those who ask struct world
 * (fhir/world.h): the node's interactions, and commands that work beside a store.
 */
#ifndef SERVER_WORLD_H
#define SERVER_WORLD_H

#include "api/api.h"
#include "fhir/world.h"
#include "store/store.h"
#include "terminology/terminology.h"

struct server_world;

/* The store must outlive it. Reads nothing yet. */
int server_world_new(struct store *store, struct server_world **ret, struct err *err);
/* Once the store is closed: the last writes may still tell of changes. NULL is allowed. */
void server_world_free(struct server_world *w);
static inline void server_world_freep(struct server_world **w)
{
    server_world_free(*w);
}

/* Answers the interactions of `api`, and hears from it what changes. */
void server_world_follow(struct server_world *w, struct api *api);

/* Lives as long as `w`. */
const struct world *server_world_table(const struct server_world *w);
struct terms *server_world_terms(struct server_world *w);

#endif
