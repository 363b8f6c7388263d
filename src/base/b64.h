/* b64.h - base 64 (RFC 4648): section 4 for Binary and for patches inside a Bundle, section 5
 * without padding for what stands in URLs and tokens. */
#ifndef BASE_B64_H
#define BASE_B64_H

#include "base/arena.h"
#include "base/sb.h"

/* .p NULL when it is not base 64 (blanks are passed over) or memory runs out. */
struct str b64_decode(struct arena *a, struct str text);
/* The same onto a builder; false when it is not base 64. */
bool b64_decode_to(struct sb *out, struct str text);
void b64_encode(struct sb *out, struct str bytes);

/* The URL's alphabet without padding, strictly: no blanks, no '=', no bits left over, so that one
 * value has one text. .p NULL when it is not that, or memory runs out. */
struct str b64url_decode(struct arena *a, struct str text);
void b64url_encode(struct sb *out, struct str bytes);

#endif
