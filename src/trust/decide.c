#include "trust/decide.h"

#include "trust/law.h"

bool why_permits(enum why why)
{
    static const bool permits[] = {
#define X(why, permits, text) permits,
        REASONS(X)
#undef X
    };
    return permits[why];
}

struct str why_text(enum why why)
{
    static const struct str texts[] = {
#define X(why, permits, text) STR(text),
        REASONS(X)
#undef X
    };
    return texts[why];
}

enum why decide_asker(const struct asker *who)
{
    if (!who->role)
        return WHY_NO_ROLE;
    if (who->assurance < who->role->assurance)
        return WHY_NO_ASSURANCE;
    if (!policy_has_purpose(who->role, who->purpose))
        return WHY_NO_PURPOSE;
    return WHY_SHARED;
}

bool decide_breaks_glass(const struct asker *who)
{
    return str_eq(who->purpose, STR(PURPOSE_BREAK_GLASS));
}

bool decide_needs_care(const struct asker *who)
{
    return who->role->records == RECORDS_RELATED || who->role->records == RECORDS_CASES ||
           decide_breaks_glass(who);
}

bool decide_implicit(const struct policy *p, const struct asker *who)
{
    switch (p->implicit) {
    case IMPLICIT_NORMAL:
    case IMPLICIT_ALL: return true;
    case IMPLICIT_BREAK_GLASS: return decide_breaks_glass(who);
    case IMPLICIT_DENY: break;
    }
    return false;
}

bool decide_is_proxy(struct str user)
{
    return str_starts(user, STR("RelatedPerson/")) || str_starts(user, STR("Person/"));
}

/* Membership of a Group says something about each member. */
static bool speaks_of_all(int type)
{
    return str_eq(def_resource_name(type), STR("Group"));
}

static bool is_own(const struct asker *who, const struct facts *f)
{
    bool all = speaks_of_all(f->type);
    size_t n = 0;

    if (!who->own.n)
        return false;
    for (size_t i = 0; i < f->n_patients; i++)
        n += str_eq(f->patients[i], who->own);
    return !f->has_more && n > 0 && (!all || n == f->n_patients);
}

/* The glass is broken for one person, whoever else is in one's care. */
static bool is_in_care(const struct asker *who, const struct facts *f, const struct file *file)
{
    bool breaks = decide_breaks_glass(who);
    /* What is a mother's as well is not seen through her child. */
    bool all = speaks_of_all(f->type) || decide_is_proxy(who->user);
    size_t n = 0;

    for (size_t i = 0; i < f->n_patients; i++)
        n += breaks ? str_eq(f->patients[i], who->glass)
                    : file->is_in_care(file->ctx, f->patients[i]);
    return n > 0 && (!all || n == f->n_patients);
}

/* Who a person is may be asked by whoever the policy lets find people. */
static bool may_find(const struct asker *who, const struct facts *f)
{
    return who->finds && who->role->finds && str_eq(def_resource_name(f->type), STR("Patient"));
}

/* Each patient's word counts: one no is enough. */
static enum why ask_patients(const struct policy *p, const struct asker *who, const struct facts *f,
                             const struct file *file, int64_t now_ms)
{
    enum why why = WHY_IMPLICIT;

    for (size_t i = 0; i < f->n_patients; i++) {
        const struct consent *const *v = NULL;
        size_t n = 0;

        file->consents(file->ctx, f->patients[i], &v, &n);
        switch (consents_say(v, n, who, f, now_ms)) {
        case CONSENT_DENY: return WHY_DISSENT;
        case CONSENT_PERMIT: why = WHY_CONSENT; continue;
        case CONSENT_NOTHING: break;
        }
        if (decide_is_proxy(who->user) && file->needs_word(file->ctx, f->patients[i]))
            return WHY_NO_WORD;
        if (!decide_implicit(p, who) || (f->is_sensitive && p->implicit != IMPLICIT_ALL))
            return WHY_SILENCE;
    }
    return why;
}

/* Whoever is sent away as a proxy cannot see that they were, nor by whom else the record is read.
 */
static bool is_private(int type)
{
    static const char *const types[] = {"Consent", "Group",      "RelatedPerson",
                                        "Person",  "AuditEvent", "Provenance"};

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_eq(def_resource_name(type), str_c(types[i])))
            return true;
    return false;
}

/* What the law opens of whoever is a case: no consent is asked for, and no more is shown than the
 * diseases of every patient that it is of have reported. */
static enum why ask_law(const struct policy *p, const struct asker *who, const struct facts *f,
                        const struct file *file)
{
    uint64_t opens = UINT64_MAX;

    if (!str_eq(who->purpose, STR(PURPOSE_PUBLIC_HEALTH)))
        return WHY_NO_PURPOSE;
    if (f->has_more)
        return WHY_MANY;
    for (size_t i = 0; i < f->n_patients; i++)
        opens &= law_opens(p, file->diseases(file->ctx, f->patients[i]), f->type);
    if (!f->n_patients || !opens)
        return WHY_NO_CASE;
    return f->is_sensitive && !(law_names(p, f->root) & opens) ? WHY_LABEL : WHY_LAW;
}

enum why decide(const struct policy *p, const struct asker *who, const struct facts *f,
                const struct file *file, int64_t now_ms)
{
    const struct policy_role *role = who->role;
    enum why why = decide_asker(who);

    if (!why_permits(why))
        return why;
    if (policy_is_shared(f->type))
        return WHY_SHARED;
    if (!def_compartment_params(COMPARTMENT_PATIENT, f->type))
        return role->types[f->type] ? WHY_TYPE : WHY_NO_TYPE;
    if (role->records == RECORDS_NONE)
        return WHY_NO_RECORDS;
    if (is_own(who, f))
        return WHY_OWN;
    if (role->records == RECORDS_OWN)
        return WHY_NO_CARE;
    if (role->records == RECORDS_CASES)
        return ask_law(p, who, f, file);
    if (f->has_more)
        return WHY_MANY;
    if (f->n_patients == 0 && !role->unlinked)
        return WHY_NO_LINK;
    if (decide_needs_care(who) && !may_find(who, f) && !is_in_care(who, f, file))
        return WHY_NO_CARE;
    if (decide_is_proxy(who->user) && (is_private(f->type) || f->is_confidential))
        return is_private(f->type) ? WHY_PRIVATE : WHY_CONFIDENTIAL;
    if (f->is_sensitive && !role->sensitive)
        return WHY_LABEL;
    return f->n_patients ? ask_patients(p, who, f, file, now_ms) : WHY_UNLINKED;
}
