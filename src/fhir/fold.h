/* fold.h - text folded for search, once, by us: the same on every store and every machine.
 *
 * Folding makes what people take for the same name the same bytes: case, accents, width, ligatures,
 * Arabic and Hebrew points, letter forms and punctuation go; words stay, one blank between them.
 * Exactly what happens is in docs/formats/folding.md. Folding is idempotent, and the fold of a text
 * up to a word's or letter's end is the beginning of the fold of the whole text.
 * Source: http://hl7.org/fhir/R4/search.html#string.
 */
#ifndef FHIR_FOLD_H
#define FHIR_FOLD_H

#include "base/arena.h"

#define FOLD_VERSION 1 /* index keys hold folded text: a change of the rules is a new number */
#define FOLD_GROWTH 20 /* the fold of n bytes has at most n * FOLD_GROWTH bytes */

/* Folds `s` into `ret`, at most `max` bytes, ending between two code points. Returns the length;
 * *ret_cut (may be NULL) says whether something had to be left out. Bytes that are not UTF-8 become
 * U+FFFD each. No blank stands at either end. */
size_t fold_text(struct str s, char *ret, size_t max, bool *ret_cut);

/* The whole fold in the arena; .p is NULL at its limit. */
struct str fold_dup(struct arena *a, struct str s);

#endif
