/* names.h - ids, numbered in the order in which they were first mentioned: what counts in memory
 * refers to by a number. They are kept as index_id_key packs them, end to end; a UUID is 17 bytes.
 */
#ifndef FHIR_NAMES_H
#define FHIR_NAMES_H

#include "base/arena.h"
#include "fhir/validate.h"

#define NAMES_NONE UINT32_MAX /* no number */
#define NAMES_TEXT_MAX (FHIR_ID_MAX + 2)

struct names {
    bool is_typed; /* with a letter in front that tells the type */
    char *bytes;
    size_t bytes_room;
    uint32_t *ends; /* where each ends in bytes */
    size_t n, room;
    uint32_t *slots;
    size_t n_slots;
};

/* The number of a name, given when it is new; NAMES_NONE at the arena's limit. Of an id more than
 * FHIR_ID_MAX characters are cut off: it is none of a store's. Without a name: a new number that
 * has none, as after names_blank. */
uint32_t names_number(struct names *t, struct arena *a, struct str name);

/* The number of a name that has one; else NAMES_NONE. */
uint32_t names_find(const struct names *t, struct str name);

/* The name of a number is forgotten, and leads nowhere; the number stays taken. */
void names_blank(struct names *t, uint32_t i);

/* Id number i, with the letter if they have one. It stands in `ret`. */
struct str names_text(const struct names *t, uint32_t i, char ret[NAMES_TEXT_MAX]);

/* An array of `n` elements with room for another; NULL at the limit. *room is in elements. */
void *names_room(struct arena *a, void *v, size_t n, size_t *room, size_t size);

#endif
