/* translate.h - $translate: what a code is in another system (conceptmap-operation-translate.html).
 */
#ifndef TERMINOLOGY_TRANSLATE_H
#define TERMINOLOGY_TRANSLATE_H

#include "terminology/terminology.h"

#define TRANSLATE_MATCHES_MAX 1000
#define TRANSLATE_MAPS_MAX 100 /* maps that are asked where none is named */
#define TRANSLATE_OTHER_MAX 5  /* maps that refer to each other for what they do not map */

struct translate_match {
    struct str equivalence;
    struct coding concept;                   /* code.p NULL: nothing is the same over there */
    struct str source;                       /* canonical of the map */
    struct str comment, depends_on, product; /* JSON arrays; empty: none */
};

struct translation {
    struct translate_match *v;
    size_t n;
    bool found_map; /* one that has to do with the code's system */
    bool result;    /* there is a match that means something */
};

/* Matches of one code in one map. `target`: only of this system, or STR_NULL. `reverse`: the code
 * is one of the target's. */
int terms_translate(struct terms_scope *s, const struct map *m, const struct coding *coding,
                    struct str target, bool reverse, struct translation *ret, struct err *err);

/* The map behind a canonical; NULL when there is none. */
int terms_map(struct terms_scope *s, struct str canonical, struct map **ret, struct err *err);
int terms_map_of(struct terms_scope *s, yyjson_val *resource, struct map **ret, struct err *err);

#endif
