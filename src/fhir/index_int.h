/* index_int.h - the parts of index_extract. */
#ifndef FHIR_INDEX_INT_H
#define FHIR_INDEX_INT_H

#include "fhir/index.h"
#include "fhir/params.h"

/* Fills ret->refs and ret->n_refs. */
int index_refs(struct arena *a, const struct index_options *opt, int type, yyjson_val *root,
               struct index *ret, struct err *err);

/* The keys of one parameter alone, sorted. */
int index_extract_one(struct arena *a, const struct index_options *opt, const struct param *param,
                      yyjson_val *root, struct index *ret, struct err *err);

#endif
