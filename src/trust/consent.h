/* consent.h - what one Consent says: IHE PCF 1.1, basic, intermediate and advanced.
 *
 * A consent is a rule and exceptions to it. A rule says yes or no to what it covers: who asks, for
 * what purpose, labels, the time and the data that it names. What is not understood of a consent
 * makes it a no to everything (`is_broken`), never a yes. Pure; a compiled consent is immutable.
 */
#ifndef TRUST_CONSENT_H
#define TRUST_CONSENT_H

#include "trust/facts.h"

#define CONSENT_RULES_MAX 50 /* exceptions of one consent */
#define CONSENT_PARTS_MAX 50 /* actors, purposes, labels, data of one rule */

/* Who asks, as far as policy and consent want to know. */
struct asker {
    const struct policy_role *role; /* NULL: the policy knows no such role */
    struct str user;                /* "Practitioner/1", or empty */
    struct str own;                 /* id of the Patient that they are themselves, or empty */
    const struct str *refs;         /* `user`, and what it acts for: organisations, groups … */
    size_t n_refs;
    struct str purpose;
    bool finds;         /* only who a person is: no care is asked for */
    struct str account; /* whose relations of their own making do not count; empty: nobody's */
    struct str glass;   /* with purpose BTG: the one patient for whom the glass was broken */
    enum assurance assurance;
};

enum consent_verdict { CONSENT_NOTHING, CONSENT_PERMIT, CONSENT_DENY };

struct consent_data {
    enum consent_meaning { DATA_INSTANCE, DATA_RELATED, DATA_AUTHOR } meaning;
    struct str reference;
};

struct consent_rule {
    bool permits;
    bool is_normal_only; /* a yes that names no labels is one to what is not sensitive */
    bool has_actors;     /* that were named, even if none is understood */
    struct str_list actors, purposes;
    struct coding_key *labels;
    size_t n_labels;
    struct consent_data *data;
    size_t n_data;
    int64_t from_ms, to_ms; /* in force */
    bool has_data_period;
    int64_t data_from_ms, data_to_ms; /* of what was so then */
};

struct consent {
    struct consent_rule root;
    struct consent_rule *nested;
    size_t n_nested;
    bool is_broken;
    bool is_uniform; /* says the same about all that is not sensitive */
};

/* Whether a Consent says anything about privacy now: active, and in that scope. */
bool consent_is_live(yyjson_val *root);
/* The id of the patient it is of; empty: none. */
struct str consent_patient(yyjson_val *root);
/* The part of a Consent that decides what it says, as a Consent: two with the same text are one. */
void consent_text(yyjson_val *root, struct sb *out);
/* Texts live in `root`, the rest in `a`. */
int consent_compile(struct arena *a, yyjson_val *root, struct consent *ret, struct err *err);

/* About one resource; f NULL: any that is not sensitive, of a uniform consent. */
enum consent_verdict consent_says(const struct consent *c, const struct asker *who,
                                  const struct facts *f, int64_t now_ms);
bool consent_is_over(const struct consent *c, int64_t now_ms);

/* What a person has on file, together. Any no is a no; else a yes is a yes; else, where some
 * consent permits, it permits only what it covers: a no; else there is nothing. */
enum consent_verdict consents_say(const struct consent *const *v, size_t n, const struct asker *who,
                                  const struct facts *f, int64_t now_ms);

#endif
