/* allow.h - what an identity may see and change. For now SMART scopes alone decide.
 *
 * A scope with context `user` or `system` opens its type; `patient` opens what is in the context
 * patient's compartment, and for reading what belongs to nobody (allow_shared: places, people who
 * work, medicines, definitions). A query behind a scope narrows what it opens. Several scopes of
 * one type open what each of them opens. What is not opened does not exist for the asker.
 */
#ifndef TRUST_ALLOW_H
#define TRUST_ALLOW_H

#include "fhir/world.h"
#include "store/store.h"
#include "trust/identity.h"

/* An access of this identity; both must outlive the access. Without a guard scopes alone decide. */
struct access allow_access(const struct identity *i, struct guard *guard);

/* Whether an interaction with a type (0: several, or none) may be tried at all: some scope has all
 * of these rights. ERR_FORBIDDEN names the scope that is missing. Any other access may. */
int allow_interaction(const struct access *who, int type, unsigned rights, struct err *err);

/* Whose entries of the node's own log an access may read, as resources of a type that is in the
 * compartments of patients: *ret is one patient's id, in the identity or in `a`, or STR_NULL:
 * everybody's. ERR_FORBIDDEN: nobody's, or those that a scope's query finds, which the log cannot
 * be asked. */
int allow_log(const struct access *who, int type, struct arena *a, struct str *ret,
              struct err *err);

/* Whether a scope's query can be held to: parameters of the resource itself, all understood.
 * ERR_VALUE. */
int allow_check_scopes(struct store *st, struct arena *a, const struct smart_scopes *scopes,
                       struct err *err);

#endif
