/* snapshot_int.h - the tree that a snapshot is made in. */
#ifndef FHIR_SNAPSHOT_INT_H
#define FHIR_SNAPSHOT_INT_H

#include "fhir/snapshot.h"

/* An element in the making. */
struct sprout {
    struct str name;     /* "value[x]" */
    struct str slice;    /* "systolic", "a/b", or "" */
    yyjson_val *base;    /* ElementDefinition that it starts from */
    yyjson_val *over;    /* what the differential says, or NULL */
    struct sprout *like; /* a slice: the element that it slices */
    const char *only;    /* of a slice by its name alone ("valueQuantity"): the type */
    bool is_unfolded;    /* children are what they are */
    struct str root_min; /* what the extension that a slice is of says of its number; or empty */
    struct str root_max;
    struct sprout *child, *last, *slices, *next;
};

/* Definitions whose snapshots are being made, the innermost first. */
struct making {
    const struct making *up;
    struct arena *a;
    const struct world *world;
    struct str url;
    struct sprout *root;
    struct str last_id; /* of the differential's element before, as snapshot_id has it */
    size_t n;           /* elements */
    unsigned depth;
    struct err *err;
};

int snapshot_make(const struct making *up, struct arena *a, const struct world *world,
                  yyjson_val *definition, bool anew, yyjson_val **ret, struct err *err);

/* The id of an element of the differential, by its place where it has none: call it for one after
 * the other. */
int snapshot_id(struct making *m, yyjson_val *over, struct str *ret);

/* The tree of a list of elements. */
int sprout_plant(struct making *m, yyjson_val *elements, struct sprout **ret);
/* Gives an element the children of its type. */
int sprout_unfold(struct making *m, struct sprout *s);
/* The element that one of the differential is about, made where it is a slice. */
int sprout_find(struct making *m, yyjson_val *over, struct sprout **ret);
/* Lays one over the other: checks that it is narrower. */
int sprout_lay(struct making *m, struct sprout *s, yyjson_val *over);
/* What is said of an element so far, as one ElementDefinition; `as_slice`: to make a slice of. */
int sprout_merge(struct making *m, const struct sprout *s, bool as_slice, yyjson_val **ret);
/* The types in force: the differential's, or the base's. */
yyjson_val *sprout_types(const struct sprout *s);
/* The whole tree as a JSON array of ElementDefinitions. */
int sprout_write(struct making *m, struct sb *out);

#endif
