/* explain.h - why somebody sees a resource, or does not: for operators, who may know both. */
#ifndef TRUST_EXPLAIN_H
#define TRUST_EXPLAIN_H

#include "store/store.h"

struct guard;

/* Appends one sentence about the account and "Type/id". Guard NULL: the policy that is built in.
 * ERR_NOT_FOUND where there is no such account or resource. Not on an event loop. */
int explain_access(struct store *store, struct guard *guard, struct arena *a, struct str login,
                   struct str resource, struct str purpose, struct sb *out, struct err *err);

#endif
