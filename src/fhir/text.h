/* text.h - the words of a resource, for _text and _content: folded (fold.h) and cut into tokens.
 *
 * A token is a word: what stands between two blanks of the folded text. Scripts that write no
 * blanks (Han, kana, Thai, Lao, Khmer, Burmese, Tibetan) give a token for each character together
 * with the next one of the same run, and the last character alone. Long words are cut; a search for
 * a long word is cut in the same place. Formats: docs/formats/index-keys.md, "Words".
 */
#ifndef FHIR_TEXT_H
#define FHIR_TEXT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/js.h"

#define TEXT_TOKEN_BYTES 32  /* of a longer word the beginning counts */
#define TEXT_TOKENS_MAX 4000 /* different words of one resource that are indexed */

/* Calls `visit` for each token of a folded text, in order; stops at its first non-zero result and
 * returns it. */
typedef int text_visit(void *ctx, struct str token);
int text_tokens(struct str s, text_visit *visit, void *ctx);

/* The folded text of a resource, words of different places separated: its narrative without the
 * markup, or (`all`) every text, code and name in it; not its id, references, URLs and bytes. .p is
 * NULL without memory. */
struct str text_of(struct arena *a, yyjson_val *root, bool all);

#endif
