/* subset.h - parts of a resource: `_summary` and `_elements`.
 *
 * A reduced resource is marked with the tag SUBSETTED and keeps what its type makes mandatory, so
 * that it stays valid. Source: http://hl7.org/fhir/R4/search.html#summary.
 */
#ifndef FHIR_SUBSET_H
#define FHIR_SUBSET_H

#include "base/js.h"
#include "fhir/search.h"

/* What of a resource to write. Elements are names at the top of the resource ("name", "birthDate"),
 * or, in a Bundle's answer, "Patient.name", which counts for that type only. A choice element goes
 * by its name without the type ("value" or "value[x]"). */
struct subset {
    enum search_summary summary; /* SUMMARY_FALSE, _TRUE, _TEXT or _DATA */
    const struct str *elements;  /* n_elements of them; with none, `summary` decides */
    size_t n_elements;
};

static inline bool subset_is_all(const struct subset *s)
{
    return s->n_elements == 0 && (s->summary == SUMMARY_FALSE || s->summary == SUMMARY_COUNT);
}

/* Writes `root` reduced as JSON. A Bundle's entries are reduced, not the Bundle itself; a root of
 * unknown type is written whole. Failure sticks in `out`. */
void subset_write(struct sb *out, const struct subset *s, yyjson_val *root);

#endif
