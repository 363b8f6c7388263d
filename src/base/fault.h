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
/* A named place where nothing can fail, but where a test may kill the process. */
void fault_mark(const char *kind);
/* SIGKILL when the Nth point or mark of that name is reached, on any thread. NULL disarms. `kind`
 * must be static. */
void fault_kill(const char *kind, unsigned nth);
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
static inline void fault_mark(const char *kind)
{
    (void)kind;
}
static inline void fault_kill(const char *kind, unsigned nth)
{
    (void)kind;
    (void)nth;
}
#endif

/* Runs the block with the 1st, 2nd, 3rd … point failing until a run in which none is reached. */
#define FAULT_LOOP(sticky)                                                                         \
    for (unsigned fault_n_ = 1; fault_n_ && (fault_arm(fault_n_, (sticky)), 1);                    \
         fault_n_ = (fault_fired() ? fault_n_ + 1 : 0), fault_arm(0, false))

#endif
