/* link_int.h - chains and _has inside: link.c tests and collects, lead.c finds the first. */
#ifndef LINK_INT_H
#define LINK_INT_H

#include "store/search/search_int.h"

#define LINK_BATCH 64
#define LINK_AHEAD 32  /* rows that refer to one target, read at once … */
#define LINK_RING 1024 /* … of as many behind a candidate */
#define LINK_NEAR 256  /* rows of an inner search's list that are read at once … */
#define LINK_MEMO 256  /* answers about targets that are kept: neighbours share them */

/* A piece of the list of an inner search that is one point: the rows that are asked about lie close
 * together when the candidates do. */
struct near {
    uint64_t rows[LINK_NEAR], from;
    size_t n, asked;
    bool is_last; /* nothing behind */
};

struct inner {
    struct exec x;
    struct near *near;         /* NULL: it is more than one point */
    const struct param *param; /* of a _has: the link */
    const struct clause *driver;
    bool is_planned, is_whole, is_small;
    size_t tried;
    struct rowset found; /* all matches, when is_whole */
};

struct memo {
    uint64_t hash; /* of the reference key; 0: none */
    bool in;
};

/* Rows about which it is known whether they match, because they refer to a target that has been
 * asked about: each in the place of its number. Candidates come in the order of rows. */
struct ahead {
    uint64_t rows[LINK_RING];
    bool in[LINK_RING];
};

struct link {
    struct inner *inner;
    size_t n;
    bool is_reverse, has_canonicals;
    bool is_single; /* a resource has one such reference at most */
    size_t spent, next_try;
    bool has_asked, is_kept; /* what was refused before, in: */
    struct refusal refused;
    struct ahead ahead;
    struct search_ref
        last; /* the reference that was followed last; its id is in the body in hand */
    struct memo memo[LINK_MEMO];
};

/* From a reference to rows. */
struct follow {
    struct exec *x;
    int type; /* that the reference must lead to */
    int (*row)(void *ctx, uint64_t row, struct err *err);
    void *ctx;
    struct err *err;
};

/* Calls f->row for what a reference leads to, until it returns non-zero. */
int link_follow(const struct follow *f, const struct search_ref *ref);
/* Adds the points of one key in a parameter's lists; *cap belongs to c->ranges. */
int link_points(struct exec *x, struct clause *c, size_t *cap, const struct param *param,
                struct str key, struct err *err);

#endif
