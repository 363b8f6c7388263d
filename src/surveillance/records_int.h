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

/* ---- links.c: who is whom, and which evidence belongs to what ---- */

/* This person's cases are to be made anew. ERR_NO_MEMORY. */
int records_touch(struct records *r, uint32_t person, struct err *err);
/* Everybody with evidence of this visit. */
int records_touch_visit(struct records *r, uint32_t visit, struct err *err);
/* `by` replaces a person, or nobody does any more. */
int records_replace(struct records *r, uint32_t person, uint32_t by, struct err *err);
/* A finding says this too. */
int evidence_add(struct records *r, const struct evidence *e, struct err *err);
/* It says nothing any more. */
int evidence_drop(struct records *r, uint32_t finding, struct err *err);

#endif
