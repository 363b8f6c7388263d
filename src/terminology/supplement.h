/* supplement.h - code systems that add designations to those of another
 * (codesystem.html#supplements).
 */
#ifndef TERMINOLOGY_SUPPLEMENT_H
#define TERMINOLOGY_SUPPLEMENT_H

#include "terminology/terminology.h"

#define SUPPLEMENTS_MAX 20 /* of one question */

struct supplements {
    struct cs *v[SUPPLEMENTS_MAX];
    size_t n;
};

/* Adds the supplement of a canonical. ERR_NOT_FOUND where it is not known, ERR_COSTLY past the
 * bound. It lives until the scope is done. */
int supplement_add(struct terms_scope *s, struct str canonical, struct supplements *to,
                   struct err *err);
/* Those that a value set asks for, and the language packs that a question brings with it. */
int supplements_of(struct terms_scope *s, const struct vs *vs, struct supplements *to,
                   struct err *err);
/* Whether a supplement adds to a code system. */
bool supplement_is_of(const struct cs *supplement, struct str system);

#endif
