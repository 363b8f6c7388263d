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

#define TRANSLATE_DEPENDENCIES_MAX 100 /* of one question */

/* What another element holds, on which a match may depend. */
struct translate_dependency {
    struct str element;  /* a property of dependsOn */
    yyjson_val *concept; /* CodeableConcept */
};

struct translate_options {
    struct str target; /* only matches of this system; STR_NULL: of any */
    bool reverse;      /* the code is one of the target's */
    struct translate_dependency dependencies[TRANSLATE_DEPENDENCIES_MAX];
    size_t n;
};

/* Matches of one code in one map. A match that depends on an element is left out where the question
 * tells another value of that element; where it tells none, the match tells what it depends on. */
int terms_translate(struct terms_scope *s, const struct map *m, const struct coding *coding,
                    const struct translate_options *opt, struct translation *ret, struct err *err);

/* The map behind a canonical; NULL when there is none. */
int terms_map(struct terms_scope *s, struct str canonical, struct map **ret, struct err *err);
int terms_map_of(struct terms_scope *s, yyjson_val *resource, struct map **ret, struct err *err);

#endif
