/* presence.h - a person who is there: how care that a worker takes up is confirmed.
 *
 * The person shows a code: one that is good once, for minutes (from their own account), or that of
 * a card, which lasts and which another gave out. Or a colleague of the worker says that they are
 * there. What follows is an Encounter that the node writes (PRESENCE_SYSTEM | check-in), which
 * is care as any other. Whoever has neither breaks the glass (glass.h). docs/guides/access.md.
 */
#ifndef TRUST_PRESENCE_H
#define TRUST_PRESENCE_H

#include "trust/record.h"
#include "trust/secret.h"

#define PRESENCE_SYSTEM "urn:carnet:encounter"
#define PRESENCE_CODE "check-in"
#define PRESENCE_CODE_MS INT64_C(900000)       /* how long a code is good */
#define PRESENCE_CARD_MS INT64_C(157680000000) /* … that of a card: five years */
#define PRESENCE_VISIT_MS INT64_C(86400000)    /* of the Encounter; care goes on for `careDays` */

/* A code for a patient, given out by `account`; the last one of its kind ends. Inside a job. */
int presence_give(struct store_txn *txn, struct arena *a, struct str patient, bool is_card,
                  struct str account, int64_t now_ms, char ret_code[RECOVERY_CODE_MAX],
                  int64_t *ret_until_ms, struct err *err);
/* Takes a code, which is spent where it was good once. Inside a job. ERR_FORBIDDEN where it is not
 * this patient's, is over, or was given out by the account that shows it: all told alike. */
int presence_take(struct store_txn *txn, struct arena *a, struct str patient, struct str code,
                  struct str account, int64_t now_ms, struct err *err);

/* Who is checked in. */
struct check_in {
    struct str id, patient, practitioner; /* "Practitioner/1" */
    struct str organization;              /* "Organization/1", or empty */
    int64_t now_ms;
};
/* Appends the Encounter. */
void presence_encounter(struct sb *out, const struct check_in *in);

#endif
