/* audit_read.h - AuditEvents out of the node's own log, where it keeps one. */
#ifndef API_AUDIT_READ_H
#define API_AUDIT_READ_H

#include "api/call.h"

/* Whether the call is about AuditEvents that the log holds. */
bool audit_serves(const struct call *c);
/* As api_read and api_search. */
int audit_read(struct call *c);
int audit_search_events(struct call *c);

/* ---- what operations on the log share ---- */

struct audit_query;
struct audit_event;
/* ERR_NOT_SUPPORTED where the node keeps none. */
int audit_needs_log(struct call *c);
/* Narrows to what the asker may see; *ret_open: whether anything is left. */
int audit_narrow(struct call *c, struct audit_query *q, bool *ret_open);
/* From the beginning of a day, or up to its end; STR_NULL: no bound. */
int audit_take_day(struct call *c, struct str day, bool is_end, struct audit_query *q);
/* Where the node is configured so, and the asker sees but one patient's entries: of staff only the
 * role stays. */
void audit_show_staff(const struct call *c, struct audit_event *event);
/* The user's name, as their account has it now; none where the account is gone. After
 * audit_show_staff. */
int audit_name_user(struct call *c, struct audit_event *event);

#endif
