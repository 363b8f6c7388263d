/* index_int.h - the parts of index_extract. */
#ifndef FHIR_INDEX_INT_H
#define FHIR_INDEX_INT_H

#include "fhir/index.h"
#include "fhir/key_int.h"
#include "fhir/params_int.h"
#include "fhir/value_int.h"

/* Keys of one resource while they are collected. */
struct extract {
    struct arena *a;
    const struct index_options *opt;
    struct index_entry *entries;
    size_t n, cap, max;
    unsigned char *at, *end; /* free part of the chunk that holds the keys' bytes */
    uint16_t param;          /* the list in hand */
    uint8_t compartments;    /* that its references lead into */
    int elsewhere_type;      /* local references to it are in another list already; 0: none */
    bool has_others;         /* some reference is no local one */
    struct str patient;
    struct err *err;
};

int extract_add(struct extract *x, uint16_t param, const struct key *k, bool shared);
/* A value_visit whose context is a struct extract: the value's keys, into the list in hand. */
int extract_value(void *ctx, const struct value *v);

/* The keys of a composite parameter: for each element of its expression each value of the first
 * component with each of the others. */
int index_composite(struct extract *x, const struct param *p, const struct param_more *more,
                    struct path_env *env, const struct path_item *root);

/* Fills ret->refs and ret->n_refs. */
int index_refs(struct arena *a, const struct index_options *opt, int type, yyjson_val *root,
               struct index *ret, struct err *err);

/* The keys of one parameter alone, sorted. */
int index_extract_one(struct arena *a, const struct index_options *opt, const struct param *param,
                      yyjson_val *root, struct index *ret, struct err *err);

#endif
