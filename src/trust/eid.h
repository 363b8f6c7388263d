/* eid.h - providers of identities (OpenID Connect): who they are, what their word is worth here.
 *
 * The node is a relying party: a person proves who they are to a provider (a country's eID, a
 * ministry's directory), which says so in a signed ID token. Whose account that is says a link,
 * made once: by an identifier that the account was confirmed to have and the provider vouches for,
 * or by a person who is signed in. Names and mail addresses link nobody.
 *
 * Sources: OpenID Connect Core 1.0 (3.1), Discovery 1.0, RP-Initiated Logout 1.0; RFC 7636, 9207
 * and 9700.
 * Configuration: docs/formats/eid.md.
 */
#ifndef TRUST_EID_H
#define TRUST_EID_H

#include "trust/identity.h"
#include "trust/jose.h"
#include "trust/record.h"

#define EID_CONFIG_MAX KIB(64)
#define EID_PROVIDERS_MAX 16
#define EID_ID_MAX 32 /* a-z 0-9 and -: it stands in URLs */
#define EID_NAME_MAX 80
#define EID_ACRS_MAX 16
#define EID_SUB_MAX 255         /* Core, 2 */
#define EID_CLOCK_MS 60000      /* how far a provider's clock may differ */
#define EID_TOKEN_AGE_MS 600000 /* how long ago an ID token may have been made */
#define EID_LANGUAGES 6         /* as PAGE_LANGUAGES, whose order it is */

struct eid_acr {
    struct str name;
    enum assurance assurance;
};

struct eid_provider {
    struct str id;
    struct str names[EID_LANGUAGES]; /* as pages call it */
    struct str issuer, client;
    struct str secret; /* of the client; empty: it proves itself by the node's own keys */
    struct str scope, acr_values;
    const char *ca_file; /* or NULL */
    unsigned algs;       /* that ID tokens may be signed with: none that a shared secret signs */
    /* The claim that is an identifier, its system, and the claim that has to be true for it. */
    struct str claim, system, verified_by;
    struct eid_acr acr[EID_ACRS_MAX]; /* n 0: every token is worth a password */
    size_t n_acr;
    bool enrol;          /* whoever has a Patient with the identifier gets an account */
    bool may_be_private; /* it stands in one's own network */
    bool logout;         /* whoever leaves here leaves there */
};

struct eid {
    struct arena a;
    struct eid_provider v[EID_PROVIDERS_MAX];
    size_t n;
};

/* ERR_VALUE says what does not hold. The text is copied. */
int eid_new(struct str text, struct eid **ret, struct err *err);
void eid_free(struct eid *e);
/* NULL: there is none. */
const struct eid_provider *eid_find(const struct eid *e, struct str id);

/* ---- eid_token.c: what a provider says; pure ---- */

/* What an ID token has to hold to. */
struct eid_expected {
    const struct eid_provider *provider;
    struct str nonce;
    int64_t now_ms;
    int64_t max_age_ms; /* since the person proved themselves there; -1: any */
};
/* What it says then; texts live in the arena. */
struct eid_said {
    struct str sub;
    struct str identifier; /* the value, where a claim says it and may be believed; or empty */
    enum assurance assurance;
};

/* 0, or ERR_LOGIN with what does not hold (for the log: not for the person); ERR_NOT_FOUND when
 * none of the keys is the token's, so that newer ones may be; ERR_FORBIDDEN when all of it is
 * right, but the person did not prove enough there (acr). */
int eid_token_check(struct arena *a, const struct eid_expected *want, struct str token,
                    struct str jwks, struct eid_said *ret, struct err *err);
/* What further claims say (userinfo, an object): of the same person, or ERR_LOGIN. */
int eid_claims_add(struct arena *a, const struct eid_provider *provider, yyjson_val *claims,
                   struct eid_said *said, struct err *err);

#endif
