/* params_int.h - inside a snapshot of search parameters. */
#ifndef FHIR_PARAMS_INT_H
#define FHIR_PARAMS_INT_H

#include "base/arena.h"
#include "fhir/params.h"
#include "fhir/path.h"

#include <stdatomic.h>

/* What only this module looks at. */
struct param_more {
    const struct path **components; /* of a composite: def.n_components of them, each from an item
                                      of its expression; NULL for the others */
    uint8_t compartments;           /* bit c: puts a resource into compartment c; a list that
                                       others share has their bits too */
};

/* The parameters of one SearchParameter resource, shared by all snapshots that have them. */
struct param_block {
    atomic_int refs;
    struct arena a;
    struct param *params;
    struct param_more *more;
    size_t n;
};

struct params {
    atomic_int refs;
    struct param *all;       /* sorted by (type, code) */
    struct param_more *more; /* in the same order */
    size_t n;
    size_t first[DEF_RESOURCE_MAX + 2]; /* of each type in `all` */
    uint32_t *by_id;                    /* places in `all`, sorted by id */
    struct param_block **blocks;        /* the first is the definitions' */
    size_t n_blocks;
};

/* Lets each parameter of the definitions whose keys other parameters of its type hold say so. */
void params_share(struct param *params, struct param_more *more, size_t n);
/* Whether keys of the parameter lie in another one's list. */
bool param_shares(const struct param *p);
/* Whether it has keys in the list of its own id. */
bool param_has_own(const struct param *p);

const struct param_more *param_more_of(const struct params *p, const struct param *param);

#endif
