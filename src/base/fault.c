#include "base/fault.h"

#ifdef CARNET_FAULT
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

static atomic_uint countdown;
static atomic_bool is_sticky, has_fired;
static const char *_Atomic kill_kind;
static atomic_uint kill_countdown;

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

void fault_kill(const char *kind, unsigned nth)
{
    atomic_store(&kill_countdown, nth);
    atomic_store(&kill_kind, kind);
}

void fault_mark(const char *kind)
{
    const char *wanted = atomic_load_explicit(&kill_kind, memory_order_relaxed);

    if (wanted && !strcmp(wanted, kind) && atomic_fetch_sub(&kill_countdown, 1) == 1)
        raise(SIGKILL);
}

bool fault_point(const char *kind)
{
    unsigned n = atomic_load(&countdown);

    fault_mark(kind);
    while (n && !atomic_compare_exchange_weak(&countdown, &n, n - 1))
        ;
    if (n == 1)
        atomic_store(&has_fired, true);
    return n == 1 || (n == 0 && atomic_load(&has_fired) && atomic_load(&is_sticky));
}
#endif
