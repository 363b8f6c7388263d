/* ucum_int.h - the table of units, and a parsed unit. */
#ifndef FHIR_UCUM_INT_H
#define FHIR_UCUM_INT_H

#include "fhir/ucum.h"

#define UCUM_ROW_DIMS_MAX 5

/* Functions of special units, named as in defs/ucum/units.tsv. */
enum ucum_special {
    UCUM_LINEAR,
    UCUM_CELSIUS,
    UCUM_FAHRENHEIT,
    UCUM_REAUMUR,
    UCUM_PH,
    UCUM_LN,
    UCUM_LG,
    UCUM_LG2,
    UCUM_LD,
    UCUM_HP_X,
    UCUM_HP_C,
    UCUM_HP_M,
    UCUM_HP_Q,
    UCUM_TAN100,
    UCUM_SQRT,
};

struct ucum_dim {
    int16_t base; /* index into ucum_bases */
    int16_t exponent;
};

struct ucum_prefix {
    struct str code;
    struct decimal factor;
};

struct ucum_row {
    struct str code;
    uint8_t is_metric;
    uint8_t special; /* enum ucum_special */
    uint8_t n_dims;
    struct ucum_dim dims[UCUM_ROW_DIMS_MAX];
    struct decimal factor, divisor;
};

extern const struct ucum_prefix ucum_prefixes[];
extern const size_t ucum_n_prefixes;
extern const struct str ucum_bases[]; /* the seven base units, then arbitrary units */
extern const size_t ucum_n_bases;
extern const struct ucum_row ucum_rows[]; /* sorted by code */
extern const size_t ucum_n_rows;

/* A parsed unit: value × factor ÷ divisor is in its base units. With a special unit the product
 * goes through `special`'s function and is multiplied with that row's own factor afterwards. */
struct ucum_unit {
    struct decimal factor, divisor;
    const struct ucum_row *special;       /* NULL: linear */
    struct ucum_dim dims[UCUM_BASES_MAX]; /* sorted by base, exponents not zero */
    size_t n_dims;
};

int ucum_parse(struct str code, struct ucum_unit *ret, struct err *err);

/* The function of a special unit (not UCUM_LINEAR) and its inverse. ERR_VALUE outside its range. */
int ucum_special_to(enum ucum_special s, const struct decimal *x, struct decimal *ret,
                    struct err *err);
int ucum_special_from(enum ucum_special s, const struct decimal *y, struct decimal *ret,
                      struct err *err);

#endif
