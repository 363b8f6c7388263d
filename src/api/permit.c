/* permit.c - which rights an interaction needs before it is tried (SMART scopes, version 2). What
 * is seen and written in it, the store asks row by row.
 */
#include "api/surveil.h"

#include "trust/allow.h"

static unsigned rights_of(const struct call *c)
{
    bool is_conditional = !c->id.n;

    switch (c->row->action) {
    case ACT_READ:
    case ACT_VREAD: return SMART_R;
    case ACT_HISTORY: return c->id.n ? SMART_R : SMART_R | SMART_S;
    case ACT_SEARCH: return SMART_S;
    case ACT_CREATE: return SMART_C | (c->if_none_exist.n ? SMART_S : 0);
    case ACT_UPDATE: return SMART_U | (is_conditional ? SMART_S : 0);
    /* Its answer may show what was not sent. */
    case ACT_PATCH: return SMART_R | SMART_U | (is_conditional ? SMART_S : 0);
    case ACT_DELETE: return SMART_D | (is_conditional ? SMART_S : 0);
    case ACT_OPERATION: return SMART_R | SMART_S | (c->op->change ? SMART_U : 0);
    case ACT_EXPUNGE: return SMART_D;
    case ACT_CAPABILITIES:
    case ACT_BUNDLE: /* each entry is asked about */
    case ACT_ASYNC_STATUS:
    case ACT_ASYNC_CANCEL: return 0;
    }
    return SMART_C | SMART_R | SMART_U | SMART_D | SMART_S;
}

int call_permit(struct call *c)
{
    unsigned rights = rights_of(c);

    if (c->who.kind != ACCESS_GRANTED || !rights)
        return 0;
    if (c->op && c->op->programmes)
        return surveil_may(c, SURVEIL_PROGRAMMES);
    if (c->row->action == ACT_EXPUNGE)
        return err_set(&c->err, ERR_FORBIDDEN, "this is for the node's operators");
    if (c->is_own)
        return 0; /* they ask for themselves: surveil.h */
    return allow_interaction(&c->who, c->type, rights, &c->err);
}
