/* dpop.h - proof of possession (RFC 9449): a request signed by the key that its token is bound to.
 */
#ifndef TRUST_DPOP_H
#define TRUST_DPOP_H

#include "trust/jose.h"
#include "trust/secret.h"

#include <pthread.h>

#define DPOP_AGE_MS 60000   /* of a proof, either way: clocks differ */
#define DPOP_SEEN_MAX 65536 /* proofs that are remembered; past it they are refused for a while */

/* Proofs that were seen, so that none is good twice. In memory: a proof older than the node's start
 * by more than DPOP_AGE_MS is refused for its age. */
struct dpop_seen {
    pthread_mutex_t lock;
    struct dpop_one {
        unsigned char hash[16];
        int64_t until_ms;
    } * v;
};
int dpop_seen_init(struct dpop_seen *s, struct err *err);
void dpop_seen_done(struct dpop_seen *s);

/* Checks a proof for a request; `token` is the access token it comes with, .p NULL at the token
 * endpoint. The thumbprint of its key in ret_jkt. ERR_VALUE says what does not hold, ERR_BUSY when
 * too many proofs came within a minute. */
int dpop_check(struct dpop_seen *seen, struct str proof, struct str method, struct str url,
               struct str token, int64_t now_ms, char ret_jkt[SECRET_TEXT_MAX], struct err *err);

#endif
