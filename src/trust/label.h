/* label.h - sensitivity labels by the codes that a resource has: the policy's `labelling`.
 *
 * Every coding of a resource counts, wherever it stands but in `meta`. A label that the node sets
 * has an extension (LABEL_MARK, with the rule's name): those go again when no rule asks for them
 * any more; one that was brought along without it stays. Pure (docs/decisions/0055).
 */
#ifndef TRUST_LABEL_H
#define TRUST_LABEL_H

#include "trust/policy.h"

#define LABEL_MARK "urn:carnet:label-rule"
#define LABEL_CODE_TEXT_MAX 1000

/* The rules whose codes it has, a bit each, whatever they say of ages; 0 costs nothing where the
 * policy has none. */
uint64_t label_rules(const struct policy *p, yyjson_val *root);
/* Those of `rules` that hold for people of some ages alone. */
uint64_t label_by_age(const struct policy *p, uint64_t rules);
/* Those of `rules` (by age) that hold at an instant for somebody with this date of birth; who has
 * none that can be read is of every age. */
uint64_t label_at(const struct policy *p, uint64_t rules, struct str born, int64_t at_ms);

/* Sets the labels of `rules`. With `sweeps`, those that the node set and that are none of theirs
 * go. 1: *ret is another resource, in `a`; 0: it has what it should have. */
int label_set(struct arena *a, const struct policy *p, uint64_t rules, bool sweeps,
              yyjson_val *root, yyjson_val **ret, struct err *err);

/* Whether the node set a label. */
bool label_is_set(yyjson_val *label);

/* Says whether two policies label alike: the rules with all their codes. */
uint64_t label_print(const struct policy *p);

#endif
