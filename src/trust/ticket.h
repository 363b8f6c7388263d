/* ticket.h - secrets that are handed out for a time: codes, tokens, sessions.
 *
 * A ticket's text is 43 characters: the minute it ends, then 28 random bytes, in base64url. The
 * store has a record under (minute, SHA-256 of the text), so that what is in the store opens
 * nothing, and what has ended lies in front, in order: each new ticket sweeps a few old ones away,
 * and no other upkeep is needed. The minute in the text is not believed: another one leads nowhere.
 */
#ifndef TRUST_TICKET_H
#define TRUST_TICKET_H

#include "trust/record.h"
#include "trust/secret.h"

#define TICKET_NAME_MAX 80
#define TICKET_SWEEP 3 /* ended tickets that go when one is made */

struct ticket {
    char text[SECRET_TEXT_MAX];
    char name[TICKET_NAME_MAX]; /* of its record */
};

/* A fresh one that ends at `until_ms`, rounded up to a minute; its text is empty without memory. */
void ticket_new(int64_t until_ms, struct ticket *ret);
/* The name of a ticket's record; false when the text is none, or has ended at `now_ms`. */
bool ticket_name(struct str text, int64_t now_ms, char ret[TICKET_NAME_MAX]);
/* The same for a text of another's choosing (a jti): dated by us. */
void ticket_name_of(struct str text, int64_t until_ms, char ret[TICKET_NAME_MAX]);

/* Inside a job: drops up to TICKET_SWEEP records of the kind that had ended at `now_ms`. */
int ticket_sweep(struct store_txn *txn, enum record_kind kind, int64_t now_ms, struct err *err);

#endif
