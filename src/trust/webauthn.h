/* webauthn.h - what a browser says of a passkey, checked (Web Authentication Level 2, 7.1 and 7.2).
 *
 * Pure: no store, no requests. Taken are keys of ES256, EdDSA and RS256, with the person verified
 * by the authenticator (a PIN, a finger), which so is two factors; of who made the authenticator
 * nothing is asked (attestation "none"). What does not hold is ERR_LOGIN, with what in its text.
 */
#ifndef TRUST_WEBAUTHN_H
#define TRUST_WEBAUTHN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define WEBAUTHN_ID_MAX 1023 /* bytes of a credential's id (Level 2, 5.8.3) */
#define WEBAUTHN_DATA_MAX KIB(4)
#define WEBAUTHN_CLIENT_DATA_MAX KIB(4)
#define WEBAUTHN_SIGNATURE_MAX KIB(1)

/* For whom passkeys are: "https://node.example:8443", and "node.example". */
struct webauthn_site {
    struct str origin, rp;
};

/* The site of a node's public URL. False where browsers make no passkeys: at an address in numbers,
 * and without TLS anywhere but on localhost. Texts are parts of `root`. */
bool webauthn_site_of(struct str root, struct webauthn_site *ret);

/* A passkey: bytes. */
struct webauthn_key {
    struct str id, key; /* the key as libfido2 keeps that of `alg` */
    int64_t alg;        /* COSE: -7, -8 or -257 */
    uint32_t count;     /* of signatures; 0 where the authenticator does not count */
};

/* What the browser sends with either; bytes as it has them. `challenge` is ours, in base64url. */
struct webauthn_answer {
    struct str challenge;
    struct str client_data, auth_data;
    struct str signature; /* of a sign-in */
};

/* A passkey was made; ret's texts live in `a`. */
int webauthn_made(struct arena *a, const struct webauthn_site *site,
                  const struct webauthn_answer *answer, struct webauthn_key *ret, struct err *err);
/* `key` was used; how often by now. That the count has grown is the caller's to hold it to, where
 * no other can use it meanwhile. */
int webauthn_used(struct arena *a, const struct webauthn_site *site,
                  const struct webauthn_answer *answer, const struct webauthn_key *key,
                  uint32_t *ret_count, struct err *err);

#endif
