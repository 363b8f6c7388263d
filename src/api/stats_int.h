/* stats_int.h - between Observation/$stats and its arithmetic. */
#ifndef API_STATS_INT_H
#define API_STATS_INT_H

#include "base/arena.h"
#include "fhir/decimal.h"

/* One measurement, in the unit of its group. */
struct sample {
    struct decimal v;
    int64_t at_ms; /* INT64_MIN: no time */
};

/* The measurements of one code, sorted by value. */
struct samples {
    const struct sample *v;
    size_t n;
    size_t n_total; /* with those that hold no value to count with */
};

enum stats_unit {
    STATS_COUNT,   /* a number of measurements */
    STATS_UNIT,    /* the measurements' unit */
    STATS_SQUARE,  /* its square */
    STATS_NUMBER,  /* none */
    STATS_PER_DAY, /* the unit in a day */
};

/* Writes the value: 1; 0 where so few measurements have none; or negative. */
typedef int stats_fn(const struct samples *s, int arg, struct decimal *ret, struct err *err);

struct statistic {
    struct str code;  /* of http://terminology.hl7.org/CodeSystem/observation-statistics */
    struct str label; /* where one code has two values: which one this is */
    enum stats_unit unit;
    stats_fn *run;
    int arg; /* of a quantile: hundredths */
};

/* The statistics of this code, with their number: one, or several side by side; NULL: none. */
const struct statistic *statistic_find(struct str code, size_t *ret_n);

#endif
