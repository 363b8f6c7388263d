/* eid_int.h - what the files of an identity from elsewhere share. */
#ifndef TRUST_EID_INT_H
#define TRUST_EID_INT_H

#include "trust/authorize.h"

#define EID_BACK "/auth/eid/back/" /* the redirect URI of a provider: its id stands behind */

/* ---- eid_ask.c: asking a provider. ERR_BUSY when it cannot be asked, ERR_LOGIN when its answer
 * does not hold; the texts are for the log. Where the request may not ask they set reply->asks:
 * then nothing may be done, because all of it comes again. None may be called on an event loop.
 * ---- */

/* What a provider says of itself (Discovery, 3). */
struct eid_endpoints {
    struct str authorize, token, jwks, userinfo, leave; /* the last two may be empty */
    bool says_iss;                                      /* in its answers (RFC 9207) */
    bool takes_basic;                                   /* secrets as HTTP Basic */
    enum jose_alg assertion;                            /* what a client's own key signs with */
};
int eid_discover(struct oauth *o, const struct eid_provider *p, struct eid_endpoints *ret);

/* A code becomes what the provider says of the person. */
struct eid_answer {
    struct str code, verifier, redirect;
    struct eid_expected want;
};
int eid_redeem(struct oauth *o, const struct eid_endpoints *at, const struct eid_answer *answer,
               struct eid_said *ret);

/* ---- eid_step.c ---- */

/* Where a signed-in person goes to connect the identity that they have there: a URL of the
 * provider. */
int eid_connect(struct oauth *o, const struct eid_provider *p, struct str account, struct str *ret);
/* Where one goes who leaves here, to leave there as well; empty: nowhere. */
struct str eid_leave(struct oauth *o, struct str provider);

/* ---- eid_link.c: whose account it is ---- */

struct eid_person {
    struct oauth *o;
    const struct eid_provider *provider;
    const struct eid_said *said;
    struct str connect; /* the account of one who is signed in and connects; or empty */
    struct str patient; /* id of the Patient who has the identifier, where accounts are made */
    struct account account;
};
/* Looks for that Patient: one alone, in use, and not under an identifier that is old. */
int eid_person_find(struct eid_person *person);
/* Fills person->account and links it where it was not. ERR_NOT_FOUND: nobody's. ERR_DUPLICATE:
 * another's than the one that connects. Commits. */
int eid_person_link(struct eid_person *person);

#endif
