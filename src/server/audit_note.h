/* audit_note.h - what leaves an entry in the audit log and is no interaction with records: signing
 * in, tokens given and refused, operators' commands. Where the node keeps no log they do nothing.
 */
#ifndef SERVER_AUDIT_NOTE_H
#define SERVER_AUDIT_NOTE_H

#include "server/server_int.h"
#include "trust/oauth.h"

/* Requests without a good token leave so many entries a second; of what is more only the number is
 * kept, so that a stranger cannot fill the disk. */
#define AUDIT_REFUSALS_A_SECOND 20
#define AUDIT_NOTE_MAX KIB(4) /* what is said of a command */

/* What the authorisation server did, durable on return. Not on an event loop. */
int audit_note_grant(struct server *s, struct http_exchange *x, const struct oauth_reply *reply,
                     struct err *err);
/* A FHIR request whose asker could not be told, with the error it is about to be answered by: the
 * reply, which comes next, is held until the entry is durable. */
void audit_note_refused(struct server *s, struct http_exchange *x, const struct err *why);
/* A command of the operator, before it does anything; durable on return. */
int audit_note_command(struct audit_log *log, uint64_t uid, struct str what, struct str detail,
                       struct err *err);

#endif
