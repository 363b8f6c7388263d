/* ecl.h - SNOMED CT's Expression Constraint Language over a compiled code system.
 *
 *     expression = sub *( ("AND" / "," / "OR" / "MINUS") sub / ":" refinement )
 *     sub        = simple *( "." simple / "{{" filter "}}" ) [ "{{" "+" history "}}" ]
 *     simple     = [ "<" / "<<" / "<!" / "<<!" / ">" / ">>" / ">!" / ">>!" / "!!>" / "!!<" ]
 *                  ( focus / "^" [ "[" field "]" ] focus *( "{{" "M" criteria "}}" ) )
 *     focus      = concept / scheme "#" identifier / "*" / "(" expression ")"
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
 * Of a reference set one field is taken, because the answer is a set of concepts.
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
/* What another scheme calls it; the scheme's concept stands where a Coding has its system. */
#define SNOMED_ALTERNATE "alternateIdentifier"
/* The attribute that stands for a role group: relationships that hold together. */
#define SNOMED_ROLE_GROUP "609096000"

/* The number of the role group that a property is in; empty: none. */
struct str snomed_role_group(const struct cs *cs, const struct cs_property *p);

/* Whether an equality of this property is an expression constraint. */
bool ecl_is_for(const struct cs *cs, struct str property);
/* The concepts of an expression into `bits` (cleared before). ERR_VALUE says what is wrong, and at
 * which place. */
int ecl_select(const struct cs *cs, struct arena *a, struct str text, uint64_t *bits,
               struct err *err);

#endif
