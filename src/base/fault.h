/* fault.h - if it can fail, a test makes it fail.
 *
 * Code that can fail for reasons outside it (memory, I/O, SQL) asks fault_point("kind") first. In
 * builds with -DCARNET_FAULT a test arms the Nth such point of its thread; in release builds the
 * question is the constant false. After SQLite's fault loops (https://sqlite.org/testing.html).
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include "base/util.h"

#ifdef CARNET_FAULT
bool fault_point(const char *kind);
/* The Nth point from now on (1 = the next) fails on every thread; `sticky`: and all after it.
 * 0 disarms. */
void fault_arm(unsigned nth, bool sticky);
/* Whether the armed point was reached since fault_arm. */
bool fault_fired(void);
#else
static inline bool fault_point(const char *kind)
{
    (void)kind;
    return false;
}
static inline void fault_arm(unsigned nth, bool sticky)
{
    (void)nth;
    (void)sticky;
}
static inline bool fault_fired(void)
{
    return false;
}
#endif

/* Runs the block with the 1st, 2nd, 3rd … point failing until a run in which none is reached. */
#define FAULT_LOOP(sticky)                                                              \
    for (unsigned fault_n_ = 1; fault_n_ && (fault_arm(fault_n_, (sticky)), 1);          \
         fault_n_ = (fault_fired() ? fault_n_ + 1 : 0), fault_arm(0, false))

#endif
