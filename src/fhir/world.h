/* world.h - what pure code may ask of the world around it.
 *
 * Validation, FHIRPath and search need answers that only a store or a terminology has: what stands
 * behind a canonical URL or a reference, whether a code is in a value set. They ask through this
 * table; whoever has the answers fills it (the server, a command, a test). Every function may be
 * called by any number of threads. Memory that is returned belongs to `a` or lives at least as
 * long. "Not known" is an answer (NULL, TERMS_UNKNOWN), never an error: an error means that the
 * question could not be answered (memory, disk, a bound).
 */
#ifndef FHIR_WORLD_H
#define FHIR_WORLD_H

#include "base/arena.h"
#include "base/err.h"
#include "base/js.h"

/* A code in its system; system.p == NULL: the code alone, display.p == NULL: not given. */
struct coding {
    struct str system, version, code, display;
};

enum terms_answer {
    TERMS_NO,
    TERMS_YES,
    TERMS_UNKNOWN, /* the value set or code system is not known here, or not whole */
};

enum terms_relation {
    RELATION_UNKNOWN,
    RELATION_EQUIVALENT,
    RELATION_SUBSUMES,    /* the first is an ancestor of the second */
    RELATION_SUBSUMED_BY, /* the second is an ancestor of the first */
    RELATION_NOT,
};

/* What a set of codes is asked for by. */
enum terms_set {
    TERMS_VALUE_SET,   /* url: a value set, perhaps "url|version" */
    TERMS_DESCENDANTS, /* of `of`, itself included */
    TERMS_ANCESTORS,   /* of `of`, itself included */
};

struct code_set;
struct def_type;
struct def_element;

/* A value that a profile is asked about: a resource, or an element of one. */
struct world_value {
    yyjson_val *v, *more; /* `more`: the "_name" sibling of a primitive; either may be NULL */
    const struct def_type *type;
    const struct def_element *element; /* what it stands as; NULL: a resource */
    yyjson_val *resource;              /* it is of, and contained references are of; NULL: itself */
};

struct world {
    void *ctx;

    /* The newest resource of a conformance type with this canonical ("url" or "url|version");
     * *ret is NULL when there is none. `type`: def_resource(), 0: any. */
    int (*canonical)(void *ctx, struct arena *a, int type, struct str url, yyjson_val **ret,
                     struct err *err);
    /* What a literal reference ("Patient/1", or absolute to a base of ours) leads to; NULL: nothing
     * here, or nothing that may be seen. */
    int (*reference)(void *ctx, struct arena *a, struct str reference, yyjson_val **ret,
                     struct err *err);

    /* Whether a value set has a code. */
    int (*member_of)(void *ctx, struct arena *a, struct str value_set, const struct coding *coding,
                     enum terms_answer *ret, struct err *err);
    /* Whether a code system has a code; *ret_display (may be NULL) is its preferred display, or
     * coding->display where the system has that among its designations (display_is). */
    int (*has_code)(void *ctx, struct arena *a, const struct coding *coding, enum terms_answer *ret,
                    struct str *ret_display, struct err *err);
    int (*subsumes)(void *ctx, struct arena *a, struct str system, struct str code_a,
                    struct str code_b, enum terms_relation *ret, struct err *err);
    /* All codes of a set (fhir/code_set.h), at most `max` (ERR_COSTLY beyond); NULL in *ret when
     * the set is not known here. `quick`: ERR_BUSY where it would have to be made first. */
    int (*codes)(void *ctx, struct arena *a, enum terms_set kind, struct str url,
                 const struct coding *of, size_t max, bool quick, const struct code_set **ret,
                 struct err *err);

    /* Whether a value conforms to a profile; TERMS_UNKNOWN where the profile is not known here. May
     * be NULL: then no profile is known. */
    int (*conforms_to)(void *ctx, struct arena *a, const struct world_value *value,
                       struct str profile, enum terms_answer *ret, struct err *err);
    /* Whether an element is of a slice that a profile has of that element, by the slice's name;
     * TERMS_UNKNOWN where the profile is not known here, or has no slice of the name. May be NULL,
     * as above. */
    int (*in_slice)(void *ctx, struct arena *a, const struct world_value *value, struct str profile,
                    struct str slice, enum terms_answer *ret, struct err *err);
};

/* A world that asks another one, which may be NULL: whoever has better answers to some questions
 * embeds it as the first member, and puts functions of its own in the places of those. Their ctx is
 * the struct world_over. */
struct world_over {
    struct world world;
    const struct world *below;
};

/* `w` stays where it is from now on, `below` outlives it. */
void world_over(struct world_over *w, const struct world *below);

/* Whether two displays say the same: without regard to case (of ASCII) and to runs of blanks. */
bool display_is(struct str a, struct str b);

#endif
