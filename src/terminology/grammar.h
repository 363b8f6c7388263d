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

/* Whether the codes have no end, so that no list could hold them: all but ICD-11. */
bool grammar_is_endless(enum cs_grammar grammar);

/* ---- filters over endless grammars (grammar_filter.c) ----
 *
 * property                            of      values
 * canonical                           UCUM    a unit: those that measure the same (ucum.html)
 * language, ext-lang, script, region, BCP 47  the subtag, without regard to case
 *   variant, extension, private-use
 * type, subtype                       BCP 13  a part of the media type, without regard to case
 * code, concept                       all     the code
 *
 * with the operators =, in, not-in, exists and regex.
 */
struct grammar_filter {
    struct str property, op, value;
};

/* ERR_PROCESSING when the filter means nothing here, ERR_VALUE when its value is wrong. */
int grammar_filter_check(const struct cs *cs, const struct grammar_filter *f, struct err *err);
/* Whether a code that the grammar makes passes. */
bool grammar_filter_passes(const struct cs *cs, const struct grammar_filter *f, struct str code);

#endif
