/* facts.h - what policy and consent ask about a resource: whose it is, and what it is about.
 *
 * Pure: all is read out of the resource itself. Texts live in the resource or in the arena.
 */
#ifndef TRUST_FACTS_H
#define TRUST_FACTS_H

#include "fhir/params.h"
#include "fhir/search.h"
#include "trust/policy.h"

#define FACTS_PATIENTS_MAX 200 /* of one resource; one with more is seen by nobody but all-seers   \
                                */

struct facts {
    int type;
    struct str id;
    struct str *patients; /* ids, each once: in whose compartments it is */
    size_t n_patients;
    bool has_more; /* patients than are told */
    bool is_sensitive;
    bool is_confidential; /* kept from proxies */
    yyjson_val *root;
    const struct policy *policy;
    uint64_t rules; /* of its labelling, by the codes (label.h) */
};

/* How labels by codes count (label.h). */
enum facts_kind {
    FACTS_CURRENT, /* by its labels, and by the codes that ask for some at every age */
    FACTS_OLD,     /* superseded: by all of its codes, whatever the patient's age was */
    FACTS_GIVEN,   /* as it was handed in: without what the node sets */
};

/* `a` and the policy must outlive it. */
int facts_of(struct arena *a, const struct policy *policy, const struct params *params,
             const struct index_options *opt, int type, yyjson_val *root, enum facts_kind kind,
             struct facts *ret, struct err *err);

/* When what it says was so, [from, to); false where it does not say. */
bool facts_period(const struct facts *f, int64_t *ret_from_ms, int64_t *ret_to_ms);
/* When one with this date of birth has their birthday of that age; INT64_MIN where it is not known.
 * Of a year or a month, the earliest day counts. */
int64_t facts_birthday_ms(struct str born, int age);
/* Whether it is "Type/id" itself. */
bool facts_is(const struct facts *f, struct str reference);
/* Whether anything in it refers to "Type/id", whatever for; or it is that itself. */
bool facts_mentions(const struct facts *f, struct str reference);
/* Whether it says that "Type/id" wrote it. */
bool facts_is_by(const struct facts *f, struct str reference);
/* By itself, or by its codes. */
bool facts_has_label(const struct facts *f, struct str system, struct str code);

/* The reference of a Reference without version, "" where it has none. */
struct str facts_reference(yyjson_val *reference);
/* The period of a Period: [from, to), open where it does not say. False where it is no period. */
bool facts_read_period(yyjson_val *period, int64_t *ret_from_ms, int64_t *ret_to_ms);

#endif
