/* ecl_int.h - what the files of the expression constraints share. */
#ifndef TERMINOLOGY_ECL_INT_H
#define TERMINOLOGY_ECL_INT_H

#include "terminology/ecl.h"

struct ecl {
    const struct cs *cs;
    struct arena *a;
    struct str text;
    size_t at;
    size_t depth, parts;
    uint64_t cost;   /* relationships and descriptions that were looked at */
    uint32_t *names; /* of each property definition the concept that it is, or CS_NONE */
    struct err *err;
};

/* ecl.c: words, and the expression inside. */

/* ERR_VALUE with the place. */
int ecl_bad(struct ecl *e, const char *what);
void ecl_skip(struct ecl *e);
/* Whether the text goes on with a word, whatever its case; takes it then. */
bool ecl_take(struct ecl *e, struct str word);
bool ecl_sees(struct ecl *e, struct str word);
/* Cleared; NULL with the error set. */
uint64_t *ecl_bits(struct ecl *e);
int ecl_no_bits(const struct ecl *e);
/* ERR_COSTLY past ECL_COST_MAX. */
int ecl_check_cost(struct ecl *e);
int ecl_enter(struct ecl *e);
void ecl_leave(struct ecl *e);
/* A concept, a set in parentheses …, with its operators, attributes behind dots and filters. */
int ecl_sub(struct ecl *e, uint64_t *to);
/* Digits; false where there are none. */
bool ecl_number(struct ecl *e, uint64_t *ret);

/* ecl_refine.c: what stands behind ":": those of `to` that do not hold to it go. */
int ecl_refinement(struct ecl *e, uint64_t *to);

/* ecl_filter.c: {{ … }} behind a set: those of `to` that do not pass go. The braces are taken. */
int ecl_filter(struct ecl *e, uint64_t *to);

#endif
