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
