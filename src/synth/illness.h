/* illness.h - one episode of an acute illness, as it is seen in a facility. */
#ifndef SYNTH_ILLNESS_H
#define SYNTH_ILLNESS_H

#include "synth/visit.h"

struct treatment {
    enum code drug; /* CODE_NONE: nothing */
    const char *dosage;
    unsigned days;
};

struct illness {
    enum code code;
    bool fever;
    enum code test;         /* a rapid test or culture, or CODE_NONE */
    const char *grown;      /* of a culture: what grew; NULL: a rapid test */
    unsigned test_permille; /* how often it is done */
    struct treatment treatments[2];
};

struct episode {
    int64_t onset, visit; /* days */
    bool admitted, died;
};

void illness_write(struct sim *s, const struct person *p, const struct illness *i,
                   const struct episode *e);

#endif
