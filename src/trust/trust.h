/* trust.h - who is asking: the one place that makes a struct access.
 *
 * Three need no proof: open (everyone who can reach a loopback socket of a node started with
 * --open), system (the node's own upkeep) and job (background work and the operator's command
 * line). Everyone else shows a token (token.h); what it opens is allow.h's to say.
 */
#ifndef TRUST_TRUST_H
#define TRUST_TRUST_H

#include "base/sb.h"
#include "store/access.h"
#include "trust/identity.h"

struct access trust_open(void);
struct access trust_system(void);
/* `name` names the job and must outlive the access. */
struct access trust_job(struct str name);

/* ---- a node that asks who is there ---- */

#define TRUST_CACHE_TOKENS 8192 /* verified tokens that are kept in memory */
#define TRUST_SHARED_MS 5000    /* … and for how long, where other nodes may revoke them */

struct trust;
struct account;
struct policy_book;
struct store_txn;

/* What people are told of their account. */
enum trust_told {
    TOLD_RESET,    /* they asked to set a new password: with a one-time secret */
    TOLD_PASSWORD, /* it was set */
    TOLD_RECOVERY, /* a recovery code was used to sign in */
    TOLD_PLACE,    /* they signed in with a browser that had not been used for it */
    TOLD_WAYS,     /* a way to sign in was added or removed */
    TOLD_CLOSED,   /* they closed it */
};
/* Who tells them: inside the job that causes it, and woken once that is committed. */
struct trust_teller {
    void *ctx;
    int (*tell)(void *ctx, struct store_txn *txn, enum trust_told what,
                const struct account *account, struct str secret, struct err *err);
    void (*wake)(void *ctx);
};

/* One request to another server: what a provider of identities or a client publishes, and what a
 * provider is asked. */
struct trust_ask {
    const char *url;
    struct str form;           /* .p set: a POST of form fields */
    const char *authorization; /* the header's value, or NULL */
    const char *ca_file;       /* PEM authorities instead of the system's; NULL: those */
    unsigned seconds;          /* for all of it */
    bool may_be_private;       /* an address of one's own network will do */
};
/* Who asks: without redirects, with certificates checked. ret_body's maximum bounds the answer. */
struct trust_wire {
    void *ctx;
    int (*ask)(void *ctx, const struct trust_ask *ask, int *ret_status, struct sb *ret_body,
               struct err *err);
};

struct trust_config {
    struct str root;          /* public URL of the node without a slash at the end: the issuer */
    struct str fhir;          /* the FHIR base URL below it */
    struct policy_book *book; /* the policy in force (policy_book.h); NULL: scopes alone decide */
    const struct trust_teller *teller; /* NULL: nobody is told; must outlive the trust */
    const struct trust_wire *wire;     /* NULL: no other server is asked; must outlive the trust */
    bool has_certificates;             /* clients are asked for theirs */
    struct str eid;                    /* text of providers (eid.h); .p NULL: none */
};

/* Reads the signing keys, or makes them. The store must outlive it, texts are copied. */
int trust_new(struct store *store, const struct trust_config *config, struct trust **ret,
              struct err *err);
void trust_free(struct trust *t);
static inline void trust_freep(struct trust **t)
{
    trust_free(*t);
}
/* Accounts, clients, grants or keys are others than before: nothing is taken from memory any more.
 */
int trust_changed(struct trust *t, struct err *err);

/* The access of an identity, which must outlive it. */
struct access trust_granted(const struct trust *t, const struct identity *i);
/* What holds beside scopes; NULL: the node was made without a policy. */
struct guard *trust_guard(const struct trust *t);

/* How a request says who asks. */
struct trust_proof {
    struct str authorization; /* the header's value; .p NULL: none */
    struct str dpop;          /* likewise */
    struct str x5t;           /* of the certificate shown (RFC 8705, 3.1); .p NULL: none */
    struct str method, url;   /* of the request, the URL without query (RFC 9449, 4.3) */
};

/* 0 with one reference, which is the caller's; ERR_LOGIN, with what WWW-Authenticate says in
 * err->where ("Bearer …" or "DPoP …"). Quick where the token was seen before; else it reads some
 * records. Safe on an event loop, from any thread. */
int trust_who(struct trust *t, const struct trust_proof *proof, const struct identity **ret,
              struct err *err);

#endif
