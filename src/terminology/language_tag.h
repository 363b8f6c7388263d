/* language_tag.h - what a language tag is made of.
 *
 *     language [ "-" extlang ] [ "-" script ] [ "-" region ] *( "-" variant ) *( "-" extension )
 *     [ "-x-" private use ]
 *
 * Well-formedness alone: which subtags are registered is not known here.
 * Source: RFC 5646 section 2.1.
 */
#ifndef TERMINOLOGY_LANGUAGE_TAG_H
#define TERMINOLOGY_LANGUAGE_TAG_H

#include "base/str.h"

#define LANGUAGE_TAG_MAX 100 /* bytes */

/* Empty where the tag has none; what may repeat is one text with its hyphens. */
struct language_tag {
    struct str language, extlang, script, region, variant, extension, private_use;
};

/* False where the tag is not well formed. The parts point into `code`. */
bool language_tag_read(struct str code, struct language_tag *ret);

#endif
