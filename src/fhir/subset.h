/* subset.h - parts of a resource: `_summary` and `_elements`.
 *
 * A reduced resource is marked with the tag SUBSETTED and keeps what its type makes mandatory, so
 * that it stays valid. Source: http://hl7.org/fhir/R4/search.html#summary.
 */
#ifndef FHIR_SUBSET_H
#define FHIR_SUBSET_H

#include "base/js.h"
#include "fhir/search.h"

/* What of a resource to write.
 *
 * With elements: those, what is mandatory, resourceType, id and meta. Elements are names at the top
 * of the resource ("name", "birthDate"); "Patient.name" counts for that type only. A choice element
 * goes by its name without the type ("value", "value[x]") or with it ("valueQuantity").
 * SUMMARY_TRUE: what the definitions mark as summary, and what is mandatory, at every level.
 * SUMMARY_TEXT: text, id, meta and what is mandatory. SUMMARY_DATA: all but text. */
struct subset {
    enum search_summary summary; /* SUMMARY_FALSE, _TRUE, _TEXT or _DATA */
    const struct str *elements;  /* n_elements of them; with none, `summary` decides */
    size_t n_elements;
};

static inline bool subset_is_all(const struct subset *s)
{
    return s->n_elements == 0 && (s->summary == SUMMARY_FALSE || s->summary == SUMMARY_COUNT);
}

/* Writes `root`, a valid resource, reduced as JSON and tagged; whole where subset_is_all, or where
 * its type is unknown. Failure sticks in `out`. */
void subset_write(struct sb *out, const struct subset *s, yyjson_val *root);

#endif
