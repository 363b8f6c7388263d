/* refs.h - the links in a resource, and their rewriting inside a transaction.
 *
 * A transaction replaces the fullUrls of its entries wherever a resource links to them: in
 * Reference.reference, in elements of type uri, url, oid and uuid, and in the narrative's href and
 * src (http.html#trules). Conditional references ("Patient?identifier=…") stand only in
 * Reference.reference.
 */
#ifndef API_REFS_H
#define API_REFS_H

#include "base/js.h"
#include "fhir/defs.h"

enum link_kind { LINK_REFERENCE, LINK_URI, LINK_NARRATIVE };

/* Called for each link value (a JSON string, to be changed in place with yyjson_set_strn); a
 * narrative is handed over whole. Returns 0 to go on, anything else ends the walk. */
typedef int link_fn(void *ctx, enum link_kind kind, yyjson_val *value);

/* Walks a resource. Returns 0 or what `fn` returned. */
int links_each(yyjson_val *resource, link_fn *fn, void *ctx);

#endif
