/* client.h - apps and systems that may ask for tokens.
 *
 * A client proves itself by a key (private_key_jwt), a certificate, a secret, or not at all (a
 * public app, which PKCE and exact redirect URIs bind to its user). One that registered itself is
 * of no use until an operator approved it.
 */
#ifndef TRUST_CLIENT_H
#define TRUST_CLIENT_H

#include "trust/jose.h"
#include "trust/record.h"
#include "trust/secret.h"

#define CLIENT_ID_MAX 64
#define CLIENT_NAME_MAX 200
#define CLIENT_REDIRECTS_MAX 20
#define CLIENT_URI_MAX 1000

struct client {
    struct str id;
    struct str name;
    struct str secret;         /* SHA-256 of a secret we made (256 bits need no slow hash); empty */
    struct str jwks;           /* its public keys, a JWK set as text; empty */
    struct str jwks_uri;       /* … or where it publishes them; empty */
    struct str tls_subject;    /* of its certificate, by the node's --tls-client-ca; empty */
    struct str tls_thumbprint; /* … or the one certificate, whoever made it; empty */
    struct str scope;          /* the most that it may get */
    struct str_list redirects; /* exact; empty: no person signs in through it */
    struct str launch_uri;     /* where an EHR launch begins; empty: none */
    struct str contact;        /* who answers for it */
    int64_t created_ms;
    bool backend;  /* may ask for itself (client_credentials) */
    bool approved; /* by an operator */
    bool disabled;
    bool dpop;         /* its tokens are bound to a key always (RFC 9449, 5.2) */
    bool jwks_private; /* jwks_uri may lead into one's own network: an operator said so */
    bool pushed;       /* it has to push its requests (RFC 9126, 6) */
    bool own;          /* the node's portal: nobody is asked whether they let it in (own.h) */
};

extern const struct shape client_shape;

int client_get(struct store_txn *txn, struct str id, struct arena *a, struct client *ret,
               struct err *err);
/* Inside a job. ERR_VALUE says what does not hold. */
int client_put(struct store_txn *txn, const struct client *client, struct err *err);
int client_check(struct arena *a, const struct client *client, struct err *err);

/* Whether a redirect URI is one of the client's: the same text, but for the port of a loopback
 * address (RFC 8252, 7.3). */
bool client_redirects_to(const struct client *client, struct str uri);
/* https, or http to a loopback address, or an app's own scheme with a dot (RFC 8252); no fragment.
 */
int client_check_redirect(struct str uri, struct err *err);

static inline bool client_has_keys(const struct client *c)
{
    return c->jwks.n || c->jwks_uri.n;
}

/* It proves itself by a certificate (RFC 8705), and its tokens are bound to that. */
static inline bool client_has_certificate(const struct client *c)
{
    return c->tls_subject.n || c->tls_thumbprint.n;
}

static inline bool client_is_public(const struct client *c)
{
    return !c->secret.n && !client_has_keys(c) && !client_has_certificate(c);
}

#endif
