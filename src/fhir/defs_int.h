/* defs_int.h - the shapes that tools/defs_to_c.py fills; seen by fhir/defs.c and the generated
 * file alone.
 *
 * What is looked at on every write are structs with pointers (def_type, def_element); code lists
 * and names are offsets into one pool of text, so that the loader has little to relocate.
 */
#ifndef FHIR_DEFS_INT_H
#define FHIR_DEFS_INT_H

#include "fhir/defs.h"

/* A JSON member name of a type, in its type's hash table (str_mix); name_n == 0: a free place. */
struct defs_member {
    uint32_t name;    /* in defs_pool */
    uint16_t element; /* of the type's elements */
    uint16_t type;    /* in defs_types */
    uint8_t name_n;
};

struct defs_members { /* of the type with the same index */
    uint32_t first;   /* in defs_member_table */
    uint16_t mask;    /* places - 1; places are a power of two */
};

struct defs_code {   /* sorted by (code, system) within its list */
    uint32_t code;   /* in defs_pool */
    uint16_t system; /* in defs_code_systems */
    uint8_t code_n;
};

struct def_codes {
    struct str url;
    uint32_t first, n; /* in defs_code_table */
};

struct defs_system { /* sorted by URI */
    uint32_t uri;    /* in defs_pool */
    uint16_t number;
    uint8_t uri_n;
};

extern const char defs_pool[];
extern const struct def_type defs_types[];
extern const size_t defs_n_types;
extern const uint16_t defs_type_by_name[]; /* hash table (str_mix) of index + 1, 0: free */
extern const uint16_t defs_type_by_name_mask;
extern const uint16_t defs_resource_index[DEF_RESOURCE_MAX + 1];
extern const struct defs_member defs_member_table[];
extern const struct defs_members defs_members[];
extern const struct def_codes defs_codes[];
extern const struct defs_code defs_code_table[];
extern const struct str defs_code_systems[];
extern const struct def_param defs_params[];
extern const size_t defs_n_params;
extern const struct str *const defs_compartments[COMPARTMENT_COUNT][DEF_RESOURCE_MAX + 1];
extern const int defs_compartment_types[COMPARTMENT_COUNT];
extern const struct defs_system defs_systems[];
extern const size_t defs_n_systems;

#endif
