/* base_rules.h - R4's own invariants and bindings, by type and element.
 *
 * Made once from the tables of defs/, then immutable. Rules that the structural validator holds by
 * itself (validate.h) are left out, so that nothing is said twice.
 */
#ifndef FHIR_BASE_RULES_H
#define FHIR_BASE_RULES_H

#include "fhir/profile_int.h"

struct base_element {
    const struct profile_rule *rules;
    size_t n_rules;
    const struct profile_binding *binding; /* NULL: none */
    bool is_simple;                        /* a SimpleQuantity: a Quantity without a comparator */
};

struct base_type {
    const struct def_type *type;
    const struct profile_rule *rules; /* those of its bases too */
    size_t n_rules;
    const struct base_element *elements; /* as type->elements */
    bool is_deep;                        /* it, or something below it, has rules */
    bool is_bound;                       /* it, or something below it, has bindings */
};

/* Everything, made when it is first asked for; NULL for lack of memory. */
const struct base_rules *base_rules(void);
const struct base_type *base_type_of(const struct base_rules *b, const struct def_type *t);

/* Whether R4 itself has an invariant with this key: a profile only repeats it. */
bool base_has_rule(const struct base_rules *b, struct str key);

/* Rules whose expression FHIRPath could not compile, all in all (a test wants none). */
size_t base_rules_refused(const struct base_rules *b);
/* Calls `say` with the key and the reason of each. */
void base_rules_each_refused(const struct base_rules *b,
                             void (*say)(void *ctx, struct str key, struct str why), void *ctx);

#endif
