/* own.h - the node's own app: the portal, which every node with the pages for people has.
 *
 * It is a client like others (its id is OWN_CLIENT, a public app with PKCE, its redirect URI the
 * node's root), but nobody is asked whether they let it in: who signed in at this node's page did
 * so to use this node's pages. An operator may disable it (`carnet client disable portal`).
 */
#ifndef TRUST_OWN_H
#define TRUST_OWN_H

#include "trust/trust.h"

#define OWN_CLIENT "portal"

/* Makes or renews its record. 0 where the root is no address that an app may be led back to (http
 * to another machine): browsers give such pages nothing to sign in with. Commits. */
int own_client_put(struct trust *t, struct err *err);

#endif
