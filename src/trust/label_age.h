/* label_age.h - labels that hold for people of some ages: whose a resource is, and how old they
 * were then, as the store knows it.
 */
#ifndef TRUST_LABEL_AGE_H
#define TRUST_LABEL_AGE_H

#include "store/store.h"
#include "trust/label.h"

/* Those of `rules` (label_by_age) that hold for one patient or more of a resource at the time that
 * it is about, or now where it does not say. A patient whose date of birth is not there, or not
 * for the transaction's access to see, is of every age. */
int label_for_age(struct store_txn *txn, struct store *store, struct arena *a,
                  const struct policy *p, const struct params *params, int type, yyjson_val *root,
                  uint64_t rules, uint64_t *ret, struct err *err);

#endif
