/* leave.c - POST /auth/leave: the browser's session ends. What apps were given is theirs to give
 * back (/auth/revoke). */
#include "trust/browser.h"

void oauth_leave(struct oauth *o)
{
    int r;

    if (!browser_is_ours(o)) {
        oauth_error(o, 403, "invalid_request", "only this node's own pages may end a session");
        return;
    }
    r = browser_session_end(o);
    if (r < 0) {
        oauth_failed(o, r, "invalid_request");
        return;
    }
    sb_lit(&o->reply->body, "{}");
    oauth_json(o, 200);
}
