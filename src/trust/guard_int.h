/* guard_int.h - what the files of the guard share.
 *
 * guard.c          sights, decisions            guard_watch.c  consents and rows, by patient
 * guard_care.c     care that is kept            guard_feed.c   following the change feed
 * guard_related.c  who is in whose care         guard_reach.c  the rows of all in one's care
 * guard_find.c     whom one may find             guard_colleague.c  who works where
 * guard_law.c      cases of what is reported    guard_own.c      who is who asks, and whom they act
 * for
 */
#ifndef TRUST_GUARD_INT_H
#define TRUST_GUARD_INT_H

#include "trust/guard.h"
#include "store/sight.h"
#include "trust/policy_book.h"
#include "trust/quota.h"
#include "trust/text_map.h"

#include <pthread.h>
#include <stdatomic.h>

#define GUARD_ARENA_MAX MIB(512)
#define GUARD_PAGE 1000
#define CARE_KEY_MAX 300

/* ---- guard_watch.c: people who said something, and the rows of their records ---- */

/* A consent, shared by all who said the same. */
struct saying {
    struct arena a;
    struct consent c;
    int slot; /* of watch.rows, or -1 */
};

/* A person with consents on file. */
struct watched {
    struct str patient; /* its id; ours */
    struct filed {
        struct str consent; /* its id; ours */
        const struct saying *saying;
    } * filed;
    size_t n;
    int mode; /* a slot; or one of: */
};
enum { WATCHED_NOT = -1, WATCHED_ASK = -2 };

/* Everything that is known; made anew as a whole when too much has happened. Counted: sights hold
 * it. `patients`, `sayings` and `consents` are guarded by the guard's lock, the sets by nothing. */
struct watch {
    atomic_uint refs;
    const struct policy *policy; /* that it was made with; a reference */
    uint64_t built;              /* the feed's position when it was made */
    struct text_map patients;    /* id -> struct watched */
    struct text_map consents;    /* id of a Consent -> struct watched */
    struct text_map sayings;     /* text -> struct saying */
    _Atomic(const struct saying *) of_slot[SIGHT_SHUT_MAX];
    atomic_size_t n_slots;
    struct row_bits ask;
    struct row_bits rows[SIGHT_SHUT_MAX];
    atomic_uint_fast64_t generation; /* changes when a set takes more than new versions */
};

struct guard {
    struct store *store;
    struct policy_book *book;
    pthread_mutex_t following;   /* who brings it up to date */
    const struct policy *policy; /* what is known is made with; theirs who hold `following` */
    bool is_torn;                /* … failed to: of whoever holds it */
    pthread_rwlock_t lock;       /* of what follows, and of the maps */
    struct watch *watch;
    _Atomic uint64_t position; /* of the feed, up to which all is known */
    struct care *cares;
    size_t n_cares;
    struct quota finds;
};

/* ---- guard.c ---- */

/* What one access sees in one transaction. */
struct view {
    struct sight sight; /* first: that is what the store holds */
    struct guard *g;
    struct watch *watch;
    const struct policy *policy; /* the watch's */
    struct care *care;           /* NULL: none is asked for */
    struct reach *reach;
    struct asker who;
    struct str account; /* whose it is: the identity's, which outlives the view */
    struct params *params;
    int64_t now_ms;
};

/* What is decided about a version, by looking at it. */
int view_decide(const struct view *v, const struct row *row, enum why *ret, struct err *err);

void watch_unref(struct watch *w);
/* From the store as it is in `txn`. */
int watch_build(struct guard *g, struct store_txn *txn, struct watch **ret, struct err *err);
/* A Consent is now so (root NULL: gone). */
int watch_consent(struct guard *g, struct store_txn *txn, struct watch *w, struct str id,
                  yyjson_val *root, struct err *err);
/* A version is there. */
int watch_row(struct watch *w, const struct facts *f, uint64_t row, struct err *err);
/* Under g->lock. NULL: nothing is on file. */
const struct watched *watch_of(const struct watch *w, struct str patient);

/* ---- guard_care.c ---- */

/* Rows of one type, shared by the reaches that have no others. */
struct rows_block {
    atomic_uint refs;
    size_t n;
    uint64_t v[];
};

/* The current rows of all that are in somebody's care. Immutable. */
struct reach {
    atomic_uint refs;
    struct rows_block *blocks[DEF_RESOURCE_MAX + 1];
    struct sight_rows rows[DEF_RESOURCE_MAX + 1];
    size_t n_rows;
};

/* Whom somebody has in their care. Counted; nothing of it changes but what stands behind `used`,
 * which the guard's lock guards. */
struct care {
    atomic_uint refs;
    struct care *next;
    struct str key; /* the asker's user, and how it is related */
    struct arena a; /* of `key` and `refs` */
    struct str *refs_v;
    size_t n_refs;            /* what the asker is for consents: itself, organisations, groups */
    struct text_map below;    /* refs through which people come into care */
    struct text_map patients; /* id -> itself */
    struct text_map grown;    /* of a proxy's: those of `patients` who are of age */
    bool is_proxy;
    struct str own;           /* of a Person: id of the Patient that they are, or empty */
    bool is_by_law;           /* `patients` are cases: id -> their diseases, a bit each */
    struct text_map because;  /* "Encounter/1" … -> itself */
    bool is_wide;             /* too many to keep rows of */
    int64_t until_ms;         /* to be made anew at the latest then */
    uint64_t built;           /* the feed's position when it was made */
    atomic_int_fast64_t used; /* when last */
    bool is_stale;            /* to be made anew */
    struct reach *reach;      /* NULL where it is wide */
    struct newer {
        uint64_t row;
        int type;
        bool is_gone; /* it is superseded */
    } * newer;        /* versions since, not yet in the reach */
    size_t n_newer, newer_cap;
};

/* The asker's, known up to the guard's position: references to both; no reach where it is wide. */
int care_of(struct guard *g, const struct asker *who, struct care **ret, struct reach **ret_reach,
            struct err *err);
/* Under g->lock: a version of a type that says who is in whose care; root NULL: a deletion. */
void care_relation(struct guard *g, int type, struct str id, yyjson_val *root);
/* Under g->lock: a version is there. */
int care_row(struct guard *g, const struct facts *f, uint64_t row, struct err *err);
/* Under g->lock: a version is no longer current. */
int care_gone(struct guard *g, int type, uint64_t row, struct err *err);
/* Under g->lock. */
void care_forget_all(struct guard *g);

/* ---- guard_related.c ---- */

/* Looked up in a transaction that ends where the guard does, which whoever holds g->following
 * brought there. */
int care_make(struct guard *g, struct store_txn *txn, const struct asker *who, struct str key,
              struct care **ret, struct err *err);

/* ---- guard_law.c ---- */

/* The same of those who see cases: their patients. */
int care_find_cases(struct guard *g, struct store_txn *txn, struct care *c, struct err *err);
/* Under g->lock: a Condition is now so (root NULL: gone). */
void care_case(struct guard *g, struct str id, yyjson_val *root);

/* ---- guard_reach.c ---- */

void care_unref(struct care *c);
void reach_unref(struct reach *r);
bool care_has(const struct care *c, struct str patient);
bool care_has_grown(const struct care *c, struct str patient);
/* What `old` has (NULL: nothing), with what came and without what is gone; sorts `more`. */
int reach_with(const struct reach *old, struct newer *more, size_t n, struct reach **ret,
               struct err *err);

/* ---- guard_feed.c ---- */

/* Knows everything that is committed by now. */
int guard_follow(struct guard *g, struct err *err);
/* The same for whoever holds g->following: with a transaction that ends where the guard does. */
int guard_follow_in(struct guard *g, struct store_txn *txn, struct err *err);

/* Calls `each` for the current resources that a search of a type (0: all) finds. */
typedef int guard_each_fn(void *ctx, const struct row *row, struct err *err);
int guard_each(struct guard *g, struct store_txn *txn, int type, struct str query,
               guard_each_fn *each, void *ctx, struct err *err);
/* Numbers of the current versions in a patient's compartment; `a` holds them. */
int guard_rows(struct guard *g, struct store_txn *txn, struct arena *a, struct str patient,
               uint64_t **ret, size_t *ret_n, struct err *err);

#endif
