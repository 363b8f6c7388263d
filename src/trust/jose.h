/* jose.h - signed tokens: JWS compact (RFC 7515), keys as JWK (RFC 7517, 7518), thumbprints (7638).
 *
 * A key knows the one algorithm that it is used with; a token whose header names another, "none"
 * included, is refused before anything is computed, so that no token can choose how it is checked.
 * Only what SMART, DPoP and OpenID Connect need: RS256, RS384, PS256, PS384, ES256 and ES384, each
 * where the caller allows it. Signatures are OpenSSL's (docs/decisions/0021).
 */
#ifndef TRUST_JOSE_H
#define TRUST_JOSE_H

#include "base/js.h"

#include <openssl/evp.h>

#define JWS_BYTES_MAX KIB(16) /* a whole token */
#define JWKS_BYTES_MAX KIB(64)
#define JWKS_KEYS_MAX 32
#define JWK_RSA_BITS_MIN 2048
#define JWK_RSA_BITS_MAX 8192

/*    algorithm, bit */
#define JOSE_ALGS(X)                                                                               \
    X(RS256, 1)                                                                                    \
    X(RS384, 2)                                                                                    \
    X(PS256, 4)                                                                                    \
    X(PS384, 8)                                                                                    \
    X(ES256, 16)                                                                                   \
    X(ES384, 32)

enum jose_alg {
#define X(name, bit) JOSE_##name = bit,
    JOSE_ALGS(X)
#undef X
};

#define JOSE_SMART (JOSE_RS384 | JOSE_ES384)
#define JOSE_DPOP (JOSE_RS256 | JOSE_RS384 | JOSE_PS256 | JOSE_PS384 | JOSE_ES256 | JOSE_ES384)

/* 0 when the name is none of them. */
enum jose_alg jose_alg(struct str name);
const char *jose_alg_name(enum jose_alg alg);

/* A public or private key. Texts live in the arena it was read with. */
struct jwk {
    EVP_PKEY *key;
    struct str kid; /* or empty */
    unsigned algs;  /* that this key may be used with */
};
void jwk_done(struct jwk *k);

/* A public key of a JWK. ERR_VALUE for an unknown type or curve, a weak or damaged key, one that
 * is not for signatures, or one that holds private parts. */
int jwk_parse(struct arena *a, yyjson_val *jwk, struct jwk *ret, struct err *err);
/* A thumbprint in base 64 for URLs (43 characters and NUL). */
int jwk_thumbprint(EVP_PKEY *key, char ret[44], struct err *err);
/* The public key as a JWK object, with kid, alg and use where kid is not empty. */
int jwk_write(struct sb *out, EVP_PKEY *key, struct str kid, enum jose_alg alg, struct err *err);
/* Whether `text` is a JWK set whose every key can be used with one of `algs`. */
int jwks_check(struct arena *a, struct str text, unsigned wanted, struct err *err);

/* A token, taken apart; nothing of it is believed yet. */
struct jws {
    yyjson_val *header, *claims;
    struct str alg, kid, typ;
    struct str signed_part, signature; /* as sent, and as bytes */
};

/* ERR_VALUE when it is none: not three parts, not strict base 64, not JSON objects, `crit` or an
 * unencoded payload asked for. */
int jws_parse(struct arena *a, struct str token, struct jws *ret, struct err *err);
/* 0 when `key` made it with one of `algs`; otherwise ERR_LOGIN, without saying more. */
int jws_verify(const struct jws *jws, const struct jwk *key, unsigned algs, struct err *err);
/* With the keys of a set: those whose kid is the token's (all, where the token has none). */
int jws_verify_set(struct arena *a, const struct jws *jws, struct str jwks, unsigned algs,
                   struct err *err);

/* Signs `claims`, JSON text; `typ` may be empty. */
int jws_sign(struct sb *out, EVP_PKEY *key, enum jose_alg alg, struct str kid, struct str typ,
             struct str claims, struct err *err);

#endif
