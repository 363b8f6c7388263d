/* guard.h - a node's policy and everybody's consent, in force: what the store asks about rows.
 *
 * Policy and consents are compiled to sets of rows (store/sight.h), kept in memory beside the store
 * and brought up to date from the change feed by whoever asks next: a transaction never looks with
 * what is older than itself, so that a consent is obeyed by the next request. Nothing here is
 * stored; all can be made again from the resources (docs/decisions/0027-consent-in-the-query.md).
 *
 * Safe for any threads.
 */
#ifndef TRUST_GUARD_H
#define TRUST_GUARD_H

#include "store/store.h"
#include "trust/decide.h"

#define GUARD_CARE_PATIENTS_MAX 5000 /* in one's care; with more each row is looked at */
#define GUARD_CARE_ROWS_MAX 8000000  /* kept of all who asked, 8 bytes each */
#define GUARD_CARES_MAX 4096         /* people who asked and are remembered */
#define GUARD_ORGANISATIONS_MAX 1000 /* of one asker, with those below */
#define GUARD_CATCH_UP_MAX 50000     /* versions read one by one; past it all is made anew */

struct guard;

struct policy_book;

/* The store and the book, whose policy holds, must outlive it. */
int guard_new(struct store *store, struct policy_book *book, struct guard **ret, struct err *err);
void guard_free(struct guard *g);
static inline void guard_freep(struct guard **g)
{
    guard_free(*g);
}
/* The policy in force, also where another process has set it just now; the caller unrefs. */
int guard_policy(struct guard *g, const struct policy **ret, struct err *err);
/* What a role of it may do, without its texts; nothing at all where there is no such role. */
int guard_role(struct guard *g, struct str role, struct policy_role *ret, struct err *err);

/* What access_rules.look, sight_done and in_sight are. */
int guard_look(struct guard *g, const struct identity *who, uint64_t position, bool is_writing,
               const struct sight **ret, struct err *err);
void guard_sight_done(const struct sight *sight);
int guard_in_sight(const struct sight *sight, const struct row *row, struct err *err);

/* Whether `who` may write: ERR_FORBIDDEN. `old` NULL: nothing is replaced. */
int guard_may_put(const struct sight *sight, const struct put *put, const struct row *old,
                  struct err *err);

/* Whether `who` reads the audit log of everybody: 1, 0 or negative. */
int guard_reads_log(struct guard *g, const struct identity *who, struct err *err);

/* Whether `who` may find people whom they do not care for, once more: ERR_FORBIDDEN,
 * ERR_THROTTLED. */
int guard_may_find(struct guard *g, const struct identity *who, struct err *err);
/* Which of these Patients they may find; `txn` sees everything. */
int guard_find(struct guard *g, const struct identity *who, struct store_txn *txn,
               const uint64_t *rows, size_t n, bool *ret, struct err *err);

/* The id of the Patient that `who` is, empty where they are none: of a Patient's account, or of a
 * Person's that is linked to one (assurance level3 or level4). `g` may be NULL: then only the
 * former. Texts live in the identity or in `a`. */
int guard_own_patient(struct guard *g, const struct identity *who, struct arena *a, struct str *ret,
                      struct err *err);
/* The ids of all for whom a RelatedPerson or a Person may act, of age or not, and of who they are
 * themselves first; nobody for anybody else. Whether they see them is another question. `txn` sees
 * everything up to now; ids live in `a`. */
int guard_people(struct guard *g, const struct identity *who, struct store_txn *txn,
                 struct arena *a, struct str_list *ret, struct err *err);

/* WHY_SHARED, or why `who` sees nothing at all. */
int guard_may_ask(struct guard *g, const struct identity *who, enum why *ret, struct err *err);

/* What `who` asks for: what the token says, else what the role stands for. */
int guard_purpose(struct guard *g, const struct identity *who, struct arena *a, struct str *ret,
                  struct err *err);

/* Whether `who` works for an organisation ("Organization/1") or for one above it; whether they and
 * another ("Practitioner/1") work for organisations that have one in common, or one above the
 * other. `txn` sees everything up to now. */
int guard_works_for(struct guard *g, const struct identity *who, struct store_txn *txn,
                    struct str organisation, bool *ret, struct err *err);
int guard_are_colleagues(struct guard *g, const struct identity *who, struct store_txn *txn,
                         struct str user, bool *ret, struct err *err);

/* Why `who` sees the newest version of a resource, or does not; WHY_… and, for people who may ask
 * that, what stood behind it. ERR_NOT_FOUND where there is none. */
int guard_explain(struct guard *g, const struct identity *who, int type, struct str id,
                  enum why *ret, struct err *err);

#endif
