/* policy.h - a node's policy: which role sees what, before any person has said a word.
 *
 * A policy is data, a JSON file with a version and tests of its own (docs/formats/policy.md);
 * `carnet policy` shows, tests and sets one; a store keeps those that were set (policy_book.h), and
 * where there is none the one in defs/policy/ holds. Immutable once it is shared; counted.
 */
#ifndef TRUST_POLICY_H
#define TRUST_POLICY_H

#include "base/js.h"
#include "fhir/defs.h"
#include "store/sight.h"
#include "trust/identity.h"
#include "trust/record.h"
#include "trust/text_map.h"

#include <stdatomic.h>

#define POLICY_BYTES_MAX MIB(1)
#define POLICY_ROLES_MAX 32
#define POLICY_LABELS_MAX 200

#define POLICY_DISEASES_MAX 60
#define POLICY_RULES_MAX 60 /* of labelling */
#define POLICY_AGE_MAX 150  /* of such a rule, in years */

#define PURPOSE_BREAK_GLASS "BTG"
#define PURPOSE_PUBLIC_HEALTH "PUBHLTH"

enum policy_records {
    RECORDS_NONE,    /* nobody's */
    RECORDS_OWN,     /* one's own */
    RECORDS_CASES,   /* what the law opens of whoever has a disease that is reported (law.h) */
    RECORDS_RELATED, /* of people in one's care, and one's own */
    RECORDS_ALL,     /* of whoever does not object */
};

/* What a person is taken to have said who has no consent on file (IHE PCF, implicit policies). */
enum policy_implicit {
    IMPLICIT_NORMAL, /* yes to all that is not sensitive */
    IMPLICIT_ALL,
    IMPLICIT_BREAK_GLASS, /* no, but to those who break the glass */
    IMPLICIT_DENY,
};

struct policy_role {
    struct str name;
    enum policy_records records;
    enum assurance assurance; /* the least */
    struct str_list purposes; /* codes; the first stands where a token names none */
    bool organisation;        /* whoever is in the care of one's organisation is in one's own */
    bool sensitive;           /* may see it where the person agrees */
    bool unlinked;            /* clinical resources of no patient; only with RECORDS_ALL */
    bool break_glass;         /* with purpose BTG one patient counts as in their care */
    bool registers;           /* may create Patients */
    bool checks_in;           /* people who are there, into their own care or a colleague's */
    bool labels;              /* may take sensitive labels away */
    bool audits;              /* reads the audit log of everybody */
    bool finds;               /* anybody, by what identifies a person */
    bool counts;              /* counts of cases, and signals */
    bool line_lists;          /* who the cases are; only with counts */
    bool signals;             /* takes signals through their steps; only with counts */
    bool programmes;          /* how far they reach, use of the node, who sends what falls short */
    bool explains;            /* asks why anybody sees something, or does not */
    bool corrects;            /* decides about corrections that people ask for */
    bool reviews;             /* closes reviews of broken glass */
    bool types[DEF_RESOURCE_MAX + 1];    /* outside of records: seen besides the shared ones */
    bool grants[DEF_RESOURCE_MAX + 1];   /* of what grants access: may write */
    uint8_t sight[DEF_RESOURCE_MAX + 1]; /* what follows for each type: enum sight_of_type */
};

struct coding_key {
    struct str system, code;
};

/* One that the law has reported. */
struct policy_disease {
    struct str name;
    struct coding_key *codes;
    size_t n_codes;
    bool types[DEF_RESOURCE_MAX + 1]; /* what is open of the record of a case */
};

/* Resources that have one of its codes get its label (label.h). */
struct policy_label_rule {
    struct str name;
    struct coding_key label;
    struct coding_key *codes;
    size_t n_codes;
    bool by_age; /* of people from `from` to below `below` years alone */
    uint64_t from, below;
};

struct policy {
    atomic_uint refs;
    struct arena a;
    uint64_t number; /* of those that the store keeps; 0: the one that is built in */
    struct str version, text;
    enum policy_implicit implicit;
    int64_t care_ms; /* for how long a finished encounter still is care */
    uint32_t finds_an_hour;
    int64_t glass_ms; /* for how long at most a glass stays broken */
    struct coding_key *sensitive;
    size_t n_sensitive;
    struct coding_key *confidential; /* kept from those who act for a patient */
    size_t n_confidential;
    struct policy_disease *diseases;
    size_t n_diseases;
    struct text_map law; /* "system|code" -> the diseases whose code it is, a bit each (law.h) */
    struct policy_label_rule *rules;
    size_t n_rules;
    struct text_map labelled; /* "system|code" -> the rules whose code it is, a bit each */
    int age; /* of consent, in years: from then on one says oneself who acts for one */
    struct policy_role *roles;
    size_t n_roles;
    yyjson_val *tests; /* an array, or NULL */
};

/* ERR_VALUE says what does not hold. The caller unrefs. */
int policy_parse(struct str text, struct policy **ret, struct err *err);
const struct policy *policy_ref(const struct policy *p);
/* NULL is allowed. */
void policy_unref(const struct policy *p);
static inline void policy_unrefp(const struct policy **p)
{
    policy_unref(*p);
}
static inline void policy_freep(struct policy **p)
{
    policy_unref(*p);
}
/* The text of the default. */
struct str policy_default(void);

/* NULL: there is no such role. */
const struct policy_role *policy_role(const struct policy *p, struct str name);
bool policy_is_sensitive(const struct policy *p, struct str system, struct str code);
bool policy_is_confidential(const struct policy *p, struct str system, struct str code);

/* Types that are nobody's record: places, people who work, medicines, definitions. */
bool policy_is_shared(int type);
/* Types that say who is in whose care, who works where, and what a person agreed to: whoever is
 * served by them does not write them. */
bool policy_is_grant(int type);

/* A stated purpose, or the role's own where there is none; whether it is among the role's. */
struct str policy_purpose(const struct policy_role *role, struct str stated);
bool policy_has_purpose(const struct policy_role *role, struct str purpose);

#endif
