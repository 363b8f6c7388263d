/* decide.h - whether somebody may see a resource, and why: the one place that says so.
 *
 * Pure. Scopes (allow.h) narrow on top of it.
 */
#ifndef TRUST_DECIDE_H
#define TRUST_DECIDE_H

#include "trust/consent.h"

/*    reason             permits  what is told */
#define REASONS(X)                                                                                 \
    X(WHY_SHARED, true, "the type is nobody's record, and every role sees it")                     \
    X(WHY_TYPE, true, "the role sees this type, which is nobody's record")                         \
    X(WHY_OWN, true, "it is of the person's own record")                                           \
    X(WHY_UNLINKED, true, "it is of no patient's record, and the role sees that")                  \
    X(WHY_CONSENT, true, "a consent of the patient permits it")                                    \
    X(WHY_IMPLICIT, true, "the patient has said nothing, and the policy takes that for a yes")     \
    X(WHY_LAW, true, "the patient has a disease that the law has reported")                        \
    X(WHY_NO_ROLE, false, "the policy has no such role")                                           \
    X(WHY_NO_ASSURANCE, false, "the role asks for a stronger way to sign in")                      \
    X(WHY_NO_PURPOSE, false, "the role has no such purpose of use")                                \
    X(WHY_NO_TYPE, false, "the role does not see this type")                                       \
    X(WHY_NO_RECORDS, false, "the role sees no records")                                           \
    X(WHY_NO_CARE, false, "the patient is not in the care of who asks")                            \
    X(WHY_NO_LINK, false, "it is of no patient's record, and the role does not see that")          \
    X(WHY_PRIVATE, false, "it is between the patient and the node, and no proxy's to see")         \
    X(WHY_CONFIDENTIAL, false, "it is kept from those who act for the patient")                    \
    X(WHY_NO_WORD, false, "the patient is of age, and has not let who asks act for them")          \
    X(WHY_MANY, false, "it is of more patients than are looked at")                                \
    X(WHY_LABEL, false, "it is sensitive, and the role does not see that")                         \
    X(WHY_NO_CASE, false, "the patient has no disease for which the law opens this")               \
    X(WHY_DISSENT, false, "a consent of the patient does not permit it")                           \
    X(WHY_SILENCE, false, "the patient has said nothing, and the policy takes that for a no")

enum why {
#define X(why, permits, text) why,
    REASONS(X)
#undef X
};

bool why_permits(enum why why);
struct str why_text(enum why why);

/* What a decision asks for about patients. */
struct file {
    void *ctx;
    /* The consents that a patient has on file; the list lives as long as the decision. */
    void (*consents)(void *ctx, struct str patient, const struct consent *const **ret,
                     size_t *ret_n);
    /* Whether a patient is in the care of who asks. */
    bool (*is_in_care)(void *ctx, struct str patient);
    /* Of a proxy: whether a patient in their care is of age, and has to say so themselves. */
    bool (*needs_word)(void *ctx, struct str patient);
    /* The diseases that a patient is a case of (law.h). */
    uint64_t (*diseases)(void *ctx, struct str patient);
};

enum why decide(const struct policy *p, const struct asker *who, const struct facts *f,
                const struct file *file, int64_t now_ms);

/* The parts of a decision that need no resource: whether who asks sees anything at all (WHY_SHARED:
 * it does), and whether a relation is asked for. */
enum why decide_asker(const struct asker *who);
bool decide_needs_care(const struct asker *who);
bool decide_breaks_glass(const struct asker *who);
/* One who acts for others: a RelatedPerson, or a Person that stands for some and may be a patient
 * as well, whose own record is then seen as any patient's own. */
bool decide_is_proxy(struct str user);
/* What silence means for what is not sensitive. */
bool decide_implicit(const struct policy *p, const struct asker *who);

#endif
