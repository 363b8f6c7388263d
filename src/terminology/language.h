/* language.h - which of a concept's texts a reader wants. */
#ifndef TERMINOLOGY_LANGUAGE_H
#define TERMINOLOGY_LANGUAGE_H

#include "terminology/cs.h"

/* Whether a text in `has` ("de-CH") serves one who wants `wanted` ("de", "de-CH", "*"). */
bool language_serves(struct str has, struct str wanted);

/* Whether one of the languages that are asked for, as an Accept-Language header or a
 * displayLanguage names them, takes a text in `has`. A text whose language is not known is taken
 * for English; where nothing is asked for, everything is wanted. */
bool language_wanted(struct str has, struct str wanted);
/* Whether what is asked for excludes all other languages ("de, *;q=0"). */
bool language_is_strict(struct str wanted);

/* The display of a concept for languages in order of preference, as an Accept-Language header or a
 * displayLanguage names them ("de-CH, de;q=0.8"); its usual display where it has none of them.
 * *ret_language (may be NULL): the language of what is given, STR_NULL where it is not known. */
struct str language_display(const struct cs *cs, uint32_t i, struct str wanted,
                            struct str *ret_language);

#endif
