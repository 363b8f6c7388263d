/* trust_int.h - what the files of this folder share of a running node. */
#ifndef TRUST_TRUST_INT_H
#define TRUST_TRUST_INT_H

#include "trust/dpop.h"
#include "trust/eid.h"
#include "trust/guard.h"
#include "trust/keys.h"
#include "trust/remote.h"
#include "trust/token.h"
#include "trust/trust.h"

#include <pthread.h>
#include <stdatomic.h>

/* ---- cache.c: tokens that were looked at, until anything changes that they rest on ---- */

struct token_cache {
    pthread_rwlock_t lock;
    struct cached {
        unsigned char hash[SHA256_BYTES];
        const struct identity *identity; /* a reference; NULL: free */
        int64_t until_ms;                /* how long it may be taken from here */
    } * v;
    _Atomic uint64_t age; /* how often it was emptied */
};
int token_cache_init(struct token_cache *c, struct err *err);
void token_cache_done(struct token_cache *c);
/* A reference, or NULL. */
const struct identity *token_cache_get(struct token_cache *c, const unsigned char *hash,
                                       int64_t now_ms);
/* Keeps one, unless the cache was emptied since `age` was read: what was read before a revocation
 * must not be kept after it. Until `until_ms` or the
 * token's own end, whichever is first. */
void token_cache_put(struct token_cache *c, const unsigned char *hash, const struct identity *i,
                     int64_t until_ms, uint64_t age);
void token_cache_clear(struct token_cache *c);

struct trust {
    struct store *store;
    struct str root, fhir; /* ours */
    pthread_rwlock_t keys_lock;
    struct keys keys;
    struct token_cache cache;
    struct dpop_seen dpop;
    char demo[2 * SHA256_BYTES + 1]; /* hash of a demo's key (demo.h), or "" */
    struct policy *policy;           /* NULL: scopes alone decide */
    struct guard *guard;
    const struct trust_teller *teller; /* or NULL */
    struct remote *remote;             /* what other servers publish */
    bool has_certificates;             /* clients may show theirs */
    struct eid *eid;                   /* providers of identities; NULL: none */
};

int trust_tell(struct trust *t, struct store_txn *txn, enum trust_told what,
               const struct account *account, struct str secret, struct err *err);
void trust_told(struct trust *t);

#endif
