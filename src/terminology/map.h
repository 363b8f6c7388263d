/* map.h - a compiled concept map: immutable, shared by reference count. */
#ifndef TERMINOLOGY_MAP_H
#define TERMINOLOGY_MAP_H

#include "base/arena.h"
#include "base/js.h"
#include "terminology/image.h"

#define MAP_ELEMENTS_MAX 4000000
#define MAP_NONE UINT32_MAX

enum map_unmapped { UNMAPPED_NONE, UNMAPPED_PROVIDED, UNMAPPED_FIXED, UNMAPPED_OTHER_MAP };

struct map_group {
    text_at source, source_version, target, target_version;
    uint32_t unmapped; /* enum map_unmapped */
    text_at unmapped_code, unmapped_display, unmapped_url;
};

/* One source code of a group, and its targets. */
struct map_element {
    uint32_t group;
    text_at code, display;
    uint32_t targets; /* first; the next element's ends them */
};

struct map_target {
    uint32_t element; /* its source */
    text_at code, display, equivalence, comment;
    text_at depends_on; /* JSON arrays, as they stand; empty: none */
    text_at product;
};

struct map_info {
    uint32_t n_groups, n_elements, n_targets, reserved;
    text_at url, version, source, target; /* source and target: the value sets */
};

struct map;

int map_open(char *bytes, size_t n, struct map **ret, struct err *err);
int map_of_resource(yyjson_val *root, struct map **ret, struct err *err);
struct map *map_ref(struct map *m);
void map_unref(struct map *m);
size_t map_bytes(const struct map *m);

const struct map_info *map_info(const struct map *m);
struct str map_text(const struct map *m, text_at at);
const struct map_group *map_group(const struct map *m, uint32_t i);
const struct map_element *map_element(const struct map *m, uint32_t i);
const struct map_target *map_target(const struct map *m, uint32_t i);

/* The next element with this source code (*at is 0 for the first), MAP_NONE at the end. The system
 * is the caller's to compare: a code may stand in several groups. */
uint32_t map_find(const struct map *m, struct str code, size_t *at);
/* The next target with this code. */
uint32_t map_find_target(const struct map *m, struct str code, size_t *at);

/* ---- making one ---- */

struct map_builder;

struct map_builder *map_builder_new(void);
void map_builder_free(struct map_builder *b);
static inline void map_builder_freep(struct map_builder **b)
{
    map_builder_free(*b);
}
struct map_info *map_builder_info(struct map_builder *b);
text_at map_builder_text(struct map_builder *b, struct str s);
/* NULL when memory runs out (told by map_build); valid until the next one. */
struct map_group *map_builder_group(struct map_builder *b);
/* Of a group, by its number; its targets follow. */
void map_builder_element(struct map_builder *b, uint32_t group, struct str code,
                         struct str display);
struct map_target *map_builder_target(struct map_builder *b, struct str code, struct str display,
                                      struct str equivalence);
int map_build(struct map_builder *b, char **ret, size_t *ret_n, struct err *err);

#endif
