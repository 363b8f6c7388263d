/* canonical.h - what stands behind a canonical URL in the store.
 *
 * "url|version" names one version; "url" alone the newest: where the versions of all can be
 * compared (numbers and dots, or dates) the greatest of them, otherwise what was stored last. A
 * version may be a pattern (version_matches); the same version counts before all that match.
 * Source: http://hl7.org/fhir/R4/references.html#canonical.
 */
#ifndef TERMINOLOGY_CANONICAL_H
#define TERMINOLOGY_CANONICAL_H

#include "store/store.h"

#define CANONICAL_VERSIONS_MAX 100 /* resources of one url that are looked at */

/* "url|version" apart; STR_NULL in *ret_version where there is none. */
struct str canonical_split(struct str canonical, struct str *ret_version);

/* Whether a version is one that `wanted` names: the same; or, apart by dots, one whose parts are
 * those of `wanted`, where x and * stand for any, and what `wanted` leaves off at its end too. */
bool version_matches(struct str wanted, struct str version);
/* Whether `a` is newer than `b`: 1, 0 (the same), -1; 2 where they cannot be compared. */
int version_compare(struct str a, struct str b);

/* The resource of a conformance type (0: any) in a snapshot; *ret is NULL when there is none. */
int canonical_find(struct store_txn *txn, struct store *store, struct arena *a, int type,
                   struct str canonical, yyjson_val **ret, struct err *err);
/* The same in a snapshot of its own. */
int canonical_get(struct store *store, const struct access *who, struct arena *a, int type,
                  struct str canonical, yyjson_val **ret, struct err *err);
/* The versions of the resources of a type with a url: at most CANONICAL_VERSIONS_MAX, as `ret`. */
int canonical_versions(struct store *store, const struct access *who, struct arena *a, int type,
                       struct str url, struct str *ret, size_t *ret_n, struct err *err);

#endif
