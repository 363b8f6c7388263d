/* params.h - the search parameters in force: the definitions' and the users', as one immutable,
 * reference-counted snapshot, swapped whole when a SearchParameter resource changes.
 */
#ifndef FHIR_PARAMS_H
#define FHIR_PARAMS_H

#include "base/js.h"
#include "fhir/defs.h"

#define PARAMS_USER_MAX 2000

struct params;
struct path; /* a compiled FHIRPath, fhir/path.h */

/* Where keys of a parameter lie: a list, or those of it that are local references to a type. */
struct param_span {
    uint16_t list;
    uint8_t type; /* 0: the whole list */
};

#define PARAM_SPANS_MAX 2
#define PARAM_COMPONENTS_MAX 8 /* of a composite */

struct param {
    struct def_param def; /* id, type, kind, code, url, expression, targets, components */
    /* All its keys. Usually the list of its own id; what other parameters of the type hold already
     * stays in theirs (docs/formats/index-keys.md, "Shared lists"). */
    struct param_span spans[PARAM_SPANS_MAX];
    size_t n_spans;
    const struct path *path; /* compiled expression, NULL when the parameter has none */
    bool searchable;         /* false while a user's parameter is still being indexed */
};

/* The definitions' parameters; compiled once, on first use. */
struct params *params_base(struct err *err);
/* A new snapshot: `base` with one more user-defined parameter of a SearchParameter resource, one
 * `param` for each of its bases, numbered from first_id on. ERR_VALUE with the reason (expression
 * that does not compile, unknown base, code taken …). */
int params_with(struct params *base, yyjson_val *search_parameter, uint16_t first_id,
                bool searchable, struct params **ret, struct err *err);

/* Whether local references to a type may stand in a span: those that another span of the parameter
 * is for stand there alone. */
static inline bool param_span_has(const struct param *p, size_t span, int type)
{
    if (p->spans[span].type)
        return p->spans[span].type == type;
    for (size_t i = 0; i < p->n_spans; i++)
        if (p->spans[i].type == type)
            return false;
    return true;
}

struct params *params_ref(struct params *p);
void params_unref(struct params *p);

/* By resource type and code ("_id", "_lastUpdated", "_type" … are not here: search.h knows them);
 * NULL if there is none. */
const struct param *param_find(const struct params *p, int type, struct str code);
/* The parameters of a type, sorted by code. */
const struct param *params_of(const struct params *p, int type, size_t *ret_n);
const struct param *param_by_id(const struct params *p, uint16_t id);

#endif
