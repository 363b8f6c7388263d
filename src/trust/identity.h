/* identity.h - who is asking: what a token that was looked at says, and nothing about what it may
 * see (allow.h decides that).
 *
 * Immutable and shared: the cache of tokens and each request hold a reference.
 */
#ifndef TRUST_IDENTITY_H
#define TRUST_IDENTITY_H

#include "trust/smart.h"

enum identity_kind {
    IDENTITY_PERSON, /* a person through a client */
    IDENTITY_CLIENT, /* a backend service for itself */
};

/* NIST SP 800-63 in spirit: how sure the node is who it is. */
enum assurance { ASSURANCE_NONE, ASSURANCE_PASSWORD, ASSURANCE_TWO_FACTORS };

struct identity {
    enum identity_kind kind;
    struct str subject;   /* the account's id, or the client's */
    struct str client;    /* client_id */
    struct str role;      /* of the account; empty for a client */
    struct str fhir_user; /* "Practitioner/1" or empty */
    struct str patient;   /* id of the Patient in context, or empty */
    struct str purpose;   /* a PurposeOfUse code, or empty: nothing was said */
    struct str token_id;  /* not secret: what an audit names (`jti`) */
    struct str grant;     /* id of the person's grant; empty for a client */
    struct str jkt;       /* thumbprint of the key that the token is bound to, or empty */
    struct str x5t;       /* … of the certificate, or empty */
    struct str agent;     /* "person ID CLIENT", "client ID": kept with each version */
    struct smart_scopes scopes;
    enum assurance assurance;
    int64_t issued_ms, until_ms;
};

struct identity *identity_ref(const struct identity *i);
void identity_unref(const struct identity *i);

/* A copy of `from` with everything that it points to; one reference is the caller's. NULL without
 * memory. */
struct identity *identity_new(const struct identity *from);

#endif
