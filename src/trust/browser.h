/* browser.h - what a browser is known by: cookies that no script and no other site can use.
 *
 * One binds an authorisation under way to the browser in which it began, so that nobody can have
 * somebody else finish what they started (or the reverse). Another is the session of a person
 * who signed in, a third says that somebody has signed in here before. Over TLS all are __Host-
 * cookies.
 */
#ifndef TRUST_BROWSER_H
#define TRUST_BROWSER_H

#include "trust/oauth_int.h"

#define BROWSER_PENDING_MS INT64_C(900000)
#define BROWSER_SESSION_MS INT64_C(8 * 3600000)

struct session {
    struct str account;
    struct str eid;     /* the provider where the person proved themselves, or empty */
    struct str passkey; /* the question that a new passkey answers, once; or empty */
    int64_t signed_in_ms, assurance, until_ms;
};
extern const struct shape session_shape;

/* The browser's own hash; sets its cookie when it has none. .p NULL without memory. */
struct str browser_hash(struct oauth *o, bool may_set);
/* Whether the request comes from a page of ours, as far as the browser says. */
bool browser_is_ours(const struct oauth *o);
/* The session of the request's cookie; false when there is none, the person signed out
 * everywhere since, or their account is disabled. */
bool browser_session(struct oauth *o, struct store_txn *txn, struct session *ret);
/* Begins a session, inside a job; browser_session_set then sends the cookie. */
int browser_session_new(struct store_txn *txn, const struct session *session, struct ticket *ret,
                        struct err *err);
void browser_session_set(struct oauth *o, const struct ticket *ticket);
/* The name of that session's record, or "". */
void browser_session_name(const struct oauth *o, char ret[TICKET_NAME_MAX]);
/* Inside a job: what the session of the request's cookie is now. */
int browser_session_keep(struct oauth *o, struct store_txn *txn, const struct session *session,
                         struct err *err);
/* The hash by which this browser is known to accounts that signed in with it, for a year after the
 * last time; sets the cookie. .p NULL without memory. */
struct str browser_place(struct oauth *o);
/* Inside the job that begins a session: remembers the place, and tells the account's person when it
 * is a new one behind others. */
int browser_place_keep(struct oauth *o, struct store_txn *txn, struct str account, struct str place,
                       struct err *err);
/* Ends the session of the request's cookie, and takes the cookie back. Commits. No session is no
 * error. */
int browser_session_end(struct oauth *o);

#endif
