/* reindex.h - keys that older stores have not: words, contained resources, positions, composites.
 */
#ifndef SERVER_REINDEX_H
#define SERVER_REINDEX_H

#include "store/store.h"

/* Gives every resource the keys of the index's present version, and with `content` those of
 * `_content`; nothing to do where they are there. A run that was stopped begins again: until it
 * ends, what they would find is found by looking at resources. Nobody else may use the store:
 * ERR_CONFLICT where somebody does. */
int server_reindex(struct store *store, bool content,
                   void (*progress)(void *ctx, uint64_t done, uint64_t all), void *ctx,
                   struct err *err);
/* Every key there is, for a store that has none (store_restore_keys). */
int server_reindex_all(struct store *store, struct err *err);

#endif
