/* glass.h - breaking the glass: access to the record of one person who is not in one's care, for a
 * while, with a reason, and with a review behind it.
 *
 * What is given is a token of its own, under the grant of the one that asked for it: purpose of use
 * BTG, scopes of that one patient. The review is a Task (GLASS_SYSTEM | GLASS_TASK) that the node
 * writes in the same transaction and that only a role with `reviews` closes, never whoever broke
 * the glass. docs/guides/access.md.
 */
#ifndef TRUST_GLASS_H
#define TRUST_GLASS_H

#include "trust/policy.h"
#include "trust/ticket.h"

#define GLASS_SYSTEM "urn:carnet:task"
#define GLASS_TASK "break-glass"
#define GLASS_ACCOUNT_SYSTEM "urn:carnet:account"
#define GLASS_REASON_MIN 10 /* bytes: something that can be reviewed */
#define GLASS_REASON_MAX 1000

struct glass {
    struct str patient, reason;
    int64_t from_ms, until_ms;
    struct str task;     /* id of the Task */
    struct str scope;    /* as given */
    struct ticket token; /* the access token */
};

/* Appends a Reference to who asks: the resource that stands for them, and their account. */
void glass_who(struct sb *out, const struct identity *who);

/* Who `who` would be with the glass broken for a patient: what a decision asks about. Shares the
 * texts of `who`; the rest lives in `a`. ERR_FORBIDDEN where who asks is no person, or comes with
 * the glass broken already. */
int glass_identity(struct arena *a, const struct identity *who, struct str patient,
                   struct identity *ret, struct err *err);
/* Inside a job: the grant and the token of such an identity; fills glass->token. */
int glass_break(struct store_txn *txn, struct arena *a, const struct identity *as,
                struct glass *glass, struct err *err);
/* Appends the Task. */
void glass_task(struct sb *out, const struct identity *as, const struct glass *glass);

/* ---- the review; pure ---- */

/* Whether a Task asks for the review of a broken glass. */
bool glass_is_task(yyjson_val *root);
/* Why a Task may not become another by the hand of an account; NULL: it may. `old` or `new` NULL:
 * there is none. */
const char *glass_refuses(yyjson_val *old, yyjson_val *new, struct str account);

#endif
