/* oauth.h - the authorisation server: OAuth 2 as SMART App Launch 2.2 profiles it, without sockets.
 *
 * A request in, a reply out; server/ carries them over HTTP. What there is:
 *
 *   /.well-known/smart-configuration (also below the FHIR base), /.well-known/openid-configuration,
 *   /.well-known/oauth-authorization-server
 *   /auth/authorize    GET, POST  the code flow, PKCE S256 only      RFC 6749 4.1, RFC 7636
 *   /auth/step         POST       its pages: sign in, pick, approve
 *   /auth/setup        GET, POST  a first password
 *   /auth/close        GET, POST  a person closes their account
 *   /auth/forgot       GET, POST  a secret for another, by a notice
 *   /auth/leave        POST       the end of the browser's session
 *   /auth/eid          GET        on to a provider of identities     OpenID Connect Core 3.1
 *   /auth/eid/back/ID  GET        and back from it
 *   /auth/account      GET, POST  what a person does with their own account
 *   /auth/passkey      POST       signing in with a passkey          Web Authentication 2
 *   /auth/passkey.js   GET        the script for that
 *   /auth/demo         POST       links into a demo (demo.h)
 *   /auth/enter        GET        one of them
 *   /auth/token        POST       code, refresh_token, client_credentials
 *   /auth/par          POST       pushed requests                    RFC 9126
 *   /auth/introspect   POST       for resource servers               RFC 7662
 *   /auth/revoke       POST                                          RFC 7009
 *   /auth/register     POST       for approval by an operator        RFC 7591
 *   /auth/launch       POST       an EHR puts down the context of a launch (ours)
 *   /auth/userinfo     GET, POST                                     OpenID Connect Core 5.3
 *   /auth/jwks         GET        the keys of ID tokens              RFC 7517
 */
#ifndef TRUST_OAUTH_H
#define TRUST_OAUTH_H

#include "base/sb.h"
#include "trust/audit/entry.h"
#include "trust/trust.h"

#define OAUTH_PREFIX "/auth/"
#define OAUTH_WELL_KNOWN "/.well-known/"
#define OAUTH_REPLY_MAX KIB(256)
#define OAUTH_HEADERS_MAX 12

struct oauth_request {
    bool is_post, is_tls;
    bool may_ask; /* other servers: it is on a thread that may wait for them */
    struct str path, query, body;
    /* Headers, .p NULL where absent. */
    struct str content_type, authorization, dpop, cookie, origin, accept_language;
    /* Of the client's certificate: SHA-256 in base64url, and its subject where it is of an
     * authority that is believed. .p NULL: none. */
    struct str x5t, subject;
};

/* What the audit log has to know of a request; AUDIT_OTHER: nothing, it showed a page. Texts are in
 * the request's arena or static. */
struct oauth_trace {
    enum audit_interaction what;
    struct str operation;
    struct str user;   /* the account's id; of a login that failed, the name as it was typed */
    struct str client; /* as it proved itself, or said of itself where that failed */
    int status;        /* how it ended, where a page or a redirect does not say; or 0 */
};

struct oauth_reply {
    struct oauth_trace trace;
    bool asks; /* this is no reply: the same request again, where it may ask */
    int status;
    const char *type; /* of the body, or NULL */
    struct sb body;
    struct {
        const char *name;
        struct str value;
    } headers[OAUTH_HEADERS_MAX];
    size_t n_headers;
};

/* Whether a path is one of those above. */
bool oauth_has(struct str path);
/* Whether to answer there takes asking another server, for seconds: such requests need may_ask, and
 * must not wait on threads that others need. Elsewhere only the reply says so. */
bool oauth_asks(struct str path);
/* Answers; it always does. Commits and computes: not on an event loop. Texts live in `a`. */
void oauth_handle(struct trust *t, struct arena *a, const struct oauth_request *request,
                  struct oauth_reply *ret);

/* What a client may know without asking more, as JSON: for SMART and for OpenID Connect alike. */
int oauth_configuration(struct trust *t, struct sb *out, struct err *err);

#endif
