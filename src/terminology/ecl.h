/* ecl.h - SNOMED CT's Expression Constraint Language over a compiled code system.
 *
 *     expression = sub *( ("AND" / "," / "OR" / "MINUS") sub ) [ ":" refinement ]
 *     sub        = [ "<" / "<<" / "<!" / "<<!" / ">" / ">>" / ">!" / ">>!" ] [ "^" ]
 *                  ( concept / "*" / "(" expression ")" )
 *     refinement = one *( ("," / "AND" / "OR") one )
 *     one        = [ "R" ] sub ("=" / "!=") sub  /  "(" refinement ")"  /  "{" refinement "}"
 *
 * Terms between bars and comments are passed over. Attribute groups are read as parentheses;
 * cardinalities, dotted attributes, concrete values and filters are refused by name.
 * Source: SNOMED International, Expression Constraint Language 2.2.
 */
#ifndef TERMINOLOGY_ECL_H
#define TERMINOLOGY_ECL_H

#include "terminology/cs.h"

#define ECL_TEXT_MAX KIB(16)
#define ECL_DEPTH_MAX 30  /* parentheses inside each other */
#define ECL_PARTS_MAX 500 /* concepts and wildcards in one expression */

#define ECL_MEMBER "memberOf" /* property: a reference set that a concept is in */

/* Whether an equality of this property is an expression constraint. */
bool ecl_is_for(const struct cs *cs, struct str property);
/* The concepts of an expression into `bits` (cleared before). ERR_VALUE says what is wrong, and at
 * which place. */
int ecl_select(const struct cs *cs, struct arena *a, struct str text, uint64_t *bits,
               struct err *err);

#endif
