/* audit_read.h - AuditEvents out of the node's own log, where it keeps one. */
#ifndef API_AUDIT_READ_H
#define API_AUDIT_READ_H

#include "api/call.h"

/* Whether the call is about AuditEvents that the log holds. */
bool audit_serves(const struct call *c);
/* As api_read and api_search. Searches know patient, date, _count and _cursor. */
int audit_read(struct call *c);
int audit_search_events(struct call *c);

#endif
