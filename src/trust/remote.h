/* remote.h - what other servers publish: the documents of providers, the keys of clients.
 *
 * A document is kept for REMOTE_FRESH_MS. Who finds that it lacks something (the key of a token:
 * keys are rotated) asks for a newer one, which is fetched no more often than every
 * REMOTE_AGAIN_MS. One that cannot be had is not asked for again before REMOTE_FAILED_MS. Of one
 * address only one request is under way; others wait for its answer.
 */
#ifndef TRUST_REMOTE_H
#define TRUST_REMOTE_H

#include "trust/trust.h"

#define REMOTE_KEPT 64           /* documents; the one that was used least recently goes */
#define REMOTE_BYTES_MAX KIB(64) /* of one */
#define REMOTE_URL_MAX 1000
#define REMOTE_FRESH_MS INT64_C(600000)
#define REMOTE_AGAIN_MS INT64_C(5000)
#define REMOTE_FAILED_MS INT64_C(2000)
#define REMOTE_SECONDS 5

struct remote;

/* `wire` NULL: whatever is asked is refused (ERR_NOT_SUPPORTED). */
int remote_new(const struct trust_wire *wire, struct remote **ret, struct err *err);
void remote_free(struct remote *m);

/* https://, or http:// of this machine where private addresses will do. */
int remote_check_url(struct str url, bool may_be_private, struct err *err);

/* The document at ask->url, a copy in `a`. `newer`: the kept one would not do. Blocks: not on an
 * event loop. ERR_BUSY and ERR_TIMEOUT when it cannot be had, ERR_TOO_LONG, ERR_FORBIDDEN (an
 * address of one's own network). */
int remote_get(struct remote *m, const struct trust_ask *ask, bool newer, struct arena *a,
               struct str *ret, struct err *err);
/* Whether remote_get would answer without asking anybody. */
bool remote_has(struct remote *m, const struct trust_ask *ask, bool newer, struct arena *a);
/* One request whose answer is nobody else's; nothing is kept. */
int remote_ask(struct remote *m, const struct trust_ask *ask, int *ret_status, struct sb *ret_body,
               struct err *err);

#endif
