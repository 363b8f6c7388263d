/* law.h - public-health use by law: diseases that have to be reported open the records of cases to
 * those whose task that is, whatever the person consents to.
 *
 * A person is a case of a disease while a Condition of theirs has one of its codes, or one below it
 * in its terminology, and is neither refuted nor entered in error. Of the record of a case the
 * disease opens the types that it names; of what is sensitive in it only what has such a code
 * itself. Which diseases is a set of bits, in the policy's order. docs/guides/access.md.
 */
#ifndef TRUST_LAW_H
#define TRUST_LAW_H

#include "fhir/world.h"
#include "trust/policy.h"

#define LAW_BELOW_MAX 20000 /* codes below one that is listed */

/* The diseases that a resource's code names; 0: none. Any type that has `code`. */
uint64_t law_names(const struct policy *p, yyjson_val *root);
/* The diseases that a Condition makes its patient a case of. */
uint64_t law_makes_case(const struct policy *p, yyjson_val *condition);
/* Those of `diseases` that open a type. */
uint64_t law_opens(const struct policy *p, uint64_t diseases, int type);

/* Adds the codes that a terminology has below the listed ones, of diseases and of labelling, as it
 * is now. A system that it does not know adds none. Before the policy is shared. */
int law_widen(struct policy *p, const struct world *world, struct err *err);

/* Inside the build of a policy: a code, as text "system|code", is one of those of bit `which`. */
int law_add(struct text_map *to, struct str system, struct str code, size_t which, struct err *err);
/* The bits of a code. */
uint64_t law_bits(const struct text_map *of, struct str system, struct str code);

#endif
