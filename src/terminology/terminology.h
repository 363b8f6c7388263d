/* terminology.h - code systems, value sets and concept maps, compiled and asked.
 *
 * A struct terms belongs to one store. What it is asked about is compiled on first use into
 * immutable, reference-counted indexes that all threads share, and kept within a bound of bytes.
 * Every function may be called by any number of threads.
 */
#ifndef TERMINOLOGY_TERMINOLOGY_H
#define TERMINOLOGY_TERMINOLOGY_H

#include "fhir/world.h"
#include "store/store.h"

struct terms;

/* `store` and the text of `who` must outlive it. Nothing is read yet. */
int terms_new(struct store *store, const struct access *who, struct terms **ret, struct err *err);
void terms_free(struct terms *t);

/* ---- what struct world asks (fhir/world.h) ---- */

int terms_member_of(struct terms *t, struct arena *a, struct str value_set,
                    const struct coding *coding, enum terms_answer *ret, struct err *err);
int terms_has_code(struct terms *t, struct arena *a, const struct coding *coding,
                   enum terms_answer *ret, struct str *ret_display, struct err *err);
int terms_subsumes(struct terms *t, struct arena *a, struct str system, struct str code_a,
                   struct str code_b, enum terms_relation *ret, struct err *err);
int terms_codes(struct terms *t, struct arena *a, enum terms_set kind, struct str url,
                const struct coding *of, size_t max, struct coding **ret, size_t *ret_n,
                enum terms_answer *ret_known, struct err *err);

#endif
