/* text_map.h - texts and what belongs to each. Keys are copied; values are the caller's. */
#ifndef TRUST_TEXT_MAP_H
#define TRUST_TEXT_MAP_H

#include "base/str.h"

struct text_map {
    struct text_slot {
        struct str key; /* .p NULL: free */
        void *value;
    } * v;
    size_t n, cap;
};

/* Calls `release` (may be NULL) for each value. */
void text_map_done(struct text_map *m, void (*release)(void *value));
/* NULL: there is none. */
void *text_map_get(const struct text_map *m, struct str key);
/* The place of a key's value, made (NULL) where there was none; good until the next one is made.
 * NULL without memory. */
void **text_map_at(struct text_map *m, struct str key);

#endif
