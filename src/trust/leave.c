/* leave.c - POST /auth/leave: the browser's session ends. What apps were given is theirs to give
 * back (/auth/revoke). Of one who came from a provider of identities the answer says, as `next`,
 * where they leave that as well. */
#include "trust/eid_int.h"

static struct str next_of(struct oauth *o)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_system();
    struct session session;

    if (store_begin(o->t->store, &who, &txn, &o->err) < 0 || !browser_session(o, txn, &session) ||
        !session.eid.n)
        return STR("");
    store_end(txn);
    txn = NULL;
    return eid_leave(o, session.eid);
}

void oauth_leave(struct oauth *o)
{
    struct str next;
    int r;

    if (!browser_is_ours(o)) {
        oauth_error(o, 403, "invalid_request", "only this node's own pages may end a session");
        return;
    }
    next = next_of(o);
    if (o->reply->asks)
        return;
    r = browser_session_end(o);
    if (r < 0) {
        oauth_failed(o, r, "invalid_request");
        return;
    }
    sb_char(&o->reply->body, '{');
    if (next.n) {
        sb_lit(&o->reply->body, "\"next\":");
        sb_json(&o->reply->body, next);
    }
    sb_char(&o->reply->body, '}');
    oauth_json(o, 200);
}
