/* keys.h - the node's own signing keys: made at first use, published, and replaced in time.
 *
 * Of each algorithm the newest key signs; an elder one stays in the published set until what it
 * signed has ended. Only ID tokens are signed: access tokens are tickets (docs/decisions/0022).
 */
#ifndef TRUST_KEYS_H
#define TRUST_KEYS_H

#include "trust/jose.h"
#include "trust/record.h"

#define KEYS_MAX 16
#define KEYS_SIGN_MS (INT64_C(90) * 86400000) /* after this another key is made */
#define KEYS_KEEP_MS (INT64_C(2) * 86400000)  /* … and this long its elder is still published */
#define KEYS_RSA_BITS 3072

struct signing_key {
    char kid[44];
    enum jose_alg alg;
    EVP_PKEY *key;
    int64_t made_ms;
};

struct keys {
    struct signing_key v[KEYS_MAX]; /* newest first */
    size_t n;
};

/* Reads the keys, makes those that are missing or due (`rotate`: all) and drops those that have
 * ended. Commits; not on an event loop (an RSA key takes up to a second). */
int keys_open(struct store *store, bool rotate, struct keys *ret, struct err *err);
void keys_done(struct keys *k);
/* The key that signs with an algorithm. */
const struct signing_key *keys_for(const struct keys *k, enum jose_alg alg);
/* The public keys as a JWK set. */
int keys_jwks(const struct keys *k, struct sb *out, struct err *err);

#endif
