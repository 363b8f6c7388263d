/* forget.h - what hangs on the accounts of a person who is erased. */
#ifndef TRUST_FORGET_H
#define TRUST_FORGET_H

#include "trust/record.h"

/* The ids and login names of the accounts for which this resource ("Patient/1") stands. */
int trust_names(struct store_txn *txn, struct str fhir_user, struct arena *a, struct str **ret,
                size_t *ret_n, struct err *err);

/* Inside a job: drops the accounts for which this resource ("Patient/1") stands, their logins,
 * links, grants and tickets, and every ticket that names the resource. *ret: how many accounts.
 * Looks at all records. */
int trust_forget(struct store_txn *txn, struct str fhir_user, size_t *ret, struct err *err);

#endif
