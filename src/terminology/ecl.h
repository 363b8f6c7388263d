/* ecl.h - SNOMED CT's Expression Constraint Language over a compiled code system.
 *
 *     expression = sub *( ("AND" / "," / "OR" / "MINUS") sub / ":" refinement )
 *     sub        = simple *( "." simple / "{{" filter "}}" )
 *     simple     = [ "<" / "<<" / "<!" / "<<!" / ">" / ">>" / ">!" / ">>!" / "!!>" / "!!<" ]
 *                  [ "^" ] ( concept / "*" / "(" expression ")" )
 *     refinement = one *( ("," / "AND" / "OR") one )
 *     one        = [ "[" min ".." max "]" ] ( attribute / "{" refinement "}" ) / "(" refinement ")"
 *     attribute  = [ "R" ] sub ( ("=" / "!=") ( sub / text / "(" texts ")" / "true" / "false" ) /
 *                  ("=" / "!=" / "<" / "<=" / ">" / ">=") "#" number )
 *     filter     = [ "D" ] ( "term" / "language" / "type" / "typeId" / "active" ) … /
 *                  "C" "active" …
 *
 * Terms between bars and comments are passed over. Filters by dialect, module, effective time,
 * definition status, members and history are refused by name.
 * Source: SNOMED International, Expression Constraint Language 2.2.
 */
#ifndef TERMINOLOGY_ECL_H
#define TERMINOLOGY_ECL_H

#include "terminology/cs.h"

#define ECL_TEXT_MAX KIB(16)
#define ECL_DEPTH_MAX 30       /* parentheses inside each other */
#define ECL_PARTS_MAX 500      /* concepts and wildcards in one expression */
#define ECL_VALUES_MAX 100     /* concrete values of one attribute */
#define ECL_FILTER_MAX 16      /* terms, languages or types of one filter */
#define ECL_COST_MAX 200000000 /* relationships and descriptions that are looked at */

#define ECL_MEMBER "memberOf" /* property: a reference set that a concept is in */

/* Whether an equality of this property is an expression constraint. */
bool ecl_is_for(const struct cs *cs, struct str property);
/* The concepts of an expression into `bits` (cleared before). ERR_VALUE says what is wrong, and at
 * which place. */
int ecl_select(const struct cs *cs, struct arena *a, struct str text, uint64_t *bits,
               struct err *err);

#endif
