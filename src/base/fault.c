#include "base/fault.h"

#ifdef CARNET_FAULT
#include <stdatomic.h>

static atomic_uint countdown;
static atomic_bool is_sticky, has_fired;

void fault_arm(unsigned nth, bool sticky)
{
    atomic_store(&has_fired, false);
    atomic_store(&is_sticky, sticky);
    atomic_store(&countdown, nth);
}

bool fault_fired(void)
{
    return atomic_load(&has_fired);
}

bool fault_point(const char *kind)
{
    unsigned n = atomic_load(&countdown);

    (void)kind;
    while (n && !atomic_compare_exchange_weak(&countdown, &n, n - 1))
        ;
    if (n == 1)
        atomic_store(&has_fired, true);
    return n == 1 || (n == 0 && atomic_load(&has_fired) && atomic_load(&is_sticky));
}
#endif
