/* ucum.h - units of measure: parse a UCUM unit, bring values to canonical units, convert.
 *
 * The canonical unit is a product of UCUM's base units (m s g rad K C cd) and of arbitrary units
 * such as [iU], in one fixed order: "mmol/L" and "mol/m3" give the same unit. Factors are kept as
 * quotients of exact decimals and rounded once, at the end (DECIMAL_ROUND_DIGITS). Values of
 * logarithmic units (pH, B, Np …) go through a double and have 15 digits.
 * Only case-sensitive codes (c/s) are units. Source: The Unified Code for Units of Measure 2.2; the
 * facts are in defs/ucum/units.tsv.
 */
#ifndef FHIR_UCUM_H
#define FHIR_UCUM_H

#include "fhir/decimal.h"

#define UCUM_CODE_MAX 200    /* bytes of a unit's code */
#define UCUM_DEPTH_MAX 16    /* parentheses inside each other */
#define UCUM_EXPONENT_MAX 99 /* of one unit, and of each base in the result */
#define UCUM_BASES_MAX 12    /* different bases in one unit */
#define UCUM_UNIT_MAX 128    /* bytes of a canonical unit, with the NUL */

#define UCUM_SYSTEM "http://unitsofmeasure.org"

/* 0, or ERR_VALUE with what is wrong with the unit. */
int ucum_check(struct str code, struct err *err);

/* `value` `code` in canonical units: its text ("1" for a number without unit) and the value.
 * ERR_VALUE when the code is no unit or the result is out of range; callers that index fall back to
 * the code as it stands. */
int ucum_canonical(struct str code, const struct decimal *value, char ret_unit[UCUM_UNIT_MAX],
                   struct decimal *ret_value, struct err *err);

/* `value` from one unit to another; ERR_VALUE when they measure different things. */
int ucum_convert(const struct decimal *value, struct str from, struct str to, struct decimal *ret,
                 struct err *err);

/* The product (or quotient) of two quantities: value, and the unit as a canonical text. */
int ucum_mul(const struct decimal *a, struct str a_unit, const struct decimal *b, struct str b_unit,
             bool divide, char ret_unit[UCUM_UNIT_MAX], struct decimal *ret, struct err *err);

#endif
