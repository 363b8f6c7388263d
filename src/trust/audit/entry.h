/* entry.h - what the audit log remembers of one interaction: who did what to whose record, when,
 * and how it ended. Identifiers and the query, never clinical content. Bytes:
 * docs/formats/audit.md.
 *
 * An entry is about at most one patient: an interaction that showed records of several has an entry
 * each, so that each can be proved, shown and erased without the others. Those entries differ in
 * their last bytes alone.
 */
#ifndef TRUST_AUDIT_ENTRY_H
#define TRUST_AUDIT_ENTRY_H

#include "base/arena.h"
#include "base/sb.h"

#define AUDIT_TEXT_MAX KIB(16) /* of one text of an entry; longer ones are cut, and say so */
#define AUDIT_ENTRY_MAX KIB(64)
#define AUDIT_SALT_BYTES 16

/* http://hl7.org/fhir/restful-interaction, with the action of an AuditEvent; behind those what is
 * no interaction with records. The numbers are on disk: only add. */
#define AUDIT_INTERACTIONS(X)                                                                      \
    X(AUDIT_OTHER, 0, "", "E")                                                                     \
    X(AUDIT_READ, 1, "read", "R")                                                                  \
    X(AUDIT_VREAD, 2, "vread", "R")                                                                \
    X(AUDIT_SEARCH_TYPE, 3, "search-type", "E")                                                    \
    X(AUDIT_SEARCH_SYSTEM, 4, "search-system", "E")                                                \
    X(AUDIT_HISTORY_INSTANCE, 5, "history-instance", "R")                                          \
    X(AUDIT_HISTORY_TYPE, 6, "history-type", "R")                                                  \
    X(AUDIT_HISTORY_SYSTEM, 7, "history-system", "R")                                              \
    X(AUDIT_CREATE, 8, "create", "C")                                                              \
    X(AUDIT_UPDATE, 9, "update", "U")                                                              \
    X(AUDIT_PATCH, 10, "patch", "U")                                                               \
    X(AUDIT_DELETE, 11, "delete", "D")                                                             \
    X(AUDIT_OPERATION, 12, "operation", "E")                                                       \
    X(AUDIT_BATCH, 13, "batch", "E")                                                               \
    X(AUDIT_TRANSACTION, 14, "transaction", "E")                                                   \
    X(AUDIT_LOGIN, 15, "", "E")   /* a step of signing in */                                       \
    X(AUDIT_GRANT, 16, "", "E")   /* what the authorisation server gave, took back or refused */   \
    X(AUDIT_REFUSED, 17, "", "E") /* a request whose asker could not be told */                    \
    X(AUDIT_COMMAND, 18, "", "E") /* what an operator did on the machine */                        \
    X(AUDIT_GLASS, 19, "", "E")   /* emergency access was taken: one breaks the glass */

enum audit_interaction {
#define X(id, number, code, action) id = (number),
    AUDIT_INTERACTIONS(X)
#undef X
        AUDIT_INTERACTION_COUNT
};

const char *audit_interaction_code(enum audit_interaction i);   /* "" for what is none */
const char *audit_interaction_action(enum audit_interaction i); /* C, R, U, D or E */

/* Strings may be empty: not known, or none. */
struct audit_event {
    int64_t when_ms; /* since 1970 */
    enum audit_interaction interaction;
    int status;            /* HTTP status of the reply */
    struct str user;       /* who asked, as an identifier */
    struct str client;     /* the program that asked for them */
    struct str address;    /* where from: an IP address, or "local" */
    struct str request_id; /* X-Request-Id */
    struct str purpose;    /* code of v3 PurposeOfUse */
    struct str type, id, version;
    struct str operation; /* "everything" */
    struct str query;     /* what was asked: path and parameters as sent */
    struct str name;      /* of the user, where it is shown; no entry holds it */
    struct str role;      /* of the account that asked */
    struct str token;     /* id of the access token (jti): nothing secret */
    struct str patient;   /* id of the Patient that this entry is about */
};

/* A coding of an AuditEvent. */
struct audit_coding {
    const char *system, *code, *display;
};
const struct audit_coding *audit_event_type(const struct audit_event *event);
/* '0' success, '4' the asker's mistake, '8' the node's (audit-event-outcome). */
char audit_event_outcome(const struct audit_event *event);

/* Appends the bytes that the entries of all patients of an event begin with (`patient` is not
 * looked at), and those that one patient's entry ends with. */
void audit_entry_head(struct sb *out, const struct audit_event *event);
void audit_entry_tail(struct sb *out, struct str patient);

/* The event of an entry; strings point into `entry` or live in `a`. ERR_SYNTAX when it is none;
 * members that later versions add are passed over. */
int audit_entry_parse(struct arena *a, struct str entry, struct audit_event *ret, struct err *err);

/* Where an AuditEvent comes from. */
struct audit_source {
    struct str id;       /* the AuditEvent's */
    struct str observer; /* the node: the log's name */
    struct str base;     /* the node's FHIR base URL */
};

/* The event as an AuditEvent of IHE BALP: JSON, appended. */
void audit_event_json(struct sb *out, const struct audit_source *source,
                      const struct audit_event *event);

#endif
