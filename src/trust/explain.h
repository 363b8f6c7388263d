/* explain.h - why somebody sees a resource, or does not: for operators, who may know both. */
#ifndef TRUST_EXPLAIN_H
#define TRUST_EXPLAIN_H

#include "trust/guard.h"

/* What is said of one asker and one resource; texts live with what was asked, or in `a`. */
struct explained {
    struct str name, role, resource, version; /* version: of the policy */
    enum why why;
};
/* Of whoever that is, called `name`; of an account by its login name: texts in `a`. ERR_NOT_FOUND,
 * ERR_DELETED, ERR_VALUE where `resource` is no "Type/id". */
int explain_identity(struct guard *g, struct arena *a, const struct identity *who, struct str name,
                     struct str resource, struct explained *ret, struct err *err);
int explain_account(struct store *store, struct guard *g, struct arena *a, struct str login,
                    struct str resource, struct str purpose, struct explained *ret,
                    struct err *err);
/* Appends it as a sentence. */
void explain_write(struct sb *out, const struct explained *e);

/* Appends one sentence about the account and "Type/id". Guard NULL: the policy that the store
 * keeps. ERR_NOT_FOUND where there is no such account or resource. Not on an event loop. */
int explain_access(struct store *store, struct guard *guard, struct arena *a, struct str login,
                   struct str resource, struct str purpose, struct sb *out, struct err *err);

#endif
