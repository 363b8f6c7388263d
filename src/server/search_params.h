/* search_params.h - user-defined search parameters: from SearchParameter resources to the index.
 *
 * A thread looks at the SearchParameter resources that the definitions do not have, gives each a
 * range of list numbers, and indexes the rows that were there before it in steps whose position is
 * committed with their effect, so that it goes on where it was after any stop. A parameter is
 * searchable when its last row is in, not before. Lists of parameters that changed or went are
 * removed.
 *
 * Of several processes on one store one does the work: it claims it for a minute with each step,
 * and another goes on when it is silent for longer. The others put in force what it has done.
 */
#ifndef SERVER_SEARCH_PARAMS_H
#define SERVER_SEARCH_PARAMS_H

#include "store/store.h"
#include "trust/trust.h"

#define SEARCH_PARAMS_STEP_ROWS 500  /* versions looked at in one commit */
#define SEARCH_PARAMS_DROP_KEYS 5000 /* keys removed in one commit */
#define SEARCH_PARAMS_CLAIM_MS 60000 /* after which the work of a silent process is another's */
#define SEARCH_PARAMS_LOOK_SECONDS 1 /* between two looks at what other processes have changed */

struct search_params;

/* Puts in force what an earlier run has indexed or begun to: whoever opens a store to read it with
 * its index, or to write, does this first. Looks up only what the store's own table names. */
int search_params_load(struct store *store, struct err *err);

/* The same as a store_reload, when another process has changed the store; ctx is the store. */
int search_params_reload(void *store, struct store_txn *txn, struct err *err);

/* Starts the thread; it begins with a look at what is there. */
int search_params_start(struct store *store, struct search_params **ret, struct err *err);
/* A SearchParameter may have changed. From any thread; does not block. */
void search_params_wake(struct search_params *sp);
/* Ends the thread between two steps. NULL is allowed. */
void search_params_stop(struct search_params *sp);

/* All of the work, on the caller's thread. `progress` gets versions done and in all. */
int search_params_run(struct store *store, void (*progress)(void *ctx, uint64_t done, uint64_t all),
                      void *ctx, struct err *err);

/* {"parameters":[{"id":…,"state":"indexing","done":…,"all":…},…],"working":…,"failure":…}: each
 * user-defined parameter, whether work is left, and why the last of it failed, if it did. */
void search_params_status(struct search_params *sp, struct sb *out);

#endif
