/* measure.h - which populations a Measure has: that follows from how it is scored.
 *
 * Source: http://hl7.org/fhir/R4/measure.html (the table of populations by scoring), with the
 * observations of a ratio as the Quality Measure IG has them.
 */
#ifndef FHIR_MEASURE_H
#define FHIR_MEASURE_H

#include "base/str.h"

/* http://terminology.hl7.org/CodeSystem/measure-scoring */
enum scoring {
    SCORING_COHORT,
    SCORING_PROPORTION,
    SCORING_RATIO,
    SCORING_CONTINUOUS,
    SCORINGS,
};

/* http://terminology.hl7.org/CodeSystem/measure-population */
enum population_kind {
    POP_INITIAL,
    POP_NUMERATOR,
    POP_NUMERATOR_EXCLUSION,
    POP_DENOMINATOR,
    POP_DENOMINATOR_EXCLUSION,
    POP_DENOMINATOR_EXCEPTION,
    POP_MEASURE,
    POP_MEASURE_EXCLUSION,
    POP_OBSERVATION,
    POP_KINDS,
};

enum population_need { POP_FORBIDDEN, POP_OPTIONAL, POP_REQUIRED };

/* SCORINGS and POP_KINDS for codes that are none. */
enum scoring scoring_of(struct str code);
enum population_kind population_of(struct str code);
struct str scoring_code(enum scoring scoring);         /* "cohort" … */
struct str population_code(enum population_kind kind); /* "initial-population" … */
enum population_need population_need(enum scoring scoring, enum population_kind kind);

#endif
