/* owner.h - whose key seals a body: that of the one patient in whose compartment the resource is.
 *
 * A resource of several patients, one in no compartment that refers to a patient, and one whose
 * content nobody can look into (Binary, Bundle) has a key of its own, which can be destroyed
 * without taking anything else away. What is of nobody (definitions, places, staff) has none. Why:
 * docs/decisions/0046.
 */
#ifndef STORE_OWNER_H
#define STORE_OWNER_H

#include "store/scan_int.h"

#define OWNER_MAX (2 + ID_KEY_MAX)

/* An owner as bytes: a resource type (2, big endian) and index_id_key of its id. The length, or 0
 * where it is nobody's. `index` is that of the resource under its id. */
size_t owner_of(const struct index *index, int type, struct str id, unsigned char ret[OWNER_MAX]);
/* That of a resource itself: of a patient, all that is theirs alone. */
size_t owner_key(int type, struct str id, unsigned char ret[OWNER_MAX]);

#endif
