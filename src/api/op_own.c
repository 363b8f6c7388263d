/* op_own.c - what is for the person alone whose record it is. */
#include "api/op.h"

#include "trust/guard.h"

int op_is_own(struct call *c, struct str patient)
{
    struct str own;
    int r;

    if (!c->who.identity)
        return 0;
    r = guard_own_patient(c->who.guard, c->who.identity, c->a, &own, &c->err);
    return r < 0 ? r : own.n && str_eq(own, patient);
}
