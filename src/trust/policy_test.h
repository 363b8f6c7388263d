/* policy_test.h - the tests that a policy brings along: who, in whose care, what was said, and
 * whether a resource is seen. Pure.
 */
#ifndef TRUST_POLICY_TEST_H
#define TRUST_POLICY_TEST_H

#include "trust/decide.h"

struct policy_outcome {
    struct str name;
    bool wants, is; /* to be permitted */
    enum why why;
};

/* Runs each; `say` gets them in order. ERR_VALUE: one is no test. Returns how many do not hold. */
int policy_test(const struct policy *p, void (*say)(void *ctx, const struct policy_outcome *one),
                void *ctx, struct err *err);

#endif
