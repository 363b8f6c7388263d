/* oauth_int.h - what the endpoints share. */
#ifndef TRUST_OAUTH_INT_H
#define TRUST_OAUTH_INT_H

#include "trust/account.h"
#include "trust/form.h"
#include "trust/oauth.h"
#include "trust/trust_int.h"

/* One request under way. */
struct oauth {
    struct trust *t;
    struct arena *a;
    const struct oauth_request *req;
    struct oauth_reply *reply;
    struct form form; /* the body's fields, or the query's */
    int64_t now_ms;
    struct err err;
};

/* ---- replies ---- */

void oauth_header(struct oauth *o, const char *name, struct str value);
/* 303 to `url`, with nothing that could be kept or told on. */
void oauth_redirect(struct oauth *o, struct str url);
/* A JSON reply that nobody may keep. */
void oauth_json(struct oauth *o, int status);
/* RFC 6749 5.2: {"error":…, "error_description":…}. `code` is one of the registry's. */
void oauth_error(struct oauth *o, int status, const char *code, const char *text);
/* The same for a negative result, with o->err's text: 503 for what may pass, 500 for what is ours.
 */
void oauth_failed(struct oauth *o, int r, const char *code);

/* ---- client_auth.c ---- */

/* Who asks at a back-channel endpoint: by Basic, by a secret in the body, by an assertion, or (a
 * public client) by its client_id alone. False when the reply is made already (invalid_client).
 * `seen` names the assertion's jti for client_auth_keep, or is empty. */
bool client_auth(struct oauth *o, struct client *ret, char ret_seen[TICKET_NAME_MAX]);
/* Inside the job that acts on it: the assertion is good once. ERR_LOGIN when it came before. */
int client_auth_keep(struct store_txn *txn, const char *seen, struct err *err);

/* ---- endpoints ---- */

void oauth_token(struct oauth *o);
void oauth_introspect(struct oauth *o);
void oauth_revoke(struct oauth *o);
void oauth_userinfo(struct oauth *o);
void oauth_jwks(struct oauth *o);
void oauth_par(struct oauth *o);
void oauth_register(struct oauth *o);
void oauth_launch(struct oauth *o);
void oauth_authorize(struct oauth *o);
void oauth_step(struct oauth *o);
void oauth_setup(struct oauth *o);
void oauth_forgot(struct oauth *o);
void oauth_close(struct oauth *o);
void oauth_leave(struct oauth *o);
void oauth_eid(struct oauth *o);
void oauth_eid_back(struct oauth *o);
void oauth_account(struct oauth *o);
void oauth_passkey(struct oauth *o);
void oauth_passkey_script(struct oauth *o);
void oauth_demo(struct oauth *o);
void oauth_enter(struct oauth *o);
void oauth_well_known(struct oauth *o);

/* ---- authorize.c ---- */

/* An authorisation request, as asked for and checked, until it is answered. */
struct asked {
    struct str client, redirect, state, scope, challenge, nonce, launch, prompt, locale, jkt;
    struct str patient, encounter;            /* from an EHR launch, or picked */
    struct str account;                       /* once signed in */
    struct str waiting;                       /* account whose one-time code is asked for */
    struct str browser;                       /* hash of the browser's cookie */
    struct str eid;                           /* provider where they proved themselves, or empty */
    struct str passkey;                       /* the question that a passkey answers, once */
    int64_t signed_in_ms, assurance, max_age; /* max_age in seconds plus 1; 0: not asked */
};
extern const struct shape asked_shape;

/* A code that was handed out. */
struct code {
    struct str grant, client, redirect, challenge, nonce, jkt;
    bool used;
};
extern const struct shape code_shape;

/* What a request asks for, from its fields, for a client that is known. ERR_VALUE with the OAuth
 * code in err->where and a text for the developer; the redirect URI is checked before all else. */
int asked_read(struct oauth *o, const struct form *form, const struct client *client,
               struct asked *ret);

#endif
