/* records_int.h - what the files behind records.h share. */
#ifndef SURVEILLANCE_RECORDS_INT_H
#define SURVEILLANCE_RECORDS_INT_H

#include "surveillance/records.h"

/* ---- records.c: the number of an id (of a finding: with its type in front), given when it is new;
 * NOT_THERE at the arena's limit ---- */

uint32_t place_number(struct records *r, struct str id);
uint32_t person_number(struct records *r, struct str id);
uint32_t visit_number(struct records *r, struct str id);
uint32_t finding_number(struct records *r, struct str name);
uint32_t outbreak_number(struct records *r, struct str id);

/* ---- links.c: who is whom, and which evidence belongs to what ---- */

/* This person's cases are to be made anew. ERR_NO_MEMORY. */
int records_touch(struct records *r, uint32_t person, struct err *err);
/* Everybody with evidence of this visit. */
int records_touch_visit(struct records *r, uint32_t visit, struct err *err);
/* `by` replaces a person, or nobody does any more. */
int records_replace(struct records *r, uint32_t person, uint32_t by, struct err *err);
/* Everybody with evidence that asks for outbreaks. */
int records_touch_outbreaks(struct records *r, struct err *err);
/* A finding says this too. */
int evidence_add(struct records *r, const struct evidence *e, struct err *err);
/* It says nothing any more. */
int evidence_drop(struct records *r, uint32_t finding, struct err *err);

/* ---- case_person.c: what a person's evidence says, all of it considered ---- */

static inline bool is_of_fact(const struct records *r, const struct evidence *e)
{
    return e->disease >= r->definitions->n;
}

/* The day by which evidence is put in order: when it began, was seen, was told. */
static inline int32_t evidence_day(const struct evidence *e)
{
    return e->onset != DAY_UNKNOWN ? e->onset : e->seen != DAY_UNKNOWN ? e->seen : e->reported;
}

/* Of v[0 … n-1], all of a person, by disease (facts are behind), day and what it says: sets what
 * each piece says, now that the others are known, and takes out those that say nothing, and facts.
 * Returns how many are left; of a day they are in no order. */
size_t evidence_settle(const struct records *r, uint32_t person, struct evidence *v, size_t n);

#endif
