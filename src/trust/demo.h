/* demo.h - a demo country: each of its people is entered by a single-use link, without a password.
 *
 * Only for data that nobody lives in: the node refuses to be a demo when a Patient is not marked as
 * test data (v3-ActReason HTEST), and the server when it can be reached from elsewhere. Whoever has
 * the demo's key, which is made at each start and never stored, gets a fresh link of each account;
 * a link opens a session in one browser, once.
 */
#ifndef TRUST_DEMO_H
#define TRUST_DEMO_H

#include "trust/secret.h"
#include "trust/trust.h"

#define DEMO_LINK_MS INT64_C(86400000)
#define DEMO_PEOPLE_MAX 50 /* accounts of a demo */

/* From now on the node is a demo. ERR_FORBIDDEN where the data is not synthetic; what else the
 * records hold that no Patient is of does not matter. */
int demo_begin(struct trust *t, char ret_key[SECRET_TEXT_MAX], struct err *err);
/* Whether it is one. */
bool demo_is_on(const struct trust *t);
/* A fresh link of each account that can be entered, for the terminal: a line each with login, role
 * and URL. Commits. */
int demo_say(struct trust *t, struct sb *out, struct err *err);

#endif
