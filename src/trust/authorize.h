/* authorize.h - what the authorisation endpoint and the pages behind it share. */
#ifndef TRUST_AUTHORIZE_H
#define TRUST_AUTHORIZE_H

#include "trust/browser.h"
#include "trust/page.h"

/* The context of an EHR launch, put down by the system that launches. */
struct launch {
    struct str client, patient, encounter;
};
extern const struct shape launch_shape;

/* For what cannot be told the client, because nobody knows where it is. */
void authorize_error_page(struct oauth *o, const char *text);
/* Back to the client with `name` (code or error) and what belongs to it; text may be NULL. */
void authorize_back(struct oauth *o, const struct asked *asked, const char *name, struct str value,
                    const char *text);
void authorize_push(struct oauth *o, const struct asked *asked, const char *seen);

/* The page for what is missing next: who, a code, a patient, or the approval. `at` is the ticket of
 * the pending request; `problem` is shown above, PAGE_TEXT_COUNT for none. */
void authorize_page(struct oauth *o, const struct asked *asked, const struct client *client,
                    struct str at, enum page_text problem);

/* The pending request of a ticket, in the browser where it began; false when it has ended, or began
 * elsewhere. */
bool authorize_pending(struct oauth *o, struct str at, struct asked *ret);
/* The person of it has proved who they are, to the provider `eid`: a session begins, or a one-time
 * code is asked for where the account has a key for them and the proof was one factor. */
void authorize_proven(struct oauth *o, struct str at, const struct account *account,
                      enum assurance assurance, struct str eid);
/* Takes the question that a passkey answers from a pending request, where `fresh` stands from now
 * on: each is asked once. False without one. Commits. */
bool authorize_take_challenge(struct oauth *o, struct str at, struct str fresh, struct str *ret);
/* … has not: its page again, with the problem. */
void authorize_unproven(struct oauth *o, struct str at, enum page_text problem);

/* The scopes that this account can give of those asked for; the account's own patient in *asked
 * where it is its own record's. */
int authorize_scopes(struct oauth *o, struct store_txn *txn, struct asked *asked,
                     struct smart_scopes *ret);
/* Whether a patient has still to be picked. */
bool authorize_needs_patient(const struct asked *asked, const struct smart_scopes *scopes);

/* pick.c: the page that finds a patient; whether one exists; whether the person may find that one.
 */
void authorize_pick_page(struct oauth *o, const struct asked *asked, struct str at,
                         enum page_text problem);
int authorize_patient(struct store_txn *txn, struct str id, struct err *err);
int authorize_picked(struct oauth *o, struct store_txn *txn, const struct asked *asked,
                     struct str id, struct err *err);

#endif
