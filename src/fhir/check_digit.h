/* check_digit.h - codes whose last digit is worked out from the others: LOINC's and SNOMED CT's, of
 * which a mistyped one is told without having the code system.
 *
 * Source: LOINC Users' Guide, appendix "Calculating Mod 10 check digits", which names for parts and
 * answers OpenMRS's "Check Digit Algorithm"; SNOMED CT Technical Implementation Guide, "SCTID
 * Check-digit" (Verhoeff's dihedral check).
 */
#ifndef FHIR_CHECK_DIGIT_H
#define FHIR_CHECK_DIGIT_H

#include "base/str.h"

/* What is wrong with a code by its form alone ("has a wrong check digit"), or NULL. Of other
 * systems, LOINC's lists and groups (LL, LG) and SNOMED CT expressions nothing is said. */
const char *check_digit_problem(struct str system, struct str code);

#endif
