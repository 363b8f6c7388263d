/* ecl.h - SNOMED CT's Expression Constraint Language over a compiled code system.
 *
 *     expression = sub *( ("AND" / "," / "OR" / "MINUS") sub / ":" refinement )
 *     sub        = simple *( "." simple / "{{" filter "}}" ) [ "{{" "+" history "}}" ]
 *     simple     = [ "<" / "<<" / "<!" / "<<!" / ">" / ">>" / ">!" / ">>!" / "!!>" / "!!<" ]
 *                  ( focus / "^" [ "[" field "]" ] focus *( "{{" "M" criteria "}}" ) )
 *     focus      = concept / "*" / "(" expression ")"
 *     refinement = one *( ("," / "AND" / "OR") one )
 *     one        = [ "[" min ".." max "]" ] ( attribute / "{" refinement "}" ) / "(" refinement ")"
 *     attribute  = [ "R" ] sub ( ("=" / "!=") ( sub / text / "(" texts ")" / "true" / "false" ) /
 *                  ("=" / "!=" / "<" / "<=" / ">" / ">=") "#" number )
 *     filter     = [ "D" ] ( "term" / "language" / "type" / "typeId" / "dialect" / "dialectId" /
 *                  "id" / "moduleId" / "effectiveTime" / "active" ) … /
 *                  "C" ( "definitionStatus" / "definitionStatusId" / "moduleId" / "effectiveTime" /
 *                  "active" ) …
 *     history    = "HISTORY" [ "-MIN" / "-MOD" / "-MAX" / "(" expression ")" ]
 *
 * Terms between bars and comments are passed over. Signs may be written as the words of the long
 * syntax: descendantOf, descendantOrSelfOf, childOf, childOrSelfOf, ancestorOf, ancestorOrSelfOf,
 * parentOf, parentOrSelfOf, memberOf, ANY, reverseOf, "[1 to many]", "NOT =" and "<>".
 * Of a reference set one field is taken, because the answer is a set of concepts; alternate
 * identifiers are not known.
 * Source: SNOMED International, Expression Constraint Language 2.2.
 */
#ifndef TERMINOLOGY_ECL_H
#define TERMINOLOGY_ECL_H

#include "terminology/cs.h"

#define ECL_TEXT_MAX KIB(16)
#define ECL_DEPTH_MAX 30       /* parentheses inside each other */
#define ECL_PARTS_MAX 500      /* concepts and wildcards in one expression */
#define ECL_VALUES_MAX 100     /* concrete values of one attribute */
#define ECL_FILTER_MAX 16      /* terms, languages, dates … of one criterion */
#define ECL_COST_MAX 200000000 /* relationships and descriptions that are looked at */

/* Properties of concepts. */
#define ECL_MEMBER "memberOf" /* a reference set that it is in */
#define SNOMED_MODULE "moduleId"
#define SNOMED_DEFINED "sufficientlyDefined"
#define SNOMED_TIME "effectiveTime" /* YYYYMMDD */

/* Whether an equality of this property is an expression constraint. */
bool ecl_is_for(const struct cs *cs, struct str property);
/* The concepts of an expression into `bits` (cleared before). ERR_VALUE says what is wrong, and at
 * which place. */
int ecl_select(const struct cs *cs, struct arena *a, struct str text, uint64_t *bits,
               struct err *err);

#endif
