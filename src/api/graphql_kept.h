/* graphql_kept.h - answers to introspection that are kept: tools ask for the whole schema with one
 * and the same query, and it changes only when the node's search parameters do.
 */
#ifndef API_GRAPHQL_KEPT_H
#define API_GRAPHQL_KEPT_H

#include "base/sb.h"
#include "fhir/graphql.h"
#include "fhir/params.h"

#define GRAPHQL_KEPT_MAX 4             /* answers that are kept */
#define GRAPHQL_KEPT_BYTES_MAX MIB(16) /* of one of them */

struct gq_kept;

/* NULL for lack of memory. Any number of threads may use it. */
struct gq_kept *gq_kept_new(void);
void gq_kept_free(struct gq_kept *k);

/* What an answer depends on: the texts of the request, and the search parameters. */
struct gq_asked {
    struct str query, operation;
    struct params *params;
};

/* Whether an operation asks for nothing but the schema, so that its answer may be kept. */
bool gq_kept_fits(const struct graphql_operation *op);
/* Appends the answer; false where none is kept. */
bool gq_kept_get(struct gq_kept *k, const struct gq_asked *asked, struct sb *out);
/* Keeps a copy, in place of the oldest. Without memory nothing is kept. */
void gq_kept_put(struct gq_kept *k, const struct gq_asked *asked, struct str text);

#endif
