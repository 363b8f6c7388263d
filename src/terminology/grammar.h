/* grammar.h - code systems whose codes are made by rules: UCUM units, language tags (BCP 47), media
 * types (BCP 13), and the clusters of ICD-11 (cluster.h).
 */
#ifndef TERMINOLOGY_GRAMMAR_H
#define TERMINOLOGY_GRAMMAR_H

#include "terminology/cs.h"

#define GRAMMAR_UCUM_URL "http://unitsofmeasure.org"
#define GRAMMAR_LANGUAGE_URL "urn:ietf:bcp:47"
#define GRAMMAR_MIME_URL "urn:ietf:bcp:13"
#define GRAMMAR_ICD11_URL "http://id.who.int/icd/release/11/mms"
#define ICD11_FOUNDATION_URL "http://id.who.int/icd/entity" /* codes: numbers of its entities */

enum cs_grammar grammar_of(struct str url);

/* A code that the list does not hold but the grammar may make: true, with its display in the
 * arena; false with the reason in *err (where there is a grammar at all). */
bool grammar_has(const struct cs *cs, struct arena *a, struct str code, struct str *ret_display,
                 struct err *err);

#endif
