/* policy_access.h - who asks, for tests that look into the store: trust's own headers and the
 * store's inside do not go together.
 */
#ifndef POLICY_ACCESS_H
#define POLICY_ACCESS_H

#include "store/store.h"

struct policy_book;
struct guard;

/* From the text of a policy; fails the test. */
void policy_open(struct store *st, struct str text, struct policy_book **ret_policy,
                 struct guard **ret_guard);
void policy_close(struct policy_book *p, struct guard *g);

struct somebody {
    const char *role, *purpose, *scope;
    char user[80], patient[80]; /* "" where there is none */
    char account[20];           /* likewise */
    bool two_factors;
};

/* Which of these rows (of Patients) an access may find; fails the test. */
void somebody_finds(const struct access *who, struct store *st, const uint64_t *rows, size_t n,
                    bool *ret);
/* An access that lasts as long as the arena. */
struct access somebody_access(struct arena *a, const struct somebody *who, struct guard *g);

#endif
