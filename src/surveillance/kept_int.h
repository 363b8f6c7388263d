/* kept_int.h - what kept.c and saved.c share. */
#ifndef SURVEILLANCE_KEPT_INT_H
#define SURVEILLANCE_KEPT_INT_H

#include "surveillance/kept.h"

#include <pthread.h>
#include <stdatomic.h>

struct kept {
    struct store *store;
    struct access node;
    struct arena of_definitions, of_records;
    struct str text; /* of the definitions */
    struct case_definitions definitions;
    pthread_rwlock_t lock; /* of what follows, but the follower's own */
    struct records records;
    struct cases cases;
    int32_t today;
    uint64_t shown; /* position of the cases; the records may be further, while following */
    case_change *changed;
    void *ctx;
    atomic_ullong position, all; /* followed; newest when following began */
    atomic_bool is_ready;
    bool was_loaded;   /* what was saved was taken up, or is of no use */
    bool is_torn;      /* an error left it half done */
    uint64_t saved;    /* position of what is saved */
    uint32_t read[3];  /* of people, visits, places: those with smaller numbers were read */
    uint64_t expunged; /* how often something was, as of what is kept; see check_expunged */
    bool is_checking, is_erased;  /* erased: what is saved has more */
    size_t checked_kind, checked; /* how far that is: all names of smaller kinds, and so many */
};

/* Begins anew, without anything. */
void kept_clear(struct kept *k);

/* ---- saved.c ---- */

/* What is kept as bytes; `position` is that of the records. */
int saved_write(const struct kept *k, struct sb *out, struct err *err);
/* Takes it up into cleared records. 1, 0 where it is of other definitions or another format, or
 * negative. */
int saved_read(struct kept *k, struct str bytes, struct err *err);

#endif
