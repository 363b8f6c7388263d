/* rows.h - what the commands that write rows of numbers share. */
#ifndef CLI_ROWS_H
#define CLI_ROWS_H

#include "base/sb.h"

#define ROWS_WAITING_MAX MIB(4) /* waiting text: a row is far shorter than what is left */
#define ROWS_PROBABILITIES_MAX 31

struct rows {
    int fd;
    struct sb text;
};

/* The shortest of the texts that read back as the same number; `none` for one that is none. */
void rows_number(struct rows *r, double v, const char *none);
/* A comma and a text, in quotes where it needs them. */
void rows_field(struct rows *r, struct str s);
/* Writes what waits, once it is enough. */
int rows_flush(struct rows *r, struct err *err);
int rows_end(struct rows *r, struct err *err);

/* "0.05,0.5,0.95" of the option `name`: rising, between 0 and 1. */
int rows_probabilities(const char *name, const char *text, double ret[ROWS_PROBABILITIES_MAX],
                       size_t *ret_n, struct err *err);
/* ",q0.05,q0.5,q0.95" */
void rows_probability_names(struct rows *r, const double *p, size_t n);

/* A number of the option `name`, from least to most. */
int rows_take_number(const char *name, struct str text, double least, double most, double *ret,
                     struct err *err);

#endif
