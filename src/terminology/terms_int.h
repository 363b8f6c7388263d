/* terms_int.h - what the files behind terminology.h share. */
#ifndef TERMINOLOGY_TERMS_INT_H
#define TERMINOLOGY_TERMS_INT_H

#include "terminology/terminology.h"

enum kept_kind {
    KEPT_CS,
    KEPT_VS,
    KEPT_MAP,
    KEPT_CODES,   /* of a value set or of a part of a hierarchy, as a search wants them */
    KEPT_IMPLIED, /* the value sets that code systems name */
    KEPT_IMAGE,
    KEPT_MAP_IMAGE,
};

uint64_t terms_generation(struct terms *t);
/* 1 and *ret (held by the scope; NULL: known to be absent), 0 when it is not kept. */
int terms_kept_get(struct terms_scope *s, enum kept_kind kind, struct str key, void **ret,
                   struct err *err);
/* Keeps what was compiled since `generation` (0: it never changes) and holds it in the scope, which
 * takes the reference. */
int terms_kept_put(struct terms_scope *s, enum kept_kind kind, struct str key, void *what,
                   uint64_t generation, struct err *err);
int terms_hold(struct terms_scope *s, enum kept_kind kind, struct str key, void *what,
               struct err *err);
/* The version that counts for a canonical in this scope; ERR_PROCESSING where it may not be used.
 */
int terms_settle_version(const struct terms_scope *s, struct str url, struct str *version,
                         struct err *err);
int terms_not_quick(struct err *err);
/* What a resource contains under an id; NULL: nothing of that type. */
yyjson_val *terms_contained(yyjson_val *container, struct str type, struct str id);
struct store *terms_store(const struct terms_scope *s);
const struct access *terms_who(const struct terms_scope *s);

/* loaded.c: the image that was loaded for a CodeSystem resource: 1 and *ret (the caller's
 * reference), 0 when there is none. */
int terms_image_of(struct terms_scope *s, yyjson_val *resource, struct cs **ret, struct err *err);

int terms_map_image_of(struct terms_scope *s, yyjson_val *resource, struct map **ret,
                       struct err *err);

/* The code system that a resource contains under an id; NULL where it contains none. */
int terms_code_system_within(struct terms_scope *s, yyjson_val *container, struct str id,
                             struct cs **ret, struct err *err);

/* terms_vs.c: as terms_value_set, inside the compilation of another. */
int terms_value_set_in(struct terms_scope *s, struct str canonical, const struct vs_path *path,
                       struct vs **ret, struct err *err);
/* The value set that a resource contains under an id; NULL where it contains none. */
int terms_value_set_within(struct terms_scope *s, yyjson_val *container, struct str id,
                           const struct vs_path *path, struct vs **ret, struct err *err);

#endif
