/* issues.h - what is wrong with a resource, as data: a list that becomes an OperationOutcome. */
#ifndef FHIR_ISSUES_H
#define FHIR_ISSUES_H

#include "base/arena.h"
#include "base/err.h"

#define ISSUES_MAX 100      /* more are counted, not kept */
#define ISSUES_HINTS_MAX 80 /* of these warnings and hints */

enum issue_severity { ISSUE_FATAL, ISSUE_ERROR, ISSUE_WARNING, ISSUE_INFORMATION };

struct issue {
    enum issue_severity severity;
    const char *type; /* OperationOutcome issue type: "structure", "required", "value", … */
    struct str text;  /* one sentence: what does not hold */
    struct str where; /* FHIRPath of the element: "Patient.name[0].given[1]", or "" */
    struct str profile, rule; /* which rule of which profile; empty: R4's structure */
    struct issue *next;
};

struct issues {
    struct arena *a;
    struct issue *first, *last;
    size_t n, n_errors; /* n_errors: fatal and error, also those past ISSUES_MAX */
    size_t n_kept;
    bool is_last_kept; /* the one added last */
    bool no_memory;
};

static inline void issues_init(struct issues *s, struct arena *a)
{
    *s = (struct issues){.a = a};
}

void issues_add(struct issues *s, enum issue_severity severity, const char *type, struct str where,
                const char *fmt, ...) _printf_(5, 6);

/* The first that is an error; NULL if there is none among those kept. */
const struct issue *issues_first_error(const struct issues *s);

/* Names the profile and the rule of the issue added last, if it was kept. */
void issues_rule(struct issues *s, struct str profile, struct str rule);

#endif
