/* walk.h - every current resource of a store, as of one moment. */
#ifndef CLI_WALK_H
#define CLI_WALK_H

#include "store/store.h"

/* 0 goes on; anything else ends the walk and is what it returns. */
typedef int walk_take(void *ctx, const struct row *row, struct err *err);

/* Calls `take` for the current version of every resource but those deleted, in the order of
 * writing, so that what is referred to mostly comes before what refers to it. `job` names the
 * access. Where standard error is a terminal it shows how far it is. */
int walk_store(struct store *st, const char *job, walk_take *take, void *ctx, struct err *err);

#endif
