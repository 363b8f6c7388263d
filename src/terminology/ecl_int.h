/* ecl_int.h - what the files of the expression constraints share. */
#ifndef TERMINOLOGY_ECL_INT_H
#define TERMINOLOGY_ECL_INT_H

#include "terminology/ecl.h"

enum comparison { CMP_EQ, CMP_NE, CMP_LE, CMP_GE, CMP_LT, CMP_GT };

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

/* What a concept reference is, without asking whether the concept exists: its digits, and the term
 * behind it is passed over. */
int ecl_reference(struct ecl *e, struct str *ret);

/* "|term|", where one stands here, is passed over. */
int ecl_term(struct ecl *e);

/* ecl_alternate.c: SCHEME#identifier, in quotes or without. */
bool ecl_sees_alternate(struct ecl *e);
int ecl_alternate(struct ecl *e, uint64_t *to);

/* ecl_word.c: the small parts. */

bool ecl_comparison(struct ecl *e, enum comparison *ret);
bool ecl_compares(enum comparison cmp, double a, double b);
/* NAN where the text is no number. */
double ecl_number_of(struct str text);
/* A number behind "#". */
int ecl_decimal(struct ecl *e, double *ret);
/* A text behind its first quote; \" and \\ stand for themselves. */
int ecl_quoted(struct ecl *e, struct str *ret);
/* Letters, digits, '-' and '_'; empty where there are none. */
struct str ecl_word(struct ecl *e);

/* ecl_refine.c: what stands behind ":": those of `to` that do not hold to it go. */
int ecl_refinement(struct ecl *e, uint64_t *to);

/* ecl_criteria.c: what stands in the braces of a filter. All of it must hold of one thing: of a
 * description, of a concept, of a row of a reference set. */

enum ecl_of { OF_DESCRIPTION, OF_CONCEPT, OF_MEMBER };

enum criterion_kind {
    BY_TERM,
    BY_LANGUAGE,
    BY_TYPE,
    BY_DIALECT,
    BY_ID,
    BY_MODULE,
    BY_TIME,
    BY_ACTIVE,
    BY_STATUS, /* of the definition */
    BY_FIELD,
};

enum value_kind { VALUE_IDS, VALUE_TERMS, VALUE_TIMES, VALUE_NUMBER };

/* One of the texts that a criterion takes. */
struct choice {
    struct str text; /* term: folded, or where `wild` a pattern; else a word, an id, a date */
    bool wild;
    bool preferred, acceptable; /* of a dialect */
};

struct criterion {
    enum criterion_kind kind;
    enum comparison cmp;
    struct str field;
    enum value_kind value; /* of a field */
    struct choice *choices;
    size_t n;
    uint64_t *concepts; /* that an expression in the place of ids selects; or NULL */
    double number;
    bool yes, no; /* active, defined, and of a dialect's `concepts` preferred: which of the two */
    bool seen;    /* a row had the field */
    struct criterion *next;
};

/* Behind "{{" and its letter, and the closing braces. */
int ecl_criteria(struct ecl *e, enum ecl_of of, struct criterion **ret);
/* Whether any of them asks for the state, so that it is not "active" by default. */
bool criteria_have(const struct criterion *c, enum criterion_kind kind);
bool criterion_has_id(const struct ecl *e, const struct criterion *c, struct str id);
/* These, and the next, say whether one of the choices fits, whatever != turns it to. */
bool criterion_has_text(const struct criterion *c, struct str text);
/* `time` as YYYYMMDD, 0: none. Here the order counts, but not !=. */
bool criterion_has_time(const struct criterion *c, uint32_t time);

/* ecl_filter.c: {{ D … }} and {{ C … }} behind a set: those of `to` that do not pass go. The braces
 * are taken. */
int ecl_filter(struct ecl *e, uint64_t *to);

/* ecl_member.c */

/* "^", its fields, the reference sets and {{ M … }}; "^" is taken. */
int ecl_member_of(struct ecl *e, uint64_t *to);
/* {{ + HISTORY … }}; the braces and the sign are taken. */
int ecl_history(struct ecl *e, uint64_t *to);

/* ecl.c: concepts, * or ( … ), without an operator. */
int ecl_focus(struct ecl *e, uint64_t *to);
int ecl_expression(struct ecl *e, uint64_t *to);

#endif
