/* token.h - grants and the tickets that come of them: codes, access tokens, refresh tokens.
 *
 * An access token is a ticket (docs/decisions/0022): 43 characters that say nothing, with a record
 * behind them. It is good as long as its record, its grant, its client and its account are. A
 * refresh token is good once: the next one comes with the tokens it buys, and one that comes twice
 * ends the whole grant, because one of the two who have it is a thief (RFC 9700, 4.14.2).
 */
#ifndef TRUST_TOKEN_H
#define TRUST_TOKEN_H

#include "trust/client.h"
#include "trust/identity.h"
#include "trust/ticket.h"

#define TOKEN_ACCESS_MS INT64_C(300000) /* SMART: no longer than 5 minutes … */
#define TOKEN_APP_MS INT64_C(3600000)   /* … for backend services; apps an hour */
#define TOKEN_CODE_MS INT64_C(60000)
#define TOKEN_ONLINE_MS INT64_C(8 * 3600000)          /* refreshing with online_access */
#define TOKEN_OFFLINE_MS (INT64_C(90) * 24 * 3600000) /* … with offline_access */

/* What a person let a client do. */
struct grant {
    struct str id, account, client, scope, patient, encounter, purpose;
    struct str under; /* another grant that it ends with, or empty */
    int64_t made_ms, signed_in_ms, until_ms, assurance;
};
extern const struct shape grant_shape;
/* Inside a job: keeps a new one, as something that its account has out. */
int grant_new(struct store_txn *txn, const struct grant *grant, struct err *err);

struct access_token {
    struct str id, grant, account, client, scope, patient, encounter, purpose, jkt, x5t;
    int64_t made_ms, until_ms, assurance;
};
extern const struct shape access_token_shape;

struct refresh_token {
    struct str grant, client, jkt;
    int64_t until_ms;
    bool used;
};
extern const struct shape refresh_token_shape;

/* Inside a job: a record under a fresh ticket. */
int token_put(struct store_txn *txn, enum record_kind kind, const struct shape *shape,
              const void *record, int64_t until_ms, struct ticket *ret, struct err *err);

/* An access token's identity as things are now: ERR_LOGIN when it is none, has ended, or when what
 * it rests on is gone. One reference is the caller's. */
int token_identity(struct store_txn *txn, struct str text, struct identity **ret, struct err *err);

#endif
