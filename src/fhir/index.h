/* index.h - what a resource can be found by: index keys, compartments and references.
 *
 * A key is order-preserving bytes (memcmp order is the value's order), folded and tokenised here
 * once, the same for every store. The formats are in docs/formats/index-keys.md. The store puts the
 * parameter's number before a key and the row's number behind it, and knows nothing else of it.
 * Everything here is pure: the same resource, parameters and options give the same keys.
 */
#ifndef FHIR_INDEX_H
#define FHIR_INDEX_H

#include "base/js.h"
#include "fhir/defs.h"

/* Numbers of lists that are no search parameter. */
#define INDEX_PARAM_USER 0x8000 /* user-defined parameters: 0x8000 … 0xbdff */
#define INDEX_PARAM_ENDS                                                                           \
    0x4000                             /* + a date parameter (below 0x4000, or a user's): its      \
                                          long periods by their end; comes and goes with the       \
                                          parameter's own list. A composite: the resources        \
                                          that have more than there are keys of */
#define INDEX_PARAM_TYPE 0xfe00        /* + resource type: all of the type, empty key */
#define INDEX_PARAM_COMPARTMENT 0xff00 /* + enum def_compartment: key: index_id_key(its owner) */

#define INDEX_PARAM_TEXT 0xff10      /* words of the narrative */
#define INDEX_PARAM_CONTENT 0xff11   /* words of the whole resource, where they are indexed */
#define INDEX_PARAM_CONTAINED 0xff20 /* + resource type: holds a contained one; empty key */

#define INDEX_KEY_MAX 128              /* bytes of one key */
#define INDEX_ENTRIES_MAX 20000        /* keys of one resource */
#define INDEX_ENTRIES_TERMS_MAX 200000 /* of a code system, a value set, a concept map */
#define INDEX_COMPOSITES_MAX 1000      /* of one composite; with more the resource is looked at */

struct params; /* fhir/params.h */

struct index_options {
    int tz_minutes;          /* offset assumed for a dateTime that has none */
    const struct str *bases; /* our own base URLs, without the slash at the end: */
    size_t n_bases;          /* absolute references to them are local ones */
    bool extras;             /* words, contained resources and positions have keys (since version 2
                                of the index) */
    bool content;            /* … and so have the words of the whole resource */
    bool pairs;              /* composites have keys of their own (since version 3) */
};

struct index_entry {
    uint16_t param;
    uint8_t key_n;
    uint8_t head_n; /* > 0: what stands behind so many bytes of the key is asked for by ranges: a
                       store may put neighbouring rows together between the two */
    bool shared;    /* a term: belongs to the type, not to this row; stored without row
                       number and never removed (docs/formats/index-keys.md) */
    const unsigned char *key;
};

struct index_ref {
    int type; /* resource type of the target */
    struct str id;
    struct str where; /* FHIRPath of the Reference element */
};

struct index {
    struct index_entry *entries; /* sorted by (param, key), without repeats; the type list, search
                                    parameters and compartments together */
    size_t n_entries;
    struct index_ref *refs; /* local literal references, for referential integrity */
    size_t n_refs;
    struct str patient; /* id of the first Patient whose compartment holds it: its home */
};

/* All keys of a valid resource. Memory belongs to `a`. ERR_COSTLY above INDEX_ENTRIES_MAX,
 * or INDEX_ENTRIES_TERMS_MAX. */
int index_extract(struct arena *a, const struct params *params, const struct index_options *opt,
                  int type, yyjson_val *root, struct index *ret, struct err *err);

/* A resource id as key bytes: a lower-case UUID packs to 17 bytes, anything else is its text.
 * Writes at most FHIR_ID_MAX + 2 bytes, returns how many. index_key_id is its inverse: text to
 * `ret` (FHIR_ID_MAX + 1 bytes), its length returned. */
size_t index_id_key(struct str id, unsigned char *ret);
size_t index_key_id(const unsigned char *key, size_t n, char *ret);

#endif
