/* sight.h - what somebody may see in one transaction, so that a search needs no body to know it.
 *
 * The rules of an access make one (access.h). A row is within sight or not by its type and by sets
 * of row numbers; only where those cannot tell is it looked at (access_rules.may_see).
 */
#ifndef STORE_SIGHT_H
#define STORE_SIGHT_H

#include "fhir/defs.h"
#include "store/row_bits.h"

#include <stddef.h>

#define SIGHT_SHUT_MAX 16

enum sight_of_type {
    SIGHT_SHUT, /* no row of the type */
    SIGHT_OPEN, /* every row */
    SIGHT_KEPT, /* the sets below say which */
    SIGHT_LOOK, /* each is looked at */
};

/* Rows of one type in order. */
struct sight_rows {
    const uint64_t *v;
    size_t n;
};

/* Where in rows that are in order the first stands that is not below `row`; n if none is. */
static inline size_t rows_from(const uint64_t *v, size_t n, uint64_t row)
{
    size_t lo = 0, hi = n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (v[mid] < row)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

struct sight {
    uint8_t of_type[DEF_RESOURCE_MAX + 1]; /* enum sight_of_type */
    const struct sight_rows *reach;        /* by type: no other row of a kept type; NULL: any */
    const struct row_bits *ask;            /* rows to be looked at; NULL: none */
    const struct row_bits *shut[SIGHT_SHUT_MAX]; /* rows of kept types that are not seen */
    size_t n_shut;
    bool asks_all; /* every row of a kept type is looked at, whatever the sets say */
    /* Whose it is, and as of which consents: what was seen under this mark is seen under it again.
     * 0: nothing is known to stay. */
    uint64_t mark;
    const void *own; /* the rules' */
};

enum sight_answer { SIGHT_NO, SIGHT_YES, SIGHT_ASK };

/* About a version that is not superseded and no deletion. */
enum sight_answer sight_row(const struct sight *s, int type, uint64_t row);
/* Whether these are the only rows of the type that can be seen: NULL: no such list. */
const struct sight_rows *sight_reach(const struct sight *s, int type);
/* Whether every row of the type is seen: nothing has to be asked row by row. */
static inline bool sight_is_open(const struct sight *s, int type)
{
    return s->of_type[type] == SIGHT_OPEN;
}

#endif
