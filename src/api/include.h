/* include.h - what a search's matches refer to, and what refers to them (search.html#include). */
#ifndef API_INCLUDE_H
#define API_INCLUDE_H

#include "api/call.h"

#define API_INCLUDED_MAX 2000 /* resources included on one page; more are cut, and it is said */

struct included {
    uint64_t *rows; /* without those of the page, each once */
    size_t n;
    bool cut;
};

/* What the search's _include and _revinclude add to a page. With :iterate also to what was included
 * already, until nothing new comes. ERR_BUSY where that is more than an event loop should do. */
int include_find(struct call *c, struct store_txn *txn, const struct search *s,
                 const struct page *page, struct included *ret);

#endif
