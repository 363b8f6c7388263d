/* near_int.h - places on the earth: keys of Location.position, and distances between them.
 *
 * A key is latitude then longitude, 4 bytes each, in steps of 1/10,000,000 degree (a centimetre)
 * above the south pole and the date line: places of one latitude lie together, so that a distance
 * bounds a range. Source: http://hl7.org/fhir/R4/location.html#positional.
 */
#ifndef FHIR_NEAR_INT_H
#define FHIR_NEAR_INT_H

#include "fhir/key_int.h"

#define NEAR_KEY_BYTES 8

/* Degrees; false where they are no place. */
bool near_make(double latitude, double longitude, struct key *k);
/* The place of a Location; false when it has none. */
bool near_key(yyjson_val *root, struct key *k);
/* Metres between a key's place and another. -1: it is no such key. */
double near_metres(struct str key, double latitude, double longitude);

#endif
