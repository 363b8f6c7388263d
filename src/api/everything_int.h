/* everything_int.h - the parts of $everything.
 *
 * op_everything.c      parameters, pages, the answer
 * everything_date.c    start and end: when care was given
 * everything_refs.c    what the record refers to
 */
#ifndef API_EVERYTHING_INT_H
#define API_EVERYTHING_INT_H

#include "api/op.h"

#define EVERYTHING_WALK_MAX 50000    /* resources of one record that are looked at for references */
#define EVERYTHING_TARGETS_MAX 20000 /* resources that a record refers to */
#define EVERYTHING_LEVELS_MAX 3      /* references away from the record */
#define EVERYTHING_PAGE_MAX 10000    /* resources of an answer without _count */
#define EVERYTHING_PATIENTS_MAX 1000 /* of a Group */

/* ---- everything_date.c ---- */

/* The search that start and end are, for each type once. */
struct care_dates {
    struct str start, end; /* STR_NULL: open */
    struct care_rule *rules;
};

int care_dates_init(struct call *c, struct care_dates *dates, struct str start, struct str end);
/* Whether a resource is of care in the period. One that has no date of care is. */
int care_dates_match(struct call *c, struct care_dates *dates, struct arena *a, int type,
                     yyjson_val *root, bool *ret);

/* ---- the record ---- */

struct everything {
    struct call *c;
    struct store_txn *txn;
    struct search record;  /* finds all that may be members */
    struct search members; /* the same, of the types that are asked for */
    bool all_patients;     /* members are found by type, and asked whether they are a patient's */
    enum def_compartment compartment;
    struct str *owners; /* ids whose compartments the record is */
    size_t n_owners;
    struct str patient; /* of an encounter */
    struct care_dates dates;
    bool types[DEF_RESOURCE_MAX + 1]; /* _type; all where none is asked for */
    int64_t since_ms;
    struct arena scratch; /* of one resource */
};

/* Whether a row found by the record's search is a member that is asked for. */
int everything_is_member(struct everything *e, const struct row *row, yyjson_val *root, bool *ret);

/* ---- everything_refs.c ---- */

struct everything_target {
    int type;
    struct str id;
};

/* What the record refers to and is not in it, sorted by type and id; of other patients nothing. */
int everything_targets(struct everything *e, struct everything_target **ret, size_t *ret_n);

#endif
