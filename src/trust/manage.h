/* manage.h - what an operator does to accounts, clients and keys: one request, one answer.
 *
 * A request is a JSON object whose "do" names the action, for `carnet user` and `carnet client`,
 * whether they hold the store themselves or ask the node that does. The answer is text for people.
 *
 *   user-add      login, role, name, fhirUser      prints a one-time secret
 *   user-list, user-show (login), user-disable, user-enable
 *   user-password login [password]                 sets it, or prints a one-time secret
 *   user-totp     login                            prints a key and recovery codes, once
 *   user-totp-off login
 *   user-identify login, identifier ("system|value")   who one is elsewhere; of user-add as well
 *   client-add    id, name, scope, redirects, launch, jwks, jwksUri, jwksPrivate, tlsSubject,
 *                 tlsCertificate, backend, secret, dpop, pushed, contact
 *   client-list, client-show (id), client-approve, client-disable, client-enable, client-secret
 *   keys-rotate
 *   explain       login, resource ("Type/id"), purpose     whether one sees the other, and why
 */
#ifndef TRUST_MANAGE_H
#define TRUST_MANAGE_H

#include "trust/record.h"

struct guard;

#define MANAGE_REQUEST_MAX KIB(128)
#define MANAGE_ANSWER_MAX MIB(4)

/* `guard` is the node's; NULL: the policy that is built in. Commits; not on an event loop.
 * ERR_VALUE, ERR_NOT_FOUND and ERR_DUPLICATE say what does not hold. */
int manage_run(struct store *store, struct guard *guard, struct arena *a, struct str request,
               struct sb *out, struct err *err);

#endif
